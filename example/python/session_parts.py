"""What a session knows beside events: who is in the room with which state, what may have to be sent again, and the
relay's clock. Touches no network. Used by session_client.py; the rules are those of docs/PROTOCOL.md.
"""

import collections
import threading

#: From how many samples the clock chooses; once it has them, how fast it is corrected, in ms per ms.
SAMPLES, SLEW = 8, 0.005


class Peer:
    """Another session in the room, with the newest value of each of its keys."""

    def __init__(self, peer_id, name, state=()):
        self.id, self.name, self.state = peer_id, name, dict(state)

    def __repr__(self):
        return "%s %r" % (self.id, self.name)


class Room:
    """Who and what is there, kept up to date by control lines. Calls on_change(kind, *details) after each change."""

    def __init__(self, on_change):
        #: Peers by id, and the room's own keys.
        self.peers, self.state = {}, {}
        self._on_change = on_change

    def follow(self, name, body):
        """Does what a control line says; `name` has its $. Unknown ones are ignored."""
        if name == "$welcome":
            self._keep_only(())  # another session: nothing is known to have stayed
            self.state.clear()
            for peer in body["peers"]:
                self._join(peer)
            for key, value in body["state"].items():
                self._set(None, {"key": key, "value": value})
        elif name == "$peers":
            self._keep_only([peer["id"] for peer in body["peers"]])
            for peer in body["peers"]:
                if peer["id"] not in self.peers:
                    self._join(peer)
        elif name == "$join":
            self._join(body)
        elif name == "$leave" and body["id"] in self.peers:
            self._on_change("leave", self.peers.pop(body["id"]), body["reason"])
        elif name == "$set" and body.get("room"):
            self._set(None, body)
        elif name == "$set" and body["from"] in self.peers:
            self._set(self.peers[body["from"]], body)

    def _join(self, body):
        peer = self.peers[body["id"]] = Peer(body["id"], body["name"], body.get("state", ()))
        self._on_change("join", peer)

    def _keep_only(self, ids):
        for peer_id in set(self.peers).difference(ids):
            self._on_change("leave", self.peers.pop(peer_id), "lost")

    def _set(self, peer, body):
        state = self.state if peer is None else peer.state
        if "value" in body:
            state[body["key"]] = body["value"]
            self._on_change("set", peer, body["key"], body["value"])
        else:
            state.pop(body["key"], None)
            self._on_change("unset", peer, body["key"])


class SentLines:
    """What was sent and is not confirmed: after a break it is sent again, where the relay has not counted it."""

    def __init__(self):
        #: How many bytes wait for confirmation.
        self.bytes = 0
        self._lines, self._confirmed = collections.deque(), 0

    def add(self, lines):
        self._lines.extend(lines)
        self.bytes += sum(map(len, lines))

    def confirm(self, count):
        """Forgets the lines that lie before `count` bytes of the stream."""
        while self._lines and self._confirmed + len(self._lines[0]) <= count:
            size = len(self._lines.popleft())
            self._confirmed += size
            self.bytes -= size

    def join(self):
        """Returns the lines that are not confirmed, as bytes."""
        return b"".join(self._lines)

    def restart(self):
        """Forgets all, for a new session; returns how many events were among it."""
        events = sum(not line.startswith(b'{"$') for line in self._lines)
        self._lines.clear()
        self.bytes = self._confirmed = 0
        return events


class Clock:
    """The relay's clock, from questions and answers. Times are in ms; ours are of a clock that never goes back."""

    def __init__(self):
        #: The last round trip in ms; None at first.
        self.rtt = None
        self._samples = collections.deque(maxlen=SAMPLES)  # (round trip, what the relay's clock is ahead of ours)
        self._lock = threading.Lock()
        self._ahead, self._told, self._told_at = 0.0, 0.0, None

    def add(self, sent_at, received_at, relay_time):
        """Takes a sample: when we asked, when the answer came, and the relay's time in it."""
        self.rtt = received_at - sent_at
        with self._lock:
            self._samples.append((self.rtt, relay_time - (sent_at + received_at) / 2))

    def now(self, at):
        """Tells the relay's time at `at` in ms since 1970, wrong by half the shortest round trip at most; None before
        the first sample. Never goes back."""
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
