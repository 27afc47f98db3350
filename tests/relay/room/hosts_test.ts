// Tests src/relay/room/hosts.ts: who leads, in every order in which members come, break off, pass it on and
// go.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { Hosts } from "../../../src/relay/room/hosts.ts";

function candidate(name: string, canHost = true) {
  return { name, canHost, isConnected: true };
}

Deno.test("Hosts names who has been there longest of those that may and are connected", () => {
  const hosts = new Hosts<ReturnType<typeof candidate>>();
  const [watcher, ada, bo, cy] = [candidate("w", false), candidate("ada"), candidate("bo"), candidate("cy")];
  assert.deepEqual([hosts.add(watcher), hosts.host], [false, undefined]);
  assert.deepEqual([hosts.add(ada), hosts.add(bo), hosts.add(cy), hosts.host], [true, false, false, ada]);
  assert.deepEqual([hosts.delete(watcher), hosts.delete(bo), hosts.host], [false, false, ada]);
  hosts.add(bo);
  cy.isConnected = false;
  assert.deepEqual([hosts.delete(ada), hosts.host], [true, bo], "cy was there before, but is away");
  assert.deepEqual([hosts.delete(bo), hosts.host], [true, cy], "better one who is away than none");
  assert.deepEqual([hosts.delete(cy), hosts.host], [true, undefined]);
});

Deno.test("Hosts.pass gives it to another, behind whom who had it stands last", () => {
  const hosts = new Hosts<ReturnType<typeof candidate>>();
  const [ada, bo, cy] = ["ada", "bo", "cy"].map((name) => candidate(name));
  assert.deepEqual([hosts.pass(), hosts.pass(ada)], [false, false], "nobody has it");
  hosts.add(ada);
  assert.equal(hosts.pass(), false, "nobody else is there");
  hosts.add(bo);
  hosts.add(cy);
  assert.deepEqual([hosts.pass(ada), hosts.pass(), hosts.host], [false, true, bo]);
  hosts.delete(bo);
  assert.equal(hosts.host, cy, "ada has passed it on");
  ada.isConnected = false;
  assert.deepEqual([hosts.pass(), hosts.host], [false, cy]);
});

Deno.test("Hosts has one as long as anybody may be, whatever happens", () => {
  const step = fc.record({
    do: fc.constantFrom("add", "delete", "pass", "break"),
    who: fc.nat(5),
    may: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const hosts = new Hosts<ReturnType<typeof candidate>>();
    const here = new Map<number, ReturnType<typeof candidate>>();
    for (const { do: what, who, may } of steps) {
      const one = here.get(who), before = hosts.host;
      let isNew = false;
      if (what === "add" && one === undefined) {
        here.set(who, candidate(String(who), may));
        isNew = hosts.add(here.get(who)!);
      } else if (what === "delete" && one !== undefined) {
        here.delete(who);
        isNew = hosts.delete(one);
      } else if (what === "pass") isNew = hosts.pass(one?.canHost ? one : undefined);
      else if (one !== undefined) one.isConnected = may;
      assert.equal(
        isNew,
        hosts.host !== before || (what === "delete" && one !== undefined && one === before),
      );
      const candidates = [...here.values()].filter(({ canHost }) => canHost);
      assert.ok(hosts.host === undefined ? candidates.length === 0 : candidates.includes(hosts.host));
    }
  }));
});
