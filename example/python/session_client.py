"""A session client for eventrelay in plain Python: no packages, Python 3.6 or newer.

    with Session("ifilab100", room="pong", name="ada") as session:
        session.set("ball", {"pos": [3, 4]})
        session.send({"say": "hi"})
        for event in session.drain():
            print(event, session.peers, session.now())

It is written from docs/PROTOCOL.md alone. Not in it: dropping what is old by its $time, and TLS. One thread does the
network's work. Received lines wait until drain() looks at them, and are acknowledged only then: so a program that
stands still is sent no more than the relay's window, and what is new when it goes on.
"""

import collections
import json
import random
import select
import socket
import threading
import time

from session_parts import Clock, Room, SentLines

DEFAULT_PORT = 32100
READ_BYTES = 64 * 1024

#: How long the relay may take to answer the hello, and close() to leave, in seconds.
ANSWER_S, CLOSE_S = 3.0, 1.0

#: The shortest and the longest wait before connecting again, in seconds.
FIRST_RETRY_S, LAST_RETRY_S = 0.25, 5.0

#: How often to ping while events flow, and otherwise, in seconds.
BUSY_PING_S, IDLE_PING_S = 1.0, 5.0

#: Events that wait for being sent (the oldest goes first), and sent lines that wait for confirmation, in bytes.
OUTBOX_BYTES, UNCONFIRMED_BYTES = 256 * 1024, 1024 * 1024



class Refused(Exception):
    """The relay does not let us in; its message, and the code that says why."""


class Session:
    """A session that outlives its connections. Connects in the background: the constructor returns at once.

    send(), set() and unset() may be called from any thread; drain() and now() from one. drain() is also what changes
    `peers` and `state` and calls on_change(), in the order of the wire.
    """

    def __init__(self, host="localhost", port=DEFAULT_PORT, room="lobby", name="", token=""):
        self.host, self.port, self.room = host, port, room
        #: "connecting", "connected", "reconnecting" or "closed"; why there is no connection; our id.
        self.status, self.error, self.id = "connecting", None, None
        #: The relay's clock; clock.rtt is the last round trip in ms.
        self.clock = Clock()
        #: The other sessions by id, and the room's own keys, as of the last drain().
        self._room = Room(lambda *change: self.on_change(*change))
        self.peers, self.state = self._room.peers, self._room.state
        #: Events that were dropped because too many waited for being sent; lines that were no JSON.
        self.dropped = self.invalid = 0

        self._hello = {"version": 1, "room": room, "name": name, "token": token}
        self._limits, self._secret = {}, None  # of the session that goes on
        self._more = 0  # lines of its welcome that have not come yet
        self._lock = threading.Lock()
        # From the relay: lines to drain, each with its session and the count at its end; what came, was drained, acked.
        self._inbox = collections.deque()
        self._received, self._drained, self._acked = 0, (None, 0), 0
        # To the relay: events that wait; changed keys, and all that the member itself has set; what was sent.
        self._outbox, self._outbox_bytes, self._sets, self._own = collections.deque(), 0, {}, {}
        self._sent = SentLines()
        self._began, self._pinged, self._is_busy, self._retry_s = 0.0, 0.0, True, None
        self._closing, self._close_at, self._said_bye = threading.Event(), None, False
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._thread.start()

    def on_change(self, kind, *details):
        """Is told what is no event; override it.

        ("join", peer), also for who is there at the beginning; ("leave", peer, reason); ("set", peer, key, value) and
        ("unset", peer, key), with None for the room itself; ("error", error), a dict with code and message;
        ("lost", "behind", n): so many events of others were skipped, we were slow; ("lost", "unconfirmed", n): a new
        session had to begin, so many events of ours may have arrived or not, and all who were there leave and join.
        """

    def send(self, event):
        """Queues an event for everybody else. Raises ValueError for NaN and Infinity, TypeError for what JSON lacks."""
        line = encode(event)
        line = b" " + line if line.startswith(b'{"$') else line  # else it would be a control line
        with self._lock:
            self._outbox.append(line)
            self._outbox_bytes += len(line)
            while self._outbox_bytes > OUTBOX_BYTES and len(self._outbox) > 1:
                self._outbox_bytes -= len(self._outbox.popleft())
                self.dropped += 1
        self._wake()

    def set(self, key, value, room=False):
        """Sets a key of ours, or of the room; of a value that has not gone out yet only the newest does."""
        self._change(key, room, encode({"$set": {"key": key, "value": value, "room": room}}))

    def unset(self, key, room=False):
        """Removes a key of ours, or of the room."""
        self._change(key, room, encode({"$set": {"key": key, "room": room}}), is_set=False)

    def drain(self):
        """Returns the events that arrived since the last call, oldest first, and acknowledges them; never waits."""
        events = []
        while self._inbox:
            line, session, count = self._inbox.popleft()
            if line.startswith(b'{"$'):
                (name, body), = json.loads(line.decode()).items()
                if name == "$lost":
                    self.on_change("lost", body.get("reason", "behind"), body["lines"])
                elif name == "$error":
                    self.on_change("error", body)
                else:
                    self._room.follow(name, body)
            else:
                try:
                    events.append(json.loads(line.decode()))
                except (ValueError, RecursionError):  # a relay may be told not to check
                    self.invalid += 1
            self._drained = session, count
        self._wake()
        return events

    def now(self):
        """Tells the relay's clock, in ms since 1970, wrong by half a round trip at most; None before it is known."""
        return self.clock.now(monotonic_ms())

    def close(self):
        """Sends what waits, leaves for good, and ends the connection; takes about CLOSE_S at most."""
        self._close_at = time.monotonic() + CLOSE_S
        self._closing.set()
        self._wake()
        self._thread.join(CLOSE_S + ANSWER_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _change(self, key, room, line, is_set=True):
        with self._lock:
            self._sets[key, room] = line
            if is_set and not room:
                self._own[key, room] = line
            else:
                self._own.pop((key, room), None)
        self._wake()

    # All below runs in the session's own thread.

    def _run(self):
        wait = FIRST_RETRY_S
        while not self._closing.is_set():
            try:
                with socket.create_connection((self.host, self.port), timeout=ANSWER_S) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    half_line = self._greet(connection)
                    self.status, self.error, wait = "connected", None, FIRST_RETRY_S
                    self._talk(connection, half_line)
            except Refused as refusal:
                self.error = refusal
                if refusal.args[1] not in ("relay_full", "too_many_rooms"):
                    break  # asking again doesn't help
            except (OSError, ValueError, KeyError) as error:  # the latter two: it answers, but is no relay
                self.error = error
            self.status = "reconnecting" if self._secret else "connecting"
            self._closing.wait(wait * random.uniform(0.5, 1) if self._retry_s is None else self._retry_s)
            self._retry_s, wait = None, min(2 * wait, LAST_RETRY_S)
        self.status = "closed"

    def _greet(self, connection):
        """Says hello, and takes the welcome; returns the bytes behind it."""
        hello = dict(self._hello)
        if self._secret and self._more == 0:
            hello["resume"] = {"session": self._secret, "bytes": self._received}
        self._began = monotonic_ms()
        connection.sendall(encode({"$hello": hello}))
        line, rest = b"", b""
        while not line.startswith((b'{"$welcome"', b'{"$error"')):  # before them, lines of the lobby
            while b"\n" not in rest:
                try:
                    chunk = connection.recv(READ_BYTES)
                except socket.timeout:
                    chunk = None
                if chunk is None or monotonic_ms() - self._began > ANSWER_S * 1000:
                    raise ConnectionError("no $welcome in time, this looks like an older relay")
                if not chunk:
                    raise ConnectionError("the relay closed the connection before its $welcome")
                rest += chunk
            line, rest = rest.split(b"\n", 1)
        (name, body), = json.loads(line.decode()).items()
        if name == "$error":
            raise Refused(body["message"], body["code"])
        self.clock.add(self._began, monotonic_ms(), body["time"])
        self._limits = body["limits"]
        if body["resumed"]:
            self._sent.confirm(body["bytes"])
            return rest
        unsure = self._sent.restart()
        if self._secret:
            self._inbox.append((encode({"$lost": {"lines": unsure, "reason": "unconfirmed"}}), None, 0))
        self._secret, self._more, self.id = body["session"], body["more"], body["id"]
        self._inbox.append((line, self._secret, 0))
        self._received = self._acked = 0
        with self._lock:
            self._sets = {**self._own, **self._sets}  # the room's keys are left as they are
        return rest

    def _talk(self, connection, half_line):
        """Writes and reads until the connection ends. First goes what the relay has not counted of earlier ones."""
        connection.setblocking(False)
        out = self._sent.join()
        half_line = self._take(half_line)
        while not self._closing.is_set() or time.monotonic() < self._close_at:
            out = out or self._next_lines()
            wait = 0.1 if self._closing.is_set() else max(0, self._ping_at() - time.monotonic())
            wants = [connection] if out else []
            readable, writable, _ = select.select([connection, self._wake_read], wants, [], wait)
            if writable:
                out = out[connection.send(out):]
            if self._wake_read in readable:
                self._wake_read.recv(READ_BYTES)
            if connection in readable:
                chunk = connection.recv(READ_BYTES)
                if not chunk:
                    raise ConnectionError("the relay closed the connection")
                half_line = self._take(half_line + chunk)

    def _next_lines(self):
        """Returns the next lines to write, and keeps them until the relay has confirmed them."""
        lines, size, now = [], 0, time.monotonic()
        is_ping_due = now >= self._ping_at()
        session, drained = self._drained
        step = 1 if is_ping_due else self._limits["windowBytes"] * 3 / 4
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

    def _take(self, data):
        """Counts the whole lines of `data` and puts them into the inbox; returns the half line behind them."""
        *lines, half_line = data.split(b"\n")
        for line in lines:
            self._received += len(line) + 1
            self._more = max(0, self._more - 1)
            if line.startswith(b'{"$pong"'):  # is taken here: it measures the network, not the program
                pong = json.loads(line.decode())["$pong"]
                self._sent.confirm(pong["bytes"])
                if pong["t"] >= self._began:  # and not one from before a break
                    self.clock.add(pong["t"], monotonic_ms(), pong["time"])
            elif line.startswith(b'{"$bye"'):
                self._retry_s = json.loads(line.decode())["$bye"]["retryMs"] / 1000
            self._is_busy = self._is_busy or not line.startswith(b'{"$')
            self._inbox.append((line, self._secret, self._received))
        return half_line

    def _ping_at(self):
        usual = BUSY_PING_S if self._is_busy else IDLE_PING_S
        return self._pinged + min(usual, self._limits["pingTimeoutMs"] / 3000)

    def _wake(self):
        try:
            self._wake_write.send(b"!")
        except OSError:
            pass  # full: it will wake up anyway


def encode(value):
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def monotonic_ms():
    return time.monotonic() * 1000
