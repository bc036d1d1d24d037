"""Which licences let a picture be cropped, resized and learned from.

A licence is known by its Creative Commons URL, never by a service's own number: numbers are added
(Flickr's 11 to 16 are the licences of version 4.0) and their meaning is the service's alone.
"""

from __future__ import annotations

from urllib.parse import urlsplit

HOSTS = frozenset({"creativecommons.org", "www.creativecommons.org"})
# what works of the United States' government are shown under; not a Creative Commons page
PUBLIC_DOMAIN_PAGES = frozenset({"www.usa.gov/copyright.shtml", "www.usa.gov/government-works"})
ABBREVIATIONS = {
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "pdm": "https://creativecommons.org/publicdomain/mark/1.0/",
    **{
        f"{name}-{version}": f"https://creativecommons.org/licenses/{name.removeprefix('cc-')}/"
        f"{version}/"
        for name in ("cc-by", "cc-by-sa", "cc-by-nc", "cc-by-nc-sa", "cc-by-nd", "cc-by-nc-nd")
        for version in ("2.0", "3.0", "4.0")
    },
}
# of a picture that its owner prepares; no page says it
OWN = "own"


def allows_modification(licence_url: str) -> bool:
    """True for Creative Commons licences without NoDerivatives, public-domain marks and `OWN`.

    False for everything else, an unknown or empty URL among them.
    """
    if licence_url == OWN:
        return True
    try:
        parts = urlsplit(licence_url.strip())
    except ValueError:  # such as "http://[x"
        return False
    if f"{parts.netloc}{parts.path}".rstrip("/").lower() in PUBLIC_DOMAIN_PAGES:
        return True
    if parts.scheme not in ("http", "https") or parts.netloc.lower() not in HOSTS:
        return False
    words = [word for word in parts.path.lower().split("/") if word]
    if len(words) < 2:
        return False
    if words[0] == "publicdomain":
        return words[1] in ("zero", "mark")
    elements = words[1].split("-")
    return words[0] == "licenses" and elements[0] == "by" and "nd" not in elements


def licence_url(name: str) -> str:
    """The URL of a licence given as such, as `own`, or as in cc0, pdm, cc-by-4.0, cc-by-nc-sa-2.0.

    Raises ValueError for any other word.
    """
    word = name.strip()
    if word == OWN or word.lower().startswith(("https://", "http://")):
        return word
    try:
        return ABBREVIATIONS[word.lower()]
    except KeyError:
        raise ValueError(f"{name!r} is no licence that is known here") from None
