// The files of a folder that the operator names, as they are at the moment of asking: read while they are
// written out, never whole. What lies outside, is hidden or is no file is not there, also while somebody
// moves things about.

import type { Answer, BodySource } from "./answer.ts";
import { conditionOf, rangeOf } from "./conditions.ts";
import { contentTypeOf } from "./content_types.ts";
import { HttpFault, type RequestHead } from "./head.ts";
import type { Target } from "./target.ts";

const NOTHING = new Uint8Array(0);

const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/**
 * A folder that has not changed for so long, in ms, has settled; one that has is looked at again after this,
 * which is longer than ticks of file systems.
 */
const LONG_AGO_MS = 2000, SETTLE_MS = 50;

/** How often a file is tried to be opened while its folders change. */
const MAX_TRIES = 5;

/** A folder whose files are served. */
export class Files {
  readonly #root: string;

  /** @param root the folder's path; it may be a symbolic link */
  constructor(root: string) {
    this.#root = root;
  }

  /** Answers with the file of a path, or the `index.html` of a folder; undefined if there is none. */
  async answer(head: RequestHead, { path, raw, search }: Target): Promise<Answer | HttpFault | undefined> {
    const parts = path.slice(1).split("/");
    const isFolder = parts.at(-1) === "";
    if (isFolder) parts[parts.length - 1] = "index.html";
    if (!parts.every(isPlainName)) return undefined;
    const name = `${this.#root}/${parts.join("/")}`;
    try {
      const found = await this.#open(name);
      if (found === "folder") {
        if (isFolder || !await this.#hasIndex(name)) return undefined;
        const fields = { Location: `${raw}/${search}`, "Content-Type": "text/plain; charset=utf-8" };
        return { status: 301, fields, body: NOTHING };
      }
      if (found === "changing") {
        const message = "The folder of this file changes all the time, so it can't be looked at";
        return new HttpFault(503, message, { "Retry-After": "1" });
      }
      return found && answerFile(head, found, contentTypeOf(name));
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) {
        return new HttpFault(403, "The relay may not read this file");
      }
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  async #hasIndex(folder: string): Promise<boolean> {
    const index = await this.#open(`${folder}/index.html`);
    if (index === undefined || typeof index === "string") return false;
    index.file.close();
    return true;
  }

  /** Opens a file that lies within the folder, wherever links lead; says so if it is a folder there. */
  async #open(name: string): Promise<Opened | "folder" | "changing" | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [root, real] = await Promise.all([Deno.realPath(this.#root), Deno.realPath(name)]);
      if (!isWithin(real, root)) return undefined;
      const way = new Way(root, real);
      if (!await way.isSettled()) continue;
      const { isDirectory, isFile } = await Deno.lstat(real);
      // What is no file is not opened: a pipe would wait for ever.
      const file = isFile ? await Deno.open(real) : undefined;
      try {
        const info = await file?.stat();
        if (await way.isUnchanged()) {
          if (file !== undefined && info?.isFile) return { file, info };
          file?.close();
          return isDirectory ? "folder" : undefined;
        }
      } catch (error) {
        file?.close();
        throw error;
      }
      file?.close();
    }
    return "changing";
  }
}

/**
 * The folders from the root down to a file. While none of them has changed, what was opened by that way is
 * what stands there: nobody has put a link to elsewhere in the place of a part of it meanwhile. A folder that
 * changes gets a new time of change; but two changes within a tick of that clock look like one, so a folder
 * that has just changed is waited for.
 */
class Way {
  readonly #folders: string[];
  #seen = "";

  constructor(root: string, file: string) {
    const parts = file.slice(root.length).split(SEPARATOR).filter((part) => part !== "").slice(0, -1);
    this.#folders = [root];
    for (const part of parts) this.#folders.push(`${this.#folders.at(-1)}${SEPARATOR}${part}`);
  }

  /** Looks at them: whether they are folders, and have not changed for a moment. */
  async isSettled(): Promise<boolean> {
    const infos = await this.#look();
    if (!infos.every(({ isDirectory }) => isDirectory)) return false;
    this.#seen = describe(infos);
    const newest = Math.max(...infos.map(({ ctime, mtime }) => (ctime ?? mtime)?.getTime() ?? 0));
    if (Date.now() - newest > LONG_AGO_MS) return true;
    await new Promise((done) => setTimeout(done, SETTLE_MS)); // a clock of another machine may have set it
    return await this.isUnchanged();
  }

  /** Whether they are as they were when they had settled. */
  async isUnchanged(): Promise<boolean> {
    return describe(await this.#look()) === this.#seen;
  }

  #look(): Promise<Deno.FileInfo[]> {
    return Promise.all(this.#folders.map((folder) => Deno.lstat(folder)));
  }
}

function describe(infos: readonly Deno.FileInfo[]): string {
  return infos.map(({ dev, ino, ctime, mtime }) => `${dev} ${ino} ${ctime?.getTime()} ${mtime?.getTime()}`)
    .join();
}

interface Opened {
  file: Deno.FsFile;
  info: Deno.FileInfo;
}

function answerFile(head: RequestHead, { file, info }: Opened, type: string): Answer | HttpFault {
  const { size, mtime } = info;
  const tag = `"${size.toString(36)}-${(mtime?.getTime() ?? 0).toString(36)}-${
    (info.ino ?? 0).toString(36)
  }"`;
  const fields: Record<string, string> = { "Content-Type": type, ETag: tag, "Accept-Ranges": "bytes" };
  if (mtime !== null) fields["Last-Modified"] = mtime.toUTCString();
  const condition = conditionOf(head, { tag, changedMs: mtime?.getTime() });
  if (condition instanceof HttpFault) {
    file.close();
    return condition;
  }
  if (condition === "had") return without(file, 304, fields);
  const range = rangeOf(head, size, tag);
  if (range === "none") return without(file, 416, { ...fields, "Content-Range": `bytes */${size}` });
  if (range === "whole") return { status: 200, fields, body: new FileBody(file, 0, size) };
  const { first, last } = range;
  fields["Content-Range"] = `bytes ${first}-${last}/${size}`;
  return { status: 206, fields, body: new FileBody(file, first, last - first + 1) };
}

function without(file: Deno.FsFile, status: number, fields: Record<string, string>): Answer {
  file.close();
  return { status, fields, body: NOTHING };
}

/** A part of an open file. */
class FileBody implements BodySource {
  readonly length: number;
  readonly #file: Deno.FsFile;
  readonly #start: number;
  #isBegun = false;

  constructor(file: Deno.FsFile, start: number, length: number) {
    this.#file = file;
    this.#start = start;
    this.length = length;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (!this.#isBegun && this.#start > 0) await this.#file.seek(this.#start, Deno.SeekMode.Start);
    this.#isBegun = true;
    return await this.#file.read(buffer);
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Whether a part of a path may name a file: none that is hidden, and on Windows none that names something
 * else than it says.
 */
function isPlainName(part: string): boolean {
  if (part === "" || part.startsWith(".")) return false;
  return Deno.build.os !== "windows" || !/[:*?"<>|]|[. ]$/.test(part);
}

function isWithin(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(SEPARATOR) ? root : root + SEPARATOR);
}

/** Whether an error says that no such file is there, whatever stands in its way. */
function isAbsence(error: unknown): boolean {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return true;
  if (error instanceof Deno.errors.FilesystemLoop || error instanceof Deno.errors.IsADirectory) return true;
  const { code } = error as { code?: unknown };
  return code === "ENAMETOOLONG" || code === "ENOTDIR" || code === "ELOOP" || code === "EINVAL" ||
    code === "ENXIO";
}
