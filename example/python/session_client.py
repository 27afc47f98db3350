"""A session client for eventrelay in plain Python: no packages, Python 3.6 or newer, this folder.

    with Session("ifilab100/pong", name="ada") as session:
        session.set("ball", {"pos": [3, 4]})
        session.send({"say": "hi"})
        for event in session.drain():
            if isinstance(event, dict):  # everybody may send, and any JSON value: null, numbers, lists
                print(event, session.peers, session.now())

It is written from docs/PROTOCOL.md alone. Not in it: dropping what is old by its $time, and TLS. One thread does the
network's work. Received lines wait until drain() looks at them, and are acknowledged only then: so a program that
stands still is sent no more than the relay's window, and what is new when it goes on.
"""

import collections
import concurrent.futures
import math
import sys
import threading
import time

from relay_wire import DEFAULT_PORT  # noqa: F401, programs take it from here
from relay_wire import (
    LOBBY, Reporter, check_flag, check_name, decode, encode, encode_event, printable, read_target, show,
)
from session_asks import LOOK_S, MAX_REASON, Asks, RequestError, read_timeout  # noqa: F401, programs take the error
from session_link import CLOSE_S, ENTRY_BYTES, SessionLink, monotonic_ms
from session_parts import Message, Peer, Room, check_key, check_members, read_control, read_ids, read_rooms
from session_parts import Refused  # noqa: F401, programs take it from here

#: Who an event is for unless its sender says so. It is not None, which is what a look-up gives that finds nobody.
EVERYBODY = object()

#: How long a question waits for its answer unless it says otherwise, in seconds; and a claim, which should not be given
#: up while the session may still be resumed.
ANSWERED_S, CLAIMED_S = 10.0, 30.0

#: How much of why there is no answer a relay gets that takes no long lines, in characters.
SHORT_REASON = 50

#: The most members that one line is for.
MAX_RECEIVERS = 256

class Session(SessionLink):
    """A session that outlives its connections. Connects in the background: the constructor returns at once.

    `host` is "host", "host:port" or "[address]:port", perhaps with "/room" behind it; `port` (32100) and `room`
    ("lobby") are for who would rather name them apart. Raises TypeError for what is of a wrong type, ValueError for
    what can't be a host, a port, a room or a name.

    `on_error(error)` is told, in the session's own thread, each time that a connection can't be made or ends (Refused:
    for good, if the status is "closed"). Without it the first failure of a row is printed to stderr; nothing with
    `quiet`.

    `ping_timeout_s`: after how many seconds of silence a connection is dead; the relay's own limit (15) if that is
    less, or none is named. `answer_s`: how many seconds the relay may take to answer the hello; 3, and 10 if it has
    answered before. `can_host`: whether we may become the host of the room. `echo`: whether our own events come back,
    at their place among all others'. `max_members`: how many the room is for, if it is opened by us; `any_room`:
    whether another room will do, "pong-2" and so on, where it has no place or is for another number; then `room` says
    which, once we are connected.

    drain(), messages() and now() are for one thread; all else may be called from any. drain() is also what changes
    `peers`, `state` and `host` and calls on_change() and on_request(), in the order of the wire; so does result() of an
    answer that is waited for in that thread (until something is drained, the one that made the session).
    """

    def __init__(self, host="localhost", port=None, room=None, name="", token="", on_error=None, quiet=False,
                 ping_timeout_s=None, answer_s=None, can_host=False, echo=False, max_members=None, any_room=False):
        *address, named_room = read_target(host, port)
        if room is not None and named_room is not None and room != named_room:
            raise ValueError("Cannot connect to %s, room %s: name the room once" % (show(host), show(room)))
        room = named_room or (LOBBY if room is None else check_name("room", room, 1))
        if not isinstance(token, str):
            raise TypeError("Cannot connect: token is of type %s, a str is allowed" % type(token).__name__)
        hello = {"version": 1, "room": room, "name": check_name("name", name, 0), "token": token}
        for field, option, value in (("canHost", "can_host", can_host), ("echo", "echo", echo),
                                     ("any", "any_room", any_room)):
            if check_flag(option, value):
                hello[field] = True
        if max_members is not None:
            hello["maxMembers"] = check_members(max_members)
        if room == LOBBY and (any_room or max_members is not None):
            raise ValueError("Cannot connect: the lobby is open to all, max_members and any_room are for other rooms")
        self._asks = Asks(self._wait_for)
        super().__init__(address, hello, on_error, Reporter(quiet), ping_timeout_s, answer_s)
        self._room = Room()
        #: The other sessions by id, and the room's own keys, as of the last drain().
        self.peers, self.state = self._room.peers, self._room.state
        #: The id of who leads the room, as of the last drain(): another member's, ours only with can_host; or None.
        #: Whether it is us, is_host tells.
        self.host = None
        # Of what is drained: the marks that hold, the events, how many sessions it has come through, what to raise yet.
        self._from, self._time, self._tag = None, 0, {}
        self._events, self._followed_epoch, self._late = [], 0, []
        self._pumping, self._drainer = threading.RLock(), threading.get_ident()
        self._thread.start()

    def on_change(self, kind, *details):
        """Is told what is no event; override it. Called by drain(), when `peers` and `state` show the change already.

        ("join", peer), also for who is there at the beginning; ("leave", peer, reason); ("set", peer, key, value) and
        ("unset", peer, key), with None for the room itself; ("host", id), with None if nobody leads; ("error", error),
        a dict with code and message; ("lost", "behind", n): so many events of others were skipped, we were slow; ("lost",
        "unconfirmed", n): a new session had to begin, so many events of ours (and changes of the room's keys) may have
        arrived or not, and all who were there leave and join; ("lost", "outbox", n): so many events of ours were
        dropped, too many waited for being sent, or they were for single members of a relay that was restarted; ("lost",
        "closed", n): they had not been sent when close() gave up.

        If it is not overridden, errors and losses are printed to stderr. What it raises, drain() raises.
        """
        if kind == "error":
            self._reporter.tell("error", "the relay says: %s" % printable(details[0]["message"]))
        elif kind == "lost" and details[1] > 0:
            self._reporter.tell("lost", "lost %d events, reason: %s" % (details[1], details[0]))

    def on_request(self, event, peer):
        """Returns the answer to a question of a member; override it. Called by drain(), at the place of the question
        among the events; `peer` may be ourselves.

        The answer is what JSON can hold, or a Future of concurrent.futures that will have it, for what takes long. If
        it raises, or what it returns can't be sent, the asker gets a RequestError that says so ("failed").
        """
        raise NotImplementedError("it answers no requests")

    @property
    def is_host(self):
        """Whether we lead the room, as of the last drain(); False without a connection: another one may by then."""
        return self.status == "connected" and self.host is not None and self.host == self._room.own_id

    def send(self, event, to=EVERYBODY):
        """Queues an event for everybody else, or for some members alone (`to`: a Peer, an id, or several); never waits.
        After close() it does nothing. If nobody has an id, on_change() is told ("error", code "no_such_peer").

        Raises TypeError for what JSON lacks and for what is no member (None is none), ValueError for NaN and Infinity
        (send None), for what is nested too deeply and for a line longer than the relay takes.
        """
        if to is EVERYBODY:
            line = encode_event(event)
            self._check_line("send event", line)
            return self._push([line])
        ids = read_ids("send event", to)
        self._push(self._letters("send event", {"event": event}, ids))

    def request(self, peer, event, timeout_s=ANSWERED_S):
        """Asks a member (a Peer or an id) something; returns an Answer: its result() is what the other's on_request()
        returns. Question and answer keep their place among the events, outlive a broken connection, and are no events.

        `timeout_s`: how long to wait; None is no limit. The answer's result() raises RequestError if there is none, its
        code says why. Raises as send() does, ValueError for a time that is not above 0.
        """
        ids = read_ids("request", peer)
        if len(ids) != 1:
            raise TypeError("Cannot request: %d members are asked, one is allowed" % len(ids))
        what = "request %s" % show(ids[0])
        name, answer = self._asks.open(what, ids[0], read_timeout(timeout_s))
        return self._ask(name, answer, lambda: self._letters(what, {"ask": name, "event": event}, ids), self._append)

    def claim(self, key, value, hold=False, timeout_s=CLAIMED_S):
        """Sets a key of the room that has no value; returns an Answer: its result() is True for exactly one of all that
        try, however close together. `state` shows the winner's value by then, or what came later.

        The key is free again when it is removed (unset(key, room=True)), with `hold` also when its holder leaves or has
        lost its connection for 5 s. The answer's result() raises RequestError if it could not be decided, or it is not
        known how: the room is full ("too_many_keys", "state_full"), the session could not go on or was closed, or there
        was no answer for `timeout_s` ("timeout": `state` tells who has the key). Raises as set() and request() do.
        """
        check_key("claim", key)
        what = "claim %s" % show(key)
        self._check_value(what, value)
        held = {"hold": True} if check_flag("hold", hold) else {}
        timeout_s = read_timeout(timeout_s)
        name, answer = self._asks.open(what, None, timeout_s, lambda body: body.get("won") is True)
        return self._ask_relay(name, answer, {"$claim": dict(held, ask=name, key=key, value=value)})

    def rooms(self, timeout_s=ANSWERED_S):
        """Asks which rooms there are; returns an Answer: its result() has `rooms`, up to 100 of them with `name`,
        `members` and `max_members` (or None), the fullest first, and `more`, how many there are beside. Those whose
        name begins with a dot are left out. `timeout_s`: how long to wait, also for a connection; None is no limit. Raises
        TypeError or ValueError for what is no such time."""
        name, answer = self._asks.open("list rooms", None, read_timeout(timeout_s), read_rooms)
        return self._ask_relay(name, answer, {"$rooms": {"ask": name}})

    def pass_host(self, peer=None):
        """Makes another member (a Peer or an id) the host, or the one that comes next; if there is none, all stays as
        it is. Does nothing if we are not the host. Where the relay refuses, on_change() is told ("error", with the code
        "cannot_host", "no_such_peer" or "not_host"). Raises TypeError for what is no member."""
        ids = [] if peer is None else read_ids("pass the host on", peer)
        if len(ids) > 1:
            raise TypeError("Cannot pass the host on: to %d members, one is allowed" % len(ids))
        if not self.is_host:
            return
        with self._lock:
            if not self._closing.is_set():
                self._questions.append(encode({"$host": {"id": peer_id for peer_id in ids}}))
        self._waker.wake()

    def set(self, key, value, room=False):
        """Sets a key of ours, or of the room; of a value that has not gone out yet only the newest does.

        Raises TypeError for a key that is no str, a `room` that is no bool and what JSON lacks, ValueError for a key
        that is empty or has more than 128 characters, for NaN and Infinity, and for more bytes or more keys than the
        relay takes.
        """
        check_key("set", key)
        self._check_value("set %s" % show(key), value)
        self._change(key, check_flag("room", room), encode({"$set": {"key": key, "value": value, "room": room}}))

    def unset(self, key, room=False):
        """Removes a key of ours, or of the room. Raises as set() does."""
        check_key("unset", key)
        self._change(key, check_flag("room", room), encode({"$set": {"key": key, "room": room}}), is_set=False)

    def drain(self):
        """Returns the events that arrived since the last call, oldest first, and acknowledges them; never waits.

        messages() gives them with who sent them, and when.

        They are what others have sent, any JSON value at all: look before you use one. If on_change() raises, drain()
        does all its work, on_change() is told of everything else too, and then the first exception is raised (further
        ones are printed to stderr), KeyboardInterrupt and SystemExit before any other; the events are returned by the
        next call.
        """
        return [event for event, _, _ in self.messages()]

    def messages(self):
        """Does what drain() does, and returns for each event a tuple: the event, the Peer who sent it (None for a plain
        client; one without a name if nothing is known of it), and when the relay had it, in ms by its clock, up to
        100 ms less. The relay says who it was: nobody can speak in another's name. Each has `from_host`, too: whether
        who sent it led the room then, which `host` may not tell any more.
        """
        self._drainer = threading.get_ident()
        raised, self._late = self._late, []
        self._pump(raised)
        if raised:
            urgent = [error for error in raised if not isinstance(error, Exception)]
            self._late = raised[:1] if urgent and urgent[0] is not raised[0] else []
            raise (urgent or raised)[0]
        events, self._events = self._events, []
        return events

    def now(self):
        """Tells the relay's clock, in ms since 1970, wrong by half a round trip at most; None before it is known."""
        return self.clock.now(monotonic_ms())

    def close(self):
        """Sends what waits, leaves for good, and ends the connection; takes about CLOSE_S at most.

        What has arrived can still be drained. May be called more than once, and from on_error() and on_change().
        """
        with self._lock:
            self._close_at = self._close_at or time.monotonic() + CLOSE_S
            self._closing.set()
            self._arrived.notify_all()
        self._asks.fail_all("closed", "the session was closed")
        self._waker.wake()
        if threading.current_thread() is not self._thread:
            # Not for ever: an attempt to connect, under way to a host that doesn't answer, takes longer.
            self._thread.join(CLOSE_S + 0.5)
        self.status = "closed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _change(self, key, room, line, is_set=True):
        with self._lock:
            if is_set and not room:
                if (key, room) not in self._own and len(self._own) >= self._limits["maxKeys"]:
                    raise ValueError("Cannot set %s: a member has at most %d keys, unset another one"
                                     % (show(key), self._limits["maxKeys"]))
                self._own[key, room] = line
            else:
                self._own.pop((key, room), None)
            self._sets.pop((key, room), None)
            if is_set:
                self._sets[key, room] = line
            else:  # first: so the relay never has more keys than there were here at a time
                self._sets = {(key, room): line, **self._sets}
        self._waker.wake()

    def _check_value(self, what, value):
        size, most = len(encode(value, what)) - 1, self._limits["maxValueBytes"]
        if size > most:
            raise ValueError("Cannot %s: its value has %d bytes, at most %d are allowed" % (what, size, most))

    def _check_line(self, what, line):
        size, most = len(line) - 1, self._limits["maxLineBytes"]
        if size > most:
            raise ValueError("Cannot %s: it has %d bytes, at most %d are allowed" % (what, size, most))

    def _letters(self, what, body, ids):
        """Returns as few lines as carry an event to all of `ids`."""
        if not ids:
            return []
        line = encode({"$to": dict(body, ids=ids)}, what)
        if len(ids) > 1 and (len(ids) > MAX_RECEIVERS or len(line) - 1 > self._limits["maxLineBytes"]):
            half = len(ids) // 2
            return self._letters(what, body, ids[:half]) + self._letters(what, body, ids[half:])
        self._check_line(what, line)
        return [line]

    def _push(self, lines):
        with self._lock:
            if self._closing.is_set():
                return
            self._append(lines)
        self._waker.wake()

    def _ask_relay(self, name, answer, control):
        def encode_lines():
            line = encode(control)
            self._check_line(answer.what, line)
            return [line]
        return self._ask(name, answer, encode_lines, self._questions.extend)

    def _ask(self, name, answer, encode_lines, queue):
        """Queues the lines of a question, or forgets it where there can be none."""
        try:
            lines = encode_lines()
        except BaseException:
            self._asks.drop(name)
            raise
        with self._lock:
            is_open = not self._closing.is_set()
            if is_open:
                answer.epoch = max(1, self._epoch)
                queue(lines)
        if not is_open:
            self._asks.refuse(name, "closed", "the session is closed")
        self._waker.wake()
        return answer

    def _wait_for(self, answer, timeout):
        """Waits for an answer; in the thread that drains it does what arrives meanwhile."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not answer.done():
            if threading.current_thread() is self._thread:
                raise RuntimeError("Cannot wait for an answer: on_error() is called by the thread that receives it")
            left_s = min(end, answer.deadline) - time.monotonic()
            if left_s <= 0:
                if time.monotonic() >= end:
                    return
                continue
            if threading.get_ident() != self._drainer:
                concurrent.futures.wait([answer], min(left_s, LOOK_S))
                continue
            raised = []
            self._pump(raised)
            urgent = [error for error in raised if not isinstance(error, Exception)]
            self._late += [error for error in raised if error not in urgent[:1]]
            if urgent:
                raise urgent[0]
            with self._lock:
                # What ends the waiting calls back, which must not happen here.
                is_done = concurrent.futures.Future.done(answer)
                if not self._inbox and not self._closing.is_set() and not is_done:
                    self._arrived.wait(min(left_s, LOOK_S))

    def _pump(self, raised):
        """Does all that has arrived, and puts what on_change() raises into `raised`."""
        with self._pumping:
            self._asks.expire()
            with self._lock:
                waiting, untold = len(self._inbox), self._untold
                self._untold = collections.Counter()
            for reason, count in untold.items():
                self._tell_change(raised, "lost", reason, count)
            for _ in range(waiting):  # and no more, if they come faster than they are drained
                with self._lock:
                    if not self._inbox:
                        break  # on_change() has drained
                    line, session, count = self._inbox.popleft()
                    self._inbox_bytes -= ENTRY_BYTES + len(line or b"")
                self._drained = session, count
                if line is not None:
                    self._follow(line, raised)
        self._waker.wake()

    def _follow(self, line, raised):
        """Does what a line says that has waited for drain()."""
        try:
            if not line.startswith(b'{"$'):
                tag, self._tag = self._tag, {}
                if self._from is not None and ("ask" in tag or "reply" in tag):
                    self._follow_tagged(line, tag, raised)
                else:
                    message = Message(decode(line), self._from, self._time)
                    message.from_host = self._from is not None and self._from.id == self.host
                    self._events.append(message)
                return
            name, body = read_control(line)
        except ValueError as error:  # of an event: a relay may be told not to check
            self.invalid += 1
            if line.startswith(b'{"$'):
                self._tell_unreadable(error)
            return
        if name == "$from":
            self._from, self._tag = self._find(body.get("id")), body
        elif name == "$time":
            self._time = body["time"]
        elif name == "$host":
            self._tell_host(body.get("id"), raised)
        elif name == "$answer" and "code" in body:
            self._asks.refuse(body["ask"], body["code"], body.get("message", ""))
        elif name == "$answer":
            self._asks.settle(body["ask"], body)
        elif name == "$lost":
            self._tag = {}  # what it was for may be among what was skipped
            self._has_gap = self._has_gap or "reason" not in body
            self._tell_change(raised, "lost", body.get("reason", "behind"), body["lines"])
        elif name == "$error":
            self._tell_change(raised, "error", body)
        else:
            self._follow_room(name, body, raised)

    def _follow_room(self, name, body, raised):
        if name == "$welcome":
            self._time, self._from, self._tag = body["time"], None, {}
            self._followed_epoch += 1  # there is one for each session, and none when it is resumed
            self._asks.fail_all("not_resumed", "the session could not go on, so it may have been done or not",
                                lambda answer: (answer.epoch or math.inf) < self._followed_epoch)
        for change in self._room.follow(name, body):
            if change[0] == "leave":
                self._asks.fail_peer(change[1].id)
            self._tell_change(raised, *change)
        if name == "$welcome" and body.get("host") != self.host:
            self._tell_host(body.get("host"), raised)

    def _find(self, peer_id):
        if peer_id is None or peer_id != self._room.own_id:
            return self._room.find(peer_id)
        with self._lock:
            own = [line for (_, room), line in self._own.items() if not room]
        sets = [decode(line)["$set"] for line in own]
        return Peer(peer_id, self._hello["name"], {each["key"]: each["value"] for each in sets})

    def _follow_tagged(self, line, tag, raised):
        """Takes a question, or the answer to one of ours. Raises ValueError for what Python can't read."""
        peer_id = self._from.id
        try:
            event = decode(line)
        except ValueError as error:
            if "ask" in tag:
                self._reply(failed(error), peer_id, tag["ask"])
            else:
                self._asks.fail(tag["reply"], "failed", "its answer can't be read: %s" % error, peer_id)
            raise
        if "ask" in tag:
            self._answer(event, tag["ask"], raised)
        elif tag.get("failed"):
            self._asks.fail(tag["reply"], "failed", event if isinstance(event, str) else show(event), peer_id)
        else:
            self._asks.settle(tag["reply"], event, peer_id)

    def _answer(self, event, ask, raised):
        """Answers a question, now or when on_request()'s Future has the answer."""
        peer = self._from
        try:
            answer = self.on_request(event, peer)
            if not isinstance(answer, concurrent.futures.Future):
                answer, value = concurrent.futures.Future(), answer
                answer.set_result(value)
        except BaseException as error:
            answer = failed(error)
            if not isinstance(error, Exception):
                raised.append(error)
        answer.add_done_callback(lambda done: self._reply(done, peer.id, ask))

    def _reply(self, done, peer_id, ask):
        """Sends an answer, or why there is none: what was raised, it is no JSON, or too long."""
        try:
            error = done.exception()
            if error is None:
                return self._push(self._letters("answer", {"reply": ask, "event": done.result()}, [peer_id]))
        except Exception as fault:  # and no KeyboardInterrupt, which is for the program
            error = fault
        why = describe_raised(error)
        for most in (MAX_REASON, SHORT_REASON):
            body = {"reply": ask, "failed": True, "event": why[:most]}
            try:
                return self._push(self._letters("answer", body, [peer_id]))
            except ValueError:
                pass  # a relay may take short lines only

    def _tell_host(self, host, raised):
        self.host = host
        self._tell_change(raised, "host", host)

    def _tell_change(self, raised, *change):
        try:
            self.on_change(*change)
        except BaseException as error:  # KeyboardInterrupt too: the picture is completed first
            if raised and isinstance(error, Exception):
                self._reporter.tell_traceback(sys.exc_info())
            raised.append(error)

def failed(error):
    future = concurrent.futures.Future()
    future.set_exception(error)
    return future


def describe_raised(error):
    """Says what on_request() raised, which may be anything: also what can't be made a text."""
    try:
        return str(error) or type(error).__name__
    except Exception:
        return "it raised what has no text"
