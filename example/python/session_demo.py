"""Joins a room, and prints who comes and goes, their state, events, and the relay's clock beside one's own.

    python3 example/python/session_demo.py [HOST [PORT [ROOM [NAME]]]]
"""

import sys
import time

from session_client import DEFAULT_PORT, Session


class Narrator(Session):
    """Prints what happens; repr keeps control characters of others from the terminal."""

    def on_change(self, kind, *details):
        print(kind, *map(repr, details), flush=True)


def main():
    host, port, room, name = sys.argv[1:5] + ["localhost", DEFAULT_PORT, "lobby", "python"][len(sys.argv[1:5]):]
    with Narrator(host, int(port), room, name) as session:
        try:
            narrate(session)
        except KeyboardInterrupt:
            pass


def narrate(session):
    began = time.monotonic()
    while session.status != "closed":
        session.set("seconds", round(time.monotonic() - began))
        for event in session.drain():
            print("event", repr(event), flush=True)
        now = session.now()
        if now is None:
            print(session.status, session.error or "", flush=True)
        else:
            print("%s room=%s id=%s peers=%d rtt=%.2fms clock=%+.2fms" % (
                session.status, session.room, session.id, len(session.peers), session.clock.rtt,
                now - time.time() * 1000), flush=True)
        time.sleep(1)
    print("refused: %s" % session.error, file=sys.stderr)


if __name__ == "__main__":
    main()
