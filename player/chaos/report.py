"""What a run of faults came to: the figures, whether they are reached, and a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from player.chaos.faults import KINDS, Fault

KILL_FRAMES, HANG_FRAMES, BACK_S, LIVE_AGAIN_S = 2, 10, 3.0, 20.0
UNSEEN_SHARE = 0.05  # of the presents: with more of them unseen, nothing is proven
DESCRIPTORS_MORE = 2


@dataclass(frozen=True)
class Judgement:
    """One line of the table. is_met None: reported, not judged."""

    what: str
    seen: str
    wanted: str
    is_met: bool | None


def judged(figures: dict[str, Any], planned_faults: int) -> list[Judgement]:
    """figures: as in the report."""
    faults: Sequence[dict[str, Any]] = figures["faults"]
    seen, unseen = figures["frames_seen"], figures["frames_unseen"]
    slope = figures["rss_mb_slope_per_hour"]
    lines = [
        Judgement("faults", str(len(faults)), str(planned_faults), len(faults) == planned_faults),
        Judgement("of these while live", str(figures["faults_while_live"]), "all", None),
        _most("wrong frames after a kill", figures["fallback_frames_max"], KILL_FRAMES, ""),
        _most("wrong frames after a hang", figures["hang_frames_max"], HANG_FRAMES, ""),
        _most("player back", figures["player_back_s_max"], BACK_S, " s"),
        _most("black frames", figures["black_frames"], 0, ""),
        _most("wrong frames otherwise", figures["wrong_frames"], 0, ""),
        Judgement(
            "live again by itself",
            "every time" if figures["returned_live"] else "not every time",
            f"within {LIVE_AGAIN_S:.0f} s",
            figures["returned_live"],
        ),
        Judgement(
            "presents seen",
            f"{seen} of {seen + unseen}",
            f"{100 - 100 * UNSEEN_SHARE:.0f} %",
            seen > 0 and unseen <= UNSEEN_SHARE * (seen + unseen),
        ),
        Judgement("frames in ballad changes", str(figures["differing_frames"]), "apart", None),
        Judgement("memory", _slope_words(slope), "no slope", slope["is_flat"]),
    ]
    for name, more in (("descriptors", DESCRIPTORS_MORE), ("shm", 0)):
        first, last = figures[f"{name}_first"], figures[f"{name}_last"]
        is_met = None if first is None or last is None else last <= first + more
        lines.append(Judgement(name, f"{first} to {last}", "constant", is_met))
    first_s = figures["start_to_first_picture_s"]
    words = "none" if first_s is None else f"{first_s:.2f} s"
    lines.append(Judgement("start to first picture", words, "told", None))
    return lines


def table(figures: dict[str, Any], lines: Sequence[Judgement]) -> str:
    """To be read on a terminal."""
    rows = [("", "seen", "wanted", "")]
    for line in lines:
        verdict = {None: "", True: "ok", False: "FAILED"}[line.is_met]
        rows.append((line.what, line.seen, line.wanted, verdict))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    text = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], wide, strict=True)), row[3]])
        for row in rows
    ]
    counts = ", ".join(
        f"{sum(fault['kind'] == kind for fault in figures['faults'])} x {words}"
        for kind, words in KINDS.items()
    )
    text += ["", f"{counts}; {figures['seconds']:.0f} s of play, seed {figures['seed']}."]
    if figures["sabotage"]:
        text.append("The fallback was switched off on purpose: this must fail.")
    text.append("Passed." if figures["passed"] else "Failed.")
    return "\n".join(row.rstrip() for row in text)


def worst(faults: Sequence[Fault], was_live_at_first: bool = True) -> dict[str, Any]:
    """The figures that the faults give."""
    return {
        "kills": sum(fault.kind == "kill" for fault in faults),
        "hangs": sum(fault.kind == "hang" for fault in faults),
        "player_kills": sum(fault.kind == "player" for fault in faults),
        "ballad_changes": sum(fault.kind == "change" for fault in faults),
        "faults_while_live": sum(fault.was_live for fault in faults),
        "fallback_frames_max": _largest(f.frames for f in faults if f.kind == "kill"),
        "hang_frames_max": _largest(f.frames for f in faults if f.kind == "hang"),
        "player_back_s_max": _largest(
            None if f.back_s is None else round(f.back_s, 3) for f in faults if f.kind == "player"
        ),
        "returned_live": was_live_at_first
        and all(fault.live_again_s is not None for fault in faults),
        "live_again_s_max": _largest(
            round(f.live_again_s, 2) for f in faults if f.live_again_s is not None
        ),
    }


def _largest(numbers: Any) -> Any:
    return max((number for number in numbers if number is not None), default=None)


def _most(what: str, seen: float | None, limit: float, unit: str) -> Judgement:
    wanted = f"{limit:g}{unit} at most" if limit else "none"
    if seen is None:
        return Judgement(what, "not tried", wanted, None)
    return Judgement(what, f"{seen:g}{unit}", wanted, seen <= limit)


def _slope_words(slope: dict[str, Any]) -> str:
    if slope["per_hour"] is None:
        return f"too few measurements ({slope['measurements']})"
    return f"{slope['per_hour']:+.1f} MB/h, {slope['low']:+.1f} to {slope['high']:+.1f}"
