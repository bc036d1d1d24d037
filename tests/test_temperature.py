"""The thermometer: its thread, what it makes of sensors that tell and of those that do not, and
what is told of it over OSC."""

from __future__ import annotations

import sys
import threading
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from player.doctor.system import judged_temperature
from player.heat import HOT_C, WARM_C, Heat
from player.osc.values import value_of
from player.reading import Reading
from player.transport import opening_transport
from player.upkeep.measures import processor_c
from player.upkeep.temperature import Thermometer
from shows.show import Show
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

Sensor = namedtuple("Sensor", "label current high critical")


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show") / "show")


def test_it_reads_again_and_again_until_it_is_closed() -> None:
    told = iter([61.0, 62.0, 63.0])
    again = threading.Event()

    def processor() -> float | None:
        value = next(told, None)
        if value is None:
            again.set()
        return value

    meter = Thermometer(processor, lambda: 40.0, every_s=0.01)
    assert meter.heat == Heat()
    meter.start()
    assert again.wait(5)
    assert wait_for(lambda: meter.heat == Heat(None, 40.0))
    meter.close()
    assert wait_for(lambda: not any(one.name == "thermometer" for one in threading.enumerate()))


def test_a_sensor_that_hangs_holds_nobody_up() -> None:
    hanging = threading.Event()
    meter = Thermometer(lambda: 50.0, lambda: None if hanging.wait(60) else 1.0)
    meter.start()
    try:
        assert meter.heat == Heat()
        meter.close()
    finally:
        hanging.set()


@pytest.fixture
def sensors(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Sensor]]:
    told: dict[str, list[Sensor]] = {}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: told, raising=False)
    return told


def test_the_processor_is_its_hottest_sensor(sensors: dict[str, list[Sensor]]) -> None:
    assert processor_c() is None
    sensors["nvme"] = [Sensor("Composite", 99.0, None, None)]
    assert processor_c() is None
    sensors["acpitz"] = [Sensor("", 27.8, None, None)]
    assert processor_c() == 27.8
    sensors["coretemp"] = [Sensor("", c, 100.0, 100.0) for c in (61.04, 0.0, 72.06)]
    assert processor_c() == 72.1


@pytest.mark.skipif(
    sys.platform == "win32", reason="a shell script stands in for the driver's tool"
)
def test_the_card_is_asked_by_the_driver_s_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '71, 2048'\necho '64, 100'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    meter = Thermometer(lambda: None)
    meter.start()
    assert wait_for(lambda: meter.heat == Heat(None, 71.0))
    meter.close()


@pytest.mark.parametrize(
    ("heat", "told"),
    [
        (Heat(), (-1.0, -1.0, -1.0)),
        (Heat(61.5), (61.5, 61.5, -1.0)),
        (Heat(61.5, 83.0), (83.0, 61.5, 83.0)),
    ],
)
def test_what_no_sensor_tells_is_minus_one(
    show: Show, heat: Heat, told: tuple[float, float, float]
) -> None:
    reading = Reading(show, opening_transport(show), 0, 0, heat=heat)
    paths = ("", "/processor", "/graphics")
    assert tuple(value_of(reading, f"/status/temperature{path}", None) for path in paths) == told


def test_the_doctor_and_the_desk_judge_alike() -> None:
    states = [judged_temperature(c, None).state for c in (WARM_C - 0.1, WARM_C, HOT_C)]
    assert states == ["green", "amber", "red"]
