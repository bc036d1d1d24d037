"""Flickr's REST service: its licences, and photos by tags and text, newest first.

flickr.photos.licenses.getInfo and flickr.photos.search, asked in JSON. A search gives at most its
first 4000 results and then repeats itself, so a larger one is cut into spans of upload time.
Numbers come as numbers or as text, texts as such or as {"_content": text}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from training.errors import TrainingError
from training.pictures.collect_http import TransientError, UnfitError, Web
from training.pictures.collect_words import one_line

ENDPOINT = "https://api.flickr.com/services/rest/"
KEY_NAME = "FLICKR_API_KEY"
MOST_RESULTS = 4000
PER_PAGE = 500
MOST_ANSWER_BYTES = 32 << 20
FIRST_UPLOAD_S = 1_072_915_200  # 2004-01-01; Flickr opened in February of that year
INVALID_KEY = 100
PASSING_CODES = frozenset({0, 10, 105, 106})  # "currently unavailable", in several words
# the sides of the original and of the sizes from 800 pixels of longer side on
SIZES = ("o", "6k", "5k", "4k", "f", "3k", "k", "h", "l", "c")
EXTRAS = ",".join(
    ("license", "owner_name", "date_taken", "date_upload", "media", *(f"url_{s}" for s in SIZES))
)


@dataclass(frozen=True)
class Licence:
    """One of the service's licences; id: the service's own number for it."""

    id: str
    name: str
    url: str


@dataclass(frozen=True)
class Size:
    """One file of a photo; width and height in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Photo:
    """One result, as far as the service says; what it does not say is empty. licence: an id.

    id is as the service sent it; the words are each one line.
    """

    id: str
    title: str
    owner: str
    owner_id: str
    licence: str
    media: str
    date: str
    sizes: tuple[Size, ...]

    @property
    def page_url(self) -> str:
        return f"https://www.flickr.com/photos/{quote(self.owner_id, safe='@')}/{quote(self.id)}/"


@dataclass(frozen=True)
class Query:
    """tags: with commas. mode: "any" or "all" of the tags."""

    tags: str
    text: str
    mode: str


class Flickr:
    """The service at the address of `web`. Raises TrainingError when it refuses or is silent."""

    def __init__(self, web: Web, key: str) -> None:
        self._web = web
        self._key = key

    def licences(self) -> dict[str, Licence]:
        """The licences that the service knows, by id."""
        answer = self._call("flickr.photos.licenses.getInfo", {})
        entries = _mapping(answer.get("licenses")).get("license")
        found = [_mapping(entry) for entry in (entries if isinstance(entries, list) else [entries])]
        return {
            text_of(entry.get("id")): Licence(
                text_of(entry.get("id")),
                one_line(text_of(entry.get("name"))),
                _address(text_of(entry.get("url"))),
            )
            for entry in found
            if text_of(entry.get("id"))
        }

    def search(self, query: Query, licences: Sequence[str], until: datetime) -> Iterator[Photo]:
        """Each photo of these licences once, those uploaded after `until` left out."""
        wanted = {
            "tags": query.tags,
            "text": query.text,
            "tag_mode": query.mode,
            "license": ",".join(licences),
            "media": "photos",
            "sort": "date-posted-desc",
            "extras": EXTRAS,
            "per_page": str(PER_PAGE),
        }
        seen: set[str] = set()
        for photo in self._span(wanted, FIRST_UPLOAD_S, int(until.timestamp())):
            if photo.id not in seen:
                seen.add(photo.id)
                yield photo

    def _span(self, wanted: dict[str, str], first_s: int, last_s: int) -> Iterator[Photo]:
        span = {"min_upload_date": str(first_s), "max_upload_date": str(last_s)}
        entries, pages, total = self._page(wanted | span, 1)
        if total > MOST_RESULTS and first_s < last_s:
            middle_s = (first_s + last_s) // 2
            yield from self._span(wanted, middle_s + 1, last_s)
            yield from self._span(wanted, first_s, middle_s)
            return
        yield from map(photo_of, entries)
        for number in range(2, min(pages, MOST_RESULTS // PER_PAGE) + 1):
            yield from map(photo_of, self._page(wanted | span, number)[0])

    def _page(self, wanted: dict[str, str], number: int) -> tuple[list[object], int, int]:
        """Entries, the number of pages, and of results in all."""
        answer = self._call("flickr.photos.search", wanted | {"page": str(number)})
        found = _mapping(answer.get("photos"))
        entries = found.get("photo")
        entries = entries if isinstance(entries, list) else []
        return entries, number_of(found.get("pages")), number_of(found.get("total"))

    def _call(self, method: str, arguments: dict[str, str]) -> dict[str, object]:
        form = {name: value for name, value in arguments.items() if value} | {
            "method": method,
            "api_key": self._key,
            "format": "json",
            "nojsoncallback": "1",
        }
        try:
            return self._web.again(lambda: self._ask(method, form))
        except TransientError as fault:
            raise TrainingError(
                f"Flickr does not answer {method} ({fault}). Nothing is lost; the same line goes "
                "on where this one ended."
            ) from fault
        except UnfitError as fault:
            raise TrainingError(
                f"Flickr refuses {method} ({fault}); is the address of --api right?"
            ) from fault

    def _ask(self, method: str, form: dict[str, str]) -> dict[str, object]:
        body = bytearray()
        with self._web.post(form) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MOST_ANSWER_BYTES:
                    raise TransientError("the answer has no end")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as fault:
            raise TransientError("the answer is not JSON") from fault
        answer = _mapping(answer)
        if answer.get("stat") == "ok":
            return answer
        code = number_of(answer.get("code"))
        said = text_of(answer.get("message")).replace(self._key, "(the key)")[:200]
        if answer.get("stat") != "fail" or code in PASSING_CODES:
            raise TransientError(said or "the answer is not one of its own")
        hint = f" Is the key in {KEY_NAME} right?" if code == INVALID_KEY else ""
        raise TrainingError(f"Flickr refuses {method}: {said or 'no reason given'} ({code}).{hint}")


def photo_of(entry: object) -> Photo:
    """One entry of a search's answer."""
    photo = _mapping(entry)
    taken = one_line(text_of(photo.get("datetaken")))
    owner_id = one_line(text_of(photo.get("owner")))
    is_guess = number_of(photo.get("datetakenunknown")) == 1
    sizes = (
        Size(
            text_of(photo.get(f"url_{size}")),
            number_of(photo.get(f"width_{size}")),
            number_of(photo.get(f"height_{size}")),
        )
        for size in SIZES
    )
    return Photo(
        id=text_of(photo.get("id")),
        title=one_line(text_of(photo.get("title"))),
        owner=one_line(text_of(photo.get("ownername"))) or owner_id,
        owner_id=owner_id,
        licence=text_of(photo.get("license")),
        media=text_of(photo.get("media")),
        date=_upload_date(number_of(photo.get("dateupload"))) if is_guess or not taken else taken,
        sizes=tuple(size for size in sizes if re.fullmatch(r"[\x21-\x7e]+", size.url)),
    )


def text_of(value: object) -> str:
    """The service's text or number as text, else ""."""
    if isinstance(value, dict):
        value = value.get("_content")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def number_of(value: object) -> int:
    """The service's whole number, else 0."""
    word = text_of(value).strip()
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 16 else 0


def _upload_date(seconds: int) -> str:
    if not 0 < seconds < 1 << 33:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _address(text: str) -> str:
    return text if re.fullmatch(r"https?://[A-Za-z0-9.-]+(/[\x21-\x7e]*)?", text) else ""


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
