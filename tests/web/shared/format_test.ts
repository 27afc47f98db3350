// Numbers, times and names as people read them, and where the relay is.

import assert from "node:assert/strict";
import { bytes, count, duration, isolated, milliseconds, nameOf, plain } from "../../../web/shared/format.ts";
import { placeOf } from "../../../web/shared/place.ts";

Deno.test("count, bytes, milliseconds and duration keep to three digits or two units", () => {
  const cases: [got: string, want: string][] = [
    [count(0), "0"],
    [count(7), "7"],
    [count(2.44), "2.4"],
    [count(999), "999"],
    [count(1000), "1.00 k"],
    [count(45_678), "45.7 k"],
    [count(812_345), "812 k"],
    [count(21_400_123), "21.4 M"],
    [count(3.2e9), "3.20 G"],
    [bytes(0), "0 B"],
    [bytes(999), "999 B"],
    [bytes(184_000), "180 KiB"],
    [bytes(2.2e9), "2.05 GiB"],
    [count(999.6), "1.00 k"],
    [count(9996), "10.0 k"],
    [count(99_960), "100 k"],
    [count(999_600), "1.00 M"],
    [count(5e12), "5.00 T"],
    [bytes(999.7), "0.98 KiB"],
    [bytes(10_239), "10.0 KiB"],
    [bytes(102_395), "100 KiB"],
    [bytes(1_023_900), "0.98 MiB"],
    [milliseconds(0.44), "0.4 ms"],
    [milliseconds(9.96), "10 ms"],
    [milliseconds(812.4), "812 ms"],
    [duration(0), "0 s"],
    [duration(-5), "0 s"],
    [duration(42_900), "42 s"],
    [duration(185_000), "3 min 5 s"],
    [duration(3_600_000), "1 h"],
    [duration(8_230_000), "2 h 17 min"],
    [duration(4 * 86_400_000 + 3 * 3_600_000 + 59_000), "4 d 3 h"],
  ];
  for (const [got, want] of cases) assert.equal(got, want);
});

Deno.test("plain shows in one line what would turn, break or hide a text, and cuts it", () => {
  const cases: [string, string][] = [
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["a\nb\u2028c\u0007", "a\\u{a}b\\u{2028}c\\u{7}"],
    ["a\tb", "a b"],
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["Dörte 😀", "Dörte 😀"],
    ["\ud83d", "\\u{d83d}"],
    ["👩‍👩‍👧‍👦 🧑🏽‍💻 🏳️‍🌈 🤷🏽‍♀️", "👩‍👩‍👧‍👦 🧑🏽‍💻 🏳️‍🌈 🤷🏽‍♀️"],
    ["می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"],
    ["ad\u200da", "ad\\u{200d}a"],
    ["\u200dada\u200d", "\\u{200d}ada\\u{200d}"],
    ["😀\u200d\u200d😀", "😀\\u{200d}\\u{200d}😀"],
    ["a\u3164b\u034fc\ufe0f\u{e0101}", "a\\u{3164}b\\u{34f}c\\u{fe0f}\\u{e0101}"],
    ["❤️‍🔥 1️⃣ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 葛\u{e0100}城", "❤️‍🔥 1️⃣ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 葛\u{e0100}城"],
    ["a\u{e0067}", "a\\u{e0067}"],
    ["🏴\u{e0067}\u{e007f}\u{e0067} 🏴\u{e007f}", "🏴\u{e0067}\u{e007f}\\u{e0067} 🏴\u{e007f}"],
    ["🏴‍☠️ ❤\ufe0e ❤️️ a\ufe0f\u200d😀", "🏴‍☠️ ❤\ufe0e ❤️\\u{fe0f} a\\u{fe0f}\\u{200d}😀"],
    [
      "क्\u200cष्\u200dक \u06dd\u200c\u06dd \u180b\u200d\u1820",
      "क्\u200cष्\u200dक \\u{6dd}\\u{200c}\\u{6dd} \\u{180b}\\u{200d}ᠠ",
    ],
    ["ầ שָׁ֖ ที่สู้", "ầ שָׁ֖ ที่สู้"],
    [`a${"\u0301\u20e0".repeat(31)}b`, "a\u0301\u20e0\u0301\u20e0…b"],
  ];
  for (const [text, want] of cases) assert.equal(plain(text), want);
  assert.equal(plain("x".repeat(1000), 5), "xxxxx…");
  assert.equal(plain(`a${"\u0301".repeat(60)}bcd`, 8), "a\u0301\u0301\u0301\u0301…bc…");
  assert.equal(plain("😀".repeat(6), 5), "😀😀😀😀😀…");
  assert.equal(plain("😀".repeat(5), 5), "😀😀😀😀😀");
  assert.equal(plain("👩‍👩‍👧‍👦", 4), "👩‍👩…");
});

Deno.test("isolated keeps what is written from right to left from taking others along", () => {
  assert.equal(isolated("ada 1"), "ada 1");
  for (const name of ["משה", "محمد 7", "ada \u07ca", "\u{1e900}"]) {
    assert.equal(isolated(name), `\u2068${name}\u2069`);
  }
});

Deno.test("nameOf gives the name, or what stands for it", () => {
  assert.equal(nameOf("ada", "k1"), "ada");
  assert.equal(nameOf(" ", "k1"), "k1");
  assert.equal(nameOf("\u2800\u3000", "k1"), "k1", "blank, whatever its characters are called");
  assert.equal(nameOf(undefined, undefined), "no name");
  assert.equal(nameOf("x".repeat(100), "k1"), `${"x".repeat(64)}…`);
});

Deno.test("placeOf takes the address of the page, and the relay's own name where that leads nowhere else", () => {
  const at = (protocol: string, hostname: string, port: string, name?: string) =>
    placeOf({ protocol, hostname, port }, name);
  assert.deepEqual(at("http:", "ifilab100", "32000"), {
    host: "ifilab100",
    port: 32000,
    target: "ifilab100:32000",
    origin: "http://ifilab100:32000",
    isSecure: false,
    isLocal: false,
  });
  assert.equal(at("https:", "lab.example", "").target, "lab.example:443");
  assert.equal(at("https:", "lab.example", "").origin, "https://lab.example");
  assert.equal(at("http:", "[fe80::1]", "8080").target, "[fe80::1]:8080");
  for (const local of ["localhost", "127.0.0.1", "127.3.2.1", "[::1]", "x.localhost"]) {
    assert.equal(at("http:", local, "32000").isLocal, true, local);
    assert.equal(at("http:", local, "32000", "ifilab100:32000").origin, "http://ifilab100:32000", local);
    for (const useless of ["localhost:1", "127.0.0.1:32000", "", "evil/path:1", `"><b>:1`, "host"]) {
      assert.equal(at("http:", local, "32000", useless).host, local, useless);
    }
  }
  assert.equal(at("http:", "10.0.0.7", "1", "ifilab100:32000").host, "10.0.0.7", "as the page was reached");
});
