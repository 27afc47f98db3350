// Holds Block against what its readers share. What is counted and cut in it room_log_test shows.

import assert from "node:assert/strict";
import { Block } from "../../../src/relay/room/block.ts";

Deno.test("Block.view gives the same object to all who ask for the same, of the four that were asked for last", () => {
  const block = new Block(new Uint8Array(100), 0, 0);
  const views = [1, 2, 3, 4].map((end) => block.view(0, end));
  for (const view of views) assert.equal(block.view(0, view.length), view);
  block.view(0, 5);
  assert.notEqual(block.view(0, 1), views[0], "it holds no more");
  assert.equal(block.view(0, 4), views[3]);
});
