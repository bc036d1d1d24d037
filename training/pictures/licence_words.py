"""A licence's short name and its conditions, read off its URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from training.pictures.licences import HOSTS, OWN, PUBLIC_DOMAIN_PAGES


def short_name(licence_url: str) -> str:
    """As in CC BY-NC-SA 4.0, CC0 1.0, Public Domain Mark 1.0; "" for a URL of none of these."""
    if licence_url == OWN:
        return "own work"
    words = _words(licence_url)
    if words[:1] == ("licenses",) and len(words) > 1:
        return " ".join(["CC", words[1].upper(), *words[2:3]])
    if words[:1] == ("publicdomain",) and len(words) > 1:
        name = {"zero": "CC0", "mark": "Public Domain Mark"}.get(words[1], words[1])
        return " ".join([name, *words[2:3]])
    page = licence_url.strip().partition("://")[2].rstrip("/").lower()
    return "United States Government Work" if page in PUBLIC_DOMAIN_PAGES else ""


def conditions(licence_url: str) -> frozenset[str]:
    """Of by, nc, sa, nd those that the licence makes."""
    words = _words(licence_url)
    return (
        frozenset(words[1].split("-")) if words[:1] == ("licenses",) and words[1:] else frozenset()
    )


def is_same_licence(one_url: str, other_url: str) -> bool:
    """Whether two URLs name one licence, however they are spelled (http, www, deed.en)."""
    one, other = _words(one_url)[:3], _words(other_url)[:3]
    return one == other if one and other else one_url.rstrip("/") == other_url.rstrip("/")


def _words(licence_url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(licence_url.strip())
    except ValueError:
        return ()
    if parts.scheme not in ("http", "https") or parts.netloc.lower() not in HOSTS:
        return ()
    return tuple(word for word in parts.path.lower().split("/") if word)
