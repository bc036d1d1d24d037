"""Writing a data set archive: a stored zip of square PNGs and a `dataset.json`.

The published training tools' format: pictures are taken in the order of their names; `dataset.json`
has the key "labels", null where there are none. "provenance" is ours; they pass over it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from training.pictures.prepare_files import written_whole
from training.pictures.provenance import Provenance

SOME_DATE = (1980, 1, 1, 0, 0, 0)


def archive_name(index: int) -> str:
    """The name that the common data set format gives picture `index`."""
    return f"{index // 1000:05d}/img{index:08d}.png"


def write_archive(out: Path, work: Path, pngs: Iterable[bytes], rows: Iterable[Provenance]) -> None:
    """Write `out`, which until then stays what it was. rows: one for each picture, in order.

    The same pictures give the same archive, byte for byte. Raises TrainingError if it cannot be
    written; `work` is where finished pictures lie, for the sentence.
    """
    described = [{"picture": archive_name(i), **asdict(row)} for i, row in enumerate(rows)]
    labels = json.dumps({"labels": None, "provenance": described})
    with (
        written_whole(out, work) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        for index, png in enumerate(pngs):
            _write_entry(archive, archive_name(index), png)
        _write_entry(archive, "dataset.json", labels.encode())


def _write_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, SOME_DATE), content)
