// A program of its own process that takes part in a room, stalls for a while as a blocked event loop does,
// and then tells on stdout what it got. Run by a test: stalling_client.ts TARGET STALL_MS. An event is
// [number, time]; number -1 ends it. It says "back" once it has had an event after its stall.

import { connect, type Lost } from "../../client.ts";
import { pause } from "./pause.ts";

const [target, stallMs] = Deno.args;
const lost: Lost[] = [];
const relay = await connect<[number, number]>(target, { onLost: (each) => lost.push({ ...each }) });
const numbers: number[] = [];
let first: { ageMs: number; rtt: number; lag: number } | undefined;
let hasStalled = false;
for (let isOver = false; !isOver;) {
  await pause(1);
  for (const [number, sentAtMs] of relay.drain()) {
    if (number < 0) isOver = true;
    else numbers.push(number);
    if (!hasStalled || first !== undefined) continue;
    first = { ageMs: relay.now() - sentAtMs, rtt: relay.rtt, lag: relay.lag };
    relay.send("back");
  }
  if (!hasStalled && numbers.length >= 1000) {
    hasStalled = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(stallMs));
  }
}
const isInOrder = numbers.every((number, i) => i === 0 || number > numbers[i - 1]);
console.log(JSON.stringify({ firstNumber: numbers[0], received: numbers.length, isInOrder, first, lost }));
await relay.close();
