// client.js of eventrelay 0.2.0, made by `deno task bundle`. MIT license.
// @ts-self-types="./client.d.ts"
// src/wire/untrusted.ts
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isCount(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
function kindOf(value) {
  if (value === null || value === void 0) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
function printable(text2) {
  return text2.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
var MAX_QUOTED_LENGTH = 40;
function beginning(text2) {
  return text2.length > MAX_QUOTED_LENGTH ? `${text2.slice(0, MAX_QUOTED_LENGTH)}\u2026` : text2;
}
function quote(text2) {
  return JSON.stringify(printable(beginning(text2)).replace(/\p{Cs}/gu, "?"));
}

// src/client/link/runtime.ts
var MAX_TIMER_MS = 2 ** 31 - 1;
function runtime() {
  const { Deno: Deno2, process } = globalThis;
  if (typeof Deno2?.connect === "function") return "deno";
  return typeof process?.getBuiltinModule === "function" ? "node" : "page";
}
function builtinModule(name) {
  return globalThis.process?.getBuiltinModule?.(name);
}
function runtimeFault() {
  if (typeof Promise.withResolvers === "function") return void 0;
  const node = globalThis.process?.versions?.node;
  return node === void 0 ? "this browser is too old, Chrome 119, Firefox 121, Safari 17.4 and newer will do" : `this is Node ${node}, 22.3 or newer is needed`;
}
function pageLocation() {
  return runtime() === "page" ? globalThis.location : void 0;
}
function reportUncaught(error) {
  const { reportError } = globalThis;
  if (reportError !== void 0) return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}

// src/client/link/after_turn.ts
var { setImmediate, clearImmediate } = globalThis;
var afterThisTurn = setImmediate !== void 0 && clearImmediate !== void 0 ? (callback) => {
  const handle = setImmediate(callback);
  return () => clearImmediate(handle);
} : byMessages();
function byMessages() {
  let due = [];
  let channel;
  return (callback) => {
    if (channel === void 0) {
      channel = new MessageChannel();
      channel.port1.onmessage = run;
    }
    if (due.length === 0) channel.port2.postMessage(null);
    const entry = {
      callback
    };
    due.push(entry);
    return () => entry.callback = void 0;
  };
  function run() {
    if (runtime() !== "page") {
      channel.port1.close();
      channel = void 0;
    }
    const calls = due;
    due = [];
    for (const { callback } of calls) {
      try {
        callback?.();
      } catch (error) {
        reportUncaught(error);
      }
    }
  }
}

// src/client/callbacks.ts
var Callbacks = class {
  /** The calls that wait; `undefined` once nothing has to. */
  #held = [];
  #cancelHeld;
  #isClosed = false;
  /**
   * Lets what waits be called after this turn of the event loop: by then the program has the relay object.
   */
  open() {
    this.#cancelHeld = afterThisTurn(this.#callHeld);
  }
  /**
   * Calls at once what waits, if `open()` was called: a program that takes events has the relay object, and
   * must not see those of a member before it is told that it came.
   */
  catchUp() {
    if (this.#cancelHeld === void 0 || this.#held === void 0) return;
    this.#cancelHeld();
    this.#callHeld();
  }
  #callHeld = () => {
    const held = this.#held;
    this.#held = void 0;
    for (const call of held) call();
  };
  /** Calls nothing from now on, but what {@linkcode callToTheEnd} is given. */
  close() {
    this.#isClosed = true;
    this.#cancelHeld?.();
    if (this.#cancelHeld !== void 0) this.#held = void 0;
  }
  /** Calls back, or has it wait; does nothing after `close()`. */
  call(callback, ...args) {
    if (callback === void 0 || this.#isClosed) return;
    if (this.#held === void 0) return callNow(callback, ...args);
    this.#held.push(() => this.#isClosed || callNow(callback, ...args));
  }
  /** Calls back also after `close()`; not a program that never got the relay object. */
  callToTheEnd(callback, ...args) {
    if (this.#held === void 0) callNow(callback, ...args);
    else this.call(callback, ...args);
  }
};
function callNow(callback, ...args) {
  try {
    callback?.(...args);
  } catch (error) {
    reportUncaught(error);
  }
}

// src/wire/buffer_pool.ts
function freeBuffer({ buffer }) {
  buffer.transfer?.(0);
}

// src/wire/protocol.ts
var LF = 10;
var DEFAULT_PORT = 32100;
var DEFAULT_MAX_LINE_BYTES = 64 * 1024;
var PROTOCOL_VERSION = 1;
var LOBBY = "lobby";
var MAX_NAME_CHARACTERS = 64;
var MAX_KEY_CHARACTERS = 128;
var DEFAULT_LIMITS = {
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  windowBytes: 256 * 1024,
  maxLagMs: 5e3,
  resumeMs: 3e4,
  pingTimeoutMs: 15e3,
  maxKeys: 256,
  maxValueBytes: 16 * 1024,
  maxStateBytes: 4 * 1024 * 1024
};
var CONTROL_OPENING = '{"$';
function isControlLine(bytes, start) {
  return bytes[start] === 123 && bytes[start + 1] === 34 && bytes[start + 2] === 36;
}
function startsAt(bytes, at, part) {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}
var encoder = new TextEncoder();
function encodeControl(name, body) {
  return encoder.encode(`{"$${name}":${JSON.stringify(body)}}
`);
}
var MAX_RECEIVERS = 256;
function encodeTo(ids, json, tag = {}) {
  const fields = JSON.stringify({
    ids,
    ...tag
  });
  return encoder.encode(`{"$to":${fields.slice(0, -1)},"event":${json}}}
`);
}
function encodeSet(key, json, marks) {
  const [before, behind] = aroundValue(key, json !== void 0, marks);
  return encoder.encode(before + (json ?? "") + behind);
}
function aroundValue(key, hasValue, { isRoom, isHeld = false, from }) {
  const marks = (isRoom ? `,"room":true` : "") + (isHeld ? `,"hold":true` : "") + (from === void 0 ? "" : `,"from":${JSON.stringify(from)}`);
  return [
    `{"$set":{"key":${JSON.stringify(key)}` + (hasValue ? `,"value":` : ""),
    `${marks}}}
`
  ];
}
function nameFault(name, least) {
  return lengthFault(name, least, MAX_NAME_CHARACTERS) ?? (/\p{Cc}/u.test(name) ? "has a control character, text without any is allowed" : surrogateFault(name));
}
function keyFault(key) {
  return lengthFault(key, 1, MAX_KEY_CHARACTERS) ?? surrogateFault(key);
}
function surrogateFault(text2) {
  return /\p{Cs}/u.test(text2) ? "has half of a surrogate pair, whole characters are allowed" : void 0;
}
function lengthFault(text2, least, most) {
  if (typeof text2 !== "string") return `is ${kindOf(text2)}, a string is allowed`;
  if (text2.length >= 2 * least - 1 && text2.length <= most) return void 0;
  const characters = text2.length > 4 * most ? text2.length : Array.from(text2).length;
  if (characters >= least && characters <= most) return void 0;
  return `has ${characters} characters, ${least} to ${most} are allowed`;
}

// src/wire/line_reader.ts
var SMALL_CARRY_BYTES = 256;
var LineReader = class {
  #sink;
  #maxLineBytes;
  #carry;
  #carried = 0;
  #isSkipping = false;
  #skippedBytes = 0;
  /** @param maxLineBytes the longest line that is kept while it is incomplete, in bytes without its LF */
  constructor(sink, maxLineBytes) {
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
  }
  /** Whether a line was begun and its LF has not come yet. */
  get isMidLine() {
    return this.#carried > 0 || this.#isSkipping;
  }
  /** How much memory the half line takes, in bytes. */
  get heldBytes() {
    return this.#carry?.length ?? 0;
  }
  /**
   * Takes the next chunk and calls the sink for what it completes. The chunk may be used again afterwards.
   */
  push(chunk) {
    let start = 0;
    if (this.isMidLine) {
      const lf = chunk.indexOf(LF);
      if (lf < 0) return this.#keep(chunk);
      start = lf + 1;
      this.#keep(chunk.subarray(0, start));
      if (this.#isSkipping) this.#sink.onLongLineEnd?.(this.#skippedBytes);
      else this.#sink.onRun(this.#carry, 0, this.#carried);
      this.#clear();
    }
    if (start === chunk.length) return;
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > start) this.#sink.onRun(chunk, start, end);
    const rest = Math.max(start, end);
    if (rest < chunk.length) this.#keep(chunk.subarray(rest));
  }
  /**
   * Ends the input: what stands there without an LF counts as a line, so it goes to the sink with an LF
   * behind it. Call it only when the connection ended cleanly.
   */
  end() {
    if (this.#carried > 0) {
      this.#keep(Uint8Array.of(LF));
      if (!this.#isSkipping) this.#sink.onRun(this.#carry, 0, this.#carried);
    }
    this.#clear();
  }
  /** Adds to the half line, or finds that it is too long. `bytes` may end with the LF. */
  #keep(bytes) {
    if (this.#isSkipping) {
      this.#skippedBytes += bytes.length;
      return;
    }
    const length = this.#carried + bytes.length;
    const lineBytes = bytes[bytes.length - 1] === LF ? length - 1 : length;
    if (lineBytes > this.#maxLineBytes) {
      const beginning2 = this.#carried > 0 ? this.#fillCarry(bytes) : bytes;
      this.#carried = 0;
      this.#isSkipping = true;
      this.#skippedBytes = length;
      this.#sink.onLineTooLong(beginning2);
      this.#freeCarry();
      return;
    }
    if (this.#carry === void 0 || this.#carry.length < length) {
      const grown2 = new Uint8Array(Math.max(length, Math.min(2 * length, this.#maxLineBytes + 1), SMALL_CARRY_BYTES));
      if (this.#carry !== void 0) grown2.set(this.#carry.subarray(0, this.#carried));
      this.#freeCarry();
      this.#carry = grown2;
    }
    this.#carry.set(bytes, this.#carried);
    this.#carried = length;
  }
  /** Puts as much behind the half line as there is room for, and returns all of that. */
  #fillCarry(bytes) {
    const carry = this.#carry, some = bytes.subarray(0, carry.length - this.#carried);
    carry.set(some, this.#carried);
    return carry.subarray(0, this.#carried + some.length);
  }
  /** Forgets the line that was begun: nothing comes any more. */
  close() {
    this.#clear();
  }
  #clear() {
    this.#carried = this.#skippedBytes = 0;
    this.#isSkipping = false;
    this.#freeCarry();
  }
  /** Lets go of what the half line stands in, if that is large. */
  #freeCarry() {
    if (this.#carry === void 0 || this.#carry.length <= SMALL_CARRY_BYTES) return;
    freeBuffer(this.#carry);
    this.#carry = void 0;
  }
};

// src/wire/utf8.ts
var lossy = new TextDecoder("utf-8", {
  ignoreBOM: true
});
var strict = new TextDecoder("utf-8", {
  ignoreBOM: true,
  fatal: true
});
function decodeUtf8(bytes) {
  return lossy.decode(bytes);
}
function decodeValidUtf8(bytes) {
  return strict.decode(bytes);
}

// src/client/link/line_decoder.ts
var SHOWN_CHARACTERS = 200;
var LineDecoder = class {
  #maxUnfinishedBytes;
  #sink;
  #reader;
  /** Makes a decoder for one connection. */
  constructor(maxUnfinishedBytes2, sink) {
    this.#maxUnfinishedBytes = maxUnfinishedBytes2;
    this.#sink = sink;
    this.#reader = new LineReader({
      onRun: (bytes, start, end) => this.#decode(bytes.subarray(start, end - 1)),
      onLineTooLong: (beginning2) => this.#refuseLong(beginning2)
    }, maxUnfinishedBytes2);
  }
  /** Takes a chunk and hands on the lines that it completes. Keeps no reference to the chunk. */
  push(chunk) {
    this.#reader.push(chunk);
  }
  #decode(lines) {
    let text2;
    try {
      text2 = decodeValidUtf8(lines);
    } catch {
      return this.#decodeOneByOne(lines);
    }
    let start = 0;
    for (let end = text2.indexOf("\n"); end >= 0; end = text2.indexOf("\n", start)) {
      this.#emit(text2.slice(start, end));
      start = end + 1;
    }
    this.#emit(text2.slice(start));
  }
  /** Finds the lines that are no UTF-8 in a stretch that has one, so that the others don't suffer. */
  #decodeOneByOne(lines) {
    for (let start = 0; start <= lines.length; ) {
      const found = lines.indexOf(LF, start);
      const end = found < 0 ? lines.length : found;
      const line = lines.subarray(start, end);
      start = end + 1;
      let text2;
      try {
        text2 = decodeValidUtf8(line);
      } catch (cause) {
        const message = `Cannot read line: its ${line.length} bytes are not UTF-8, text in UTF-8 is allowed`;
        this.#sink.onInvalidLine(decodeUtf8(line), new TypeError(message, {
          cause
        }));
        continue;
      }
      this.#emit(text2);
    }
  }
  #emit(line) {
    if (line.length > 1 || line.length === 1 && line !== "\r") this.#sink.onLine(line);
  }
  #refuseLong(beginning2) {
    const shown = decodeUtf8(beginning2.subarray(0, SHOWN_CHARACTERS));
    const message = `Cannot read line: it has more than ${this.#maxUnfinishedBytes} bytes, ${this.#maxUnfinishedBytes} are allowed`;
    this.#sink.onInvalidLine(shown, new RangeError(message));
  }
};

// src/wire/concat.ts
function concat(parts) {
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

// src/client/link/queue.ts
var MIN_COMPACTION = 64;
var Queue = class {
  #items = [];
  #head = 0;
  /** The number of items in the queue. */
  get length() {
    return this.#items.length - this.#head;
  }
  /** Appends an item at the end. */
  push(item) {
    this.#items.push(item);
  }
  /** Takes the oldest item out, or returns `undefined` when the queue is empty. */
  shift() {
    const items = this.#items;
    if (this.#head === items.length) return void 0;
    const item = items[this.#head];
    items[this.#head++] = void 0;
    if (this.#head === items.length) {
      items.length = 0;
      this.#head = 0;
    } else if (this.#head >= MIN_COMPACTION && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
  /** Returns the oldest item and leaves it in the queue, or `undefined` when the queue is empty. */
  peek() {
    return this.#items[this.#head];
  }
  /** Takes everything out, oldest first. The array belongs to the caller. */
  takeAll() {
    const items = this.#items;
    const all = this.#head === 0 ? items : items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return all;
  }
  /** Puts items back in front of the oldest, in the order given. Costs O(length): for rare events. */
  putBack(items) {
    this.#items = [
      ...items,
      ...this.takeAll()
    ];
  }
};

// src/client/link/line_queue.ts
var LineQueue = class {
  #lines = new Queue();
  #bytes = 0;
  #dropped = 0;
  #droppedBytes = 0;
  /** The number of lines that wait. */
  get length() {
    return this.#lines.length;
  }
  /** The bytes of the lines that wait. */
  get bytes() {
    return this.#bytes;
  }
  /** The number of lines dropped by `push()` and `trim()`. */
  get dropped() {
    return this.#dropped;
  }
  /** The bytes of these lines. */
  get droppedBytes() {
    return this.#droppedBytes;
  }
  /**
   * Appends a line, then drops the oldest while they are over the limit: the new one, too, if it alone is
   * over it.
   */
  push(line, limitBytes) {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.trim(limitBytes);
  }
  /** Drops and counts the oldest lines until their bytes are within the limit. */
  trim(limitBytes) {
    while (this.#bytes > limitBytes) {
      const { length } = this.#lines.shift();
      this.#bytes -= length;
      this.#droppedBytes += length;
      this.#dropped++;
    }
  }
  /** Drops and counts the lines that are none to keep. */
  keepOnly(isKept) {
    const lines = this.takeAll(), kept = lines.filter(isKept);
    this.putBack(kept);
    this.#dropped += lines.length - kept.length;
    this.#droppedBytes += lines.reduce((sum, { length }) => sum + length, 0) - this.#bytes;
  }
  /**
   * Moves the oldest lines to the end of `batch` while they fit into `roomBytes`, and returns their bytes.
   * The first line goes in any case if `batch` is empty: a line longer than a batch goes alone.
   */
  moveTo(batch, roomBytes) {
    let bytes = 0;
    for (let line = this.#lines.peek(); line !== void 0; line = this.#lines.peek()) {
      if (batch.length > 0 && bytes + line.length > roomBytes) break;
      this.#lines.shift();
      batch.push(line);
      bytes += line.length;
    }
    this.#bytes -= bytes;
    return bytes;
  }
  /** Puts lines back in front of the oldest, in the order given. */
  putBack(lines) {
    this.#lines.putBack(lines);
    for (const line of lines) this.#bytes += line.length;
  }
  /** Takes everything out, oldest first. */
  takeAll() {
    this.#bytes = 0;
    return this.#lines.takeAll();
  }
};
function joinLines(lines) {
  return lines.length === 0 ? void 0 : concat(lines);
}

// src/client/plain_outbox.ts
var PlainOutbox = class {
  #waiting = new LineQueue();
  #batch = [];
  /** Lines of the batch that have gone out whole, and bytes that have gone out of the one after them. */
  #confirmedLines = 0;
  #confirmedBytes = 0;
  /** The number of lines that have not gone out whole, those of the batch under way included. */
  get length() {
    return this.#waiting.length + this.#batch.length - this.#confirmedLines;
  }
  /** Whether there is a line that has not gone out whole. */
  get hasMore() {
    return this.length > 0;
  }
  /** The bytes of the lines that wait, without the batch under way. */
  get waitingBytes() {
    return this.#waiting.bytes;
  }
  /** The number of lines dropped because they were over a limit, or by `clear()`. */
  get dropped() {
    return this.#waiting.dropped;
  }
  /** The bytes of these lines. */
  get droppedBytes() {
    return this.#waiting.droppedBytes;
  }
  /** Appends a line (with its LF), then drops the oldest that wait while they are over the limit. */
  push(line, limitBytes) {
    this.#waiting.push(line, limitBytes);
  }
  /**
   * Begins a batch of whole lines and returns its bytes, or `undefined` when nothing waits. It has at most
   * `maxBytes`, unless its first line alone is longer. The batch before must have been confirmed to its end.
   */
  nextBatch(maxBytes) {
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    this.#waiting.moveTo(this.#batch, maxBytes);
    return joinLines(this.#batch);
  }
  /** Notes that so many more bytes of the batch have gone out; returns how many lines that completed. */
  confirm(bytes) {
    const before = this.#confirmedLines;
    this.#confirmedBytes += bytes;
    while (this.#confirmedLines < this.#batch.length) {
      const line = this.#batch[this.#confirmedLines];
      if (this.#confirmedBytes < line.length) break;
      this.#confirmedBytes -= line.length;
      this.#confirmedLines++;
    }
    return this.#confirmedLines - before;
  }
  /** Puts what has not gone out whole back in front; then the limit holds, the oldest dropped first. */
  rewind(limitBytes) {
    this.#waiting.putBack(this.#batch.slice(this.#confirmedLines));
    this.#batch = [];
    this.#confirmedLines = this.#confirmedBytes = 0;
    this.#waiting.trim(limitBytes);
  }
  /** Drops and counts everything that has not gone out whole. */
  clear() {
    this.rewind(0);
  }
};

// src/client/plain.ts
var PlainSpeaker = class {
  #maxUnfinishedBytes;
  #sink;
  #decoder;
  /** What is to be written: the events. */
  source = new PlainOutbox();
  /** Makes a speaker; a received line may have `maxUnfinishedBytes` without having ended. */
  constructor(maxUnfinishedBytes2, sink) {
    this.#maxUnfinishedBytes = maxUnfinishedBytes2;
    this.#sink = sink;
    this.#decoder = new LineDecoder(maxUnfinishedBytes2, sink);
  }
  /** Says nothing. */
  open() {
    return Promise.resolve({});
  }
  /** Forgets the unfinished line of the connection before. */
  begin() {
    this.#decoder = new LineDecoder(this.#maxUnfinishedBytes, this.#sink);
  }
  /** Hands the lines on to the sink. */
  receive(bytes) {
    this.#decoder.push(bytes);
  }
  /** Can't ask: there is no answer at level 0. */
  wake() {
  }
  /** Needs nothing to be done. */
  end() {
  }
  /** Says no goodbye. */
  finish() {
  }
  /** Knows no such wish. */
  takeRetryMs() {
  }
};
function needSession(session, verb, lack = "has no session") {
  if (session !== void 0) return session;
  throw new TypeError(`Cannot ${verb}: a plain client ${lack}, connect without { plain: true }`);
}

// src/client/option_check.ts
var ALLOWED = {
  boolean: "true or false",
  function: "a function",
  signal: "an AbortSignal"
};
function checkOptions(what, options, kinds) {
  if (typeof options !== "object" || options === null || Array.isArray(options) || !isPlain(options)) {
    const shown = kindOf(options) === "an object" ? "an object of another kind" : show(options);
    throw new TypeError(`Cannot ${what}: options is ${shown}, a plain object is allowed`);
  }
  const copy = {
    ...options
  };
  for (const [name, value] of Object.entries(copy)) {
    if (!Object.hasOwn(kinds, name)) {
      const names = Object.keys(kinds);
      const like = names.find((each) => each.toLowerCase() === name.toLowerCase()) ?? names.find((each) => isNear(each, name));
      const hint = like === void 0 ? "" : ` (${like}?)`;
      throw new TypeError(`Cannot ${what}: ${show(name)} is no option${hint}, allowed is ${names.join(", ")}`);
    }
    const kind = kinds[name];
    if (value === void 0) delete copy[name];
    if (value === void 0 || kind === "any" || isOfKind(value, kind)) continue;
    throw new TypeError(`Cannot ${what}: ${name} is ${show(value)}, ${ALLOWED[kind]} is allowed`);
  }
  return copy;
}
function show(value) {
  if (typeof value === "string") return JSON.stringify(beginning(value));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}
function describeThrown(thrown) {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "it threw what has no text";
  }
}
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function isOfKind(value, kind) {
  if (kind === "boolean") return typeof value === "boolean";
  if (kind === "function") return typeof value === "function";
  const { aborted, addEventListener } = value ?? {};
  return typeof value === "object" && typeof aborted === "boolean" && typeof addEventListener === "function";
}
function isNear(a, b) {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let [aEnd, bEnd] = [
    a.length,
    b.length
  ];
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) [aEnd, bEnd] = [
    aEnd - 1,
    bEnd - 1
  ];
  const [aRest, bRest] = [
    a.slice(start, aEnd),
    b.slice(start, bEnd)
  ];
  return Math.max(aRest.length, bRest.length) <= 1 || aRest.length === 2 && aRest[0] === bRest[1] && aRest[1] === bRest[0];
}

// src/client/receivers.ts
var encoder2 = new TextEncoder();
function readReceivers(options) {
  if (idOf(options) !== void 0 && !Object.hasOwn(options, "to")) {
    throw new TypeError("Cannot send event: options is a peer or an id, { to: peer } is allowed");
  }
  const { to } = checkOptions("send event", options, {
    to: "any"
  });
  const receivers = idOf(to) === void 0 && isIterable(to) ? to : [
    to
  ];
  const ids = /* @__PURE__ */ new Set();
  for (const receiver of receivers) {
    const id = idOf(receiver);
    if (id === void 0) {
      const [shown, hint] = receiver instanceof Map ? [
        "a map",
        " (relay.peers.values()?)"
      ] : [
        show(receiver),
        ""
      ];
      throw new TypeError(`Cannot send event: to is ${shown}, peers and ids of peers are allowed${hint}`);
    }
    ids.add(id);
  }
  return [
    ...ids
  ];
}
function readPeer(verb, peer) {
  const id = idOf(peer);
  if (id !== void 0) return id;
  throw new TypeError(`Cannot ${verb}: peer is ${show(peer)}, a peer or its id is allowed`);
}
function idOf(addressee) {
  const id = typeof addressee === "object" && addressee !== null ? addressee.id : addressee;
  return typeof id === "string" ? id : void 0;
}
function isIterable(value) {
  return typeof value === "object" && value !== null && !(value instanceof Map) && typeof value[Symbol.iterator] === "function";
}
function encodeLetters(verb, text2, ids, maxLineBytes, tag) {
  const lines = [];
  const bareBytes = encodeTo([], text2, tag).length - 1;
  for (let at = 0; at < ids.length; ) {
    let end = at, bytes = bareBytes;
    while (end < ids.length && end - at < MAX_RECEIVERS) {
      const idBytes = encoder2.encode(JSON.stringify(ids[end])).length + (end > at ? 1 : 0);
      if (end > at && bytes + idBytes > maxLineBytes) break;
      bytes += idBytes;
      end++;
    }
    if (bytes > maxLineBytes) {
      throw new RangeError(`Cannot ${verb}: with an id it has ${bytes} bytes, maxLineBytes is ${maxLineBytes}`);
    }
    lines.push(encodeTo(ids.slice(at, end), text2, tag));
    at = end;
  }
  return lines;
}

// src/client/host_role.ts
var encoder3 = new TextEncoder();
var HostRole = class {
  #session;
  #outgoing;
  /** Whether the page is hidden, and whether this member has passed the host on for that. */
  #isHidden = false;
  #hasPassed = false;
  #isClosed = false;
  /** Makes it, in a page that can be seen. */
  constructor(session, outgoing) {
    this.#session = session;
    this.#outgoing = outgoing;
  }
  /** Makes another member the host, see {@linkcode Relay.passHost}. */
  pass(peer) {
    const session = needSession(this.#session, "pass the host on");
    const id = peer === void 0 ? void 0 : readPeer("pass the host on", peer);
    if (!session.isHost || this.#isClosed) return;
    this.#outgoing.sendControl(encoder3.encode(`{"$host":${JSON.stringify({
      id
    })}}
`));
  }
  /** Notes that the page is hidden: from now on it may be slow, or stand still. */
  noteHidden() {
    this.#isHidden = true;
    this.noteHost();
  }
  /** Notes that the page can be seen. */
  noteShown() {
    this.#isHidden = this.#hasPassed = false;
  }
  /**
   * Notes that somebody became the host: a hidden page passes it on, but once, where all are one has to be
   * it.
   */
  noteHost() {
    if (!this.#isHidden || this.#hasPassed || this.#session?.isHost !== true) return;
    this.#hasPassed = true;
    this.pass();
  }
  /** Passes nothing on from now on. */
  close() {
    this.#isClosed = true;
  }
};

// src/client/drain_watch.ts
var SUSPICIOUS_CALLS = 10;
var SUSPICIOUS_MS = 1e3;
var DrainWatch = class {
  #calls = 0;
  #firstAtMs = 0;
  #cancel;
  #isOver = false;
  #now;
  /** @param now tells the time in ms; never goes back */
  constructor(now2 = () => performance.now()) {
    this.#now = now2;
  }
  /**
   * Notes a call, and returns true, once, when the turn has lasted suspiciously long and has seen many calls.
   */
  noteCall() {
    if (this.#isOver) return false;
    this.#calls++;
    if (this.#cancel === void 0) {
      this.#firstAtMs = this.#now();
      this.#cancel = afterThisTurn(() => {
        this.#cancel = void 0;
        this.#calls = 0;
      });
      return false;
    }
    if (this.#calls < SUSPICIOUS_CALLS || this.#now() - this.#firstAtMs < SUSPICIOUS_MS) return false;
    this.stop();
    return true;
  }
  /** Ends the watch and what it waits for. */
  stop() {
    this.#isOver = true;
    this.#cancel?.();
  }
};

// src/client/frames.ts
var now = () => performance.now();
var FrameSchedule = class {
  #periodMs;
  #dueMs;
  #lastMs;
  /** Makes a schedule whose first frame is due one period after `nowMs`. */
  constructor(hz, nowMs) {
    this.#periodMs = periodMs(hz);
    this.#dueMs = nowMs + this.#periodMs;
    this.#lastMs = nowMs;
  }
  /** Returns how long to wait for the next frame, 0 when it is due. */
  waitMs(nowMs) {
    return Math.max(0, this.#dueMs - nowMs);
  }
  /** Begins a frame: returns the seconds since the one before. What was missed is not made up for. */
  begin(nowMs) {
    const seconds = (nowMs - this.#lastMs) / 1e3;
    this.#lastMs = nowMs;
    const isLate = nowMs - this.#dueMs >= this.#periodMs;
    this.#dueMs = (isLate ? nowMs : this.#dueMs) + this.#periodMs;
    return seconds;
  }
};
function frames(hz, options = {}) {
  const schedule = new FrameSchedule(hz, now());
  return tick(schedule, checkOptions("tick", options, {
    signal: "signal"
  }).signal);
}
async function* tick(schedule, signal) {
  while (!signal?.aborted) {
    await waitUntilDue(schedule, signal);
    if (signal?.aborted) return;
    yield schedule.begin(now());
  }
}
function animationFrames(options = {}) {
  const { signal } = checkOptions("tick", options, {
    signal: "signal"
  });
  const { requestAnimationFrame, cancelAnimationFrame } = globalThis;
  if (requestAnimationFrame === void 0 || cancelAnimationFrame === void 0) {
    throw new TypeError("Cannot tick: no frames are shown here as in a page, frames(60) is allowed everywhere");
  }
  const nextFrame = (signal2) => new Promise((resolve) => {
    const id = requestAnimationFrame(end);
    signal2?.addEventListener("abort", end);
    function end() {
      cancelAnimationFrame(id);
      signal2?.removeEventListener("abort", end);
      resolve();
    }
  });
  return tickShown(nextFrame, now(), signal);
}
async function* tickShown(nextFrame, lastMs, signal) {
  while (!signal?.aborted) {
    await nextFrame(signal);
    if (signal?.aborted) return;
    const nowMs = now();
    const seconds = (nowMs - lastMs) / 1e3;
    lastMs = nowMs;
    yield seconds;
  }
}
async function waitUntilDue(schedule, signal) {
  for (let ms = Infinity; ms > MAX_TIMER_MS && !signal?.aborted; ) {
    ms = schedule.waitMs(now());
    await wait(Math.min(ms, MAX_TIMER_MS), signal);
  }
}
function wait(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    function end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
}
function rateLimit(hz, clock = now) {
  const period = periodMs(hz);
  if (typeof clock !== "function") {
    throw new TypeError(`Cannot keep a rate: clock is ${kindOf(clock)}, a function is allowed`);
  }
  let dueMs = -Infinity;
  return function isTime2() {
    const nowMs = clock();
    if (nowMs < dueMs) return false;
    const isAfterPause = nowMs - dueMs >= period;
    dueMs = isAfterPause ? nowMs + period : Math.max(dueMs + period, nowMs + period / 2);
    return true;
  };
}
function periodMs(hz) {
  if (typeof hz !== "number") {
    throw new TypeError(`Cannot keep a rate: hz is ${kindOf(hz)}, a number is allowed`);
  }
  if (!(hz > 0 && hz < Infinity)) {
    throw new RangeError(`Cannot keep a rate: hz is ${hz}, a finite number above 0 is allowed`);
  }
  return 1e3 / hz;
}

// src/client/inbox.ts
var DONE = Object.freeze({
  done: true,
  value: void 0
});
var Inbox = class {
  #limits;
  #events = new Queue();
  #origins = new Queue();
  #sizes = new Queue();
  #waiters = new Queue();
  #size = 0;
  #dropped = 0;
  /**
   * How many more events may wait than `maxEvents`: those that a resume brought at once, until somebody takes
   * them.
   */
  #extra = 0;
  #isClosed = false;
  /** Makes an empty inbox. */
  constructor(limits) {
    this.#limits = limits;
  }
  /** The number of events that wait. */
  get length() {
    return this.#events.length;
  }
  /** The number of events that went out unread because a limit was reached. */
  get dropped() {
    return this.#dropped;
  }
  /**
   * Adds an event, or hands it to the iterator that has waited longest. Does nothing after `close()`. One
   * that `isExtra` does not count towards the most events that wait, only towards their size. Returns the
   * sizes of what it pushed out, with their number.
   */
  push(event, size, isExtra = false, origin = void 0) {
    if (this.#isClosed) return;
    const waiter = this.#waiters.shift();
    if (waiter !== void 0) {
      waiter({
        event,
        origin
      });
      return;
    }
    if (isExtra) this.#extra++;
    this.#events.push(event);
    this.#origins.push(origin);
    this.#sizes.push(size);
    this.#size += size;
    const { maxEvents, maxSize } = this.#limits;
    const before = {
      events: this.#events.length,
      size: this.#size
    };
    while (this.#events.length > maxEvents + this.#extra || this.#size > maxSize && this.#events.length > 1) {
      this.#take();
      this.#dropped++;
    }
    const events = before.events - this.#events.length;
    return events === 0 ? void 0 : {
      events,
      size: before.size - this.#size
    };
  }
  /** Takes all events that wait, oldest first; the array belongs to the caller. Costs nothing per event. */
  takeAll() {
    this.#origins.takeAll();
    return this.#takeEvents();
  }
  /** Takes all events as {@linkcode takeAll} does, each as `make` gives it. */
  takeAllAs(make) {
    const origins = this.#origins.takeAll();
    return this.#takeEvents().map((event, i) => make(event, origins[i]));
  }
  #takeEvents() {
    this.#sizes.takeAll();
    this.#size = this.#extra = 0;
    return this.#events.takeAll();
  }
  /**
   * Returns an iterator over the events from now on, those that wait included, each as `make` gives it. It
   * ends after `close()`, once the inbox is empty. Ending it early (`break`) loses nothing: it takes an event
   * only when asked for the next one.
   */
  iterate(make) {
    const own = /* @__PURE__ */ new Set();
    let isOver = false;
    const iterator = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => {
        if (!isOver && this.length > 0) {
          if (this.#extra > 0) this.#extra--;
          const origin = this.#origins.peek();
          return Promise.resolve({
            done: false,
            value: make(this.#take(), origin)
          });
        }
        if (isOver || this.#isClosed) return Promise.resolve(DONE);
        return new Promise((resolve) => {
          const waiter = (next) => {
            own.delete(waiter);
            resolve(next === void 0 ? DONE : {
              done: false,
              value: make(next.event, next.origin)
            });
          };
          own.add(waiter);
          this.#waiters.push(waiter);
        });
      },
      return: () => {
        isOver = true;
        this.#waiters.putBack(this.#waiters.takeAll().filter((waiter) => !own.has(waiter)));
        for (const waiter of own) waiter(void 0);
        return Promise.resolve(DONE);
      }
    };
    return iterator;
  }
  /** Lets nothing more in and ends the iterators that wait. What is left can still be taken. */
  close() {
    this.#isClosed = true;
    for (const waiter of this.#waiters.takeAll()) waiter(void 0);
  }
  #take() {
    this.#size -= this.#sizes.shift();
    this.#origins.shift();
    return this.#events.shift();
  }
};

// src/client/session/relay_control.ts
var ERROR_OPENING = `{"$error":`;
function readErrorLine(line) {
  if (!line.startsWith(ERROR_OPENING)) return void 0;
  const control = readControlLine(line);
  return control && readError(control.body);
}
function readControlLine(line) {
  if (!line.startsWith(CONTROL_OPENING)) return void 0;
  let parsed;
  try {
    parsed = JSON.parse(line);
  } catch {
    return void 0;
  }
  const [[name, body], ...more] = Object.entries(parsed);
  if (more.length > 0 || !isRecord(body)) return void 0;
  return {
    name: name.slice(1),
    body
  };
}
var FROM_START = `{"$from":{"id":"`;
var FROM_END = `"}}`;
function readPlainFrom(line) {
  if (!line.startsWith(FROM_START)) return void 0;
  const end = line.indexOf('"', FROM_START.length);
  if (end + FROM_END.length !== line.length || !line.endsWith(FROM_END)) return void 0;
  const id = line.slice(FROM_START.length, end);
  return id.includes("\\") ? void 0 : id;
}
function readError(body) {
  const { code, message, line, ids, key, room } = body;
  if (typeof code !== "string" || typeof message !== "string") return void 0;
  const error = {
    code,
    message
  };
  if (typeof line === "number") error.line = line;
  if (Array.isArray(ids) && ids.every((id) => typeof id === "string")) error.ids = ids;
  if (typeof key === "string") {
    error.key = key;
    error.room = room === true;
  }
  return error;
}
function readCount(value) {
  return isCount(value) ? value : 0;
}
var MAX_TIME_MS = 864e13;
function isTime(value) {
  return typeof value === "number" && Math.abs(value) <= MAX_TIME_MS;
}

// src/client/standard_schema.ts
var SchemaError = class extends TypeError {
  constructor(answer) {
    super(`Cannot check events: the schema answers with ${answer}`);
    this.name = "TypeError";
  }
};
function eventChecker(schema) {
  const standard = schema?.["~standard"];
  if (typeof standard?.validate !== "function") {
    throw new TypeError(`Cannot check events: the schema has no "~standard".validate, a Standard Schema is allowed`);
  }
  function check(value) {
    const result = standard.validate(value);
    if (typeof result === "object" && result !== null && "then" in result) {
      Promise.resolve(result).catch(() => {
      });
      throw new SchemaError("a promise, it has to answer at once");
    }
    if (!isResult(result)) {
      throw new SchemaError(`${show(result)}, { value } or { issues: [\u2026] } is allowed`);
    }
    if (result.issues === void 0) return result.value;
    throw new TypeError(`Cannot accept event: ${describe(result.issues)}`, {
      cause: result.issues
    });
  }
  try {
    check(void 0);
  } catch (error) {
    if (error instanceof SchemaError) throw error;
  }
  return check;
}
function isResult(result) {
  if (typeof result !== "object" || result === null) return false;
  const { issues } = result;
  return issues === void 0 ? "value" in result : Array.isArray(issues);
}
function describe(issues) {
  if (issues.length === 0) return "the schema refuses it";
  const { message, path = [] } = issues[0];
  const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return `${where === "" ? "" : `${where}: `}${message}${more}`;
}

// src/client/incoming.ts
var MAX_INBOX_CHARACTERS = 32 * 1024 * 1024;
var EVENT_COST = 32;
var Incoming = class {
  #options;
  #losses;
  #beforeTaking;
  #inbox;
  #check;
  #drainWatch = new DrainWatch();
  #mayWarn = rateLimit(1);
  /** The origin of what a plain client receives in this turn. */
  #plainOrigin;
  #isClosed = false;
  /** The events that came, the lines that are none, and the complaints of the relay. */
  received = 0;
  invalid = 0;
  errors = 0;
  /**
   * Makes an empty inbox for so many events.
   *
   * @param beforeTaking is called whenever the program begins to take events
   * @throws {TypeError} when the schema is none
   */
  constructor(options, inboxLimit, losses, beforeTaking) {
    this.#options = options;
    this.#losses = losses;
    this.#beforeTaking = beforeTaking;
    this.#check = options.schema === void 0 ? void 0 : eventChecker(options.schema);
    this.#inbox = new Inbox({
      maxEvents: inboxLimit,
      maxSize: MAX_INBOX_CHARACTERS
    });
  }
  /** The events that were pushed out of the inbox. */
  get dropped() {
    return this.#inbox.dropped;
  }
  /** Takes an event as a line; `isRepair` where a break had held it back. */
  takeEvent(line, isRepair, origin) {
    if (this.#isClosed) return;
    let event;
    try {
      const value = JSON.parse(line);
      event = this.#check === void 0 ? value : this.#check(value);
    } catch (error) {
      return this.takeInvalid(line, error instanceof Error ? error : new TypeError(describeThrown(error)));
    }
    this.received++;
    const out = this.#inbox.push(event, line.length + EVENT_COST, isRepair, origin);
    if (out !== void 0) this.#losses.note("inbox", out.events, out.size - out.events * EVENT_COST);
  }
  /** Takes a line as a plain client gets it: an event, or the relay's complaint. */
  takePlainLine(line) {
    if (this.#isClosed) return;
    const error = readErrorLine(line);
    if (error !== void 0) return this.takeError(error);
    if (this.#plainOrigin === void 0) {
      this.#plainOrigin = {
        from: void 0,
        time: performance.timeOrigin + performance.now(),
        fromHost: false
      };
      queueMicrotask(() => this.#plainOrigin = void 0);
    }
    this.takeEvent(line, false, this.#plainOrigin);
  }
  /** Takes what can be shown of a line that is no event. */
  takeInvalid(line, error) {
    if (this.#isClosed) return;
    this.invalid++;
    callNow(this.#options.onInvalid, line, error);
  }
  /** Takes a complaint of the relay: told, or else a warning, one a second at most. */
  takeError(error) {
    if (this.#isClosed) return;
    this.errors++;
    if (this.#options.onError !== void 0) return callNow(this.#options.onError, error);
    if (!this.#mayWarn()) return;
    console.warn(`eventrelay: the relay reports ${printable(`${error.code}: ${error.message}`)}`);
  }
  /** Gives all events that wait, oldest first. */
  drain() {
    this.#watchLoop("drain");
    this.#beforeTaking();
    return this.#inbox.takeAll();
  }
  /** Does the same, each as `make` gives it. */
  messages(make) {
    this.#watchLoop("messages");
    this.#beforeTaking();
    return this.#inbox.takeAllAs(make);
  }
  /**
   * Gives one event after the other, each as `make` gives it; ends after `close()`, once there is nothing
   * left.
   */
  iterate(make) {
    this.#beforeTaking();
    return this.#inbox.iterate(make);
  }
  /** Takes nothing from now on. */
  close() {
    this.#isClosed = true;
    this.#drainWatch.stop();
    this.#inbox.close();
  }
  #watchLoop(call) {
    if (!this.#drainWatch.noteCall()) return;
    console.warn(`eventrelay: ${call}() is called in a loop that never awaits, so the network never gets to run and nothing can arrive. Tick the loop with: for await (const seconds of frames(30)) { \u2026 }`);
  }
};

// src/client/link/backoff.ts
var FIRST_RETRY_MS = 250;
var MAX_RETRY_MS = 5e3;
var Backoff = class {
  #boundMs = FIRST_RETRY_MS;
  /** Returns the milliseconds to wait now; `random` is at least 0 and less than 1. */
  nextDelayMs(random = Math.random()) {
    const delayMs = random * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, MAX_RETRY_MS);
    return delayMs;
  }
  /** Notes that a connection ended after so long. */
  noteConnection(lastedMs) {
    if (lastedMs >= MAX_RETRY_MS) this.#boundMs = FIRST_RETRY_MS;
  }
};

// src/client/link/countdown.ts
var PARTS = 4;
var Countdown = class {
  #callback;
  #timer;
  /** Begins to count; `ms` is 0 to Infinity, which is never. */
  constructor(ms, callback) {
    this.#callback = callback;
    if (ms < Infinity) this.#wait(ms, Math.min(ms / PARTS || ms, MAX_TIMER_MS));
  }
  /** Ends it; it calls back no more. */
  stop() {
    clearTimeout(this.#timer);
  }
  #wait(leftMs, partMs) {
    this.#timer = setTimeout(() => {
      if (leftMs > partMs) this.#wait(leftMs - partMs, Math.min(leftMs - partMs, partMs));
      else this.#callback();
    }, partMs);
  }
};

// src/client/link/connect_error.ts
var TEMPORARY_CODES = [
  "relay_full",
  "too_many_rooms"
];
var RefusedError = class extends Error {
  /** The relay's code for it. */
  code;
  /** Whether another attempt may succeed. */
  isTemporary;
  /** Makes an error of an `$error`; what comes from outside is made fit for a terminal. */
  constructor(code, message) {
    super(printable(message));
    this.name = "RefusedError";
    this.code = printable(code);
    this.isTemporary = TEMPORARY_CODES.includes(code);
  }
};
var ImpossibleError = class extends Error {
  /** Makes an error. */
  constructor(message, options) {
    super(message, options);
    this.name = "ImpossibleError";
  }
};
var UntoldError = class extends Error {
  /** Makes an error. */
  constructor(message) {
    super(message);
    this.name = "UntoldError";
  }
};
function connectError({ label }, cause) {
  return new Error(`Cannot connect to ${label}: ${reason(label, cause)}`, {
    cause
  });
}
function isPermissionError(error) {
  return error instanceof Error && (error.name === "NotCapable" || error.name === "PermissionDenied");
}
function isHopeless(error) {
  return error instanceof ImpossibleError || isPermissionError(error) || error instanceof Error && certificateReason(error) !== void 0;
}
function certificateReason(error) {
  if (error instanceof UntoldError || error instanceof RefusedError) return void 0;
  const code = codeOf(error);
  const what = `${code} ${error.message}`;
  if (!/certificate|corrupt message|_CERT|CERT_|ERR_SSL|EPROTO|WRONG_VERSION_NUMBER/i.test(what)) {
    return void 0;
  }
  if (/expired/i.test(what)) return "its certificate has expired, the relay needs a new one";
  if (/not_?\s?valid_?\s?yet|NOT_YET_VALID/i.test(what)) {
    return "its certificate is not valid yet, is the clock of this machine right";
  }
  if (/UnknownIssuer|SELF_SIGNED|UNABLE_TO_|self.signed|unable to (get|verify)/i.test(what)) {
    return "its certificate is signed by nobody that is trusted here, name whom to trust: { tls: { caCerts: [pem] } }, the text of a PEM file, not its name";
  }
  if (/NotValidForName|not valid for name|ALTNAME/i.test(what)) return "its certificate is for another host";
  if (/InvalidContentType|corrupt message|ERR_SSL|EPROTO|WRONG_VERSION_NUMBER/i.test(what)) {
    return "it does not speak TLS there, leave out tls";
  }
  return `its certificate is not good, ${error.message}`;
}
function codeOf(error) {
  const { code } = error;
  return typeof code === "string" ? code : "";
}
function reason(label, cause) {
  if (!(cause instanceof Error)) return String(cause);
  if (isPermissionError(cause)) {
    const flag = /access to .*--allow-(?!net)([a-z]+) flag/s.exec(cause.message)?.[1];
    return `this program may not, run it with --allow-${flag ?? `net=${label}`}`;
  }
  if (cause instanceof ImpossibleError) return cause.message;
  const code = codeOf(cause);
  if (cause.name === "ConnectionRefused" || code === "ECONNREFUSED") {
    return "connection refused, is the relay running there";
  }
  if (cause.name === "TimedOut" || code === "ETIMEDOUT") return "no answer, is the host up and the port open";
  if (cause.name === "TimeoutError") return `${cause.message}, is the host up and the port open`;
  const certificate = certificateReason(cause);
  if (certificate !== void 0) return certificate;
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return "no way leads to the host, is it up and is this machine on its network";
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || /lookup address|host is known|name or service|nodename|dns error/i.test(cause.message)) {
    return "no such host, is its name spelled right";
  }
  if (/before its TLS handshake did|tls handshake eof|before secure TLS/i.test(cause.message)) {
    return "it ended the connection instead of speaking TLS, leave out tls (ws:// for wss://) if it doesn't";
  }
  if (/failed to connect to WebSocket: tcp connect error/.test(cause.message)) {
    return "no connection, is the relay running there";
  }
  return refusedHandshake(cause.message) ?? cause.message;
}
function refusedHandshake(message) {
  const status = /status code:? ([1-5][0-9]{2})\b/i.exec(message)?.[1];
  if (status === void 0) return void 0;
  return status === "403" ? "the relay refused it (403), its log says why, and which flag would allow it" : `it answered with the HTTP status ${status}, is that a relay that knows WebSockets`;
}

// src/client/link/writer.ts
var WRITE_BATCH_BYTES = 64 * 1024;
var STUCK_MS = 1e3;
var WRITE_DEADLINE_MS = 3e4;
var Writer = class {
  #transport;
  #source;
  #sink;
  #deadlineMs;
  #writing;
  #startedAtMs;
  #deadline;
  /** Since when the source has had lines that it may not give out. */
  #heldBackSinceMs;
  /** Prevents the flush after this turn, if one is due. */
  #cancelFlush;
  #isStopped = false;
  /** Makes a writer that waits for `flush()`. A write that takes nothing for `deadlineMs` is an error. */
  constructor(transport, source, sink, deadlineMs = WRITE_DEADLINE_MS) {
    this.#transport = transport;
    this.#source = source;
    this.#sink = sink;
    this.#deadlineMs = deadlineMs;
  }
  /** Whether the connection has taken nothing for a while, although there is something to write. */
  get isStuck() {
    const sinceMs = this.#startedAtMs ?? this.#heldBackSinceMs;
    return sinceMs !== void 0 && performance.now() - sinceMs > STUCK_MS;
  }
  /** Has what waits written after this turn of the event loop, all that the turn brings together. */
  flush() {
    if (this.#isStopped) return;
    this.#cancelFlush ??= afterThisTurn(() => {
      this.#cancelFlush = void 0;
      this.#write();
    });
  }
  /** Writes all that the source has; resolves then, or when the connection takes nothing more. */
  async finish() {
    this.#cancelFlush?.();
    this.#cancelFlush = void 0;
    while (!this.#isStopped && this.#source.hasMore) {
      await this.#write();
      if (this.#heldBackSinceMs !== void 0) return;
    }
  }
  /** Ends it. A write under way may never settle on a connection that is stuck: nobody waits for it. */
  stop() {
    this.#isStopped = true;
    this.#startedAtMs = this.#heldBackSinceMs = void 0;
    clearTimeout(this.#deadline);
    this.#cancelFlush?.();
  }
  /** Starts to write, or returns what is under way. Never rejects. */
  #write() {
    return this.#writing ??= this.#writeAll().finally(() => this.#writing = void 0);
  }
  async #writeAll() {
    try {
      while (!this.#isStopped) {
        let bytes = this.#source.nextBatch(WRITE_BATCH_BYTES);
        if (bytes === void 0) {
          this.#heldBackSinceMs = this.#source.hasMore ? this.#heldBackSinceMs ?? performance.now() : void 0;
          return;
        }
        this.#heldBackSinceMs = void 0;
        while (bytes.length > 0) {
          const written = await this.#writeSome(bytes);
          if (this.#isStopped) return;
          this.#sink.onWritten(written, this.#source.confirm(written));
          bytes = bytes.subarray(written);
        }
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.stop();
      this.#sink.onError(error);
    }
  }
  async #writeSome(bytes) {
    this.#startedAtMs = performance.now();
    this.#deadline = setTimeout(() => {
      this.stop();
      this.#sink.onError(new Error(`it took nothing for ${this.#deadlineMs / 1e3} s`));
    }, this.#deadlineMs);
    try {
      return await this.#transport.write(bytes);
    } finally {
      clearTimeout(this.#deadline);
      this.#startedAtMs = void 0;
    }
  }
};

// src/client/link/link.ts
var CONNECT_TIMEOUT_MS = 1e4;
var CLOSE_TIMEOUT_MS = 1e3;
var WOKEN_MS = 5e3;
var LAST_WORDS_MS = 250;
var LINE_COST_BYTES = 64;
var Link = class {
  #options;
  #source;
  #backoff = new Backoff();
  #stop = new AbortController();
  #status = "connecting";
  #transport;
  #running;
  #closed;
  /** The writer of the connection in use. */
  #writer;
  /** What may wait while there is no connection; while the one in use takes nothing. */
  #awayLimitBytes;
  #stuckLimitBytes;
  /** Ends the wait for the next attempt, if that is what it does. */
  #sleep = new Sleep();
  /** When `wake()` was called, unless an attempt to connect began since. */
  #wokenAtMs = -Infinity;
  /** What opening the last connection brought. */
  #opened = {};
  /** The lines that went out whole. */
  sentLines = 0;
  /** The bytes that went out, also those that had to be sent again. */
  sentBytes = 0;
  /** The bytes that came in. */
  receivedBytes = 0;
  /** The connections after the first. */
  reconnects = 0;
  /** Makes a link that does nothing before `open()`. */
  constructor(options) {
    this.#options = options;
    this.#source = options.speaker.source;
    this.#awayLimitBytes = options.offlineBytes;
  }
  /** What the link is doing. */
  get status() {
    return this.#status;
  }
  /** The lines that have not gone out whole yet. */
  get waitingLines() {
    return this.#source.length;
  }
  /** The lines that were given to `send()` and dropped. */
  get droppedLines() {
    return this.#source.dropped;
  }
  /** The bytes of these lines. */
  get droppedBytes() {
    return this.#source.droppedBytes;
  }
  /**
   * Connects for the first time; resolves when there is a connection.
   *
   * @throws {Error} when that fails, unless `retry` is set, then it goes on until `close()`; where trying
   * again can't help it fails in any case
   */
  async open(retry) {
    this.#setStatus("connecting", {
      attempt: 1,
      retryInMs: 0
    });
    let transport;
    try {
      transport = await this.#connect();
    } catch (error) {
      if (!retry || this.#stop.signal.aborted || isFinal(error.cause)) {
        if (!this.#stop.signal.aborted) this.#setStatus("closed", {
          error
        });
        throw error;
      }
      transport = await this.#keepConnecting("connecting", error, 2, isFinal);
    }
    this.#running = this.#run(transport);
  }
  /**
   * Takes a line with its LF. Never blocks; drops the oldest lines that wait when too many do, or all when
   * closed.
   */
  send(line) {
    this.#source.push(line, this.#limitBytes());
    this.flush();
  }
  /** Has what waits written after this turn of the event loop, if there is a connection. */
  flush() {
    if (!this.#stop.signal.aborted) this.#writer?.flush();
  }
  /**
   * Takes it that the program, its network or its machine was away and is back: tries at once to connect, or
   * looks whether the connection still stands.
   */
  wake() {
    this.#wokenAtMs = performance.now();
    if (this.#transport !== void 0) return this.#options.speaker.wake();
    this.#sleep.end();
  }
  /**
   * Writes out what waits, ends the connection and waits for the relay's end of it, {@linkcode
   * CLOSE_TIMEOUT_MS} at most. What didn't go out is dropped and counted. A pending `open()` rejects with
   * `reason`. Never rejects; the second call waits for the first.
   */
  close(reason2 = new DOMException("The relay object was closed", "AbortError")) {
    return this.#closed ??= this.#shutDown(reason2);
  }
  async #shutDown(reason2) {
    this.#stop.abort(reason2);
    const transport = this.#transport;
    if (transport !== void 0) {
      const { promise: deadline, resolve } = Promise.withResolvers();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      await Promise.race([
        this.#sayGoodbye(transport),
        deadline
      ]);
      clearTimeout(timer);
      transport.close();
    }
    await this.#running;
    this.#source.clear();
    if (this.#status !== "closed") this.#setStatus("closed", {});
  }
  /**
   * Closing with received bytes unread would reset the connection and could destroy what was just sent: reads
   * on.
   */
  async #sayGoodbye(transport) {
    this.#options.speaker.finish();
    try {
      await this.#writer?.finish();
      if (this.#transport === transport) await transport.endWriting();
      await this.#running;
    } catch {
    }
  }
  async #run(transport) {
    for (; ; ) {
      const error = await this.#serve(transport);
      if (this.#stop.signal.aborted) return;
      try {
        transport = await this.#keepConnecting("reconnecting", error, 1);
      } catch {
        return;
      }
      this.reconnects++;
    }
  }
  /** Reads one connection to its end; returns why it ended. */
  async #serve(transport) {
    const { address: address2, speaker } = this.#options, startedAtMs = performance.now();
    if (this.#stop.signal.aborted) transport.close();
    let cause, lastWords;
    const fail = (error) => {
      if (this.#transport !== transport) return;
      cause ??= error;
      transport.close();
    };
    const writer = new Writer(transport, this.#source, {
      onWritten: (bytes, lines) => {
        this.sentBytes += bytes;
        this.sentLines += lines;
      },
      onError: (error) => {
        cause ??= error;
        lastWords = new Countdown(LAST_WORDS_MS, () => fail(error));
      }
    });
    this.#transport = transport;
    this.#writer = writer;
    speaker.begin({
      flush: () => this.flush(),
      fail
    });
    this.#setStatus("connected", this.#opened);
    if (this.#source.hasMore) this.flush();
    try {
      for (let bytes = await this.#read(transport); bytes !== null; bytes = await this.#read(transport)) {
        speaker.receive(bytes);
      }
    } catch (error) {
      cause ??= error;
    }
    lastWords?.stop();
    writer.stop();
    this.#transport = this.#writer = this.#stuckLimitBytes = void 0;
    transport.close();
    speaker.end();
    this.#source.rewind(Infinity);
    this.#awayLimitBytes = this.#besideWaitingBytes();
    this.#backoff.noteConnection(performance.now() - startedAtMs);
    return lostError(address2, cause);
  }
  /**
   * Tries until there is a connection. Rejects only when the link is closed, or with an error that `isFinal`.
   */
  async #keepConnecting(status, error, attempt, isFinal2 = () => false) {
    for (; ; attempt++) {
      const isWoken = performance.now() - this.#wokenAtMs < WOKEN_MS;
      const askedMs = this.#options.speaker.takeRetryMs() ?? 0;
      const retryInMs = (isWoken ? 0 : this.#backoff.nextDelayMs()) + askedMs;
      this.#setStatus(status, {
        error,
        attempt,
        retryInMs
      });
      await this.#sleep.wait(retryInMs, this.#stop.signal);
      this.#wokenAtMs = -Infinity;
      try {
        return await this.#connect();
      } catch (failure) {
        if (this.#stop.signal.aborted) throw failure;
        error = failure;
        if (!isFinal2(error.cause)) continue;
        this.#setStatus("closed", {
          error
        });
        throw error;
      }
    }
  }
  /** Makes one attempt: a connection, and what the speaker has to say first. */
  async #connect() {
    const { address: address2, speaker } = this.#options;
    const stopped = this.#stop.signal;
    const beganAtMs = performance.now();
    const transport = await this.#openTransport();
    const abort = () => transport.close();
    stopped.addEventListener("abort", abort);
    const pipe = {
      ageMs: () => performance.now() - beganAtMs,
      read: () => this.#read(transport),
      write: async (bytes) => {
        for (let rest = bytes; rest.length > 0; ) {
          const written = await transport.write(rest);
          this.sentBytes += written;
          rest = rest.subarray(written);
        }
      }
    };
    try {
      stopped.throwIfAborted();
      this.#opened = await speaker.open(pipe);
      stopped.throwIfAborted();
      return transport;
    } catch (cause) {
      transport.close();
      if (stopped.aborted) throw stopped.reason;
      throw connectError(address2, cause);
    } finally {
      stopped.removeEventListener("abort", abort);
    }
  }
  /**
   * Opens a connection. That ends at its deadline and at `close()` also where looking up a name can't be
   * cancelled.
   */
  async #openTransport() {
    const { address: address2, openTransport, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const stopped = this.#stop.signal;
    stopped.throwIfAborted();
    const attempt = new AbortController();
    const abort = () => attempt.abort(stopped.reason);
    const countdown = new Countdown(connectTimeoutMs, () => {
      attempt.abort(new DOMException(`no answer within ${connectTimeoutMs / 1e3} s`, "TimeoutError"));
    });
    stopped.addEventListener("abort", abort);
    const aborted = new Promise((_, reject) => {
      attempt.signal.addEventListener("abort", () => reject(attempt.signal.reason));
    });
    const opening = openTransport(address2, attempt.signal);
    try {
      return await Promise.race([
        opening,
        aborted
      ]);
    } catch (cause) {
      opening.then((late) => late.close(), () => {
      });
      if (stopped.aborted) throw stopped.reason;
      throw connectError(address2, cause);
    } finally {
      countdown.stop();
      stopped.removeEventListener("abort", abort);
    }
  }
  async #read(transport) {
    const bytes = await transport.read();
    this.receivedBytes += bytes?.length ?? 0;
    return bytes;
  }
  /** How many bytes may wait beside the batch under way. */
  #limitBytes() {
    if (this.#stop.signal.aborted) return 0;
    if (this.#writer === void 0) return this.#awayLimitBytes;
    const { offlineBytes, maxQueuedBytes } = this.#options;
    if (this.#writer.isStuck) return this.#stuckLimitBytes ??= this.#besideWaitingBytes();
    this.#stuckLimitBytes = void 0;
    return Math.max(offlineBytes, maxQueuedBytes - LINE_COST_BYTES * this.#source.length);
  }
  /** What may wait if what waits now is kept; it can't grow with each connection that breaks. */
  #besideWaitingBytes() {
    const { offlineBytes, maxQueuedBytes } = this.#options;
    return Math.min(this.#source.waitingBytes, maxQueuedBytes) + offlineBytes;
  }
  #setStatus(status, detail) {
    this.#status = status;
    this.#options.onStatus(status, detail);
  }
};
function isFinal(cause) {
  return isHopeless(cause) || cause instanceof RefusedError && !cause.isTemporary;
}
function lostError({ label }, cause) {
  if (cause === void 0) return new Error(`Lost the connection to ${label}: the relay closed it`);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Lost the connection to ${label}: ${why}`, {
    cause
  });
}
var Sleep = class {
  /** Ends the wait that is under way. */
  end = () => {
  };
  /** Waits; rejects with the signal's reason when it is aborted. */
  wait(ms, signal) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const timer = setTimeout(resolve, ms);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    this.end = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    });
  }
};

// src/wire/node_stream.ts
var MAX_WRITE_BYTES = 32 * 1024;
var NodeStream = class {
  #stream;
  #inOurWords;
  #failure;
  #hasEnded = false;
  /** Ends the waits of the read and of the write that are under way. */
  #onReadable;
  #failWrite;
  /** @param inOurWords makes the error that a write rejects with of the stream's own */
  constructor(stream, inOurWords = (error) => error) {
    this.#stream = stream;
    this.#inOurWords = inOurWords;
    stream.on("readable", () => this.#onReadable?.());
    stream.on("end", () => {
      this.#hasEnded = true;
      this.#onReadable?.();
    });
  }
  /** Waits for bytes: at least one and at most `maxBytes`, or null when the other side has ended. */
  async read(maxBytes = Infinity) {
    for (; ; ) {
      if (this.#failure !== void 0) throw this.#failure;
      const bytes = this.#stream.read(Math.min(this.#stream.readableLength, maxBytes));
      if (bytes !== null && bytes.length > 0) return bytes;
      if (this.#hasEnded) return null;
      await new Promise((done) => this.#onReadable = done);
    }
  }
  /** Writes some of the bytes and says how many. They must not change meanwhile. */
  write(bytes) {
    const part = bytes.subarray(0, MAX_WRITE_BYTES);
    return this.#untilFailed((resolve, reject) => {
      const done = (error) => error ? reject(this.#failure ?? this.#inOurWords(error)) : resolve(part.length);
      this.#stream.write(part, done);
    });
  }
  /** Ends the output, after all that was written. */
  endWriting() {
    return this.#untilFailed((resolve) => this.#stream.end(resolve));
  }
  /** Lets all that is under way, and all that is asked from now on, reject: with the first error of all. */
  fail(error) {
    this.#failure ??= error;
    this.#onReadable?.();
    this.#failWrite?.(this.#failure);
  }
  #untilFailed(begin) {
    if (this.#failure !== void 0) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      begin(resolve, reject);
    });
  }
};

// src/wire/tls_stream.ts
var FIRST_DENO = [
  2,
  9
];
var READ_BYTES = [
  4 * 1024,
  16 * 1024
];
var MAX_DECRYPTED_BYTES = 16 * 1024;
var SERVER_PAUSE_MS = 0;
function nodeParts() {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  if (major < FIRST_DENO[0] || major === FIRST_DENO[0] && minor < FIRST_DENO[1]) return void 0;
  const { process } = globalThis;
  const tls = process?.getBuiltinModule?.("tls");
  const stream = process?.getBuiltinModule?.("stream");
  return tls && stream && {
    tls,
    Duplex: stream.Duplex
  };
}
var TlsStream = class _TlsStream {
  #conn;
  #socket;
  #stream;
  #valve;
  #secured = Promise.withResolvers();
  #isClosed = false;
  constructor(conn, socket, valve) {
    this.#conn = conn;
    this.#socket = socket;
    this.#stream = new NodeStream(socket, inWordsOfDeno);
    this.#valve = valve;
    valve.isOpen = () => socket.readableLength < MAX_DECRYPTED_BYTES;
    this.#secured.promise.catch(() => {
    });
    socket.allowHalfOpen = true;
    socket.on("end", () => {
      this.#secured.reject(new Deno.errors.UnexpectedEof("the connection ended before its TLS handshake did"));
    });
    socket.on("error", (error) => this.#fail(inWordsOfDeno(error)));
    socket.on("_tlsError", (error) => this.#fail(inWordsOfDeno(error)));
    socket.on("close", () => this.#fail(closed()));
  }
  /** Is the server's side. */
  static serve({ tls, Duplex }, conn, secureContext) {
    const valve = new Valve(), encrypted = encryptedStream(Duplex, conn, valve, SERVER_PAUSE_MS);
    const socket = new tls.TLSSocket(encrypted, {
      isServer: true,
      secureContext
    });
    const stream = new _TlsStream(conn, socket, valve);
    socket.on("secure", () => stream.#secured.resolve());
    return stream;
  }
  /**
   * Is the client's side; trusts certificates that the system trusts, and those that `caCerts` (PEM) have
   * signed.
   */
  static connect(parts, conn, hostname, caCerts) {
    const { tls, Duplex } = parts, valve = new Valve();
    const socket = tls.connect({
      socket: encryptedStream(Duplex, conn, valve),
      host: hostname,
      servername: isAddress(hostname) ? "" : hostname,
      ca: caCerts && trusted(tls, caCerts),
      // Not by node, which would forget the certificate and so the reason, but below: nothing was said by
      // then.
      rejectUnauthorized: false
    });
    const stream = new _TlsStream(conn, socket, valve);
    socket.on("secureConnect", () => {
      if (socket.authorized === true) stream.#secured.resolve();
      else stream.#fail(certificateError(socket));
    });
    return stream;
  }
  /**
   * Waits for the handshake; a client has found the other side's certificate good then. Rejects if it fails,
   * and when the connection ends before.
   */
  handshake() {
    return this.#secured.promise;
  }
  /** Waits for bytes: at least one and at most `maxBytes`, or null when the other side has ended. */
  async read(maxBytes) {
    const bytes = await this.#stream.read(maxBytes);
    this.#valve.look();
    return bytes;
  }
  /** Writes some of the bytes and says how many. They must not change meanwhile. */
  write(bytes) {
    return this.#stream.write(bytes);
  }
  /** Ends the output, after all that was written. */
  endWriting() {
    return this.#stream.endWriting();
  }
  /** Closes the socket at once; what is under way rejects. May be called again. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(closed());
    this.#socket.destroy();
    closeConn(this.#conn);
  }
  #fail(error) {
    this.#secured.reject(error);
    this.#stream.fail(error);
  }
};
var Valve = class {
  isOpen = () => true;
  #onOpened;
  /** Waits until it is open. For one who waits. */
  opened() {
    return this.isOpen() ? Promise.resolve() : new Promise((done) => this.#onOpened = done);
  }
  /** Is to be called when it may have opened. */
  look() {
    if (this.#onOpened === void 0 || !this.isOpen()) return;
    this.#onOpened();
    this.#onOpened = void 0;
  }
};
function encryptedStream(Duplex, conn, valve, pauseMs) {
  let size = READ_BYTES[0], isPauseDue = false;
  let buffer = new Uint8Array(size);
  const read = async () => {
    await valve.opened();
    if (isPauseDue) await new Promise((done) => setTimeout(done, pauseMs));
    if (size !== buffer.length) buffer = new Uint8Array(size);
    const n = await conn.read(buffer);
    if (n === null) return null;
    isPauseDue = pauseMs !== void 0 && n === READ_BYTES[1];
    if (n === buffer.length) size = READ_BYTES[1];
    else if (n < READ_BYTES[0]) size = READ_BYTES[0];
    return buffer.slice(0, n);
  };
  const writeAll = async (bytes) => {
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
  };
  return new Duplex({
    allowHalfOpen: true,
    read() {
      read().then((bytes) => this.push(bytes), (error) => this.destroy(error));
    },
    write(bytes, _encoding, done) {
      writeAll(bytes).then(() => done(), done);
    },
    final(done) {
      conn.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      closeConn(conn);
      done(error);
    }
  });
}
function closed() {
  return new Deno.errors.Interrupted("the connection was closed");
}
function closeConn(conn) {
  try {
    conn.close();
  } catch {
  }
}
function trusted(tls, caCerts) {
  return [
    ...tls.getCACertificates?.("default") ?? tls.rootCertificates,
    ...caCerts
  ];
}
function isAddress(hostname) {
  return /^[\d.]+$/.test(hostname) || hostname.includes(":");
}
function inWordsOfDeno(error) {
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return error;
  switch (error.code) {
    case "ECONNRESET":
      return new Deno.errors.ConnectionReset(error.message);
    case "EPIPE":
    case "ERR_STREAM_WRITE_AFTER_END":
      return new Deno.errors.BrokenPipe(error.message);
    case "ECANCELED":
    case "ERR_STREAM_DESTROYED":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return new Deno.errors.Interrupted(error.message);
  }
  return new Deno.errors.InvalidData(error.message);
}
function certificateError(socket) {
  const { authorizationError: fault } = socket;
  const code = String(fault?.code ?? fault);
  const { valid_from: from = "", valid_to: to = "" } = socket.getPeerCertificate() ?? {};
  const why = Date.parse(to) < Date.now() ? "Expired" : Date.parse(from) > Date.now() ? "NotValidYet" : code === "ERR_TLS_CERT_ALTNAME_INVALID" ? "NotValidForName" : "UnknownIssuer";
  return new Deno.errors.InvalidData(`invalid peer certificate: ${why} (${code})`);
}

// src/client/link/deno_transport.ts
var READ_BUFFER_BYTES = 64 * 1024;
async function openTcp(address2, signal) {
  return new ConnTransport(await connectTcp(address2, signal));
}
function openTls({ caCerts }) {
  return async (address2, signal) => {
    const tcp = await connectTcp(address2, signal);
    const parts = nodeParts();
    if (parts !== void 0 && (caCerts === void 0 || mayReadSystemCerts())) {
      const stream = TlsStream.connect(parts, tcp, address2.hostname, caCerts);
      return await shakeHands(new TlsTransport(stream), () => stream.handshake(), signal);
    }
    const conn = await Deno.startTls(tcp, {
      hostname: address2.hostname,
      caCerts
    });
    return await shakeHands(new ConnTransport(conn), () => conn.handshake(), signal);
  };
}
function mayReadSystemCerts() {
  return Deno.permissions.querySync({
    name: "sys",
    kind: "ca"
  }).state === "granted";
}
async function shakeHands(transport, handshake, signal) {
  const close = () => transport.close();
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    await handshake();
    signal.throwIfAborted();
    return transport;
  } catch (error) {
    transport.close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
async function connectTcp({ hostname, port }, signal) {
  signal.throwIfAborted();
  const connecting = Deno.connect({
    hostname,
    port,
    signal
  });
  const { promise: aborted, reject } = Promise.withResolvers();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const conn = await Promise.race([
      connecting,
      aborted
    ]);
    try {
      conn.setNoDelay(true);
    } catch {
    }
    return conn;
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {
    });
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
var ConnTransport = class {
  #conn;
  #buffer = new Uint8Array(READ_BUFFER_BYTES);
  #isClosed = false;
  constructor(conn) {
    this.#conn = conn;
  }
  async read() {
    const bytes = await this.#conn.read(this.#buffer);
    return bytes === null ? null : this.#buffer.subarray(0, bytes);
  }
  write(bytes) {
    return this.#conn.write(bytes);
  }
  endWriting() {
    return this.#conn.closeWrite();
  }
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }
};
var TlsTransport = class {
  #stream;
  constructor(stream) {
    this.#stream = stream;
  }
  read() {
    return this.#stream.read(READ_BUFFER_BYTES);
  }
  write(bytes) {
    return this.#stream.write(bytes);
  }
  endWriting() {
    return this.#stream.endWriting();
  }
  close() {
    this.#stream.close();
  }
};

// src/client/link/node_transport.ts
function openNode(tls) {
  return async (address2, signal) => {
    signal.throwIfAborted();
    const transport = new NodeTransport(tls === void 0 ? connectTcp2(address2) : connectTls(address2, tls));
    return await transport.opened(tls === void 0 ? "connect" : "secureConnect", signal);
  };
}
function connectTcp2({ hostname, port }) {
  return builtinModule("net").connect({
    host: hostname,
    port,
    allowHalfOpen: true
  });
}
function connectTls({ hostname, port }, { caCerts }) {
  const tls = builtinModule("tls");
  return tls.connect({
    host: hostname,
    port,
    allowHalfOpen: true,
    ...isAddress(hostname) ? {} : {
      servername: hostname
    },
    ...caCerts === void 0 ? {} : {
      ca: trusted(tls, caCerts)
    }
  });
}
var NodeTransport = class {
  #socket;
  #stream;
  #opened = Promise.withResolvers();
  constructor(socket) {
    this.#socket = socket;
    this.#stream = new NodeStream(socket);
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }
  /** Waits until it is open. */
  async opened(event, signal) {
    const { promise, resolve, reject } = this.#opened;
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    this.#socket.on(event, () => resolve());
    this.#socket.on("end", () => reject(new Error("the connection ended before its TLS handshake did")));
    try {
      await promise;
      this.#socket.setNoDelay(true);
      return this;
    } catch (error) {
      this.#socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
  read() {
    return this.#stream.read();
  }
  write(bytes) {
    return this.#stream.write(bytes);
  }
  endWriting() {
    return this.#stream.endWriting();
  }
  close() {
    this.#fail(new Error("the connection was closed"));
    this.#socket.destroy();
  }
  #fail(error) {
    this.#opened.reject(error);
    this.#stream.fail(error);
  }
};

// src/client/link/websocket_transport.ts
var MAX_BUFFERED_BYTES = 1024 * 1024;
var BUFFER_LOOK_MS = 20;
var ABNORMAL = 1006;
var USUAL_ENDS = [
  1e3,
  1001,
  1005
];
var encoder4 = new TextEncoder();
function openWebSocket(url, tls = {}) {
  return async (_, signal) => {
    signal.throwIfAborted();
    const { socket, release } = makeSocket(url, tls);
    socket.binaryType = "arraybuffer";
    const { promise, resolve, reject } = Promise.withResolvers();
    const abort = () => {
      socket.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    socket.onopen = () => resolve(new WebSocketTransport(socket, release));
    socket.onerror = (event) => {
      const page = pageLocation();
      reject(page === void 0 ? reasonOf(event, url) : new UntoldError(whyNot(new URL(url), page)));
    };
    socket.onclose = socket.onerror;
    try {
      return await promise;
    } catch (error) {
      release();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}
var WebSocketTransport = class {
  #socket;
  #release;
  #chunks = [];
  #taken = 0;
  /** How it ended: by the other side, which is no failure, or by this. */
  #hasEnded = false;
  #failure;
  /** Ends the waits of the read and of the write that are under way. */
  #onNews;
  #onRoom;
  constructor(socket, release) {
    this.#socket = socket;
    this.#release = release;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = () => {
      afterThisTurn(() => this.#end(new Error("the connection broke")));
    };
    socket.onclose = ({ code, reason: reason2 }) => this.#end(endOf(code, reason2));
  }
  async read() {
    for (; ; ) {
      if (this.#taken < this.#chunks.length) return this.#chunks[this.#taken++];
      this.#chunks = [];
      this.#taken = 0;
      if (this.#failure !== void 0) throw this.#failure;
      if (this.#hasEnded) return null;
      await new Promise((done) => this.#onNews = done);
    }
  }
  /** Takes all of the bytes: a message may not end in the middle of a line. */
  async write(bytes) {
    while (this.#isOpen && this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) await this.#room();
    if (!this.#isOpen) throw this.#failure ?? new Error("the connection is closed");
    this.#socket.send(decodeUtf8(bytes));
    return bytes.length;
  }
  /** Says the last; nothing more is received either. */
  endWriting() {
    this.#socket.close(1e3);
    return Promise.resolve();
  }
  close() {
    this.#chunks = [];
    this.#taken = 0;
    this.#end(new Error("the connection was closed"));
    this.#socket.close();
  }
  get #isOpen() {
    return !this.#hasEnded && this.#socket.readyState === 1;
  }
  #take(data) {
    if (this.#hasEnded) return;
    const bytes = typeof data === "string" ? encoder4.encode(data) : new Uint8Array(data);
    this.#onRoom?.();
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#onNews?.();
  }
  #end(failure) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#release();
    this.#onNews?.();
    this.#onRoom?.();
  }
  /** Waits until there may be room: for a moment, or for a message, as timers of a hidden page come late. */
  #room() {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#onRoom = void 0;
        resolve();
      };
      const timer = setTimeout(done, BUFFER_LOOK_MS);
      this.#onRoom = done;
    });
  }
};
function makeSocket(url, { caCerts }) {
  const { WebSocket, Deno: Deno2, Bun } = globalThis;
  if (WebSocket === void 0) {
    throw new ImpossibleError("there is no WebSocket here, Node has one from version 22 on");
  }
  let options;
  let release = () => {
  };
  if (caCerts !== void 0) {
    if (Deno2 !== void 0) {
      const client = Deno2.createHttpClient({
        caCerts
      });
      options = {
        client
      };
      release = () => client.close();
    } else if (Bun !== void 0) {
      options = {
        tls: {
          ca: caCerts
        }
      };
    } else {
      throw new ImpossibleError(`${whoTrusts()}, leave out caCerts`);
    }
  }
  try {
    return {
      socket: options === void 0 ? new WebSocket(url) : new WebSocket(url, options),
      release
    };
  } catch (cause) {
    release();
    if (cause.name !== "SecurityError") throw cause;
    throw new ImpossibleError(mixedContent(new URL(url)), {
      cause
    });
  }
}
function whoTrusts() {
  return runtime() === "page" ? "whom to trust is the browser's decision" : "a WebSocket of Node trusts the certificates that NODE_EXTRA_CA_CERTS names";
}
function mixedContent({ host }) {
  return `this page came by https, and its browser lets such a page open nothing but wss://: open the page from the relay itself (http://${host}/), or let the relay speak TLS and name it as wss://`;
}
function reasonOf(event, url) {
  const { message = "", error } = event;
  const { code } = error ?? {};
  const isSilent = message === "" || /non-101 status code/.test(message);
  return isSilent ? new UntoldError(noReason(url)) : Object.assign(new Error(message), {
    code
  });
}
function noReason(url) {
  const what = "no reason was given, is the relay running there";
  return url.startsWith("wss:") ? `${what}, and does it speak TLS with a certificate that NODE_EXTRA_CA_CERTS names` : what;
}
function whyNot({ protocol, host, hostname }, page) {
  const isSecure = protocol === "wss:";
  const hints = [
    `is the relay running there (http${isSecure ? "s" : ""}://${host}/ shows it)`
  ];
  if (page.protocol === "file:" || page.origin === "null") {
    hints.push("may a page that is a file connect to it (serve the page, or start the relay with --allow-origin null)");
  } else if (hostname !== page.hostname && !/^(localhost|127\..*|\[::1\])$/.test(page.hostname)) {
    hints.push(`may a page of ${page.origin} connect to it (--allow-origin ${page.origin})`);
  }
  if (isSecure) hints.push("does the browser trust its certificate");
  return `the browser does not say why (code ${ABNORMAL}): ${hints.join(", ")}`;
}
function endOf(code, reason2) {
  if (USUAL_ENDS.includes(code)) return void 0;
  if (code === ABNORMAL || code === 0) return new Error("the connection broke");
  return new Error(`it was closed with code ${code}${reason2 === "" ? "" : `, ${printable(reason2)}`}`);
}

// src/client/link/open_transport.ts
function transportFor({ label, url }, tls) {
  const fault = runtimeFault();
  if (fault !== void 0) return () => Promise.reject(new ImpossibleError(fault));
  if (url !== void 0) return openWebSocket(url, tls);
  switch (runtime()) {
    case "deno":
      return tls === void 0 ? openTcp : openTls(tls);
    case "node":
      return openNode(tls);
    case "page":
      return openWebSocket(`${tls === void 0 ? "ws" : "wss"}://${label}/`, tls);
  }
}

// src/client/loss_tally.ts
var PERIOD_MS = 1e3;
var LossTally = class {
  #tell;
  #now;
  #sums = /* @__PURE__ */ new Map();
  #cancelTurn;
  #timer;
  #isClosed = false;
  /** After `close()`: until when nothing is told. */
  #restUntilMs = -Infinity;
  /** Makes a tally in which there is nothing; `now` is a clock in ms that never goes back. */
  constructor(tell, now2 = () => performance.now()) {
    this.#tell = tell;
    this.#now = now2;
  }
  /** Adds something to what is to be told: lines and their bytes, or a key. */
  note(reason2, lines, bytes, keys = []) {
    const sum = this.#sums.get(reason2) ?? {
      lines: 0,
      bytes: 0,
      keys: /* @__PURE__ */ new Set()
    };
    sum.lines += lines;
    sum.bytes += bytes;
    for (const key of keys) sum.keys.add(key);
    this.#sums.set(reason2, sum);
    if (this.#timer !== void 0 || this.#now() < this.#restUntilMs) return;
    this.#cancelTurn ??= afterThisTurn(() => this.#onTurnEnd());
  }
  /** Tells what there is to tell, now. */
  flush() {
    this.#cancelTurn?.();
    clearTimeout(this.#timer);
    this.#cancelTurn = this.#timer = void 0;
    const sums = [
      ...this.#sums
    ];
    this.#sums.clear();
    for (const [reason2, { lines, bytes, keys }] of sums) {
      this.#tell(keys.size === 0 ? {
        reason: reason2,
        lines,
        bytes
      } : {
        reason: reason2,
        lines,
        bytes,
        keys: [
          ...keys
        ]
      });
    }
  }
  /** Tells what there is to tell, and keeps no timer from now on. */
  close() {
    this.#isClosed = true;
    this.flush();
  }
  #onTurnEnd() {
    if (this.#isClosed) this.#restUntilMs = this.#now() + PERIOD_MS;
    this.flush();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = void 0;
      if (this.#sums.size > 0) this.#onTurnEnd();
    }, PERIOD_MS);
  }
};

// src/client/target.ts
var MAX_PORT = 65535;
var MAX_HOST_CHARACTERS = 253;
var FORMS = `a target is "host", "host:port" or "[address]:port", and "/room" if you like, or "ws://host:port/room"`;
var USUAL_PORTS = {
  "ws:": 80,
  "wss:": 443
};
function parseTarget(target, page) {
  if (target === void 0) return originAddress("", page);
  if (typeof target === "string") {
    if (target.startsWith("/")) return originAddress(target, page);
    return target.includes("://") ? parseUrl(target) : parseText(target);
  }
  if (typeof target !== "object" || target === null || typeof target.hostname !== "string") {
    throw new TypeError(`Cannot connect to ${show(target)}: it names no host, ${FORMS} or { hostname, port }`);
  }
  const stray = Object.keys(target).find((name) => ![
    "hostname",
    "port",
    "transport"
  ].includes(name));
  if (stray !== void 0) {
    throw new TypeError(`Cannot connect to ${show(target.hostname)}: ${show(stray)} is nothing that a target has, hostname and port are`);
  }
  const { hostname, port = DEFAULT_PORT } = target;
  const bare = withoutBrackets(hostname);
  if (!/^[^\s/?#@[\]]+$/.test(bare)) {
    throw new TypeError(`Cannot connect to ${show(hostname)}: it is not a host, a name or an address is allowed`);
  }
  if (typeof port !== "number") {
    throw new TypeError(`Cannot connect to ${show(hostname)}: its port is ${kindOf(port)}, a number is allowed`);
  }
  return address(bare, port);
}
function originAddress(path, page) {
  const asked = `Cannot connect to ${path === "" ? "undefined" : show(path)}: it names no host`;
  if (page === void 0) {
    throw new TypeError(`${asked}, only a page may leave out the relay it came from, ${FORMS}`);
  }
  const { protocol, hostname, port } = page;
  if (!/^https?:$/.test(protocol) || hostname === "") {
    throw new TypeError(`${asked}, and this page (${protocol}) came from none, ${FORMS}`);
  }
  const scheme = protocol === "https:" ? "wss:" : "ws:";
  const found = address(withoutBrackets(hostname), Number(port) || USUAL_PORTS[scheme]);
  const url = `${scheme}//${found.label}/`;
  return path.length <= 1 ? {
    ...found,
    url
  } : {
    ...found,
    url,
    room: checkName("room", path.slice(1), 1)
  };
}
function parseUrl(text2) {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:)\/\/(.*)$/is.exec(text2) ?? [];
  const refuse = (why) => new TypeError(`Cannot connect to ${show(text2)}: ${why}, ${FORMS}`);
  if (scheme === void 0) throw refuse("it is not an address");
  const usualPort = USUAL_PORTS[scheme.toLowerCase()];
  if (usualPort === void 0) {
    const instead = /^http(s?):$/i.exec(scheme);
    throw refuse(instead === null ? `${show(scheme)} is not ws: or wss:` : `write ws${instead[1].toLowerCase()}:// for ${scheme}//`);
  }
  if (/[?#]/.test(rest)) throw refuse('it has a "?" or a "#", a path is allowed');
  if (/^[^/]*@/.test(rest)) throw refuse("it names a user, the option token lets you in");
  const found = parsePlace(text2, rest.split("/", 1)[0], usualPort);
  let url;
  try {
    url = new URL(text2);
  } catch {
    throw refuse("it is not an address");
  }
  const path = rest.slice(rest.indexOf("/") + 1);
  const isRoom = rest.includes("/") && path !== "" && !path.endsWith("/");
  if (isRoom) url.pathname = url.pathname.replace(/%(2f|5c)/gi, "/");
  return {
    ...found,
    url: url.href,
    ...isRoom ? {
      room: checkName("room", decode(path, refuse), 1)
    } : {}
  };
}
function decode(path, refuse) {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refuse('it has a "%" that stands for nothing, %25 is one');
  }
}
function withoutBrackets(hostname) {
  return /^\[(.*)\]$/.exec(hostname)?.[1] ?? hostname;
}
function parseText(text2) {
  const place = text2.split("/", 1)[0];
  const found = parsePlace(text2, place, DEFAULT_PORT);
  const path = text2.slice(place.length);
  return path.length <= 1 ? found : {
    ...found,
    room: checkName("room", path.slice(1), 1)
  };
}
function parsePlace(target, place, usualPort) {
  const parts = /^(?:\[([^\s/?#@[\]]+)\]|([^\s/?#@[\]:]+))(?::([0-9]+))?$/.exec(place);
  if (parts === null) throw new TypeError(`Cannot connect to ${show(target)}: ${whyNot2(place)}, ${FORMS}`);
  const [, bracketed, plain, port] = parts;
  return address(bracketed ?? plain, port === void 0 ? usualPort : Number(port));
}
function withoutRoom(target) {
  if (typeof target !== "string") return target;
  if (target.startsWith("/")) return void 0;
  const start = target.indexOf("://") + 3;
  const slash = target.indexOf("/", start > 2 ? start : 0);
  if (slash < 0) return target;
  return start > 2 ? target.slice(0, target.lastIndexOf("/") + 1) : target.slice(0, slash);
}
function checkName(what, name, least) {
  const fault = nameFault(name, least);
  if (fault === void 0) return name;
  const isLength = typeof name === "string" && fault.includes(" characters, ");
  throw new (isLength ? RangeError : TypeError)(`Cannot connect: ${what} ${fault}`);
}
function whyNot2(text2) {
  if (text2 === "") return "it is empty";
  if (text2.split(":").length > 2 && !text2.includes("[")) return "it has several colons";
  const port = /:([^:\]]*)$/.exec(text2)?.[1];
  if (port !== void 0 && !/^[0-9]+$/.test(port)) return `${show(port)} is not a port`;
  return "it is not a host";
}
function address(hostname, port) {
  if (hostname.length > MAX_HOST_CHARACTERS || /[\p{Cc}\p{Cs}]/u.test(hostname)) {
    throw new TypeError(`Cannot connect to ${show(hostname)}: no host can have such a name, up to ${MAX_HOST_CHARACTERS} characters that can be shown are allowed`);
  }
  const label = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) {
    throw new RangeError(`Cannot connect to ${label}: a port is 1 to ${MAX_PORT}`);
  }
  return {
    hostname,
    port,
    label
  };
}

// src/client/options.ts
var DEFAULT_INBOX_LIMIT = 1e4;
var DEFAULT_OFFLINE_BYTES = 256 * 1024;
var DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;
var OPTION_KINDS = {
  plain: "boolean",
  room: "any",
  name: "any",
  token: "any",
  simulate: "any",
  echo: "boolean",
  canHost: "boolean",
  maxMembers: "any",
  any: "boolean",
  tls: "any",
  retry: "boolean",
  signal: "signal",
  schema: "any",
  onStatus: "function",
  onInvalid: "function",
  onError: "function",
  onJoin: "function",
  onLeave: "function",
  onState: "function",
  onLost: "function",
  onHost: "function",
  onRequest: "function",
  offlineBytes: "any",
  maxQueuedBytes: "any",
  inboxLimit: "any",
  maxLineBytes: "any"
};
function takeOptions(options) {
  return checkOptions("connect", options, OPTION_KINDS);
}
function readOptions(options, address2, isSecurePage = false) {
  const { plain = false, room = address2.room ?? LOBBY, name = "", token = "", simulate = "" } = options;
  const { echo = false, canHost = true, maxMembers, any = false } = options;
  const { offlineBytes = DEFAULT_OFFLINE_BYTES, inboxLimit = DEFAULT_INBOX_LIMIT } = options;
  const { maxQueuedBytes = DEFAULT_QUEUED_BYTES, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  checkName("room", room, 1);
  checkName("name", name, 0);
  checkText("token", token);
  checkText("simulate", simulate);
  checkRoom(room, options, address2);
  if (plain && echo) {
    throw new TypeError("Cannot connect: a plain client has no echo, connect without { plain: true }");
  }
  if (maxMembers !== void 0) checkLimit("maxMembers", maxMembers, 1, Number.MAX_SAFE_INTEGER);
  checkLimit("offlineBytes", offlineBytes, 0);
  checkLimit("maxQueuedBytes", maxQueuedBytes, 1);
  checkLimit("inboxLimit", inboxLimit, 1);
  checkLimit("maxLineBytes", maxLineBytes, 1);
  const limits = {
    offlineBytes,
    maxQueuedBytes,
    inboxLimit,
    maxLineBytes
  };
  const tls = tlsFor(options.tls, address2.url, isSecurePage);
  return {
    plain,
    room,
    name,
    token,
    simulate,
    echo,
    canHost,
    maxMembers,
    any,
    tls,
    ...limits
  };
}
function readJoinOptions(options, room) {
  const checked = checkOptions("join a room", options, OPTION_KINDS);
  if (checked.room === void 0 || checked.room === room) return {
    ...checked,
    room
  };
  throw new TypeError("Cannot join a room: the option room names another one, one is allowed");
}
function checkText(name, value) {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot connect: ${name} is ${kindOf(value)}, a string is allowed`);
}
function checkRoom(room, { room: named, plain = false, any = false, maxMembers }, { room: targetRoom, url }) {
  if (targetRoom !== void 0 && targetRoom !== room) {
    throw new TypeError("Cannot connect: the target names another room than the option room, one is allowed");
  }
  const isNamed = named !== void 0 || targetRoom !== void 0;
  if (!isNamed && url !== void 0 && new URL(url).pathname !== "/") {
    throw new TypeError(`Cannot connect to ${url}: it ends with a slash, so it names no room, one in the option room is allowed`);
  }
  if (plain && room !== LOBBY) {
    throw new TypeError(`Cannot connect: a plain client is in the room "${LOBBY}", no other is allowed`);
  }
  if (room === LOBBY && (any || maxMembers !== void 0)) {
    throw new TypeError(`Cannot connect: the room "${LOBBY}" is one and open to all, name another one`);
  }
}
function tlsFor(option, url, isSecurePage) {
  const isSecure = url === void 0 ? isSecurePage : url.startsWith("wss:");
  const tls = readTls(option === void 0 ? isSecure : option);
  if (url !== void 0 && tls !== void 0 !== isSecure) {
    const [scheme, other] = tls === void 0 ? [
      "wss",
      "ws"
    ] : [
      "ws",
      "wss"
    ];
    throw new TypeError(`Cannot connect: the target says ${scheme}:// and the option tls ${other}://, one is allowed`);
  }
  return tls;
}
function readTls(tls) {
  if (tls === false) return void 0;
  if (tls === true) return {};
  const { caCerts } = typeof tls === "object" && tls !== null ? checkOptions("connect with tls", tls, {
    caCerts: "any"
  }) : {};
  if (Array.isArray(caCerts) && caCerts.every((cert) => typeof cert === "string")) {
    return {
      caCerts: [
        ...caCerts
      ]
    };
  }
  throw new TypeError("Cannot connect: tls is neither true nor false nor has it caCerts, an array of PEM texts is allowed");
}
function checkLimit(name, value, least, most = Infinity) {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot connect: ${name} is ${kindOf(value)}, a number is allowed`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    const to = most < Infinity ? ` to ${most}` : "";
    throw new RangeError(`Cannot connect: ${name} is ${value}, a whole number from ${least}${to} is allowed`);
  }
}

// src/client/call_options.ts
var ANSWER_MS = 1e4;
var CLAIM_MS = 3e4;
function readRequestOptions(what, options) {
  return readTimeout(what, checkOptions(what, options, {
    timeoutMs: "any"
  }), ANSWER_MS);
}
function readClaimOptions(options) {
  const checked = checkOptions("claim", options, {
    hold: "boolean",
    timeoutMs: "any"
  });
  return {
    hold: checked.hold ?? false,
    timeoutMs: readTimeout("claim", checked, CLAIM_MS)
  };
}
function readSetOptions(options) {
  return checkOptions("set state", options, {
    room: "boolean"
  }).room ?? false;
}
function readTimeout(what, { timeoutMs }, defaultMs) {
  if (timeoutMs === void 0) return defaultMs;
  if (typeof timeoutMs !== "number") {
    throw new TypeError(`Cannot ${what}: timeoutMs is ${show(timeoutMs)}, a number is allowed`);
  }
  if (!(timeoutMs > 0)) {
    throw new RangeError(`Cannot ${what}: timeoutMs is ${timeoutMs}, more than 0 is allowed`);
  }
  return timeoutMs;
}

// src/client/json_text.ts
function jsonText(verb, value) {
  let text2;
  try {
    text2 = JSON.stringify(value);
  } catch (cause) {
    const [reason2] = describeThrown(cause).split("\n", 1);
    throw new TypeError(`Cannot ${verb}: ${reason2}, what JSON can hold is allowed`, {
      cause
    });
  }
  if (text2 !== void 0) return text2;
  throw new TypeError(`Cannot ${verb}: it is ${kindOf(value)}, what JSON can hold is allowed`);
}

// src/client/state_check.ts
var encoder5 = new TextEncoder();
function checkKey(key, verb = "set state") {
  const fault = keyFault(key);
  if (fault === void 0) return;
  throw new (typeof key === "string" ? RangeError : TypeError)(`Cannot ${verb}: the key ${fault}`);
}
function checkValue({ limits }, json, verb = "set state") {
  const bytes = encoder5.encode(json).length, most = limits?.maxValueBytes ?? Infinity;
  if (bytes <= most) return;
  throw new RangeError(`Cannot ${verb}: it has ${bytes} bytes, maxValueBytes is ${most}`);
}
function checkChange(session, key, json, isRoom) {
  if (session.limits === void 0) return;
  const { maxKeys, maxLineBytes } = session.limits;
  checkValue(session, json);
  const lineBytes = encodeSet(key, json, {
    isRoom
  }).length - 1;
  if (lineBytes > maxLineBytes) {
    throw new RangeError(`Cannot set state: with its key it has ${lineBytes} bytes, maxLineBytes is ${maxLineBytes}`);
  }
  const keys = countKeysBeside(session, key, isRoom);
  if (keys < maxKeys) return;
  throw new RangeError(`Cannot set state: ${keys} keys are set, maxKeys is ${maxKeys}`);
}
function countKeysBeside(session, key, isRoom) {
  const { source, state } = session;
  if (!isRoom) return source.member.has(key) ? 0 : source.member.size;
  if (Object.hasOwn(state, key)) return 0;
  const keys = new Set(source.roomKeysUnderWay());
  if (keys.has(key)) return 0;
  for (const each of Object.keys(state)) {
    const isBeingRemoved = source.room.isNews(each) && !source.room.has(each);
    if (!isBeingRemoved) keys.add(each);
  }
  return keys.size;
}

// src/client/outgoing.ts
var encoder6 = new TextEncoder();
var Outgoing = class {
  #link;
  #session;
  #losses;
  #maxLineBytes;
  /** How much of what was given to `send()` and dropped has been noted as lost. */
  #notedDrops = {
    lines: 0,
    bytes: 0
  };
  #isClosed = false;
  /** Makes it; a line may have `maxLineBytes` without its LF, or less if the relay says so. */
  constructor(link, session, losses, maxLineBytes) {
    this.#link = link;
    this.#session = session;
    this.#losses = losses;
    this.#maxLineBytes = maxLineBytes;
  }
  /** How long a line may be, in bytes without its LF. */
  get lineLimit() {
    return Math.min(this.#maxLineBytes, this.#session?.limits?.maxLineBytes ?? Infinity);
  }
  /** Sends an event, see {@linkcode Relay.send}. */
  send(event, options) {
    const text2 = jsonText("send event", event);
    if (options !== void 0) return this.sendTo(text2, readReceivers(options));
    const line = encoder6.encode(`${text2.startsWith(CONTROL_OPENING) ? " " : ""}${text2}
`);
    const bytes = line.length - 1, limit = this.lineLimit;
    if (bytes > limit) {
      throw new RangeError(`Cannot send event: it has ${bytes} bytes, maxLineBytes is ${limit}`);
    }
    this.#link.send(line);
    this.#noteDrops();
  }
  /**
   * Sends an event, given as JSON, to those members alone; with a tag it is a question or an answer. `verb`
   * says what can't be done otherwise.
   *
   * @throws {RangeError} when it is too long
   */
  sendTo(text2, ids, tag, verb = "send event") {
    needSession(this.#session, verb, "knows nobody to send it to");
    for (const line of encodeLetters(verb, text2, ids, this.lineLimit, tag)) this.#link.send(line);
    this.#noteDrops();
  }
  /** Sends a control line with its LF: it goes before the events that wait. */
  sendControl(line) {
    this.#session?.source.ask(line);
    this.#link.flush();
  }
  /** Sets a value, see {@linkcode Relay.set}. */
  set(key, value, options) {
    const { session, isRoom } = this.#toSet(key, options);
    const json = jsonText("set state", value);
    checkChange(session, key, json, isRoom);
    this.#change(session, key, json, isRoom);
  }
  /** Removes a key, see {@linkcode Relay.unset}. */
  unset(key, options) {
    const { session, isRoom } = this.#toSet(key, options);
    this.#change(session, key, void 0, isRoom);
  }
  /** Notes that what is said from now on is said after the end. */
  close() {
    this.#isClosed = true;
  }
  /**
   * Notes, once the link is closed, what did not go out or may not have arrived; returns how many lines may
   * not have.
   */
  noteLeft() {
    this.#noteDrops();
    const left = this.#session?.source.takeLeft();
    if (left === void 0 || left.lines + left.roomChanges.size === 0) return 0;
    this.#losses.note("closed", left.lines, left.bytes, [
      ...left.roomChanges.keys()
    ]);
    return left.lines;
  }
  #toSet(key, options) {
    const session = needSession(this.#session, "set state", "has none");
    checkKey(key);
    return {
      session,
      isRoom: readSetOptions(options)
    };
  }
  #change(session, key, json, isRoom) {
    if (this.#isClosed) {
      if (isRoom) this.#losses.note("closed", 0, 0, [
        key
      ]);
      return;
    }
    session.source.set(key, json, isRoom);
    this.#link.flush();
  }
  /** Notes what has been dropped of what was given to `send()`. */
  #noteDrops() {
    const { droppedLines, droppedBytes } = this.#link;
    const lines = droppedLines - this.#notedDrops.lines, bytes = droppedBytes - this.#notedDrops.bytes;
    if (lines === 0) return;
    this.#notedDrops = {
      lines: droppedLines,
      bytes: droppedBytes
    };
    this.#losses.note(this.#isClosed ? "closed" : "outbox", lines, bytes);
  }
};

// src/client/page_life.ts
function watchPageLife(sink) {
  const { document, addEventListener } = globalThis;
  if (document === void 0 || addEventListener === void 0) return () => {
  };
  const wake = () => sink.onWake();
  const listeners = [
    [
      document,
      "visibilitychange",
      () => document.visibilityState === "visible" ? wake() : sink.onHide()
    ],
    [
      document,
      "resume",
      wake
    ],
    [
      globalThis,
      "online",
      wake
    ],
    [
      globalThis,
      "pageshow",
      (event) => isPersisted(event) && wake()
    ],
    [
      globalThis,
      "pagehide",
      (event) => isPersisted(event) || sink.onLeave()
    ]
  ];
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener);
  };
}
function isPersisted(event) {
  return event.persisted === true;
}

// src/client/room_list.ts
function readRoomList(answer) {
  const { rooms, more } = isRecord(answer) ? answer : {};
  const list = (Array.isArray(rooms) ? rooms : []).filter((room) => isRecord(room) && typeof room.name === "string" && typeof room.members === "number");
  return {
    rooms: list.map(({ name, members, maxMembers }) => typeof maxMembers === "number" ? {
      name,
      members,
      maxMembers
    } : {
      name,
      members
    }),
    more: typeof more === "number" ? more : 0
  };
}

// src/client/session/asks.ts
var MAX_REASON_LENGTH = 1e3;
var RequestError = class extends Error {
  /** What errors of this kind are called. */
  name = "RequestError";
  /**
   * For programs: `timeout` (nobody has answered in time: it may have been done or not); `no_such_peer` and
   * `left` (who was asked is not there, or has left meanwhile); `failed` (the other's `onRequest` threw, or
   * there is none); `not_resumed` (the session could not go on: it may have been asked or not, what never was
   * is asked in the next one, unless of a member of a relay that was restarted); `closed`; or the relay's
   * code, such as `too_many_keys`.
   */
  code;
  /** @internal */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
};
function forgiving(ask) {
  let answer;
  try {
    answer = ask();
  } catch (error) {
    return Promise.reject(error);
  }
  answer.catch(() => {
  });
  return answer;
}
var NONE = /* @__PURE__ */ new Set();
function readAsk(line) {
  if (!isControlLine(line, 0)) return void 0;
  const [body] = Object.values(JSON.parse(decodeUtf8(line)));
  return body.ask;
}
var Asks = class {
  #pending = /* @__PURE__ */ new Map();
  #last = 0;
  /**
   * Opens a question: `what` can't be done without an answer. Returns its name on the wire, and the answer.
   *
   * @param peerId who is to answer; the relay, if it is left out
   * @param timeoutMs how long to wait, from 0 to Infinity
   */
  open(what, peerId, timeoutMs = Infinity) {
    const ask = (++this.#last).toString(36);
    const countdown = new Countdown(timeoutMs, () => {
      const who = peerId === void 0 ? "of the relay " : "";
      const why = `no answer ${who}within ${timeoutMs} ms, so it may have been done or not`;
      this.#fail(ask, "timeout", why, peerId);
    });
    const answer = new Promise((resolve, reject) => {
      this.#pending.set(ask, {
        what,
        peerId,
        resolve,
        reject,
        countdown
      });
    });
    answer.catch(() => {
    });
    return {
      ask,
      answer
    };
  }
  /** Whether a question of that name still waits for its answer. */
  isOpen(ask) {
    return this.#pending.has(ask);
  }
  /** Takes the answer of a member, or of the relay. */
  settle(ask, value, peerId) {
    this.#take(ask, peerId)?.resolve(value);
  }
  /** Takes the answer of a member, a line whose tag names the question, or why there is none. */
  takeReply(line, { reply, failed }, peerId) {
    if (reply === void 0) return;
    let answer;
    try {
      answer = JSON.parse(line);
    } catch {
      return this.#fail(reply, "failed", "its answer is not JSON", peerId);
    }
    if (failed !== true) this.settle(reply, answer, peerId);
    else this.#fail(reply, "failed", typeof answer === "string" ? answer : line, peerId);
  }
  /**
   * Takes the relay's answer to a question, the body of an `$answer`: to one that it was asked, or why there
   * is none.
   */
  takeAnswer({ ask, code, message, ...answer }) {
    if (typeof ask !== "string") return;
    if (typeof code !== "string") return this.settle(ask, answer);
    const why = typeof message === "string" ? message : "the relay does not say why";
    this.#fail(ask, code, why, this.#pending.get(ask)?.peerId);
  }
  /** Notes that a member will answer nothing any more. */
  failPeer(peerId) {
    for (const [ask, pending] of this.#pending) {
      if (pending.peerId === peerId) this.#fail(ask, "left", `${peerId} has left`, peerId);
    }
  }
  /** Notes that nobody will answer any more, but for some questions. */
  failAll(code, why, but = NONE) {
    for (const [ask, { peerId }] of this.#pending) if (!but.has(ask)) this.#fail(ask, code, why, peerId);
  }
  #fail(ask, code, why, peerId) {
    const pending = this.#take(ask, peerId), shown = printable(why.slice(0, MAX_REASON_LENGTH));
    pending?.reject(new RequestError(code, `Cannot ${pending.what}: ${shown}`));
  }
  #take(ask, peerId) {
    const pending = this.#pending.get(ask);
    if (pending === void 0 || pending.peerId !== peerId) return void 0;
    this.#pending.delete(ask);
    pending.countdown.stop();
    return pending;
  }
};

// src/client/requests.ts
var encoder7 = new TextEncoder();
var Requests = class {
  #session;
  #outgoing;
  #options;
  #isClosed = false;
  /** Makes it; the options say who answers what others ask. */
  constructor(session, outgoing, options) {
    this.#session = session;
    this.#outgoing = outgoing;
    this.#options = options;
  }
  /** Asks a member, see {@linkcode Relay.request}. */
  request(peer, event, options) {
    return forgiving(() => this.#request(peer, event, options));
  }
  /** Claims a key, see {@linkcode Relay.claim}. */
  claim(key, value, options) {
    return forgiving(() => this.#claim(key, value, options));
  }
  /** Asks for the rooms, see {@linkcode Relay.rooms}. */
  rooms(options) {
    return forgiving(() => this.#rooms(options));
  }
  /** Answers what another member asks by what `onRequest` returns, or says why there is no answer. */
  async answer(line, from, ask) {
    const { onRequest } = this.#options;
    let text2, tag = {
      reply: ask
    };
    try {
      if (onRequest === void 0) throw new Error("it answers no requests");
      text2 = jsonText("answer", await onRequest(JSON.parse(line), from) ?? null);
    } catch (error) {
      const why = describeThrown(error);
      [text2, tag] = [
        JSON.stringify(why.slice(0, MAX_REASON_LENGTH)),
        {
          reply: ask,
          failed: true
        }
      ];
    }
    if (this.#isClosed) return;
    const fault = this.#reply(text2, from, tag);
    if (fault === void 0) return;
    this.#reply(JSON.stringify(fault.message), from, {
      reply: ask,
      failed: true
    });
  }
  /** Answers nothing from now on, and gets no answer. */
  close() {
    this.#isClosed = true;
    this.#session?.asks.failAll("closed", "the relay object was closed");
  }
  #request(peer, event, options) {
    const session = needSession(this.#session, "request");
    const timeoutMs = readRequestOptions("request", options);
    const id = readPeer("request", peer);
    const text2 = jsonText("send request", event);
    const { ask, answer } = session.asks.open(`request ${quote(id)}`, id, timeoutMs);
    if (this.#isClosed) return this.#failClosed(session, answer);
    try {
      this.#outgoing.sendTo(text2, [
        id
      ], {
        ask
      }, "send request");
    } catch (error) {
      session.asks.settle(ask, void 0, id);
      throw error;
    }
    return answer;
  }
  #claim(key, value, options) {
    const session = needSession(this.#session, "claim", "has no state");
    checkKey(key, "claim");
    const { hold, timeoutMs } = readClaimOptions(options);
    const json = jsonText(`claim ${quote(key)}`, value);
    checkValue(session, json, `claim ${quote(key)}`);
    const answer = this.#ask(session, `claim ${quote(key)}`, timeoutMs, (ask) => {
      const fields = JSON.stringify({
        ask,
        key,
        hold: hold || void 0
      });
      return `{"$claim":${fields.slice(0, -1)},"value":${json}}}`;
    });
    return answer.then((body) => {
      const hasWon = body.won === true;
      if (hasWon && hold) session.source.room.hold(key, true);
      return hasWon;
    });
  }
  #rooms(options) {
    const session = needSession(this.#session, "list rooms");
    const write = (ask) => `{"$rooms":${JSON.stringify({
      ask
    })}}`;
    const timeoutMs = readRequestOptions("list rooms", options);
    return this.#ask(session, "list rooms", timeoutMs, write).then(readRoomList);
  }
  /** Sends an answer; returns what is wrong with it: it is too long. */
  #reply(text2, to, tag) {
    try {
      this.#outgoing.sendTo(text2, [
        to.id
      ], tag, "answer");
    } catch (error) {
      return error;
    }
  }
  /** Asks the relay; `write(ask)` makes the line, without its LF. */
  #ask(session, what, timeoutMs, write) {
    const { ask, answer } = session.asks.open(what, void 0, timeoutMs);
    if (this.#isClosed) return this.#failClosed(session, answer);
    const line = encoder7.encode(write(ask) + "\n");
    const bytes = line.length - 1, limit = this.#outgoing.lineLimit;
    if (bytes > limit) {
      session.asks.settle(ask, void 0);
      throw new RangeError(`Cannot ${what}: it has ${bytes} bytes, maxLineBytes is ${limit}`);
    }
    this.#outgoing.sendControl(line);
    return answer;
  }
  #failClosed(session, answer) {
    session.asks.failAll("closed", "the relay object is closed");
    return answer;
  }
};

// src/client/link/attempt.ts
var Attempt = class {
  #failed = Promise.withResolvers();
  #countdown;
  /** Whether its time is over, or it was ended. */
  isOver = false;
  /** Why its time is over. */
  error;
  /** Allows so much time from now on for what comes next; `describe` then says what is missing. */
  expect(ms, describe2) {
    this.#countdown?.stop();
    if (this.isOver) return;
    this.#countdown = new Countdown(ms, () => {
      this.isOver = true;
      this.error = new Error(describe2());
      this.#failed.reject(this.error);
    });
  }
  /** Waits for the work, but no longer than what is expected may take. */
  race(work) {
    return Promise.race([
      work,
      this.#failed.promise
    ]);
  }
  /** Ends it, and its timer. */
  end() {
    this.isOver = true;
    this.#countdown?.stop();
  }
};

// src/client/session/hello.ts
var NONCE_BYTES = 16;
function encodeHello(hello) {
  const { room, name, token, simulate, echo, canHost, maxMembers, any, base, nonce, resume } = hello;
  return encodeControl("hello", {
    version: PROTOCOL_VERSION,
    room,
    name: name || void 0,
    token: token || void 0,
    simulate: simulate || void 0,
    echo: echo || void 0,
    canHost: canHost || void 0,
    maxMembers,
    any: any || void 0,
    base,
    nonce,
    resume
  });
}
function makeNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/client/session/roster.ts
var MAX_SIZE = 64 * 1024 * 1024;
var MAX_DEPARTED = 256;
var ENTRY_SIZE = 64;
var SILENT = {
  onJoin() {
  },
  onLeave() {
  },
  onState() {
  }
};
function emptyState() {
  return /* @__PURE__ */ Object.create(null);
}
var Roster = class {
  #members = /* @__PURE__ */ new Map();
  /** Those who left last, the first of them first. */
  #departed = /* @__PURE__ */ new Map();
  /** What the values of each member, and of the room, take. */
  #sizes = /* @__PURE__ */ new Map([
    [
      null,
      /* @__PURE__ */ new Map()
    ]
  ]);
  #size = 0;
  /** Who is told of every change; nobody until it is set. */
  sink;
  /** This member itself, as others see it. */
  self;
  /** The id of who leads the room, if anybody does. */
  hostId;
  /** The room's own values by key. */
  state = emptyState();
  /** Makes an empty roster; without a sink it changes in silence. */
  constructor(sink = SILENT) {
    this.sink = sink;
  }
  /** The members by id, always the same map. */
  get peers() {
    return this.#members;
  }
  /** Who leads the room; may be this member itself. */
  get host() {
    return this.hostId === void 0 ? void 0 : this.find(this.hostId);
  }
  /**
   * Finds who has, or had, an id, also this member itself; of one of whom nothing is known it makes a peer
   * that has no name.
   */
  find(id) {
    if (id === this.self?.id) return this.self;
    return this.#members.get(id) ?? this.#departed.get(id) ?? {
      id,
      name: "",
      state: emptyState()
    };
  }
  /** Forgets who left: another relay gives their ids to others. */
  forgetDeparted() {
    this.#departed.clear();
  }
  /** Adds a member, unless it is there. */
  join(id, name) {
    if (this.#members.has(id)) return;
    this.#grow(memberSize(id, name));
    const peer = {
      id,
      name,
      state: emptyState()
    };
    this.#members.set(id, peer);
    this.#sizes.set(id, /* @__PURE__ */ new Map());
    this.sink.onJoin(peer);
  }
  /** Removes a member, and its state with it: the sink gets the peer with the state it had. */
  leave(id, reason2) {
    const peer = this.#members.get(id);
    if (peer === void 0) return;
    this.#members.delete(id);
    this.#remember(peer);
    for (const size of this.#sizes.get(id).values()) this.#size -= size;
    this.#sizes.delete(id);
    this.#size -= memberSize(id, peer.name);
    this.sink.onLeave(peer, reason2);
  }
  /**
   * Sets a value of a member, or of the room for `null`; `undefined` removes it. Members not here have no
   * state. `size` is what key and value take as text, in characters.
   */
  set(id, key, value, size = key.length) {
    const peer = id === null ? null : this.#members.get(id);
    if (peer === void 0) return;
    const state = peer === null ? this.state : peer.state;
    const sizes = this.#sizes.get(id);
    const isRemoval = value === void 0;
    this.#grow((isRemoval ? 0 : size + ENTRY_SIZE) - (sizes.get(key) ?? 0));
    if (isRemoval) {
      delete state[key];
      sizes.delete(key);
    } else {
      state[key] = value;
      sizes.set(key, size + ENTRY_SIZE);
    }
    this.sink.onState(peer, key, value);
  }
  /**
   * Becomes what another roster is, and tells the differences: first who left, then who joined, then what
   * state is another. Those who left without a word are `lost`.
   */
  become(next) {
    this.compare([
      ...next.#members.values()
    ]);
    for (const { id, state } of next.#members.values()) {
      this.#becomeState(id, this.#members.get(id).state, state, next);
    }
    this.#becomeState(null, this.state, next.state, next);
  }
  /** Takes over who is there: others left and are `lost`, new ones join. State stays as it is. */
  compare(present) {
    const ids = new Set(present.map(({ id }) => id));
    for (const id of [
      ...this.#members.keys()
    ]) if (!ids.has(id)) this.leave(id, "lost");
    for (const { id, name } of present) this.join(id, name);
  }
  #remember(peer) {
    this.#departed.delete(peer.id);
    this.#departed.set(peer.id, peer);
    if (this.#departed.size > MAX_DEPARTED) this.#departed.delete(this.#departed.keys().next().value);
  }
  #becomeState(id, old, state, next) {
    const sizes = next.#sizes.get(id);
    for (const key of Object.keys(old)) if (!(key in state)) this.set(id, key, void 0);
    for (const [key, value] of Object.entries(state)) {
      if (!(key in old) || !isSameJson(old[key], value)) {
        this.set(id, key, value, sizes.get(key) - ENTRY_SIZE);
      }
    }
  }
  #grow(size) {
    if (size > 0 && this.#size + size > MAX_SIZE) {
      throw new RangeError(`Cannot keep who and what is there: it has more than ${MAX_SIZE} characters, which no relay allows`);
    }
    this.#size += size;
  }
};
function selfPeer(id, name, values) {
  return {
    id,
    name,
    get state() {
      return values();
    }
  };
}
function isSameJson(a, b) {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}
function memberSize(id, name) {
  return ENTRY_SIZE + id.length + name.length;
}

// src/client/session/roster_control.ts
function readRoster(peers, state) {
  const roster = new Roster();
  for (const peer of readPeers(peers)) {
    roster.join(peer.id, peer.name);
    for (const [key, value] of entries(peer.state)) roster.set(peer.id, key, value);
  }
  for (const [key, value] of entries(state)) roster.set(null, key, value);
  return roster;
}
function followControl(roster, { name, body }, size) {
  const { id, key, value, from, room } = body;
  switch (name) {
    case "join":
      if (typeof id === "string") roster.join(id, typeof body.name === "string" ? body.name : "");
      return true;
    case "leave":
      if (typeof id === "string") roster.leave(id, typeof body.reason === "string" ? body.reason : "lost");
      return true;
    case "peers":
      roster.compare(readPeers(body.peers));
      return true;
    case "set":
      if (typeof key !== "string") return true;
      if (room === true) roster.set(null, key, value, size);
      else if (typeof from === "string") roster.set(from, key, value, size);
      return true;
  }
  return false;
}
function readPeers(peers) {
  return (Array.isArray(peers) ? peers : []).filter((peer) => isRecord(peer) && typeof peer.id === "string").map(({ id, name, state }) => ({
    id,
    name: typeof name === "string" ? name : "",
    state
  }));
}
function entries(value) {
  return isRecord(value) ? Object.entries(value) : [];
}

// src/client/session/welcome.ts
var MAX_LIMIT_MS = 36e5;
var MIN_PING_TIMEOUT_MS = 10;
function readAnswer(line, nonce, isCertain) {
  const control = readControlLine(line);
  if (control === void 0) {
    if (isCertain || line.includes(nonce)) throw unreadable("it is not a control line");
    return void 0;
  }
  const isOurs = Object.hasOwn(control.body, "nonce") ? control.body.nonce === nonce : isCertain;
  if (!isOurs) return void 0;
  if (control.name === "error") {
    const refusal = readError(control.body);
    if (refusal === void 0) throw unreadable("its $error has no code or no message");
    throw new RefusedError(refusal.code, refusal.message);
  }
  return readWelcome(control.body);
}
function readWelcome(body) {
  const { relay = "", relayVersion, bytes = 0, more = 0, host } = body;
  return {
    id: text("id", body.id),
    room: text("room", body.room),
    relay: text("relay", relay),
    relayVersion: typeof relayVersion === "string" ? relayVersion : "",
    session: text("session", body.session),
    timeMs: time(body.time),
    bytes: count("bytes", bytes),
    resumed: body.resumed === true,
    more: count("more", more),
    host: typeof host === "string" ? host : void 0,
    roster: readRoster(body.peers, body.state),
    limits: readLimits(body.limits)
  };
}
function text(name, value) {
  if (typeof value === "string") return value;
  throw unreadable(`its ${name} is not a string`);
}
function time(value) {
  if (isTime(value)) return value;
  throw unreadable("its time is not a number");
}
function count(name, value) {
  if (isCount(value)) return value;
  throw unreadable(`its ${name} is not a count`);
}
function readLimits(limits) {
  const named = isRecord(limits) ? limits : {};
  const read = (name, most) => {
    const value = Object.hasOwn(named, name) ? named[name] : void 0;
    return isPositive(value) ? Math.min(Math.max(value, 1), most) : DEFAULT_LIMITS[name];
  };
  return {
    maxLineBytes: read("maxLineBytes", Number.MAX_SAFE_INTEGER),
    windowBytes: read("windowBytes", Number.MAX_SAFE_INTEGER),
    maxLagMs: read("maxLagMs", MAX_LIMIT_MS),
    pingTimeoutMs: Math.max(read("pingTimeoutMs", MAX_LIMIT_MS), MIN_PING_TIMEOUT_MS),
    maxKeys: read("maxKeys", Number.MAX_SAFE_INTEGER),
    maxValueBytes: read("maxValueBytes", Number.MAX_SAFE_INTEGER)
  };
}
function isPositive(value) {
  return typeof value === "number" && value > 0;
}
function unreadable(why) {
  return new TypeError(`the relay's answer can't be understood, ${why}`);
}

// src/client/session/opening.ts
var WELCOME_TIMEOUT_MS = 3e3;
var KNOWN_TIMEOUT_MS = 1e4;
var HELD_MS = 240;
var MAX_ANSWER_BYTES = 64 * 1024;
var MAX_MORE_LINES = 1e6;
var MAX_WELCOME_MS = 12e4;
var ACK_SHARE = 1 / 2;
var WELCOME_OPENING = `{"$welcome":`;
var NOTHING = new Uint8Array(0);
async function openSession(pipe, options) {
  const attempt = new Attempt();
  try {
    return await attempt.race(new Opening(pipe, options, attempt).run());
  } finally {
    attempt.end();
  }
}
var Opening = class {
  #pipe;
  #options;
  #attempt;
  #lines;
  /** Whether a line came that may have been the answer, or somebody else's imitation. */
  #isDoubtful = false;
  /** The first line, if it is none of a relay: another program listens there. */
  #strange;
  constructor(pipe, options, attempt) {
    this.#pipe = pipe;
    this.#options = options;
    this.#attempt = attempt;
    this.#lines = new FirstLines(pipe, attempt);
  }
  async run() {
    const { welcomeTimeoutMs, isKnown, now: now2, ...hello } = this.#options;
    const timeoutMs = welcomeTimeoutMs ?? (isKnown ? KNOWN_TIMEOUT_MS : WELCOME_TIMEOUT_MS);
    const nonce = makeNonce();
    this.#attempt.expect(timeoutMs, () => this.#describeSilence(timeoutMs));
    const sentAtMs = now2();
    await this.#pipe.write(encodeHello({
      ...hello,
      nonce
    }));
    const welcome = await this.#findAnswer(nonce);
    const receivedAtMs = now2();
    const start = this.#lines.bytes;
    const isResumed = welcome.resumed && hello.resume !== void 0;
    const written = isResumed ? [] : await this.#readMore(welcome);
    const { bytes, rest } = this.#lines;
    return {
      welcome,
      sentAtMs,
      receivedAtMs,
      streamBytes: bytes - start,
      written,
      rest
    };
  }
  async #findAnswer(nonce) {
    for (; ; ) {
      const line = await this.#lines.next(MAX_ANSWER_BYTES);
      if (line === void 0) throw new Error(this.#describeEnd());
      if (this.#lines.count === 1 && !isJson(line)) this.#strange = line;
      if (!line.startsWith(WELCOME_OPENING) && !line.startsWith(ERROR_OPENING)) continue;
      const isSurelyTheRelay = this.#lines.count === 1 && this.#pipe.ageMs() < HELD_MS;
      const welcome = readAnswer(line, nonce, isSurelyTheRelay);
      if (welcome !== void 0) return welcome;
      this.#isDoubtful = true;
    }
  }
  /**
   * Reads the lines that belong to a welcome, and acknowledges them: that is a sign of life, too. Returns
   * what it wrote.
   */
  async #readMore({ more, roster, limits: { windowBytes, pingTimeoutMs } }) {
    const { maxLineBytes } = this.#options;
    if (more > MAX_MORE_LINES) {
      throw new Error(`its $welcome announces ${more} lines, ${MAX_MORE_LINES} are allowed`);
    }
    const start = this.#lines.bytes, beganAtMs = performance.now();
    const written = [];
    let ackedBytes = 0, ackedAtMs = beganAtMs;
    let seenReads = -1;
    for (let left = more; left > 0; ) {
      if (seenReads !== this.#lines.reads) {
        seenReads = this.#lines.reads;
        const restMs = beganAtMs + MAX_WELCOME_MS - performance.now();
        this.#attempt.expect(Math.min(pingTimeoutMs, restMs), () => "its $welcome stopped in the middle");
      }
      const line = await this.#lines.next(maxLineBytes);
      if (line === void 0) {
        throw new Error("the relay closed the connection in the middle of its $welcome");
      }
      const control = readControlLine(line);
      if (control === void 0) continue;
      followControl(roster, control, line.length);
      left--;
      const bytes = this.#lines.bytes - start, nowMs = performance.now();
      if (bytes - ackedBytes < windowBytes * ACK_SHARE && nowMs - ackedAtMs < pingTimeoutMs * ACK_SHARE) {
        continue;
      }
      const ack = encodeControl("ack", {
        bytes
      });
      await this.#pipe.write(ack);
      written.push(ack);
      [ackedBytes, ackedAtMs] = [
        bytes,
        nowMs
      ];
    }
    return written;
  }
  #describeSilence(timeoutMs) {
    const within = `within ${timeoutMs / 1e3} s`;
    if (this.#isDoubtful) return DOUBTFUL;
    if (this.#strange !== void 0) return describeStranger(this.#strange);
    if (this.#options.isKnown) {
      return `no $welcome ${within}, the relay takes connections but does not answer`;
    }
    const older = `no $welcome ${within}, this looks like an older relay, connect with { plain: true } to speak to it`;
    return this.#lines.bytes > 0 ? older : `${older}, or like one that hangs`;
  }
  #describeEnd() {
    if (this.#isDoubtful) return DOUBTFUL;
    if (this.#strange !== void 0) return describeStranger(this.#strange);
    const tls = this.#options.isKnown ? "" : ", if it serves TLS, connect with { tls: true }";
    return `the relay closed the connection before its $welcome${tls}`;
  }
};
var DOUBTFUL = "what looked like the answer to the hello may be another client's: it came late and without the hello's nonce, which relays before version 0.2 don't repeat";
function describeStranger(line) {
  return `it says ${quote(line.trimEnd())}, which no relay does, is the port right`;
}
function isJson(line) {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
var FirstLines = class {
  #pipe;
  #attempt;
  #chunk = NOTHING;
  /** The bytes of the lines that `next()` has returned, LF included; their number; how often was read. */
  bytes = 0;
  count = 0;
  reads = 0;
  constructor(pipe, attempt) {
    this.#pipe = pipe;
    this.#attempt = attempt;
  }
  /** What was received behind the last line. */
  get rest() {
    return this.#chunk;
  }
  /**
   * Waits for the next line and returns it without its LF, "" for one that is longer than allowed;
   * `undefined` when the connection has ended.
   */
  async next(maxBytes) {
    const parts = [];
    let length = 0;
    for (; ; ) {
      const end = this.#chunk.indexOf(LF);
      const part = end < 0 ? this.#chunk : this.#chunk.subarray(0, end);
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else parts.length = 0;
      if (end >= 0) {
        this.#chunk = this.#chunk.subarray(end + 1);
        this.bytes += length + 1;
        this.count++;
        return decodeUtf8(concat(parts));
      }
      this.#chunk = NOTHING;
      const bytes = await this.#pipe.read();
      if (this.#attempt.isOver) throw this.#attempt.error;
      if (bytes === null) return void 0;
      this.reads++;
      this.#chunk = bytes.slice();
    }
  }
};

// src/client/session/heartbeat.ts
var FIRST_PINGS = 8;
var FIRST_PINGS_MS = 50;
var ACTIVE_PING_MS = 1e3;
var IDLE_PING_MS = 5e3;
var BLOCKED_MS = 250;
var Heartbeat = class {
  #timeoutMs;
  #pings = 0;
  #lastTickMs;
  #plannedMs = 0;
  #sincePingMs = Infinity;
  #silentMs = 0;
  #unblockedAtMs = -Infinity;
  /** Set when events go or come; cleared with each ping. */
  isActive = true;
  /**
   * Makes a heartbeat whose first tick is due at once; `timeoutMs` is how long the other side may be silent.
   */
  constructor(timeoutMs, nowMs) {
    this.#timeoutMs = timeoutMs;
    this.#lastTickMs = nowMs;
  }
  /** Plans the next tick: returns how long to wait for it, in ms. */
  planTick() {
    const periodMs2 = this.#pings < FIRST_PINGS ? FIRST_PINGS_MS : ACTIVE_PING_MS;
    return this.#plannedMs = Math.min(periodMs2, this.#timeoutMs / 3);
  }
  /** Notes that something was received. */
  noteReceived() {
    this.#silentMs = 0;
  }
  /** Takes a tick and says what to do. */
  tick(nowMs) {
    const elapsedMs = nowMs - this.#lastTickMs;
    if (this.#isLate(nowMs)) this.#unblockedAtMs = nowMs;
    this.#silentMs += Math.min(elapsedMs, this.#plannedMs + BLOCKED_MS);
    this.#sincePingMs += elapsedMs;
    this.#lastTickMs = nowMs;
    const idleMs = Math.min(IDLE_PING_MS, this.#timeoutMs / 3);
    const isPingDue = this.#pings < FIRST_PINGS || this.isActive || this.#sincePingMs + this.#plannedMs / 2 >= idleMs;
    if (isPingDue) {
      this.#pings++;
      this.#sincePingMs = 0;
      this.isActive = false;
    }
    return {
      isPingDue,
      isDead: this.#silentMs >= this.#timeoutMs
    };
  }
  /**
   * Tells whether the answer to a ping sent then, read now, measures the network: not if the program was
   * blocked.
   */
  isMeasure(sentMs, nowMs) {
    return sentMs > this.#unblockedAtMs && !this.#isLate(nowMs);
  }
  #isLate(nowMs) {
    return nowMs - this.#lastTickMs > this.#plannedMs + BLOCKED_MS;
  }
};

// src/client/session/pinger.ts
var RIDE_MS = 100;
var SLEPT_MS = 5e3;
var WAKE_TIMEOUT_MS = 3e3;
var WAKE_FRESH_MS = 1e3;
var WAKE_LATE_MS = 250;
var Pinger = class {
  #options;
  #heartbeat;
  #timer;
  #rideTimer;
  #wakeTimer;
  #wokenAtMs = 0;
  #judgeAtMs = 0;
  #receivedAtMs = -Infinity;
  #seenChanges;
  #wallNow;
  /** When the next tick is due, by the clock on the wall. */
  #dueWallMs = Infinity;
  /** Makes a pinger that waits for `start()`. */
  constructor(options) {
    this.#options = options;
    this.#wallNow = options.wallNow ?? (() => Date.now());
    this.#heartbeat = new Heartbeat(options.timeoutMs, options.now());
    this.#seenChanges = options.countChanges();
  }
  /** Begins with a ping. */
  start() {
    this.#tick();
  }
  /** Ends all timers. */
  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#rideTimer);
    clearTimeout(this.#wakeTimer);
    this.#wakeTimer = void 0;
  }
  /**
   * Asks at once whether the other side is still there, and gives it little time for an answer: a machine
   * that slept, or a page that was away, may have a connection of which nothing is left.
   */
  wake() {
    if (this.#wakeTimer !== void 0) return;
    const { now: now2, onTick, flush } = this.#options;
    this.#wokenAtMs = now2();
    this.#planJudgement();
    onTick(true);
    flush();
  }
  /** Notes that bytes were received: a sign of life. */
  noteReceived() {
    this.#heartbeat.noteReceived();
    if (this.#wakeTimer !== void 0) this.#receivedAtMs = this.#options.now();
  }
  /** Notes the answer to a ping that was sent then. */
  notePong(sentAtMs) {
    if (this.#wakeTimer === void 0 || sentAtMs < this.#wokenAtMs) return;
    clearTimeout(this.#wakeTimer);
    this.#wakeTimer = void 0;
  }
  /** Notes that an event was received: pings come often while there are some. */
  noteEvent() {
    this.#heartbeat.isActive = true;
  }
  /** Tells whether the answer to a ping sent at `sentMs`, read now, measures the network. */
  isMeasure(sentMs, nowMs) {
    return this.#heartbeat.isMeasure(sentMs, nowMs);
  }
  get #wakeTimeoutMs() {
    return Math.min(this.#options.timeoutMs, WAKE_TIMEOUT_MS);
  }
  #planJudgement() {
    this.#judgeAtMs = this.#options.now() + this.#wakeTimeoutMs;
    this.#wakeTimer = setTimeout(this.#judge, this.#wakeTimeoutMs);
  }
  #judge = () => {
    const nowMs = this.#options.now();
    if (nowMs - this.#judgeAtMs > WAKE_LATE_MS) return this.#planJudgement();
    this.#wakeTimer = void 0;
    if (nowMs - this.#receivedAtMs <= WAKE_FRESH_MS) return;
    const seconds = this.#wakeTimeoutMs / 1e3;
    this.#options.onDead(new Error(`nothing was heard of the relay for ${seconds} s after a pause`));
  };
  #tick = () => {
    if (this.#wallNow() - this.#dueWallMs > SLEPT_MS) this.wake();
    const { timeoutMs, now: now2, countChanges, onTick, flush, onDead } = this.#options;
    const changes = countChanges();
    const isSending = changes !== this.#seenChanges;
    if (isSending) this.#heartbeat.isActive = true;
    this.#seenChanges = changes;
    const { isPingDue, isDead } = this.#heartbeat.tick(now2());
    if (isDead) return onDead(new Error(`nothing was heard of the relay for ${timeoutMs / 1e3} s`));
    onTick(isPingDue);
    if (isPingDue && !isSending) flush();
    else if (isPingDue) {
      this.#rideTimer ??= setTimeout(() => {
        this.#rideTimer = void 0;
        flush();
      }, RIDE_MS);
    }
    const waitMs = this.#heartbeat.planTick();
    this.#dueWallMs = this.#wallNow() + waitMs;
    this.#timer = setTimeout(this.#tick, waitMs);
  };
};

// src/client/session/read_position.ts
var RIDE_SHARE = 1 / 2;
var ALONE_SHARE = 3 / 4;
var READS_AFTER_GAP = 2;
var ReadPosition = class {
  #bytes = 0;
  #lineEndBytes = 0;
  /** How many reads are to be acknowledged at once, the one that is under way among them. */
  #readsToAck = 0;
  /** The bytes of the stream up to the end of the last whole line. */
  get lineEndBytes() {
    return this.#lineEndBytes;
  }
  /** Notes that these bytes have been read. */
  add(bytes) {
    const lastLf = bytes.lastIndexOf(LF);
    if (lastLf >= 0) this.#lineEndBytes = this.#bytes + lastLf + 1;
    this.#bytes += bytes.length;
    if (this.#readsToAck > 0) this.#readsToAck--;
  }
  /** Notes that the read under way tells of a gap. */
  noteGap() {
    this.#readsToAck = READS_AFTER_GAP + 1;
  }
  /** Goes on behind the last whole line: its rest comes again, on another connection. */
  resume() {
    this.#bytes = this.#lineEndBytes;
  }
  /** Begins with another stream, of which so many bytes, whole lines, have been read. */
  restart(bytes) {
    this.#bytes = this.#lineEndBytes = bytes;
  }
  /** Says whether an acknowledgement is due, and how it is to go out. */
  dueAck(ackedBytes, windowBytes) {
    if (this.#readsToAck > 0) return "alone";
    const share = (this.#lineEndBytes - ackedBytes) / windowBytes;
    return share >= ALONE_SHARE ? "alone" : share >= RIDE_SHARE ? "with events" : void 0;
  }
};

// src/client/session/room_values.ts
function noteRoomValue(outbox, id, { key, value, from, room }) {
  if (room !== true || typeof key !== "string") return;
  if (from !== id) return outbox.room.forget(key);
  let json;
  try {
    json = JSON.stringify(value);
  } catch {
    return;
  }
  outbox.noteEcho(key, json);
  if (json === void 0) outbox.room.forget(key);
  else outbox.room.keep(key, json);
}
function settleRoom(room, present, changes, isOtherRelay) {
  for (const [key, json] of changes) if (json === void 0) room.forget(key);
  if (isOtherRelay) room.setAgainWhereMissing(present);
  else room.giveUp();
  return [
    ...changes
  ].filter(([key, json]) => {
    if (room.isNews(key)) return false;
    const isThere = Object.hasOwn(present, key);
    return json === void 0 ? isThere : !isThere || !isSameJson(present[key], JSON.parse(json));
  }).map(([key]) => key);
}

// src/client/session/own_state.ts
var OwnState = class {
  /** Whether it is the room's. */
  isRoom;
  /** The values that are this program's, as it wants them to be. */
  #values = /* @__PURE__ */ new Map();
  /** The same as the relay has taken them. */
  #settled = /* @__PURE__ */ new Map();
  /** The keys that the relay has not been told about, the one that has waited longest first… */
  #news = /* @__PURE__ */ new Set();
  /** …and those of them that are to be removed. */
  #removals = /* @__PURE__ */ new Set();
  /** The keys of the room whose values go when this program leaves. */
  #held = /* @__PURE__ */ new Set();
  /** Makes an empty state; that of a room is marked so on the wire. */
  constructor(isRoom) {
    this.isRoom = isRoom;
  }
  /** The number of keys that have a value. */
  get size() {
    return this.#values.size;
  }
  /** The number of keys to tell the relay about. */
  get newsLength() {
    return this.#news.size;
  }
  /** The keys to tell the relay about. */
  get newsKeys() {
    return this.#news;
  }
  /** Whether the key has a value. */
  has(key) {
    return this.#values.has(key);
  }
  /** Makes an object, without a prototype, of all that is set. */
  values() {
    const values = /* @__PURE__ */ Object.create(null);
    for (const [key, json] of this.#values) values[key] = JSON.parse(json);
    return values;
  }
  /** Whether the relay has not been told about the key's newest value, or its removal. */
  isNews(key) {
    return this.#news.has(key);
  }
  /** Sets a key to a value, given as JSON; `undefined` removes the key. */
  set(key, json) {
    put(this.#values, key, json);
    this.#news.add(key);
    if (json === void 0) this.#removals.add(key);
    else this.#removals.delete(key);
  }
  /** Says whether a key's value is to go when this program leaves. */
  hold(key, isHeld) {
    if (isHeld) this.#held.add(key);
    else this.#held.delete(key);
  }
  /**
   * Notes that a value of this program's stands there: it is this program's to set again. What it has said
   * since stays.
   */
  keep(key, json) {
    if (!this.#news.has(key) && !this.#values.has(key)) this.#values.set(key, json);
  }
  /**
   * Notes that somebody else's value stands there now, or none; what the relay has not been told yet stays.
   */
  forget(key) {
    this.#settled.delete(key);
    if (this.#news.has(key)) return;
    this.#values.delete(key);
    this.#held.delete(key);
  }
  /** Notes that the relay has taken a value, or a removal. */
  settle(key, json) {
    put(this.#settled, key, json);
  }
  /**
   * Notes that the relay refused the newest value that it was told for a key: what it had taken before is
   * what holds. `told` is a newer value that it may still take, if there is one. What is news stays.
   */
  refuse(key, told) {
    if (this.#news.has(key)) return;
    put(this.#values, key, told === void 0 ? this.#settled.get(key) : told.json);
  }
  /** Makes every value one to tell about again: nothing of it is settled in another session. */
  setAgain() {
    this.#settled.clear();
    for (const key of this.#values.keys()) this.#news.add(key);
  }
  /** Does the same, but gives up the keys where somebody's value stands already. */
  setAgainWhereMissing(present) {
    this.#settled.clear();
    for (const key of [
      ...this.#values.keys()
    ]) {
      if (key in present) this.forget(key);
      else this.#news.add(key);
    }
  }
  /** Gives up every value that the relay was told: others may have changed them. What is news stays. */
  giveUp() {
    for (const key of [
      ...this.#values.keys()
    ]) this.forget(key);
    this.#settled.clear();
  }
  /**
   * Takes the line that tells about the key that has waited longest, or `undefined`. Removals go first: so
   * the relay never has more keys than there were here at a time.
   */
  takeLine() {
    const [key] = this.#removals.size > 0 ? this.#removals : this.#news;
    if (key === void 0) return void 0;
    this.#news.delete(key);
    this.#removals.delete(key);
    const json = this.#values.get(key), isHeld = json !== void 0 && this.#held.has(key);
    return {
      line: encodeSet(key, json, {
        isRoom: this.isRoom,
        isHeld
      }),
      key,
      json
    };
  }
};
function put(map, key, json) {
  if (json === void 0) map.delete(key);
  else map.set(key, json);
}

// src/client/session/told_sets.ts
var ToldSets = class {
  /** The lines that the relay has not counted, the oldest first. */
  #byLine = /* @__PURE__ */ new Map();
  #roomChanges = /* @__PURE__ */ new Map();
  /**
   * Notes that a line sets a key of `state` to a value, given as JSON, or removes it.
   *
   * @param line its number on this connection
   * @param end where it ends in the session's stream
   */
  note(line, end, state, key, json) {
    const told = {
      state,
      key,
      json,
      end
    };
    this.#byLine.set(line, told);
    if (state.isRoom) this.#roomChanges.set(key, told);
  }
  /** Notes that the relay has counted so many bytes of the stream: what was set in them is settled. */
  confirm(bytes) {
    for (const [line, told] of this.#byLine) {
      if (told.end > bytes) break;
      this.#byLine.delete(line);
      told.state.settle(told.key, told.json);
      this.#forgetChange(told);
    }
  }
  /** Notes that the relay tells of a change of the room's that this program has made: it has arrived. */
  noteEcho(key, json) {
    const change = this.#roomChanges.get(key);
    if (change !== void 0 && change.json === json) this.#roomChanges.delete(key);
  }
  /**
   * Takes the value of a refused line out of the state that it was told of: what the relay had taken before
   * holds. Returns whose value it was, or `undefined` if the line was another one.
   */
  refuse(line) {
    const refused = this.#byLine.get(line);
    if (refused === void 0) return void 0;
    this.#byLine.delete(line);
    this.#forgetChange(refused);
    const { state, key } = refused;
    let newest;
    for (const told of this.#byLine.values()) if (told.state === state && told.key === key) newest = told;
    state.refuse(key, newest);
    return {
      key,
      isRoom: state.isRoom
    };
  }
  /** Forgets the lines, but not the room's changes: on another connection lines have other numbers. */
  forgetLines() {
    this.#byLine.clear();
  }
  /**
   * Takes the last change of each key of the room that may not have arrived: as JSON, or undefined for a
   * removal.
   */
  takeRoomChanges() {
    const changes = new Map(Array.from(this.#roomChanges, ([key, { json }]) => [
      key,
      json
    ]));
    this.#roomChanges = /* @__PURE__ */ new Map();
    return changes;
  }
  /**
   * The keys of the room that were given a value by a line which the relay has not counted; some may come
   * twice.
   */
  *roomKeys() {
    for (const { state, key, json } of this.#byLine.values()) {
      if (state.isRoom && json !== void 0) yield key;
    }
  }
  #forgetChange(told) {
    if (this.#roomChanges.get(told.key) === told) this.#roomChanges.delete(told.key);
  }
};
var SET_START = new TextEncoder().encode('{"$set":');
function readSet(line) {
  if (!startsAt(line, 0, SET_START)) return void 0;
  const { key, value, room } = JSON.parse(decodeUtf8(line)).$set;
  return {
    key,
    json: JSON.stringify(value),
    isRoom: room === true
  };
}

// src/client/session/session_outbox.ts
var MAX_UNCONFIRMED_BYTES = 1024 * 1024;
var EARLY_PING_SHARE = 1 / 4;
var STATE_SHARE = 1 / 2;
var SessionOutbox = class {
  #maxUnconfirmedBytes;
  #measure;
  #isWanted;
  #now;
  #waiting = new LineQueue();
  /** Control lines that wait: questions to the relay, and who is to be host. */
  #asks = new LineQueue();
  #owed = new LineQueue();
  #sent = new Queue();
  /**
   * The position in the stream to the relay: of the end of what was handed out, of what is confirmed, of the
   * last ping.
   */
  #sentBytes = 0;
  #confirmedBytes = 0;
  #pingedBytes = 0;
  #batchBytesLeft = 0;
  /** The lines of this connection so far, as the relay numbers them: the hello is the first. */
  #lineNumber = 1;
  #toldSets = new ToldSets();
  /** The events handed out that `confirm()` has not reported yet, and those that never will be. */
  #uncounted = {
    lines: 0,
    bytes: 0
  };
  #cleared = {
    lines: 0,
    bytes: 0
  };
  #ackBytes;
  #isPingDue = false;
  #isEnding = false;
  #hasSaidBye = false;
  #hasLeft = false;
  /** What this member has set of its own state. */
  member = new OwnState(false);
  /** What this member has set of the room's state. */
  room = new OwnState(true);
  /** False while the session is being opened: only acknowledgements go out. */
  isOpen = false;
  /** The received bytes that were acknowledged last. */
  ackedBytes = 0;
  /** What was given to `push()` and `set()`, ever. */
  changes = 0;
  /**
   * Makes an empty outbox; `now` is the clock that pings are stamped with, in ms, `measure` says what they
   * tell the relay beside that, and `isWanted` whether a control line that waits is still to be written: not
   * if it asks a question that was given up.
   */
  constructor(now2, maxUnconfirmedBytes = MAX_UNCONFIRMED_BYTES, measure = () => ({}), isWanted = () => true) {
    this.#now = now2;
    this.#maxUnconfirmedBytes = maxUnconfirmedBytes;
    this.#measure = measure;
    this.#isWanted = isWanted;
  }
  /** The number of events that have not been handed to the network whole, for the first time. */
  get length() {
    return this.#waiting.length + this.#uncounted.lines;
  }
  /** The bytes of the events that wait. */
  get waitingBytes() {
    return this.#waiting.bytes;
  }
  /** The number of events dropped before they went out. */
  get dropped() {
    return this.#waiting.dropped + this.#cleared.lines;
  }
  /** The bytes of these events. */
  get droppedBytes() {
    return this.#waiting.droppedBytes + this.#cleared.bytes;
  }
  /** The bytes written or being written that the relay has not confirmed. */
  get unconfirmedBytes() {
    return this.#sentBytes - this.#confirmedBytes + this.#owed.bytes;
  }
  /** Whether anything is left to write, the goodbye included. */
  get hasMore() {
    return this.#batchBytesLeft > 0 || this.#hasLines || this.#isEnding && !this.#hasSaidBye;
  }
  /** Appends an event, a line with its LF; drops the oldest that wait while they are over the limit. */
  push(line, limitBytes) {
    this.changes++;
    this.#waiting.push(line, limitBytes);
  }
  /**
   * Appends a control line, which goes out before the events that wait, and behind what was set of the room.
   */
  ask(line) {
    this.changes++;
    this.#asks.push(line, Infinity);
  }
  /**
   * Sets a key of the member or of the room to a value, given as JSON; `undefined` removes it. The newest
   * goes out.
   */
  set(key, json, isRoom) {
    this.changes++;
    const state = isRoom ? this.room : this.member;
    state.set(key, json);
    if (json === void 0) state.hold(key, false);
  }
  /** The keys of the room that this program has given a value which the relay may not have counted yet. */
  *roomKeysUnderWay() {
    for (const key of this.room.newsKeys) if (this.room.has(key)) yield key;
    for (const key of this.#toldSets.roomKeys()) if (!this.room.isNews(key)) yield key;
  }
  /** Asks for a ping in the next batch, at its end: its answer confirms all of the batch. */
  askPing() {
    this.#isPingDue = true;
  }
  /** Asks for an acknowledgement of so many received bytes in the next batch. */
  ack(bytes) {
    this.#ackBytes = bytes;
  }
  /** Makes the goodbye the last line; what waits goes out before it without waiting for confirmation. */
  end() {
    this.#isEnding = true;
  }
  /** Begins the next batch; see {@linkcode LineSource.nextBatch}. */
  nextBatch(maxBytes) {
    const batch = [];
    const start = this.#sentBytes;
    if (this.isOpen) this.#addOwed(batch, maxBytes);
    if (this.#owed.length === 0 || !this.isOpen) this.#addNew(batch, start + maxBytes);
    this.#batchBytesLeft = this.#sentBytes - start;
    return joinLines(batch);
  }
  /**
   * Notes that so many more bytes of the batch went out; returns how many events went out for the first time.
   */
  confirm(bytes) {
    this.#batchBytesLeft -= bytes;
    if (this.#batchBytesLeft > 0) return 0;
    this.#hasLeft = this.#hasSaidBye;
    const { lines } = this.#uncounted;
    this.#uncounted = {
      lines: 0,
      bytes: 0
    };
    return lines;
  }
  /** Notes that the connection ended. What was handed out waits for `resume()` or `restart()`. */
  rewind(limitBytes) {
    this.#batchBytesLeft = 0;
    this.#ackBytes = void 0;
    this.#isPingDue = this.isOpen = false;
    this.#waiting.trim(limitBytes);
  }
  /**
   * Forgets what the relay has counted: so many bytes of this session's stream. More than there are is no
   * count.
   */
  confirmStream(bytes) {
    if (bytes > this.#sentBytes) return;
    this.#toldSets.confirm(bytes);
    for (let line = this.#sent.peek(); line !== void 0; line = this.#sent.peek()) {
      if (this.#confirmedBytes + line.length > bytes) return;
      this.#sent.shift();
      this.#confirmedBytes += line.length;
    }
  }
  /** Notes that the relay tells of a change of the room's that this program has made: it has arrived. */
  noteEcho(key, json) {
    this.#toldSets.noteEcho(key, json);
  }
  /**
   * Takes a refused value out of the own state, whose `$set` was the line of that number on this connection:
   * what the relay had taken before holds. Returns whose value it was, or `undefined` if it was another line.
   */
  refuse(lineNumber) {
    return this.#toldSets.refuse(lineNumber);
  }
  /**
   * Goes on with the session on a new connection, of whose stream the relay has counted so many bytes: what
   * came after is owed. Returns false, and changes nothing that matters, if that can't be.
   */
  resume(bytes) {
    this.confirmStream(bytes);
    if (bytes !== this.#confirmedBytes) return false;
    this.#toldSets.forgetLines();
    this.#lineNumber = 1;
    this.#owed.putBack(this.#sent.takeAll().filter(isWorthRepeating));
    this.#sentBytes = this.#pingedBytes = bytes;
    return true;
  }
  /**
   * Begins another session, of whose stream `written` are the first lines, already out. All own state of the
   * member is told again. Returns what was written of the session before and not confirmed: it may have
   * arrived or not, and is not sent again. What waits goes out, but for who is to be host, and, on another
   * relay, what is for single members: there their ids are others'.
   */
  restart(written = [], isOtherRelay = false) {
    const unconfirmed = this.#takeUnconfirmed();
    this.#toldSets.forgetLines();
    if (isOtherRelay) this.#waiting.keepOnly((line) => !startsAt(line, 0, TO_START));
    for (const lines of [
      this.#asks,
      this.#waiting
    ]) {
      lines.keepOnly((line) => {
        const ask = readAsk(line);
        if (ask !== void 0) unconfirmed.unasked.add(ask);
        return ask !== void 0 || lines !== this.#asks;
      });
    }
    this.#sentBytes = this.#confirmedBytes = this.#pingedBytes = 0;
    this.#lineNumber = 1;
    this.#handOut([], written);
    this.member.setAgain();
    return unconfirmed;
  }
  /** Drops and counts every event that has not gone out whole. */
  clear() {
    this.rewind(0);
    this.#cleared.lines += this.#uncounted.lines;
    this.#cleared.bytes += this.#uncounted.bytes;
    this.#uncounted = {
      lines: 0,
      bytes: 0
    };
  }
  /**
   * Takes, after `clear()`, what nobody will know of: events that were written and not confirmed, and the
   * keys of the room whose last change may not have arrived. That is nothing if the goodbye has gone out.
   */
  takeLeft() {
    const left = this.#takeUnconfirmed();
    for (const key of this.room.newsKeys) left.roomChanges.set(key, void 0);
    if (this.#hasLeft) return {
      lines: 0,
      bytes: 0,
      roomChanges: /* @__PURE__ */ new Map(),
      unasked: /* @__PURE__ */ new Set()
    };
    left.lines = Math.max(0, left.lines - this.#cleared.lines);
    left.bytes = Math.max(0, left.bytes - this.#cleared.bytes);
    return left;
  }
  #takeUnconfirmed() {
    const roomChanges = this.#toldSets.takeRoomChanges();
    const unconfirmed = {
      lines: 0,
      bytes: 0,
      roomChanges,
      unasked: /* @__PURE__ */ new Set()
    };
    for (const line of [
      ...this.#sent.takeAll(),
      ...this.#owed.takeAll()
    ]) {
      if (isControlLine(line, 0) && !startsAt(line, 0, TO_START)) continue;
      unconfirmed.lines++;
      unconfirmed.bytes += line.length;
    }
    return unconfirmed;
  }
  get #hasLines() {
    return this.#owed.length + this.#asks.length + this.#waiting.length + this.member.newsLength + this.room.newsLength > 0 || this.#isPingDue || this.#ackBytes !== void 0;
  }
  #addOwed(batch, maxBytes) {
    const owed = [];
    this.#owed.moveTo(owed, maxBytes);
    for (const line of owed) {
      this.#handOut(batch, [
        line
      ]);
      const set = readSet(line);
      if (set !== void 0) this.#noteSet(set.isRoom ? this.room : this.member, set.key, set.json);
    }
  }
  /** Appends lines that go out for the first time, up to a place in the stream. */
  #addNew(batch, end) {
    if (this.#ackBytes !== void 0) {
      this.#handOut(batch, [
        encodeControl("ack", {
          bytes: this.#ackBytes
        })
      ]);
      this.ackedBytes = this.#ackBytes;
      this.#ackBytes = void 0;
    }
    if (!this.isOpen) return;
    if (this.#isEnding || this.#sentBytes - this.#confirmedBytes < this.#maxUnconfirmedBytes) {
      this.#addState(batch, end);
      if (this.room.newsLength === 0) {
        this.#handOut(batch, this.#asks.takeAll().filter((line) => this.#isWanted(readAsk(line))));
      }
      const events = [];
      this.#uncounted.bytes += this.#waiting.moveTo(events, end - this.#sentBytes);
      this.#uncounted.lines += events.length;
      this.#handOut(batch, events);
    }
    const unpingedBytes = this.#sentBytes - this.#pingedBytes;
    if (this.#isPingDue || unpingedBytes > this.#maxUnconfirmedBytes * EARLY_PING_SHARE) {
      this.#isPingDue = false;
      this.#handOut(batch, [
        encodeControl("ping", {
          t: this.#now(),
          ...this.#measure()
        })
      ]);
      this.#pingedBytes = this.#sentBytes;
    }
    if (this.#isEnding && !this.#hasSaidBye && !this.#hasLines) {
      this.#hasSaidBye = true;
      this.#handOut(batch, [
        encodeControl("bye", {})
      ]);
    }
  }
  #addState(batch, end) {
    const roomBytes = end - this.#sentBytes;
    const stateEnd = this.#waiting.length > 0 ? end - roomBytes * (1 - STATE_SHARE) : end;
    for (const state of [
      this.room,
      this.member
    ]) {
      while (this.#sentBytes < stateEnd) {
        const set = state.takeLine();
        if (set === void 0) break;
        this.#handOut(batch, [
          set.line
        ]);
        this.#noteSet(state, set.key, set.json);
      }
    }
  }
  /** Gives lines their place in the stream, and keeps them until they are confirmed. */
  #handOut(batch, lines) {
    for (const line of lines) {
      batch.push(line);
      this.#sent.push(line);
      this.#sentBytes += line.length;
      this.#lineNumber++;
    }
  }
  /** Remembers that the line handed out last sets a key. */
  #noteSet(state, key, json) {
    this.#toldSets.note(this.#lineNumber, this.#sentBytes, state, key, json);
  }
};
var encoder8 = new TextEncoder();
var TO_START = encoder8.encode('{"$to":');
var PING_START = encoder8.encode('{"$ping":');
var ACK_START = encoder8.encode('{"$ack":');
function isWorthRepeating(line) {
  return !startsAt(line, 0, PING_START) && !startsAt(line, 0, ACK_START);
}

// src/client/session/clock.ts
var CLOCK_SAMPLES = 8;
var SLEW_RATE = 5e-3;
var MAX_DRIFT = 1e-4;
var FAR_MS = 128;
var MAX_SLEW_MS = 20;
var MAX_STANDSTILL_MS = 1500;
var RESOLUTION_MS = 2;
var RTT_GAIN = 1 / 8;
var JITTER_GAIN = 1 / 16;
var RelayClock = class {
  #samples = [];
  #best;
  #known;
  // The correction in force: at local time #sinceMs the clock was #offsetMs ahead of the local one, and has
  // been on its way to #targetMs since: the offset of #best, as far as all samples allow.
  #offsetMs = NaN;
  #targetMs = NaN;
  #sinceMs = NaN;
  #lastToldMs = -Infinity;
  #transitMs = NaN;
  #rttMs = NaN;
  #jitterMs = 0;
  #sampleCount = 0;
  #epoch = 0;
  /**
   * Takes a sample. Samples come in the order in which their answers were received.
   *
   * A sample that no drift can bring into line with the others shows that one of the clocks was set, or stood
   * still while the computer slept: earlier samples are forgotten, and the clock slews to the new one. If it
   * is out by more than {@linkcode FAR_MS} (another relay, or restarted on another clock), the clock begins
   * anew as if `reset()` had been called before. A late answer alone never does that: it makes the round trip
   * longer, and what a long round trip says is compatible with much.
   *
   * @param isMeasure whether the round trip is the network's; false if the answer lay there unread for a
   * while, then round trip and jitter stay what they are
   * @throws {TypeError} if a time is not a finite number.
   * @throws {RangeError} if the answer was received before the question was sent.
   */
  addSample(sample, isMeasure = true) {
    const { sentAtMs, receivedAtMs, relayTimeMs } = sample;
    for (const [name, value] of Object.entries({
      sentAtMs,
      receivedAtMs,
      relayTimeMs
    })) {
      if (!Number.isFinite(value)) {
        throw new TypeError(`Cannot add clock sample: ${name} is ${value}, finite numbers are allowed`);
      }
    }
    if (receivedAtMs < sentAtMs) {
      throw new RangeError(`Cannot add clock sample: receivedAtMs is ${receivedAtMs}, sentAtMs (${sentAtMs}) or later is allowed`);
    }
    const measured = {
      offsetMs: relayTimeMs - (sentAtMs + receivedAtMs) / 2,
      rttMs: receivedAtMs - sentAtMs,
      sentAtMs
    };
    const outOfReachMs = this.#narrow(measured, receivedAtMs);
    if (outOfReachMs > 0) {
      if (outOfReachMs > FAR_MS) this.reset();
      this.#samples = [];
      this.#transitMs = NaN;
      this.#known = allowedBy(measured, receivedAtMs);
    }
    this.#sampleCount += 1;
    if (isMeasure || Number.isNaN(this.#rttMs)) {
      this.#measureNetwork(measured.rttMs, receivedAtMs - relayTimeMs);
    }
    this.#choose(measured, receivedAtMs);
  }
  /**
   * Tells the relay's clock at a local time, in ms since 1970 with fractions; NaN before the first sample.
   * Never less than it has told before in this `epoch`, also for an earlier `localMs`.
   */
  now(localMs) {
    if (this.#best === void 0) return NaN;
    this.#lastToldMs = this.#toldMs(localMs);
    return this.#lastToldMs;
  }
  /**
   * Forgets the samples but not the time that is shown: the next sample alone decides, and until then the
   * error has no bound. For who has reason to doubt them, such as a stream that has been too old for longer
   * than a few answers. Does nothing before the first sample.
   */
  doubt() {
    if (this.#known === void 0) return;
    this.#samples = [];
    this.#known = {
      leastMs: -Infinity,
      mostMs: Infinity,
      atMs: this.#known.atMs
    };
  }
  /**
   * Bounds how far `now()` may be from the relay's clock at a local time, in ms, by what all samples allow:
   * at most half the shortest round trip, the time since then times {@linkcode MAX_DRIFT}, and what is left
   * to correct. NaN before the first sample.
   */
  errorBoundMs(localMs) {
    if (this.#best === void 0) return NaN;
    const { leastMs, mostMs } = grown(this.#known, localMs);
    const toldMs = this.#toldMs(localMs) - localMs;
    return Math.max(toldMs - leastMs, mostMs - toldMs);
  }
  /**
   * Forgets all samples, round trip and jitter, and begins a new `epoch`: for another relay. Not needed after
   * a lost connection.
   */
  reset() {
    this.#samples = [];
    this.#best = this.#known = void 0;
    this.#offsetMs = this.#targetMs = this.#sinceMs = this.#transitMs = this.#rttMs = NaN;
    this.#lastToldMs = -Infinity;
    this.#jitterMs = 0;
    this.#sampleCount = 0;
    this.#epoch += 1;
  }
  /** How often the clock has begun anew. `now()` never decreases while this stays the same. */
  get epoch() {
    return this.#epoch;
  }
  /** How many samples there have been in this epoch. */
  get sampleCount() {
    return this.#sampleCount;
  }
  /**
   * What the relay's clock is ahead of the local one, in ms, by the chosen sample; `now()` may still be on
   * its way there. NaN before the first.
   */
  get offsetMs() {
    return this.#best?.offsetMs ?? NaN;
  }
  /**
   * The round trip of the chosen sample, in ms; half of it bounds the error of `offsetMs` when it was taken.
   * NaN before the first.
   */
  get bestRttMs() {
    return this.#best?.rttMs ?? NaN;
  }
  /**
   * The round trip, in ms, smoothed as TCP does it: 7/8 of what it was and 1/8 of the new one (RFC 6298,
   * section 2). NaN before the first.
   */
  get rttMs() {
    return this.#rttMs;
  }
  /**
   * The jitter of the way from the relay to here, in ms: the mean of how much the time under way changes from
   * one answer to the next, with a gain of 1/16 (RFC 3550, section 6.4.1). 0 until there are two samples.
   */
  get jitterMs() {
    return this.#jitterMs;
  }
  /**
   * Takes into account what a sample allows, and returns by how many ms it contradicts the earlier ones; 0 or
   * less if one clock can have made all of them.
   */
  #narrow(measured, localMs) {
    const allowed = allowedBy(measured, localMs);
    if (this.#known === void 0) {
      this.#known = allowed;
      return 0;
    }
    const known = grown(this.#known, localMs);
    const leastMs = Math.max(known.leastMs, allowed.leastMs), mostMs = Math.min(known.mostMs, allowed.mostMs);
    this.#known = {
      leastMs: Math.min(leastMs, mostMs),
      mostMs: Math.max(leastMs, mostMs),
      atMs: localMs
    };
    return leastMs - mostMs - RESOLUTION_MS;
  }
  #measureNetwork(rttMs, transitMs) {
    this.#rttMs = Number.isNaN(this.#rttMs) ? rttMs : this.#rttMs + RTT_GAIN * (rttMs - this.#rttMs);
    if (!Number.isNaN(this.#transitMs)) {
      this.#jitterMs += JITTER_GAIN * (Math.abs(transitMs - this.#transitMs) - this.#jitterMs);
    }
    this.#transitMs = transitMs;
  }
  #choose(measured, localMs) {
    const shownMs = this.#shownOffsetMs(localMs);
    this.#samples = [
      measured,
      ...this.#samples.slice(0, CLOCK_SAMPLES - 1)
    ];
    this.#best = this.#samples.reduce((a, b) => boundMs(b, localMs) < boundMs(a, localMs) ? b : a);
    const { leastMs, mostMs } = this.#known;
    this.#targetMs = Math.min(Math.max(this.#best.offsetMs, leastMs), mostMs);
    this.#sinceMs = localMs;
    if (this.#sampleCount <= CLOCK_SAMPLES) return this.#step(this.#targetMs, localMs);
    const isProvedWrong = shownMs < leastMs - MAX_SLEW_MS || shownMs > mostMs + MAX_SLEW_MS;
    if (isProvedWrong) this.#step(Math.min(Math.max(shownMs, leastMs), mostMs), localMs);
    else this.#offsetMs = shownMs;
  }
  /** Shows another offset from now on. */
  #step(offsetMs, localMs) {
    this.#offsetMs = offsetMs;
    if (this.#lastToldMs - (localMs + offsetMs) <= MAX_STANDSTILL_MS) return;
    this.#lastToldMs = -Infinity;
    this.#epoch += 1;
  }
  /** Says what the clock is ahead of the local one, on its way from the old offset to the chosen one. */
  #shownOffsetMs(localMs) {
    if (this.#best === void 0) return NaN;
    const missingMs = this.#targetMs - this.#offsetMs;
    const slewedMs = SLEW_RATE * Math.max(0, localMs - this.#sinceMs);
    return Math.abs(missingMs) <= slewedMs ? this.#targetMs : this.#offsetMs + Math.sign(missingMs) * slewedMs;
  }
  #toldMs(localMs) {
    return Math.max(this.#lastToldMs, localMs + this.#shownOffsetMs(localMs));
  }
};
function boundMs(sample, localMs) {
  return sample.rttMs / 2 + MAX_DRIFT * (localMs - sample.sentAtMs);
}
function allowedBy(sample, localMs) {
  const errorMs = boundMs(sample, localMs);
  return {
    leastMs: sample.offsetMs - errorMs,
    mostMs: sample.offsetMs + errorMs,
    atMs: localMs
  };
}
function grown({ leastMs, mostMs, atMs }, localMs) {
  const driftMs = MAX_DRIFT * Math.abs(localMs - atMs);
  return {
    leastMs: leastMs - driftMs,
    mostMs: mostMs + driftMs,
    atMs: localMs
  };
}

// src/client/session/freshness.ts
var Freshness = class {
  #markMs;
  #hasMarkSincePong = false;
  #lagMs = 0;
  /** While a resumed connection is being repaired: the relay's time when that began. */
  #repairMs;
  /** Whether the lines that come now are older than allowed. */
  isStale = false;
  /** Whether what comes is what a break held back. */
  get isRepairing() {
    return this.#repairMs !== void 0;
  }
  /** How old the newest received thing was when it came, in ms. */
  get lagMs() {
    return this.#lagMs;
  }
  /** Notes a mark: what follows was received by the relay at `markMs` or later. */
  mark(markMs, nowMs, maxAgeMs) {
    this.#markMs = markMs;
    this.#hasMarkSincePong = true;
    this.#lagMs = Math.max(0, nowMs - markMs);
    if (this.#repairMs !== void 0 && markMs > this.#repairMs) this.#repairMs = void 0;
    this.check(nowMs, maxAgeMs);
  }
  /** Looks again at the age of what follows the last mark, before more of it is read. */
  check(nowMs, maxAgeMs) {
    this.isStale = this.#markMs !== void 0 && this.#repairMs === void 0 && nowMs - this.#markMs > maxAgeMs;
  }
  /**
   * Says whether what follows the last mark is no older than allowed by the relay's own word that it is
   * `timeMs` there.
   */
  isFreshBy(timeMs, maxAgeMs) {
    return this.#markMs === void 0 || timeMs - this.#markMs <= maxAgeMs;
  }
  /**
   * Notes an answer to a ping. It tells the lag only where no events come: those may be older than the
   * answer, which overtakes them.
   */
  pong(timeMs, nowMs) {
    if (!this.#hasMarkSincePong) this.#lagMs = Math.max(0, nowMs - timeMs);
    this.#hasMarkSincePong = false;
  }
  /**
   * Notes that the stream goes on after a break, at `timeMs` on the relay's clock: what was missed comes
   * first and is never stale, until a mark later than that. (An answer to a ping overtakes what waits, so it
   * ends nothing.)
   */
  repair(timeMs) {
    this.#repairMs = timeMs;
    this.isStale = false;
  }
  /** Forgets the last mark: another stream begins, or this one skips to its newest line. */
  reset() {
    this.#markMs = this.#repairMs = void 0;
    this.isStale = false;
  }
};

// src/client/session/stream_age.ts
var DOUBT_PONGS = 3;
var encoder9 = new TextEncoder();
var StreamAge = class {
  #now;
  #freshness = new Freshness();
  #maxLagMs = Infinity;
  /** When the connection in use began: an answer to a ping from before measures nothing. */
  #beganAtMs = 0;
  /** The answers to pings since events have been too old. */
  #stalePongs = 0;
  #stale = {
    lines: 0,
    bytes: 0
  };
  /** The relay's clock. */
  clock = new RelayClock();
  /** Makes a judge who has seen nothing; `now` is a clock in ms that never goes back. */
  constructor(now2) {
    this.#now = now2;
  }
  /** How old the newest received thing was when it came, in ms. */
  get lagMs() {
    return this.#freshness.lagMs;
  }
  /** Whether what comes now is too old. */
  get isStale() {
    return this.#freshness.isStale;
  }
  /** Whether what comes now is what a break held back. */
  get isRepairing() {
    return this.#freshness.isRepairing;
  }
  /** Begins with a connection, opened by a hello and the relay's answer to it. */
  begin(sentAtMs, receivedAtMs, relayTimeMs, maxLagMs) {
    this.clock.addSample({
      sentAtMs,
      receivedAtMs,
      relayTimeMs
    });
    [this.#beganAtMs, this.#maxLagMs] = [
      receivedAtMs,
      maxLagMs
    ];
  }
  /**
   * Goes on with the stream after a break, at `relayTimeMs`: what was missed comes first, and is never stale.
   */
  repair(relayTimeMs) {
    this.#freshness.repair(relayTimeMs);
  }
  /** Forgets the last mark: another stream begins, or this one skips to its newest line. */
  reset() {
    this.#freshness.reset();
  }
  /** Looks at the age of what follows the last mark, before more of it is read. */
  check() {
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
  }
  /** Notes a mark: what follows was received by the relay then, or later. */
  mark(relayTimeMs) {
    this.#freshness.mark(relayTimeMs, this.#relayNow(), this.#maxAgeMs());
  }
  /**
   * Notes an answer to a ping. One that this program was too busy to read (`isMeasure` is false) tells
   * nothing of the network, but what it says of the clock holds; one to a ping of an earlier connection tells
   * nothing.
   */
  notePong(sentAtMs, receivedAtMs, relayTimeMs, isMeasure) {
    if (sentAtMs < this.#beganAtMs || sentAtMs > receivedAtMs) return;
    const isDoubtful = this.isStale && this.#freshness.isFreshBy(relayTimeMs, this.#maxLagMs);
    this.#stalePongs = isDoubtful ? this.#stalePongs + 1 : 0;
    if (this.#stalePongs >= DOUBT_PONGS) this.clock.doubt();
    this.clock.addSample({
      sentAtMs,
      receivedAtMs,
      relayTimeMs
    }, isMeasure);
    if (isMeasure) this.#freshness.pong(relayTimeMs, this.#relayNow());
    this.check();
  }
  /** Counts a line, without its LF, that is too old. */
  drop(line) {
    this.#stale.lines++;
    this.#stale.bytes += encoder9.encode(line).length + 1;
  }
  /** Returns what was dropped since the last call; `undefined` if nothing was. */
  takeStale() {
    if (this.#stale.lines === 0) return void 0;
    const stale = this.#stale;
    this.#stale = {
      lines: 0,
      bytes: 0
    };
    return stale;
  }
  /** What the relay's dashboard shows of this connection, in ms, once it is known. */
  measure() {
    const { rttMs } = this.clock;
    return Number.isNaN(rttMs) ? {} : {
      rtt: toTenths(rttMs),
      lag: toTenths(this.lagMs)
    };
  }
  #relayNow() {
    return this.clock.now(this.#now());
  }
  /** How old an event may seem to be: what the clock may be wrong by is no age. */
  #maxAgeMs() {
    return this.#maxLagMs + this.clock.rttMs + this.clock.errorBoundMs(this.#now());
  }
};
function toTenths(ms) {
  return Math.round(ms * 10) / 10;
}

// src/client/session/stream_marks.ts
var StreamMarks = class {
  #members;
  #fromId;
  #timeMs = 0;
  #tag;
  /** Made once an event needs it. */
  #origin;
  /** Makes marks of a stream that has none yet. */
  constructor(members) {
    this.#members = members;
  }
  /** Who sent what comes now; `undefined` for a plain client. */
  get sender() {
    return this.#fromId === void 0 ? void 0 : this.#members.find(this.#fromId);
  }
  /** Where what comes now is from: the same object until a control line comes. */
  get origin() {
    return this.#origin ??= {
      from: this.sender,
      time: this.#timeMs,
      fromHost: this.#fromId !== void 0 && this.#fromId === this.#members.hostId
    };
  }
  /** Begins with another stream, of that time on. */
  reset(timeMs) {
    [this.#fromId, this.#tag, this.#timeMs, this.#origin] = [
      void 0,
      void 0,
      timeMs,
      void 0
    ];
  }
  /** Notes that a control line came: it may be about who the sender is, or when. */
  noteControlLine() {
    this.#origin = void 0;
  }
  /** Takes a `$from` that is written as the relay writes it; false for any other line. */
  takePlainFrom(line) {
    const fromId = readPlainFrom(line);
    if (fromId === void 0) return false;
    [this.#fromId, this.#tag] = [
      fromId,
      void 0
    ];
    return true;
  }
  /** Takes the body of a `$from`: whose the next lines are, and what the next one is. */
  takeFrom(body) {
    this.#fromId = typeof body.id === "string" ? body.id : void 0;
    this.#tag = readTag(body);
  }
  /** Notes when the relay received what follows. */
  takeTime(timeMs) {
    this.#timeMs = timeMs;
  }
  /** Returns, once, what the next line is, if it is no event. */
  takeTag() {
    const tag = this.#tag;
    this.#tag = void 0;
    return tag;
  }
};
function readTag({ ask, reply, failed }) {
  if (typeof ask === "string") return {
    ask
  };
  if (typeof reply === "string") return {
    reply,
    ...failed === true ? {
      failed
    } : {}
  };
}

// src/client/session/session.ts
var MAX_RETRY_AFTER_MS = 6e4;
var Session = class {
  #options;
  #sink;
  #now;
  #lines;
  #age;
  #roster = new Roster();
  #marks = new StreamMarks(this.#roster);
  #position = new ReadPosition();
  #decoder;
  #pinger;
  #connection;
  #retryMs;
  /** The welcome of the session that goes on, and whether it can: not after something that can't be. */
  #welcome;
  #canResume = false;
  /** What this program has asked. */
  asks = new Asks();
  /** What is to be written. */
  source;
  /** Makes a session that begins with the first connection. */
  constructor(options) {
    const { sink, now: now2 = () => performance.now() } = options;
    this.#options = options;
    this.#sink = sink;
    this.#now = now2;
    const age = this.#age = new StreamAge(now2);
    const isWanted = (ask) => ask === void 0 || this.asks.isOpen(ask);
    this.source = new SessionOutbox(now2, void 0, () => age.measure(), isWanted);
    this.#lines = {
      onLine: (line) => this.#onLine(line),
      onInvalidLine: (line, error) => sink.onInvalidLine(line, error)
    };
    this.#decoder = this.#newDecoder();
  }
  /** This member's id; empty before the first welcome. */
  get id() {
    return this.#welcome?.id ?? "";
  }
  /** The other members by id. */
  get peers() {
    return this.#roster.peers;
  }
  /** The room's own state. */
  get state() {
    return this.#roster.state;
  }
  /** The room that it is in; the one that was asked for before the first welcome. */
  get room() {
    return this.#welcome?.room ?? this.#options.room;
  }
  /** Who leads the room. */
  get host() {
    return this.#roster.host;
  }
  /** Whether this member leads the room, as far as it was told. */
  get isHost() {
    return this.#roster.hostId === this.id;
  }
  /** What the relay allows. */
  get limits() {
    return this.#welcome?.limits;
  }
  /** The relay's clock. */
  get clock() {
    return this.#age.clock;
  }
  /** How old the newest received thing was when it came, in ms. */
  get lagMs() {
    return this.#age.lagMs;
  }
  /**
   * Says hello, and reads the welcome with all that belongs to it.
   *
   * @throws {RefusedError} when the relay refuses
   * @throws {Error} when it says something else, ends the connection, or says nothing in time
   */
  async open(pipe) {
    const { room } = this, before = this.#welcome;
    const { sink: _, maxUnfinishedBytes: maxUnfinishedBytes2, ...hello } = this.#options;
    const resume = before !== void 0 && this.#canResume ? {
      session: before.session,
      bytes: this.#position.lineEndBytes
    } : void 0;
    const opened = await openSession(pipe, {
      ...{
        ...hello,
        room,
        resume
      },
      base: hello.any === true && before !== void 0 ? hello.room : void 0,
      maxLineBytes: maxUnfinishedBytes2,
      isKnown: before !== void 0,
      now: this.#now
    });
    const { welcome, sentAtMs, receivedAtMs, rest } = opened;
    this.#age.begin(sentAtMs, receivedAtMs, welcome.timeMs, welcome.limits.maxLagMs);
    this.#decoder = this.#newDecoder();
    this.#sink.onRelayVersion(welcome.relayVersion);
    const isResumed = resume !== void 0 && welcome.resumed;
    if (isResumed) this.#resume(welcome);
    else this.#restart(opened);
    if (rest.length > 0) this.receive(rest);
    return before === void 0 ? {} : {
      resumed: isResumed
    };
  }
  /** Begins to write events and to ping. */
  begin(connection) {
    this.#connection = connection;
    this.source.isOpen = true;
    this.#pinger = new Pinger({
      timeoutMs: this.#welcome.limits.pingTimeoutMs,
      now: this.#now,
      countChanges: () => this.source.changes,
      onTick: (isPingDue) => this.#onTick(isPingDue),
      flush: () => connection.flush(),
      onDead: (error) => connection.fail(error)
    });
    this.#pinger.start();
  }
  /**
   * Takes received bytes, and acknowledges them when that is due.
   *
   * @throws {RangeError} when the relay tells more of who and what is there than can be kept: the session
   * can't go on then
   */
  receive(bytes) {
    this.#pinger?.noteReceived();
    this.#age.check();
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      this.#canResume = false;
      throw error;
    }
    this.#position.add(bytes);
    const due = this.#position.dueAck(this.source.ackedBytes, this.#welcome.limits.windowBytes);
    if (due !== void 0) this.#acknowledge();
    if (due === "alone") this.#connection?.flush();
  }
  /** Pings at once, and gives the connection up if nothing is heard soon. */
  wake() {
    this.#pinger?.wake();
  }
  /** Stops pinging, and reports what was dropped. */
  end() {
    this.#pinger?.stop();
    this.#connection = this.#pinger = void 0;
    this.#reportStale();
  }
  /** Makes `$bye` the last line. */
  finish() {
    this.source.end();
  }
  /** Returns, once, what the relay's `$bye` asked for. */
  takeRetryMs() {
    const retryMs = this.#retryMs;
    this.#retryMs = void 0;
    return retryMs;
  }
  #resume(welcome) {
    if (!this.source.resume(welcome.bytes)) {
      this.#canResume = false;
      throw new Error(`the relay says that it has ${welcome.bytes} bytes of this session, which can't be`);
    }
    const { id, session } = this.#welcome;
    this.#welcome = {
      ...welcome,
      id,
      session
    };
    this.#position.resume();
    this.source.ackedBytes = this.#position.lineEndBytes;
    this.#age.repair(welcome.timeMs);
  }
  /** Begins another session: takes over who and what is there, and tells what is lost. */
  #restart({ welcome, streamBytes, written }) {
    const before = this.#welcome;
    const isOtherRelay = before !== void 0 && welcome.relay !== before.relay;
    const { lines, bytes, roomChanges, unasked } = this.source.restart(written, isOtherRelay);
    this.#welcome = welcome;
    this.#canResume = true;
    this.#position.restart(streamBytes);
    this.source.ackedBytes = streamBytes;
    this.#age.reset();
    this.#marks.reset(welcome.timeMs);
    const { member } = this.source;
    this.#roster.self = selfPeer(welcome.id, this.#options.name, () => member.values());
    const { hostId } = this.#roster;
    this.#roster.hostId = welcome.host;
    this.asks.failAll("not_resumed", "the session could not go on, so it may have been done or not", unasked);
    if (before === void 0) {
      this.#roster.become(welcome.roster);
      const { onJoin, onState, onLeave } = this.#sink;
      this.#roster.sink = {
        onJoin,
        onState,
        onLeave: (peer, reason2) => {
          this.asks.failPeer(peer.id);
          onLeave(peer, reason2);
        }
      };
      return;
    }
    const lostKeys = settleRoom(this.source.room, welcome.roster.state, roomChanges, isOtherRelay);
    this.#sink.onLost({
      reason: "unconfirmed",
      lines,
      bytes
    });
    if (isOtherRelay) {
      this.#roster.compare([]);
      this.#roster.forgetDeparted();
    }
    this.#roster.become(welcome.roster);
    const hadHost = hostId !== void 0 || welcome.host !== void 0;
    if (hadHost && (isOtherRelay || hostId !== welcome.host)) this.#sink.onHost(this.host);
    if (lostKeys.length > 0) this.#sink.onLost({
      reason: "state",
      lines: 0,
      bytes: 0,
      keys: lostKeys
    });
  }
  #onLine(line) {
    if (line.startsWith(CONTROL_OPENING)) return this.#onControlLine(line);
    const tag = this.#marks.takeTag();
    if (tag !== void 0) return this.#onTagged(line, tag);
    if (this.#age.isStale) return this.#age.drop(line);
    this.#pinger?.noteEvent();
    this.#sink.onEvent(line, this.#age.isRepairing, this.#marks.origin);
  }
  /** Takes a question, or the answer to one of this program's. */
  #onTagged(line, tag) {
    const from = this.#marks.sender;
    if (from === void 0) return;
    if (tag.ask !== void 0) return this.#sink.onQuestion(line, from, tag.ask);
    this.asks.takeReply(line, tag, from.id);
  }
  #onControlLine(line) {
    this.#marks.noteControlLine();
    if (this.#marks.takePlainFrom(line)) return;
    const control = readControlLine(line);
    if (control !== void 0) return this.#onControl(control, line.length);
    this.#sink.onInvalidLine(line, new SyntaxError("Cannot read control line: an object with one member is allowed"));
  }
  #onControl(control, size) {
    const { name, body } = control;
    switch (name) {
      case "pong":
        return this.#onPong(body);
      case "time":
        return this.#onTime(body);
      case "from":
        return this.#marks.takeFrom(body);
      case "answer":
        return this.asks.takeAnswer(body);
      case "host":
        this.#roster.hostId = typeof body.id === "string" ? body.id : void 0;
        return this.#sink.onHost(this.host);
      case "lost":
        this.#reportStale();
        this.#age.reset();
        this.#marks.takeTag();
        this.#position.noteGap();
        return this.#sink.onLost({
          reason: "behind",
          lines: readCount(body.lines),
          bytes: readCount(body.bytes)
        });
      case "error":
        return this.#onError(body);
      case "bye":
        this.#retryMs = Math.min(readCount(body.retryMs), MAX_RETRY_AFTER_MS);
        return;
      case "set":
        noteRoomValue(this.source, this.id, body);
    }
    followControl(this.#roster, control, size);
  }
  /** Hands on a complaint; a value that the relay did not take is not this program's any more. */
  #onError(body) {
    const error = readError(body);
    if (error === void 0) return;
    const refused = error.line === void 0 ? void 0 : this.source.refuse(error.line);
    this.#sink.onError(refused === void 0 ? error : {
      ...error,
      key: refused.key,
      room: refused.isRoom
    });
  }
  #onPong({ t: sentAtMs, time: time2, bytes }) {
    if (!isTime(sentAtMs) || !isTime(time2) || !isCount(bytes)) return;
    this.source.confirmStream(bytes);
    this.#pinger?.notePong(sentAtMs);
    if (this.source.hasMore) this.#connection?.flush();
    if (this.#pinger === void 0) return;
    const nowMs = this.#now();
    this.#age.notePong(sentAtMs, nowMs, time2, this.#pinger.isMeasure(sentAtMs, nowMs));
  }
  #onTime({ time: time2 }) {
    if (!isTime(time2)) return;
    this.#marks.takeTime(time2);
    this.#age.mark(time2);
    if (!this.#age.isStale) this.#reportStale();
  }
  #onTick(isPingDue) {
    if (isPingDue) {
      this.source.askPing();
      this.#acknowledge();
    }
    this.#reportStale();
  }
  #reportStale() {
    const stale = this.#age.takeStale();
    if (stale !== void 0) this.#sink.onLost({
      reason: "stale",
      ...stale
    });
  }
  #acknowledge() {
    this.source.ack(this.#position.lineEndBytes);
  }
  #newDecoder() {
    return new LineDecoder(this.#options.maxUnfinishedBytes, this.#lines);
  }
};

// src/wire/version.ts
var VERSION = "0.2.0";

// src/client/version_notice.ts
function versionNotice(relayVersion, { url, runtime: runtime2, version }) {
  if (relayVersion === "") {
    return `the relay is older than client.ts, which is of version ${version}: it knows no hosts, no echo, no maxMembers, and no send() to some; request(), claim() and rooms() get no answer`;
  }
  if (relayVersion === version || url === void 0 || !/^https?:/.test(url)) return void 0;
  if (url.includes(`/v${version}/`)) return void 0;
  const what = `client.ts is of version ${version} and the relay of ${printable(beginning(relayVersion))}`;
  if (runtime2 === "page") return `${what}: load the page again, or let it import the relay's own /client.js`;
  const root = new URL(/\/src\/client\/[^/]*$/.test(url) ? "../../" : "./", url).href.slice(0, -1);
  return `${what}. Deno keeps what it has fetched once; get it anew with: deno run --reload=${root} \u2026`;
}
var MAX_VERSIONS = 8;
var noticedVersions = /* @__PURE__ */ new Set();
function noticeVersion(relayVersion) {
  if (noticedVersions.has(relayVersion) || noticedVersions.size >= MAX_VERSIONS) return;
  noticedVersions.add(relayVersion);
  const origin = {
    url: import.meta.url,
    runtime: runtime(),
    version: VERSION
  };
  const notice = versionNotice(relayVersion, origin);
  if (notice !== void 0) console.warn(`eventrelay: ${notice}`);
}

// src/client/membership.ts
var MAX_UNFINISHED_BYTES = 8 * 1024 * 1024;
var WARNING_PAUSE_MS = 6e4;
var Membership = class {
  #link;
  #callbacks = new Callbacks();
  #losses;
  #onAbort = () => void this.close();
  #unwatchPage = () => {
  };
  #closed;
  #lost = 0;
  /** Whether the console was told of this failure; when it was told of one. */
  #hasWarned = false;
  #warnedAtMs = -Infinity;
  /** What the program asked for, as it was then. */
  options;
  /** Its session; `undefined` if it is plain. */
  session;
  /** The name it gave itself; empty if none, or plain. */
  name;
  /** What comes for it. */
  incoming;
  /** What it says. */
  outgoing;
  /** What it asks and answers. */
  requests;
  /** How it is host. */
  hostRole;
  /**
   * Joins the parts; nothing happens before `open()`.
   *
   * @throws {TypeError} when the target or an option has the wrong form
   * @throws {RangeError} when the port or an option is out of range
   */
  constructor(target, given) {
    const page = pageLocation();
    const address2 = parseTarget(target, page);
    const isSecurePage = page?.protocol === "https:";
    const options = this.options = takeOptions(given);
    const settings = readOptions(options, address2, isSecurePage);
    const { plain, name, tls, inboxLimit, maxLineBytes, offlineBytes, maxQueuedBytes } = settings;
    this.name = plain ? "" : name;
    this.#losses = new LossTally((lost) => this.#callbacks.callToTheEnd(options.onLost, lost));
    this.incoming = new Incoming(options, inboxLimit, this.#losses, () => this.#callbacks.catchUp());
    this.session = plain ? void 0 : this.#newSession(settings);
    this.#link = new Link({
      address: address2,
      openTransport: transportFor(address2, tls),
      offlineBytes,
      maxQueuedBytes,
      speaker: this.session ?? this.#newPlainSpeaker(settings),
      onStatus: (status, detail) => this.#onStatus(status, detail)
    });
    this.outgoing = new Outgoing(this.#link, this.session, this.#losses, maxLineBytes);
    this.requests = new Requests(this.session, this.outgoing, options);
    this.hostRole = new HostRole(this.session, this.outgoing);
  }
  /** What it is doing; `closed` once `close()` is through. */
  get status() {
    return this.#link.status;
  }
  /** Makes a copy of what it has counted so far. */
  get stats() {
    const { incoming } = this, link = this.#link;
    const [droppedSent, droppedReceived] = [
      link.droppedLines,
      incoming.dropped
    ];
    return {
      sent: link.sentLines,
      waiting: link.waitingLines,
      received: incoming.received,
      dropped: droppedSent + droppedReceived,
      droppedSent,
      droppedReceived,
      lost: this.#lost,
      invalid: incoming.invalid,
      errors: incoming.errors,
      reconnects: link.reconnects,
      bytesSent: link.sentBytes,
      bytesReceived: link.receivedBytes
    };
  }
  /**
   * Connects; what the callbacks are told waits until the turn after that, or until the program takes events.
   *
   * @throws {Error} as {@linkcode connect} does; it is closed then
   */
  async open() {
    const { signal, retry = false } = this.options;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort);
    this.#unwatchPage = watchPageLife({
      onHide: () => this.hostRole.noteHidden(),
      onWake: () => {
        this.hostRole.noteShown();
        this.#link.wake();
      },
      onLeave: () => void this.close()
    });
    try {
      await this.#link.open(retry);
      signal?.throwIfAborted();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#callbacks.open();
  }
  /** Ends all parts, see {@linkcode Relay.close}. */
  close() {
    if (this.#closed === void 0) {
      let end = () => {
      };
      this.#closed = new Promise((resolve) => end = resolve);
      end(this.#close());
    }
    return this.#closed;
  }
  async #close() {
    const { signal } = this.options;
    signal?.removeEventListener("abort", this.#onAbort);
    this.#unwatchPage();
    this.#callbacks.close();
    this.incoming.close();
    this.outgoing.close();
    this.hostRole.close();
    this.requests.close();
    this.#losses.flush();
    await this.#link.close(signal?.aborted ? signal.reason : void 0);
    this.#lost += this.outgoing.noteLeft();
    this.#losses.close();
  }
  #newSession({ room, name, token, simulate, echo, canHost, maxMembers, any, ...rest }) {
    const options = this.options, callbacks = this.#callbacks;
    return new Session({
      ...{
        room,
        name,
        token,
        simulate,
        echo,
        canHost,
        maxMembers,
        any
      },
      maxUnfinishedBytes: maxUnfinishedBytes(rest),
      sink: {
        onEvent: (line, isRepair, origin) => this.incoming.takeEvent(line, isRepair, origin),
        onInvalidLine: (line, error) => this.incoming.takeInvalid(line, error),
        onError: (error) => this.incoming.takeError(error),
        onRelayVersion: noticeVersion,
        onLost: (lost) => this.#onLost(lost),
        onJoin: (peer) => callbacks.call(options.onJoin, peer),
        onLeave: (peer, reason2) => callbacks.call(options.onLeave, peer, reason2),
        onState: (peer, key, value) => callbacks.call(options.onState, peer, key, value),
        onHost: (host) => {
          callbacks.call(options.onHost, host);
          this.hostRole.noteHost();
        },
        onQuestion: (line, from, ask) => callbacks.call(() => void this.requests.answer(line, from, ask))
      }
    });
  }
  #newPlainSpeaker(settings) {
    return new PlainSpeaker(maxUnfinishedBytes(settings), {
      onLine: (line) => this.incoming.takePlainLine(line),
      onInvalidLine: (line, error) => this.incoming.takeInvalid(line, error)
    });
  }
  #onStatus(status, detail) {
    const { onStatus } = this.options;
    if (onStatus !== void 0) return callNow(onStatus, status, detail);
    if (status === "connected") this.#hasWarned = false;
    const nowMs = performance.now();
    if (status === "closed" || detail.error === void 0) return;
    if (this.#hasWarned || nowMs - this.#warnedAtMs < WARNING_PAUSE_MS) return;
    this.#hasWarned = true;
    this.#warnedAtMs = nowMs;
    console.warn(`eventrelay: ${printable(detail.error.message)} (trying again)`);
  }
  #onLost(lost) {
    this.#lost += lost.lines;
    this.#callbacks.call(this.options.onLost, lost);
  }
};
function maxUnfinishedBytes({ maxLineBytes }) {
  return Math.max(MAX_UNFINISHED_BYTES, maxLineBytes);
}

// src/client/message.ts
function toMessage(event, { from, time: time2, fromHost }) {
  return {
    event,
    from,
    time: time2,
    fromHost
  };
}

// src/client/relay.ts
var openRelay;
var Relay = class _Relay {
  #target;
  #membership;
  /** The name it gave itself; empty if none, or plain. */
  name;
  /**
   * The other sessions in the room by their id: a live view, which changes as they come and go. Plain clients
   * are not in it. A peer's `state` is what it has set.
   */
  peers;
  /** The room's own values by key, those that won, as the relay tells: a live view. */
  state;
  static {
    openRelay = async (target, options) => {
      const relay = new _Relay(target, options);
      await relay.#membership.open();
      return relay;
    };
  }
  constructor(target, options) {
    this.#target = target;
    this.#membership = new Membership(target, options);
    const { name, session } = this.#membership;
    this.name = name;
    this.peers = session?.peers ?? /* @__PURE__ */ new Map();
    this.state = session?.state ?? /* @__PURE__ */ Object.create(null);
  }
  /**
   * What names this member to others; another one after a session that could not be resumed. Empty if plain.
   */
  get id() {
    return this.#membership.session?.id ?? "";
  }
  /** The room it is in. */
  get room() {
    return this.#membership.session?.room ?? LOBBY;
  }
  /**
   * Who leads the room: the member that has been there longest of those that may (`canHost`) and are
   * connected, until it leaves, has lost its connection for 5 s, has been silent for 60 % of the relay's
   * ping timeout (9 s of 15 s; its program stands still), or passes it on. There is one as long as anybody
   * may. All learn of a change at the same place among the events (`onHost`). May be this member itself, as a
   * peer with its `id`; `undefined` if nobody leads, and plain.
   */
  get host() {
    return this.#membership.session?.host;
  }
  /** Whether this member leads the room now. False while it has no connection: another one may by then. */
  get isHost() {
    return this.#membership.session?.isHost === true && this.status === "connected";
  }
  /** The time from here to the relay and back, in ms, smoothed as TCP does it (RFC 6298). */
  get rtt() {
    return this.#membership.session?.clock.rttMs ?? 0;
  }
  /** How much the time from the relay to here varies, in ms, as RFC 3550 reckons it. */
  get jitter() {
    return this.#membership.session?.clock.jitterMs ?? 0;
  }
  /**
   * How old, in ms, the newest thing received was when it came: half a round trip when all is well. Events
   * older than the relay's `maxLagMs` plus a round trip are not given to the program but counted, see
   * `onLost`.
   */
  get lag() {
    return this.#membership.session?.lagMs ?? 0;
  }
  /**
   * Tells the time on the relay's clock, in ms since 1970 with fractions: the same moment has the same time
   * on all clients, so a time in an event means the same to all. It never steps back (but after a restart of
   * the relay on another clock) and is corrected by 5 ms a second at most, once the first eight answers are
   * there.
   *
   * It is wrong by at most half the shortest round trip among the last eight (Cristian, 1989), plus the drift
   * of the clocks since. Two clients agree within half the sum of their round trips; within half the
   * difference where neither has a longer way out and the other a longer way back.
   */
  now() {
    const localMs = performance.now();
    return this.#membership.session?.clock.now(localMs) ?? performance.timeOrigin + localMs;
  }
  /** What it is doing; `closed` once `close()` is through. */
  get status() {
    return this.#membership.status;
  }
  /** What it has counted so far: a copy, which doesn't change. */
  get stats() {
    return this.#membership.stats;
  }
  /**
   * Sends an event to everybody else in the room. Never blocks, and never throws because of the network.
   *
   * What is sent in one turn of the event loop goes out in one write. While there is no connection, or one
   * that takes nothing, up to `offlineBytes` of new events are kept beside what waited, and up to
   * `maxQueuedBytes` otherwise; the oldest are dropped first, counted and told by `onLost`. After `close()`
   * it is dropped, counted and told.
   *
   * With `to` only those members get it, also oneself if named: in the order of what is sent to all, once
   * over a broken connection, told by `onLost` where they are skipped ahead, never seen by anybody else. Who
   * has left gets nothing: `onError` is told (`no_such_peer`, with the `ids`). What waits for single members
   * is dropped if the relay was restarted, as their ids are others' then.
   *
   * As with `JSON.stringify`, NaN and what is undefined in an array become null, -0 becomes 0, a Date its text,
   * a Map or a Set `{}` (send `[...map]`), and properties that are undefined or functions are left out.
   *
   * @throws {TypeError} when JSON can't hold it: undefined, a function, a symbol, a BigInt, a cycle; when
   * `to` names nobody it could be, or the relay object is plain
   * @throws {RangeError} when it is longer than `maxLineBytes`, with an id if it is for single members
   */
  send(event, options) {
    this.#membership.outgoing.send(event, options);
  }
  set(key, value, options = {}) {
    this.#membership.outgoing.set(key, value, options);
  }
  /**
   * Removes a key, as {@linkcode Relay.set} sets it; does nothing if it has no value. Throws as `set()` does.
   */
  unset(key, options = {}) {
    this.#membership.outgoing.unset(key, options);
  }
  /**
   * Asks a member something, and resolves with what its `onRequest` answers. Question and answer keep their
   * place among the events, and outlive a broken connection; they are no events of `drain()`. Waits while
   * there is no connection.
   *
   * @example
   * ```ts
   * import { connect, type Peer } from "../../client.ts";
   *
   * async function ask(target: string) {
   *   const onRequest = (event: unknown, { name }: Peer) => `${name} asks ${event}`;
   *   await using relay = await connect(target, { onRequest });
   *   for (const peer of relay.peers.values()) console.log(await relay.request(peer, "ready?"));
   * }
   * ```
   *
   * @param peer a member or its id; it may be this one
   * @param options `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 10 s
   * @throws {TypeError} when JSON can't hold the event, an option is none, or the relay object is plain
   * @throws {RangeError} when the event is too long, or `timeoutMs` is not above 0
   * @throws {RequestError} when there is no answer; its `code` says why. After `close()`: `closed`
   */
  request(peer, event, options = {}) {
    return this.#membership.requests.request(peer, event, options);
  }
  /**
   * Sets a key of the room that has no value, and resolves with true for exactly one of all that try, however
   * close together; with false if it has one already. `relay.state` shows the winner's value by then, or what
   * came later.
   *
   * The key is free again when it is removed (`unset(key, { room: true })`), with `hold` also when this
   * member leaves or has lost its connection for 5 s. Has its place behind what this program has set of the
   * room before. Outlives a broken connection; waits while there is none, also for another session.
   *
   * @param options `hold`; `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 30 s
   * @throws {TypeError} as {@linkcode Relay.set} does
   * @throws {RangeError} as {@linkcode Relay.set} does, and when `timeoutMs` is not above 0
   * @throws {RequestError} when it could not be decided: the room is full (`too_many_keys`, `state_full`), or
   * the relay object is closed; when the session could not go on after it was asked (`not_resumed`) or the
   * relay has not answered in time (`timeout`), and it may have been decided or not: `relay.state` tells
   */
  claim(key, value, options = {}) {
    return this.#membership.requests.claim(key, value, options);
  }
  /**
   * Asks the relay which rooms there are: the fullest first, up to 100, and how many `more`. Those whose name
   * begins with a dot are left out. Waits while there is no connection.
   *
   * @param options `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 10 s
   * @throws {TypeError} when an option is none, or the relay object is plain
   * @throws {RangeError} when `timeoutMs` is not above 0
   * @throws {RequestError} when there is no answer: not in time (`timeout`), the session could not go on, or
   * the relay object is closed
   */
  rooms(options = {}) {
    return this.#membership.requests.rooms(options);
  }
  /**
   * Connects to the same relay once more, as another member, in the first room of that name that has a place:
   * `room` itself, or `room-2` and so on, or opens it. The relay decides at once for all who ask, so two that
   * call it with `maxMembers: 2` meet. The options are those of {@linkcode connect}; target, name, token,
   * encryption and schema are this one's unless named, callbacks are not. This relay object stays as it is;
   * it may be closed.
   *
   * @throws {TypeError} when the relay object is plain, the room is the lobby, which is one, or `options`
   * names another one
   * @throws as {@linkcode connect} does
   */
  // deno-lint-ignore require-await -- what is wrong rejects, too: one way for all errors
  async joinAny(room, options = {}) {
    needSession(this.#membership.session, "join a room");
    const joining = readJoinOptions(options, room);
    const { name, token, tls, schema } = this.#membership.options;
    return openRelay(withoutRoom(this.#target), {
      name,
      token,
      tls,
      schema,
      ...joining,
      any: true
    });
  }
  /**
   * Makes another member the host: `peer`, or without one the member that has been there longest of the
   * others that may and are connected; if there is none, all stays as it is. Does nothing if this member is
   * not the host, or after `close()`. A page that gets hidden does it by itself. Where the relay refuses,
   * `onError` is told: `cannot_host` (it may not, or is away), `no_such_peer`, `not_host` (another one is by
   * now).
   *
   * @throws {TypeError} when `peer` is neither a member nor an id, or the relay object is plain
   */
  passHost(peer) {
    this.#membership.hostRole.pass(peer);
  }
  /**
   * Takes all events that have arrived since the last call, oldest first. Returns at once; also after
   * `close()`, for what is left. Shares the inbox with iterators: each event goes to whoever takes it first.
   *
   * A loop that calls it has to await something in between, such as `frames()`: otherwise nothing ever
   * arrives.
   */
  drain() {
    return this.#membership.incoming.drain();
  }
  /**
   * Takes all events that have arrived since the last call, as `drain()` does, each with who sent it,
   * when, and whether as host: `{ event, from, time, fromHost }`. Returns at once, also after `close()`.
   * Shares the inbox with `drain()` and iterators.
   *
   * With `{ plain: true }` nobody knows who sent an event: `from` is `undefined`.
   *
   * @example
   * ```ts
   * import { connect } from "../../client.ts";
   *
   * async function listen(target: string) {
   *   await using relay = await connect(target);
   *   for await (const { event, from } of relay.eachMessage()) console.log(from?.name ?? "somebody", event);
   * }
   * ```
   */
  messages() {
    return this.#membership.incoming.messages(toMessage);
  }
  /**
   * Waits for each event in turn, as `for await (const event of relay)` does, and gives it with who sent it
   * and when, as `messages()` does. Ends after `close()`, when what was left has been taken.
   */
  eachMessage() {
    return this.#membership.incoming.iterate(toMessage);
  }
  /**
   * Waits for each event in turn. Goes on waiting while the connection is away; ends after `close()`, when
   * what was left has been taken. `break` loses nothing. Several iterators share the events, each goes to one
   * of them.
   */
  [Symbol.asyncIterator]() {
    return this.#membership.incoming.iterate((event) => event);
  }
  /**
   * Writes out what was sent, says goodbye and closes the connection, within a second. Nothing more is
   * received from the call on, and no more is told but the status, and by `onLost` what could not be sent;
   * what is left can still be taken. Never rejects; may be called again.
   */
  close() {
    return this.#membership.close();
  }
  /** Does what `close()` does: `await using relay = await connect(…)`. */
  [Symbol.asyncDispose]() {
    return this.close();
  }
};

// src/client/connect.ts
async function connect(target, options = {}) {
  return openRelay(target, options);
}

// src/client/compare_ids.ts
function compareIds(a, b) {
  for (const id of [
    a,
    b
  ]) {
    if (typeof id !== "string") {
      throw new TypeError(`Cannot compare ids: one is ${kindOf(id)}, a string is allowed`);
    }
  }
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
export {
  DEFAULT_PORT,
  Relay,
  RequestError,
  animationFrames,
  compareIds,
  connect,
  frames,
  rateLimit
};
