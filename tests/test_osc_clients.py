"""A real player and real clients: liblo's oscsend and oscdump, node-osc from npm, and a socket with
bytes written by hand after the OSC 1.0 specification.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from player.clock import wall_ns
from shows.schema import OscOut, OscTarget
from shows.show_file import save_settings
from tests.installation_process import Installation
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

pytestmark = pytest.mark.slow  # the player is a process
needs_liblo = pytest.mark.skipif(
    not (shutil.which("oscsend") and shutil.which("oscdump")),
    reason="oscsend and oscdump (liblo-tools) are missing",
)
NODE = """
import { Client, Server } from 'node-osc'
const [, , playerPort, ownPort] = process.argv.map(Number)
const client = new Client('127.0.0.1', playerPort)
const server = new Server(ownPort, '127.0.0.1')
const tell = (said) => console.log(JSON.stringify(said))
server.on('message', (message) => tell(message))
server.on('bundle', (bundle) => bundle.elements.forEach(tell))
server.on('listening', () => {
  client.send('/ballad', 'ballad-2', () => client.send('/brightness', 0.25, () =>
    client.send('/screen/2/ballad', 4, () => client.send('/hold', 1))))
})
process.stdin.on('data', () => process.exit(0))
"""


@dataclass
class Listening:
    """A program that prints what it hears, a line each."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def heard(self, pattern: str, *, seconds: float = 20) -> bool:
        return wait_for(
            lambda: any(re.search(pattern, line) for line in list(self.lines)), seconds=seconds
        )

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._thread.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Playing:
    """A player whose show file names two who are always told."""

    player: Installation
    port: int
    told: tuple[int, int]


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    folder: Path = tmp_path_factory.mktemp("show")
    show = make_tiny_show(folder, screens=3, ballads=4, paintings=2, size=4)
    told = (free_port(), free_port())
    targets = tuple(OscTarget(host="127.0.0.1", port=port) for port in told)
    save_settings(folder, show.settings.model_copy(update={"osc": OscOut(send_to=targets)}))
    play = ("--show", folder, "--mode", "slate", "--outputs", "headless", "--size", "16x16")
    with Installation("play", *play) as player:
        yield Playing(player, int(player.said(r"OSC: \S+ port (\d+)")[1]), told)


@needs_liblo
def test_oscsend_steers_and_oscdump_hears_it(playing: Playing) -> None:
    dump = ["oscdump", "-L", str(playing.told[0])]
    listening = Listening(subprocess.Popen(dump, stdout=subprocess.PIPE, text=True))
    try:
        assert listening.heard(r" /status/frame i \d+$"), "told without subscribing"
        for words, wanted in (
            (("/ballad", "s", "ballad-3"), r' /ballad s "ballad-3"$'),
            (("/hold", "i", "1"), r" /hold i 1$"),
            (("/hold", "T"), r" /hold i 1$"),
            (("/blackout", "if", "1", "0.1"), r" /blackout i 1$"),
            (("/brightness", "f", "0.5"), r" /brightness f 0\.500000$"),
            (("/screen/2/ballad", "i", "4"), r' /screen/2/title s "Ballad number 4"$'),
            (("/safe",), r" /blackout i 0$"),
        ):
            sent = ["oscsend", "localhost", str(playing.port), *words]
            subprocess.run(sent, check=True)
            assert listening.heard(wanted), (words, listening.lines[-20:])
    finally:
        listening.end()


def test_bytes_written_by_hand(playing: Playing) -> None:
    """Message, bundles with time tags, subscription, and answers read with struct."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.bind(("127.0.0.1", 0))
        raw.settimeout(10)

        def ask(packet: bytes) -> tuple[str, ...]:
            raw.sendto(packet, ("127.0.0.1", playing.port))
            while True:
                if (answer := raw.recv(8192)).startswith(b"/reply\0\0,sss\0\0\0\0"):
                    return tuple(word.decode() for word in answer[16:].split(b"\0") if word)

        ballad = b"/ballad\0,i\0\0" + struct.pack(">i", 1)
        assert ask(ballad)[:2] == ("/ballad", "ok")
        assert ask(b"/ballad\0,\0\0\0") == ("/ballad", "ok", "ballad-1")
        hold = b"/hold\0\0\0,T\0\0"
        elements = b"".join(
            struct.pack(">i", len(message)) + message for message in (hold, b"/hold\0\0\0,\0\0\0")
        )
        since_1900_s = wall_ns() // 10**9 + 2_208_988_800
        in_an_hour = b"#bundle\0" + struct.pack(">II", since_1900_s + 3600, 0)
        refused = ask(in_an_hour + elements)
        assert refused[:2] == ("/hold", "error") and "is the sender's clock right?" in refused[2]
        an_hour_ago = b"#bundle\0" + struct.pack(">II", since_1900_s - 3600, 0)
        assert ask(an_hour_ago + elements)[:2] == ("/hold", "ok")
        assert ask(b"/hold\0\0\0,\0\0\0") == ("/hold", "ok", "1")
        assert ask(b"/nowhere\0\0\0\0,\0\0\0")[:2] == ("/nowhere", "error")
        raw.sendto(b"/subscribe\0\0,f\0\0" + struct.pack(">f", 5), ("127.0.0.1", playing.port))
        told = b""
        while b"/screen/3/line/text\0,s\0\0Line " not in told:
            told += raw.recv(8192)
        assert b"#bundle\0" + struct.pack(">Q", 1) in told
        assert b"/hold\0\0\0,i\0\0" + struct.pack(">i", 1) in told
        assert ask(b"/unsubscribe\0\0\0\0,\0\0\0")[2] == "no more is sent"
        assert ask(b"/safe\0\0\0,\0\0\0")[1] == "ok"


@pytest.mark.long
def test_node_osc_steers_and_hears_it(playing: Playing, tmp_path: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are missing")
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    (tmp_path / "client.js").write_text(NODE)
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "node-osc@11"]
    installed = subprocess.run(
        install, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    if installed.returncode != 0:
        pytest.skip(f"node-osc could not be installed from npm: {installed.stderr[-200:]}")
    listening = Listening(
        subprocess.Popen(
            ["node", "client.js", str(playing.port), str(playing.told[1])],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    try:
        for wanted in (
            ["/screen/1/ballad", "ballad-2"],
            ["/brightness", 0.25],
            ["/hold", 1],
            ["/screen/2/title", "Ballad number 4"],
        ):
            line = re.escape(json.dumps(wanted, separators=(",", ":")))
            assert listening.heard(f"^{line}$"), (wanted, listening.lines[-20:])
    finally:
        listening.end()
        assert listening.process.stdin is not None
        listening.process.stdin.close()
