"""The one table of OSC addresses. The dispatcher, docs/osc.md, the controllers' layouts and the
tests are made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import cast, get_args

from player import commands
from player.commands import Command, CommandError
from player.levels import LevelName
from player.osc.arguments import shown
from player.osc.rows import Argument, Make, Names, Place, Row, Value, place_of
from player.wall.calibration import FIELDS, SHOWS_OWN_FIT, CalibrationField, Flip
from shows.schema import Fit

NEW = "0.2"
LONGEST_FADE_S = 60.0
LONGEST_S = 86_400.0
_PLACES = re.compile(r"/(?:screen/(?P<screen>[0-9]{1,4})|group/(?P<group>[^/]{1,64}))(?P<rest>/.+)")


def _only(command: Command) -> Make:
    return lambda place, values: command


def _trigger(path: str, says: str, command: Command, since: str = "0.1") -> Row:
    return Row(path, says, (), _only(command), since=since)


def _asked(path: str, place: Place) -> Command:
    return commands.QueryValue(path, place.screen)


def _level(path: str, says: str, argument: Argument, level: LevelName) -> Row:
    def make(place: Place, values: tuple[Value, ...]) -> Command:
        return commands.SetLevel(level, float(values[0]))

    return Row(path, says, (argument,), make, partial(_asked, path), NEW)


_BALLAD = Argument("ballad: a number from 1, or a name", "ballad")
_SWITCH = Argument("0 or 1", "switch")
_SHOWN = Argument("0 or 1", "switch", default=True)
_SECONDS = Argument("seconds", "number", 0, LONGEST_S, "s")


def _frames(place: Place, seconds: Value) -> int:
    return round(float(seconds) * place.fps)


def _arranged(place: Place, values: tuple[Value, ...]) -> Command:
    if values[0] == "canon":
        return commands.Canon(_frames(place, values[1]))
    return commands.Unison() if values[0] == "unison" else commands.EachOwn()


_BALLADS = (
    Row(
        "/ballad",
        "all screens morph to this ballad, in unison",
        (_BALLAD,),
        lambda place, values: commands.SetBallad(str(values[0])),
        partial(_asked, "/ballad"),
    ),
    _trigger(
        "/ballad/each",
        "every screen morphs back to the ballad that the show file gives it",
        commands.EachOwn(),
    ),
    _trigger(
        "/ballad/next",
        "every screen morphs to the ballad after its own; after the last comes the first",
        commands.NextBallad(),
    ),
    _trigger(
        "/ballad/previous",
        "every screen morphs to the ballad before its own",
        commands.PreviousBallad(),
    ),
    Row(
        "/screen/{screen}/ballad",
        "this screen alone morphs to the ballad",
        (_BALLAD,),
        lambda place, values: commands.SetScreenBallad(place.screen or 0, str(values[0])),
        partial(_asked, "/screen/{screen}/ballad"),
    ),
    Row(
        "/screen/{screen}/ballad/next",
        "this screen alone morphs to the ballad after its own",
        (),
        lambda place, values: commands.NextBallad(place.screens),
        since=NEW,
    ),
    Row(
        "/screen/{screen}/ballad/previous",
        "this screen alone morphs to the ballad before its own",
        (),
        lambda place, values: commands.PreviousBallad(place.screens),
        since=NEW,
    ),
    Row(
        "/group/{group}/ballad",
        "the screens of a group of the show file morph to this ballad, in unison",
        (_BALLAD,),
        lambda place, values: commands.SetGroupBallad(place.screens or (), str(values[0])),
        since=NEW,
    ),
    Row(
        "/group/{group}/ballad/next",
        "each screen of the group morphs to the ballad after its own",
        (),
        lambda place, values: commands.NextBallad(place.screens),
        since=NEW,
    ),
    Row(
        "/group/{group}/ballad/previous",
        "each screen of the group morphs to the ballad before its own",
        (),
        lambda place, values: commands.PreviousBallad(place.screens),
        since=NEW,
    ),
    Row(
        "/arrangement",
        "each: every screen its own ballad; unison: all as the first screen; canon: all the first "
        "screen's ballad, each so many seconds behind the one to its left",
        (
            Argument("each, unison or canon", "word", words=("each", "unison", "canon")),
            Argument("seconds for canon", "number", 0, 600, "s", default=5.0),
        ),
        _arranged,
        partial(_asked, "/arrangement"),
        NEW,
    ),
)

_TIME = (
    _trigger("/pause", "the pictures stand", commands.Pause()),
    _trigger("/play", "they run on from where they stand", commands.Play()),
    _trigger(
        "/restart", "every screen morphs to its ballad's first painting", commands.Seek(0), NEW
    ),
    Row(
        "/seek",
        "every screen morphs to this place of its ballad, in seconds from its first painting",
        (_SECONDS,),
        lambda place, values: commands.Seek(_frames(place, values[0])),
        partial(_asked, "/seek"),
        NEW,
    ),
    Row(
        "/screen/{screen}/seek",
        "the same for one screen",
        (_SECONDS,),
        lambda place, values: commands.Seek(_frames(place, values[0]), place.screens),
        partial(_asked, "/screen/{screen}/seek"),
        NEW,
    ),
    Row(
        "/line",
        "every screen morphs to this painting of its ballad: the line that is sung or read",
        (Argument("line, from 1", "whole", 1, 1000),),
        lambda place, values: commands.GoToLine(int(values[0]) - 1),
        partial(_asked, "/line"),
        NEW,
    ),
    _trigger(
        "/line/next",
        "every screen morphs to the painting after the one it shows or is on the way to",
        commands.StepLine(1),
        NEW,
    ),
    _trigger(
        "/line/previous", "every screen morphs to the painting before", commands.StepLine(-1), NEW
    ),
    Row(
        "/hold",
        "1: every screen stays on its painting, whose loop runs forth and back; 0: it goes on",
        (_SWITCH,),
        lambda place, values: commands.HoldLine(bool(values[0])),
        partial(_asked, "/hold"),
        NEW,
    ),
    _trigger(
        "/standby",
        "the paintings as stills, and the show waits: for a singer who has not begun",
        commands.Standby(),
        NEW,
    ),
    _trigger("/go", "the show fades up from the stills and runs", commands.Go(), NEW),
)

_FEELING = (
    _level(
        "/loop/strength",
        "factor of the strength of all loops; 1 is as the show file has them",
        Argument("factor", "number", 0, 4),
        "loop_gain",
    ),
    _level(
        "/truncation",
        "truncation_psi, by which all is drawn to the mean picture",
        Argument("psi", "number", -1, 1.5),
        "truncation_psi",
    ),
    Row(
        "/path",
        "with corners at every stop, or without",
        (Argument("linear or smooth", "word", words=("linear", "smooth")),),
        lambda place, values: commands.SetLevel("smoothness", float(values[0] == "smooth")),
        partial(_asked, "/path"),
        NEW,
    ),
)

_LIGHT = (
    Row(
        "/blackout",
        "fade to black, or back; the show runs on behind it",
        (_SWITCH, Argument("seconds", "number", 0, LONGEST_FADE_S, "s", default=0.5)),
        lambda place, values: commands.Blackout(bool(values[0]), _frames(place, values[1])),
        partial(_asked, "/blackout"),
    ),
    _level(
        "/brightness",
        "light of all screens, beside their calibration and the schedule",
        Argument("brightness", "number", 0, 1),
        "brightness",
    ),
    Row(
        "/source",
        "auto: live pictures, and films or stills when they fail; live: live even where it is "
        "slow; film: films where there are any",
        (Argument("auto, live or film", "word", words=("auto", "live", "film")),),
        lambda place, values: commands.SetSource(cast(commands.SourceName, values[0])),
        partial(_asked, "/source"),
        NEW,
    ),
)

_HOUSE = (
    Row(
        "/identify",
        "every screen shows a card: its number, name, output, and the running frame",
        (_SHOWN,),
        lambda place, values: commands.Identify(None, bool(values[0])),
    ),
    Row(
        "/screen/{screen}/identify",
        "the same on one screen",
        (_SHOWN,),
        lambda place, values: commands.Identify(place.screens, bool(values[0])),
    ),
    Row(
        "/card",
        "all screens show the calibration card instead of the pictures, or the pictures again",
        (Argument("calibration or none", "word", words=("calibration", "none")),),
        lambda place, values: commands.ShowCard(values[0] == "calibration"),
        partial(_asked, "/card"),
    ),
    _trigger("/snapshot", "keeps what each screen shows as a PNG", commands.Snapshot(), NEW),
    _trigger(
        "/save", "keeps the calibration; as /calibration/save", commands.SaveCalibration(), NEW
    ),
    _trigger(
        "/safe",
        "a calm known state: playing, lit, no card, nothing held, all values as the show file has "
        "them; the ballads stay",
        commands.Safe(),
        NEW,
    ),
    _trigger("/panic", "as /safe", commands.Safe(), NEW),
    _trigger(
        "/reload",
        "reads the show anew from its files and goes on with it, by a morph; the answer, once it "
        "is read, says what has changed, or what is wrong in which file, and then nothing has",
        commands.Reload(),
        NEW,
    ),
    _trigger("/status", "changes nothing; the answer says what is on", commands.QueryStatus()),
    Row(
        "/subscribe",
        "for so long every value that changes is sent to the sender's port, at its own address",
        (Argument("seconds", "number", 1, 3600, "s", default=60.0),),
        lambda place, values: commands.Subscribe(float(values[0])),
        since=NEW,
    ),
    _trigger("/unsubscribe", "no more of it", commands.Subscribe(0.0), NEW),
)

_MS = Argument("milliseconds", "number")
_CELSIUS = Argument("degrees Celsius", "number")
_STATUS = tuple(
    Row(path, says, (argument,), None, partial(_asked, path), NEW)
    for path, says, argument in (
        ("/status/playing", "1 while the frames run", Argument("0 or 1", "switch")),
        ("/status/frame", "the frame of the show", Argument("frame", "whole")),
        ("/status/fps", "frames presented in the last second", Argument("fps", "number")),
        (
            "/status/frame-time",
            "what a frame took from waking until it was drawn: the median of the last second; "
            "-1: not known yet",
            _MS,
        ),
        ("/status/frame-time/worst", "the same of the slowest frame of the last second", _MS),
        ("/status/frame-time/budget", "what a frame may take: 1000 / frames a second", _MS),
        (
            "/status/lateness",
            "from when a frame was due until it was presented: the median of the last second; "
            "-1: not known yet",
            _MS,
        ),
        ("/status/lateness/worst", "the same of the latest frame of the last second", _MS),
        (
            "/status/skew",
            "how far this machine's house clock is from the leader's; on the leader: from that of "
            "the follower furthest off, the way of its question included; -1: one machine alone, "
            "or not known",
            _MS,
        ),
        (
            "/status/temperature",
            "the hotter of this machine's processor and graphics card, read every 5 s; -1: no "
            "sensor",
            _CELSIUS,
        ),
        ("/status/temperature/processor", "its hottest sensor; -1: none", _CELSIUS),
        ("/status/temperature/graphics", "the hottest card; -1: no sensor", _CELSIUS),
        ("/status/source", "what most screens show", Argument("live, film or slate", "text")),
        ("/status/quality", "what the deadline allows of live", Argument("words", "text")),
        ("/status/engine", "how the engine is", Argument("words", "text")),
        (
            "/status/alarm",
            "what is wrong, in words; empty if nothing is",
            Argument("words", "text"),
        ),
        ("/status/late", "frames late since the start", Argument("frames", "whole")),
        ("/status/dropped", "frames dropped since the start", Argument("frames", "whole")),
        ("/screen/{screen}/title", "the ballad's title", Argument("title", "text")),
        ("/screen/{screen}/line", "which painting, from 1", Argument("line", "whole")),
        ("/screen/{screen}/line/text", "the line that is shown", Argument("line", "text")),
        ("/screen/{screen}/position", "seconds from the first painting", _SECONDS),
        (
            "/screen/{screen}/next",
            "what comes next: the title of the ballad that it changes to, else the next line",
            Argument("words", "text"),
        ),
        ("/screen/{screen}/morphing", "1 on the way to a painting", Argument("0 or 1", "switch")),
        (
            "/screen/{screen}/changing",
            "1 on the way to another ballad",
            Argument("0 or 1", "switch"),
        ),
        ("/screen/{screen}/source", "what it shows", Argument("live, film or slate", "text")),
    )
)

_SIDES = ("left", "top", "right", "bottom")
_CALIBRATED: Mapping[CalibrationField, tuple[tuple[str, ...], str]] = {
    "rotation": (("degrees",), "how far the monitor has been turned clockwise: 0, 90, 180, 270"),
    "flip": ((), "mirrors what is seen"),
    "fit": ((), "how a picture meets the screen; show: as the show file has it"),
    "crop": (_SIDES, "shares of the picture that are cut off"),
    "corner/1": (("x", "y"), "where the top left corner of the picture is seen"),
    "corner/2": (("x", "y"), "where the top right corner of the picture is seen"),
    "corner/3": (("x", "y"), "where the bottom right corner of the picture is seen"),
    "corner/4": (("x", "y"), "where the bottom left corner of the picture is seen"),
    "blend": (_SIDES, "share over which the light falls to nothing towards that edge"),
    "brightness": (("factor",), "linear light; 1 is unchanged"),
    "colour": (("red", "green", "blue"), "the same for each colour"),
    "black": (("light",), "linear light that black is lifted to; 0 is unchanged"),
    "gamma": (("gamma",), "above 1 the middle tones become brighter; 1 is unchanged"),
}
# As the calibration judges them (`player.wall.calibration`); here they are told.
LIMITS: Mapping[str, tuple[float, float]] = {
    "crop": (0, 0.45),
    "corner": (-0.5, 1.5),
    "blend": (0, 0.5),
    "brightness": (0, 2),
    "colour": (0, 2),
    "black": (0, 0.2),
    "gamma": (0.2, 5),
}
_WORDS: Mapping[CalibrationField, tuple[str, ...]] = {
    "flip": get_args(Flip),
    "fit": (*get_args(Fit), SHOWS_OWN_FIT),
}


def _calibrated(field: CalibrationField) -> Row:
    names, says = _CALIBRATED[field]
    if field in _WORDS:
        words = _WORDS[field]
        arguments: tuple[Argument, ...] = (Argument(", ".join(words), "word", words=words),)
    elif field == "rotation":
        arguments = (Argument("degrees", "whole", says="0, 90, 180 or 270 (clockwise)"),)
    else:
        low, high = LIMITS[field.partition("/")[0]]
        arguments = tuple(Argument(name, "number", low, high) for name in names)
    return Row(
        f"/screen/{{screen}}/{field}",
        says,
        arguments,
        lambda place, values: commands.SetCalibration(place.screen or 0, field, values),
        lambda place: commands.QueryCalibration(place.screen or 0, field),
    )


_CALIBRATION = (
    *(_calibrated(field) for field in FIELDS),
    Row(
        "/screen/{screen}/calibration",
        "changes nothing; the answer is all values of the screen",
        ask=lambda place: commands.QueryCalibration(place.screen or 0, None),
    ),
    Row(
        "/screen/{screen}/calibration/reset",
        "all values of the screen unchanged, as if never calibrated",
        (),
        lambda place, values: commands.ResetCalibration(place.screen or 0),
    ),
    _trigger(
        "/calibration/undo",
        "takes the last change back, of whatever screen; again for the one before, up to 500",
        commands.UndoCalibration(),
    ),
    _trigger("/calibration/redo", "does again what was undone last", commands.RedoCalibration()),
    _trigger(
        "/calibration/save",
        "writes the calibration file; the one before is kept",
        commands.SaveCalibration(),
    ),
)

SECTIONS: Mapping[str, tuple[Row, ...]] = {
    "Ballads": _BALLADS,
    "Time, lines, a live voice": _TIME,
    "Feeling": _FEELING,
    "Light and source": _LIGHT,
    "House": _HOUSE,
    "Status": _STATUS,
    "Calibration": _CALIBRATION,
}
ROWS = tuple(row for rows in SECTIONS.values() for row in rows)
BY_PATH: Mapping[str, Row] = {row.path: row for row in ROWS}


def parse_message(address: str, args: tuple[object, ...], names: Names) -> Command | None:
    """The command an OSC message means, or None for the release of a button (a trigger with 0).

    Raises CommandError with a sentence for an unknown address, a wrong count or type of arguments,
    or a ballad, screen or group that does not exist.
    """
    row, place = BY_PATH.get(address), Place(fps=names.fps)
    if row is None and (match := _PLACES.fullmatch(address)):
        kind = "screen" if match["screen"] else "group"
        row = BY_PATH.get(f"/{kind}/{{{kind}}}{match['rest']}")
        if row is None:
            parts = ", ".join(_parts(kind))
            raise CommandError(
                f"unknown address {shown(address)}: after /{kind}/<{kind}>/ there may come {parts}"
            )
        place = place_of(names, match["screen"], match["group"])
    if row is None:
        known = ", ".join(path for path in BY_PATH if "{" not in path and "/status/" not in path)
        raise CommandError(
            f"unknown address {shown(address)}: there are {known}, and others for one screen"
        )
    return row.command(address, args, place, names)


def _parts(kind: str) -> list[str]:
    start = f"/{kind}/{{{kind}}}/"
    return [path.removeprefix(start) for path in BY_PATH if path.startswith(start)]
