"""What can be taken over while a show plays, and what needs a start of the player."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from player.reload.changes import MOST_NAMED, NEEDS_START, TAKEN, ShowChanges, changes_between
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.notify_schema import Notify
from shows.schedule_schema import Projector
from shows.schema import Node, ShowSettings, Sync
from shows.show import Show
from tests.reload_shows import (
    with_ballad,
    with_latents,
    with_paintings,
    with_screen_ballad,
    with_settings,
    without_ballad,
)
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show"), screens=3, ballads=4)


@pytest.fixture(scope="module")
def info(show: Show) -> GeneratorInfo:
    return read_generator_info(show.generator_path)


def between(show: Show, new: Show, info: GeneratorInfo) -> ShowChanges:
    return changes_between(show, new, info, info)


def test_every_word_of_the_show_file_is_judged_once() -> None:
    assert TAKEN | set(NEEDS_START) == set(ShowSettings.model_fields)
    assert not TAKEN & set(NEEDS_START)


def test_nothing_changed_is_nothing(show: Show, info: GeneratorInfo) -> None:
    assert between(show, replace(show), info) == ShowChanges()


def test_what_is_taken_over_is_told_in_the_files_words(show: Show, info: GeneratorInfo) -> None:
    new = with_settings(show, title="New", frames_per_stop=60, groups={"left": ("screen-1",)})
    new = with_screen_ballad(new, 1, "ballad-4")
    new = with_latents(with_ballad(new, "ballad-2", title="New", colour="#ffffff"), "ballad-2")
    new = with_latents(new, "ballad-3")
    changes = between(show, new, info)
    assert changes == ShowChanges(
        (
            *("title", "frames_per_stop", "groups", "screens[1].ballad"),
            *("ballad-2: title, colour, latents", "ballad-3: latents"),
        )
    )
    assert changes.words.startswith("title; frames_per_stop; groups; screens[1].ballad; ballad-2")


def test_ballads_come_go_and_change_places(show: Show, info: GeneratorInfo) -> None:
    fewer = without_ballad(show, "ballad-2", instead="ballad-1")
    assert between(show, fewer, info).taken == ("screens[1].ballad", "ballads removed: ballad-2")
    assert between(fewer, show, info).taken == ("screens[1].ballad", "ballads added: ballad-2")
    turned = replace(show, ballads=show.ballads[::-1])
    assert between(show, turned, info).taken == ("the ballads' order",)


def test_other_paintings_are_told(show: Show, info: GeneratorInfo) -> None:
    new = with_paintings(show, "ballad-1", (1, 0))
    assert between(show, new, info).taken == ("ballad-1: paintings, latents",)


def test_very_many_changes_are_counted(show: Show) -> None:
    changes = ShowChanges(tuple(f"word {n}" for n in range(MOST_NAMED + 3)))
    assert changes.words.endswith("word 7; and 3 more")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"fps": Fraction(25)}, "fps"),
        (
            {"nodes": (Node(name="a", host="a", screens=("screen-1", "screen-2", "screen-3")),)},
            "nodes",
        ),
        ({"sync": Sync(broadcast="192.168.1.255")}, "sync"),
        ({"notify": Notify(webhook_env="HOOK")}, "notify"),
        ({"projectors": (Projector(name="p", host="h"),)}, "projectors"),
    ],
)
def test_what_needs_a_start_is_refused_by_name(
    show: Show, info: GeneratorInfo, words: dict[str, object], named: str
) -> None:
    changes = between(show, with_settings(show, title="New", **words), info)
    assert changes.taken == ("title",)
    (sentence,) = changes.refused
    assert sentence.startswith(f"show.yaml: {named}: is changed, and ")
    assert sentence.endswith("; restart the player for it.")


def test_screens_are_opened_at_the_start(show: Show, info: GeneratorInfo) -> None:
    fewer = with_settings(show, screens=show.settings.screens[:2])
    assert between(show, fewer, info).refused == (
        "show.yaml: screens: there are 2, and 3 play; their windows are opened at the start; "
        "restart the player for it.",
    )
    first, *rest = show.settings.screens
    renamed = with_settings(show, screens=(first.model_copy(update={"name": "door"}), *rest))
    (sentence,) = between(show, renamed, info).refused
    assert sentence.startswith("show.yaml: screens[0].name: is 'door', and 'screen-1' plays;")


def test_another_generator_of_the_same_size_starts_the_engine_again(
    show: Show, info: GeneratorInfo
) -> None:
    other = replace(info, content_hash="1" * 64)
    assert changes_between(show, show, info, other) == ShowChanges(("generator",), (), True)
    renamed = with_settings(show, generator="other.safetensors")
    assert changes_between(show, renamed, info, info) == ShowChanges(("generator",), (), False)
    without = with_settings(show, noise_mode="none")
    assert between(show, without, info) == ShowChanges(("noise_mode", "generator"), (), True)
    assert not changes_between(show, without, None, None).engine, "films need no engine"


@pytest.mark.parametrize(
    "size",
    [{"img_resolution": 16}, {"num_ws": 6}, {"w_dim": 16}],
    ids=lambda size: next(iter(size)),
)
def test_a_generator_of_another_size_is_refused(
    show: Show, info: GeneratorInfo, size: dict[str, int]
) -> None:
    (sentence,) = changes_between(show, show, info, replace(info, **size)).refused
    assert sentence.startswith("show.yaml: generator: generator.safetensors makes pictures of ")
    assert "the one that plays pictures of 8 px out of ws of 4 x 8" in sentence


def test_a_generator_that_comes_or_goes_is_refused(show: Show, info: GeneratorInfo) -> None:
    (gone,) = changes_between(show, show, info, None).refused
    (come,) = changes_between(show, show, None, info).refused
    assert "there is none any more" in gone and "there was none at the start" in come
