"""Room on the disks, and whether what is kept while the show runs can be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from player.doctor.finding import Finding, amber, green, joined, red
from player.doctor.helpers import Helpers
from player.doctor.patient import Patient
from player.films.film_facts import film_frames, films_folder

DISK, FILES = "disk", "files"
FULL_MB, SCARCE_MB = 50, 500  # a journal of sixty days with its pictures takes some 300
# bytes a pixel and frame of a film, as measured in docs/films.md, rounded up: small pictures are
# kept nearly without loss
_SMALL_SIDE_PX, _SMALL_BYTES, _LARGE_BYTES = 512, 0.6, 0.1


def look_at_disk(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """Where the show lies, and where state and journal are kept. Films that are missing need room:
    their parts, and the film that is made of them."""
    del helpers
    wanted: dict[int, tuple[Path, float]] = {}
    state = patient.options.state.parent
    for path, films_mb in ((patient.options.show, films_to_come_mb(patient)), (state, 0.0)):
        folder = _there(path)
        wanted.setdefault(folder.stat().st_dev, (folder, films_mb))
    faults, told = [], []
    for folder, films_mb in wanted.values():
        try:
            free_mb = shutil.disk_usage(folder).free / 1e6
        except OSError as fault:
            mend = "Check the disk and how it is mounted."
            faults.append(amber(DISK, f"{folder}: {fault.strerror}.", mend))
            continue
        judged = judged_disk(folder, free_mb, films_mb)
        told.append(judged.finding)
        faults += [judged] if judged.mend else []
    return [joined(DISK, faults, " ".join(told))]


def judged_disk(folder: Path, free_mb: float, films_mb: float) -> Finding:
    """films_mb: what the missing films will need."""
    finding = f"{_size(free_mb)} free at {folder}."
    mend = "Delete what is not needed, or use a larger disk."
    if free_mb < FULL_MB:
        return red(DISK, f"The disk is full: {finding}", mend)
    if free_mb < films_mb + SCARCE_MB:
        films = f" The missing films need some {_size(films_mb)}." if films_mb else ""
        return amber(DISK, f"{finding}{films}", mend)
    return green(DISK, finding)


def films_to_come_mb(patient: Patient) -> float:
    """An estimate for the missing films; 0 where none is missing, or nothing is known."""
    show, films, info = patient.show, patient.films, patient.generator
    if show is None or films is None or info is None:
        return 0.0
    side = info.img_resolution
    bytes_a_pixel = _SMALL_BYTES if side < _SMALL_SIDE_PX else _LARGE_BYTES
    frames = sum(film_frames(show, ballad) for ballad in films.missing)
    return 2 * frames * side * side * bytes_a_pixel / 1e6


def look_at_files(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """A file is written and removed where state, journal and films go."""
    del helpers
    state, show = patient.options.state, patient.show
    folders = {"state and journal": state.parent}
    if show is not None:
        folders["films"] = films_folder(show)
    faults = []
    for what, folder in folders.items():
        fault = why_not_writeable(folder)
        if fault:
            mend = f"Make {folder} a folder that this user may write into."
            faults.append(amber(FILES, f"No {what} can be kept in {folder}: {fault}.", mend))
    where = ", ".join(str(folder) for folder in folders.values())
    return [joined(FILES, faults, f"Writeable: {where}.")]


def why_not_writeable(folder: Path) -> str:
    """Empty if a file can be written there, or, where the folder is still to be made, above it."""
    there = _there(folder)
    if not there.is_dir():
        return f"{there} is a file, not a folder"
    try:
        descriptor, path = tempfile.mkstemp(prefix=".doctor-", dir=there)
        os.close(descriptor)
        os.unlink(path)
    except OSError as fault:
        return (fault.strerror or str(fault)).lower()
    return ""


def _there(path: Path) -> Path:
    """The path, or what there is of it."""
    path = path.absolute()
    return next((one for one in (path, *path.parents) if os.path.lexists(one)), path)


def _size(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
