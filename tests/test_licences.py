"""Which licences let a picture be learned from, and how they are named."""

from __future__ import annotations

import pytest

from training.pictures.licence_words import conditions, is_same_licence, short_name
from training.pictures.licences import allows_modification, licence_url

CC = "https://creativecommons.org"


@pytest.mark.parametrize(
    "url",
    [
        f"{CC}/licenses/by/2.0/",
        f"{CC}/licenses/by/4.0/deed.en",
        f"{CC}/licenses/by-nc-sa/4.0/",
        f"{CC}/licenses/by-sa/9.0/",
        "http://www.creativecommons.org/licenses/by-nc/2.0",
        "HTTPS://CreativeCommons.org/Licenses/BY/4.0/",
        f"{CC}/publicdomain/zero/1.0/",
        f"{CC}/publicdomain/mark/1.0/",
        "http://www.usa.gov/copyright.shtml",
        "https://www.usa.gov/government-works/",
        "own",
    ],
)
def test_may_be_changed(url: str) -> None:
    assert allows_modification(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "Own",
        f"{CC}/licenses/by-nd/4.0/",
        f"{CC}/licenses/by-nc-nd/2.0/",
        f"{CC}/licenses/nd-by/4.0/",
        f"{CC}/licenses/",
        f"{CC}/publicdomain/other/1.0/",
        f"{CC}.example.org/licenses/by/4.0/",
        "https://example.org/creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org@example.org/licenses/by/4.0/",
        "javascript://creativecommons.org/licenses/by/4.0/",
        "https://www.flickr.com/commons/usage/",
        "https://www.flickrhelp.com/hc/en-us/articles/10710266545556",
    ],
)
def test_may_not_be_changed(url: str) -> None:
    assert not allows_modification(url)


@pytest.mark.parametrize(
    ("name", "url", "short", "asks"),
    [
        ("own", "own", "own work", set()),
        ("cc0", f"{CC}/publicdomain/zero/1.0/", "CC0 1.0", set()),
        ("PDM", f"{CC}/publicdomain/mark/1.0/", "Public Domain Mark 1.0", set()),
        ("cc-by-4.0", f"{CC}/licenses/by/4.0/", "CC BY 4.0", {"by"}),
        (
            "CC-BY-NC-SA-2.0",
            f"{CC}/licenses/by-nc-sa/2.0/",
            "CC BY-NC-SA 2.0",
            {"by", "nc", "sa"},
        ),
        ("cc-by-nd-3.0", f"{CC}/licenses/by-nd/3.0/", "CC BY-ND 3.0", {"by", "nd"}),
        (
            "https://www.usa.gov/government-works/",
            "https://www.usa.gov/government-works/",
            "United States Government Work",
            set(),
        ),
        ("https://example.org/x", "https://example.org/x", "", set()),
        ("http://[x", "http://[x", "", set()),
    ],
)
def test_names(name: str, url: str, short: str, asks: set[str]) -> None:
    assert licence_url(name) == url
    assert short_name(url) == short
    assert conditions(url) == asks


@pytest.mark.parametrize("name", ["", "gpl", "cc-by-9.9", "creativecommons.org/licenses/by/4.0/"])
def test_names_that_are_not_known(name: str) -> None:
    with pytest.raises(ValueError, match="no licence that is known"):
        licence_url(name)


def test_one_licence_has_many_urls() -> None:
    by = f"{CC}/licenses/by/4.0/"
    assert is_same_licence(by, "http://www.creativecommons.org/licenses/BY/4.0/deed.de")
    assert not is_same_licence(by, f"{CC}/licenses/by/2.0/")
    assert not is_same_licence(by, f"{CC}/licenses/by-sa/4.0/")
    assert is_same_licence("https://example.org/a/", "https://example.org/a")
    assert not is_same_licence("", by)
