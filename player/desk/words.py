"""All that the desk says. Translating the desk is translating this file."""

from __future__ import annotations

from typing import NamedTuple


class Trouble(NamedTuple):
    """What is wrong, and what to do about it. level: red, amber, or note (on purpose)."""

    level: str
    what: str
    do: str


TITLE = "Inspace desk"
LABEL_TITLE = "Inspace ballads"

# the top
NOT_ASKED_YET = "Looking for the player …"
PLAYING = "Playing"
PAUSED = "Paused"
BLACK = "Black"
SILENT = "No answer"
READ_ONLY = "Only to look at"
ALL_SCREENS = "All screens"
SCREEN = "Screen {number}"
NEXT_LINE = "then: {line}"
NEXT = "next: {what}"
AT = "{time} {title}"
CHANGING = "{screen}, on its way to"
NO_PICTURE = "no picture"
LINE_OF = "line {line} of {lines}"
WRONG = "look here"

# the buttons
BALLADS = "Ballads"
FOR_ALL = "for all screens"
FOR_SCREEN = "for screen {number} alone"
EACH = "Each its own"
UNISON = "Unison"
CANON = "Canon"
APART = "seconds from screen to screen, in a canon"
SECONDS = "s"
LINE = "The line"
LINE_BACK = "Line back"
LINE_NEXT = "Next line"
HOLD = "Hold this line"
RELEASE = "Let it go on"
STANDBY = "Stand by"
GO = "Go"
SHOW = "The show"
PLAY = "Play"
PAUSE = "Pause"
BLACKOUT = "Blackout"
LIGHTS_UP = "Lights up"
BLACKOUT_SURE = "Black now: sure?"
SAFE = "Safe"
SAFE_SAYS = "playing, lit, no card, nothing held; the ballads stay"
BRIGHTNESS = "Brightness"
SOURCE = "Source"
SOURCES = {"auto": "Auto", "live": "Live", "film": "Film"}
FEELING = "Feeling"
LOOP_STRENGTH = "Loop strength"
TRUNCATION = "Truncation"
PATH = "Path"
PATHS = {"linear": "Linear", "smooth": "Smooth"}
AS_SHOW_HAS_IT = "{name} as the show has it"
BACK = "↺"
SHOWN = {"live": "live", "film": "film", "slate": "stills", "elsewhere": "elsewhere"}

# the house
HEALTH = "How it runs"
FPS = "frames a second"
LATE = "late"
DROPPED = "dropped"
LOST = "Late or dropped"
LOST_MOST = "at most {most} in 5 s"
NONE_LOST = "none"
FRAME_TIME = "Frame time"
LATENESS = "Lateness"
SKEW = "Clocks apart"
MEASURED = "{usual} ms, at most {most} ms"
UNKNOWN = "–"
LIMIT = "{ms:.3g} ms"
TEN_MINUTES_AGO = "10 minutes ago"
NOW = "now"
TEMPERATURE = "Temperature"
DEGREES = "{degrees:.0f} °C"
PROCESSOR = "processor"
GRAPHICS = "graphics card"
NO_SENSOR = "no sensor tells it"
GOVERNOR = "Quality"
ENGINE = "Engine"
SCHEDULE = "Schedule"
EVERY_OWN = "each its own"
LOG = "Log"
LOG_EMPTY = "Nothing has been sent from here yet."
WAITING = "…"
UNANSWERED = "no answer"
MORE = "All that the player says of itself"

# the calibration
CALIBRATION = "Calibration"
IDENTIFY = "Identify"
CARD = "Calibration card"
DRAG = "Drag a corner; arrow keys move it a little."
CORNERS = ("top left", "top right", "bottom right", "bottom left")
CHOOSE_SCREEN = "Choose a screen to move its corners."
UNDO = "Undo"
REDO = "Redo"
SAVE = "Save"
CLOSE = "Close"

# the keys
KEYS = "Keys"
KEY_LIST = (
    ("1 … 9", "a ballad"),
    ("→ ↓", "next line"),
    ("← ↑", "line back"),
    ("Space", "play or pause"),
    ("h", "hold the line, or let it go on"),
    ("g", "go, after standing by"),
    ("b, b", "blackout: the second time within four seconds does it; b again: lights up"),
    ("a", "all screens"),
    ("?", "these keys"),
)

# the door
ENTER_PASSWORD = "Password"
ENTER_CODE = "The six digits that the desk's terminal shows"
ENTER = "Enter"
WRONG_SECRET = "That was not it."
TOO_OFTEN = "Too many wrong ones. Wait a minute."
NOT_OURS = "The desk answers only under its own address."
COMMAND_REFUSED = "This desk is only to look at: nothing was sent."

# the label
CREDITS = "Pictures and licences"
AND_MORE = "and more: the whole list is the show's credits.txt"
CHILD = "Child ballad {number}"

# alarms
NO_PLAYER = Trouble(
    "red",
    "The player does not answer at {player}.",
    "Look whether it runs on its machine: scripts/play supervise starts it again by itself within "
    "seconds. This page goes on asking, and shows when it is back. If it plays but is not heard: "
    "was it started with another --osc-port, or does --osc-allow leave this desk out?",
)
OTHER_SHOW = Trouble(
    "amber",
    "The player plays a show that this desk does not know.",
    "Start the desk with the same --show as the player; if the player has read its show anew, "
    "start the desk again.",
)
ENGINE_FAILED = Trouble(
    "amber",
    "{said}",
    "The screens go on with films or stills. The player starts the engine again by itself; if this "
    "stays for five minutes, ask the player's verb `doctor` on its machine.",
)
STILLS = Trouble(
    "amber",
    "{said}",
    "Wait half a minute after a start. If it stays: ask the player's verb `doctor`; films for such "
    "times are made by its verb `export`.",
)
SLOW = Trouble(
    "amber",
    "{fps:g} frames a second are shown, and {wanted:g} are wanted.",
    "End other programs on the player's machine; see whether it is hot. Choosing Film as the "
    "source takes the work from the engine.",
)
IS_HOT = Trouble(
    "red",
    "The player's machine is {degrees} °C hot.",
    "It may switch itself off. Give it air now: open its surroundings, clean filters and fans. "
    "Choosing Film as the source takes most of the work from it.",
)
IS_WARM = Trouble(
    "amber",
    "The player's machine is {degrees} °C warm.",
    "It will soon slow down. Give it air: clean filters and fans, open its surroundings.",
)
MANY_LATE = Trouble(
    "amber",
    "{count} frames were late or dropped in the last minute.",
    "A few after a start are nothing. If it goes on: end other programs, or choose Film as the "
    "source.",
)
NO_PICTURES = Trouble(
    "note",
    "There are no small pictures of the screens here.",
    "They come from a player on this machine that was started with --thumbnails (scripts/play "
    "does so).",
)
IS_BLACK = Trouble("note", "The screens are black on purpose.", "Lights up brings the show back.")
IS_DARK = Trouble("note", "The brightness is at {percent} %.", "Move the slider to the right.")
HAS_CARD = Trouble(
    "note", "The screens show the calibration card.", "Switch the card off before visitors come."
)
IS_PAUSED = Trouble("note", "The show stands still.", "Play lets it run on.")
IS_STANDBY = Trouble("note", "The show stands by, with stills.", "Go fades it up.")
IS_HELD = Trouble("note", "The lines are held.", "Let it go on when the voice has ended.")
