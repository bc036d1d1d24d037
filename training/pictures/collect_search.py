"""What becomes of each photo that a search finds; several are downloaded at a time."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError
from training.pictures.collect_folder import Collection
from training.pictures.collect_http import TransientError, UnfitError, Web
from training.pictures.collect_words import guarded
from training.pictures.download import Facts, discard, download, examine
from training.pictures.flickr import Licence, Photo, Size
from training.pictures.licence_words import is_same_licence
from training.pictures.licences import allows_modification
from training.pictures.provenance import Provenance

KEPT = "kept"
ALREADY_THERE = "already there"
NO_ANSWER = "no answer"
SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
LOOK_UP_S = 1.0  # Windows hears Ctrl-C between waits alone


@dataclass(frozen=True)
class Plan:
    """What is done to every photo. licences: those that are wanted, by the service's id for them.
    min_size: of the shorter side, in pixels."""

    web: Web
    collection: Collection
    licences: Mapping[str, Licence]
    min_size: int


@dataclass(frozen=True)
class Ending:
    """What became of one photo. word: KEPT, ALREADY_THERE, or why it was left out."""

    photo: Photo
    word: str
    detail: str = ""

    @property
    def is_kept(self) -> bool:
        return self.word in (KEPT, ALREADY_THERE)


def usable_licences(
    offered: Mapping[str, Licence], wanted_urls: Sequence[str]
) -> dict[str, Licence]:
    """Those that allow modification and, if any are wanted, are among these.

    Raises TrainingError if none is left.
    """
    allowed = {key: one for key, one in offered.items() if allows_modification(one.url)}
    usable = {
        key: one
        for key, one in allowed.items()
        if not wanted_urls or any(is_same_licence(one.url, url) for url in wanted_urls)
    }
    if not usable:
        names = "; ".join(f"{one.name} ({one.url})" for one in allowed.values())
        raise TrainingError(f"The service has none of these licences. It has: {names or 'none'}.")
    return usable


def endings(
    plan: Plan, photos: Iterator[Photo], *, jobs: int, most: int | None
) -> Generator[Ending, None, None]:
    """One ending for each photo, as they come about; ends after `most` that are kept.

    Never are more under way than may still be kept, so that which ones are kept depends on the
    order of the search alone. However this generator ends, no thread is left and each download
    that was begun can be gone on with. Raises TrainingError and OSError.
    """
    pool = ThreadPoolExecutor(jobs, "download")
    pending: set[Future[Ending]] = set()
    kept, has_more = 0, True
    try:
        while True:
            while has_more and len(pending) < min(2 * jobs, _room(most, kept)):
                photo = next(photos, None)
                if photo is None:
                    has_more = False
                else:
                    pending.add(pool.submit(_keep, plan, photo))
            if not pending:
                return
            done, pending = wait(pending, LOOK_UP_S, FIRST_COMPLETED)
            for future in done:
                ending = future.result()
                kept += ending.is_kept
                yield ending
    finally:
        plan.web.stop.set()
        pool.shutdown(cancel_futures=True)


def choose(photo: Photo, licences: Mapping[str, Licence], min_size: int) -> Size:
    """The largest file of a photo that may be used. Raises UnfitError."""
    if not SAFE_ID.fullmatch(photo.id):
        raise UnfitError("no usable id", repr(photo.id[:80]))
    # the service was asked for these alone; it is not taken at its word
    if photo.licence not in licences:
        raise UnfitError("licence")
    if photo.media not in ("photo", ""):
        raise UnfitError("no photo")
    large = [size for size in photo.sizes if min(size.width, size.height) >= min_size]
    if not large:
        raise UnfitError("too small")
    return max(large, key=lambda size: size.width * size.height)


def _room(most: int | None, kept: int) -> int:
    return 1 << 30 if most is None else most - kept


def _keep(plan: Plan, photo: Photo) -> Ending:
    try:
        size = choose(photo, plan.licences, plan.min_size)
        name = f"flickr-{photo.id}"
        if plan.collection.held(name):
            return Ending(photo, ALREADY_THERE)
        part = plan.collection.part(name)
        try:
            download(plan.web, size.url, part)
            facts = _examined(part, size)
        except UnfitError:
            discard(part)
            raise
        row = _row(photo, plan.licences[photo.licence], size, name, facts)
        plan.collection.add(part, row)
        discard(part)
        return Ending(photo, KEPT)
    except UnfitError as fault:
        return Ending(photo, fault.reason, str(fault))
    except TransientError as fault:
        return Ending(photo, NO_ANSWER, str(fault))


def _examined(part: Path, size: Size) -> Facts:
    """The file's facts. Raises UnfitError for another picture than the one that was promised."""
    facts = examine(part)
    # sides of a turned photo may be told as it is shown
    if sorted((facts.width, facts.height)) != sorted((size.width, size.height)):
        raise UnfitError(
            "not the size that was told",
            f"{facts.width}x{facts.height}, not {size.width}x{size.height} pixels",
        )
    return facts


def _row(photo: Photo, licence: Licence, size: Size, name: str, facts: Facts) -> Provenance:
    return Provenance(
        file=name + facts.suffix,
        id=photo.id,
        owner=guarded(photo.owner),
        title=guarded(photo.title),
        licence=licence.name,
        licence_url=licence.url,
        source_url=size.url,
        page_url=photo.page_url,
        date=guarded(photo.date),
        width=facts.width,
        height=facts.height,
        sha256=facts.sha256,
    )
