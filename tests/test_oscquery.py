"""OSCQuery against the proposal's rules, generated from the table: a real player, the real server
as its own process, a real HTTP client and WebSocket, and liblo's oscsend.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from zeroconf import IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf

from player.osc import query_mirror
from player.osc.packets import decode_packet, encode_message
from player.osc.query_discovery import services
from player.osc.query_mirror import Mirror
from player.osc.query_nodes import ATTRIBUTES, Show, attribute, namespace, value_of
from player.osc.rows import Row
from player.osc.table import ROWS
from tests.installation_process import ROOT, Installation
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

SCREENS = 3
BALLADS = ["ballad-1", "ballad-2", "ballad-3", "ballad-4"]
LAUNCH = (
    "import argparse, sys; from player.osc import query_command as verb; "
    "parser = argparse.ArgumentParser(); verb.add_arguments(parser); "
    "sys.exit(verb.run(parser.parse_args()))"
)
needs_oscsend = pytest.mark.skipif(
    shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is missing"
)
pytestmark = pytest.mark.slow  # the player and the server are processes

# a node as the proposal has it: core functionality and the optional attributes
NODE = {
    "$id": "node",
    "type": "object",
    "required": ["FULL_PATH", "DESCRIPTION", "ACCESS"],
    "additionalProperties": False,
    "properties": {
        "FULL_PATH": {"type": "string", "pattern": "^/"},
        "CONTENTS": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#"}},
        "TYPE": {"type": "string", "pattern": "^([ifsT]+|N)$"},
        "ACCESS": {"enum": [0, 1, 2, 3]},
        "VALUE": {"type": "array", "minItems": 1},
        "DESCRIPTION": {"type": "string", "minLength": 1},
        "RANGE": {"$ref": "#/$defs/ranges"},
        "OVERLOADS": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["TYPE"],
                "properties": {"TYPE": {"type": "string"}, "RANGE": {"$ref": "#/$defs/ranges"}},
            },
        },
    },
    "$defs": {
        "ranges": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "MIN": {"type": "number"},
                    "MAX": {"type": "number"},
                    "VALS": {"type": "array", "minItems": 1},
                },
            },
        }
    },
}
JSON_TYPES = {"i": int, "f": float, "s": str, "T": bool}


@dataclass(eq=False)
class Served:
    """A player and the server that mirrors it."""

    player: Installation
    player_port: int
    url: str
    server: subprocess.Popen[str]
    http: httpx.Client

    def get(self, path: str, **asked: int) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == asked.get("status", 200), (path, answer.text)
        return answer.json() if answer.status_code == 200 else None

    def value(self, path: str) -> Any:
        answer = self.http.get(f"{path}?VALUE")
        return answer.json()["VALUE"] if answer.status_code == 200 else None

    def oscsend(self, *words: str) -> None:
        subprocess.run(["oscsend", "localhost", str(self.player_port), *words], check=True)

    def websocket(self, **how: Any) -> ClientConnection:
        return connect(self.url.replace("http", "ws", 1), **how)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("show")
    make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)
    return folder


@pytest.fixture(scope="module")
def served(show: Path) -> Iterator[Served]:
    play = ("--show", show, "--mode", "slate", "--outputs", "headless", "--size", "16x16")
    with Installation("play", *play) as player:
        port = int(player.said(r"OSC: \S+ port (\d+)")[1])
        with launched(show, port) as (server, url), httpx.Client(base_url=url) as http:
            served = Served(player, port, url, server, http)
            assert wait_for(lambda: served.value("/screen/3/gamma") == [1.0], seconds=20)
            yield served


class launched:  # noqa: N801 (used as a context)
    def __init__(self, show: Path, port: int, *more: str) -> None:
        self.words = ["--show", str(show), "--player", f"127.0.0.1:{port}", "--port", "0", *more]

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *self.words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("OSCQuery: http://"), line
        return self.process, line.split()[1].rstrip("/")

    def __exit__(self, *fault: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def paths(row: Row) -> list[str]:
    if "{screen}" in row.path:
        return [row.path.replace("{screen}", str(n)) for n in range(1, SCREENS + 1)]
    return [] if "{group}" in row.path else [row.path]  # groups have a test of their own


def nodes(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield told
    for child in told.get("CONTENTS", {}).values():
        yield from nodes(child)


def test_the_whole_tree_is_as_the_proposal_wants_it(served: Served) -> None:
    tree = served.get("/")
    jsonschema.Draft202012Validator(NODE).validate(tree)
    assert tree["FULL_PATH"] == "/"
    for node in nodes(tree):
        for name, child in node.get("CONTENTS", {}).items():
            assert child["FULL_PATH"] == f"{node['FULL_PATH'].rstrip('/')}/{name}"
    told = [node["FULL_PATH"] for node in nodes(tree) if "TYPE" in node]
    assert sorted(told) == sorted(path for row in ROWS for path in paths(row))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_every_node_answers_whole_and_by_attribute(served: Served, row: Row) -> None:
    for path in paths(row):
        node = served.get(path)
        assert node["FULL_PATH"] == path and node["DESCRIPTION"] == row.says
        wanted = {"read": 1, "write": 2, "trigger": 2, "read and write": 3}[row.access]
        assert node["ACCESS"] == wanted
        assert ("VALUE" in node) == bool(wanted & 1)
        for name in ATTRIBUTES:
            answer = served.http.get(f"{path}?{name}")
            assert answer.status_code == (200 if name in node else 204), (path, name)
            if name not in node:
                assert not answer.content
            elif name not in ("VALUE", "CONTENTS"):  # those move on
                assert answer.json() == {name: node[name]}
        served.get(f"{path}?GABBAGABBAHEY", status=400)
        served.get(f"{path}/nowhere", status=404)
        if "VALUE" in node:
            assert [type(value) for value in node["VALUE"]] == [
                JSON_TYPES[letter] for letter in node["TYPE"]
            ]


@pytest.mark.parametrize("row", [row for row in ROWS if paths(row)], ids=lambda row: row.path)
def test_types_and_ranges_are_those_of_the_table(served: Served, row: Row) -> None:
    node = served.get(paths(row)[-1])
    whole = node.get("OVERLOADS", [node])[0] if row.make is not None else node
    tags = {"ballad": "s", "switch": "T", "number": "f", "whole": "i", "word": "s", "text": "s"}
    wanted = "".join(tags[one.kind] for one in row.arguments)
    assert whole["TYPE"] == (wanted or ("N" if row.make is not None else "s"))
    assert node["TYPE"] == whole["TYPE"][: len(node["TYPE"])]
    for place, argument in enumerate(row.arguments):
        told = whole["RANGE"][place] if "RANGE" in whole else {}
        assert (told.get("MIN"), told.get("MAX")) == (argument.low, argument.high)
        choices = BALLADS if argument.kind == "ballad" else list(argument.words)
        assert told.get("VALS", []) == choices
    for name in ("RANGE", "VALUE"):
        assert name not in node or len(node[name]) == len(node["TYPE"])


def test_groups_of_the_show_are_containers() -> None:
    root = namespace(Show("x", ("a", "b"), ("one",), ("left", "right")))
    for group in ("left", "right"):
        node = root.find(f"/group/{group}/ballad/")
        assert node is not None and node.row is not None
        assert attribute(node, "RANGE", {}, ("a", "b")) == [{"VALS": ["a", "b"]}]
        assert attribute(node, "ACCESS", {}, ()) == 2
    assert root.find("/group/middle") is None


def test_host_info_and_what_is_no_get(served: Served) -> None:
    for path in ("/", "/screen/1/ballad"):
        told = served.get(f"{path}?HOST_INFO")
        assert told["NAME"] == "A tiny show"
        assert told["OSC_PORT"] == served.player_port and told["OSC_TRANSPORT"] == "UDP"
        assert told["WS_PORT"] == int(served.url.rpartition(":")[2])
        used = {name for name, is_used in told["EXTENSIONS"].items() if is_used}
        assert used == {"ACCESS", "VALUE", "RANGE", "DESCRIPTION", "OVERLOADS", "LISTEN"}
    served.get("/screen/4", status=404)
    served.get("/%2e%2e/etc", status=404)
    assert served.http.post("/ballad", content=b"1").status_code == 405
    assert "OSC_IP" not in told, "the player is where the server is"


@needs_oscsend
def test_a_websocket_streams_what_oscsend_changes_and_no_more_after_ignore(served: Served) -> None:
    def next_message(websocket: ClientConnection) -> tuple[str, tuple[object, ...]]:
        (message,) = decode_packet(websocket.recv(10))  # type: ignore[arg-type]
        return message.address, message.arguments

    with served.websocket() as websocket:
        for said in ("no JSON", "[]", '{"COMMAND": "LISTEN"}', '{"COMMAND": "X", "DATA": "/hold"}'):
            websocket.send(said)
        for path in ("/hold", "/card", "/nowhere"):
            websocket.send(json.dumps({"COMMAND": "LISTEN", "DATA": path}))
        websocket.ping().wait(5)
        served.oscsend("/hold", "i", "1")
        assert next_message(websocket) == ("/hold", (True,))
        assert served.value("/hold") == [True]
        websocket.send(json.dumps({"COMMAND": "IGNORE", "DATA": "/hold"}))
        websocket.ping().wait(5)
        served.oscsend("/hold", "i", "0")
        assert wait_for(lambda: served.value("/hold") == [False])
        served.oscsend("/card", "s", "calibration")
        assert next_message(websocket) == ("/card", ("calibration",))
    served.oscsend("/card", "s", "none")


def test_osc_packets_on_a_websocket_reach_the_player(served: Served) -> None:
    with served.websocket() as websocket:
        websocket.send(encode_message("/unsubscribe", "", []))  # never for the mirror itself
        websocket.send(b"x" * 5000)
        websocket.send(encode_message("/screen/2/gamma", "f", [1.5]))
        assert wait_for(lambda: served.value("/screen/2/gamma") == [1.5], seconds=20)
        websocket.send(encode_message("/ballad", "s", ["ballad-3"]))
        assert wait_for(lambda: served.value("/ballad") == ["ballad-3"])


def test_a_page_of_another_site_may_not_steer(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        served.websocket(origin="http://elsewhere.example")
    assert refused.value.response.status_code == 403
    with served.websocket(origin=served.url):
        pass


def test_its_death_harms_nothing(served: Served, show: Path) -> None:
    with launched(show, served.player_port, "--no-announce") as (server, url):
        assert wait_for(lambda: "VALUE" in httpx.get(f"{url}/ballad").json(), seconds=20)
        server.kill()
        server.wait(10)
    assert served.player.reaches(served.player.frame() + 5)
    assert wait_for(lambda: served.value("/status/playing") == [True])


def test_ctrl_c_ends_it_cleanly_and_it_takes_its_leave(show: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.bind(("127.0.0.1", 0))
        player.settimeout(20)
        with launched(show, player.getsockname()[1], "--no-announce") as (server, _):
            assert b"/subscribe" in player.recv(100)
            server.send_signal(signal.SIGINT)
            assert server.wait(20) == 0
        told = b""
        while b"/unsubscribe" not in told:
            told = player.recv(100)


def test_a_programme_on_this_machine_finds_it_by_zeroconf(served: Served) -> None:
    found: dict[str, int] = {}
    browser = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)

    def seen(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        told = zeroconf.get_service_info(service_type, name, 2000)
        if state_change is ServiceStateChange.Added and told is not None and told.port is not None:
            assert told.parsed_addresses() == ["127.0.0.1"]
            found.setdefault(service_type, told.port)

    try:
        ServiceBrowser(browser, ["_oscjson._tcp.local.", "_osc._udp.local."], [seen])
        assert wait_for(lambda: len(found) == 2, seconds=15), found
    finally:
        browser.close()
    assert found["_oscjson._tcp.local."] == int(served.url.rpartition(":")[2])
    assert found["_osc._udp.local."] == served.player_port


def test_a_player_that_listens_on_loopback_is_not_announced_to_the_network() -> None:
    told = services("x", "192.168.7.2", 8081, "127.0.0.1", 9000)
    assert [one.type for one in told] == ["_oscjson._tcp.local."]
    told = services("x", "192.168.7.2", 8081, "192.168.7.3", 9000)
    assert [one.parsed_addresses() for one in told] == [["192.168.7.2"], ["192.168.7.3"]]


def test_a_player_that_comes_late_or_goes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_mirror, "RENEWED_EVERY_S", 0.02)
    monkeypatch.setattr(query_mirror, "SILENT_S", 0.2)
    root = namespace(Show("x", ("a",), ("one",)))
    mirror = Mirror(root, 1)
    hold = root.find("/hold")
    assert hold is not None

    async def lived() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
        running = asyncio.create_task(mirror.run("127.0.0.1", port))
        await asyncio.sleep(0.1)  # nobody is there
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
            player.bind(("127.0.0.1", port))
            player.setblocking(False)
            data, sender = await loop.sock_recvfrom(player, 4096)
            assert decode_packet(data)[0].address in ("/subscribe", "/screen/1/calibration")
            for junk in (
                b"junk",
                encode_message("/hold", "s", ["x"]),
                encode_message("/x", "", []),
            ):
                player.sendto(junk, sender)
            player.sendto(encode_message("/line", "s", ["no number"]), sender)
            player.sendto(encode_message("/hold", "i", [1]), sender)
            async with asyncio.timeout(5):
                while value_of(hold, mirror.values) != [True] or "/line" in mirror.values:
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            while mirror.values:
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(lived())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--show", "/nowhere"), "nowhere"),
        (("--player", "nobody.invalid:9000"), "nobody knows the host 'nobody.invalid'"),
        (("--player", "9000"), "write it as in 127.0.0.1:9000"),
        (("--host", "203.0.113.1"), "choose another with --port or --host"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(
    show: Path, words: tuple[str, str], sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, "--show", str(show), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr
