"""Two players as two nodes of one show on this machine's loopback, live, really played."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

import pytest

from player.cards.strip_reader import decode
from player.wall.front_buffer import read_front_buffer
from shows.schema import Node
from shows.show_file import save_settings
from tests.installation_process import Installation
from tests.live_show import make_live_show
from tests.tick_helpers import wait_for


def free_ports(count: int) -> list[int]:
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


def frames(front: Path) -> list[int]:
    return [decode(picture) for picture in read_front_buffer(front)]


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_two_nodes_play_one_show(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show")
    names = tuple(screen.name for screen in show.settings.screens)
    left_port, right_port = free_ports(2)
    nodes = (
        Node(name="left", host="127.0.0.1", port=left_port, screens=names[:3]),
        Node(name="right", host="127.0.0.1", port=right_port, screens=names[3:]),
    )
    (show.folder / "sync.key").write_text("a key of sixteen bytes or more\n")
    sync = show.settings.sync.model_copy(update={"key_file": "sync.key"})
    update = {"nodes": nodes, "sync": sync, "ballad_change_frames": 10}
    save_settings(show.folder, show.settings.model_copy(update=update))
    words = ("--show", show.folder, "--outputs", "headless", "--size", "96x80", "--stamp")

    def node(name: str) -> Installation:
        told = ("--front-buffer", tmp_path / name, "--report", tmp_path / f"{name}.json")
        return Installation(*words, "--node", name, "--threads", 1, *told)

    with node("left") as left, node("right") as right:
        for one in (left, right):
            one.status_with(r"source live;.*; (left|right) (leads|follows)")
        leads = "left" if "left leads" in left.ask("/status") else "right"
        follower = right if leads == "left" else left
        assert follower.ask("/screen/1/ballad", 5) == "sent on to the machine that leads"
        for one in (left, right):
            one.status_with(r"; 1 ballad-5 painting")
        seen: list[tuple[list[int], list[int]]] = []

        def agree() -> bool:
            seen.append((frames(tmp_path / "left"), frames(tmp_path / "right")))
            return len(set(seen[-1][0] + seen[-1][1])) == 1

        assert wait_for(agree, seconds=20), seen[-5:]
        assert (len(seen[-1][0]), len(seen[-1][1])) == (3, 4)
        for one in (left, right):
            assert wait_for(lambda one=one: 0 <= float(one.ask("/status/skew")) < 1000 / 30)
        with pytest.raises(AssertionError, match="does not hang on this machine"):
            left.ask("/screen/7/brightness", 0.5)
        for one in (left, right):
            assert one.ends_within_a_second_of(signal.SIGTERM)
    for name in ("left", "right"):
        report = json.loads((tmp_path / f"{name}.json").read_text())
        assert report["node"] == name and report["osc_errors"] == (name == "left")
        assert re.search(r"leads|follows|holds over", report["sync"])
        assert "DIFFERS" not in report["sync"] and "refused" not in report["sync"], report["sync"]
