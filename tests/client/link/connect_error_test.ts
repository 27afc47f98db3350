// Tests src/client/link/connect_error.ts with what networks, certificates and relays say.

import assert from "node:assert/strict";
import {
  connectError,
  ImpossibleError,
  isHopeless,
  RefusedError,
  UntoldError,
} from "../../../src/client/link/connect_error.ts";
import { parseTarget } from "../../../src/client/target.ts";

const address = parseTarget("ifilab100");

const REASONS: [unknown, string][] = [
  [new Deno.errors.ConnectionRefused("x (os error 111)"), "connection refused, is the relay running there"],
  [new Deno.errors.TimedOut("x (os error 110)"), "no answer, is the host up and the port open"],
  [
    Object.assign(new Error("connect ETIMEDOUT 192.0.2.1:32100"), { code: "ETIMEDOUT" }),
    "no answer, is the host up and the port open",
  ],
  [
    new DOMException("no answer within 10 s", "TimeoutError"),
    "no answer within 10 s, is the host up and the port open",
  ],
  [new Deno.errors.NotCapable("x"), "this program may not, run it with --allow-net=ifilab100:32100"],
  [
    new Deno.errors.NotCapable(
      'Requires net access to "ifilab100:32100", run again with the --allow-net flag',
    ),
    "this program may not, run it with --allow-net=ifilab100:32100",
  ],
  [
    new Deno.errors.NotCapable('Requires sys access to "ca", run again with the --allow-sys flag'),
    "this program may not, run it with --allow-sys",
  ],
  [new Deno.errors.PermissionDenied("x"), "this program may not, run it with --allow-net=ifilab100:32100"],
  [new Error("failed to lookup address information: x"), "no such host, is its name spelled right"],
  [new Error("No such host is known. (os error 11001)"), "no such host, is its name spelled right"],
  [
    Object.assign(new Error("No route to host"), { code: "EHOSTUNREACH" }),
    "no way leads to the host, is it up and is this machine on its network",
  ],
  [
    new Error("invalid peer certificate: Expired"),
    "its certificate has expired, the relay needs a new one",
  ],
  [
    new Error("invalid peer certificate: NotValidYet"),
    "its certificate is not valid yet, is the clock of this machine right",
  ],
  [new UntoldError("is its certificate trusted"), "is its certificate trusted"],
  [new RefusedError("room_full", 'Cannot enter room "CERT_lab"'), 'Cannot enter room "CERT_lab"'],
  [new Error("something else"), "something else"],
  ["no error at all", "no error at all"],
];

for (const [cause, reason] of REASONS) {
  Deno.test(`connectError says "${reason}" of ${cause}`, () => {
    const error = connectError(address, cause);
    assert.equal(error.message, `Cannot connect to ifilab100:32100: ${reason}`);
    assert.equal(error.cause, cause);
  });
}

Deno.test("isHopeless knows what trying again can't help", () => {
  assert.ok(isHopeless(new Deno.errors.NotCapable("x")));
  assert.ok(isHopeless(new ImpossibleError("there is no way")));
  assert.ok(isHopeless(new Error("invalid peer certificate: Expired")));
  assert.ok(!isHopeless(new Deno.errors.ConnectionRefused("x")));
  assert.ok(!isHopeless(new UntoldError("is its certificate trusted")), "it may be something else");
  assert.ok(!isHopeless(undefined));
});

Deno.test("RefusedError is temporary where there may be a place later, and is fit for a terminal", () => {
  for (const code of ["relay_full", "too_many_rooms"]) assert.ok(new RefusedError(code, "m").isTemporary);
  for (const code of ["bad_token", "room_full", ""]) assert.ok(!new RefusedError(code, "m").isTemporary);
  const { code, message } = new RefusedError("a\u001b", "b\u001b[2J");
  assert.deepEqual([code, message], ["a?", "b?[2J"]);
});
