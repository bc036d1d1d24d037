"""Changing, undoing, saving, and what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player import commands
from player.calibration_desk import STEP_TICKS, CalibrationDesk
from player.commands import CommandError
from player.wall.calibration import IDENTITY, ScreenCalibration
from player.wall.calibration_file import previous_path, read_calibrations

NAMES = ("north", "middle", "south")


def desk(path: Path | None = None) -> CalibrationDesk:
    return CalibrationDesk(NAMES, {}, path)


def test_it_begins_as_it_was_read() -> None:
    read = {"south": ScreenCalibration(gamma=1.5), "elsewhere": ScreenCalibration(black=0.1)}
    calibrations = CalibrationDesk(NAMES, read, None).calibrations
    assert calibrations == (IDENTITY, IDENTITY, ScreenCalibration(gamma=1.5))


def test_a_change_is_answered_undone_and_done_again() -> None:
    here = desk()
    changed = ScreenCalibration(colour=(1.0, 0.9, 0.8))
    assert here.obey(commands.SetCalibration(1, "colour", (1.0, 0.9, 0.8))) == "colour 1 0.9 0.8"
    assert here.calibrations == (IDENTITY, changed, IDENTITY)
    assert here.obey(commands.UndoCalibration()) == "undone: screen 2 (middle), colour 1 1 1"
    assert here.calibrations[1] == IDENTITY
    answer = here.obey(commands.RedoCalibration())
    assert answer == "done again: screen 2 (middle), colour 1 0.9 0.8"
    assert here.calibrations[1] == changed
    assert here.obey(commands.QueryCalibration(1, "colour")) == "colour 1 0.9 0.8"
    everything = here.obey(commands.QueryCalibration(1, None))
    assert everything.startswith("rotation 0; flip none; fit show; crop 0 0 0 0; corner/1 0 0;")


def test_a_reset_can_be_undone() -> None:
    here = desk()
    here.set(0, "gamma", (1.2,))
    here.set(0, "rotation", (90,))
    assert here.obey(commands.ResetCalibration(0)) == "screen 1 (north) is uncalibrated"
    assert here.calibrations[0] == IDENTITY
    assert here.obey(commands.UndoCalibration()) == "undone: screen 1 (north), all values"
    assert here.calibrations[0] == ScreenCalibration(gamma=1.2, rotation=90)


def test_nothing_to_undo_is_a_sentence() -> None:
    here = desk()
    with pytest.raises(CommandError, match="no change of a calibration to undo"):
        here.undo()
    with pytest.raises(CommandError, match="no undone change"):
        here.redo()
    here.set(0, "gamma", (1.0,))  # as it is
    with pytest.raises(CommandError, match="to undo"):
        here.undo()


def test_a_new_change_ends_what_could_be_done_again() -> None:
    here = desk()
    here.set(0, "gamma", (1.2,))
    here.undo()
    here.set(1, "gamma", (1.0,))  # changes nothing, so ends nothing
    here.redo()
    here.undo()
    here.set(1, "gamma", (1.3,))
    with pytest.raises(CommandError, match="no undone change"):
        here.redo()


def test_what_a_fader_sends_is_one_step() -> None:
    here = desk()
    here.set(0, "brightness", (0.5,), tick=0)
    for n in range(10):
        here.set(0, "brightness", (0.6 + n / 50,), tick=1000 + n * (STEP_TICKS - 1))
    assert here.undo().before == ScreenCalibration(brightness=0.5)
    assert here.redo().after == ScreenCalibration(brightness=0.78)
    here.set(0, "brightness", (0.7,), tick=5000)
    here.set(0, "brightness", (0.6,), tick=5000 + STEP_TICKS)
    assert here.undo().before == ScreenCalibration(brightness=0.7)


def test_other_screens_other_fields_and_unknown_times_are_steps_of_their_own() -> None:
    here = desk()
    here.set(0, "brightness", (0.5,), tick=1)
    here.set(1, "brightness", (0.5,), tick=1)
    here.set(1, "gamma", (1.5,), tick=1)
    here.set(1, "gamma", (1.6,))
    here.reset(1)
    here.reset(0)
    for _ in range(6):
        here.undo()
    assert here.calibrations == (IDENTITY,) * 3
    with pytest.raises(CommandError):
        here.undo()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (commands.SetCalibration(0, "gamma", (9.0,)), r"screen 1 \(north\): gamma: .* 5"),
        (commands.SetCalibration(0, "gamma", (0.1,)), "gamma"),
        (commands.SetCalibration(0, "rotation", (45,)), "rotation"),
        (commands.SetCalibration(0, "corner/1", (1.5, 1.5)), "go round a screen"),
        (commands.SetCalibration(0, "crop", (0, 0, 0, 0.5)), r"crop\[3\]"),
        (commands.SetCalibration(3, "gamma", (1.0,)), "no screen 4: the screens are 1 to 3"),
        (commands.QueryCalibration(-1, "gamma"), "no screen 0"),
        (commands.ResetCalibration(7), "no screen 8"),
        (commands.SaveCalibration(), "no file to save .*--machine"),
    ],
)
def test_nonsense_changes_nothing(command: commands.CalibrationCommand, sentence: str) -> None:
    here = desk()
    with pytest.raises(CommandError, match=sentence) as caught:
        here.obey(command)
    assert "\n" not in str(caught.value)
    assert here.calibrations == (IDENTITY,) * 3
    with pytest.raises(CommandError):
        here.undo()


def test_saving_keeps_what_was_there_and_the_screens_of_others(tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    read = {"north": ScreenCalibration(gamma=1.1), "elsewhere": ScreenCalibration(black=0.1)}
    here = CalibrationDesk(NAMES, read, path)
    save = here.obey(commands.SaveCalibration())
    assert callable(save) and not path.exists()
    assert save() == f"saved to {path}"
    here.set(2, "flip", ("both",))
    assert here.save()() == f"saved to {path}; the one before: calibration.previous.yaml"
    assert here.save()() == f"{path} already holds this calibration"
    saved = read_calibrations(path)
    assert saved["elsewhere"] == read["elsewhere"] and saved["north"] == read["north"]
    assert saved["south"] == ScreenCalibration(flip="both")
    assert read_calibrations(previous_path(path))["south"] == IDENTITY
    assert CalibrationDesk(NAMES, saved, path).calibrations == here.calibrations


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CommandError, match="file"):
        desk(tmp_path / "file" / "calibration.yaml").save()()


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([1.0, 1.2, 1.5]), st.integers(0, 40)),
        max_size=30,
    ),
    st.data(),
)
def test_undo_and_redo_lead_through_the_same_states(
    changes: list[tuple[int, float, int]], data: st.DataObject
) -> None:
    here, tick = desk(), 0
    for screen, gamma, later in changes:
        tick += later
        here.set(screen, "gamma", (gamma,), tick)
    newest, states = here.calibrations, [here.calibrations]
    while True:
        try:
            here.undo()
        except CommandError:
            break
        states.append(here.calibrations)
    assert states[-1] == (IDENTITY,) * 3
    back = data.draw(st.integers(0, len(states) - 1))
    for state in reversed(states[len(states) - 1 - back : -1]):
        here.redo()
        assert here.calibrations == state
    if back == len(states) - 1:
        assert here.calibrations == newest
