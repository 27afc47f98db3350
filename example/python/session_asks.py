"""Questions of a session, to the relay or to another member, and the answers that a program waits for. Touches no
network and reads no line: the session does.
"""

import concurrent.futures
import itertools
import math
import threading
import time

from relay_wire import RelayError, check_seconds, printable

#: How much of why there is no answer is told, by who should have answered and to who asked, in characters.
MAX_REASON = 1000

#: The longest single wait, in seconds: after it is looked at whether somebody else drains the session now.
LOOK_S = 1.0


class RequestError(RelayError):
    """Why there is no answer, or why a claim could not be decided. Its `code` is "timeout", "no_such_peer", "left" (who
    was asked is not there, or has left meanwhile), "failed" (the other's on_request() raised, or there is none),
    "not_resumed" (the session could not go on: it may have been asked or not; what had not been asked yet is asked in
    the next one), "closed", or the relay's own, such as "too_many_keys"."""


class Answer(concurrent.futures.Future):
    """What was asked. It comes with the lines of the relay, in drain() or messages().

    result() waits for it and returns it, or raises RequestError if there is none. In the thread that drains it follows
    what arrives meanwhile and calls on_change(); the next drain() returns the events. done() tells at once whether it
    is there; add_done_callback() and asyncio.wrap_future() work as for any Future. It can't be cancelled.
    """

    def __init__(self, asks, what, peer_id, timeout_s, read):
        super().__init__()
        self.set_running_or_notify_cancel()
        self._asks, self.what, self.peer_id, self.timeout_s, self.read = asks, what, peer_id, timeout_s, read
        self.deadline = time.monotonic() + timeout_s
        #: In which of the sessions that follow each other it is asked, counted from 1; None before it waits for that.
        self.epoch = None

    def result(self, timeout=None):
        """Returns the answer; waits for it, for `timeout` seconds at most (then it raises TimeoutError, that of
        concurrent.futures). Raises RequestError if there is no answer; RuntimeError in on_error(), where none can come.
        """
        self._asks.wait(self, timeout)
        return super().result(0)

    def exception(self, timeout=None):
        """Waits as result() does; returns the RequestError, or None if there is an answer."""
        self._asks.wait(self, timeout)
        return super().exception(0)

    def done(self):
        """Tells whether the answer is there, or why there is none."""
        self._asks.expire()
        return super().done()

    def __bool__(self):
        raise TypeError("Cannot use an answer as true or false: it may not have come yet, take its result()")


class Asks:
    """The questions without an answer. Any thread may call any of it, and none while it holds a lock of its own: the
    callbacks of the answers are called here. `wait(answer, seconds)` lets a thread wait."""

    def __init__(self, wait):
        self.wait = wait
        self._lock, self._pending, self._names = threading.Lock(), {}, itertools.count(1)
        self._next_deadline = math.inf

    def open(self, what, peer_id=None, timeout_s=math.inf, read=lambda value: value):
        """Opens a question to a member, or to the relay; returns its name on the wire, and the answer. `what` is what
        can't be done without one, `read` makes the answer of what comes."""
        answer = Answer(self, what, peer_id, timeout_s, read)
        with self._lock:
            name = "%x" % next(self._names)
            self._pending[name] = answer
            self._next_deadline = min(self._next_deadline, answer.deadline)
        return name, answer

    def is_open(self, name):
        """Tells whether a question still waits for its answer, and has time for it."""
        with self._lock:
            answer = self._pending.get(name)
        return answer is not None and time.monotonic() < answer.deadline

    def postpone(self, name, epoch):
        """Notes that a question is asked in a later session, if it is one that waits."""
        with self._lock:
            if name in self._pending:
                self._pending[name].epoch = epoch

    def drop(self, name):
        """Forgets a question that can't be asked."""
        with self._lock:
            self._pending.pop(name, None)

    def settle(self, name, value, peer_id=None):
        """Takes the answer of a member, or of the relay; of nobody but who was asked."""
        answer = self._take(name, lambda each: each.peer_id == peer_id)
        if answer is not None:
            answer.set_result(answer.read(value))

    def fail(self, name, code, why, peer_id=None):
        """Notes that a member, or the relay, gives no answer."""
        self._fail(self._take(name, lambda each: each.peer_id == peer_id), code, why)

    def refuse(self, name, code, why):
        """Notes that the relay will see to no answer, whoever was asked."""
        self._fail(self._take(name), code, why)

    def fail_peer(self, peer_id):
        """Notes that a member will answer nothing any more."""
        self.fail_all("left", "%s has left" % printable(peer_id), lambda each: each.peer_id == peer_id)

    def fail_all(self, code, why, is_meant=lambda answer: True):
        """Notes that nobody will answer any more, or none of some."""
        with self._lock:
            names = [name for name, answer in self._pending.items() if is_meant(answer)]
        for name in names:
            self._fail(self._take(name), code, why)

    def expire(self):
        """Ends the waiting for what was not answered in time."""
        now = time.monotonic()
        if now < self._next_deadline:
            return
        with self._lock:
            late = [name for name, answer in self._pending.items() if answer.deadline <= now]
            self._next_deadline = min([answer.deadline for answer in self._pending.values() if answer.deadline > now],
                                      default=math.inf)
        for name in late:
            answer = self._take(name)
            if answer is not None:
                self._fail(answer, "timeout", "no answer within %g s" % answer.timeout_s)

    def _take(self, name, is_meant=lambda answer: True):
        with self._lock:
            answer = self._pending.get(name)
            if answer is None or not is_meant(answer):
                return None  # it was asked somebody else, or it is settled
            return self._pending.pop(name)

    @staticmethod
    def _fail(answer, code, why):
        if answer is not None:
            answer.set_exception(RequestError("Cannot %s: %s" % (answer.what, printable(why, MAX_REASON)), code))


def read_timeout(timeout_s):
    """Returns how long to wait, in seconds, for ever if it is None; raises TypeError or ValueError for what is none."""
    if timeout_s is None or timeout_s == math.inf:
        return math.inf
    return check_seconds("timeout_s", timeout_s)
