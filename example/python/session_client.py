"""A session client for eventrelay in plain Python: no packages, Python 3.6 or newer, this folder.

    with Session("ifilab100/pong", name="ada") as session:
        session.set("ball", {"pos": [3, 4]})
        session.send({"say": "hi"})
        for event in session.drain():
            if isinstance(event, dict):  # everybody may send, and any JSON value: null, numbers, lists
                print(event, session.peers, session.now())

It is written from docs/PROTOCOL.md alone. Not in it: dropping what is old by its $time, requests, claims, lists of
rooms, echo, and TLS. One thread does the network's work. Received lines wait until drain() looks at them, and are
acknowledged only then: so a program that stands still is sent no more than the relay's window, and what is new when it
goes on.
"""

import collections
import math
import random
import secrets
import selectors
import sys
import threading
import time

from relay_wire import DEFAULT_PORT  # noqa: F401, programs take it from here
from relay_wire import (
    LOBBY, READ_BYTES, LineCutter, Reporter, Waker, check_function, check_name, check_seconds, decode, describe, encode,
    encode_event, open_connection, printable, read_target, receive, send_some, show, watch,
)
from session_parts import Clock, Refused, Room, SentLines, check_key, read_answer, read_control, read_limits

#: How long the relay may take to answer the hello, and close() to leave, in seconds.
ANSWER_S, CLOSE_S = 3.0, 1.0

#: The shortest and the longest wait before connecting again, in seconds, and the longest that a relay may ask for.
FIRST_RETRY_S, LAST_RETRY_S, MOST_RETRY_S = 0.25, 5.0, 60.0

#: How long a connection must last before its end is a new failure, which is told again, in seconds.
STEADY_S = 10.0

#: How often to ping while events flow, and otherwise, in seconds.
BUSY_PING_S, IDLE_PING_S = 1.0, 5.0

#: How much later than planned this thread has to go on to show that the whole program stood still, in seconds.
BLOCKED_S = 0.25

#: For how long the relay, of whatever version, says nothing to a connection of which it has heard nothing, in seconds:
#: a little less than the 250 ms of docs/PROTOCOL.md, for timers that are early.
HELD_S = 0.24

#: Events that wait for being sent (the oldest goes first), and sent lines that wait for confirmation, in bytes.
OUTBOX_BYTES, UNCONFIRMED_BYTES = 256 * 1024, 1024 * 1024

#: What waits for drain(), in bytes, at most: more than a relay sends that keeps to its window. Then nothing is read.
#: Each line is counted with what it costs beside its bytes.
INBOX_BYTES, ENTRY_BYTES = 64 * 1024 * 1024, 200

#: The longest line that is taken from the relay: a $peers names everybody.
MAX_RECEIVED_BYTES = 16 * 1024 * 1024

#: The codes of a refusal after which asking again may help; of an error that says that a $set was not done.
PASSING_CODES = {"relay_full", "too_many_rooms"}
SET_CODES = {"bad_set", "too_many_keys", "value_too_long", "state_full"}


class Session:
    """A session that outlives its connections. Connects in the background: the constructor returns at once.

    `host` is "host", "host:port" or "[address]:port", perhaps with "/room" behind it; `port` (32100) and `room`
    ("lobby") are for who would rather name them apart. Raises TypeError for what is of a wrong type, ValueError for
    what can't be a host, a port, a room or a name.

    `on_error(error)` is told, in the session's own thread, each time that a connection can't be made or ends (Refused:
    for good, if the status is "closed"). Without it the first failure of a row is printed to stderr; nothing with
    `quiet`.

    `ping_timeout_s`: after how many seconds of silence a connection is dead; the relay's own limit (15) if that is
    less, or none is named. `answer_s`: how many seconds the relay may take to answer the hello; 3. `can_host`: whether
    we may become the host of the room; then `host` may be our own id.

    send(), set() and unset() may be called from any thread; drain() and now() from one. drain() is also what changes
    `peers` and `state` and calls on_change(), in the order of the wire.
    """

    def __init__(self, host="localhost", port=None, room=None, name="", token="", on_error=None, quiet=False,
                 ping_timeout_s=None, answer_s=ANSWER_S, can_host=False):
        *self._address, named_room = read_target(host, port)
        if room is not None and named_room is not None and room != named_room:
            raise ValueError("Cannot connect to %s, room %s: name the room once" % (show(host), show(room)))
        room = named_room or (LOBBY if room is None else check_name("room", room, 1))
        if not isinstance(token, str):
            raise TypeError("Cannot connect: token is of type %s, a str is allowed" % type(token).__name__)
        self.room = room
        #: "connecting", "connected", "reconnecting" or "closed"; why there is no connection; our id.
        self.status, self.error, self.id = "connecting", None, None
        #: The relay's clock; clock.rtt is the last round trip in ms.
        self.clock = Clock()
        #: The other sessions by id, and the room's own keys, as of the last drain().
        self._room = Room()
        self.peers, self.state = self._room.peers, self._room.state
        #: The id of who leads the room, as of the last drain(): another member's, ours only with can_host; or None.
        self.host = None
        self._from, self._time, self._tag = None, 0, {}
        #: Events of ours that were dropped: too many waited for being sent, or close() had to give up. Lines that could
        #: not be read.
        self.dropped = self.invalid = 0

        self._hello = {"version": 1, "room": room, "name": check_name("name", name, 0), "token": token}
        if can_host:
            self._hello["canHost"] = True
        self._on_error, self._reporter = check_function("on_error", on_error), Reporter(quiet)
        self._ping_timeout_s = math.inf if ping_timeout_s is None else check_seconds("ping_timeout_s", ping_timeout_s)
        self._answer_s = check_seconds("answer_s", answer_s)
        self._limits, self._relay, self._secret = read_limits({}), None, None  # of the session that goes on
        self._can_resume = False
        self._more = 0  # lines of its welcome that have not come yet
        self._lock = threading.Lock()
        # From the relay: lines to drain, each with its session and the count at its end; what came, was drained, acked.
        self._inbox, self._inbox_bytes, self._events = collections.deque(), 0, []
        self._received, self._drained, self._acked = 0, (None, 0), 0
        # To the relay: events that wait; changed keys, and all that the member itself has set; what was sent.
        self._outbox, self._outbox_bytes, self._sets, self._own = collections.deque(), 0, {}, {}
        self._untold = collections.Counter()  # by reason: dropped events that drain() has not told yet
        self._sent = SentLines()
        self._began, self._pinged, self._is_busy, self._retry_s = 0.0, 0.0, True, None
        self._connected_at = math.inf
        self._closing, self._close_at, self._said_bye, self._has_left = threading.Event(), None, False, False
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._thread.start()

    def on_change(self, kind, *details):
        """Is told what is no event; override it. Called by drain(), when `peers` and `state` show the change already.

        ("join", peer), also for who is there at the beginning; ("leave", peer, reason); ("set", peer, key, value) and
        ("unset", peer, key), with None for the room itself; ("host", id), with None if nobody leads; ("error", error), a dict with code and message;
        ("lost", "behind", n): so many events of others were skipped, we were slow; ("lost", "unconfirmed", n): a new
        session had to begin, so many events of ours (and changes of the room's keys) may have arrived or not, and all
        who were there leave and join; ("lost", "outbox", n): so many events of ours were dropped, too many waited for
        being sent; ("lost", "closed", n): they had not been sent when close() gave up.

        If it is not overridden, errors and losses are printed to stderr. What it raises, drain() raises.
        """
        if kind == "error":
            self._reporter.tell("error", "the relay says: %s" % printable(details[0]["message"]))
        elif kind == "lost" and details[1] > 0:
            self._reporter.tell("lost", "lost %d events, reason: %s" % (details[1], details[0]))

    def send(self, event, to=None):
        """Queues an event for everybody else, or for one member alone (`to`, a Peer or an id); never waits. After close()
        it does nothing. If nobody has that id, on_change() is told ("error", code "no_such_peer").

        Raises TypeError for what JSON lacks, ValueError for NaN and Infinity (send None), for what is nested too deeply
        and for a line longer than the relay takes.
        """
        if to is None:
            line = encode_event(event)
        else:
            line = encode({"$to": {"ids": [getattr(to, "id", to)], "event": event}})
        if len(line) - 1 > self._limits["maxLineBytes"]:
            raise ValueError("Cannot send event: it has %d bytes, at most %d are allowed"
                             % (len(line) - 1, self._limits["maxLineBytes"]))
        with self._lock:
            if self._closing.is_set():
                return
            self._outbox.append(line)
            self._outbox_bytes += len(line)
            while self._outbox_bytes > OUTBOX_BYTES and len(self._outbox) > 1:
                self._outbox_bytes -= len(self._outbox.popleft())
                self._note_dropped("outbox", 1)
        self._waker.wake()

    def set(self, key, value, room=False):
        """Sets a key of ours, or of the room; of a value that has not gone out yet only the newest does.

        Raises TypeError for a key that is no str and for what JSON lacks, ValueError for a key that is empty or has
        more than 128 characters, for NaN and Infinity, and for more bytes or more keys than the relay takes.
        """
        check_key("set", key)
        size = len(encode(value)) - 1
        if size > self._limits["maxValueBytes"]:
            raise ValueError("Cannot set %s: its value has %d bytes, at most %d are allowed"
                             % (show(key), size, self._limits["maxValueBytes"]))
        self._change(key, room, encode({"$set": {"key": key, "value": value, "room": bool(room)}}))

    def unset(self, key, room=False):
        """Removes a key of ours, or of the room. Raises as set() does for a key."""
        check_key("unset", key)
        self._change(key, room, encode({"$set": {"key": key, "room": bool(room)}}), is_set=False)

    def drain(self):
        """Returns the events that arrived since the last call, oldest first, and acknowledges them; never waits.

        messages() gives them with who sent them, and when.

        They are what others have sent, any JSON value at all: look before you use one. If on_change() raises, drain()
        does all its work, on_change() is told of everything else too, and then the first exception is raised (further
        ones are printed to stderr); the events are returned by the next call.
        """
        return [event for event, _, _ in self.messages()]

    def messages(self):
        """Does what drain() does, and returns for each event a tuple: the event, the Peer who sent it (None for a plain
        client; one without a name if nothing is known of it), and when the relay had it, in ms by its clock, up to
        100 ms less. The relay says who it was: nobody can speak in another's name.
        """
        raised = []
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
            if line is not None:
                self._follow(line, raised)
            self._drained = session, count
        self._waker.wake()
        if raised:
            raise raised[0]
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
            self._sets[key, room] = line
        self._waker.wake()

    def _note_dropped(self, reason, count):
        self.dropped += count
        self._untold[reason] += count

    def _follow(self, line, raised):
        """Does what a line says that has waited for drain()."""
        try:
            if not line.startswith(b'{"$'):
                event, tag, self._tag = decode(line), self._tag, {}
                if "ask" in tag:
                    self._refuse_request(tag["id"], tag["ask"])
                elif "reply" not in tag:
                    self._events.append((event, self._from, self._time))
                return
            name, body = read_control(line)
        except ValueError as error:  # of an event: a relay may be told not to check
            self.invalid += 1
            if line.startswith(b'{"$'):
                self._tell_unreadable(error)
            return
        if name == "$from":
            self._from, self._tag = self._room.find(body.get("id")), body
            return
        if name == "$time":
            self._time = body["time"]
            return
        if name == "$host":
            self._tell_host(body.get("id"), raised)
            return
        if name == "$welcome":
            self._time = body["time"]
        if name == "$lost":
            self._tell_change(raised, "lost", body.get("reason", "behind"), body["lines"])
        elif name == "$error":
            self._tell_change(raised, "error", body)
        else:
            for change in self._room.follow(name, body):
                self._tell_change(raised, *change)
            if name == "$welcome" and not body["resumed"] and body.get("host") != self.host:
                self._tell_host(body.get("host"), raised)

    def _tell_host(self, host, raised):
        self.host = host
        self._tell_change(raised, "host", host)

    def _refuse_request(self, asker, ask):
        reply = {"ids": [asker], "reply": ask, "failed": True, "event": "it answers no requests"}
        with self._lock:
            if not self._closing.is_set():
                line = encode({"$to": reply})
                self._outbox.append(line)
                self._outbox_bytes += len(line)
        self._waker.wake()

    def _tell_change(self, raised, *change):
        try:
            self.on_change(*change)
        except BaseException as error:  # KeyboardInterrupt too: the picture is completed first
            if raised:
                self._reporter.tell_traceback(sys.exc_info())
            raised.append(error)

    def _tell_unreadable(self, error):
        self._reporter.tell("unreadable", "ignored a control line: %s" % printable(str(error)))

    # All below runs in the session's own thread.

    def _run(self):
        try:
            self._stay_connected()
        finally:
            self.status = "closed"
            with self._lock:
                self._closing.set()
                left = len(self._outbox) + (0 if self._has_left else self._sent.restart())
                self._outbox.clear()
                if left:
                    self._note_dropped("closed", left)
            self._waker.close()

    def _stay_connected(self):
        wait, is_told, is_first = FIRST_RETRY_S, False, True  # what was sent before an early close() still goes out
        while is_first or not self._closing.is_set():
            is_first, self._connected_at, received = False, math.inf, self._received
            try:
                connection, began = open_connection(*self._address)
                with connection:
                    self._talk(connection, *self._greet(connection, began))
            except Refused as refusal:
                self.error = refusal
                if refusal.code not in PASSING_CODES:
                    self._tell_failure(False, "refused: ")
                    break  # asking again doesn't help
            except Exception as error:  # whatever it is, the thread goes on and tells it
                self.error = error
                if not isinstance(error, OSError):
                    self._can_resume = False  # of what was in work nobody knows how far it came
            if self._closing.is_set():
                break
            self.status = "reconnecting" if self._secret else "connecting"
            if self._received != received and self._connected_at < math.inf:
                wait = FIRST_RETRY_S
            if time.monotonic() - self._connected_at > STEADY_S:
                is_told = False
            self._tell_failure(is_told, "", " (trying again)")
            is_told = True
            self._closing.wait(wait * random.uniform(0.5, 1) if self._retry_s is None else self._retry_s)
            self._retry_s, wait = None, min(2 * wait, LAST_RETRY_S)

    def _tell_failure(self, is_told, before="", behind=""):
        if self._on_error is not None:
            self._reporter.call(self._on_error, self.error)
        elif not is_told:
            self._reporter.tell("failure", before + describe(self.error) + behind)

    def _greet(self, connection, connect_began):
        """Says hello, and waits for the answer; returns what cuts the stream, and the lines behind the welcome."""
        nonce = secrets.token_urlsafe(16)
        hello = dict(self._hello, nonce=nonce)
        if self._secret and self._can_resume and self._more == 0:
            hello["resume"] = {"session": self._secret, "bytes": self._received}
        self._began = monotonic_ms()
        connection.settimeout(self._answer_s)
        connection.sendall(encode({"$hello": hello}))
        connection.setblocking(False)
        cutter, is_first, was_late = LineCutter(MAX_RECEIVED_BYTES), True, False
        deadline = time.monotonic() + self._answer_s
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._waker.read_end, selectors.EVENT_READ)
            while time.monotonic() < min(deadline, self._close_at or deadline):
                for key, _ in selector.select(min(deadline, self._close_at or deadline) - time.monotonic()):
                    if key.fileobj is self._waker.read_end:
                        self._waker.clear()
                        continue
                    lines = cutter.cut(receive(connection))
                    is_held = time.monotonic() - connect_began < HELD_S
                    for at, line in enumerate(lines):
                        if line.startswith((b'{"$welcome":', b'{"$error":')):
                            body = read_answer(line, nonce, is_first and is_held)
                            if body is not None:
                                self._enter(line, body, "resume" in hello)
                                return cutter, lines[at + 1:]
                            was_late = True
                        is_first = False
        if was_late:
            raise ConnectionError("what looked like the answer to our hello may be another client's, it came late "
                                  "and without what we had sent")
        if self._secret:
            raise ConnectionError("the relay takes connections but does not answer")
        raise ConnectionError("no answer to our hello in %g s, this looks like an older relay without sessions, "
                              "use Relay of relay_client.py" % self._answer_s)

    def _enter(self, line, body, has_asked):
        """Begins or goes on with the session that a $welcome speaks of."""
        limits = read_limits(body["limits"])
        if body["resumed"]:
            if not has_asked or not self._sent.confirm(body["bytes"]):
                raise ValueError("the relay resumes what can't be resumed")
            self._more = body["more"]
        else:
            unsure = self._sent.restart()
            if self._secret:
                self._put(encode({"$lost": {"lines": unsure, "reason": "unconfirmed"}}), None, 0)
            self._secret, self._more, self.id, self._can_resume = body["session"], body["more"], body["id"], True
            self._received = self._acked = 0
            self._put(line, self._secret, 0)
            with self._lock:
                self._sets = {**self._own, **self._sets}  # the room's keys are left as they are
        if self._relay != body.get("relay"):
            self._relay = body.get("relay")
            self.clock.reset()
        self.clock.add(self._began, monotonic_ms(), body["time"])
        self._limits = limits
        self._connected_at, self.error = time.monotonic(), None
        if not self._closing.is_set():
            self.status = "connected"

    def _talk(self, connection, cutter, lines):
        """Writes and reads until the connection ends. First goes what the relay has not counted of earlier ones.

        It is dead if no byte has come for the relay's pingTimeoutMs, although we asked; time in which we did not look
        (the program stood still, or the inbox is full) does not count.
        """
        timeout_s = min(self._ping_timeout_s, self._limits["pingTimeoutMs"] / 1000)
        out = self._sent.begin_connection()
        self._take(lines)
        silent_s, looked_at = 0.0, time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.read_end, selectors.EVENT_READ)
            interest = 0
            while not self._closing.is_set() or time.monotonic() < self._close_at:
                out = out or self._next_lines(timeout_s)
                is_reading = self._inbox_bytes < INBOX_BYTES
                wanted = (selectors.EVENT_READ if is_reading else 0) | (selectors.EVENT_WRITE if out else 0)
                interest = watch(selector, connection, interest, wanted)
                # With lines to write, a ping waits behind them.
                next_s = timeout_s if out else self._ping_at(timeout_s) - time.monotonic()
                wait_s = max(0, min(next_s, timeout_s - silent_s, 0.1 if self._closing.is_set() else math.inf))
                ready = selector.select(wait_s)
                passed_s = time.monotonic() - looked_at
                looked_at += passed_s
                silent_s += min(passed_s, wait_s + BLOCKED_S) if is_reading else 0
                for key, events in ready:
                    if key.fileobj is self._waker.read_end:
                        self._waker.clear()
                        continue
                    if events & selectors.EVENT_WRITE:
                        out = out[send_some(connection, out) or 0:]
                    if events & selectors.EVENT_READ:
                        chunk = receive(connection)
                        if chunk == b"" and self._said_bye:
                            self._has_left = True
                            return
                        if chunk == b"" and self._retry_s is not None:
                            raise ConnectionError("the relay was stopped")
                        silent_s = 0.0 if chunk else silent_s
                        self._take(cutter.cut(chunk))
                if silent_s >= timeout_s:
                    raise ConnectionError("the relay has been silent for %g s" % timeout_s)

    def _next_lines(self, timeout_s):
        """Returns the next lines to write, and keeps them until the relay has confirmed them."""
        lines, size, now = [], 0, time.monotonic()
        is_ping_due = now >= self._ping_at(timeout_s)
        session, drained = self._drained
        step = 1 if is_ping_due else max(1, self._limits["windowBytes"] * 3 / 4)
        if session == self._secret and drained - self._acked >= step:
            self._acked = drained
            lines.append(encode({"$ack": {"bytes": drained}}))
        with self._lock:
            if self._sent.bytes < UNCONFIRMED_BYTES:
                lines.extend(self._sets.values())
                self._sets = {}
                while self._outbox and size < READ_BYTES:
                    lines.append(self._outbox.popleft())
                    size += len(lines[-1])
                self._outbox_bytes -= size
            is_bye_due = self._closing.is_set() and not self._outbox and not self._sets and not self._said_bye
        self._is_busy = self._is_busy or size > 0
        if is_ping_due:
            self._pinged, self._is_busy = now, False
            lines.append(encode({"$ping": {"t": monotonic_ms()}}))
        if is_bye_due:
            self._said_bye = True
            lines.append(encode({"$bye": {}}))
        self._sent.add(lines)
        return b"".join(lines)

    def _take(self, lines):
        """Counts lines and puts them into the inbox."""
        for line in lines:
            self._received += len(line) + 1
            self._more = max(0, self._more - 1)
            self._is_busy = self._is_busy or not line.startswith(b'{"$')
            if line.startswith((b'{"$pong":', b'{"$bye":', b'{"$time":', b'{"$error":')):
                try:
                    waits = self._obey(*read_control(line))
                except ValueError as error:
                    self.invalid += 1
                    self._tell_unreadable(error)
                    waits = False
            else:
                waits = bool(line.strip())
            self._put(line if waits else None, self._secret, self._received)

    def _obey(self, name, body):
        """Does what a control line says that is for this thread; returns whether the program hears of it, too."""
        if name == "$pong":  # is taken here: it measures the network, not the program
            self._sent.confirm(body["bytes"])
            if body["t"] >= self._began:  # and not one from before a break
                self.clock.add(body["t"], monotonic_ms(), body["time"])
        elif name == "$bye":
            self._retry_s = min(max(body.get("retryMs", 0) / 1000, FIRST_RETRY_S), MOST_RETRY_S)
        elif name == "$error" and body["code"] in SET_CODES and "line" in body:
            refused = self._sent.line(body["line"])
            with self._lock:  # what the relay doesn't take is not set again in the next session
                self._own = {key: line for key, line in self._own.items() if line != refused}
        return name == "$error"

    def _put(self, line, session, count):
        with self._lock:
            if line is None and self._inbox and self._inbox[-1][0] is None:
                self._inbox[-1] = None, session, count
            else:
                self._inbox.append((line, session, count))
                self._inbox_bytes += ENTRY_BYTES + len(line or b"")

    def _ping_at(self, timeout_s):
        return self._pinged + min(BUSY_PING_S if self._is_busy else IDLE_PING_S, timeout_s / 3)


def monotonic_ms():
    return time.monotonic() * 1000
