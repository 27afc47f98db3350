// Files that the operator names, read whole, and the error for what the operator can put right.

/** A mistake that the operator can put right: its message is one line for them. */
export class OperatorError extends Error {}

/** Reads a text file; `what` says which one in the message. @throws {OperatorError} if it can't be read */
export function readFile(what: string, name: string): string {
  try {
    return Deno.readTextFileSync(name);
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "deno was not allowed to, start it with --allow-read"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new OperatorError(`Cannot read ${what} file ${JSON.stringify(name)}: ${why}`);
  }
}

/**
 * Looks whether a folder can be served, and says where it is, from the root on. @throws {OperatorError} if it
 * can't
 */
export function checkFolder(name: string): string {
  try {
    for (const _ of Deno.readDirSync(name)) break;
    return Deno.realPathSync(name);
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "deno was not allowed to, start it with --allow-read"
      : error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.NotADirectory
      ? "it is no folder"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new OperatorError(`Cannot serve folder ${JSON.stringify(name)}: ${why}`);
  }
}

/**
 * Reads the token: the file's content without white space at its ends. @throws {OperatorError} if it can't be
 * read or is empty
 */
export function readToken(name: string): string {
  const token = readFile("token", name).trim();
  if (token !== "") return token;
  throw new OperatorError(`Cannot use token file ${JSON.stringify(name)}: it is empty`);
}
