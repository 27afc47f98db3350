// motion.js of eventrelay 0.2.0, made by `deno task bundle`. MIT license.
// @ts-self-types="./motion.d.ts"
// src/motion/numbers.ts
var MAX_NUMBER = Number.MAX_SAFE_INTEGER;
var MAX_DIMENSIONS = 1024;
function isUsable(value) {
  return typeof value === "number" && value <= MAX_NUMBER && value >= -MAX_NUMBER;
}
function isVector(value) {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DIMENSIONS) return false;
  for (let d = 0; d < value.length; d++) if (!isUsable(value[d])) return false;
  return true;
}
function isVectorOrMissing(value, dims) {
  return value === void 0 || isVector(value) && value.length === dims;
}
function isFiniteVector(vector2, dims) {
  let nothing = 0;
  for (let d = 0; d < dims; d++) nothing += vector2[d] - vector2[d];
  return nothing === 0;
}

// src/motion/option_check.ts
function checkOptions(thing, options, allowed) {
  if (typeof options !== "object" || options === null || Array.isArray(options) || !isPlain(options)) {
    const what = typeof options === "object" && options !== null && !Array.isArray(options) ? "an object of another kind" : shown(options);
    throw new TypeError(`Cannot make ${thing}: options is ${what}, a plain object is allowed`);
  }
  const copy = {
    ...options
  };
  for (const [name, value] of Object.entries(copy)) {
    if (!Object.hasOwn(allowed, name)) {
      throw new TypeError(`Cannot make ${thing}: ${shown(name)} is no option, ${listed(Object.keys(allowed), "and")} are`);
    }
    if (value !== void 0) checkOption(thing, name, value, allowed[name]);
  }
  return copy;
}
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function checkOption(thing, name, value, allowed) {
  if (allowed === "function") {
    if (typeof value === "function") return;
    throw new TypeError(`Cannot make ${thing}: ${name} is ${shown(value)}, a function is allowed`);
  }
  if (allowed === "indices") {
    if (!Array.isArray(value)) {
      throw new TypeError(`Cannot make ${thing}: ${name} is ${shown(value)}, a list of indices of pos is allowed`);
    }
    for (let i = 0; i < value.length; i++) {
      const index = value[i];
      if (Number.isInteger(index) && index >= 0 && index < MAX_DIMENSIONS) continue;
      const Kind2 = typeof index === "number" ? RangeError : TypeError;
      throw new Kind2(`Cannot make ${thing}: ${name} has ${shown(index)}, an index of pos is allowed, 0 to ${MAX_DIMENSIONS - 1}`);
    }
    return;
  }
  if ("min" in allowed) {
    const { min, max } = allowed;
    const isNumber = typeof value === "number";
    if (isNumber && value >= min && value <= max) return;
    const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`;
    const Kind2 = isNumber ? RangeError : TypeError;
    throw new Kind2(`Cannot make ${thing}: ${name} is ${shown(value)}, a number ${range} is allowed`);
  }
  if (allowed.includes(value)) return;
  const Kind = typeof value === typeof allowed[0] ? RangeError : TypeError;
  throw new Kind(`Cannot make ${thing}: ${name} is ${shown(value)}, ${listed(allowed, "or")} is allowed`);
}
function listed(words, last) {
  return `${words.slice(0, -1).join(", ")} ${last} ${words[words.length - 1]}`;
}
function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}\u2026` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === void 0) {
    return String(value);
  }
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

// src/motion/clock.ts
var MIN_DELAY_WINDOW_MS = 6e4;
var LATE_MS = 500;
var LATE_FOR_MS = 1e3;
var MinDelayFilter = class {
  #previousMs = Infinity;
  #currentMs = Infinity;
  #turnMs = -Infinity;
  /** The quickest of the late deliveries that came last, and when they began. */
  #lateMs = Infinity;
  #lateSinceMs = 0;
  #halfMs;
  constructor(windowMs = MIN_DELAY_WINDOW_MS) {
    this.#halfMs = windowMs / 2;
  }
  /** Milliseconds to add to the sender's time; Infinity until the first update. */
  get offsetMs() {
    return Math.min(this.#previousMs, this.#currentMs);
  }
  /** Takes one arrival and gives the offset that now holds. */
  update(senderMs, arrivalMs) {
    if (arrivalMs - this.#turnMs >= this.#halfMs || arrivalMs < this.#turnMs) {
      this.#previousMs = this.#currentMs;
      this.#currentMs = Infinity;
      this.#turnMs = arrivalMs;
    }
    const tookMs = arrivalMs - senderMs;
    if (tookMs <= this.offsetMs + LATE_MS) {
      this.#lateMs = Infinity;
    } else {
      if (this.#lateMs === Infinity || arrivalMs < this.#lateSinceMs) this.#lateSinceMs = arrivalMs;
      this.#lateMs = Math.min(this.#lateMs, tookMs);
      if (arrivalMs - this.#lateSinceMs >= LATE_FOR_MS) {
        this.#previousMs = this.#currentMs = this.#lateMs;
        this.#lateMs = Infinity;
      }
    }
    this.#currentMs = Math.min(this.#currentMs, tookMs);
    return this.offsetMs;
  }
};

// src/motion/types.ts
function emptyMotion() {
  return {
    pos: [],
    vel: [],
    age: Infinity,
    delay: 0,
    starved: true
  };
}
function vector(dims) {
  return new Array(dims).fill(0);
}
function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
function length(v) {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] * v[i];
  return Math.sqrt(sum);
}

// src/motion/correct.ts
var SETTLE_MS = 40;
var MAX_SETTLE_MS = 2e3;
var HURRY = 0.5;
var LEAP_SECONDS = 2;
var Pursuit = class {
  /** What was drawn last, and when. */
  #pos = [];
  #lastMs = NaN;
  /** How far that was from what is believed. */
  #error = [];
  #topSpeed = 0;
  #hurry;
  #leapSeconds;
  /**
   * @param hurry how much faster than its top speed the object may be drawn.
   * @param leapSeconds an error of so many seconds at top speed is not made good but forgotten; default none
   * is.
   */
  constructor(hurry = HURRY, leapSeconds = Infinity) {
    this.#hurry = hurry;
    this.#leapSeconds = leapSeconds;
  }
  get lastMs() {
    return this.#lastMs;
  }
  correct(believed, topSpeed) {
    let squaredError2 = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      this.#error[d] = this.#pos[d] - believed.pos[d];
      squaredError2 += this.#error[d] * this.#error[d];
    }
    this.#topSpeed = topSpeed;
    if (topSpeed > 0 && squaredError2 > (this.#leapSeconds * topSpeed) ** 2) this.snap();
  }
  snap() {
    this.#lastMs = NaN;
  }
  shift(ms) {
    this.#lastMs += ms;
  }
  apply(nowMs, pos, vel) {
    const seconds = Math.max(0, nowMs - this.#lastMs) / 1e3;
    this.#lastMs = nowMs;
    if (Number.isNaN(seconds)) return this.#begin(pos);
    const left = Math.exp(-1e3 * seconds / SETTLE_MS);
    let squaredWay = 0, squaredSpeed = 0;
    for (let d = 0; d < pos.length; d++) {
      squaredWay += (pos[d] + this.#error[d] * left - this.#pos[d]) ** 2;
      squaredSpeed += vel[d] * vel[d];
    }
    const topSpeed = this.#topSpeed;
    const limit = (1 + this.#hurry) * Math.sqrt(Math.max(topSpeed * topSpeed, squaredSpeed)) * seconds;
    const share = topSpeed > 0 && squaredWay > limit * limit ? this.#limitedShare(limit, Math.sqrt(squaredWay), seconds) : 1;
    for (let d = 0; d < pos.length; d++) {
      const drawn = this.#pos[d] + (pos[d] + this.#error[d] * left - this.#pos[d]) * share;
      this.#error[d] = drawn - pos[d];
      this.#pos[d] = drawn;
      pos[d] = drawn;
    }
  }
  #begin(pos) {
    if (this.#pos.length !== pos.length) {
      this.#pos = vector(pos.length);
      this.#error = vector(pos.length);
    }
    for (let d = 0; d < pos.length; d++) {
      this.#pos[d] = pos[d];
      this.#error[d] = 0;
    }
  }
  /** Gives the share of the wanted way that an object may go that is held up by its limit. */
  #limitedShare(limit, way, seconds) {
    let squaredError2 = 0;
    for (const error of this.#error) squaredError2 += error * error;
    const least = Math.sqrt(squaredError2) * seconds * 1e3 / MAX_SETTLE_MS;
    return Math.min(1, Math.max(limit, least) / way);
  }
};
var ProjectiveBlending = class {
  /** What was drawn last, and when. */
  #pos = [];
  #vel = [];
  #lastMs = NaN;
  /** How far off that was at the last correction, and when it was drawn. */
  #error = [];
  #slip = [];
  #startMs = 0;
  #blendMs;
  #leapSeconds;
  /**
   * @param blendMs how long taking back an error takes, T_Δ, in milliseconds.
   * @param leapSeconds an error of so many seconds at top speed is not made good but forgotten; default none
   * is.
   */
  constructor(blendMs, leapSeconds = Infinity) {
    this.#blendMs = blendMs;
    this.#leapSeconds = leapSeconds;
  }
  get lastMs() {
    return this.#lastMs;
  }
  correct(believed, topSpeed = 0) {
    this.#startMs = this.#lastMs;
    let squaredError2 = 0, squaredSlip = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      this.#error[d] = this.#pos[d] - believed.pos[d];
      this.#slip[d] = this.#vel[d] - believed.vel[d];
      squaredError2 += this.#error[d] * this.#error[d];
      squaredSlip += this.#slip[d] * this.#slip[d];
    }
    const squaredLeap = (this.#leapSeconds * topSpeed) ** 2;
    if (topSpeed > 0 && Math.max(squaredError2, squaredSlip) > squaredLeap) this.snap();
  }
  snap() {
    this.#lastMs = NaN;
  }
  shift(ms) {
    this.#lastMs += ms;
    this.#startMs += ms;
  }
  apply(nowMs, pos, vel) {
    const isFirst = Number.isNaN(this.#lastMs);
    this.#lastMs = nowMs;
    if (isFirst) return this.#begin(pos, vel);
    const sinceMs = Math.max(0, nowMs - this.#startMs);
    const left = sinceMs < this.#blendMs ? 1 - sinceMs / this.#blendMs : 0;
    for (let d = 0; d < pos.length; d++) {
      pos[d] += this.#error[d] * left + this.#slip[d] * sinceMs / 1e3 * left * left;
      vel[d] += this.#slip[d] * left;
      this.#pos[d] = pos[d];
      this.#vel[d] = vel[d];
    }
  }
  #begin(pos, vel) {
    if (this.#pos.length !== pos.length) {
      this.#pos = vector(pos.length);
      this.#vel = vector(pos.length);
      this.#error = vector(pos.length);
      this.#slip = vector(pos.length);
    }
    this.#startMs = this.#lastMs;
    for (let d = 0; d < pos.length; d++) {
      this.#pos[d] = pos[d];
      this.#vel[d] = vel[d];
      this.#error[d] = 0;
      this.#slip[d] = 0;
    }
  }
};

// src/motion/fit.ts
function fit(history, samples, order, out) {
  const { slots } = history;
  const from = slots.length - samples;
  const newest = slots[slots.length - 1];
  const t0 = newest.t;
  const dims = newest.pos.length;
  out.t = t0;
  out.turn = 0;
  if (samples === 1) {
    for (let d = 0; d < dims; d++) {
      out.pos[d] = newest.pos[d];
      out.vel[d] = newest.hasVel ? newest.vel[d] : 0;
      out.acc[d] = 0;
    }
    out.bendSeconds = Infinity;
    return true;
  }
  const interval = (t0 - slots[from].t) / 1e3 / (samples - 1);
  const w = interval * interval;
  let a00 = 0, a01 = 0, a02 = 0, a11 = 0, a12 = 0, a22 = 0;
  for (let i = from; i < slots.length; i++) {
    const s = (slots[i].t - t0) / 1e3;
    const q = s * s / 2;
    a00 += 1;
    a01 += s;
    a02 += q;
    a11 += s * s;
    a12 += s * q;
    a22 += q * q;
    if (slots[i].hasVel) {
      a11 += w;
      a12 += w * s;
      a22 += w * s * s;
    }
  }
  const c00 = order === 2 ? a11 * a22 - a12 * a12 : a11;
  const c01 = order === 2 ? a02 * a12 - a01 * a22 : -a01;
  const c02 = order === 2 ? a01 * a12 - a02 * a11 : 0;
  const c11 = order === 2 ? a00 * a22 - a02 * a02 : a00;
  const c12 = order === 2 ? a01 * a02 - a00 * a12 : 0;
  const c22 = order === 2 ? a00 * a11 - a01 * a01 : 0;
  const determinant = a00 * c00 + a01 * c01 + (order === 2 ? a02 * c02 : 0);
  const size = order === 2 ? a00 * a11 * a22 : a00 * a11;
  if (!(determinant > size * 1e-12)) return false;
  for (let d = 0; d < dims; d++) {
    let b0 = 0, b1 = 0, b2 = 0;
    for (let i = from; i < slots.length; i++) {
      const slot = slots[i];
      const s = (slot.t - t0) / 1e3;
      const p = slot.pos[d] - newest.pos[d];
      b0 += p;
      b1 += s * p;
      b2 += s * s / 2 * p;
      if (slot.hasVel) {
        b1 += w * slot.vel[d];
        b2 += w * s * slot.vel[d];
      }
    }
    out.pos[d] = newest.pos[d] + (c00 * b0 + c01 * b1 + c02 * b2) / determinant;
    out.vel[d] = (c01 * b0 + c11 * b1 + c12 * b2) / determinant;
    out.acc[d] = (c02 * b0 + c12 * b1 + c22 * b2) / determinant;
  }
  out.bendSeconds = order === 2 ? secondsToStop(out) : Infinity;
  return true;
}
function secondsToStop({ vel, acc }) {
  let along2 = 0, squaredSpeed = 0;
  for (let d = 0; d < vel.length; d++) {
    along2 += vel[d] * acc[d];
    squaredSpeed += vel[d] * vel[d];
  }
  return along2 < 0 ? -squaredSpeed / along2 : Infinity;
}
var STRAIGHT_COS = 1 - 1e-9;
var BOUNCE_COS = -0.9;
function fitArc(history, samples, out) {
  const { slots } = history;
  const newest = slots[slots.length - 1];
  const first = slots[slots.length - samples];
  if (!first.hasVel || !newest.hasVel) return false;
  const dims = newest.pos.length;
  let squared0 = 0, squared1 = 0, product = 0;
  for (let d = 0; d < dims; d++) {
    squared0 += first.vel[d] * first.vel[d];
    squared1 += newest.vel[d] * newest.vel[d];
    product += first.vel[d] * newest.vel[d];
  }
  const cos = product / Math.sqrt(squared0 * squared1);
  if (cos < BOUNCE_COS) return false;
  const turns = cos < STRAIGHT_COS;
  out.t = newest.t;
  out.turn = turns ? Math.acos(cos) / ((newest.t - first.t) / 1e3) : 0;
  out.bendSeconds = Infinity;
  const share = turns ? product / squared1 : 0;
  const outwards = turns ? -out.turn * Math.sqrt(squared1 / (squared0 - product * share)) : 0;
  for (let d = 0; d < dims; d++) {
    out.pos[d] = newest.pos[d];
    out.vel[d] = newest.vel[d];
    out.acc[d] = (first.vel[d] - share * newest.vel[d]) * outwards;
  }
  return true;
}

// src/motion/history.ts
var OUT_OF_PROPORTION = 1e3;
var SAME_TIME_MS = 1e-3;
var LAST_SAMPLES = 8;
function emptySlot(dims) {
  return {
    t: 0,
    pos: vector(dims),
    vel: vector(dims),
    acc: [],
    hasVel: false,
    hasAcc: false,
    cut: false
  };
}
var History = class {
  /** Oldest first; owned by this object, read by others until the next insert. */
  slots = [];
  #capacity;
  /** The time of the last teleport. */
  #cutMs = -Infinity;
  constructor(capacity) {
    this.#capacity = capacity;
  }
  /** The sample with the largest time, or undefined. */
  get newest() {
    return this.slots[this.slots.length - 1];
  }
  /** The index of the first sample after the last teleport. */
  since() {
    if (this.slots.length === 0 || this.slots[0].t >= this.#cutMs) return 0;
    for (let i = this.slots.length - 1; i > 0; i--) if (this.slots[i].cut) return i;
    return 0;
  }
  /** How far the samples since the last teleport are from the newest one at most, along an axis. */
  width() {
    const { slots } = this;
    const { pos } = slots[slots.length - 1];
    let width = 0;
    for (let i = this.since(); i < slots.length - 1; i++) {
      for (let d = 0; d < pos.length; d++) width = Math.max(width, Math.abs(slots[i].pos[d] - pos[d]));
    }
    return width;
  }
  /** The highest speed of the last samples, in units per second. */
  fastest() {
    const { slots } = this;
    let fastest = 0;
    for (let i = Math.max(0, slots.length - LAST_SAMPLES); i < slots.length; i++) {
      fastest = Math.max(fastest, length(slots[i].vel));
    }
    return fastest;
  }
  /** Says whether a sample of this time is there already. */
  has(t) {
    for (let i = this.slots.length - 1; i >= 0 && this.slots[i].t >= t - SAME_TIME_MS; i--) {
      if (this.slots[i].t <= t + SAME_TIME_MS) return true;
    }
    return false;
  }
  /** Forgets everything. */
  clear() {
    this.slots.length = 0;
    this.#cutMs = -Infinity;
  }
  /**
   * Puts a sample where its time belongs. The oldest leaves when the history is full; a sample older than
   * that is not taken.
   *
   * @returns the index it got, or -1.
   */
  insert(t, pos, vel, acc, cut) {
    const { slots } = this;
    let slot;
    if (slots.length < this.#capacity) {
      slot = emptySlot(pos.length);
      slots.push(slot);
    } else {
      if (t < slots[0].t) return -1;
      slot = slots[0];
      for (let i = 1; i < slots.length; i++) slots[i - 1] = slots[i];
      slots[slots.length - 1] = slot;
    }
    let index = slots.length - 1;
    for (; index > 0 && slots[index - 1].t > t; index--) slots[index] = slots[index - 1];
    slots[index] = slot;
    slot.t = t;
    slot.cut = cut;
    if (cut) this.#cutMs = Math.max(this.#cutMs, t);
    slot.hasVel = vel !== void 0;
    slot.hasAcc = acc !== void 0;
    for (let d = 0; d < pos.length; d++) {
      slot.pos[d] = pos[d];
      slot.vel[d] = vel === void 0 ? 0 : vel[d];
      if (acc !== void 0) slot.acc[d] = acc[d];
    }
    for (let i = Math.max(0, index - 1); i <= Math.min(index + 1, slots.length - 1); i++) {
      this.#differentiate(i);
    }
    return index;
  }
  /**
   * Works out the velocity of a sample that was sent without one: through both neighbours (the slope of the
   * parabola through three points, which for equal intervals is Catmull and Rom's tangent), at an end to the
   * only neighbour.
   */
  #differentiate(i) {
    const { slots } = this;
    const slot = slots[i];
    if (slot.hasVel) return;
    const before = i > 0 && !slot.cut ? slots[i - 1] : void 0;
    const after = i + 1 < slots.length && !slots[i + 1].cut ? slots[i + 1] : void 0;
    for (let d = 0; d < slot.pos.length; d++) {
      const left = before === void 0 ? NaN : (slot.pos[d] - before.pos[d]) / (slot.t - before.t) * 1e3;
      const right = after === void 0 ? NaN : (after.pos[d] - slot.pos[d]) / (after.t - slot.t) * 1e3;
      if (before !== void 0 && after !== void 0) {
        const share = (slot.t - before.t) / (after.t - before.t);
        slot.vel[d] = left + (right - left) * share;
      } else {
        slot.vel[d] = before !== void 0 ? left : after !== void 0 ? right : 0;
      }
    }
  }
};

// src/motion/estimate.ts
function emptyKinematics() {
  return {
    t: 0,
    pos: [],
    vel: [],
    acc: [],
    turn: 0,
    bendSeconds: Infinity,
    topSpeed: 0
  };
}
function setDimensions(state, dims) {
  if (state.pos.length === dims) return;
  state.pos = vector(dims);
  state.vel = vector(dims);
  state.acc = vector(dims);
}
var Held = class {
  state = emptyKinematics();
  update(history) {
    const slot = history.newest;
    setDimensions(this.state, slot.pos.length);
    this.state.t = slot.t;
    for (let d = 0; d < slot.pos.length; d++) {
      this.state.pos[d] = slot.pos[d];
      this.state.vel[d] = 0;
      this.state.acc[d] = 0;
    }
  }
  reset() {
  }
};
var Newest = class {
  state = emptyKinematics();
  #order;
  constructor(order) {
    this.#order = order;
  }
  update(history) {
    const { slots } = history;
    const slot = history.newest;
    const before = slot.cut ? void 0 : slots[slots.length - 2];
    setDimensions(this.state, slot.pos.length);
    this.state.t = slot.t;
    for (let d = 0; d < slot.pos.length; d++) {
      this.state.pos[d] = slot.pos[d];
      this.state.vel[d] = slot.vel[d];
      if (this.#order === 1) this.state.acc[d] = 0;
      else if (slot.hasAcc) this.state.acc[d] = slot.acc[d];
      else if (before === void 0) this.state.acc[d] = 0;
      else this.state.acc[d] = (slot.vel[d] - before.vel[d]) / (slot.t - before.t) * 1e3;
    }
  }
  reset() {
  }
};
var SCORE_KEPT = 0.9;
var LeastSquares = class {
  #state = emptyKinematics();
  #withVel = [
    candidate("line", 1),
    candidate("parabola", 2),
    candidate("arc", 3)
  ];
  #withoutVel = [
    candidate("line", 2),
    candidate("parabola", 3),
    candidate("line", 4),
    candidate("parabola", 6)
  ];
  get state() {
    return this.#state;
  }
  reset() {
    for (const one of this.#withVel) one.fitted = false;
    for (const one of this.#withoutVel) one.fitted = false;
  }
  update(history) {
    const slot = history.newest;
    const candidates = slot.hasVel ? this.#withVel : this.#withoutVel;
    const available = history.slots.length - history.since();
    const width = history.width();
    const greatest = width === 0 ? Infinity : (OUT_OF_PROPORTION * width) ** 2;
    let best = candidates[0];
    let bestScore = Infinity;
    for (const one of candidates) {
      if (one.fitted) {
        const error = squaredError(one.state, slot);
        const score = one.score === Infinity ? error : SCORE_KEPT * one.score + (1 - SCORE_KEPT) * error;
        one.score = score < greatest ? score : Infinity;
      }
      const samples = one === candidates[0] ? Math.min(one.samples, available) : one.samples;
      one.fitted = samples <= available && fitModel(one.model, history, samples, one.state);
      if (one.fitted && one.score < bestScore) {
        best = one;
        bestScore = one.score;
      }
    }
    this.#state = best.state;
  }
};
function candidate(model, samples) {
  return {
    model,
    samples,
    state: emptyKinematics(),
    score: Infinity,
    fitted: false
  };
}
function fitModel(model, history, samples, out) {
  setDimensions(out, history.newest.pos.length);
  if (model === "arc") return fitArc(history, samples, out);
  return fit(history, samples, model === "parabola" ? 2 : 1, out);
}
function squaredError(state, slot) {
  const T = (slot.t - state.t) / 1e3;
  const { turn } = state;
  const along2 = turn === 0 ? T : Math.sin(turn * T) / turn;
  const aside = turn === 0 ? T * T / 2 : (1 - Math.cos(turn * T)) / (turn * turn);
  let sum = 0;
  for (let d = 0; d < slot.pos.length; d++) {
    const off = state.pos[d] + state.vel[d] * along2 + state.acc[d] * aside - slot.pos[d];
    sum += off * off;
  }
  return sum;
}
var DEFAULT_ALPHA = 0.85;
var LOST_WIDTHS = 4;
var AlphaBeta = class {
  state = emptyKinematics();
  #alpha;
  #beta;
  #samples = 0;
  constructor(alpha = DEFAULT_ALPHA) {
    this.#alpha = alpha;
    this.#beta = alpha * alpha / (2 - alpha);
  }
  reset() {
    this.#samples = 0;
  }
  update(history) {
    const slot = history.newest;
    const { state } = this;
    setDimensions(state, slot.pos.length);
    const T = (slot.t - state.t) / 1e3;
    if (this.#samples > 1 && this.#isLost(history, T)) this.#samples = 0;
    for (let d = 0; d < slot.pos.length; d++) {
      if (this.#samples === 0 || this.#samples === 1 && !slot.hasVel) {
        state.pos[d] = slot.pos[d];
        state.vel[d] = slot.vel[d];
        state.acc[d] = 0;
      } else if (T > 0) {
        const expected = state.pos[d] + state.vel[d] * T;
        const residual = slot.pos[d] - expected;
        state.pos[d] = expected + this.#alpha * residual;
        state.vel[d] += this.#beta * residual / T;
      }
    }
    state.t = slot.t;
    this.#samples++;
  }
  #isLost(history, T) {
    const { pos, vel } = this.state;
    const slot = history.newest;
    const limit = LOST_WIDTHS * history.width();
    for (let d = 0; d < pos.length; d++) {
      if (!(Math.abs(slot.pos[d] - pos[d] - vel[d] * T) <= limit)) return true;
    }
    return false;
  }
};

// src/motion/playout.ts
var PLAYOUT_WINDOW = 64;
var PLAYOUT_QUANTILE = 0.95;
var MAX_TIME_BEND = 0.08;
var FULL_BEND_MS = 50;
var MAX_LAG_MS = 5e3;
var AWAY_MS = 1e3;
var MAX_STARVED_MS = 100;
var FIRST_DELAY_MS = 100;
var Playout = class {
  #needs = new Float64Array(PLAYOUT_WINDOW);
  #sorted = new Float64Array(PLAYOUT_WINDOW);
  #count = 0;
  #newestMs = -Infinity;
  #arrivalMs = -Infinity;
  #delayMs;
  #playMs = NaN;
  /** The last two different times that were asked for. */
  #lastMs = NaN;
  #lastButOneMs = NaN;
  #fixed;
  /** @param delayMs a fixed delay in milliseconds, instead of one that follows the network. */
  constructor(delayMs) {
    this.#fixed = delayMs !== void 0;
    this.#delayMs = delayMs ?? FIRST_DELAY_MS;
  }
  /** The delay that is aimed at, in milliseconds. */
  get delayMs() {
    return this.#delayMs;
  }
  /** Takes the time of a new newest sample and when it arrived. */
  arrived(sampleMs, nowMs) {
    const first = this.#newestMs === -Infinity;
    const askedMs = this.#lastMs < nowMs ? this.#lastMs : this.#lastButOneMs;
    const need = first ? nowMs - sampleMs + FIRST_DELAY_MS : (askedMs < nowMs ? askedMs : nowMs) - this.#newestMs;
    this.#newestMs = sampleMs;
    if (nowMs === this.#arrivalMs || this.#fixed) return;
    const waitedMs = nowMs - this.#arrivalMs;
    this.#arrivalMs = nowMs;
    if (first) {
      this.#delayMs = need;
      return;
    }
    if (waitedMs < 0 || waitedMs > MAX_LAG_MS) return;
    const n = Math.min(this.#count, PLAYOUT_WINDOW);
    const at = this.#count++ % PLAYOUT_WINDOW;
    const left = n === PLAYOUT_WINDOW ? remove(this.#sorted, n, this.#needs[at]) : n;
    insert(this.#sorted, left, need);
    this.#needs[at] = need;
    this.#delayMs = this.#sorted[Math.ceil(PLAYOUT_QUANTILE * (left + 1)) - 1];
  }
  /**
   * Forgets the sender's time, as after a step of its clock, and what was measured by it; the drawn time
   * starts anew.
   */
  restart() {
    this.#count = 0;
    this.#playMs = NaN;
    this.#lastMs = NaN;
    this.#lastButOneMs = NaN;
    this.#newestMs = -Infinity;
    this.#arrivalMs = -Infinity;
  }
  /**
   * Takes note that the clock reads this many milliseconds more from now on, and that samples' times don't.
   */
  shift(ms) {
    this.#lastMs += ms;
    this.#lastButOneMs += ms;
    this.#arrivalMs += ms;
    if (this.#fixed || ms === 0) return;
    this.#delayMs += ms;
    for (let i = 0; i < PLAYOUT_WINDOW; i++) {
      this.#needs[i] += ms;
      this.#sorted[i] += ms;
    }
  }
  /** Gives the moment to draw now. Calling it again with the same time changes nothing. */
  advance(nowMs) {
    const goal = nowMs - this.#delayMs;
    const passed = Math.max(0, nowMs - this.#lastMs);
    if (nowMs !== this.#lastMs) this.#lastButOneMs = this.#lastMs;
    this.#lastMs = nowMs;
    const lag = goal - passed - this.#playMs;
    if (!(Math.abs(lag) < MAX_LAG_MS) || passed > AWAY_MS) {
      this.#playMs = goal <= this.#newestMs ? goal : NaN;
      return Math.min(goal, this.#newestMs);
    }
    const bend = Math.max(-1, Math.min(1, lag / FULL_BEND_MS)) * MAX_TIME_BEND;
    const room = this.#newestMs + MAX_STARVED_MS - this.#playMs;
    const brake = Math.max(0, Math.min(1, room / MAX_STARVED_MS));
    this.#playMs += passed * (1 + bend) * brake;
    return this.#playMs;
  }
};
function remove(sorted, count, value) {
  let i = 0;
  while (sorted[i] < value) i++;
  for (; i < count - 1; i++) sorted[i] = sorted[i + 1];
  return count - 1;
}
function insert(sorted, count, value) {
  let i = count;
  for (; i > 0 && sorted[i - 1] > value; i--) sorted[i] = sorted[i - 1];
  sorted[i] = value;
}

// src/motion/predict.ts
function movedSeconds(ageMs, maxMs, brakeMs) {
  if (ageMs <= maxMs) return ageMs / 1e3;
  const u = Math.min(ageMs - maxMs, brakeMs);
  return (maxMs + (brakeMs > 0 ? u - u * u / (2 * brakeMs) : 0)) / 1e3;
}
function movingShare(ageMs, maxMs, brakeMs) {
  if (ageMs <= maxMs) return 1;
  return Math.max(0, 1 - (ageMs - maxMs) / Math.max(brakeMs, 1e-9));
}
function extrapolate(state, nowMs, reach, pos, vel) {
  const ageMs = Math.max(0, nowMs - state.t);
  const late = ageMs > reach.maxExtrapolateMs;
  const T = late ? movedSeconds(ageMs, reach.maxExtrapolateMs, reach.brakeMs) : ageMs / 1e3;
  const share = late ? movingShare(ageMs, reach.maxExtrapolateMs, reach.brakeMs) : 1;
  const dims = state.pos.length;
  if (reach.advance === void 0 || !advanced(state, T, reach.advance, pos, vel)) {
    const bent = Math.min(T, reach.accelerateMs / 1e3, state.bendSeconds);
    let along2 = bent, aside = bent * bent / 2, kept = 1, gained = bent;
    if (state.turn !== 0) {
      kept = Math.cos(state.turn * bent);
      along2 = gained = Math.sin(state.turn * bent) / state.turn;
      aside = (1 - kept) / (state.turn * state.turn);
    }
    let squared = 0;
    for (let d = 0; d < dims; d++) {
      pos[d] = state.pos[d] + state.vel[d] * along2 + state.acc[d] * aside;
      vel[d] = state.vel[d] * kept + state.acc[d] * gained;
      squared += vel[d] * vel[d];
    }
    if (reach.keepTopSpeed && state.turn === 0 && squared > state.topSpeed * state.topSpeed) {
      const shrink = state.topSpeed / Math.sqrt(squared);
      for (let d = 0; d < dims; d++) {
        vel[d] *= shrink;
        pos[d] = state.pos[d] + (state.vel[d] + vel[d]) / 2 * bent;
      }
    }
    if (bent < T) {
      for (let d = 0; d < dims; d++) pos[d] += vel[d] * (T - bent);
    }
  }
  for (let d = 0; d < dims; d++) vel[d] *= share;
}
function advanced(state, seconds, advance, pos, vel) {
  const dims = state.pos.length;
  for (let d = 0; d < dims; d++) {
    pos[d] = state.pos[d];
    vel[d] = state.vel[d];
  }
  advance(pos, vel, seconds);
  if (isFiniteVector(pos, dims) && isFiniteVector(vel, dims)) {
    if (pos.length === dims && vel.length === dims) return true;
  }
  pos.length = vel.length = dims;
  return false;
}
function hermite(p0, v0, p1, v1, share, seconds) {
  const s2 = share * share;
  const s3 = s2 * share;
  return (2 * s3 - 3 * s2 + 1) * p0 + (s3 - 2 * s2 + share) * seconds * v0 + (3 * s2 - 2 * s3) * p1 + (s3 - s2) * seconds * v1;
}
function hermiteSlope(p0, v0, p1, v1, share, seconds) {
  const s2 = share * share;
  return (6 * s2 - 6 * share) / seconds * (p0 - p1) + (3 * s2 - 4 * share + 1) * v0 + (3 * s2 - 2 * share) * v1;
}
function wrapAngle(angle) {
  const turn = 2 * Math.PI;
  const near = Math.abs(angle) < 1e6 ? angle : angle % turn;
  const wrapped = near - turn * Math.ceil((near - Math.PI) / turn);
  return wrapped <= -Math.PI ? Math.PI : wrapped;
}
var SPEED_HALF_LIFE_MS = 1e4;
function fadedTopSpeed(topSpeed, passedMs, speed) {
  return Math.max(speed, topSpeed * 0.5 ** (Math.max(0, passedMs) / SPEED_HALF_LIFE_MS));
}

// src/motion/movers.ts
function limitDimensions(motion, dims) {
  if (motion.pos.length > dims) motion.pos.length = dims;
  if (motion.vel.length > dims) motion.vel.length = dims;
}
var Predicting = class {
  samples = 8;
  #estimator;
  #reach;
  constructor(estimator, reach) {
    this.#estimator = estimator;
    this.#reach = reach;
  }
  /** The highest speed of late, in units per second. */
  get topSpeed() {
    return this.#estimator.state.topSpeed;
  }
  shift() {
  }
  snap() {
  }
  arrived(history, _nowMs, arrival) {
    if (arrival === "late") return;
    const { t: beforeMs, topSpeed } = this.#estimator.state;
    if (arrival !== "next") this.#estimator.reset();
    this.#estimator.update(history);
    const { state } = this.#estimator;
    const newest = history.newest;
    const speed = length(newest.hasVel ? newest.vel : state.vel);
    state.topSpeed = inProportion(fadedTopSpeed(topSpeed, state.t - beforeMs, speed), speed, history);
  }
  /** Writes where the object is now believed to have been, also at a time before the newest sample. */
  recall(timeMs, out) {
    const { state } = this.#estimator;
    limitDimensions(out, state.pos.length);
    if (timeMs >= state.t) return extrapolate(state, timeMs, this.#reach, out.pos, out.vel);
    const back = (state.t - timeMs) / 1e3;
    for (let d = 0; d < state.pos.length; d++) {
      out.vel[d] = state.vel[d] - state.acc[d] * back;
      out.pos[d] = state.pos[d] - (state.vel[d] + out.vel[d]) / 2 * back;
    }
  }
  draw(_history, nowMs, out) {
    const { state } = this.#estimator;
    limitDimensions(out, state.pos.length);
    extrapolate(state, nowMs, this.#reach, out.pos, out.vel);
    out.age = nowMs - state.t;
    out.delay = 0;
    out.starved = out.age > this.#reach.maxExtrapolateMs;
  }
};
var recalled = {
  pos: [],
  vel: []
};
var Blending = class {
  samples = 8;
  #predicting;
  #glide;
  /** True if a sample came since the last drawing. */
  #changed = false;
  constructor(estimator, reach, glide) {
    this.#predicting = new Predicting(estimator, reach);
    this.#glide = glide;
  }
  shift(ms) {
    this.#glide.shift(ms);
  }
  snap() {
    this.#glide.snap();
  }
  arrived(history, nowMs, arrival) {
    if (arrival === "late") return;
    this.#predicting.arrived(history, nowMs, arrival);
    if (arrival === "snap") this.#glide.snap();
    this.#changed = true;
  }
  draw(history, nowMs, out) {
    if (this.#changed) {
      this.#predicting.recall(this.#glide.lastMs, recalled);
      this.#glide.correct(recalled, this.#predicting.topSpeed);
      this.#changed = false;
    }
    this.#predicting.draw(history, nowMs, out);
    this.#glide.apply(nowMs, out.pos, out.vel);
  }
};
var PAST_SAMPLES = 128;
var Interpolating = class {
  samples = PAST_SAMPLES;
  #playout;
  #glide = new Pursuit(HURRY, LEAP_SECONDS);
  #topSpeed = 0;
  #newestMs = 0;
  /** The moment that was drawn last. */
  #playedMs = Infinity;
  /** True if a sample came since then. */
  #changed = false;
  constructor(delayMs) {
    this.#playout = new Playout(delayMs);
  }
  shift(ms, isNewClock) {
    this.#glide.shift(ms);
    if (isNewClock) this.#playedMs += ms;
    else this.#playout.shift(ms);
  }
  snap() {
    this.#glide.snap();
  }
  arrived(history, nowMs, arrival) {
    const newest = history.newest;
    if (arrival === "restart") this.#playout.restart();
    if (arrival !== "late") this.#playout.arrived(newest.t, nowMs);
    const speed = length(newest.vel);
    const topSpeed = fadedTopSpeed(this.#topSpeed, newest.t - this.#newestMs, speed);
    this.#topSpeed = inProportion(topSpeed, speed, history);
    this.#newestMs = newest.t;
    this.#changed = true;
  }
  draw(history, nowMs, out) {
    const { slots } = history;
    if (this.#changed) {
      past(slots, this.#playedMs, recalled);
      this.#glide.correct(recalled, this.#topSpeed);
    }
    const playMs = this.#playout.advance(nowMs);
    const from = past(slots, playMs, out);
    out.age = nowMs - slots[slots.length - 1].t;
    out.delay = nowMs - playMs;
    out.starved = playMs > slots[slots.length - 1].t;
    if (cutBetween(slots, from, this.#playedMs)) this.#glide.snap();
    this.#changed = Math.abs(playMs - this.#playedMs) > AWAY_MS;
    this.#playedMs = playMs;
    this.#glide.apply(nowMs, out.pos, out.vel);
  }
};
function inProportion(topSpeed, speed, history) {
  if (speed === 0 || topSpeed <= OUT_OF_PROPORTION * speed) return topSpeed;
  const fastest = history.fastest();
  return topSpeed > OUT_OF_PROPORTION * fastest ? fastest : topSpeed;
}
function cutBetween(slots, index, playedMs) {
  for (let i = index; i >= 0 && slots[i].t > playedMs; i--) if (slots[i].cut) return true;
  return false;
}
function past(slots, timeMs, out) {
  limitDimensions(out, slots[0].pos.length);
  let i = slots.length - 1;
  while (i > 0 && slots[i].t > timeMs) i--;
  const from = slots[i];
  const to = slots[i + 1];
  if (to === void 0 || to.cut) along(from, timeMs, out);
  else if (timeMs <= from.t) along(from, from.t, out);
  else between(from, to, timeMs, out);
  return i;
}
function along(from, playMs, out) {
  const beyondMs = Math.max(0, Math.min(playMs - from.t, MAX_STARVED_MS));
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = from.pos[d] + from.vel[d] * beyondMs / 1e3;
    out.vel[d] = from.vel[d] * (1 - beyondMs / MAX_STARVED_MS);
  }
}
function between(from, to, playMs, out) {
  const seconds = (to.t - from.t) / 1e3;
  const share = (playMs - from.t) / 1e3 / seconds;
  for (let d = 0; d < from.pos.length; d++) {
    out.pos[d] = hermite(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
    out.vel[d] = hermiteSlope(from.pos[d], from.vel[d], to.pos[d], to.vel[d], share, seconds);
  }
}

// src/motion/track.ts
var DEFAULT_MAX_EXTRAPOLATE_MS = 500;
var BRAKE_MS = 500;
var ACCELERATE_MS = 500;
var CLOCK_STEP_MS = 1e3;
var MAX_AHEAD_MS = 100;
var MAX_SHARED_AGE_MS = 1e4;
var DIMENSION_CHANGE_SAMPLES = 3;
var MAX_TURNED = 1e6;
var NUMBER = {
  min: 0,
  max: MAX_NUMBER
};
var NUMBER_OR_INFINITY = {
  min: 0,
  max: Infinity
};
var TRACK_ALLOWED = {
  strategy: [
    "hold",
    "speed",
    "history",
    "blend",
    "interpolate"
  ],
  order: [
    1,
    2
  ],
  filter: [
    "fit",
    "alpha-beta"
  ],
  angles: "indices",
  clock: [
    "shared",
    "sender"
  ],
  teleportDistance: NUMBER_OR_INFINITY,
  maxExtrapolateMs: NUMBER_OR_INFINITY,
  hurry: NUMBER_OR_INFINITY,
  blendMs: NUMBER,
  delayMs: NUMBER,
  advance: "function"
};
var Track = class {
  #history;
  #mover;
  #makeMover;
  #reach;
  #angles;
  #teleportDistance;
  #isShared;
  #motion = emptyMotion();
  #pos = [];
  #filter;
  /**
   * Added to a sample's time gives ours. Everything inside runs on the sender's time, so that it never
   * shifts.
   */
  #offsetMs = 0;
  #suspects = 0;
  /** How many samples in a row had another count of numbers than those before, and which. */
  #strangers = 0;
  #strangeDims = 0;
  /**
   * Makes a track that knows nothing yet.
   *
   * @throws {RangeError} if an option is out of its range.
   * @throws {TypeError} if an option is of the wrong type or none at all.
   */
  constructor(options = {}) {
    const kept = checkOptions("track", options, TRACK_ALLOWED);
    const { strategy = "blend", angles = [], clock = "shared", teleportDistance = Infinity } = kept;
    const { maxExtrapolateMs = DEFAULT_MAX_EXTRAPOLATE_MS, advance } = kept;
    const accelerateMs = strategy === "speed" ? Infinity : ACCELERATE_MS;
    const keepTopSpeed = strategy !== "speed";
    this.#reach = {
      maxExtrapolateMs,
      brakeMs: BRAKE_MS,
      accelerateMs,
      keepTopSpeed,
      advance
    };
    this.#angles = [
      ...new Set(angles)
    ];
    this.#teleportDistance = teleportDistance;
    this.#isShared = clock === "shared";
    this.#filter = this.#isShared ? void 0 : new MinDelayFilter();
    this.#makeMover = () => makeMover(strategy, kept, this.#reach);
    this.#mover = this.#makeMover();
    this.#history = new History(this.#mover.samples);
  }
  /**
   * Takes a sample that has arrived.
   *
   * @param sample as received; nothing of it is kept.
   * @param nowMs the time of arrival, on the clock that `at` is called with.
   * @returns false if it was of no use: it is no sample; a number in it is missing, NaN or beyond
   * `MAX_NUMBER`; `pos` is empty or longer than `MAX_DIMENSIONS`, `vel` or `acc` is not as long as `pos`;
   * `pos` is not as long as in the samples before, and this is not yet the third such in a row, with which
   * the object appears anew; its time is there already or too old, or it is the first to be absurd. Also if
   * `nowMs` is no time.
   */
  push(sample, nowMs) {
    if (typeof sample !== "object" || sample === null || !isUsable(nowMs)) return false;
    const { pos, vel, acc, teleport } = sample;
    if (!isVector(pos)) return false;
    const dims = pos.length;
    if (!isVectorOrMissing(vel, dims) || !isVectorOrMissing(acc, dims)) return false;
    const t = sample.t ?? nowMs - this.#offsetMs;
    if (!isUsable(t)) return false;
    let arrival = this.#join(pos, t, nowMs);
    if (arrival === void 0) return false;
    this.#suspects = 0;
    const offsetMs = this.#filter === void 0 ? 0 : this.#filter.update(t, nowMs);
    if (offsetMs !== this.#offsetMs) this.#mover.shift(this.#offsetMs - offsetMs, arrival === "restart");
    this.#offsetMs = offsetMs;
    const history = this.#history;
    if (arrival === "next" && t < history.newest.t) arrival = "late";
    else if (teleport === true || arrival === "next" && this.#isFar(t)) arrival = "snap";
    if (history.insert(t, this.#pos, vel, acc, arrival === "snap") < 0) return false;
    this.#mover.arrived(history, nowMs - this.#offsetMs, arrival);
    return true;
  }
  /**
   * Says where to draw the object.
   *
   * @param nowMs the time of drawing. Where it goes back, the object waits, or goes on from the samples of
   * the new time. Where it is no time (NaN, beyond `MAX_NUMBER`), the object is drawn as of its newest
   * sample.
   * @param out written to and returned; default one that belongs to the track and is overwritten by the next
   * call.
   * @throws {TypeError} if `out` is no motion.
   * @throws what the option `advance` throws, and nothing else.
   */
  at(nowMs, out = this.#motion) {
    if (out !== this.#motion && !(Array.isArray(out?.pos) && Array.isArray(out.vel))) {
      throw new TypeError("Cannot draw track: out has no lists pos and vel, a motion is allowed");
    }
    if (this.#history.slots.length === 0) {
      out.pos.length = 0;
      out.vel.length = 0;
      out.age = Infinity;
      out.delay = 0;
      out.starved = true;
      return out;
    }
    if (!(typeof nowMs === "number" && nowMs <= MAX_NUMBER && nowMs >= -MAX_NUMBER)) return this.#still(out);
    this.#mover.draw(this.#history, this.#offsetMs === 0 ? nowMs : nowMs - this.#offsetMs, out);
    let nothing = 0;
    for (let d = 0; d < out.pos.length; d++) nothing += out.pos[d] - out.pos[d] + (out.vel[d] - out.vel[d]);
    if (nothing !== 0) this.#stand(out);
    for (const index of this.#angles) if (index < out.pos.length) out.pos[index] = wrapAngle(out.pos[index]);
    return out;
  }
  /** Says whether a time can't be of the same clock as the ones before, or as ours where it should be. */
  #isSuspect(t, nowMs) {
    const { newest } = this.#history;
    if (this.#filter === void 0 && !isShared(t, nowMs)) return true;
    if (newest === void 0) return false;
    const readMs = nowMs - this.#offsetMs;
    const earliestMs = newest.t > readMs + MAX_AHEAD_MS ? newest.t : newest.t - CLOCK_STEP_MS;
    return t < earliestMs || t > readMs + CLOCK_STEP_MS;
  }
  /** Goes by another clock from this sample on. */
  #takeClock(t, nowMs) {
    const fresh = Math.abs(nowMs - t) < CLOCK_STEP_MS;
    this.#filter = this.#isShared && fresh ? void 0 : new MinDelayFilter();
  }
  /**
   * Says how a sample joins those before, and writes its position; undefined if it is of no use. It may begin
   * another clock, or the object anew.
   */
  #join(pos, t, nowMs) {
    const { newest } = this.#history, isSuspect = this.#isSuspect(t, nowMs);
    if (newest !== void 0 && newest.pos.length !== pos.length) {
      if (this.#strangeDims !== pos.length) this.#strangers = 0;
      this.#strangeDims = pos.length;
      if (++this.#strangers < DIMENSION_CHANGE_SAMPLES) return void 0;
      this.#strangers = 0;
      if (isSuspect) this.#takeClock(t, nowMs);
      return this.#beginAnew(pos);
    }
    this.#strangers = 0;
    if (isSuspect) {
      if (++this.#suspects < 2) return void 0;
      const arrival = newest === void 0 ? "snap" : "restart";
      const joined = this.#unwrap(pos, 0) ? arrival : this.#beginAnew(pos);
      this.#history.clear();
      this.#takeClock(t, nowMs);
      return joined;
    }
    if (this.#history.has(t)) return void 0;
    const passedMs = newest === void 0 ? 0 : t - newest.t;
    if (this.#unwrap(pos, passedMs)) return newest === void 0 ? "snap" : "next";
    return passedMs < 0 ? void 0 : this.#beginAnew(pos);
  }
  /** Forgets the object, but not its clock: it appears at this position. */
  #beginAnew(pos) {
    this.#mover = this.#makeMover();
    this.#history = new History(this.#mover.samples);
    this.#unwrap(pos, 0);
    return "snap";
  }
  /** Draws the object as of its newest sample, where nobody knows what time it is. */
  #still(out) {
    return this.at(this.#history.newest.t + this.#offsetMs, out);
  }
  /** Writes the newest position as it came, for numbers that no arithmetic holds. */
  #stand(out) {
    const { pos } = this.#history.newest;
    out.pos.length = out.vel.length = pos.length;
    for (let d = 0; d < pos.length; d++) {
      out.pos[d] = pos[d];
      out.vel[d] = 0;
    }
    this.#mover.snap();
  }
  /**
   * Writes the position, its angles turned to be nearest to where the object should be so long after the
   * newest sample.
   *
   * @returns false if that is too many turns away to be counted.
   */
  #unwrap(pos, passedMs) {
    if (this.#pos.length !== pos.length) this.#pos = vector(pos.length);
    for (let d = 0; d < pos.length; d++) this.#pos[d] = pos[d];
    const { newest } = this.#history;
    for (const index of this.#angles) {
      if (index >= pos.length) continue;
      const expected = newest === void 0 ? 0 : newest.pos[index] + newest.vel[index] * passedMs / 1e3;
      if (!(Math.abs(expected) <= MAX_TURNED)) return false;
      this.#pos[index] = expected + wrapAngle(pos[index] - expected);
    }
    return true;
  }
  /** Says whether the new position is too far from where the newest sample leads to. */
  #isFar(t) {
    if (this.#teleportDistance === Infinity) return false;
    const newest = this.#history.newest;
    const seconds = movedSeconds(t - newest.t, this.#reach.maxExtrapolateMs, this.#reach.brakeMs);
    let sum = 0;
    for (let d = 0; d < this.#pos.length; d++) {
      if (!this.#angles.includes(d)) sum += (this.#pos[d] - newest.pos[d] - newest.vel[d] * seconds) ** 2;
    }
    return Math.sqrt(sum) > this.#teleportDistance;
  }
};
function makeMover(strategy, options, reach) {
  const { order = 1, filter = "fit", hurry = HURRY, blendMs, delayMs } = options;
  const estimator = () => filter === "alpha-beta" ? new AlphaBeta() : new LeastSquares();
  switch (strategy) {
    case "hold":
      return new Predicting(new Held(), reach);
    case "speed":
      return new Predicting(new Newest(order), reach);
    case "history":
      return new Predicting(estimator(), reach);
    case "blend":
      return new Blending(estimator(), reach, blendMs === void 0 ? new Pursuit(hurry, LEAP_SECONDS) : new ProjectiveBlending(blendMs, LEAP_SECONDS));
    case "interpolate":
      return new Interpolating(delayMs);
  }
}
function isShared(t, nowMs) {
  return t <= nowMs + CLOCK_STEP_MS && t >= nowMs - MAX_SHARED_AGE_MS;
}

// src/motion/sender.ts
var DEFAULT_HEARTBEAT_MS = 1e3;
var NUMBER_OR_INFINITY2 = {
  min: 0,
  max: Infinity
};
var SENDER_ALLOWED = {
  tolerance: NUMBER_OR_INFINITY2,
  heartbeatMs: NUMBER_OR_INFINITY2,
  minIntervalMs: NUMBER_OR_INFINITY2,
  strategy: TRACK_ALLOWED.strategy,
  order: TRACK_ALLOWED.order,
  filter: TRACK_ALLOWED.filter,
  angles: TRACK_ALLOWED.angles,
  advance: TRACK_ALLOWED.advance
};
var Sender = class {
  #track;
  #makeTrack;
  #tolerance;
  #angles;
  #heartbeatMs;
  #minIntervalMs;
  /** The time of the last update, -Infinity if it is of no account. */
  #sentMs = -Infinity;
  /** How much time has passed since then, and when that was counted last. */
  #silentMs = Infinity;
  #countedMs = NaN;
  #dims = 0;
  /** How many more samples receivers must get before they go by the new clock, or the new dimensions. */
  #unconvinced = 0;
  /**
   * Makes a sender that has sent nothing yet.
   *
   * @throws {RangeError} if an option is out of its range.
   * @throws {TypeError} if an option is of the wrong type or none at all, or `tolerance` is missing.
   */
  constructor(options) {
    const checked = checkOptions("sender", options, SENDER_ALLOWED);
    const { tolerance, heartbeatMs = DEFAULT_HEARTBEAT_MS, minIntervalMs = 0, strategy = "blend" } = checked;
    const { order, filter, advance } = checked;
    if (tolerance === void 0) {
      throw new TypeError("Cannot make sender: tolerance is missing, a number of 0 or more is required");
    }
    const angles = [
      ...new Set(checked.angles)
    ];
    this.#tolerance = tolerance;
    this.#angles = angles;
    this.#heartbeatMs = heartbeatMs;
    this.#minIntervalMs = minIntervalMs;
    const believing = strategy === "blend" || strategy === "interpolate" ? "history" : strategy;
    const maxExtrapolateMs = heartbeatMs + 1e3;
    this.#makeTrack = () => new Track({
      strategy: believing,
      order,
      filter,
      angles,
      advance,
      maxExtrapolateMs
    });
    this.#track = this.#makeTrack();
  }
  /**
   * Says whether to send this moment of the object, and if so takes it as sent. The first one always is due,
   * and so is a teleport, and the first one after the clock went back by more than that or `pos` changed its
   * length.
   *
   * @param sample where the object is now; `t` is required, in milliseconds.
   * @returns false also for what no receiver would take: a number that is NaN, infinite or beyond
   * `MAX_NUMBER`, lists that are empty or of different lengths, the same time again. Such a moment changes
   * nothing.
   * @throws {TypeError} if `t` is missing.
   * @throws what the option `advance` throws.
   */
  due(sample) {
    if (typeof sample !== "object" || sample === null) return false;
    const { t, pos, vel, acc, teleport } = sample;
    if (t === void 0) {
      throw new TypeError("Cannot judge sample: it has no t, a time in milliseconds is required");
    }
    if (!isUsable(t) || !isVector(pos)) return false;
    if (!isVectorOrMissing(vel, pos.length) || !isVectorOrMissing(acc, pos.length)) return false;
    if (t > this.#countedMs) this.#silentMs += t - this.#countedMs;
    this.#countedMs = t;
    if (t < this.#sentMs - MAX_AHEAD_MS) this.#beginAnew(1);
    if (this.#dims !== pos.length && this.#dims !== 0) this.#beginAnew(DIMENSION_CHANGE_SAMPLES - 1);
    this.#dims = pos.length;
    const isBehind = t < this.#sentMs;
    if (teleport !== true) {
      if (this.#silentMs < this.#minIntervalMs) return false;
      const isLate = this.#silentMs >= this.#heartbeatMs || this.#unconvinced > 0;
      if (!isLate && (isBehind || this.#error(pos, this.#track.at(t).pos) <= this.#tolerance)) return false;
    }
    if (!isBehind) {
      if (!this.#track.push(sample, t)) return false;
      if (this.#sentMs !== -Infinity && this.#unconvinced > 0) this.#unconvinced--;
      this.#sentMs = t;
    }
    this.#silentMs = 0;
    return true;
  }
  /** Forgets what was sent: receivers will, with so many samples after the next one. */
  #beginAnew(samples) {
    this.#track = this.#makeTrack();
    this.#sentMs = -Infinity;
    this.#silentMs = Infinity;
    this.#unconvinced = samples;
  }
  #error(pos, believed) {
    let squared = distance(pos, believed) ** 2;
    for (const index of this.#angles) {
      const apart = pos[index] - believed[index];
      squared += wrapAngle(apart) ** 2 - apart ** 2;
    }
    return Math.sqrt(Math.max(0, squared));
  }
};

// src/wire/untrusted.ts
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function kindOf(value) {
  if (value === null || value === void 0) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
function printable(text) {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
var MAX_QUOTED_LENGTH = 40;
function beginning(text) {
  return text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}\u2026` : text;
}
function quote(text) {
  return JSON.stringify(printable(beginning(text)).replace(/\p{Cs}/gu, "?"));
}

// src/simulation/parse_simulation.ts
var NOTHING = {
  delayMs: 0,
  jitterMs: 0,
  spikeMs: 0,
  spikeEveryMs: Infinity,
  bytesPerSecond: Infinity,
  stallMs: 0,
  stallEveryMs: Infinity,
  cutEveryMs: Infinity,
  seed: 1
};
var PRESETS = {
  lan: {
    delayMs: 2,
    jitterMs: 1
  },
  wifi: {
    delayMs: 15,
    jitterMs: 10,
    spikeMs: 300,
    spikeEveryMs: 5e3
  },
  mobile: {
    delayMs: 80,
    jitterMs: 40,
    spikeMs: 1e3,
    spikeEveryMs: 1e4
  },
  awful: {
    delayMs: 200,
    jitterMs: 150,
    spikeMs: 1e3,
    spikeEveryMs: 3e3,
    bytesPerSecond: 64 * 1024,
    stallMs: 4e3,
    stallEveryMs: 3e4,
    cutEveryMs: 6e4
  }
};
var SIMULATION_HELP = `${Object.keys(PRESETS).join(", ")}, or some of delay=80ms,jitter=20ms,spike=300ms/5s,rate=64k,stall=2s/30s,cut=60s,seed=1`;
var TIMES = {
  delay: [
    [
      "delayMs",
      0,
      1e4
    ]
  ],
  jitter: [
    [
      "jitterMs",
      0,
      1e4
    ]
  ],
  spike: [
    [
      "spikeMs",
      0,
      1e4
    ],
    [
      "spikeEveryMs",
      100,
      36e5
    ]
  ],
  stall: [
    [
      "stallMs",
      0,
      1e4
    ],
    [
      "stallEveryMs",
      100,
      36e5
    ]
  ],
  cut: [
    [
      "cutEveryMs",
      1e3,
      36e5
    ]
  ]
};
var MIN_RATE = 1024;
var MAX_RATE = 1024 ** 3;
var MAX_TEXT_CHARACTERS = 256;
function parseSimulation(text) {
  if (typeof text !== "string") {
    throw new TypeError(`its description is ${kindOf(text)}, a text is allowed`);
  }
  if (text.length > MAX_TEXT_CHARACTERS) {
    throw new RangeError(`its description has ${text.length} characters, at most ${MAX_TEXT_CHARACTERS} are allowed`);
  }
  const options = {
    ...NOTHING
  };
  for (const part of text.split(",")) {
    const [name, value, ...rest] = part.trim().split("=");
    const preset = value === void 0 && Object.hasOwn(PRESETS, name) ? PRESETS[name] : void 0;
    const change = preset ?? (rest.length === 0 && value !== void 0 ? readSetting(name, value) : void 0);
    if (change === void 0) throw new SyntaxError(`${quote(part)} is none of ${SIMULATION_HELP}`);
    Object.assign(options, change);
  }
  return options;
}
function checkSimulation(options) {
  const given = isRecord(options) ? options : {};
  for (const name of Object.keys(NOTHING)) {
    const value = given[name];
    if (typeof value === "number" && value >= 0) continue;
    const what = typeof value === "number" ? value : kindOf(value);
    throw new TypeError(`Cannot simulate a network: ${name} is ${what}, what parseSimulation() gives is allowed`);
  }
}
function readSetting(name, value) {
  if (name === "seed") return /^\d{1,10}$/.test(value) ? {
    seed: Number(value)
  } : void 0;
  if (name === "rate") return readRate(value);
  return Object.hasOwn(TIMES, name) ? readTimes(name, value.split("/")) : void 0;
}
function readRate(text) {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)([km]?)$/.exec(text);
  if (match === null) return void 0;
  const bytesPerSecond = Number(match[1]) * {
    "": 1,
    k: 1024,
    m: 1024 ** 2
  }[match[2]];
  if (bytesPerSecond < MIN_RATE || bytesPerSecond > MAX_RATE) {
    throw new RangeError(`rate=${text} is ${bytesPerSecond} bytes a second, 1k to 1024m are allowed`);
  }
  return {
    bytesPerSecond
  };
}
function readTimes(name, texts) {
  const options = {};
  const times = TIMES[name];
  if (texts.length !== times.length) return void 0;
  for (const [i, [field, minMs, maxMs]] of times.entries()) {
    const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)$/.exec(texts[i]);
    if (match === null) return void 0;
    const ms = Number(match[1]) * {
      ms: 1,
      s: 1e3,
      m: 6e4
    }[match[2]];
    if (ms < minMs || ms > maxMs) {
      const which = i === 0 ? name : `the time between two ${name}s`;
      throw new RangeError(`${which} is ${ms} ms, ${minMs} to ${maxMs} ms are allowed`);
    }
    options[field] = ms;
  }
  return options;
}

// src/simulation/random.ts
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 1831565813 >>> 0;
    let t = Math.imul(state ^ state >>> 15, state | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

// src/simulation/simulation.ts
var MAX_STALLS_DRAWN = 32;
var Simulation = class {
  #options;
  #random;
  #lastArrivalAt = -Infinity;
  #freeAt = -Infinity;
  #spikeAt;
  #stallAt;
  /** When the connection breaks; Infinity for never. */
  cutAt;
  /**
   * Makes a line that begins at `nowMs`; two with the same options and seed are the same.
   *
   * @throws {TypeError} when an option is missing, or no number from 0 on
   */
  constructor(options, nowMs) {
    checkSimulation(options);
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#spikeAt = nowMs + this.#interval(options.spikeEveryMs);
    this.#stallAt = options.stallMs > 0 ? nowMs + this.#interval(options.stallEveryMs) : Infinity;
    this.cutAt = nowMs + this.#interval(options.cutEveryMs);
  }
  /** Says from when on the line takes something, asked at `nowMs`: at once, unless it stalls. */
  opensAt(nowMs) {
    const { stallMs } = this.#options;
    return nowMs >= this.#stallAt && nowMs < this.#stallAt + stallMs ? this.#stallAt + stallMs : nowMs;
  }
  /** Sends `bytes` bytes at `nowMs`, behind what was sent before. */
  send(bytes, nowMs) {
    const { delayMs, jitterMs, spikeMs, spikeEveryMs, bytesPerSecond } = this.#options;
    const leavesAt = this.#freeAt = Math.max(this.#freeAt, nowMs) + bytes / bytesPerSecond * 1e3;
    let arrivesAt = leavesAt + Math.max(0, delayMs + jitterMs * (2 * this.#random() - 1));
    if (nowMs >= this.#spikeAt) {
      arrivesAt += spikeMs;
      this.#spikeAt = nowMs + this.#interval(spikeEveryMs);
    }
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#afterStall(arrivesAt));
    return {
      leavesAt,
      arrivesAt: this.#lastArrivalAt
    };
  }
  /** Says when arrives what would do so at `at` without stalls. */
  #afterStall(at) {
    const { stallMs, stallEveryMs } = this.#options;
    for (let drawn = 0; at >= this.#stallAt + stallMs; drawn++) {
      if (drawn === MAX_STALLS_DRAWN) {
        this.#drawStallAround(at);
        break;
      }
      this.#stallAt += stallMs + this.#interval(stallEveryMs);
    }
    return at >= this.#stallAt ? this.#stallAt + stallMs : at;
  }
  /** Draws whether the line stalls at a moment of which nothing is known, or when it does next. */
  #drawStallAround(at) {
    const { stallMs, stallEveryMs } = this.#options;
    const isStalling = this.#random() * (stallMs + stallEveryMs) < stallMs;
    this.#stallAt = isStalling ? at - this.#random() * stallMs : at + this.#interval(stallEveryMs);
  }
  /** Draws a time until the next event of a Poisson process. */
  #interval(meanMs) {
    return meanMs === Infinity ? Infinity : -Math.log(1 - this.#random()) * meanMs;
  }
};
export {
  ACCELERATE_MS,
  BRAKE_MS,
  CLOCK_STEP_MS,
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_MAX_EXTRAPOLATE_MS,
  DIMENSION_CHANGE_SAMPLES,
  HURRY,
  LEAP_SECONDS,
  MAX_AHEAD_MS,
  MAX_DIMENSIONS,
  MAX_NUMBER,
  MAX_SHARED_AGE_MS,
  Sender,
  Simulation,
  Track,
  parseSimulation,
  seededRandom
};
