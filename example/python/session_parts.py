"""What a session knows beside events: who is in the room with which state, what may have to be sent again, and the
relay's clock; and how a control line of the relay's is read. Touches no network. The rules are those of
docs/PROTOCOL.md.
"""

import collections
import math
import re
import threading

from relay_wire import RelayError, decode, printable, show

#: From how many samples the clock chooses; once it has them, how fast it is corrected, in ms per ms.
SAMPLES, SLEW = 8, 0.005

#: How far a sample must lie outside of what is possible, in ms, to show that the clock is another one.
FAR_MS = 128

#: The deepest nesting that is kept of a control line which nests more deeply than Python can read.
MAX_DEPTH = 100

#: How many of those who left are remembered.
MAX_DEPARTED = 256

#: The largest count; whole numbers up to it are exact everywhere.
MAX_COUNT = 2**53 - 1


def is_text(value):
    return isinstance(value, str)


def is_dict(value):
    return isinstance(value, dict)


def is_bool(value):
    return isinstance(value, bool)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_COUNT


def is_peers(value):
    return isinstance(value, list) and all(
        is_dict(peer) and is_text(peer.get("id")) and is_text(peer.get("name")) and is_dict(peer.get("state", {}))
        for peer in value
    )


#: What must be in a control line of the relay's, and what may be; what is not named is not looked at.
FIELDS = {
    "$welcome": {"session": is_text, "id": is_text, "time": is_number, "bytes": is_count, "resumed": is_bool,
                 "more": is_count, "limits": is_dict},
    "$join": {"id": is_text, "name": is_text},
    "$leave": {"id": is_text, "reason": is_text},
    "$peers": {"peers": is_peers},
    "$set": {"key": is_text},
    "$pong": {"t": is_number, "time": is_number, "bytes": is_count},
    "$lost": {"lines": is_count},
    "$error": {"code": is_text, "message": is_text},
    "$time": {"time": is_number},
    "$answer": {"ask": is_text},
    "$bye": {},
}
OPTIONAL_FIELDS = {
    "$welcome": {"host": is_text, "room": is_text},
    "$from": {"id": is_text, "ask": is_text, "reply": is_text, "failed": is_bool},
    "$answer": {"code": is_text, "message": is_text},
    "$host": {"id": is_text},
    "$set": {"room": is_bool, "from": is_text},
    "$join": {"state": is_dict},
    "$error": {"line": is_count},
    "$bye": {"retryMs": is_number},
    "$lost": {"reason": is_text},
}

#: What of a $welcome's limits is used: the default, and between what it has to be.
LIMITS = {
    "maxLineBytes": (65536, 1, MAX_COUNT),
    "windowBytes": (262144, 1, MAX_COUNT),
    "pingTimeoutMs": (15000, 50, 2**31),
    "maxKeys": (256, 0, MAX_COUNT),
    "maxValueBytes": (16384, 1, MAX_COUNT),
}


def read_control(line):
    """Reads a control line of the relay's; returns its name, with the $, and its body.

    Values that nest too deeply for Python, and numbers that are too long, are None in it: others may set such ones, and
    they must not keep anybody from reading the rest. Raises ValueError for what is not as docs/PROTOCOL.md says.
    """
    try:
        value = decode(line, lambda _: None)
    except ValueError:
        value = decode(prune(line), lambda _: None)
    if not is_dict(value) or len(value) != 1:
        raise ValueError("a control line is not an object with one member")
    (name, body), = value.items()
    if not is_dict(body):
        raise ValueError("what is in %s is no object" % name)
    for field, is_good in FIELDS.get(name, {}).items():
        if not is_good(body.get(field)):
            raise ValueError("%s of %s is missing or of a wrong type" % (field, name))
    for field, is_good in OPTIONAL_FIELDS.get(name, {}).items():
        if field in body and not is_good(body[field]):
            raise ValueError("%s of %s is of a wrong type" % (field, name))
    if name == "$welcome" and not body["resumed"]:
        if not is_peers(body.get("peers")) or not is_dict(body.get("state")):
            raise ValueError("peers or state of $welcome is missing or of a wrong type")
    if name == "$set" and not body.get("room") and "from" not in body:
        raise ValueError("from of $set is missing")
    return name, body


def read_ask(line):
    """Returns the name of the question in a line that was written here; None for any other line."""
    (body,) = decode(line).values() if line.startswith(b'{"$') else ({},)
    return body.get("ask")


def read_limits(limits):
    """Returns the limits of a $welcome that are used here; raises ValueError for one that can't be."""
    read = {}
    for name, (default, least, most) in LIMITS.items():
        read[name] = limits.get(name, default)
        if not is_count(read[name]) or not least <= read[name] <= most:
            raise ValueError("the limit %s of $welcome is not a whole number from %d to %d" % (name, least, most))
    return read


def prune(line):
    """Puts null in place of each value that lies deeper than MAX_DEPTH."""
    kept, depth, start = [], 0, 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', line):
        if token.group() in b"[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += [line[start:token.start()], b"null"]
        elif token.group() in b"]}":
            depth -= 1
            if depth == MAX_DEPTH:
                start = token.end()
    return b"".join(kept + [line[start:] if depth <= MAX_DEPTH else b""])


class Refused(RelayError):
    """The relay does not let us in; its message, and the code that says why."""


def read_answer(line, nonce, is_certain):
    """Returns the body of a $welcome, raises Refused for an $error; returns None for what may be another client's.

    To a connection whose hello is late the relay passes on what is said in the lobby, and anybody there can say
    {"$welcome":…}. The relay's answer repeats our nonce, which nobody else knows. An older relay repeats none, and
    one that is full says so before it has read any hello: these are taken if it is certain that they are the
    relay's, being the very first line, at a time at which it passes nothing on yet. Later they are ignored, and we
    try again.
    """
    try:
        name, body = read_control(line)
    except ValueError as error:
        if is_certain or nonce.encode() in line:
            raise ConnectionError("what answers is no relay: %s" % printable(str(error)))
        return None
    if body.get("nonce") != nonce and not ("nonce" not in body and is_certain):
        return None
    if name == "$error":
        raise Refused(printable(body["message"]), body["code"], body)
    return body


#: A room of the relay, with how many may be in it if there is a limit; and what rooms() answers.
RoomInfo = collections.namedtuple("RoomInfo", "name members max_members")
RoomList = collections.namedtuple("RoomList", "rooms more")


def read_rooms(answer):
    """Reads which rooms there are; what is none is left out."""
    rooms, more = answer.get("rooms"), answer.get("more")
    return RoomList([
        RoomInfo(room["name"], room["members"], room["maxMembers"] if is_count(room.get("maxMembers")) else None)
        for room in (rooms if isinstance(rooms, list) else [])
        if is_dict(room) and is_text(room.get("name")) and is_count(room.get("members"))
    ], more if is_count(more) else 0)


def read_ids(verb, to):
    """Returns the ids of a member or several, each once: of a Peer, an id, or what gives such. Raises TypeError."""
    several = [to] if isinstance(to, (str, Peer)) else to
    try:
        ids = [getattr(each, "id", each) for each in several]
    except TypeError:
        ids = [to]
    for each in ids:
        if not isinstance(each, str):
            raise TypeError("Cannot %s: to is %s, Peers and ids of Peers are allowed" % (verb, show(each)))
    return list(dict.fromkeys(ids))


def check_members(count):
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError("Cannot use max_members: it is of type %s, an int is allowed" % type(count).__name__)
    if not 1 <= count <= MAX_COUNT:
        raise ValueError("Cannot use max_members: it is %s, a whole number from 1 is allowed" % show(count))
    return count


def check_key(verb, key):
    if not isinstance(key, str):
        raise TypeError("Cannot %s a key: it is of type %s, a str is allowed" % (verb, type(key).__name__))
    if not 1 <= len(key) <= 128:
        raise ValueError("Cannot %s %s: the key has %d characters, 1 to 128 are allowed" % (verb, show(key), len(key)))
    if any(0xd800 <= ord(character) <= 0xdfff for character in key):
        raise ValueError("Cannot %s %s: the key has half of a surrogate pair, whole characters are allowed"
                         % (verb, show(key)))


class Peer:
    """Another session in the room, with the newest value of each of its keys."""

    def __init__(self, peer_id, name, state=()):
        self.id, self.name, self.state = peer_id, name, dict(state)

    def __repr__(self):
        return "%s %r" % (self.id if self.id.isalnum() else repr(self.id), self.name)


class Message(collections.namedtuple("Message", "event peer time")):
    """An event with who sent it and when; `from_host`: whether that one led the room, where the event stands."""

    from_host = False

    def _replace(self, **changes):
        message = super()._replace(**changes)
        message.from_host = self.from_host
        return message

    __replace__ = _replace  # what copy.replace() calls


class Room:
    """Who and what is there, kept up to date by control lines."""

    def __init__(self):
        #: Peers by id, the room's own keys, and our own id there.
        self.peers, self.state, self.own_id = {}, {}, None
        #: Those who left last: what they said may be told after their leaving.
        self._departed = {}

    def follow(self, name, body):
        """Does all that a control line says; `name` has its $. Unknown ones are ignored.

        Returns the changes that it made, as tuples (kind, *details), in their order.
        """
        changes = []
        if name == "$welcome":
            if body["resumed"]:
                return changes
            changes += self._keep_only(())  # another session: nothing is known to have stayed
            self.state.clear()
            self.own_id = body["id"]
            changes += [self._join(peer) for peer in body["peers"]]
            changes += [self._set(None, {"key": key, "value": value}) for key, value in body["state"].items()]
        elif name == "$peers":
            changes += self._keep_only([peer["id"] for peer in body["peers"]])
            changes += [self._join(peer) for peer in body["peers"] if peer["id"] not in self.peers]
        elif name == "$join":
            changes.append(self._join(body))
        elif name == "$leave" and body["id"] in self.peers:
            changes.append(("leave", self._leave(body["id"]), body["reason"]))
        elif name == "$set" and body.get("room"):
            changes.append(self._set(None, body))
        elif name == "$set" and body["from"] in self.peers:
            changes.append(self._set(self.peers[body["from"]], body))
        return changes

    def find(self, peer_id):
        """Returns who has, or had, an id; one without a name if nothing is known of it, None for no id."""
        if peer_id is None:
            return None
        return self.peers.get(peer_id) or self._departed.get(peer_id) or Peer(peer_id, "", ())

    def _leave(self, peer_id):
        peer = self.peers.pop(peer_id)
        self._departed[peer_id] = peer
        while len(self._departed) > MAX_DEPARTED:
            self._departed.pop(next(iter(self._departed)))
        return peer

    def _join(self, body):
        peer = self.peers[body["id"]] = Peer(body["id"], body["name"], body.get("state", ()))
        return "join", peer

    def _keep_only(self, ids):
        gone = set(self.peers).difference(ids)
        return [("leave", self._leave(peer_id), "lost") for peer_id in sorted(gone)]

    def _set(self, peer, body):
        state = self.state if peer is None else peer.state
        if "value" in body:
            state[body["key"]] = body["value"]
            return "set", peer, body["key"], body["value"]
        state.pop(body["key"], None)
        return "unset", peer, body["key"]


class SentLines:
    """What was sent and is not confirmed: after a break it is sent again, where the relay has not counted it."""

    def __init__(self):
        #: How many bytes wait for confirmation.
        self.bytes = 0
        self._lines, self._confirmed, self._first_number = collections.deque(), 0, 2

    def add(self, lines):
        self._lines.extend(lines)
        self.bytes += sum(map(len, lines))

    def confirm(self, count):
        """Forgets the lines that lie before `count` bytes of the stream. Returns whether that count can be."""
        if not self._confirmed <= count <= self._confirmed + self.bytes:
            return False
        while self._lines and self._confirmed + len(self._lines[0]) <= count:
            size = len(self._lines.popleft())
            self._confirmed += size
            self.bytes -= size
            self._first_number += 1
        return True

    def begin_connection(self):
        """Returns the lines that are not confirmed, as bytes; they are the first ones after the hello."""
        self._first_number = 2
        return b"".join(self._lines)

    def line(self, number):
        """Returns the line of this connection that has the number, as an $error names it; None if it is forgotten."""
        at = number - self._first_number
        return self._lines[at] if 0 <= at < len(self._lines) else None

    def restart(self):
        """Forgets all, for a new session; returns how many events, and changes of the room's keys, were among it."""
        unsure = sum(not line.startswith(b'{"$') or line.startswith(b'{"$to"') or line.endswith(b',"room":true}}\n')
                     for line in self._lines)
        self._lines.clear()
        self.bytes = self._confirmed = 0
        return unsure


class Clock:
    """The relay's clock, from questions and answers. Times are in ms; ours are of a clock that never goes back."""

    def __init__(self):
        self._lock = threading.Lock()
        self._forget()

    def reset(self):
        """Begins anew: for another relay."""
        with self._lock:
            self._forget()

    def _forget(self):
        #: The last round trip in ms; None at first.
        self.rtt = None
        self._samples = collections.deque(maxlen=SAMPLES)  # (round trip, what the relay's clock is ahead of ours)
        self._ahead, self._told, self._told_at = 0.0, -math.inf, None

    def add(self, sent_at, received_at, relay_time):
        """Takes a sample: when we asked, when the answer came, and the relay's time in it. One that no network can
        bring into line with the others shows that a clock was set, or stood still: it begins anew."""
        rtt, ahead = received_at - sent_at, relay_time - (sent_at + received_at) / 2
        if rtt < 0:
            return
        with self._lock:
            if self._samples:
                best_rtt, best_ahead = min(self._samples)
                if abs(ahead - best_ahead) > (rtt + best_rtt) / 2 + FAR_MS:
                    self._forget()
            self.rtt = rtt
            self._samples.append((rtt, ahead))

    def now(self, at):
        """Tells the relay's time at `at` in ms since 1970, wrong by half the shortest round trip at most; None before
        the first sample. Never goes back, unless the clock began anew."""
        with self._lock:
            if not self._samples:
                return None
            missing = min(self._samples)[1] - self._ahead
            if len(self._samples) == SAMPLES and self._told_at is not None:  # it is known well: no more jumps
                most = SLEW * (at - self._told_at)
                missing = max(-most, min(most, missing))
            self._ahead += missing
            self._told_at, self._told = at, max(self._told, at + self._ahead)
            return self._told
