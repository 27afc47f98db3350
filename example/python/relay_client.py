"""A client for eventrelay in plain Python: no packages, Python 3.8 or newer, one class.

    with Relay("ifilab100") as relay:
        relay.send({"id": "ada-1", "pos": [3, 4]})
        for event in relay.drain():
            print(event)

One thread does all the network's work: it connects, and connects again when the connection breaks; reads lines into
the inbox, and writes what is in the outbox. The game's thread only ever touches the two queues, so neither waits
for the other. It speaks the plain wire: one JSON value a line, in both directions.
"""

import collections
import json
import math
import random
import selectors
import socket
import sys
import threading
import time

DEFAULT_PORT = 32100

#: The longest line, in bytes without its LF; the relay's own limit, unless it was started with another.
MAX_LINE_BYTES = 64 * 1024

#: What send() keeps while there is no connection, or a slow one, in bytes; the oldest goes first.
OUTBOX_BYTES = 256 * 1024

#: How many received events wait for drain(); the oldest goes first.
INBOX_EVENTS = 10_000

#: The longest wait before the first and before any later attempt to connect again, in seconds.
FIRST_RETRY_S = 0.25
LAST_RETRY_S = 5.0

#: How long one attempt to connect may take, in seconds.
CONNECT_S = 5.0

#: How long a connection must last before the waits start anew, in seconds: whoever accepts and
#: closes at once is not hammered.
STEADY_S = 5.0

#: How long close() goes on writing, in seconds.
CLOSE_S = 1.0

READ_BYTES = 64 * 1024

#: The longest line that is taken from the relay, whose own limit may be set higher than ours.
MAX_RECEIVED_BYTES = 1024 * 1024


class Relay:
    """A connection to a relay that mends itself.

    Connects in the background: the constructor returns at once. All methods may be called from any thread.
    """

    def __init__(self, host="localhost", port=DEFAULT_PORT):
        self.host = host
        self.port = port
        #: "connecting", "connected", "reconnecting" or "closed".
        self.status = "connecting"
        #: Why there is no connection, or None.
        self.error = None
        #: Events written to the connection, events received, those that found a queue full, lines that were
        #: no JSON, and connections made after the first.
        self.sent = self.received = self.dropped = self.invalid = self.reconnects = 0

        self._lock = threading.Lock()
        self._inbox = collections.deque(maxlen=INBOX_EVENTS)
        self._outbox = collections.deque()  # whole lines, as bytes
        self._outbox_bytes = 0
        self._partly = b""  # the line whose beginning has been written
        self._partly_from = 0
        self._closing = False
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        # A daemon: a program that ends without close() is not kept alive.
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def send(self, event):
        """Queues an event for everybody else; returns at once, connected or not.

        Raises TypeError for what JSON can't hold, ValueError for NaN and Infinity (send None) and for
        a line over MAX_LINE_BYTES. After close() it does nothing.
        """
        # json.dumps writes NaN unless told not to, and NaN is not JSON.
        line = json.dumps(event, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        if len(line) - 1 > MAX_LINE_BYTES:
            raise ValueError(f"Cannot send event: it has {len(line) - 1} bytes, at most {MAX_LINE_BYTES} are allowed")
        with self._lock:
            if self._closing:
                return
            self._outbox.append(line)
            self._outbox_bytes += len(line)
            while self._outbox_bytes > OUTBOX_BYTES:
                self._outbox_bytes -= len(self._outbox.popleft())
                self.dropped += 1
        self._wake()

    def drain(self):
        """Returns the events that arrived since the last call, oldest first; never waits."""
        with self._lock:
            events = list(self._inbox)
            self._inbox.clear()
        return events

    def close(self):
        """Writes out what was sent, for at most CLOSE_S, then ends the connection; without one, drops it.

        What has arrived can still be drained. May be called more than once.
        """
        with self._lock:
            self._closing = True
        self._wake()
        # Not for ever: an attempt to connect, under way to a host that doesn't answer, takes longer.
        self._thread.join(2 * CLOSE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # All below runs in the relay's own thread.

    def _wake(self):
        try:
            self._wake_write.send(b"!")
        except OSError:
            pass  # full: it will wake up anyway; or closed

    def _run(self):
        longest_wait = FIRST_RETRY_S
        connections = 0
        while not self._closing:
            connected_at = math.inf
            try:
                with socket.create_connection((self.host, self.port), timeout=CONNECT_S) as connection:
                    connected_at = time.monotonic()
                    self.reconnects = connections
                    connections += 1
                    self.error = None
                    self.status = "connected"
                    self._talk(connection)
            except (OSError, UnicodeError) as error:  # UnicodeError: a host name that can't be one
                self.error = error
            if self._closing:
                break
            self.status = "reconnecting" if connections else "connecting"
            if time.monotonic() - connected_at > STEADY_S:
                longest_wait = FIRST_RETRY_S
            self._sleep(random.uniform(0, longest_wait))
            longest_wait = min(2 * longest_wait, LAST_RETRY_S)
        self.status = "closed"
        self._wake_read.close()
        self._wake_write.close()

    def _sleep(self, seconds):
        """Waits, unless the relay is closed meanwhile."""
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            while not self._closing and time.monotonic() < until:
                if selector.select(until - time.monotonic()):
                    self._wake_read.recv(4096)

    def _talk(self, connection):
        """Reads and writes until the connection breaks or close() is done."""
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A line that was cut off by the last break goes out whole: the relay dropped its first half.
        self._partly_from = 0
        half_line = b""
        close_at = None
        ended = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            while True:
                all_written = self._write(connection)
                if self._closing:
                    close_at = close_at or time.monotonic() + CLOSE_S
                    if all_written and not ended:
                        # Then it reads on until the relay has closed too: closing with bytes unread would
                        # make the kernel throw away what was just written.
                        connection.shutdown(socket.SHUT_WR)
                        ended = True
                    if time.monotonic() > close_at:
                        return
                wanted = selectors.EVENT_READ | (0 if all_written else selectors.EVENT_WRITE)
                selector.modify(connection, wanted)
                for key, ready in selector.select(0.1 if self._closing else None):
                    if key.fileobj is self._wake_read:
                        self._wake_read.recv(4096)
                    elif ready & selectors.EVENT_READ:
                        chunk = connection.recv(READ_BYTES)
                        if not chunk and ended:
                            return
                        if not chunk:
                            raise ConnectionError("the relay closed the connection")
                        half_line = self._take(half_line + chunk)

    def _write(self, connection):
        """Writes as much as the connection takes; returns whether that was all."""
        while True:
            if not self._partly:
                with self._lock:
                    if not self._outbox:
                        return True
                    lines = list(self._outbox) if self._outbox_bytes <= READ_BYTES else [self._outbox[0]]
                    for line in lines:
                        self._outbox.popleft()
                        self._outbox_bytes -= len(line)
                self._partly = b"".join(lines)  # all that is there in one write
                self._partly_from = 0
            try:
                size = connection.send(self._partly[self._partly_from :])
            except (BlockingIOError, InterruptedError):
                return False
            self._partly_from += size
            # Whole lines are behind us; only the one that was cut is kept.
            whole = self._partly.rfind(b"\n", 0, self._partly_from) + 1
            self.sent += self._partly.count(b"\n", 0, whole)
            self._partly = self._partly[whole:]
            self._partly_from -= whole

    def _take(self, text):
        """Puts the whole lines of `text` into the inbox; returns the rest, a line that goes on."""
        *lines, half_line = text.split(b"\n")
        for line in lines:
            if line.strip():
                self._take_line(line)
        if len(half_line) > MAX_RECEIVED_BYTES:
            raise ConnectionError(f"the relay sent a line of more than {MAX_RECEIVED_BYTES} bytes")
        return half_line

    def _take_line(self, line):
        try:
            event = json.loads(line, parse_constant=refuse)
        except (ValueError, RecursionError):  # no JSON, no UTF-8, or nested too deeply
            self.invalid += 1
            return
        if isinstance(event, dict) and list(event) == ["$error"]:
            # Control characters never reach the terminal: json.dumps escapes them.
            print(f"relay: {json.dumps(event['$error'])}", file=sys.stderr)
            return
        with self._lock:
            self.received += 1
            self.dropped += len(self._inbox) == INBOX_EVENTS
            self._inbox.append(event)


def refuse(constant):
    """Called for NaN and Infinity, which Python would read but which are not JSON."""
    raise ValueError(f"{constant} is not JSON")
