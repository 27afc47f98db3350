"""A client for eventrelay in plain Python: no packages, Python 3.6 or newer, this file and relay_wire.py.

    with Relay("ifilab100") as relay:
        relay.send({"id": "ada-1", "pos": [3, 4]})
        for event in relay.drain():
            if isinstance(event, dict):  # everybody may send, and any JSON value: null, numbers, lists
                print(event)

One thread does all the network's work: it connects, and connects again when the connection breaks; reads lines into
the inbox, and writes what is in the outbox. The game's thread only ever touches the two queues, so neither waits
for the other. It speaks the plain wire: one JSON value a line, in both directions.
"""

import collections
import math
import random
import selectors
import socket
import threading
import time

from relay_wire import DEFAULT_PORT  # noqa: F401, programs take it from here
from relay_wire import (
    LOBBY, READ_BYTES, TELL_S, LineCutter, Outbox, RelayError, Reporter, Waker, check_function, check_seconds, decode,
    describe, encode_event, open_connection, printable, read_target, receive, send_some, show,
)

#: The longest line, in bytes without its LF; the relay's own limit, unless it was started with another.
MAX_LINE_BYTES = 64 * 1024

#: How many received events wait for drain(), and their bytes on the wire; the oldest goes first.
INBOX_EVENTS = 10_000
INBOX_BYTES = 4 * 1024 * 1024

#: The longest wait before the first and before any later attempt to connect again, in seconds.
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0

#: How long a connection must last before the waits start anew and the next failure is told again, in
#: seconds: whoever accepts and closes at once, or after a look at us, is not hammered.
STEADY_S = 10.0

#: After how many seconds a connection is dead that takes no byte of what it should take.
STALLED_S = 30.0

#: The codes of the complaints with which the relay closes the connection.
CLOSING_CODES = {"too_many_errors", "idle_line", "relay_full", "bad_token"}

#: How long close() goes on writing, in seconds.
CLOSE_S = 1.0

#: The longest line that is taken from the relay, whose own limit may be set higher than ours.
MAX_RECEIVED_BYTES = 1024 * 1024


class Relay:
    """A connection to a relay that mends itself.

    Connects in the background: the constructor returns at once. All methods may be called from any thread. The plain
    wire has no pings: that a relay hangs shows only once the connection takes nothing more, that its host has vanished
    shows to the system after half a minute (a Session looks itself).

    `host` is "host", "host:port" or "[address]:port", perhaps with "/lobby" behind it: all plain clients are
    there. `port` is 1 to 65535, 32100 unless one is named. Raises TypeError for what is of a wrong type, ValueError
    for what can't be a host or a port.

    `on_error(error)` is told, in the client's own thread, each time that a connection can't be made or ends, and of
    each complaint of the relay (a RelayError). `on_lost(reason, count)` is told of events that were dropped:
    "outbox" (they waited for being sent, and were too many), "inbox" (they waited for drain(), and were too many),
    "closed" (they were not written when close() had to give up); once a second at most. What has no such function is
    printed to stderr: the first failure of a row, complaints and losses once a second at most; nothing with `quiet`.
    `stalled_s`: after how many seconds a connection counts as dead that takes no byte of what waits; 30 by default.
    """

    def __init__(self, host="localhost", port=None, on_error=None, on_lost=None, quiet=False, stalled_s=STALLED_S):
        self.host, self.port, room = read_target(host, port)
        if room not in (None, LOBBY):
            raise ValueError("Cannot connect to room %s: a plain client is in the room \"lobby\", "
                             "use Session of session_client.py" % show(room))
        self._on_error, self._on_lost = check_function("on_error", on_error), check_function("on_lost", on_lost)
        self._stalled_s = check_seconds("stalled_s", stalled_s)
        #: "connecting", "connected", "reconnecting" or "closed".
        self.status = "connecting"
        #: Why there is no connection, an exception, or None.
        self.error = None
        #: Events written to the connection, events received, those that were dropped (see on_lost), lines that were
        #: no JSON, and connections made after the first.
        self.sent = self.received = self.dropped = self.invalid = self.reconnects = 0

        self._reporter = Reporter(quiet)
        self._lock = threading.Lock()
        self._inbox = collections.deque()  # events, each with its bytes on the wire
        self._inbox_bytes = 0
        self._outbox = Outbox()  # whole lines, as bytes
        self._lost = collections.Counter()  # by reason: what has not been told yet
        self._tell_at = 0.0  # not earlier: on_lost() may send something, and so have more dropped
        self._partly = b""  # the line whose beginning has been written
        self._partly_from = 0
        self._complaint = None  # with which the relay closes this connection
        self._closing = False
        self._waker = Waker()
        # A daemon: a program that ends without close() is not kept alive.
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def send(self, event):
        """Queues an event for everybody else; returns at once, connected or not.

        Raises TypeError for what JSON can't hold, ValueError for NaN and Infinity (send None), for what is nested
        too deeply, and for a line over MAX_LINE_BYTES. After close() it does nothing.
        """
        line = encode_event(event)
        if len(line) - 1 > MAX_LINE_BYTES:
            raise ValueError(f"Cannot send event: it has {len(line) - 1} bytes, at most {MAX_LINE_BYTES} are allowed")
        with self._lock:
            if self._closing:
                return
            dropped = self._outbox.push(line)
            if dropped:
                self._note_lost("outbox", dropped)
        self._waker.wake()

    def drain(self):
        """Returns the events that arrived since the last call, oldest first; never waits.

        They are what others have sent, any JSON value at all: look before you use one.
        """
        with self._lock:
            events = [event for event, _ in self._inbox]
            self._inbox.clear()
            self._inbox_bytes = 0
        return events

    def close(self):
        """Writes out what was sent, for at most CLOSE_S, then ends the connection; without one, drops it.

        Returns after 2 * CLOSE_S at the latest. What has arrived can still be drained. May be called more than once.
        """
        with self._lock:
            self._closing = True
        self._waker.wake()
        if threading.current_thread() is not self._thread:
            # Not for ever: an attempt to connect, under way to a host that doesn't answer, takes longer.
            self._thread.join(2 * CLOSE_S)
        self.status = "closed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _note_lost(self, reason, count=1):
        self.dropped += count
        self._lost[reason] += count

    # All below runs in the relay's own thread.

    def _run(self):
        try:
            self._stay_connected()
        finally:
            self.status = "closed"
            with self._lock:
                left = len(self._outbox.take()) + (1 if self._partly else 0)
                self._partly = b""
                if left:
                    self._note_lost("closed", left)
            self._tell_lost()
            self._waker.close()

    def _stay_connected(self):
        longest_wait, connections, is_told = FIRST_RETRY_S, 0, False
        is_first = True  # what was sent before an early close() still goes out
        while is_first or not self._closing:
            is_first, connected_at = False, math.inf
            try:
                connection, _ = open_connection(self.host, self.port)
                with connection:
                    connected_at = time.monotonic()
                    self.reconnects = connections
                    connections += 1
                    self._complaint = self.error = None
                    with self._lock:
                        self._outbox.begin()
                    self._set_status("connected")
                    self._talk(connection)
            except Exception as error:  # whatever it is, the thread goes on and tells it
                self.error = self._complaint or error
            with self._lock:
                self._outbox.end()
            if self._closing:
                break
            self._set_status("reconnecting" if connections else "connecting")
            if time.monotonic() - connected_at > STEADY_S:
                longest_wait, is_told = FIRST_RETRY_S, False
            if self.error is not self._complaint:  # else it is told already
                self._tell_failure(self.error, is_told)
                is_told = True
            self._sleep(random.uniform(0.5, 1) * longest_wait)
            longest_wait = min(2 * longest_wait, LAST_RETRY_S)

    def _set_status(self, status):
        if not self._closing:
            self.status = status

    def _tell_failure(self, error, is_told):
        if self._on_error is not None:
            self._reporter.call(self._on_error, error)
        elif not is_told:
            self._reporter.tell("failure", "%s (trying again)" % describe(error))

    def _tell_lost(self):
        """Tells what was dropped, if it is time to; returns how many seconds that is off."""
        with self._lock:
            rest_s = self._tell_at - time.monotonic()
            if not self._lost or (rest_s > 0 and not self._closing):
                return rest_s if self._lost else math.inf
            lost, self._lost = self._lost, collections.Counter()
            self._tell_at = time.monotonic() + TELL_S
        for reason, count in lost.items():
            if self._on_lost is not None:
                self._reporter.call(self._on_lost, reason, count)
            else:
                self._reporter.tell("lost", "dropped %d events, reason: %s" % (count, reason))
        return TELL_S

    def _sleep(self, seconds):
        """Waits, unless the relay is closed meanwhile."""
        until = time.monotonic() + seconds
        while not self._closing and time.monotonic() < until:
            self._waker.wait(max(0, min(until - time.monotonic(), self._tell_lost())))

    def _talk(self, connection):
        """Reads and writes until the connection breaks or close() is done."""
        # A line that was cut off by the last break goes out whole: the relay dropped its first half.
        self._partly_from = 0
        cutter = LineCutter(MAX_RECEIVED_BYTES)
        close_at, ended, stalled_at = None, False, None
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.read_end, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            while True:
                written, all_written = self._write(connection)
                now = time.monotonic()
                if all_written:
                    stalled_at = None
                elif written or stalled_at is None:
                    stalled_at = now + self._stalled_s
                elif now >= stalled_at:
                    raise ConnectionError("the relay takes nothing for %g s" % self._stalled_s)
                rest_s = self._tell_lost()
                if self._closing:
                    close_at = close_at or now + CLOSE_S
                    if all_written and not ended:
                        # Then it reads on until the relay has closed too: closing with bytes unread would
                        # make the kernel throw away what was just written.
                        connection.shutdown(socket.SHUT_WR)
                        ended = True
                    if now > close_at:
                        return
                wanted = selectors.EVENT_READ | (0 if all_written else selectors.EVENT_WRITE)
                selector.modify(connection, wanted)
                stalled_s = math.inf if stalled_at is None else stalled_at - now
                wait = min(rest_s, stalled_s, 0.1 if self._closing else math.inf)
                for key, ready in selector.select(None if wait == math.inf else wait):
                    if key.fileobj is self._waker.read_end:
                        self._waker.clear()
                    elif ready & selectors.EVENT_READ:
                        chunk = receive(connection)
                        if chunk == b"" and ended:
                            return
                        for line in cutter.cut(chunk):
                            self._take_line(line)

    def _write(self, connection):
        """Writes as much as the connection takes; returns how many bytes that were, and whether it was all."""
        written = 0
        while True:
            if not self._partly:
                with self._lock:
                    self._partly = b"".join(self._outbox.take(READ_BYTES))  # many in one write
                self._partly_from = 0
                if not self._partly:
                    return written, True
            size = send_some(connection, self._partly[self._partly_from:])
            if size is None:
                return written, False
            written += size
            self._partly_from += size
            with self._lock:
                self._outbox.note_taken()
            # Whole lines are behind us; only the one that was cut is kept.
            whole = self._partly.rfind(b"\n", 0, self._partly_from) + 1
            self.sent += self._partly.count(b"\n", 0, whole)
            self._partly = self._partly[whole:]
            self._partly_from -= whole

    def _take_line(self, line):
        if not line.strip():
            return
        try:
            event = decode(line)
        except ValueError:
            self.invalid += 1
            return
        # Exactly so the relay begins; an event of somebody else's that does has a space before it.
        if line.startswith(b'{"$error":'):
            self._complain(event["$error"])
            return
        with self._lock:
            self.received += 1
            self._inbox.append((event, len(line)))
            self._inbox_bytes += len(line)
            while len(self._inbox) > INBOX_EVENTS or self._inbox_bytes > INBOX_BYTES:
                self._inbox_bytes -= self._inbox.popleft()[1]
                self._note_lost("inbox")

    def _complain(self, body):
        fields = body if isinstance(body, dict) else {}
        code = fields.get("code", "")
        complaint = RelayError(printable(fields.get("message", body)), printable(code), body)
        if isinstance(code, str) and code in CLOSING_CODES:
            self._complaint = complaint
        if self._on_error is not None:
            self._reporter.call(self._on_error, complaint)
        else:
            self._reporter.tell("complaint", "the relay says: %s" % complaint)
