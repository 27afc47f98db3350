// Holds Seats against its contract: how many there are, in all and of a host, who holds one, and who waits.

import assert from "node:assert/strict";
import { type Seat, Seats } from "../../src/relay/seats.ts";

/** Takes seats of a host until somebody would have to wait; that one leaves again. */
function freeSeats(seats: Seats, host: string): number {
  const taken: Seat[] = [];
  for (;;) {
    const seat = seats.enter(host)!;
    if (seat.claim() !== undefined) {
      seat.drop();
      break;
    }
    taken.push(seat);
  }
  for (const seat of taken) seat.drop();
  return taken.length;
}

Deno.test("Seats are free again once their last holder has let go", () => {
  const seats = new Seats({ maxClients: 3, maxClientsPerHost: Infinity });
  const ada = seats.enter("a")!, bo = seats.enter("b")!;
  ada.hold();
  ada.drop();
  assert.equal(freeSeats(seats, "c"), 1, "a session may come back");
  ada.drop();
  bo.drop();
  assert.equal(freeSeats(seats, "c"), 3);
  assert.equal(seats.waiting, 0);
});

Deno.test("Seats of one host are counted, also where their holder has moved, and a host that moves needs none free", () => {
  const seats = new Seats({ maxClients: 10, maxClientsPerHost: 2 });
  const ada = seats.enter("a")!;
  assert.deepEqual([freeSeats(seats, "a"), freeSeats(seats, "b")], [1, 2]);
  const others = [seats.enter("b")!, seats.enter("b")!];
  ada.moveTo("b");
  assert.equal(freeSeats(seats, "a"), 2);
  others[0].drop();
  assert.match(seats.enter("b")!.claim()!, /^2 clients of b are connected, /);
  ada.drop();
  assert.equal(freeSeats(seats, "b"), 1);
});

Deno.test("who finds no seat may wait, as many as have one and a thousand more, and is told why there is none", () => {
  const seats = new Seats({ maxClients: 300, maxClientsPerHost: Infinity });
  const taken = Array.from({ length: 300 }, () => seats.enter("a")!);
  const waiting = Array.from({ length: 1300 }, () => seats.enter("a")!);
  assert.equal(seats.waiting, 1300);
  assert.equal(seats.enter("a"), undefined);
  assert.equal(waiting[0].claim(), "300 clients are connected, no more are allowed");
  waiting[0].drop();
  assert.equal(seats.waiting, 1299);
  assert.ok(seats.enter("a") !== undefined);
  taken[0].drop();
});

Deno.test("who gets a seat while it waits does not wait any more, then or later", () => {
  const seats = new Seats({ maxClients: 1, maxClientsPerHost: Infinity });
  for (let i = 0; i < 200; i++) {
    const first = seats.enter("a")!, second = seats.enter("b")!;
    assert.equal(seats.waiting, 1);
    first.drop();
    assert.equal(second.claim(), undefined);
    assert.equal(seats.waiting, 0);
    second.drop();
    assert.deepEqual([seats.waiting, freeSeats(seats, "a")], [0, 1]);
  }
});
