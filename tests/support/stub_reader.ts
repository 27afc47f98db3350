// A reader of a feed without a connection: counts how often it is woken, and takes when a test says so. For
// tests of feeds and rooms.

import type { Feed, Reader } from "../../src/relay/room/feed.ts";

/** Joins its feed at once. */
export class StubReader implements Reader {
  readonly cursor;
  wakes = 0;
  onWake = () => {};
  giveUp = () => {};

  constructor(readonly feed: Feed) {
    this.cursor = feed.openCursor();
    feed.join(this);
  }

  wake(_nowMs: number): void {
    this.wakes++;
    this.onWake();
  }

  skipOwn(start: number, lines: number): void {
    this.cursor.skipOwn(start, lines);
  }

  take(): string {
    let text = "";
    for (let bytes = this.cursor.take(65_536); bytes !== undefined; bytes = this.cursor.take(65_536)) {
      text += new TextDecoder().decode(bytes);
      this.cursor.commit();
    }
    return text;
  }
}
