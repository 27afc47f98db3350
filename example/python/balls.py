"""Joins the game of bouncing balls without a window, and prints one line a second.

    python3 example/python/balls.py [HOST[:PORT]] [--balls N] [--hz N] [--name NAME] [--seconds N]

Its balls bounce through the same 640 x 480 world as those of the terminal game, and each sees the other's.
"""

import argparse
import math
import os
import random
import sys
import time

from relay_client import Relay
from relay_wire import DEFAULT_PORT, LOBBY, read_target

WIDTH, HEIGHT, RADIUS = 640, 480, 10

#: How long after its last event a ball counts as there, in seconds.
SILENCE_S = 10

#: How many balls of others are kept at most.
MAX_OTHERS = 10_000


class Ball:
    """One of our balls: world units, and world units per second."""

    def __init__(self, ball_id):
        self.id = ball_id
        self.x = random.uniform(RADIUS, WIDTH - RADIUS)
        self.y = random.uniform(RADIUS, HEIGHT - RADIUS)
        direction = random.uniform(0, 2 * math.pi)
        speed = random.uniform(40, 200)
        self.vx, self.vy = speed * math.cos(direction), speed * math.sin(direction)

    def step(self, seconds):
        self.x, self.vx = bounce(self.x + self.vx * seconds, self.vx, RADIUS, WIDTH - RADIUS)
        self.y, self.vy = bounce(self.y + self.vy * seconds, self.vy, RADIUS, HEIGHT - RADIUS)

    def event(self):
        return {
            "id": self.id,
            "pos": [round(self.x, 1), round(self.y, 1)],
            "vel": [round(self.vx, 1), round(self.vy, 1)],
        }


def bounce(at, speed, low, high):
    """Reflects a coordinate that ran over a wall; returns it and its speed, which then points inwards."""
    if at < low:
        return min(2 * low - at, high), abs(speed)
    if at > high:
        return max(2 * high - at, low), -abs(speed)
    return at, speed


def is_number(value):
    """Tells a number a world may have in it: no NaN, and no whole number that is too large for a float."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 1e9


def is_pair(value):
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def is_ball(event):
    """Tells a ball's event from whatever else goes over a relay that is shared with other groups."""
    return (
        isinstance(event, dict)
        and isinstance(event.get("id"), str)
        and 0 < len(event["id"]) <= 64
        and is_pair(event.get("pos"))
        and is_pair(event.get("vel"))
    )


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def count(text):
    if not text.isascii() or not text.isdigit() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 1000")
    return int(text)


def target(text):
    try:
        host, port, room = read_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error))
    if room not in (None, LOBBY):
        raise argparse.ArgumentTypeError(f"{text!r} names a room, plain clients are in the room {LOBBY!r}")
    return host, port


def parse_options():
    parser = argparse.ArgumentParser(description="Joins the game of bouncing balls without a window.")
    parser.add_argument("target", nargs="?", type=target, default=("localhost", DEFAULT_PORT),
                        metavar="TARGET", help="host or host:port (default localhost:%d)" % DEFAULT_PORT)
    parser.add_argument("--balls", type=count, default=10, help="balls of your own, 0 to 1000 (default 10)")
    parser.add_argument("--hz", type=positive, default=10, help="how often each is sent a second (default 10)")
    parser.add_argument("--name", default="python", help="what the balls' ids begin with (default python)")
    parser.add_argument("--seconds", type=positive, default=math.inf, help="stop after so many seconds")
    return parser.parse_args()


def play(relay, options):
    prefix = f"{options.name}-{random.getrandbits(24):06x}"
    balls = [Ball(f"{prefix}-{number}") for number in range(1, options.balls + 1)]
    others = {}  # id of a ball -> when it was last heard of
    ignored = 0
    began = told = last = time.monotonic()
    sent, received = relay.sent, relay.received

    while time.monotonic() - began < options.seconds:
        time.sleep(1 / options.hz)
        now = time.monotonic()
        for event in relay.drain():
            if is_ball(event) and (event["id"] in others or len(others) < MAX_OTHERS):
                others[event["id"]] = now
            else:
                ignored += 1
        for ball in balls:
            ball.step(now - last)
            relay.send(ball.event())
        last = now
        if now - told >= 1:
            others = {name: heard for name, heard in others.items() if now - heard < SILENCE_S}
            why = f" error={str(relay.error)!r}" if relay.error else ""
            print(f"connection={relay.status} in/s={(relay.received - received) / (now - told):.0f} "
                  f"out/s={(relay.sent - sent) / (now - told):.0f} own={len(balls)} others={len(others)} "
                  f"ignored={ignored}{why}", flush=True)
            told, sent, received = now, relay.sent, relay.received


def main():
    options = parse_options()
    host, port = options.target
    with Relay(host, port) as relay:
        try:
            play(relay, options)
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:  # as with `| head`: nobody reads any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
