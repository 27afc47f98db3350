"""Joins a room, and prints who comes and goes, their state, events, and the relay's clock beside one's own.

    python3 example/python/session_demo.py [HOST[:PORT][/ROOM] [NAME]]
"""

import argparse
import sys
import time

from session_client import Session


class Narrator(Session):
    """Prints what happens; repr keeps control characters of others from the terminal."""

    def on_change(self, kind, *details):
        say(" ".join([kind, *map(repr, details)]))


def say(text):
    """Prints text; letters that the terminal, or a file, can't have (LANG=C) are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Prints who comes and goes in a room, their state and events.")
    parser.add_argument("target", nargs="?", default="localhost", metavar="HOST[:PORT][/ROOM]")
    parser.add_argument("name", nargs="?", default="python", metavar="NAME")
    args = parser.parse_args()
    try:
        session = Narrator(args.target, name=args.name)
    except ValueError as error:
        parser.error(str(error))
    with session:
        try:
            narrate(session)
        except KeyboardInterrupt:
            pass


def narrate(session):
    began = time.monotonic()
    while session.status != "closed":  # then it was refused, and has said so
        session.set("seconds", round(time.monotonic() - began))
        for event in session.drain():
            say("event %r" % (event,))
        now = session.now()
        if now is None:
            say(session.status)
        else:
            say("%s room=%r id=%r peers=%d rtt=%.2fms clock=%+.2fms" % (
                session.status, session.room, session.id, len(session.peers), session.clock.rtt,
                now - time.time() * 1000))
        time.sleep(1)


if __name__ == "__main__":
    main()
