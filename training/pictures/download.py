"""One picture from an address to a whole, checked file, going on where an earlier try ended."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image, UnidentifiedImageError

from shows.plain_file import open_plain
from training.pictures.collect_http import StoppedError, TransientError, UnfitError, Web

MOST_BYTES = 200 << 20
PIECE_BYTES = 1 << 20
LONGEST_TAG = 200
# Pillow calls a JPEG file of several pictures MPO, and opens it as JPEG
SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "BMP": ".bmp",
}
FORMATS = tuple(SUFFIXES.keys() - {"MPO"})
# a smaller copy of itself inside the decoder: every byte is read, little memory is taken
SMALL = (64, 64)


@dataclass(frozen=True)
class Facts:
    """What a picture file is. suffix: by its format. width, height: in pixels, as stored."""

    suffix: str
    width: int
    height: int
    sha256: str


def download(web: Web, url: str, part: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Fill `part` with all that is at `url`; a fault leaves what has come, for the next call.

    Beside it lies `<part>.tag`: the mark by which the server knows the file that was begun, so that
    the rest of another file is never taken for the rest of this one (If-Range, RFC 9110, 13.1.5).
    Raises UnfitError, StoppedError, OSError, and after six tries TransientError.
    """
    web.again(lambda: _attempt(web, url, part, most_bytes))


def discard(part: Path) -> None:
    """Forget a download that was begun."""
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def examine(path: Path) -> Facts:
    """Decode a picture file to its end. Raises UnfitError if it is none, OSError."""
    digest = sha256_of(path)
    try:
        with Image.open(path, formats=FORMATS) as image:
            (width, height), form = image.size, image.format
            image.draft(None, SMALL)
            image.load()
    except UnidentifiedImageError as fault:
        raise UnfitError("not a picture") from fault
    except Image.DecompressionBombError as fault:
        raise UnfitError("too large", str(fault)) from fault
    except (OSError, SyntaxError, ValueError, EOFError) as fault:
        raise UnfitError("broken", str(fault)) from fault
    return Facts(SUFFIXES[form or ""], width, height, digest)


def sha256_of(path: Path) -> str:
    """The hash of a file, hex. Raises OSError."""
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def is_same_file(path: Path, sha256: str) -> bool:
    """Whether the file is there and has this hash (hex)."""
    try:
        return sha256_of(path) == sha256
    except OSError:
        return False


def _attempt(web: Web, url: str, part: Path, most_bytes: int) -> None:
    have, tag = _begun(part)
    headers = {"Range": f"bytes={have}-", "If-Range": tag} if have else {}
    with web.get(url, headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if have and response.headers.get("Content-Range") == f"bytes */{have}":
                return
            discard(part)
            raise TransientError("the server has no such piece of the file")
        if response.status_code == httpx.codes.PARTIAL_CONTENT and have:
            whole = _whole_of(response, have)
            if whole is None:
                discard(part)
                raise TransientError("the server sent another piece than was asked for")
        else:
            discard(part)
            have, whole = 0, _length(response)
            _tag_file(part).write_text(_tag(response), encoding="ascii")
        if (whole or 0) > most_bytes:
            raise UnfitError("too large", f"{whole} bytes")
        with part.open("ab") as file:
            for piece in response.iter_raw():
                have += len(piece)
                if have > most_bytes:
                    raise UnfitError("too large", f"more than {most_bytes} bytes")
                file.write(piece)
                if web.stop.is_set():
                    raise StoppedError
    if whole is not None and have != whole:
        raise TransientError(f"{have} of {whole} bytes came")


def _begun(part: Path) -> tuple[int, str]:
    """How many bytes of which file have come; none if that is not known for sure."""
    try:
        tag = _tag_file(part).read_text(encoding="ascii")
        return (part.stat().st_size, tag) if tag else (0, "")
    except (FileNotFoundError, UnicodeDecodeError):
        return 0, ""


def _tag(response: httpx.Response) -> str:
    """A strong validator, or "": after a weak one bytes may differ."""
    tag = str(response.headers.get("ETag", ""))
    usable = len(tag) <= LONGEST_TAG and re.fullmatch(r'"[\x21\x23-\x7e]*"', tag)
    return tag if usable else ""


def _length(response: httpx.Response) -> int | None:
    word = str(response.headers.get("Content-Length", ""))
    return int(word) if re.fullmatch(r"[0-9]{1,18}", word) else None


def _whole_of(response: httpx.Response, start: int) -> int | None:
    """Bytes of the whole file, if the answer is the rest of it from `start` on."""
    word = str(response.headers.get("Content-Range", ""))
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", word)
    if found is None:
        return None
    first, last, whole = (int(number) for number in found.groups())
    return whole if first == start and last == whole - 1 else None


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".tag")
