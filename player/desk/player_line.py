"""The desk's line to the player: OSC over UDP, as any other client. A thread listens."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

from player.clock import Clock
from player.desk.state import DeskState
from player.osc.packets import PacketError, decode_packet, encode_message
from player.osc.rows import Value

PING_NS = 700_000_000
SUBSCRIBED_S = 20.0
RENEW_NS = 8_000_000_000
_POLL_S = 0.1


class PlayerLine:
    """`start` it once, `close` it at the end. `state` is read and written under `lock`."""

    def __init__(self, address: tuple[str, int], clock: Clock) -> None:
        self.address, self.clock = address, clock
        self.state, self.lock = DeskState(), threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="player-line", daemon=True)
        self._ping_ns = self._renew_ns = 0

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Say goodbye, so that the player sends no more."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)
        self.ask("/unsubscribe")
        self._socket.close()

    def send(self, address: str, *arguments: Value) -> None:
        """A command of the operator; it and its answer stand in the log."""
        with self.lock:
            self.state.sent(address, arguments, self.clock.now_ns())
        self.ask(address, *arguments)

    def ask(self, address: str, *arguments: Value) -> None:
        """The same without a word in the log."""
        plain = [int(value) if isinstance(value, bool) else value for value in arguments]
        types = "".join(
            "s" if isinstance(value, str) else "i" if isinstance(value, int) else "f"
            for value in plain
        )
        with contextlib.suppress(OSError):  # nobody there, or no network: seen by the silence
            self._socket.sendto(encode_message(address, types, plain), self.address)

    def _listen(self) -> None:
        while not self._closing.is_set():
            now_ns = self.clock.now_ns()
            if now_ns - self._ping_ns >= PING_NS:
                self._ping_ns = now_ns
                self._keep_up(now_ns)
            if select.select([self._socket], [], [], _POLL_S)[0]:
                with contextlib.suppress(OSError, PacketError):  # Windows: nobody was there
                    datagram, sender = self._socket.recvfrom(65535)
                    if sender[:2] == self.address:
                        self._take(datagram)

    def _keep_up(self, now_ns: int) -> None:
        with self.lock:
            self.state.tend(now_ns)
            is_due = now_ns - self._renew_ns > RENEW_NS or self.state.needs_subscription(now_ns)
        if is_due:
            self._renew_ns = now_ns
            self.ask("/subscribe", SUBSCRIBED_S)
        self.ask("/status")

    def _take(self, datagram: bytes) -> None:
        messages = decode_packet(datagram)
        with self.lock:
            for message in messages:
                self.state.hear(message, self.clock.now_ns())
