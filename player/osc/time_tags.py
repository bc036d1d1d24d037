"""OSC time tags: 64 bits of NTP time, seconds since 1900 and 2^-32 parts of one. Pure.

The seconds wrap in February 2036. A tag is therefore read as the time nearest to now, within 68
years, as NTP does (RFC 5905, section 6).
"""

IMMEDIATELY = 1
_NO_TIME = (0, IMMEDIATELY)  # 0 is what programs without a clock send
_TO_1970_S = 2_208_988_800
_WRAP = 1 << 64
NS_PER_S = 1_000_000_000


def time_tag(wall_ns: int) -> int:
    """The tag of a time in ns since 1970 (UTC), to the nearest 2^-32 s."""
    ns = wall_ns + _TO_1970_S * NS_PER_S
    return (((ns << 32) + NS_PER_S // 2) // NS_PER_S) % _WRAP


def ahead_ns(tag: int, wall_ns: int) -> int:
    """How far a tag is ahead of a time in ns since 1970, below 0 if it has passed; 0 for a tag that
    names no time. Exact to the ns for what `time_tag` made."""
    if tag in _NO_TIME:
        return 0
    return (_difference(tag, time_tag(wall_ns)) * NS_PER_S + (1 << 31)) >> 32


def later(one: int, other: int) -> int:
    """The later of two tags; a tag that names no time is before any other."""
    if one in _NO_TIME or other in _NO_TIME:
        return max(one, other)
    return one if _difference(one, other) >= 0 else other


def _difference(one: int, other: int) -> int:
    """one - other, in 2^-32 s, from -2^63 to 2^63 - 1."""
    return (one - other + _WRAP // 2) % _WRAP - _WRAP // 2
