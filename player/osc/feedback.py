"""What is told without being asked: values that change, and events, to those who subscribed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from player.osc import packets
from player.osc.rows import Value
from player.osc.values import READ_OF_ALL, READ_OF_SCREEN, value_of
from player.reading import Reading
from shows.timeline import position_at

MOST_SUBSCRIBERS = 32
EVERY_NS = 90_000_000  # every third frame at 30 a second
MAX_BUNDLE_BYTES = 1400  # a datagram that no network cuts
NS_PER_S = 1_000_000_000

Send = Callable[[bytes, object], None]
Place = tuple[str, int, int, bool]


class TooManySubscribersError(Exception):
    """The text is a sentence for the one who asked."""


@dataclass(eq=False)
class _Subscriber:
    until_ns: int | None
    told: dict[str, Value] = field(default_factory=dict)


class Feedback:
    """Sends to subscribers some ten times a second what changed, and every event at once.

    Events: `/event/line` (screen, ballad, line) as a painting is reached, `/event/stop` (screen,
    stop) at each stop of its loop, `/event/morph` (screen, ballad, line left) as it is left. They
    are for lights and sound. Called from the frame loop's thread; sending must not block.
    """

    def __init__(
        self,
        send: Send,
        always: tuple[object, ...] = (),
        reaches: Callable[[object], bool] = lambda subscriber: True,
    ) -> None:
        """always: socket addresses that are told without subscribing, such as the show file's.
        reaches: whether a subscriber is still there, as far as that can be known."""
        self._send, self._reaches = send, reaches
        self._subscribers: dict[object, _Subscriber] = {
            address: _Subscriber(None) for address in always
        }
        self._next_ns = 0
        self._places: dict[int, Place] = {}

    def subscribe(self, sender: object, seconds: float, now_ns: int) -> str:
        """0 seconds: no more. All values are sent anew. Raises TooManySubscribersError."""
        if seconds <= 0:
            self._subscribers.pop(sender, None)
            return "no more is sent"
        if sender not in self._subscribers and len(self._subscribers) >= MOST_SUBSCRIBERS:
            raise TooManySubscribersError(
                f"{MOST_SUBSCRIBERS} have subscribed already; one must go before another can come"
            )
        self._subscribers[sender] = _Subscriber(now_ns + int(seconds * NS_PER_S))
        self._next_ns = now_ns
        return f"what changes is sent for {seconds:g} s"

    def always_tell(self, always: tuple[object, ...]) -> None:
        """Who is told without subscribing, from now on."""
        asked = {
            sender: subscriber
            for sender, subscriber in self._subscribers.items()
            if subscriber.until_ns is not None or sender in always
        }
        self._subscribers = {address: _Subscriber(None) for address in always} | asked

    def is_due(self, now_ns: int) -> bool:
        """Whether anybody is there to be told. Drops those whose time is over, or who are gone."""
        gone = [
            sender
            for sender, subscriber in self._subscribers.items()
            if (subscriber.until_ns is not None and subscriber.until_ns <= now_ns)
            or not self._reaches(sender)
        ]
        for sender in gone:
            del self._subscribers[sender]
        return bool(self._subscribers)

    def tell(self, reading: Reading, now_ns: int) -> None:
        """Once on every tick for which `is_due`."""
        events = list(self._events(reading))
        changes = now_ns >= self._next_ns
        if changes:
            self._next_ns = now_ns + EVERY_NS
        values = dict(_all_values(reading)) if changes else {}
        for sender, subscriber in self._subscribers.items():
            fresh = {
                address: value
                for address, value in values.items()
                if subscriber.told.get(address) != value
            }
            subscriber.told.update(fresh)
            messages = events + [_message(address, (value,)) for address, value in fresh.items()]
            for datagram in _bundles(messages):
                self._send(datagram, sender)

    def _events(self, reading: Reading) -> Iterator[bytes]:
        for screen, cues in enumerate(reading.transport.cues):
            at = position_at(reading.show, cues, reading.frame)
            place = (at.ballad_id, at.painting_index, at.stop, at.in_morph)
            before = self._places.get(screen)
            self._places[screen] = place
            if before is None or before == place:
                continue
            if at.in_morph and not before[3]:
                yield _message("/event/morph", (screen + 1, before[0], before[1] + 1))
            elif not at.in_morph and (before[3] or before[:2] != place[:2]):
                yield _message("/event/line", (screen + 1, at.ballad_id, at.painting_index + 1))
            elif not at.in_morph and at.stop != before[2]:
                yield _message("/event/stop", (screen + 1, at.stop))


def _all_values(reading: Reading) -> Iterator[tuple[str, Value]]:
    for path in READ_OF_ALL:
        yield path, value_of(reading, path, None)
    for screen in range(len(reading.transport.cues)):
        for path in READ_OF_SCREEN:
            yield path.replace("{screen}", str(screen + 1)), value_of(reading, path, screen)


def _message(address: str, values: tuple[Value, ...]) -> bytes:
    """Switches as whole numbers, which every controller knows."""
    plain = [int(value) if isinstance(value, bool) else value for value in values]
    types = "".join(
        "s" if isinstance(value, str) else "i" if isinstance(value, int) else "f" for value in plain
    )
    return packets.encode_message(address, types, plain)


def _bundles(messages: list[bytes]) -> Iterator[bytes]:
    bundle: list[bytes] = []
    size = 16
    for message in messages:
        if bundle and size + 4 + len(message) > MAX_BUNDLE_BYTES:
            yield packets.encode_bundle(bundle)
            bundle, size = [], 16
        bundle.append(message)
        size += 4 + len(message)
    if bundle:
        yield packets.encode_bundle(bundle)
