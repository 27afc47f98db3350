// Files that the operator names, read whole, and the error for what the operator can put right.

/** A mistake that the operator can put right: its message is one line for them. */
export class OperatorError extends Error {}

/** No token, certificate or key is longer, in bytes: /dev/zero has no end. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads a text file; `what` says which one in the message.
 * @throws {OperatorError} if it can't be read, or is longer than 1 MiB
 */
export function readFile(what: string, name: string): string {
  try {
    return readText(name);
  } catch (error) {
    throw new OperatorError(
      `Cannot read ${what} file ${JSON.stringify(name)}: ${whyUnreadable(error, "file")}`,
    );
  }
}

/** Reads to the end, which only reading finds: a pipe has no length. */
function readText(name: string): string {
  using file = Deno.openSync(name);
  const bytes = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  for (let n; length < bytes.length && (n = file.readSync(bytes.subarray(length))) !== null;) length += n;
  if (length > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
  // Not as from the wire: the byte order mark that some editors put first is none of the text.
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/**
 * Looks whether a folder can be served, and says where it is, from the root on.
 * @throws {OperatorError} if it can't
 */
export function checkFolder(name: string): string {
  try {
    for (const _ of Deno.readDirSync(name)) break;
    return Deno.realPathSync(name);
  } catch (error) {
    throw new OperatorError(`Cannot serve folder ${JSON.stringify(name)}: ${whyUnreadable(error, "folder")}`);
  }
}

/** Whether a folder has a page of its own for who names no file; small and large letters are not the same. */
export function hasIndex(folder: string): boolean {
  for (const { name } of Deno.readDirSync(folder)) if (name === "index.html") return true;
  return false;
}

/**
 * Reads the token: the file's content without white space at its ends.
 * @throws {OperatorError} if it can't be read, is empty or no text in UTF-8: no client could say that
 */
export function readToken(name: string): string {
  const token = readFile("token", name).trim();
  const why = token === "" ? "it is empty" : token.includes("\ufffd") ? "it is no text in UTF-8" : undefined;
  if (why === undefined) return token;
  throw new OperatorError(`Cannot use token file ${JSON.stringify(name)}: ${why}`);
}

/** Says why what was meant to be `what` can't be read: the system's own words where none are known. */
export function whyUnreadable(error: unknown, what: "file" | "folder"): string {
  const { NotCapable, NotFound, NotADirectory, IsADirectory, PermissionDenied } = Deno.errors;
  if (error instanceof NotCapable) return "deno was not allowed to, start it with --allow-read";
  if (error instanceof NotFound) return `there is no such ${what}`;
  if (error instanceof IsADirectory) return "it is a folder";
  if (error instanceof NotADirectory) {
    return what === "folder" ? "it is no folder" : "it is in what is no folder";
  }
  if (error instanceof PermissionDenied) return "the system does not let this user read it";
  return error instanceof Error ? error.message : String(error);
}
