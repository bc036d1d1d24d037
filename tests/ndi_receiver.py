"""Receives an NDI source of this machine.

    NDI_CONFIG_DIR=... python -m tests.ndi_receiver NAME OUT.npy [SECONDS]

NAME is a part of the source's name. Writes the newest of what came within SECONDS (2) of the first
picture, [H, W, 3], and prints JSON: the name, the rate as [numerator, denominator], how many came.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from cyndilib.finder import Finder
from cyndilib.receiver import ReceiveFrameType, Receiver
from cyndilib.video_frame import VideoRecvFrame
from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

from player.clock import HouseClock

FOUND_WITHIN_S = 30


def main(name: str, out: Path, seconds: float) -> int:
    clock, finder = HouseClock(), Finder()
    finder.open()
    end_ns = clock.now_ns() + FOUND_WITHIN_S * 1_000_000_000
    while not (names := [found for found in finder.get_source_names() if name in found]):
        if clock.now_ns() > end_ns:
            print(f"no source {name!r} among {finder.get_source_names()}", file=sys.stderr)
            return 1
        finder.wait_for_sources(0.5)
    frame = VideoRecvFrame()
    receiver = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest)
    receiver.set_video_frame(frame)
    receiver.set_source(finder.get_source(names[0]))
    picture, count = None, 0
    while clock.now_ns() < end_ns:
        if not receiver.receive(ReceiveFrameType.recv_all, 100) & ReceiveFrameType.recv_video:
            continue
        data = np.zeros(frame.get_buffer_size(), np.uint8)
        frame.fill_p_data(data)
        picture = data.reshape(frame.yres, frame.xres, 4)[..., :3]
        count += 1
        if count == 1:
            end_ns = clock.now_ns() + int(seconds * 1_000_000_000)
    if picture is None:
        print(f"{names[0]} sent nothing", file=sys.stderr)
        return 1
    np.save(out, picture)
    rate = frame.get_frame_rate()
    print(
        json.dumps({"name": names[0], "rate": [rate.numerator, rate.denominator], "count": count})
    )
    return 0


if __name__ == "__main__":
    given = float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), given))
