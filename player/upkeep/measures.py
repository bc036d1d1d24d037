"""What the machine tells of the player: memory, descriptors, shared memory, temperature, versions.

All of it is read by the journal's thread; a part that cannot be read is None.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from player.live.shared_segment import segment_folder

PACKAGES = (
    "numpy moderngl glfw python-osc PyYAML pillow safetensors pydantic av psutil torch matplotlib"
).split()
GPU_WAIT_S = 2.0
_GPU_QUERY = ("--query-gpu=temperature.gpu,memory.used", "--format=csv,noheader,nounits")


def process_measures() -> dict[str, object]:
    """Of this process and its children, each None where it cannot be read.

    `rss_mb` and `children_rss_mb` resident megabytes, `children` their number; `descriptors` and
    `threads` of this process alone; `segments` its blocks of shared memory; `cpu_c` and
    `gpu_c` the hottest of each in degrees Celsius, `gpu_mb` memory in use on the GPUs.
    """
    import psutil

    told: dict[str, object] = dict.fromkeys(("rss_mb", "children_rss_mb", "children"))
    try:
        process = psutil.Process()
        told["rss_mb"] = round(process.memory_info().rss / 1e6, 1)
        told["threads"] = process.num_threads()
        told["descriptors"] = (
            process.num_handles() if sys.platform == "win32" else process.num_fds()
        )
        children = process.children(recursive=True)
        told["children"] = len(children)
        told["children_rss_mb"] = round(sum(map(_rss_bytes, children)) / 1e6, 1)
    except (psutil.Error, OSError):
        pass
    told["segments"] = _segments()
    told["cpu_c"] = processor_c()
    told["gpu_c"], told["gpu_mb"] = _gpu.read()
    return told


def _rss_bytes(process: Any) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except (psutil.Error, OSError):  # it has ended since
        return 0


def _segments() -> int | None:
    """Blocks of shared memory that this process has mapped, also those whose name is taken back
    already (proc_pid_maps(5)); None elsewhere than on Linux."""
    if sys.platform != "linux":
        return None
    try:
        maps = Path("/proc/self/maps").read_text(errors="replace")
    except OSError:
        return None
    return len(set(re.findall(rf"{re.escape(str(segment_folder()))}/(inspace-[0-9a-f-]+)", maps)))


def processor_c() -> float | None:
    """Degrees Celsius of its hottest sensor, to a tenth; None where nothing tells."""
    import psutil

    try:
        sensors = psutil.sensors_temperatures()
    except (AttributeError, OSError, ValueError):  # not on Windows, nor in most containers
        return None
    for chip in ("coretemp", "k10temp", "zenpower", "cpu_thermal", "acpitz"):
        degrees = [sensor.current for sensor in sensors.get(chip, ()) if sensor.current]
        if degrees:
            return round(float(max(degrees)), 1)
    return None


class GpuSensor:
    """Asks the driver's own tool. One that does not answer within 2 s is not asked again."""

    def __init__(self, find: Callable[[str], str | None] = shutil.which) -> None:
        self._find = find
        self._is_given_up = False

    def read(self) -> tuple[float | None, float | None]:
        """Degrees Celsius of the hottest GPU, and megabytes in use on all; None each if unknown."""
        tool = None if self._is_given_up else self._find("nvidia-smi")
        if tool is None:
            return None, None
        try:
            process = subprocess.Popen(
                [tool, *_GPU_QUERY],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._is_given_up = True
            return None, None
        try:
            out, _ = process.communicate(timeout=GPU_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()  # not waited for: after a driver's fault it may never end
            self._is_given_up = True
            return None, None
        return gpu_figures(out.decode("ascii", "replace"))


_gpu = GpuSensor()


def gpu_figures(text: str) -> tuple[float | None, float | None]:
    """Of the tool's answer, a line `temperature, megabytes` a GPU; None each for any other."""
    degrees: list[float] = []
    megabytes: list[float] = []
    for line in text.splitlines():
        first, _, second = line.partition(",")
        if first.strip().isdecimal():
            degrees.append(float(first))
        if second.strip().isdecimal():
            megabytes.append(float(second))
    return max(degrees, default=None), sum(megabytes) if megabytes else None


def start_facts(environment: Mapping[str, str] | None = None) -> dict[str, object]:
    """Versions of what plays, and the supervisor's count and reason if it restarted the player.

    environment: None for the process's own; only INSPACE_RESTARTS and INSPACE_RESTART_REASON are
    read of it.
    """
    environment = os.environ if environment is None else environment
    restarts = environment.get("INSPACE_RESTARTS", "")
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "pid": os.getpid(),
        "restarts": int(restarts) if restarts.isdecimal() and len(restarts) < 10 else 0,
        "restart_reason": environment.get("INSPACE_RESTART_REASON", "")[:500],
    }


def package_versions() -> dict[str, str]:
    """The installed versions of what the player uses; absent ones are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
