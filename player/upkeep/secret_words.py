"""What must not leave the house in a support bundle, and how it is struck out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from shows.schema import ShowError
from shows.yaml_file import read_yaml_mapping

SHORTEST = 6  # letters; striking out shorter ones would tear holes into words
_TELLING_NAME = re.compile(
    r"(^|_)(API)?(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|WEBHOOK|CREDENTIALS?|SMTP|PJLINK)S?(_|$)",
    re.IGNORECASE,
)
_IN_A_URL = re.compile(r"(?<=://)[^/\s\"'@]{1,200}(?=@)")


def secret_words(show: Path | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values of environment variables whose names say so or that the show file names, the passwords
    in them if they are URLs, and the words of the show's key file. The longest first."""
    named, key_file = _named_in(show)
    words = {
        value for name, value in environment.items() if name in named or _TELLING_NAME.search(name)
    }
    words |= {password for value in words if (password := _password(value))}
    if show is not None and key_file:
        try:
            text = (show / key_file).read_bytes()[:100_000].decode("utf-8", "replace")
        except OSError:
            text = ""
        words |= {text.strip(), *text.split()}
    words = {word for word in words if len(word) >= SHORTEST}
    words |= {form for word in words for form in _forms(word)}
    return tuple(sorted(words, key=len, reverse=True))


def _forms(word: str) -> tuple[str, ...]:
    """How a word looks in JSON, on a page, and in a URL."""
    in_json = json.dumps(word)[1:-1]
    return in_json, html.escape(word), html.escape(in_json), quote(word, safe="")


def without(text: str, secrets: Sequence[str]) -> tuple[str, int]:
    """The text with `[removed]` for each secret and for each user and password in a URL, and how
    many there were."""
    total = 0
    for secret in secrets:
        count = text.count(secret)
        if count:
            total += count
            text = text.replace(secret, "[removed]")
    text, count = _IN_A_URL.subn("[removed]", text)
    return text, total + count


def _named_in(show: Path | None) -> tuple[set[str], str]:
    """The environment variables that a show file names, and its key file; none if unreadable."""
    if show is None:
        return set(), ""
    try:
        data = read_yaml_mapping(show / "show.yaml", "show.yaml")
    except ShowError:
        return set(), ""
    sync = data.get("sync")
    key_file = sync.get("key_file") if isinstance(sync, Mapping) else None
    return set(_variables(data)), key_file if isinstance(key_file, str) else ""


def _variables(value: object) -> list[str]:
    if isinstance(value, Mapping):
        own = [str(item) for key, item in value.items() if str(key).endswith("_env")]
        return own + [name for item in value.values() for name in _variables(item)]
    if isinstance(value, list):
        return [name for item in value for name in _variables(item)]
    return []


def _password(value: str) -> str | None:
    try:
        return urlsplit(value).password
    except ValueError:
        return None
