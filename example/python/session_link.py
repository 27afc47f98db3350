"""The connections of a session, one after the other, in a thread of its own: says hello, resumes, writes what waits,
and puts the lines that come where the program's calls find them. What most of them mean is not known here.
"""

import collections
import math
import random
import secrets
import selectors
import threading
import time

from relay_wire import (
    READ_BYTES, LineCutter, Outbox, Waker, check_function, check_seconds, describe, encode, is_json, open_connection,
    printable, receive, send_some, watch,
)
from session_parts import Clock, Refused, SentLines, read_answer, read_ask, read_control, read_limits

#: How long a relay may take to answer the hello, in seconds; one that has answered before, to which many may come
#: back at once; and how long close() may take to leave.
ANSWER_S, KNOWN_ANSWER_S, CLOSE_S = 3.0, 10.0, 1.0

#: The shortest and the longest wait before connecting again, in seconds, and the longest that a relay may ask for.
FIRST_RETRY_S, LAST_RETRY_S, MOST_RETRY_S = 0.25, 5.0, 60.0

#: How long a connection must last before its end is a new failure, which is told again, in seconds.
STEADY_S = 10.0

#: How often to ping while events flow, and otherwise, in seconds.
BUSY_PING_S, IDLE_PING_S = 1.0, 5.0

#: How much later than planned this thread has to go on to show that the whole program stood still, in seconds.
BLOCKED_S = 0.25

#: How much more time than this thread's must have passed on the clock on the wall to show that the machine was asleep,
#: and how long the relay may then be silent, in seconds: of its connection nothing may be left.
SLEPT_S, WOKEN_S = 5.0, 3.0

#: For how long the relay, of whatever version, says nothing to a connection of which it has heard nothing, in seconds:
#: a little less than the 250 ms of docs/PROTOCOL.md, for timers that are early.
HELD_S = 0.24

#: Sent lines that wait for confirmation, in bytes; beyond that further ones wait. And after how many of them a ping is
#: sent early, so that confirmation comes before that.
UNCONFIRMED_BYTES = 1024 * 1024
EARLY_PING_BYTES = UNCONFIRMED_BYTES / 4

#: What waits for drain(), in bytes, at most: more than a relay sends that keeps to its window. Then nothing is read.
#: Each line is counted with what it costs beside its bytes.
INBOX_BYTES, ENTRY_BYTES = 64 * 1024 * 1024, 200

#: The longest line that is taken from the relay: a $peers names everybody.
MAX_RECEIVED_BYTES = 16 * 1024 * 1024

#: The codes of a refusal after which asking again may help; of an error that says that a $set was not done.
PASSING_CODES = {"relay_full", "too_many_rooms"}
SET_CODES = {"bad_set", "too_many_keys", "value_too_long", "state_full"}


class SessionLink:
    """What a session's thread and its program share, and what the thread does; the program's side starts it, and makes
    _asks, its questions."""

    def __init__(self, address, hello, on_error, reporter, ping_timeout_s, answer_s):
        self._address, self._hello = address, hello
        #: The room that we are in, or want to be in.
        self.room = hello["room"]
        #: "connecting", "connected", "reconnecting" or "closed"; why there is no connection; our id.
        self.status, self.error, self.id = "connecting", None, None
        #: The relay's clock; clock.rtt is the last round trip in ms.
        self.clock = Clock()
        #: Events of ours that were dropped: too many waited for being sent, or close() had to give up. Lines that could
        #: not be read.
        self.dropped = self.invalid = 0

        self._on_error, self._reporter = check_function("on_error", on_error), reporter
        self._ping_timeout_s = math.inf if ping_timeout_s is None else check_seconds("ping_timeout_s", ping_timeout_s)
        self._answer_s = None if answer_s is None else check_seconds("answer_s", answer_s)
        self._limits, self._relay, self._secret = read_limits({}), None, None  # of the session that goes on
        self._can_resume = False
        self._more = 0  # lines of its welcome that have not come yet
        #: Held for what several threads change; and what is told when lines have arrived. A condition itself is not
        #: held: the KeyboardInterrupt of a Ctrl-C in the wrong moment would leave it locked for ever.
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._epoch = 0  # how many sessions have begun
        # From the relay: lines to drain, each with its session and the count at its end; what came, was drained, acked.
        self._inbox, self._inbox_bytes = collections.deque(), 0
        self._received, self._drained, self._acked = 0, (None, 0), 0
        self._has_gap = False  # until what tells it is acknowledged the relay can't skip again: so at once
        # To the relay: events that wait; changed keys, and all that the member itself has set; what was sent.
        self._outbox, self._sets, self._own = Outbox(), {}, {}
        self._questions = []  # control lines that wait: claims and the like
        self._untold = collections.Counter()  # by reason: dropped events that drain() has not told yet
        self._sent = SentLines()
        self._began, self._pinged, self._is_busy, self._retry_s = 0.0, 0.0, True, None
        self._unpinged = 0  # bytes sent since the last ping
        self._connected_at = math.inf
        self._closing, self._close_at, self._said_bye, self._has_left = threading.Event(), None, False, False
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)

    def _append(self, lines):
        dropped = sum(map(self._outbox.push, lines))
        if dropped:
            self._note_dropped("outbox", dropped)

    def _note_dropped(self, reason, count):
        self.dropped += count
        self._untold[reason] += count

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
                left = len(self._outbox.take()) + (0 if self._has_left else self._sent.restart())
                if left:
                    self._note_dropped("closed", left)
                self._arrived.notify_all()
            self._asks.fail_all("closed", "the session is closed")
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
            with self._lock:
                self._outbox.end()
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
        hello = dict(self._hello, nonce=nonce, room=self.room)
        if self._secret and "any" in hello:  # the one that we were in is preferred
            hello["base"] = self._hello["room"]
        if self._secret and self._can_resume and self._more == 0:
            hello["resume"] = {"session": self._secret, "bytes": self._received}
        self._began = monotonic_ms()
        answer_s = self._answer_s or (KNOWN_ANSWER_S if self._secret else ANSWER_S)
        connection.settimeout(answer_s)
        connection.sendall(encode({"$hello": hello}))
        connection.setblocking(False)
        cutter, is_first, was_late = LineCutter(MAX_RECEIVED_BYTES), True, False
        deadline = time.monotonic() + answer_s
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._waker.read_end, selectors.EVENT_READ)
            while time.monotonic() < min(deadline, self._close_at or deadline):
                for key, _ in selector.select(min(deadline, self._close_at or deadline) - time.monotonic()):
                    if key.fileobj is self._waker.read_end:
                        self._waker.clear()
                        continue
                    chunk = receive(connection)
                    if chunk == b"":
                        raise ConnectionError("Cannot connect to %s:%d: it closed the connection without an answer, if "
                                              "it serves TLS, this client does not speak that" % (*self._address,))
                    lines = cutter.cut(chunk)
                    is_held = time.monotonic() - connect_began < HELD_S
                    for at, line in enumerate(lines):
                        if line.startswith((b'{"$welcome":', b'{"$error":')):
                            body = read_answer(line, nonce, is_first and is_held)
                            if body is not None:
                                self._enter(line, body, "resume" in hello)
                                return cutter, lines[at + 1:]
                            was_late = True
                        elif is_first and is_held and not is_json(line):
                            said = printable(line.decode(errors="replace").strip(), 40)
                            raise ConnectionError('Cannot connect to %s:%d: it says "%s", which no relay does, is the '
                                                  "port right" % (*self._address, said))
                        is_first = False
        if was_late:
            raise ConnectionError("what looked like the answer to our hello may be another client's, it came late "
                                  "and without what we had sent")
        if self._secret:
            raise ConnectionError("the relay takes connections but does not answer")
        raise ConnectionError("no answer to our hello in %g s, this looks like an older relay without sessions, "
                              "use Relay of relay_client.py" % answer_s)

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
            with self._lock:
                self._begin_epoch(body.get("relay"))
                self._sets = {**self._own, **self._sets}  # the room's keys are left as they are
            self._secret, self._more, self.id, self._can_resume = body["session"], body["more"], body["id"], True
            self._received = self._acked = 0
            self._put(line, self._secret, 0)
        self.room = body.get("room", self.room)
        if self._relay != body.get("relay"):
            self._relay = body.get("relay")
            self.clock.reset()
            if "relayVersion" not in body:  # since 0.2
                self._reporter.tell("version", "the relay is older than this client: it knows no hosts, no echo, no "
                                    "max_members, and no send() to some; request(), claim() and rooms() get no answer")
        self.clock.add(self._began, monotonic_ms(), body["time"])
        self._limits = limits
        self._connected_at, self.error = time.monotonic(), None
        if not self._closing.is_set():
            self.status = "connected"

    def _begin_epoch(self, relay):
        """Notes that another session begins: questions of the one before are over, but those that were not asked. On
        another relay all ids are others'."""
        self._epoch += 1
        if self._epoch == 1:
            return
        if relay != self._relay:
            dropped = self._outbox.drop(lambda line: line.startswith(b'{"$to"'))
            if dropped:
                self._note_dropped("outbox", dropped)
        self._questions[:] = [line for line in self._questions if not line.startswith(b'{"$host"')]
        for line in (*self._questions, *self._outbox):
            self._asks.postpone(read_ask(line), self._epoch)

    def _talk(self, connection, cutter, lines):
        """Writes and reads until the connection ends. First goes what the relay has not counted of earlier ones.

        It is dead if no byte has come for the relay's pingTimeoutMs, although we asked; time in which we did not look
        (the program stood still, or the inbox is full) does not count. After a sleep of the machine we ask at once, and
        give it WOKEN_S.
        """
        timeout_s = min(self._ping_timeout_s, self._limits["pingTimeoutMs"] / 1000)
        out = self._sent.begin_connection()
        with self._lock:
            self._outbox.begin()
        self._take(lines)
        silent_s, looked_at, wall_at = 0.0, time.monotonic(), time.time()
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
                passed_s, wall_s = time.monotonic() - looked_at, time.time() - wall_at
                looked_at, wall_at = looked_at + passed_s, wall_at + wall_s
                silent_s += min(passed_s, wait_s + BLOCKED_S) if is_reading else 0
                if wall_s - passed_s > SLEPT_S:
                    self._pinged, silent_s = 0.0, max(silent_s, timeout_s - WOKEN_S)
                for key, events in ready:
                    if key.fileobj is self._waker.read_end:
                        self._waker.clear()
                        continue
                    if events & selectors.EVENT_WRITE:
                        written = send_some(connection, out) or 0
                        out = out[written:]
                        if written:
                            with self._lock:
                                self._outbox.note_taken()
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
        lines, events, now = [], [], time.monotonic()
        is_ping_due = now >= self._ping_at(timeout_s)
        session, drained = self._drained
        step = 1 if is_ping_due or self._has_gap else max(1, self._limits["windowBytes"] * 3 / 4)
        if session == self._secret and drained - self._acked >= step:
            self._acked, self._has_gap = drained, False
            lines.append(encode({"$ack": {"bytes": drained}}))
        with self._lock:
            if self._closing.is_set() or self._sent.bytes < UNCONFIRMED_BYTES:
                # A key that was removed before it was claimed is free by then.
                lines += [*self._sets.values(), *(line for line in self._questions if self._is_wanted(line))]
                self._questions.clear()
                self._sets = {}
                events = self._outbox.take(READ_BYTES)
                lines += events
            is_left = self._outbox or self._sets or self._questions
            is_bye_due = self._closing.is_set() and not is_left and not self._said_bye
        self._is_busy = self._is_busy or len(events) > 0
        self._unpinged += sum(map(len, lines))
        if is_ping_due or self._unpinged > EARLY_PING_BYTES:
            self._pinged, self._unpinged, self._is_busy = now, 0, False
            lines.append(encode({"$ping": {"t": monotonic_ms()}}))
        if is_bye_due:
            self._said_bye = True
            lines.append(encode({"$bye": {}}))
        self._sent.add(lines)
        return b"".join(lines)

    def _is_wanted(self, line):
        name = read_ask(line)
        return name is None or self._asks.is_open(name)

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
                self._arrived.notify_all()

    def _ping_at(self, timeout_s):
        return self._pinged + min(BUSY_PING_S if self._is_busy else IDLE_PING_S, timeout_s / 3)


def monotonic_ms():
    return time.monotonic() * 1000
