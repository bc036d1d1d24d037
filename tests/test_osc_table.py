"""The one table: every row is whole, told in the guide, and does what it says to a running loop.

The effects are asked for by liblo's oscsend over a real port and read from the loop's own state.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from player.calibration_desk import CalibrationDesk
from player.commands import CommandError, HoldLine
from player.osc.feedback import Feedback, TooManySubscribersError
from player.osc.packets import decode_packet, encode_message
from player.osc.reference import GUIDE, with_reference
from player.osc.rows import Row
from player.osc.table import BY_PATH, LIMITS, ROWS
from player.osc.values import READ_OF_ALL, READ_OF_SCREEN, as_text, value_of
from player.reading import Reading
from player.reload.desk import NoReloads
from player.transport import apply_command, frame_at, opening_transport, tuning_at
from player.transport_text import transport_of, transport_text
from player.wall.calibration import FIELDS
from shows.show import Show
from shows.timeline import Tuning, latents_at
from tests.loop_rig import SCREENS, Rig
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

needs_oscsend = pytest.mark.skipif(
    shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is missing"
)


def test_paths_are_there_once_and_the_guide_is_made_of_them() -> None:
    assert len(BY_PATH) == len(ROWS)
    guide = GUIDE.read_text(encoding="utf-8")
    assert with_reference(guide) == guide, "python -m player.osc.reference makes it anew"


def test_every_value_that_can_be_asked_is_in_the_table_and_the_other_way_round() -> None:
    asked = {row.path for row in ROWS if row.ask is not None}
    calibrated = {f"/screen/{{screen}}/{name}" for name in (*FIELDS, "calibration")}
    assert asked - calibrated == {*READ_OF_ALL, *READ_OF_SCREEN}


@pytest.mark.parametrize("field", sorted(set(LIMITS) - {"corner"}))
def test_the_limits_told_are_those_of_the_calibration(field: str) -> None:
    row = BY_PATH[f"/screen/{{screen}}/{field}"]
    low, high = LIMITS[field]
    for value, fits in ((low, True), (high, True), (low - 0.01, False), (high + 0.01, False)):
        desk = CalibrationDesk(["a"], {}, None)
        others = 1.0 if field == "colour" else 0.0  # opposite sides of a crop would meet
        alone = (value, *[others] * (len(row.arguments) - 1))
        try:
            desk.set(0, field, alone)  # type: ignore[arg-type]
        except CommandError:
            assert not fits, (field, value)
        else:
            assert fits, (field, value)


class ReadsAtOnce(NoReloads):
    """Stands for a show that is read anew."""

    def ask(self, answer: Callable[[bool, str], None]) -> None:
        answer(True, "read anew: title")


@dataclass(eq=False)
class Played:
    """A loop past its preroll, with a real port; screens are counted from 0 here."""

    rig: Rig
    folder: Path
    sent: list[tuple[str, list[object]]]

    def send(self, path: str, *words: str) -> None:
        """One message from liblo, obeyed before this returns."""
        address = path.replace("{screen}", "2").replace("{group}", "left")
        port = str(self.rig.control.port)
        before = len(self.rig.answers)
        subprocess.run(["oscsend", "localhost", port, address, *words], check=True)
        assert wait_for(lambda: bool(self.rig.control._due)), address
        self.rig.run(1)
        assert wait_for(lambda: len(self.rig.answers) > before), address

    @property
    def reading(self) -> Reading:
        return self.rig.loop.reading()

    def value(self, path: str) -> object:
        return value_of(self.reading, path, 1 if "{screen}" in path else None)

    def ballads(self) -> list[str]:
        return [cues[-1].ballad_id[-1] for cues in self.reading.transport.cues]

    def places(self) -> list[int]:
        """The ballads' own frames once their change is through."""
        cues = [cues[-1] for cues in self.reading.transport.cues]
        return [int(cue.local_frame(cue.end_frame)) for cue in cues]

    def calibrated(self, field: str) -> object:
        return getattr(self.rig.wall.calibrations[1], field)


Check = Callable[[Played], object]
EFFECTS: dict[str, tuple[list[tuple[str, ...]], Check, object]] = {
    # path: messages ("other/path" first where there must be something to undo), what to look at,
    # and what it must be
    "/ballad": ([("i", "3")], Played.ballads, ["3", "3", "3"]),
    "/ballad/each": ([("/ballad", "i", "3"), ()], Played.ballads, ["1", "2", "3"]),
    "/ballad/next": ([()], Played.ballads, ["2", "3", "4"]),
    "/ballad/previous": ([()], Played.ballads, ["4", "1", "2"]),
    "/screen/{screen}/ballad": ([("s", "ballad-4")], Played.ballads, ["1", "4", "3"]),
    "/screen/{screen}/ballad/next": ([()], Played.ballads, ["1", "3", "3"]),
    "/screen/{screen}/ballad/previous": ([()], Played.ballads, ["1", "1", "3"]),
    "/group/{group}/ballad": ([("i", "4")], Played.ballads, ["4", "4", "3"]),
    "/group/{group}/ballad/next": ([()], Played.ballads, ["2", "3", "3"]),
    "/group/{group}/ballad/previous": ([()], Played.ballads, ["4", "1", "3"]),
    "/arrangement": (
        [("sf", "canon", "2")],
        lambda p: (p.ballads(), p.places(), p.value("/arrangement")),
        (["1", "1", "1"], [120, 60, 0], "canon"),
    ),
    "/pause": ([()], lambda p: p.reading.transport.rate, 0),
    "/play": ([("/pause",), ()], lambda p: p.reading.transport.rate, 1),
    "/restart": ([("/seek", "f", "3"), ()], Played.places, [0, 0, 0]),
    "/seek": ([("f", "3.5")], Played.places, [105, 105, 105]),
    "/screen/{screen}/seek": ([("f", "2")], lambda p: p.places()[1], 60),
    "/line": ([("i", "2")], lambda p: (p.value("/line"), p.places()), None),
    "/line/next": ([()], lambda p: p.value("/line"), 2),
    "/line/previous": ([()], lambda p: p.value("/line"), 2),  # there are two
    "/hold": ([("i", "1")], lambda p: p.value("/hold"), True),
    "/standby": (
        [()],
        lambda p: (p.rig.run(20)[-1].weight_of("slate"), p.reading.transport.rate),
        (1.0, 0),
    ),
    "/go": ([("/standby",), ()], lambda p: p.rig.run(60)[-1].weight_of("live"), 1.0),
    "/loop/strength": ([("f", "2")], lambda p: p.rig.run(40) and tuned(p).loop_gain, 2.0),
    "/truncation": ([("f", "0.5")], lambda p: p.rig.run(40) and tuned(p).truncation_psi, 0.5),
    "/path": ([("s", "smooth")], lambda p: p.rig.run(40) and p.value("/path"), "smooth"),
    "/blackout": ([("if", "1", "2")], lambda p: p.rig.run(70)[-1].shots[0].gain, 0.0),
    "/brightness": ([("f", "0.25")], lambda p: p.rig.run(40)[-1].shots[0].gain, 0.25),
    "/source": ([("s", "live")], lambda p: p.reading.transport.source, "live"),
    "/identify": ([("i", "1")], lambda p: sorted(p.reading.transport.identified), [0, 1, 2]),
    "/screen/{screen}/identify": ([()], lambda p: sorted(p.reading.transport.identified), [1]),
    "/card": ([("s", "calibration")], lambda p: p.reading.transport.card, True),
    "/snapshot": ([()], lambda p: wait_for(lambda: len(list(p.folder.rglob("*.png"))) == 3), True),
    "/safe": (
        [("/blackout", "i", "1"), ("/pause",), ("/hold", "i", "1"), ()],
        lambda p: (p.value("/blackout"), p.value("/status/playing"), p.value("/hold")),
        (False, True, False),
    ),
    "/panic": ([("/card", "s", "calibration"), ()], lambda p: p.reading.transport.card, False),
    "/reload": ([()], lambda p: p.rig.answers[-1][2], "read anew: title"),
    "/status": ([()], lambda p: "painting" in p.rig.answers[-1][2], True),
    "/subscribe": ([("f", "5")], lambda p: p.rig.run(12) and was_told(p, "/status/frame"), True),
    # oscsend sends each message from another port: the socket's own test is below
    "/unsubscribe": ([()], lambda p: p.rig.answers[-1][2], "no more is sent"),
    "/screen/{screen}/rotation": ([("i", "90")], lambda p: p.calibrated("rotation"), 90),
    "/screen/{screen}/flip": ([("s", "both")], lambda p: p.calibrated("flip"), "both"),
    "/screen/{screen}/fit": ([("s", "contain")], lambda p: p.calibrated("fit"), "contain"),
    "/screen/{screen}/brightness": ([("f", "0.5")], lambda p: p.calibrated("brightness"), 0.5),
    "/screen/{screen}/black": ([("f", "0.1")], lambda p: p.calibrated("black"), 0.1),
    "/screen/{screen}/gamma": ([("f", "2")], lambda p: p.calibrated("gamma"), 2.0),
    "/screen/{screen}/colour": (
        [("fff", "1", "0.5", "2")],
        lambda p: p.calibrated("colour"),
        (1.0, 0.5, 2.0),
    ),
    "/screen/{screen}/crop": (
        [("ffff", "0.1", "0", "0.2", "0")],
        lambda p: p.calibrated("crop"),
        (0.1, 0.0, 0.2, 0.0),
    ),
    "/screen/{screen}/blend": (
        [("ffff", "0.1", "0", "0.2", "0")],
        lambda p: p.calibrated("blend"),
        (0.1, 0.0, 0.2, 0.0),
    ),
    **{
        f"/screen/{{screen}}/corner/{corner}": (
            [("ff", str(x), str(y))],
            lambda p, place=corner - 1: p.calibrated("corners")[place],  # type: ignore[misc]
            (x, y),
        )
        for corner, x, y in ((1, 0.1, 0.05), (2, 0.9, 0.05), (3, 0.9, 0.95), (4, 0.1, 0.95))
    },
    "/screen/{screen}/calibration/reset": (
        [("/screen/2/gamma", "f", "2"), ()],
        lambda p: p.calibrated("gamma"),
        1.0,
    ),
    "/calibration/undo": (
        [("/screen/2/gamma", "f", "2"), ()],
        lambda p: p.calibrated("gamma"),
        1.0,
    ),
    "/calibration/redo": (
        [("/screen/2/gamma", "f", "2"), ("/calibration/undo",), ()],
        lambda p: p.calibrated("gamma"),
        2.0,
    ),
    # without a machine file there is nowhere to save to: the sentence says so
    "/calibration/save": ([()], lambda p: "--machine" in p.rig.answers[-1][2], True),
    "/save": ([()], lambda p: "--machine" in p.rig.answers[-1][2], True),
}


def tuned(played: Played) -> Tuning:
    return tuning_at(played.reading.show, played.reading.transport, played.reading.frame)


def was_told(played: Played, address: str) -> bool:
    return any(told == address for told, _ in played.sent)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)


@pytest.fixture
def played(show: Show, tmp_path: Path) -> Iterator[Played]:
    sent: list[tuple[str, list[object]]] = []
    rig = Rig(show, snapshots=tmp_path)
    rig.desk.obeys_reload(ReadsAtOnce(""))
    rig.preroll()
    rig.control.start()
    own = rig.control._send

    def send(datagram: bytes, to: object) -> None:
        for message in decode_packet(datagram):
            sent.append((message.address, list(message.arguments)))
            if message.address == "/reply":
                own(datagram, to)

    rig.control._send = send  # type: ignore[method-assign]
    rig.run(5)
    yield Played(rig, tmp_path, sent)
    rig.control.close()


def test_an_effect_is_known_for_every_row_that_does_anything() -> None:
    assert {row.path for row in ROWS if row.make is not None} == set(EFFECTS)


@needs_oscsend
@pytest.mark.parametrize("path", EFFECTS)
def test_every_address_does_what_it_says(played: Played, path: str) -> None:
    messages, look, wanted = EFFECTS[path]
    before = look(played) if wanted is None else None
    for words in messages:
        is_other = bool(words) and words[0].startswith("/")
        played.send(*(words if is_other else (path, *words)))
        assert played.rig.answers[-1][1] == "ok" or "save" in path, played.rig.answers[-1]
    after = look(played)
    if wanted is None:
        assert after != before
    else:
        assert after == wanted


@needs_oscsend
@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.ask is not None], ids=lambda row: row.path
)
def test_every_value_is_answered_to_its_bare_address(played: Played, row: Row) -> None:
    played.send(row.path)
    address, outcome, text = played.rig.answers[-1]
    assert outcome == "ok" and address.startswith("/")
    moves = row.path.endswith(("frame", "position", "seek", "fps"))
    if row.path in (*READ_OF_ALL, *READ_OF_SCREEN) and not moves:
        assert text == as_text(played.value(row.path))  # type: ignore[arg-type]


def test_one_socket_subscribes_and_takes_it_back(played: Played) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as operator:
        operator.bind(("127.0.0.1", 0))
        here, port = operator.getsockname(), played.rig.control.port
        for address, is_told in (("/subscribe", True), ("/unsubscribe", False)):
            operator.sendto(encode_message(address, "", []), ("127.0.0.1", port))
            assert wait_for(lambda: bool(played.rig.control._due))
            played.rig.run(1)
            played.sent.clear()
            played.rig.run(12)
            assert was_told(played, "/status/frame") is is_told
        assert here[1] != port


def test_holding_and_letting_go_is_the_same_for_all_who_read_the_transport(show: Show) -> None:
    transport = opening_transport(show)
    held = apply_command(show, transport, HoldLine(True), 50)
    again = apply_command(show, held, HoldLine(True), 60)
    gone = apply_command(show, again, HoldLine(False), 2000)
    for one in (held, gone, apply_command(show, gone, HoldLine(True), 5000)):
        assert transport_of(transport_text(one), show) == one
    pictures = [latents_at(show, gone.cues, 0, frame) for frame in range(1990, 2600, 7)]
    assert all(np.isfinite(picture).all() for picture in pictures)


def test_a_second_hold_after_the_first_was_let_go_jumps_nowhere(show: Show) -> None:
    transport = apply_command(show, opening_transport(show), HoldLine(True), 50)
    transport = apply_command(show, transport, HoldLine(False), 1000)
    again = apply_command(show, transport, HoldLine(True), 3000)
    for screen in range(SCREENS):
        before, after = transport.cues[screen][-1], again.cues[screen][-1]
        period = show.cycle_frames(before.ballad_id) * show.settings.noise_cycles
        assert (before.local_frame(3000) - after.local_frame(3000)) % period == 0


def test_feedback_tells_all_then_what_changed_and_events_at_once(show: Show) -> None:
    sent: list[tuple[str, tuple[object, ...]]] = []

    def send(datagram: bytes, to: object) -> None:
        assert len(datagram) <= 1400 and to == "desk"
        sent.extend((message.address, message.arguments) for message in decode_packet(datagram))

    feedback = Feedback(send)
    feedback.subscribe("desk", 1000, 0)
    transport = opening_transport(show)
    for tick in range(400):
        now_ns = tick * 33_333_333
        assert feedback.is_due(now_ns)
        feedback.tell(Reading(show, transport, tick, frame_at(transport, tick)), now_ns)
        if tick == 0:
            paths = {address for address, _ in sent}
            assert len(paths) == len(READ_OF_ALL) + SCREENS * len(READ_OF_SCREEN)
            sent.clear()
    told = [address for address, _ in sent]
    assert told.count("/brightness") == 0 and 100 < told.count("/status/frame") <= 134
    events = [(address, arguments) for address, arguments in sent if address.startswith("/event")]
    first = [event for event in events if event[1][0] == 1]
    stops = [("/event/stop", (1, stop)) for stop in range(1, 7)]
    ballad = transport.cues[0][0].ballad_id
    assert first[:8] == [*stops, ("/event/morph", (1, ballad, 1)), ("/event/line", (1, ballad, 2))]


def test_no_more_than_so_many_subscribe_and_who_is_silent_is_dropped(show: Show) -> None:
    feedback = Feedback(lambda datagram, to: None)
    for number in range(32):
        feedback.subscribe(number, 10, 0)
    with pytest.raises(TooManySubscribersError, match="32 have subscribed"):
        feedback.subscribe("one more", 10, 0)
    feedback.subscribe(3, 10, 0)  # again is no other
    assert not feedback.is_due(10_000_000_001)


def test_a_snapshot_that_cannot_be_kept_is_refused(show: Show, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rig = Rig(show, snapshots=tmp_path / "file" / "folder")
    rig.preroll()
    rig.say("/snapshot")
    rig.run(1)
    rig.disk.close()
    assert rig.answers[-1][1] == "error" and "cannot be written to" in rig.answers[-1][2]
