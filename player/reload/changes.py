"""What differs between the show that plays and the show as its files are now. Pure.

Each word of `show.yaml` either can be taken over while the show plays or needs a start of the
player; `tests/test_reload_changes.py` holds that no word is forgotten here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from player.reload.morph import same_latents
from shows.generator_file import GeneratorInfo
from shows.latent_set import LatentSet
from shows.schema import Ballad, Screen, ShowSettings
from shows.show import Show

TAKEN = frozenset(
    {
        "schema_version",
        "title",
        "stops",
        "frames_per_stop",
        "morph_frames",
        "ballad_change_frames",
        "noise_strength",
        "path",
        "phases",
        "easing",
        "seed",
        "noise_cycles",
        "noise_mode",
        "truncation_psi",
        "upscaling",
        "surface",
        "generator",
        "ballads",
        "screens",
        "groups",
        "osc",
        "schedule",
    }
)
NEEDS_START = {
    "fps": "the clock runs at it",
    "nodes": "the machines agree on them when they start",
    "sync": "the machines agree on it when they start",
    "notify": "who is told is set up at the start",
    "projectors": "they are asked and switched by what is set up at the start",
}
"""Why, as the end of a sentence."""

MOST_NAMED = 8


@dataclass(frozen=True)
class ShowChanges:
    """taken: what can be taken over, in the files' own words, such as "tam-lin: title, latents".
    refused: a sentence for each change that cannot; then nothing is taken over. engine: whether the
    engine must be started again for it."""

    taken: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    engine: bool = False

    @property
    def words(self) -> str:
        """For the operator."""
        named = "; ".join(self.taken[:MOST_NAMED])
        more = len(self.taken) - MOST_NAMED
        return named + (f"; and {more} more" if more > 0 else "")


def changes_between(
    old: Show, new: Show, old_info: GeneratorInfo | None, new_info: GeneratorInfo | None
) -> ShowChanges:
    """old_info, new_info: of the generators that live pictures are made with; None: there are none,
    as with `--mode film`."""
    was, now = old.settings, new.settings
    refused = [
        f"show.yaml: {name}: is changed, and {NEEDS_START[name]}; restart the player for it."
        for name in NEEDS_START
        if getattr(was, name) != getattr(now, name)
    ]
    refused += _screens_refused(was, now)
    refused += _generator_refused(now, old_info, new_info)
    taken = [
        name
        for name in ShowSettings.model_fields
        if name in TAKEN - {"ballads", "screens"} and getattr(was, name) != getattr(now, name)
    ]
    taken += _screens_taken(was, now)
    taken += _ballads_taken(old, new)
    engine = _makes_other_pictures(was, now, old_info, new_info)
    if engine and "generator" not in taken:
        taken.append("generator")
    return ShowChanges(tuple(taken), tuple(refused), engine)


def _screens_refused(was: ShowSettings, now: ShowSettings) -> Iterator[str]:
    if len(was.screens) != len(now.screens):
        yield (
            f"show.yaml: screens: there are {len(now.screens)}, and {len(was.screens)} play; their "
            "windows are opened at the start; restart the player for it."
        )
        return
    for number, (before, after) in enumerate(zip(was.screens, now.screens, strict=True)):
        if before.name != after.name:
            yield (
                f"show.yaml: screens[{number}].name: is {after.name!r}, and {before.name!r} plays; "
                "monitors and calibrations belong to a name; restart the player for it."
            )


def _generator_refused(
    now: ShowSettings, was: GeneratorInfo | None, info: GeneratorInfo | None
) -> Iterator[str]:
    if (was is None) != (info is None):
        what = "there is none any more" if info is None else "there was none at the start"
        yield f"show.yaml: generator: {now.generator}: {what}; restart the player for it."
    elif was is not None and info is not None and _size(was) != _size(info):
        yield (
            f"show.yaml: generator: {now.generator} makes {_size_text(info)}, and the one that "
            f"plays {_size_text(was)}; restart the player for it."
        )


def _size(info: GeneratorInfo) -> tuple[int, int, int]:
    return info.img_resolution, info.num_ws, info.w_dim


def _size_text(info: GeneratorInfo) -> str:
    px, num_ws, w_dim = _size(info)
    return f"pictures of {px} px out of ws of {num_ws} x {w_dim}"


def _makes_other_pictures(
    was: ShowSettings,
    now: ShowSettings,
    old_info: GeneratorInfo | None,
    new_info: GeneratorInfo | None,
) -> bool:
    if old_info is None or new_info is None:
        return False
    return old_info.content_hash != new_info.content_hash or was.noise_mode != now.noise_mode


def _screens_taken(was: ShowSettings, now: ShowSettings) -> Iterator[str]:
    if len(was.screens) != len(now.screens):
        return
    for number, (before, after) in enumerate(zip(was.screens, now.screens, strict=True)):
        for name in Screen.model_fields:
            if getattr(before, name) != getattr(after, name):
                yield f"screens[{number}].{name}"


def _ballads_taken(old: Show, new: Show) -> Iterator[str]:
    before = {ballad.id: ballad for ballad in old.ballads}
    after = {ballad.id: ballad for ballad in new.ballads}
    if added := [ballad_id for ballad_id in after if ballad_id not in before]:
        yield f"ballads added: {', '.join(added)}"
    if removed := [ballad_id for ballad_id in before if ballad_id not in after]:
        yield f"ballads removed: {', '.join(removed)}"
    if [one for one in before if one in after] != [one for one in after if one in before]:
        yield "the ballads' order"
    for ballad_id in (one for one in after if one in before):
        words = [
            name
            for name in Ballad.model_fields
            if getattr(before[ballad_id], name) != getattr(after[ballad_id], name)
        ]
        if _latents_differ(old.latents.get(ballad_id), new.latents.get(ballad_id)):
            words.append("latents")
        if words:
            yield f"{ballad_id}: {', '.join(words)}"


def _latents_differ(old: LatentSet | None, new: LatentSet | None) -> bool:
    if old is None or new is None:
        return old is not new
    return not same_latents(old, new)
