"""A switch in user space that delays: what a kernel without netem cannot do.

    python -m tests.ethernet_relay SEED INTERFACE...

Takes every Ethernet frame from every interface (raw sockets, so as root) and sends it on to the
others after 0.2 ms plus an exponential 1 ms; one in a hundred waits 20 ms more, so that frames
overtake each other. Prints `ready`, and at its end how many frames it sent on.
"""

from __future__ import annotations

import heapq
import random
import selectors
import signal
import socket
import sys

from player.clock import HouseClock

DELAY_NS, MEAN_NS, SPIKE_NS, SPIKES = 200_000, 1_000_000, 20_000_000, 0.01
EVERY_PROTOCOL = 0x0003
OUTGOING = 4  # PACKET_OUTGOING: our own, seen again


def main(seed: str, *interfaces: str) -> int:
    rng, clock = random.Random(int(seed)), HouseClock()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sockets = []
    selector = selectors.DefaultSelector()
    for name in interfaces:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        opened.bind((name, EVERY_PROTOCOL))
        opened.setblocking(False)
        selector.register(opened, selectors.EVENT_READ)
        sockets.append(opened)
    lives_at: dict[bytes, socket.socket] = {}
    waiting: list[tuple[int, int, socket.socket, bytes]] = []
    number = 0
    print("ready", flush=True)
    try:
        while True:
            wait_ns = waiting[0][0] - clock.now_ns() if waiting else 1_000_000_000
            for key, _ in selector.select(max(wait_ns, 0) / 1e9):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                for _ in range(32):
                    try:
                        frame, where = source.recvfrom(65535)
                    except BlockingIOError:
                        break
                    if where[2] == OUTGOING:
                        continue
                    lives_at[frame[6:12]] = source
                    frame = without_udp_checksum(frame)
                    known = lives_at.get(frame[:6])
                    spike_ns = SPIKE_NS if rng.random() < SPIKES else 0
                    due_ns = (
                        clock.now_ns() + DELAY_NS + int(rng.expovariate(1 / MEAN_NS)) + spike_ns
                    )
                    for target in [known] if known else sockets:
                        if target is not source:
                            number += 1
                            heapq.heappush(waiting, (due_ns, number, target, frame))
            while waiting and waiting[0][0] <= clock.now_ns():
                _, _, target, frame = heapq.heappop(waiting)
                try:
                    target.send(frame)
                except OSError:
                    continue  # its cable is out
    finally:
        print(f"sent on {number}", flush=True)


def without_udp_checksum(frame: bytes) -> bytes:
    """The kernel leaves a checksum to the cable's hardware, which is not there; 0 means none."""
    header_at = 14
    if frame[12:14] != b"\x08\x00" or frame[header_at + 9] != socket.IPPROTO_UDP:
        return frame
    checksum_at = header_at + 4 * (frame[header_at] & 15) + 6
    return frame[:checksum_at] + b"\0\0" + frame[checksum_at + 2 :]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
