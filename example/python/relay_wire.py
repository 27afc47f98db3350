"""What both Python clients need of the wire: which relay a program names, lines to values and back, connections that
say why they can't be made, and how to tell a program what it should know. No thread, no queue, no protocol.
"""

import collections
import errno
import ipaddress
import json
import math
import operator
import re
import select
import selectors
import socket
import sys
import threading
import time
import traceback

DEFAULT_PORT = 32100
LOBBY = "lobby"

#: How long one attempt to connect may take, in seconds, for each of the host's addresses.
CONNECT_S = 5.0

#: What one read takes at most.
READ_BYTES = 64 * 1024

#: What send() keeps while there is no connection, or one that takes nothing, beside what waited by then; what waits for
#: a connection that takes it, each line with what it costs beside its own; in bytes, the oldest goes first.
OUTBOX_BYTES, QUEUED_BYTES, LINE_COST_BYTES = 256 * 1024, 64 * 1024 * 1024, 64

#: After how long a connection that takes nothing counts as such, in seconds.
STUCK_S = 1.0

#: The most digits of a number that is read: the time it takes grows with their square.
MAX_DIGITS = 4300

#: How many characters are printed at once, at most.
MAX_TEXT = 3000

#: The shortest time between two lines of one kind on stderr, in seconds.
TELL_S = 1.0


class RelayError(Exception):
    """What the relay complains of: `message` and `code`, and `body`, all that it said."""

    def __init__(self, message, code="", body=None):
        super().__init__(message)
        self.message, self.code, self.body = message, code, body


def read_target(host, port=None):
    """Reads "host[:port][/room]" and a port beside it; returns host, port, and the room or None if it names none.

    Raises TypeError for what is of a wrong type, ValueError for what can't be a host, a port or a room's name.
    """
    form = 'a host is "host", "host:port" or "[address]:port", and "/room" if you like'
    if not isinstance(host, str):
        raise TypeError("Cannot connect to %s: it is of type %s, %s" % (show(host), type(host).__name__, form))
    place, _, room = host.partition("/")
    match = re.fullmatch(r"(?:\[([^\s/?#@\[\]]+)\]|([^\s/?#@\[\]:]+))(?::([0-9]{1,9}))?", place)
    if match is not None:
        name, named_port = match.group(1) or match.group(2), match.group(3)
    elif is_ipv6(place):
        name, named_port = place, None
    else:
        raise ValueError("Cannot connect to %s: it is not a host, %s" % (show(host), form))
    try:
        name.encode("idna")  # as the look-up will do it
    except UnicodeError:
        raise ValueError("Cannot connect to %s: no host can have such a name, %s" % (show(host), form)) from None
    if "\0" in name or not name.isprintable():
        raise ValueError("Cannot connect to %s: it has a control character, %s" % (show(host), form))
    if named_port is not None and port is not None:
        raise ValueError("Cannot connect to %s, port %s: name the port once" % (show(host), show(port)))
    if port is None:
        port = DEFAULT_PORT if named_port is None else int(named_port)
    try:
        port = operator.index(None if isinstance(port, bool) else port)
    except TypeError:
        raise TypeError("Cannot connect to %s: its port is %s, of type %s, a whole number is allowed"
                        % (show(host), show(port), type(port).__name__)) from None
    if not 1 <= port <= 65535:
        raise ValueError("Cannot connect to %s, port %s: a port is 1 to 65535" % (show(host), show(port)))
    return name, port, (check_name("room", room, 1) if room else None)


def is_ipv6(text):
    try:
        return ipaddress.ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False


def check_name(what, name, least):
    """Returns the name of a room or a member, or raises TypeError or ValueError."""
    if not isinstance(name, str):
        raise TypeError("Cannot connect: %s is of type %s, a str is allowed" % (what, type(name).__name__))
    if re.search("[\x00-\x1f\x7f-\x9f]", name):
        raise ValueError("Cannot connect: %s has a control character, text without any is allowed" % what)
    if re.search("[\ud800-\udfff]", name):
        raise ValueError("Cannot connect: %s has half of a surrogate pair, whole characters are allowed" % what)
    if not least <= len(name) <= 64:
        raise ValueError("Cannot connect: %s has %d characters, %d to 64 are allowed" % (what, len(name), least))
    return name


def check_function(what, function):
    if function is not None and not callable(function):
        raise TypeError("Cannot use %s: it is of type %s, a function is allowed" % (what, type(function).__name__))
    return function


def check_flag(what, value):
    if not isinstance(value, bool):
        raise TypeError("Cannot use %s: it is of type %s, a bool is allowed" % (what, type(value).__name__))
    return value


def check_seconds(what, seconds):
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError("Cannot use %s: it is of type %s, a number of seconds is allowed"
                        % (what, type(seconds).__name__))
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise ValueError("Cannot use %s: it is %s, a number of seconds above 0 is allowed" % (what, show(seconds)))
    return float(seconds)


def encode(value, what="send"):
    """Makes a line, in UTF-8; `what` can't be done otherwise. Raises TypeError for what JSON lacks, ValueError for NaN,
    Infinity, a cycle and too deep nesting."""
    try:
        try:
            return write_json(value, False).encode() + b"\n"
        except UnicodeEncodeError:
            return write_json(value, True).encode() + b"\n"  # half of a surrogate pair has no bytes of its own
    except RecursionError:
        raise ValueError("Cannot %s: the value is nested too deeply" % what) from None
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind("Cannot %s: %s, what JSON can hold is allowed" % (what, error)) from None


def write_json(value, is_ascii):
    # NaN would be written without being asked, and is not JSON.
    return json.dumps(value, allow_nan=False, ensure_ascii=is_ascii, separators=(",", ":"))


def encode_event(event):
    """Makes the line of an event, with a space before what would be a control line (or a hello) without it."""
    line = encode(event)
    return b" " + line if line.startswith(b'{"$') else line


def refuse(number):
    """Called for NaN and Infinity, which Python would read but which are not JSON, and for what is too long for it."""
    raise ValueError("a number is %s" % (number if len(number) < 10 else "%d digits long" % len(number)))


def decode(line, long_number=refuse):
    """Reads a line. Raises ValueError for what is no JSON: no UTF-8, NaN, a number of thousands of digits, or what is
    nested more deeply than Python can read. `long_number` may say what stands for such a number."""
    more = {}
    if len(line) > MAX_DIGITS:
        more["parse_int"] = lambda digits: int(digits) if len(digits) <= MAX_DIGITS else long_number(digits)
    try:
        return json.loads(line.decode(), parse_constant=refuse, **more)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_json(line):
    """Tells whether a line can be read."""
    try:
        decode(line)
    except ValueError:
        return False
    return True


def printable(value, most=500):
    """Makes text of what came from outside that no terminal obeys: what is not printable is escaped, and it is cut."""
    text = value if isinstance(value, str) else repr(value)
    cut = text[:most] + ("…" if len(text) > most else "")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def show(value):
    """Shows a value of the program's own in a message, shortened."""
    try:
        return printable(repr(value), 80)
    except Exception:  # an int of thousands of digits, an object whose repr fails
        return "a value of type %s" % type(value).__name__


def describe(error):
    """Says what an exception says, with its type where that is a surprise."""
    text = printable(str(error))
    is_clear = isinstance(error, (OSError, RelayError)) and text
    return text if is_clear else "%s: %s" % (type(error).__name__, text)


def open_connection(host, port):
    """Connects, with CONNECT_S for each of the host's addresses. Returns a socket that does not block, and when (by
    time.monotonic) it was asked for. Raises ConnectionError that says why it can't be, and what to do."""
    problem = None
    try:
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except Exception as error:  # OSError, UnicodeError, or what a resolver of the system's may raise
        addresses, problem = [], error
    for family, kind, protocol, _, address in addresses:
        connection, began = None, time.monotonic()
        try:
            connection = socket.socket(family, kind, protocol)
            connection.settimeout(CONNECT_S)
            connection.connect(address)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(connection)
            return connection, began
        except OSError as error:
            problem = error
            if connection is not None:
                connection.close()
    label = "[%s]:%d" % (host, port) if ":" in host else "%s:%d" % (host, port)
    raise ConnectionError("Cannot connect to %s: %s" % (printable(label), why_not(problem))) from problem


def keep_alive(connection):
    """Lets the system find out that the other host has vanished; what it doesn't know is left at its default."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        except (AttributeError, OSError):
            pass


def why_not(error):
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return "its name can't be looked up now, is this machine on its network"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "no such host, is its name spelled right"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused, is the relay running there"
    if isinstance(error, socket.timeout) or getattr(error, "errno", None) == errno.ETIMEDOUT:
        return "no answer, is the host up and the port open"
    if getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no way leads to the host, is it up and is this machine on its network"
    return describe(error)


def receive(connection):
    """Returns what has arrived, None if nothing has; b"" at the end."""
    try:
        return connection.recv(READ_BYTES)
    except (BlockingIOError, InterruptedError):
        return None


def send_some(connection, data):
    """Writes what the connection takes at once; returns how many bytes that were, None if it takes nothing."""
    try:
        return connection.send(data)
    except (BlockingIOError, InterruptedError):
        return None


def watch(selector, connection, interest, wanted):
    """Changes what is waited for of a connection, from `interest` to `wanted`; returns it."""
    if interest and not wanted:
        selector.unregister(connection)
    elif wanted and not interest:
        selector.register(connection, wanted)
    elif wanted != interest:
        selector.modify(connection, wanted)
    return wanted


class LineCutter:
    """Cuts what arrives into lines. Looks at each byte once, however small the pieces are."""

    def __init__(self, most_bytes):
        self._most_bytes, self._parts, self._size = most_bytes, [], 0

    def cut(self, chunk):
        """Returns the lines that end in `chunk`, without their LF. Raises ConnectionError at the end of the connection,
        and for a line that is too long."""
        if chunk is None:
            return []
        if not chunk:
            raise ConnectionError("the relay closed the connection")
        first, *lines = chunk.split(b"\n")
        self._parts.append(first)
        self._size += len(first)
        if self._size > self._most_bytes:
            raise ConnectionError(f"the relay sent a line of more than {self._most_bytes} bytes")
        if not lines:
            return []
        half_line = lines.pop()
        lines.insert(0, b"".join(self._parts))
        self._parts, self._size = [half_line], len(half_line)
        return lines


class Outbox:
    """Lines that wait to be written, the oldest first. Bounded: QUEUED_BYTES while a connection takes them,
    OUTBOX_BYTES beside what waited by then otherwise. One call at a time, whichever thread."""

    def __init__(self):
        self._lines, self._bytes = collections.deque(), 0
        self._taken_at = None  # when the connection took something, or had nothing to take; None without one
        self._limit = OUTBOX_BYTES  # while it takes nothing; None before that is noticed

    def __len__(self):
        return len(self._lines)

    def __iter__(self):
        return iter(self._lines)

    def begin(self):
        """Notes that there is a connection."""
        self._taken_at, self._limit = time.monotonic(), None

    def note_taken(self):
        """Notes that it took something."""
        if self._taken_at is not None:
            self.begin()

    def end(self):
        """Notes that there is no connection any more, if there was one."""
        if self._taken_at is not None:
            self._taken_at, self._limit = None, self._most_while_stuck()

    def push(self, line):
        """Appends a line; returns how many of the oldest that dropped."""
        if not self._lines:
            self.note_taken()
        limit = self._most() if self._bytes + len(line) > OUTBOX_BYTES else OUTBOX_BYTES
        self._lines.append(line)
        self._bytes += len(line)
        before = len(self._lines)
        while self._bytes > limit and len(self._lines) > 1:
            self._bytes -= len(self._lines.popleft())
        return before - len(self._lines)

    def take(self, most_bytes=math.inf):
        """Takes lines out, at least one if there is one, and no further one once they have so many bytes."""
        lines, size = [], 0
        while self._lines and size < most_bytes:
            lines.append(self._lines.popleft())
            size += len(lines[-1])
        self._bytes -= size
        return lines

    def drop(self, is_dropped):
        """Drops the lines of which that is true; returns how many."""
        before, kept = len(self._lines), [line for line in self._lines if not is_dropped(line)]
        self._lines, self._bytes = collections.deque(kept), sum(map(len, kept))
        return before - len(kept)

    def _most(self):
        if self._taken_at is not None and time.monotonic() - self._taken_at <= STUCK_S:
            return max(OUTBOX_BYTES, QUEUED_BYTES - LINE_COST_BYTES * len(self._lines))
        if self._limit is None:
            self._limit = self._most_while_stuck()
        return self._limit

    def _most_while_stuck(self):
        return min(self._bytes, QUEUED_BYTES) + OUTBOX_BYTES


class Waker:
    """Wakes a thread that waits for a socket, from any other thread."""

    def __init__(self):
        self.read_end, self._write_end = socket.socketpair()
        self.read_end.setblocking(False)
        self._write_end.setblocking(False)

    def wake(self):
        try:
            self._write_end.send(b"!")
        except OSError:
            pass  # full: it will wake up anyway; or closed

    def clear(self):
        receive(self.read_end)

    def wait(self, seconds):
        """Waits to be woken, for so many seconds at most."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.read_end, selectors.EVENT_READ)
            if selector.select(seconds):
                self.clear()

    def close(self):
        self.read_end.close()
        self._write_end.close()


class Reporter:
    """Prints to stderr what a program should know that did not ask: of each kind one line a second at most, which
    says how many it stands for. Never raises; prints nothing if it is quiet."""

    def __init__(self, is_quiet=False):
        self._is_quiet = check_flag("quiet", is_quiet)
        self._next_at, self._held = {}, collections.Counter()

    def tell(self, kind, text):
        now = time.monotonic()
        if self._is_quiet:
            return
        if now < self._next_at.get(kind, 0):
            self._held[kind] += 1
            return
        self._next_at[kind] = now + TELL_S
        held = self._held.pop(kind, 0)
        self._print("relay: " + printable(text) + (" (and %d more like this)" % held if held else ""))

    def call(self, function, *args):
        """Calls a function of the program's; what it raises is printed, and harms nobody: sys.exit() neither, which
        would end the thread that it is called in and no more."""
        try:
            function(*args)
        except BaseException:
            self.tell_traceback(sys.exc_info())

    def tell_traceback(self, exc_info):
        """Prints an exception that has nowhere to go, with its traceback."""
        self.tell("traceback", "a function of the program's raised:")
        if not self._is_quiet and not self._held["traceback"]:
            text = "".join(traceback.format_exception(*exc_info))
            self._print("\n".join(printable(line) for line in text.splitlines()))

    @staticmethod
    def _print(text):
        try:
            # A stopped terminal, or a pipe that nobody reads, must not stop us. What is writable takes 4 KiB.
            if not select.select([], [sys.stderr], [], 0)[1]:
                return
        except (OSError, ValueError, TypeError, AttributeError):
            pass  # this system can't tell, or it is no file
        try:
            print(text[:MAX_TEXT], file=sys.stderr, flush=True)
        except (OSError, ValueError, AttributeError):
            pass  # there is no stderr, or it is closed or full
