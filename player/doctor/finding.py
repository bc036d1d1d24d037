"""What a check found, and the verdict over all of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Literal

State = Literal["green", "amber", "red"]
STATES: tuple[State, ...] = ("green", "amber", "red")  # from good to bad; exit codes 0, 1, 2
_MARKS = {"green": "[ ok ]", "amber": "[ !! ]", "red": "[FAIL]"}
_LINE_CHARS = 100


@dataclass(frozen=True)
class Finding:
    """One check's answer. mend: what to do, a sentence; empty when green.

    green: as it should be, or nothing here tells, which the finding then says. amber: the show
    plays, but somebody should look. red: the street would see it.
    """

    name: str
    state: State
    finding: str
    mend: str = ""

    def __post_init__(self) -> None:
        if bool(self.mend) != (self.state != "green"):
            raise ValueError(f"{self.name}: a mend belongs to a fault, and to nothing else")


def green(name: str, finding: str) -> Finding:
    """All is well, or cannot be known here."""
    return Finding(name, "green", finding)


def amber(name: str, finding: str, mend: str) -> Finding:
    """It plays, but somebody should look."""
    return Finding(name, "amber", finding, mend)


def red(name: str, finding: str, mend: str) -> Finding:
    """The street would see it."""
    return Finding(name, "red", finding, mend)


def waits_for(name: str, other: str) -> Finding:
    """What cannot be judged while another check is at fault; one fault is told once."""
    return green(name, f"Cannot be judged before `{other}` is mended.")


def joined(name: str, faults: Sequence[Finding], healthy: str) -> Finding:
    """One finding of several faults, as bad as the worst of them; green without any."""
    if not faults:
        return green(name, healthy)
    mends = dict.fromkeys(fault.mend for fault in faults)
    return Finding(
        name, verdict(faults), " ".join(fault.finding for fault in faults), " ".join(mends)
    )


def verdict(findings: Sequence[Finding]) -> State:
    """The worst state; green for none."""
    return max((one.state for one in findings), key=STATES.index, default="green")


def exit_code(findings: Sequence[Finding]) -> int:
    """0 green, 1 amber, 2 red."""
    return STATES.index(verdict(findings))


def as_json(findings: Sequence[Finding], seconds: float) -> str:
    """The whole answer for scripts."""
    whole = {
        "verdict": verdict(findings),
        "seconds": round(seconds, 1),
        "checks": [asdict(one) for one in findings],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def as_text(findings: Sequence[Finding], seconds: float) -> str:
    """A line for each check, the mend under each fault, the verdict last."""
    width = max((len(one.name) for one in findings), default=0)
    lines = []
    for one in findings:
        head = f"{_MARKS[one.state]} {one.name.ljust(width)}  "
        lines.append(_wrapped(head, one.finding))
        if one.mend:
            lines.append(_wrapped(" " * (len(head) - 3) + "-> ", one.mend))
    counts = ", ".join(f"{sum(one.state == state for one in findings)} {state}" for state in STATES)
    lines += ["", f"Verdict: {verdict(findings)} ({counts}; {seconds:.1f} s)."]
    return "\n".join(lines)


def _wrapped(head: str, text: str) -> str:
    return fill(
        " ".join(text.split()),
        _LINE_CHARS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
