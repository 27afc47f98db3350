"""The Python clients, their pure parts, and what a hostile, silent, full, old or missing relay does to them; relays are
played here. Needs nothing else: python3 tests/example/python_clients_test.py
"""

import concurrent.futures
import contextlib
import copy
import io
import json
import os
import pickle
import socket
import sys
import threading
import time
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../example/python"))

import relay_client  # noqa: E402
import relay_wire  # noqa: E402
import session_demo  # noqa: E402
import session_link  # noqa: E402
from balls import is_ball  # noqa: E402
from relay_client import Relay  # noqa: E402
from relay_wire import LineCutter, decode, encode, encode_event, printable, read_target  # noqa: E402
from session_asks import Asks, RequestError  # noqa: E402
from session_client import Session  # noqa: E402
from session_parts import (  # noqa: E402
    Clock, Message, Peer, Refused, Room, RoomInfo, SentLines, prune, read_answer, read_control, read_ids, read_rooms,
)

#: A safety net: what takes so long, in seconds, has failed.
DEADLINE_S = 10

LIMITS = {"maxLineBytes": 65536, "windowBytes": 262144, "maxLagMs": 5000, "resumeMs": 30000, "pingTimeoutMs": 15000,
          "maxKeys": 256, "maxValueBytes": 16384, "maxStateBytes": 4194304}

#: What stands where something else belongs.
STRANGE = [None, True, 5, -1, 0.5, 1e300, 10**400, "x", "", [], [None], {}, {"id": 1}, [{"id": "k1"}], [[]]]


def line(value):
    return json.dumps(value).encode() + b"\n"


def welcome(nonce=None, **more):
    body = {"version": 1, "id": "k3", "room": "lobby", "relay": "Zk3xQ0aB", "session": "s" * 22, "time": 1.7e12,
            "bytes": 0, "resumed": False, "more": 0, "limits": LIMITS, "peers": [], "state": {}}
    body.update(more)
    if nonce is not None:
        body["nonce"] = nonce
    return line({"$welcome": body})


class PlayedRelay:
    """Accepts connections, and plays `part(connection)` in a thread for each; closes it when that returns."""

    def __init__(self, part):
        self.part, self.connections = part, 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection):
        with connection:
            try:
                self.part(connection)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def hello(connection):
    """Reads the hello; returns it, and what reads further lines."""
    lines = connection.makefile("rb")
    return json.loads(lines.readline().decode())["$hello"], lines


def stay(connection):
    """Reads until the client leaves."""
    chunk = b" "
    while chunk and b'{"$bye"' not in chunk:
        chunk = connection.recv(65536)


def until(is_true, what="it"):
    end = time.monotonic() + DEADLINE_S
    while not is_true():
        if time.monotonic() > end:
            raise AssertionError("%s did not happen" % what)
        time.sleep(0.005)


@contextlib.contextmanager
def stderr():
    """Catches what is printed to stderr."""
    before, sys.stderr = sys.stderr, io.StringIO()
    try:
        yield sys.stderr
    finally:
        sys.stderr = before


class Told(Session):
    """Keeps what on_change() is told."""

    def __init__(self, *args, **options):
        self.told = []
        super().__init__(*args, **options)

    def on_change(self, kind, *details):
        self.told.append((kind,) + details)


class Wire(unittest.TestCase):
    def test_read_target(self):
        for args, expected in [
            (("a",), ("a", 32100, None)), (("a", 5), ("a", 5, None)),
            (("localhost:23020",), ("localhost", 23020, None)), (("a:5/pong",), ("a", 5, "pong")),
            (("a:5/",), ("a", 5, None)),
            (("a/x/y",), ("a", 32100, "x/y")), (("[::1]:7",), ("::1", 7, None)),
            (("::1", 7), ("::1", 7, None)), (("fe80::1%eth0",), ("fe80::1%eth0", 32100, None)),
        ]:
            self.assertEqual(read_target(*args), expected)
        for bad in (5, None, b"a", ["a"], ("a", 5), 1.5, True, object()):
            self.assertRaisesRegex(TypeError, "^Cannot connect to .*: it is of type", read_target, bad)
        for bad in ("5", 1.5, True, [5], object(), b"5", float("nan")):
            self.assertRaisesRegex(TypeError, "its port is .* a whole number is allowed", read_target, "a", bad)
        for bad in (0, -1, 65536, 10**5000):
            self.assertRaisesRegex(ValueError, "a port is 1 to 65535$", read_target, "a", bad)
        for bad in ("", " ", "a b", "a:", "a:b", "a:0", "a:65536", "a:1\n", "a\n", "http://a", "a:1:2", "[a", "a\0b",
                    "a@b", "a" * 64, "a..b", "a\x1bb", ":5", "[]:5", "a/\n", "a/" + 65 * "x", "\ud800",
                    "a:" + 5000 * "1"):
            with self.assertRaisesRegex(ValueError, "^Cannot connect") as caught:
                read_target(bad)
            self.assertTrue(str(caught.exception).isprintable(), bad)
        self.assertRaisesRegex(ValueError, "once", read_target, "a:5", 5)

    def test_constructors_refuse_what_is_wrong(self):
        for client in (Relay, Session):
            self.assertRaises(TypeError, client, 5)
            self.assertRaises(TypeError, client, "a", "5")
            self.assertRaises(ValueError, client, "a", 70000)
            self.assertRaises(TypeError, client, "a", on_error="print")
        self.assertRaises(TypeError, Relay, on_lost=5)
        self.assertRaises(ValueError, Relay, "a/pong")
        self.assertRaises(ValueError, Relay, stalled_s=0)
        for options in (dict(room=5), dict(name=None), dict(token=5), dict(answer_s="3"), dict(ping_timeout_s=True),
                        dict(room="x", max_members="2"), dict(room="x", max_members=True), dict(can_host=1),
                        dict(echo="yes"), dict(room="x", any_room=None)):
            self.assertRaises(TypeError, Session, **options)
        for options in (dict(room=""), dict(name="\n"), dict(name="\ud800"), dict(name=65 * "x"), dict(answer_s=-1),
                        dict(room="x", max_members=0), dict(max_members=2), dict(any_room=True),
                        dict(ping_timeout_s=float("nan")), dict(host="a/x", room="y")):
            self.assertRaises(ValueError, Session, **options)

    def test_decode_reads_json_in_utf8_and_nothing_else(self):
        self.assertEqual(decode('{"a":"ü"}\r'.encode()), {"a": "ü"})
        for bad in (b"", b"nope", b"NaN", b"-Infinity", b"\xff", b"\xef\xbb\xbf1", '"a"'.encode("utf-16"),
                    "1".encode("utf-32"), b"[" * 50000, b'{"a":' * 50000, b"1" * 60000, b"[-" + b"1" * 60000 + b"]"):
            self.assertRaises(ValueError, decode, bad)

    def test_encode_event_puts_a_space_before_what_would_be_a_control_line(self):
        self.assertEqual(encode_event({"$hello": {}}), b' {"$hello":{}}\n')
        self.assertEqual(encode_event({"$": 1}), b' {"$":1}\n')
        self.assertEqual(encode_event({"a": "$"}), b'{"a":"$"}\n')
        self.assertEqual(encode_event("{\"$"), b'"{\\"$"\n')
        deep = []
        for _ in range(100000):
            deep = [deep]
        self.assertRaises(ValueError, encode_event, deep)
        while deep:  # taken apart, or its end would need as deep a stack
            deep = deep[0]

    def test_line_cutter_at_every_split(self):
        text = b"a\n\nbcd\n{}\nrest"
        for size in range(1, len(text) + 1):
            cutter, lines = LineCutter(4), []
            for at in range(0, len(text), size):
                lines += cutter.cut(text[at:at + size])
            self.assertEqual(lines + [b"".join(cutter._parts)], text.split(b"\n"))
        self.assertRaises(ConnectionError, LineCutter(4).cut, b"12345")

    def test_printable(self):
        self.assertEqual(printable("a\x1b[2J\n\u202e\x9b\ud800ü"), "a\\x1b[2J\\n\\u202e\\x9b\\ud800ü")
        self.assertEqual(len(printable("x" * 1000)), 501)

    def test_a_ball_is_told_from_what_a_stranger_sends(self):
        good = {"id": "a", "pos": [1, 2], "vel": [0, 0.5]}
        self.assertTrue(is_ball(good))
        for field in good:
            for strange in STRANGE + [[10**400, 0], [float("inf"), 0], [float("nan"), 0]]:
                if (field, strange) != ("id", "x"):
                    self.assertFalse(is_ball(dict(good, **{field: strange})), strange)
        for strange in STRANGE:
            self.assertFalse(is_ball(strange))


class Outboxes(unittest.TestCase):
    LINE = b"x" * 1023 + b"\n"
    AWAY = relay_wire.OUTBOX_BYTES // 1024

    def setUp(self):
        self.now = 0.0
        self.outbox = relay_wire.Outbox()
        clock = unittest.mock.patch.object(relay_wire.time, "monotonic", lambda: self.now)
        clock.start()
        self.addCleanup(clock.stop)

    def push(self, count):
        return sum(self.outbox.push(self.LINE) for _ in range(count))

    def test_without_a_connection_it_keeps_so_much_beside_what_waited_then(self):
        self.assertEqual(self.push(self.AWAY + 5), 5)
        for _ in range(3):
            self.outbox.end()  # an attempt that failed
        self.assertEqual(self.push(5), 5)
        self.outbox.begin()
        self.assertEqual(self.push(1000), 0)
        self.outbox.end()
        self.assertEqual(self.push(self.AWAY + 7), 7)
        self.assertEqual(len(self.outbox), 2 * self.AWAY + 1000)

    def test_a_connection_that_takes_something_is_waited_for_and_one_that_takes_nothing_is_not(self):
        self.outbox.begin()
        self.now = 100
        self.assertEqual(self.push(1000), 0, "it had nothing to take before")
        self.now = 101.1
        self.assertEqual(self.push(self.AWAY + 3), 3)
        self.outbox.take(1024)
        self.outbox.note_taken()
        self.now = 102
        self.assertEqual(self.push(20000), 0)
        most = relay_wire.QUEUED_BYTES // (1024 + relay_wire.LINE_COST_BYTES)
        self.push(most)
        self.assertAlmostEqual(len(self.outbox), most, delta=1)

    def test_what_it_keeps_does_not_grow_with_each_connection_that_breaks(self):
        for _ in range(1000):
            self.outbox.begin()
            self.outbox.end()
            self.push(self.AWAY)
        most = relay_wire.QUEUED_BYTES + relay_wire.OUTBOX_BYTES
        self.assertEqual(sum(map(len, self.outbox)), most)

    def test_take_and_drop(self):
        for each in (b"1\n", b"22\n", b"333\n"):
            self.outbox.push(each)
        self.assertEqual(self.outbox.take(4), [b"1\n", b"22\n"])
        self.outbox.push(b"4\n")
        self.assertEqual(self.outbox.drop(lambda each: each == b"333\n"), 1)
        self.assertEqual((self.outbox.take(), self.outbox.take()), ([b"4\n"], []))


class Encoding(unittest.TestCase):
    def test_encode_writes_what_it_is_told_as_short_as_others_do(self):
        for value, text in [("ä€😀", '"ä€😀"'), ({"ä": [None, 1.5]}, '{"ä":[null,1.5]}'), ("\u2028\x7f", '"\u2028\x7f"')]:
            self.assertEqual(encode(value), text.encode() + b"\n")
        self.assertEqual(encode("ä\ud800"), b'"\\u00e4\\ud800"\n', "half of a surrogate pair has no bytes of its own")
        self.assertEqual(len(encode("ä" * 30000)), 60003)

    def test_encode_says_what_is_wrong_in_its_own_words(self):
        cycle = []
        cycle.append(cycle)
        for kind, values in ((TypeError, ({1}, b"x", object(), {(1, 2): 3}, 1j)),
                             (ValueError, (float("nan"), [float("inf")], cycle))):
            for value in values:
                self.assertRaisesRegex(kind, "^Cannot send: .*, what JSON can hold is allowed$", encode, value)


class Parts(unittest.TestCase):
    LINES = {
        "$welcome": {"version": 1, "id": "k3", "session": "s", "relay": "r", "time": 1.5, "bytes": 0, "resumed": False,
                     "more": 0, "limits": {}, "state": {"b": 2},
                     "peers": [{"id": "k1", "name": "bo", "state": {"a": 1}}]},
        "$join": {"id": "k4", "name": "cy"}, "$leave": {"id": "k1", "reason": "closed"},
        "$peers": {"peers": [{"id": "k4", "name": "cy"}]},
        "$set": {"key": "a", "value": 1, "from": "k1", "room": False}, "$pong": {"t": 1, "time": 2, "bytes": 3},
        "$lost": {"lines": 1, "bytes": 2}, "$error": {"code": "x", "message": "y", "line": 1}, "$bye": {"retryMs": 1},
        "$from": {"id": "k1", "ask": "7", "reply": "7", "failed": True}, "$host": {"id": "k1"},
        "$answer": {"ask": "7", "code": "x", "message": "y", "won": True, "rooms": [], "more": 0},
        "$news": {"what": 1},
    }

    def test_read_control_lets_nothing_through_that_the_rest_could_stumble_over(self):
        refused = 0
        for name, body in self.LINES.items():
            self.assertEqual(read_control(line({name: body})), (name, body))
            bodies = STRANGE + [{k: v for k, v in body.items() if k != gone} for gone in body]
            bodies += [dict(body, **{field: strange}) for field in body for strange in STRANGE]
            for strange in bodies:
                room = Room()
                room.follow("$welcome", self.LINES["$welcome"])
                try:
                    read = read_control(line({name: strange}))
                except ValueError:
                    refused += 1
                    continue
                for change in room.follow(*read):
                    repr(change)
        self.assertGreater(refused, 200)
        for text in (b"", b"[]", b"{}", b'{"$a":1}', b'{"$a":{},"$b":{}}', b'{"$a":{}', b'{"$a":NaN}', b'{"$\xff":{}}'):
            self.assertRaises(ValueError, read_control, text)

    def test_read_control_prunes_what_is_nested_too_deeply(self):
        deep = b"[" * 8000 + b'"]\\""' + b"]" * 8000
        text = b'{"$set":{"key":"a","value":' + deep + b',"from":"k1"}}'
        name, body = read_control(text)
        self.assertEqual((name, body["key"], body["from"]), ("$set", "a", "k1"))
        self.assertEqual(prune(b'[1,"[",{"a":[]}]'), b'[1,"[",{"a":[]}]')

    def test_room_changes_before_it_tells(self):
        room = Room()
        changes = room.follow("$welcome", self.LINES["$welcome"])
        self.assertEqual([change[0] for change in changes], ["join", "set"])
        self.assertEqual((list(room.peers), room.state), (["k1"], {"b": 2}))

    def test_messages_can_be_copied_kept_and_changed_as_any_tuple(self):
        message = Message({"x": [1]}, Peer("k1", "ada"), 5.0)
        message.from_host = True
        copies = [copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))]
        copies += [copy.replace(message)] if hasattr(copy, "replace") else []
        for each in copies:
            self.assertEqual((each.event, each.peer.name, each.time, each.from_host), ({"x": [1]}, "ada", 5.0, True))
        self.assertEqual((message._replace(event=2).event, message._replace(event=2).from_host), (2, True))
        self.assertFalse(Message(1, None, 5.0).from_host)

    def test_the_demo_tells_a_mistake_of_who_starts_it_in_one_line_beside_its_usage(self):
        for args, said in [(["--nmae"], "--nmae"), (["a", "b", "c"], "c"), (["a:x"], "Cannot connect to 'a:x'")]:
            out = io.StringIO()
            with unittest.mock.patch.object(sys, "argv", ["session_demo.py"] + args), \
                    unittest.mock.patch.object(sys, "stderr", out), self.assertRaises(SystemExit) as caught:
                session_demo.main()
            self.assertEqual(caught.exception.code, 2)
            self.assertIn(said, out.getvalue().splitlines()[-1])

    def test_the_demo_prints_names_that_its_terminal_has_no_letters_for(self):
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        with unittest.mock.patch.object(sys, "stdout", out):
            session_demo.Narrator.on_change(None, "set", Peer("k1", "\xe4d\xe4"), "key", "\ud83d\x1b")
        self.assertEqual(out.buffer.getvalue(), b"set k1 '\\xe4d\\xe4' 'key' '\\ud83d\\x1b'\n")

    def test_sent_lines_know_their_numbers_and_which_counts_can_be(self):
        sent = SentLines()
        room_set = b'{"$set":{"key":"a","value":1,"room":true}}\n'
        sent.add([b"1\n", b'{"$ping":{}}\n', room_set])
        self.assertEqual((sent.line(2), sent.line(1), sent.line(5)), (b"1\n", None, None))
        self.assertFalse(sent.confirm(10**9))
        self.assertTrue(sent.confirm(2))
        self.assertFalse(sent.confirm(1))
        self.assertEqual(sent.line(3), b'{"$ping":{}}\n')
        self.assertEqual(sent.begin_connection(), b'{"$ping":{}}\n' + room_set)
        self.assertEqual(sent.line(3), room_set)
        sent.add([b"2\n"])
        self.assertEqual(sent.restart(), 2)

    def test_clock_begins_anew_when_the_relay_s_was_set(self):
        clock = Clock()
        for at in range(8):
            clock.add(at, at + 1, 1000 + at)
        self.assertAlmostEqual(clock.now(10), 1010, delta=1)
        clock.add(20, 21, 11020)
        self.assertAlmostEqual(clock.now(21), 11021, delta=1)
        clock.add(30, 29, 5)  # an answer before its question says nothing
        self.assertAlmostEqual(clock.now(31), 11031, delta=1)

    def test_read_ids(self):
        ada, bo = Peer("k1", "ada"), Peer("k2", "bo")
        for to, ids in ((ada, ["k1"]), ("k1", ["k1"]), ([ada, "k2", bo, ada], ["k1", "k2"]), ([], []),
                        ({"k1": ada, "k2": bo}, ["k1", "k2"]), ({"k2": bo}.values(), ["k2"])):
            self.assertEqual(read_ids("send event", to), ids)
        for to in (None, 5, [None], [[ada]], {"id": 1}.values(), object()):
            self.assertRaisesRegex(TypeError, "^Cannot send event: to is .*, Peers and ids of Peers are allowed$",
                                   read_ids, "send event", to)

    def test_read_rooms_leaves_out_what_is_none(self):
        rooms, more = read_rooms({"rooms": STRANGE + [{"name": "a", "members": 2, "maxMembers": 4},
                                                      {"name": "b", "members": 1, "maxMembers": "x"}], "more": 3})
        self.assertEqual((rooms, more), ([RoomInfo("a", 2, 4), RoomInfo("b", 1, None)], 3))
        for strange in STRANGE:
            self.assertEqual(read_rooms({"rooms": strange, "more": strange}).rooms, [])

    def test_asks_are_settled_once_and_by_who_was_asked_alone(self):
        asks = Asks(lambda answer, timeout: None)
        name, answer = asks.open("request 'k1'", "k1")
        asks.settle(name, 1)
        asks.settle(name, 1, "k2")
        asks.fail(name, "failed", "no", "k2")
        asks.fail_peer("k2")
        asks.settle("another", 1, "k1")
        self.assertFalse(answer.done())
        asks.settle(name, 2, "k1")
        for late in (asks.settle, lambda name, value, peer_id: asks.refuse(name, "x", "y")):
            late(name, 3, "k1")
        asks.fail_all("closed", "it is closed")
        self.assertEqual((answer.done(), answer.result(), answer.exception()), (True, 2, None))
        self.assertFalse(answer.cancel())

    def test_asks_tell_why_there_is_no_answer(self):
        asks = Asks(lambda answer, timeout: None)
        answers = [asks.open("request 'k1'", "k1"), asks.open("request 'k2'", "k2"), asks.open("list rooms"),
                   asks.open("list rooms", timeout_s=0.001)]
        asks.fail_peer("k1")
        asks.refuse(answers[1][0], "no_such_peer", "nobody here has the id\x1b")
        time.sleep(0.002)
        self.assertTrue(answers[3][1].done())
        asks.fail_all("closed", "it is closed")
        errors = [answer.exception() for _, answer in answers]
        self.assertEqual([(error.code, str(error)) for error in errors], [
            ("left", "Cannot request 'k1': k1 has left"),
            ("no_such_peer", "Cannot request 'k2': nobody here has the id\\x1b"),
            ("closed", "Cannot list rooms: it is closed"),
            ("timeout", "Cannot list rooms: no answer within 0.001 s"),
        ])
        self.assertRaisesRegex(RequestError, "has left", answers[0][1].result)
        self.assertRaisesRegex(TypeError, "take its result", bool, answers[0][1])

    def test_answers_without_our_nonce_are_taken_only_where_nobody_else_can_speak(self):
        error = line({"$error": {"code": "bad_token", "message": "no"}})
        for is_certain in (False, True):
            self.assertTrue(read_answer(welcome("mine"), "mine", is_certain))
            self.assertIsNone(read_answer(welcome("other"), "mine", is_certain))
            self.assertIsNone(read_answer(welcome(5), "mine", is_certain))
        self.assertTrue(read_answer(welcome(), "mine", True))
        self.assertIsNone(read_answer(welcome(), "mine", False))
        self.assertIsNone(read_answer(error, "mine", False))
        self.assertRaises(Refused, read_answer, error, "mine", True)
        self.assertIsNone(read_answer(b'{"$welcome":5}', "mine", False))
        self.assertRaises(ConnectionError, read_answer, b'{"$welcome":5}', "mine", True)
        self.assertRaises(ConnectionError, read_answer, b'{"$welcome":{"nonce":"mine"}}', "mine", False)


class Sessions(unittest.TestCase):
    def session(self, part, **options):
        relay = self.enter(PlayedRelay(part))
        session = Told("127.0.0.1", relay.port, **dict({"quiet": True}, **options))
        self.addCleanup(session.close)
        return relay, session

    def patch(self, name, value):
        self.addCleanup(setattr, session_link, name, getattr(session_link, name))
        setattr(session_link, name, value)

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def welcomed(self, then=stay, **more):
        def part(connection):
            said, _ = hello(connection)
            connection.sendall(welcome(said["nonce"], **more))
            then(connection)
        return part

    def test_a_callback_that_raises_leaves_nothing_out(self):
        peers = [{"id": "k%d" % i, "name": "", "state": {}} for i in range(3)]

        def say(connection):
            connection.sendall(b'"first"\n')
            connection.sendall(line({"$set": {"key": "b", "value": 2, "room": True, "from": "k1"}}) + b'"last"\n')
            stay(connection)

        _, session = self.session(self.welcomed(say, peers=peers, state={"a": 1}))
        until(lambda: len(session._inbox) >= 4)
        seen = []

        def on_change(*change):
            seen.append((change[0], len(session.peers)))
            raise KeyError(len(seen))

        session.on_change = on_change
        with stderr():
            self.assertRaisesRegex(KeyError, "1", session.drain)
        self.assertEqual(seen, [("join", 3)] * 3 + [("set", 3)] * 2, "all are told, each when the picture is complete")
        self.assertEqual(session.state, {"a": 1, "b": 2})
        self.assertEqual(session.drain(), ["first", "last"])

    def test_what_ends_the_program_is_never_kept_from_it(self):
        class Interrupted(dict):
            def items(self):
                raise KeyboardInterrupt("while it is encoded")

        def say(connection):
            connection.sendall(line({"$from": {"id": "k0", "ask": "1"}}) + b"1\n" + b'"event"\n')
            stay(connection)

        peers = [{"id": "k%d" % i, "name": "", "state": {}} for i in range(3)]
        _, session = self.session(self.welcomed(say, peers=peers))
        until(lambda: len(session._inbox) >= 3)
        session.on_request = lambda *_: Interrupted(a=1)
        self.assertRaisesRegex(KeyboardInterrupt, "while it is encoded", session.drain)
        self.assertEqual(session.drain(), ["event"])

        _, session = self.session(self.welcomed(stay, peers=peers))
        until(lambda: len(session._inbox) >= 1)
        errors = [ValueError("first"), KeyboardInterrupt("second"), ValueError("third")]

        def on_change(*change):
            raise errors.pop(0)

        session.on_change = on_change
        with stderr():
            self.assertRaisesRegex(KeyboardInterrupt, "second", session.drain)
            self.assertRaisesRegex(ValueError, "first", session.drain)
        self.assertEqual(session.drain(), [])

    def test_outlives_every_answer_and_connects_at_last(self):
        answers = [b'{"$welcome":%s}\n' % text for text in (b"5", b"null", b"[]", b"{}", b'"x"', b"NaN", b"1e999")]
        answers += [b"\xff\xfe\n", b'{"$error":5}\n', b'{"$error":{}}\n', b'{"$welcome":' + b"[" * 100000 + b"\n",
                    b"HTTP/1.1 200\r\n\r\n", b"x" * 100000, b""]
        body = json.loads(welcome().decode())["$welcome"]
        answers += [welcome(**{field: strange}) for field in body for strange in (None, [[]], -1, 1e300, 10**400)]
        answers += [welcome(limits=dict(LIMITS, **{name: strange})) for name in ("windowBytes", "pingTimeoutMs")
                    for strange in (0, -1, None, 1e300, "x")]

        def part(connection):
            said, _ = hello(connection)
            connection.sendall(answers.pop() if answers else welcome(said["nonce"]))
            if not answers:
                stay(connection)

        errors = []
        self.patch("FIRST_RETRY_S", 0.005)
        self.patch("LAST_RETRY_S", 0.005)
        _, session = self.session(part, on_error=errors.append)
        until(lambda: not answers and session.status == "connected")
        self.assertTrue(session._thread.is_alive())
        self.assertTrue(all(str(error).isprintable() for error in errors))
        self.assertGreater(len(errors), 50)

    def test_outlives_every_control_line_in_the_stream(self):
        def say(connection):
            for name, body in Parts.LINES.items():
                for strange in STRANGE + [dict(body, **{field: value}) for field in body for value in STRANGE]:
                    if name != "$bye":
                        connection.sendall(line({name: strange}))
            connection.sendall(b'{"$\xff\n{"$set":' + b"[" * 50000 + b'\n{"$from":{}}\n"end"\n')
            stay(connection)

        _, session = self.session(self.welcomed(say))
        events = []
        until(lambda: events.extend(session.drain()) or "end" in events)
        self.assertEqual((session.status, events), ("connected", ["end"]))
        self.assertGreater(session.invalid, 200)

    def test_is_not_driven_into_a_busy_loop(self):
        def stop(connection):
            connection.sendall(line({"$bye": {"retryMs": 0}}))

        # The waits double where nothing is got from a connection; what a relay asks for has a lower bound.
        for first_s, part in ((0.01, lambda connection: None), (0.01, self.welcomed(lambda connection: None)),
                              (0.25, self.welcomed(stop))):
            self.patch("FIRST_RETRY_S", first_s)
            relay, session = self.session(part)
            time.sleep(0.6)
            self.assertLess(relay.connections, 12)
            session.close()

    def test_burns_no_time_while_the_relay_takes_nothing(self):
        self.patch("UNCONFIRMED_BYTES", 2**30)  # so that the connection takes no more, not the session
        _, session = self.session(self.welcomed(lambda connection: time.sleep(3)))
        until(lambda: session.status == "connected")
        dropped = 0
        while dropped < 50:  # not only because we are faster than the session: nothing goes out any more
            before = session.dropped
            session.send("x" * 60000)
            time.sleep(0.002)
            dropped = dropped + 1 if session.dropped > before else 0
        time.sleep(1.1)  # a ping is due, and waits behind the events
        before = time.process_time()
        time.sleep(0.5)
        self.assertLess(time.process_time() - before, 0.05)

    def test_notices_a_silent_relay_and_send_and_close_never_wait(self):
        limits = dict(LIMITS, pingTimeoutMs=300)
        silent = threading.Event()
        for then in (lambda connection: silent.wait(5), stay):
            relay, session = self.session(self.welcomed(then, limits=limits))
            until(lambda: session.status == "connected")
            began = time.monotonic()
            for _ in range(300):
                session.send("x" * 60000)
            self.assertLess(time.monotonic() - began, 3)
            until(lambda: session.status == "reconnecting" or relay.connections > 1)
            self.assertLess(time.monotonic() - began, 6)
            until(lambda: relay.connections > 1)
            began = time.monotonic()
            session.close()
            self.assertLess(time.monotonic() - began, 2)
        silent.set()

    def answering(self, said, answers):
        """Plays a relay that keeps what it hears in `said`, and answers to each line whose control `answers` names."""
        def part(connection):
            greeting, lines = hello(connection)
            connection.sendall(welcome(greeting["nonce"], peers=[{"id": "k1", "name": "bo", "state": {}}]))
            for text in lines:
                value = json.loads(text.decode())
                said.append(value)
                for name in answers:
                    if name in value:
                        connection.sendall(answers[name](value[name]))
                if "$bye" in value:
                    return
        return part

    def test_an_answer_comes_in_whatever_thread_waits_for_it_and_never_twice(self):
        asked = []

        def reply(letter):
            mark = line({"$from": {"id": letter["ids"][0], "reply": letter["ask"]}})
            return mark + line(letter["event"]) + mark + b'"again"\n' + line({"$from": {"id": "k1"}}) + b'"event"\n'

        _, session = self.session(self.answering(asked, {"$to": reply}))
        self.assertEqual(session.request("k1", 1).result(), 1, "nobody has drained yet: this thread does")
        self.assertEqual((session.drain(), session.told[0][0]), (["event"], "join"))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            others = [pool.submit(lambda n=n: session.request(session.peers["k1"], n).result(DEADLINE_S))
                      for n in range(5)]
            events = []
            until(lambda: events.extend(session.drain()) or all(other.done() for other in others))
            self.assertEqual([other.result() for other in others], list(range(5)))
        until(lambda: events.extend(session.drain()) or len(events) == 5)
        self.assertEqual(events, ["event"] * 5)

    def test_waits_in_a_callback_but_not_in_its_own_thread(self):
        def reply(letter):
            return line({"$from": {"id": "k1", "reply": letter["ask"]}}) + b"7\n"

        _, session = self.session(self.answering([], {"$to": reply}))
        seen = []
        session.on_change = lambda kind, *_: seen.append((kind, session.request("k1", "in a callback").result()))
        until(lambda: session.drain() or seen)
        self.assertEqual(seen, [("join", 7)])
        errors, attempts = [], []
        session = Session("127.0.0.1:9", on_error=lambda error: errors.append(attempts[0].exception()))
        self.addCleanup(session.close)
        attempts.append(session.rooms())
        with stderr() as printed:
            until(lambda: "RuntimeError" in printed.getvalue())
        self.assertIn("Cannot wait for an answer: on_error() is called", printed.getvalue())
        self.assertRaises(concurrent.futures.TimeoutError, attempts[0].result, 0.01)

    def test_another_program_on_the_port_is_told(self):
        errors = []

        def part(connection):
            hello(connection)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        relay, _ = self.session(part, on_error=errors.append)
        until(lambda: errors)
        self.assertEqual(str(errors[0]), "Cannot connect to 127.0.0.1:%d: it says \"HTTP/1.1 400 Bad Request\", which "
                         "no relay does, is the port right" % relay.port)

    def test_a_relay_that_is_older_is_told(self):
        for more, is_older in (({}, True), ({"relayVersion": "0.2.0"}, False)):
            with stderr() as printed:
                _, session = self.session(self.welcomed(**more), quiet=False)
                until(lambda: session.status == "connected")
                session.close()
            self.assertEqual("relay: the relay is older than this client" in printed.getvalue(), is_older)

    def test_questions_are_answered_whatever_on_request_does(self):
        later = concurrent.futures.Future()
        gone = concurrent.futures.Future()
        gone.cancel()

        class Odd(Exception):
            def __str__(self):
                raise ValueError

        def answer(event, peer):
            if event in wrong:
                raise wrong[event]
            return answers[event]

        wrong = {"error": KeyError("x" * 5000), "odd": Odd(), "exit": SystemExit(2), "nothing": RuntimeError()}
        answers = {"nan": float("nan"), "object": object(), "long": "x" * 70000, "none": None, "later": later,
                   "gone": gone}
        said = []

        def part(connection):
            greeting, lines = hello(connection)
            connection.sendall(welcome(greeting["nonce"], peers=[{"id": "k1", "name": "bo", "state": {}}]))
            for name in [*wrong, *answers]:
                connection.sendall(line({"$from": {"id": "k1", "ask": name}}) + line(name))
            connection.sendall(line({"$from": {"id": "k1", "ask": "unread"}}) + b"NaN\n" + line({"$from": {"id": "k1"}})
                               + b'"event"\n')
            for text in lines:
                value = json.loads(text.decode())
                if "$to" in value:
                    said.append(value["$to"])
                if "$bye" in value:
                    return

        _, session = self.session(part)
        session.on_request = answer
        until(lambda: len(session._inbox) > 2 * len([*wrong, *answers]) + 2)
        self.assertRaises(SystemExit, session.drain)
        self.assertEqual(session.drain(), ["event"])
        later.set_result([1])
        until(lambda: len(said) == 11)
        self.assertTrue(all(letter["ids"] == ["k1"] for letter in said))
        replies = {letter["reply"]: (letter.get("failed", False), letter["event"]) for letter in said}
        self.assertEqual((replies["none"], replies["later"]), ((False, None), (False, [1])))
        self.assertEqual(replies["odd"], (True, "it raised what has no text"))
        self.assertEqual(replies["nothing"], (True, "RuntimeError"))
        self.assertEqual(len(replies["error"][1]), 1000)
        self.assertRegex(replies["long"][1], "^Cannot answer: it has 700.. bytes, at most 65536 are allowed$")
        self.assertEqual([name for name, (failed, _) in replies.items() if not failed], ["none", "later"])

    def test_questions_of_a_session_that_is_over_are_not_answered_and_later_ones_are(self):
        greetings, cut = [], threading.Event()

        def part(connection):
            greeting, lines = hello(connection)
            greetings.append(greeting)
            run = len(greetings)
            connection.sendall(welcome(greeting["nonce"], session=str(run) * 22, relay="run-%d" % run))
            for text in lines:
                value = json.loads(text.decode())
                if "$claim" in value and value["$claim"]["key"] == "cut":
                    cut.wait(DEADLINE_S)
                    return
                if "$rooms" in value:
                    connection.sendall(line({"$answer": {"ask": value["$rooms"]["ask"], "rooms": [], "more": run}}))
                if "$bye" in value:
                    return

        self.patch("FIRST_RETRY_S", 0.005)
        _, session = self.session(part)
        early = session.rooms()  # perhaps before it is connected
        self.assertEqual(early.result().more, 1)
        lost = session.claim("cut", 1)
        until(lambda: session._questions == [])
        cut.set()
        until(lambda: len(greetings) == 2 and session.status == "connected")
        later = session.rooms()  # while drain() has not come to the new session
        self.assertEqual(later.result().more, 2)
        self.assertEqual((lost.exception().code, str(lost.exception())), (
            "not_resumed", "Cannot claim 'cut': the session could not go on, so it may have been done or not"))

    def test_acknowledges_at_once_what_it_is_told_to_have_missed(self):
        said, told = [], line({"$lost": {"lines": 3, "bytes": 9}}) + line({"$time": {"time": 1}})

        def part(connection):
            greeting, lines = hello(connection)
            limits = dict(LIMITS, pingTimeoutMs=600000)
            connection.sendall(welcome(greeting["nonce"], limits=limits) + told)
            said.extend(json.loads(text.decode()) for text in iter(lines.readline, b""))

        self.patch("BUSY_PING_S", 600)
        self.patch("IDLE_PING_S", 600)
        _, session = self.session(part)
        until(lambda: session.drain() or {"$ack": {"bytes": len(told)}} in said, "an $ack before the next ping")

    def test_questions_that_were_never_asked_are_asked_in_the_next_session(self):
        said, runs = [], []

        def part(connection):
            greeting, lines = hello(connection)
            runs.append(greeting)
            relay = "run-1" if len(runs) < 5 else "run-2"
            if len(runs) in (2, 4):
                return
            connection.sendall(welcome(greeting["nonce"], session=str(len(runs)) * 22, relay=relay))
            for text in lines:
                said.append(json.loads(text.decode()))
                if "$bye" in said[-1] or "cut" in said[-1]:
                    return
                for ask in ("$claim", "$rooms"):
                    if ask in said[-1]:
                        body = said[-1][ask]
                        connection.sendall(line({"$answer": {"ask": body["ask"], "won": True, "more": len(runs)}}))

        self.patch("FIRST_RETRY_S", 0.2)
        _, session = self.session(part)
        for relays in (1, 2):
            until(lambda: session.status == "connected")
            session.send({"cut": relays})
            until(lambda: session.status == "reconnecting")
            answers = [session.claim("ball", 1), session.rooms()]
            session.unset("ball", room=True)
            given_up = session.claim("late", 1, timeout_s=0.001)
            request = session.request("k1", "who?")
            self.assertEqual(answers[0].result(), True)
            self.assertEqual(answers[1].result().more, 2 * relays + 1)
            self.assertEqual(given_up.exception().code, "timeout")
            if relays == 2:
                self.assertEqual(request.exception().code, "not_resumed")
            else:
                self.assertFalse(request.done())
        names = [name for each in said for name in each if name in ("$claim", "$rooms", "$to", "$set", "cut")]
        self.assertEqual(names, ["cut", "$set", "$claim", "$rooms", "$to", "cut", "$set", "$claim", "$rooms"])

    def test_what_waits_for_single_members_is_dropped_where_their_ids_are_others(self):
        said, runs = [], []

        def part(connection):
            greeting, lines = hello(connection)
            runs.append(greeting)
            if len(runs) == 2:
                return
            connection.sendall(welcome(greeting["nonce"], session=str(len(runs)) * 22, relay="run-%d" % len(runs)))
            for text in lines:
                said.append(json.loads(text.decode()))
                if said[-1] == "cut" or "$bye" in said[-1]:
                    return

        self.patch("FIRST_RETRY_S", 0.1)
        _, session = self.session(part)
        until(lambda: session.status == "connected")
        session.send("cut")
        until(lambda: session.status == "reconnecting")
        session.send("psst", to="k1")
        session.send("for all")
        until(lambda: "for all" in said)
        self.assertFalse([each for each in said if "$to" in each])
        session.drain()
        self.assertIn(("lost", "outbox", 1), session.told)

    def test_answers_of_a_session_that_closes_or_is_refused_end(self):
        _, session = self.session(self.welcomed())
        until(lambda: session.status == "connected")
        waiting = [session.rooms(), session.claim("a", 1), session.request("k1", 1, timeout_s=None)]
        threading.Timer(0.05, session.close).start()
        for answer in waiting:
            self.assertEqual(answer.exception(DEADLINE_S).code, "closed")
        self.assertEqual(session.rooms().exception().code, "closed")

        def refuse(connection):
            greeting, _ = hello(connection)
            connection.sendall(line({"$error": {"code": "room_full", "message": "no", "nonce": greeting["nonce"]}}))

        _, session = self.session(refuse)
        self.assertEqual(session.claim("a", 1).exception(DEADLINE_S).code, "closed")

    def test_gives_an_answer_up_that_does_not_come(self):
        _, session = self.session(self.welcomed())
        for ask in (session.rooms, lambda timeout_s: session.claim("a", 1, timeout_s=timeout_s),
                    lambda timeout_s: session.request("k1", 1, timeout_s)):
            answer, endless = ask(timeout_s=0.01), ask(timeout_s=None)
            until(answer.done)
            self.assertRegex(str(answer.exception()),
                             "^Cannot (list rooms|claim 'a'|request 'k1'): no answer within 0.01 s$")
            self.assertEqual((answer.exception().code, endless.done()), ("timeout", False))

    def test_asking_refuses_what_is_wrong(self):
        _, session = self.session(self.welcomed(limits=dict(LIMITS, maxLineBytes=1000, maxValueBytes=990)))
        until(lambda: session.status == "connected")
        for error, call in (
            (TypeError, lambda: session.request(None, 1)), (TypeError, lambda: session.request(["k1", "k2"], 1)),
            (TypeError, lambda: session.request("k1", object())), (TypeError, lambda: session.request("k1", 1, "1")),
            (TypeError, lambda: session.claim("k", 1, timeout_s="1")), (ValueError, lambda: session.rooms(-1)),
            (ValueError, lambda: session.request("k1", 1, 0)), (ValueError, lambda: session.request("k1", "x" * 1000)),
            (ValueError, lambda: session.request("k1", float("nan"))), (TypeError, lambda: session.claim(1, 1)),
            (ValueError, lambda: session.claim("", 1)), (ValueError, lambda: session.claim("k", "x" * 990)),
            (ValueError, lambda: session.claim("k", "x" * 980)), (TypeError, lambda: session.claim("k", 1, hold=1)),
            (TypeError, lambda: session.claim("k", {1})), (TypeError, lambda: session.pass_host(5)),
            (TypeError, lambda: session.pass_host(["k1", "k2"])), (TypeError, lambda: session.send(1, to=None)),
        ):
            self.assertRaisesRegex(error, "^(Cannot|Object|Out of range)", call)
        self.assertEqual(session._asks._pending, {}, "what could not be asked waits for no answer")

    def test_comes_back_to_the_room_that_it_was_given(self):
        greetings = []

        def part(connection):
            greeting, _ = hello(connection)
            greetings.append(greeting)
            connection.sendall(welcome(greeting["nonce"], room="pong-2", session=str(len(greetings)) * 22))
            if len(greetings) == 3:
                stay(connection)

        self.patch("FIRST_RETRY_S", 0.005)
        self.patch("LAST_RETRY_S", 0.005)
        _, session = self.session(part, room="pong", any_room=True, max_members=2)
        until(lambda: len(greetings) == 3 and session.status == "connected")
        self.assertEqual([(each["room"], each.get("base")) for each in greetings],
                         [("pong", None), ("pong-2", "pong"), ("pong-2", "pong")])
        self.assertEqual((session.room, greetings[0]["any"], greetings[0]["maxMembers"]), ("pong-2", True, 2))

    def test_an_event_for_many_goes_in_as_few_lines_as_hold_it(self):
        said = []
        _, session = self.session(self.answering(said, {}))
        session.send("hi", to=["k%d" % n for n in range(600)])
        session.send("none", to=[])
        session.send("end")
        until(lambda: "end" in said)
        letters = [each["$to"]["ids"] for each in said if "$to" in each]
        self.assertEqual(sum(letters, []), ["k%d" % n for n in range(600)])
        self.assertLessEqual(max(map(len, letters)), 256)

    def test_stays_with_a_relay_that_answers(self):
        def answer(connection):
            for text in connection.makefile("rb"):
                if text.startswith(b'{"$ping"'):
                    asked = json.loads(text.decode())["$ping"]
                    connection.sendall(line({"$pong": {"t": asked["t"], "time": 1.7e12, "bytes": 0}}))

        relay, session = self.session(self.welcomed(answer, limits=dict(LIMITS, pingTimeoutMs=300)))
        until(lambda: session.status == "connected")
        time.sleep(1)
        self.assertEqual((session.status, relay.connections), ("connected", 1))
        self.assertLess(len(session._inbox), 5, "answers to pings don't pile up where nobody drains")

    def test_ignores_a_forged_answer_and_takes_the_relay_s(self):
        def part(connection):
            said, _ = hello(connection)
            self.assertGreaterEqual(len(said["nonce"]), 16)
            self.assertLessEqual(len(said["nonce"]), 64)
            error = {"code": "bad_token", "message": "no"}
            for forged in (welcome("forged", id="evil"), line({"$error": dict(error, nonce="x")}),
                           line({"$error": error}), welcome(id="evil"), b'{"$welcome":5}\n'):
                connection.sendall(forged)
            connection.sendall(welcome(said["nonce"], id="true"))
            stay(connection)

        _, session = self.session(part)
        until(lambda: session.id is not None)
        self.assertEqual(session.id, "true")

    def test_waits_longer_for_a_relay_that_has_answered_before_as_many_may_come_back_at_once(self):
        hellos, errors = [], []

        def part(connection):
            said, _ = hello(connection)
            hellos.append(said)
            if len(hellos) > 1:
                time.sleep(0.6)
            connection.sendall(welcome(said["nonce"], id="k%d" % len(hellos)))
            if len(hellos) > 1:
                stay(connection)

        self.patch("FIRST_RETRY_S", 0.005)
        self.patch("ANSWER_S", 0.3)
        _, session = self.session(part, on_error=errors.append)
        until(lambda: len(hellos) > 1 and session.status == "connected")
        self.assertEqual(len(hellos), 2)
        self.assertFalse([error for error in errors if "answer" in str(error)])

    def test_takes_an_older_relay_s_answer_only_before_anybody_else_can_speak(self):
        for wait_s, expected in ((0, "k3"), (0.3, None)):
            def part(connection):
                hello(connection)
                time.sleep(wait_s)
                connection.sendall(welcome())
                stay(connection)

            _, session = self.session(part, answer_s=0.5)
            # A machine that is busy may be late itself, and then tries again.
            until(lambda: session.id == "k3" if expected else session.error is not None)
            self.assertEqual(session.id, expected)
            session.close()
        self.assertIn("another client's", str(session.error))

    def test_a_refused_value_is_not_set_again_in_the_next_session(self):
        said = []

        def part(connection):
            greeting, lines = hello(connection)
            connection.sendall(welcome(greeting["nonce"]))
            number, sets = 1, 0
            for text in lines:
                number += 1
                if text.startswith(b'{"$set"'):
                    sets += 1
                    said.append(json.loads(text.decode())["$set"]["key"])
                    if said[-1] == "big":
                        connection.sendall(line({"$error": {"code": "state_full", "message": "no", "line": number}}))
                if len(said) in (2, 3) and "big" in said and sets >= 2:
                    time.sleep(0.1)
                    return

        _, session = self.session(part)
        session.set("big", 1)
        session.set("small", 2)
        until(lambda: len(said) >= 3)
        time.sleep(0.1)
        session.drain()
        self.assertEqual(said[2:], ["small"])
        self.assertIn("error", [change[0] for change in session.told])

    def test_checks_what_is_set(self):
        session = Session("127.0.0.1", 9, quiet=True)
        self.addCleanup(session.close)
        session.set("😀" * 128, None)
        for key in ("", "😀" * 129, "x" * 129, "\ud800"):
            self.assertRaises(ValueError, session.set, key, 1)
            self.assertRaises(ValueError, session.unset, key)
        for key in (None, 5, b"x", ["x"]):
            self.assertRaises(TypeError, session.set, key, 1)
        for value in (float("nan"), "x" * 16384):
            self.assertRaises(ValueError, session.set, "a", value)
        for change, what in ((session.set, "set 'a'"), (session.claim, "claim 'a'"), (session.request, "request 'a'")):
            self.assertRaisesRegex(TypeError, "^Cannot %s: .*, what JSON can hold is allowed$" % what, change, "a", {1})
        for room in (None, 1, "pong", [], {}):
            for change in (lambda: session.set("a", 1, room=room), lambda: session.unset("a", room=room)):
                self.assertRaisesRegex(TypeError, "^Cannot use room: it is of type .*, a bool is allowed$", change)
        for kind in (Relay, Session):
            self.assertRaisesRegex(TypeError, "^Cannot use quiet", kind, "127.0.0.1", 9, quiet="no")
        for number in range(255):
            session.set("k%d" % number, 1)
        self.assertRaisesRegex(ValueError, "256 keys", session.set, "one more", 1)

    def test_a_connection_that_did_not_outlive_the_machines_sleep_is_left_soon(self):
        asked, later = [], [0.0]

        def part(connection):
            greeting, lines = hello(connection)
            connection.sendall(welcome(greeting["nonce"]))
            for text in lines:
                asked.append((later[0], json.loads(text.decode())))
                if "$bye" in asked[-1][1]:
                    return

        self.patch("WOKEN_S", 0.1)
        wall, began = time.time, time.monotonic()
        with unittest.mock.patch.object(session_link.time, "time", lambda: wall() + later[0]):
            relay, session = self.session(part)
            until(lambda: session.status == "connected" and asked)
            later[0] = 3600.0
            until(lambda: relay.connections == 2)
            self.assertTrue(any(slept and "$ping" in each for slept, each in asked), "it asks first")
            until(lambda: session.status == "connected")
            later[0] = -3600.0  # the clock was set
            session.send("still here")
            until(lambda: (-3600.0, "still here") in asked)
        self.assertEqual(relay.connections, 2)
        self.assertLess(time.monotonic() - began, 10, "not only after pingTimeoutMs")

    def test_a_burst_in_one_go_arrives_whole(self):
        got, size, pings = [], [0], [0]

        def part(connection):
            greeting, lines = hello(connection)
            connection.sendall(welcome(greeting["nonce"]))
            for text in lines:
                size[0] += len(text)
                value = json.loads(text.decode())
                if "$ping" in value:
                    pings.append(size[0])
                    connection.sendall(line({"$pong": {"t": value["$ping"]["t"], "time": 1.7e12, "bytes": size[0]}}))
                elif "$bye" in value:
                    return
                else:
                    got.append(value["i"])

        _, session = self.session(part)
        until(lambda: session.status == "connected")
        for i in range(10000):
            session.send({"i": i, "pad": "x" * 300})
        until(lambda: len(got) == 10000)
        most = max(later - earlier for earlier, later in zip(pings, pings[1:]))
        self.assertLess(most, session_link.UNCONFIRMED_BYTES / 2, "confirmation is asked for in time")
        for i in range(10000):
            session.send({"i": i, "pad": "x" * 300})
        session.close()
        session.drain()
        self.assertEqual((got, session.told), ([*range(10000), *range(10000)], []))

    def test_tells_what_it_drops(self):
        session = Told("127.0.0.1", 9, quiet=True)
        for _ in range(40):
            session.send("x" * 10000)
        session.drain()
        self.assertEqual(session.told, [("lost", "outbox", 14)])
        session.close()
        session.drain()
        self.assertEqual((session.told[1:], session.dropped), ([("lost", "closed", 26)], 40))
        session.send("too late")
        self.assertEqual(session.dropped, 40)

    def test_says_once_why_it_cannot_connect(self):
        look_up = socket.getaddrinfo

        def look_up_here(host, *more):  # the network's own names are none of a test's business
            if host.endswith(".invalid"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return look_up(host, *more)

        self.addCleanup(setattr, socket, "getaddrinfo", look_up)
        socket.getaddrinfo = look_up_here
        for target, why in (("127.0.0.1:9", "connection refused, is the relay running there"),
                            ("no-such-host.invalid:32100", "no such host, is its name spelled right")):
            for client in (Relay, Session):
                with stderr() as printed:
                    with client(target) as connection:
                        until(lambda: connection.error is not None and printed.getvalue())
                        time.sleep(0.5)
                text = printed.getvalue()
                self.assertIn("Cannot connect to %s" % target, text)
                self.assertIn(why, text)
                self.assertEqual(text.count("\n"), 1, text)
                errors = []
                with stderr() as printed:
                    with client(target, on_error=errors.append):
                        until(lambda: errors)
                    with client(target, quiet=True) as connection:
                        until(lambda: connection.error is not None)
                self.assertEqual(printed.getvalue(), "")
                self.assertIn(why, str(errors[0]))

    def test_an_on_error_that_raises_harms_nobody(self):
        for client in (Relay, Session):
            calls = []

            def on_error(error):
                calls.append(error)
                raise RuntimeError("a mistake")

            with stderr() as printed:
                with client("127.0.0.1:9", on_error=on_error) as connection:
                    until(lambda: len(calls) > 1)
                    self.assertTrue(connection._thread.is_alive())
            self.assertEqual(printed.getvalue().count("RuntimeError: a mistake"), 1)

    def test_closes_from_its_own_callback(self):
        for client in (Relay, Session):
            connections = []
            ready = threading.Event()
            connection = client("127.0.0.1:9", on_error=lambda _: ready.wait() and connections[0].close())
            connections.append(connection)
            ready.set()
            until(lambda: not connection._thread.is_alive())
            self.assertEqual(connection.status, "closed")


    def test_says_that_a_relay_which_hangs_up_at_a_hello_may_serve_tls(self):
        with stderr() as out, PlayedRelay(hello) as played, Session("127.0.0.1", played.port):
            until(lambda: out.getvalue().endswith("\n"))
        self.assertEqual(
            out.getvalue(),
            "relay: Cannot connect to 127.0.0.1:%d: it closed the connection without an answer, if it serves TLS, "
            "this client does not speak that (trying again)\n" % played.port)


class Relays(unittest.TestCase):
    def test_goes_on_when_nobody_reads_its_stderr(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        before, sys.stderr = sys.stderr, os.fdopen(writing, "w")
        try:
            with Relay("127.0.0.1:9") as relay:
                until(lambda: relay.error is not None)
            self.assertFalse(relay._thread.is_alive())
        finally:
            os.close(reading)
            with contextlib.suppress(OSError):
                sys.stderr.close()
            sys.stderr = before

    def test_tells_the_relay_s_complaint_from_somebody_s_event(self):
        def part(connection):
            connection.sendall(b'{"$error":{"code":"invalid_json","message":"no \\u001b[2J"}}\n'
                               b' {"$error":{"code":"x"}}\n{"$error" :1}\n{"$error":null}\n')
            stay(connection)

        errors, events = [], []
        with PlayedRelay(part) as played, Relay("127.0.0.1", played.port, on_error=errors.append) as relay:
            until(lambda: events.extend(relay.drain()) or len(events) == 2 and len(errors) == 2)
            self.assertEqual(events, [{"$error": {"code": "x"}}, {"$error": 1}])
            self.assertEqual((errors[0].code, str(errors[0])), ("invalid_json", "no \\x1b[2J"))

    def test_prints_what_the_relay_says_as_a_session_does(self):
        def part(connection):
            connection.sendall(b'{"$error":{"code":"invalid_json","message":"Cannot relay \\u001b[2J"}}\n')
            stay(connection)

        with stderr() as out, PlayedRelay(part) as played, Relay("127.0.0.1", played.port):
            until(lambda: out.getvalue().endswith("\n"))
        self.assertEqual(out.getvalue(), "relay: the relay says: Cannot relay \\x1b[2J\n")

    def test_no_first_event_is_taken_for_a_hello(self):
        said = []
        with PlayedRelay(lambda connection: said.extend(connection.makefile("rb"))) as played:
            with Relay("127.0.0.1", played.port) as relay:
                relay.send({"$hello": {"version": 1}})
                relay.send({"$bye": {}})
            until(lambda: len(said) == 2)
        self.assertEqual(said, [b' {"$hello":{"version":1}}\n', b' {"$bye":{}}\n'])

    def test_outlives_whatever_comes(self):
        texts = [line(strange) for strange in STRANGE] + [line({"$error": strange}) for strange in STRANGE]
        texts += [b"\xff\n", b"NaN\n", b"[" * 50000 + b"\n", b"1" * 60000 + b"\n"]
        texts.append(b'{"$error":' + b"[" * 500 + b"]" * 500 + b"}\n")

        def part(connection):
            connection.sendall(b"".join(texts) + b'"end"\n')
            stay(connection)

        events = []
        with PlayedRelay(part) as played, Relay("127.0.0.1", played.port, quiet=True) as relay:
            until(lambda: events.extend(relay.drain()) or "end" in events)
            self.assertEqual((relay.status, relay.reconnects), ("connected", 0))

    def test_tells_what_it_drops(self):
        def part(connection):
            connection.sendall(b"1\n" * (relay_client.INBOX_EVENTS + 5) + (b'"' + b"x" * 60000 + b'"\n') * 100)
            stay(connection)

        lost = []
        with PlayedRelay(part) as played:
            with Relay("127.0.0.1", played.port, on_lost=lambda *what: lost.append(what)) as relay:
                until(lambda: relay.received == relay_client.INBOX_EVENTS + 105)
                until(lambda: sum(count for _, count in lost) == relay.dropped)
                events = relay.drain()
                self.assertEqual(relay.received, len(events) + relay.dropped)
                self.assertLessEqual(sum(map(len, map(str, events))), relay_client.INBOX_BYTES)
                self.assertEqual({reason for reason, _ in lost}, {"inbox"})
        with stderr() as printed, Relay("127.0.0.1:9") as relay:
            for _ in range(40):
                relay.send("x" * 10000)
            until(lambda: "reason: outbox" in printed.getvalue())
        self.assertEqual(relay.dropped, 40)

    def test_an_on_lost_that_sends_something_does_not_drive_itself(self):
        lost = []

        def on_lost(reason, count):
            lost.append((reason, count))
            relay.send("y" * 10000)  # such as a call for help: it pushes out what is as long

        relay = Relay("127.0.0.1:9", on_lost=on_lost, quiet=True)
        for _ in range(40):
            relay.send("x" * 10000)
        until(lambda: lost)
        began = time.monotonic()
        until(lambda: len(lost) > 1)
        self.assertGreater(time.monotonic() - began, relay_client.TELL_S / 2)
        relay.close()
        self.assertEqual(sum(count for _, count in lost), relay.dropped)
        self.assertLess(len(lost), 6)

    def test_a_burst_in_one_go_arrives_whole(self):
        got = []

        def part(connection):
            got.extend(json.loads(text.decode())["i"] for text in connection.makefile("rb"))

        with PlayedRelay(part) as played:
            with Relay("127.0.0.1", played.port, quiet=True) as relay:
                until(lambda: relay.status == "connected")
                for i in range(10000):
                    relay.send({"i": i, "pad": "x" * 300})
            until(lambda: len(got) == 10000)
        self.assertEqual((got, relay.sent, relay.dropped), ([*range(10000)], 10000, 0))

    def test_on_error_that_wants_to_end_the_program_ends_nothing_and_is_told(self):
        def leave(error):
            sys.exit("no relay")

        for kind in (Relay, Session):
            with stderr() as printed, kind("127.0.0.1:9", on_error=leave) as client:
                until(lambda: "SystemExit: no relay" in printed.getvalue())
                self.assertEqual((client.status, client._thread.is_alive()), ("connecting", True))

    def test_leaves_a_relay_that_takes_nothing(self):
        with PlayedRelay(lambda connection: time.sleep(2)) as played:
            with Relay("127.0.0.1", played.port, quiet=True, stalled_s=0.2) as relay:
                until(lambda: relay.status == "connected")
                while relay.dropped == 0:
                    relay.send("x" * 60000)
                    time.sleep(0.001)
                until(lambda: played.connections > 1)
                self.assertGreaterEqual(relay.reconnects, 0)


if __name__ == "__main__":
    unittest.main()
