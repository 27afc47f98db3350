// Reads what a process has used, from Linux's /proc: CPU time and memory. On other systems, and for a process
// that is gone, there is no answer: null. Parsing is pure.

/** Ticks per second in /proc/PID/stat: USER_HZ, 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Memory of a process in KiB. */
export interface Memory {
  /** Resident now (VmRSS). */
  rssKib: number;
  /** The most that was ever resident (VmHWM). */
  peakKib: number;
}

/** Returns user and system time in microseconds from the text of /proc/PID/stat. */
export function parseCpuUs(stat: string): number {
  // The second field is the command in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * (1_000_000 / TICKS_PER_SECOND);
}

/** Returns the time in microseconds that all cores together were busy, from the text of /proc/stat. */
export function parseBusyUs(stat: string): number {
  // user nice system idle iowait irq softirq steal, then guest times that user time already holds.
  const [user, nice, system, , , irq, softirq, steal] = stat.split("\n")[0].trim().split(/\s+/).slice(1).map(
    Number,
  );
  return (user + nice + system + irq + softirq + steal) * (1_000_000 / TICKS_PER_SECOND);
}

/** Returns memory from the text of /proc/PID/status; null for a process that has none any more. */
export function parseMemory(status: string): Memory | null {
  const field = (name: string) =>
    Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"))?.[1] ?? NaN);
  const memory = { rssKib: field("VmRSS"), peakKib: field("VmHWM") };
  return Number.isNaN(memory.rssKib) || Number.isNaN(memory.peakKib) ? null : memory;
}

/** Reads the CPU time that a process has used so far, in microseconds, in steps of 10 ms. */
export function readCpuUs(pid: number | "self" | null): number | null {
  const text = pid === null ? null : readText(`/proc/${pid}/stat`);
  return text === null ? null : parseCpuUs(text);
}

/** Reads the time that all cores together were busy since the machine started, in microseconds. */
export function readBusyUs(): number | null {
  const text = readText("/proc/stat");
  return text === null ? null : parseBusyUs(text);
}

/**
 * Returns how long a thread was ready and waited for a core, in microseconds, from the text of its schedstat.
 */
export function parseWaitUs(schedstat: string): number | null {
  const waitNs = Number(schedstat.trim().split(" ")[1] ?? NaN);
  return Number.isNaN(waitNs) ? null : waitNs / 1000;
}

/** Reads how long a process's main thread has been ready and waited for a core so far, in microseconds. */
export function readWaitUs(pid: number | null): number | null {
  const text = pid === null ? null : readText(`/proc/${pid}/task/${pid}/schedstat`);
  return text === null ? null : parseWaitUs(text);
}

/** Reads how much memory a process has. */
export function readMemory(pid: number | "self" | null): Memory | null {
  const text = pid === null ? null : readText(`/proc/${pid}/status`);
  return text === null ? null : parseMemory(text);
}

/** Counts the open files of a process. */
export function countOpenFiles(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}

/** Resident memory of a process by kind of mapping, in KiB. */
export interface Mappings {
  /** Mapped from files: the program's code and data. */
  fileKib: number;
  /** The C heap. */
  mallocKib: number;
  /** All else: V8's heap and its code, stacks, further arenas of malloc. */
  anonymousKib: number;
  allKib: number;
}

/** Adds up the text of /proc/PID/smaps. */
export function parseSmaps(text: string): Mappings {
  const sum: Mappings = { fileKib: 0, mallocKib: 0, anonymousKib: 0, allKib: 0 };
  let kind: keyof Mappings = "anonymousKib";
  for (const line of text.split("\n")) {
    const [, path] = line.match(/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)$/) ?? [];
    if (path !== undefined) {
      kind = path === "[heap]" ? "mallocKib" : path.startsWith("/") ? "fileKib" : "anonymousKib";
      continue;
    }
    const rss = line.match(/^Rss:\s+(\d+) kB$/);
    if (rss === null) continue;
    sum[kind] += Number(rss[1]);
    sum.allKib += Number(rss[1]);
  }
  return sum;
}
