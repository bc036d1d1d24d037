import ast
import subprocess
import sys
from pathlib import Path

import pytest

from player.clock import (
    Clock,
    ClockError,
    HouseClock,
    ManualClock,
    OfflineClock,
    process_age_ns,
)

PLAYER = Path(__file__).parents[1] / "player"


def test_house_clock_waits_until_the_deadline_and_not_much_longer() -> None:
    clock = HouseClock()
    deadline_ns = clock.now_ns() + 12_000_000
    clock.wait_until_ns(deadline_ns)
    late_ns = clock.now_ns() - deadline_ns
    assert 0 <= late_ns < 250_000_000


def test_house_clock_does_not_wait_for_the_past() -> None:
    clock = HouseClock()
    before_ns = clock.now_ns()
    clock.wait_until_ns(before_ns - 10**12)
    assert clock.now_ns() - before_ns < 250_000_000


def test_manual_clock_moves_only_by_hand() -> None:
    clock = ManualClock(5)
    assert clock.now_ns() == clock.now_ns() == 5
    clock.advance(10)
    clock.wait_until_ns(15)
    assert clock.now_ns() == 15
    with pytest.raises(ClockError, match="never end"):
        clock.wait_until_ns(16)
    with pytest.raises(ClockError, match="go back"):
        clock.advance(-1)


def test_offline_clock_is_at_the_deadline_at_once_and_never_goes_back() -> None:
    clock = OfflineClock(7)
    clock.wait_until_ns(10**15)
    clock.wait_until_ns(3)
    assert clock.now_ns() == 10**15


@pytest.mark.parametrize("clock", [HouseClock(), OfflineClock(), ManualClock(10**18)])
def test_every_clock_keeps_the_contract(clock: Clock) -> None:
    before_ns = clock.now_ns()
    deadline_ns = before_ns if isinstance(clock, ManualClock) else before_ns + 1_000_000
    clock.wait_until_ns(deadline_ns)
    assert clock.now_ns() >= deadline_ns
    assert isinstance(clock.now_ns(), int)


def test_the_age_of_the_process_counts_the_interpreters_own_start() -> None:
    code = (
        "import time\n"
        "from player.clock import process_age_ns\n"
        "print(process_age_ns(), time.process_time_ns())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PLAYER.parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    age_ns, cpu_ns = map(int, done.stdout.split())
    kernel_tick_ns = 10_000_000
    if sys.platform == "linux":
        assert age_ns + 2 * kernel_tick_ns >= cpu_ns
    assert 0 <= age_ns < 30_000_000_000
    assert process_age_ns() >= 0


def test_no_other_module_of_the_player_reads_time() -> None:
    readers = [
        path.name
        for path in sorted(PLAYER.glob("*.py"))
        if path.name != "clock.py" and {"time", "datetime"} & _imported(path)
    ]
    assert readers == []


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names
