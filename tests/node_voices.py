"""An operator inside a node's network namespace, on the machine's own clock.

python -m tests.node_voices ask PATTERN SECONDS    ask for the status until the pattern is in it;
                                                   print when that was, in ns, and the sync part
python -m tests.node_voices send                   for each number on standard input, print the
                                                   time and send /ballad with it
"""

from __future__ import annotations

import re
import socket
import sys

from pythonosc.osc_message_builder import OscMessageBuilder

from player.clock import HouseClock
from tests.tick_helpers import wait_for

PLAYER = ("127.0.0.1", 9000)
ANSWER_SECONDS = 0.05


def message(address: str, *args: int) -> bytes:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    datagram: bytes = builder.build().dgram
    return datagram


def ask(speaker: socket.socket, clock: HouseClock, pattern: str, seconds: float) -> int:
    speaker.settimeout(ANSWER_SECONDS)

    def fits() -> bool:
        speaker.sendto(message("/status"), PLAYER)
        try:
            answer = speaker.recv(9000).decode("latin-1").replace("\0", "")
        except OSError:  # nobody answers, or not yet
            return False
        if re.search(pattern, answer):
            print(clock.now_ns(), answer[answer.find("node-") :])
            return True
        return False

    return 0 if wait_for(fits, seconds=seconds) else 1


def send(speaker: socket.socket, clock: HouseClock) -> int:
    for line in sys.stdin:
        datagram = message("/ballad", int(line))
        print(clock.now_ns(), flush=True)
        speaker.sendto(datagram, PLAYER)
    return 0


def main(verb: str, *words: str) -> int:
    clock = HouseClock()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        if verb == "ask":
            return ask(speaker, clock, words[0], float(words[1]))
        return send(speaker, clock)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
