// The samples of one object in order of their time, oldest first, whatever the order they came in.
// Slots are recycled, so a full history takes a sample without allocating. Knows nothing of prediction.
//
//    oldest                cut                newest
//   [ s0 ][ s1 ][ s2 ] | [ s3 ][ s4 ][ s5 ][ s6 ]      | teleport: nothing is inferred across it
//                        └─ since() = 3

import { length, vector } from "./types.ts";

/**
 * So many times as far or as fast as all that is known of an object is no motion of it but a broken sample.
 */
export const OUT_OF_PROPORTION = 1_000;

/** Times as near to each other as this, in milliseconds, are the same: between them nothing has a speed. */
const SAME_TIME_MS = 0.001;

/** How many samples tell how fast an object goes of late. */
const LAST_SAMPLES = 8;

/** One stored sample. */
export interface Slot {
  /** Milliseconds, on the clock of the receiver. */
  t: number;
  pos: number[];
  /** As sent, or by differences of the positions beside it. */
  vel: number[];
  /** Only to be read where `hasAcc` is set. */
  acc: number[];
  hasVel: boolean;
  hasAcc: boolean;
  /** True if the object appeared here instead of moving here. */
  cut: boolean;
}

function emptySlot(dims: number): Slot {
  return { t: 0, pos: vector(dims), vel: vector(dims), acc: [], hasVel: false, hasAcc: false, cut: false };
}

/** Keeps the last `capacity` samples of one object. */
export class History {
  /** Oldest first; owned by this object, read by others until the next insert. */
  readonly slots: Slot[] = [];
  readonly #capacity: number;
  /** The time of the last teleport. */
  #cutMs = -Infinity;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The sample with the largest time, or undefined. */
  get newest(): Slot | undefined {
    return this.slots[this.slots.length - 1];
  }

  /** The index of the first sample after the last teleport. */
  since(): number {
    if (this.slots.length === 0 || this.slots[0].t >= this.#cutMs) return 0;
    for (let i = this.slots.length - 1; i > 0; i--) if (this.slots[i].cut) return i;
    return 0;
  }

  /** How far the samples since the last teleport are from the newest one at most, along an axis. */
  width(): number {
    const { slots } = this;
    const { pos } = slots[slots.length - 1];
    let width = 0;
    for (let i = this.since(); i < slots.length - 1; i++) {
      for (let d = 0; d < pos.length; d++) width = Math.max(width, Math.abs(slots[i].pos[d] - pos[d]));
    }
    return width;
  }

  /** The highest speed of the last samples, in units per second. */
  fastest(): number {
    const { slots } = this;
    let fastest = 0;
    for (let i = Math.max(0, slots.length - LAST_SAMPLES); i < slots.length; i++) {
      fastest = Math.max(fastest, length(slots[i].vel));
    }
    return fastest;
  }

  /** Says whether a sample of this time is there already. */
  has(t: number): boolean {
    for (let i = this.slots.length - 1; i >= 0 && this.slots[i].t >= t - SAME_TIME_MS; i--) {
      if (this.slots[i].t <= t + SAME_TIME_MS) return true;
    }
    return false;
  }

  /** Forgets everything. */
  clear(): void {
    this.slots.length = 0;
    this.#cutMs = -Infinity;
  }

  /**
   * Puts a sample where its time belongs. The oldest leaves when the history is full; a sample older than
   * that is not taken.
   *
   * @returns the index it got, or -1.
   */
  insert(
    t: number,
    pos: readonly number[],
    vel: readonly number[] | undefined,
    acc: readonly number[] | undefined,
    cut: boolean,
  ): number {
    const { slots } = this;
    let slot: Slot;
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
    slot.hasVel = vel !== undefined;
    slot.hasAcc = acc !== undefined;
    for (let d = 0; d < pos.length; d++) {
      slot.pos[d] = pos[d];
      slot.vel[d] = vel === undefined ? 0 : vel[d];
      if (acc !== undefined) slot.acc[d] = acc[d];
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
  #differentiate(i: number): void {
    const { slots } = this;
    const slot = slots[i];
    if (slot.hasVel) return;
    const before = i > 0 && !slot.cut ? slots[i - 1] : undefined;
    const after = i + 1 < slots.length && !slots[i + 1].cut ? slots[i + 1] : undefined;
    for (let d = 0; d < slot.pos.length; d++) {
      const left = before === undefined ? NaN : (slot.pos[d] - before.pos[d]) / (slot.t - before.t) * 1000;
      const right = after === undefined ? NaN : (after.pos[d] - slot.pos[d]) / (after.t - slot.t) * 1000;
      if (before !== undefined && after !== undefined) {
        const share = (slot.t - before.t) / (after.t - before.t);
        slot.vel[d] = left + (right - left) * share;
      } else {
        slot.vel[d] = before !== undefined ? left : after !== undefined ? right : 0;
      }
    }
  }
}
