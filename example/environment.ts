// What the environment tells, as far as the program may look without asking: it needs no permission for it.

/** Returns a variable of the environment; undefined where there is none, or it may not be read. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
