"""Files that are either the old one or the new one, whole, whenever the power goes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from shows.schema import ShowError


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the file, flush to the disk, then take its place. Raises ShowError."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)  # mkstemp gives 0600, which another user cannot play
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ShowError(f"{path} cannot be written: {error.strerror or error}.") from error
