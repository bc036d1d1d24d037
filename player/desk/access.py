"""Who may come in: under which names, with which secret, how often it may be wrong. Pure."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

NS_PER_S = 1_000_000_000
MOST_WRONG = 5  # of one host in a minute
MOST_WRONG_OF_ALL = 30
FORGOTTEN_NS = 60 * NS_PER_S
SESSION_NS = 12 * 3600 * NS_PER_S
MOST_SESSIONS = 200


def is_loopback(host: str) -> bool:
    """Whether what is served there can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_our_name(host_header: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this server by a number, or by a name of this machine.

    A name of another site that is made to lead here (DNS rebinding) is refused.
    """
    try:
        host = urlsplit(f"//{host_header}").hostname
    except ValueError:
        return False
    if host is None:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in names
    return True


def is_our_origin(origin: str, host_header: str) -> bool:
    """Whether a page that asks comes from this server itself."""
    try:
        return urlsplit(origin).netloc == host_header
    except ValueError:
        return False


class Door:
    """Lets in by a password, or by a code of six digits that is good once. Times in ns."""

    def __init__(self, password: str | None, tell_code: Callable[[str], None] | None) -> None:
        """tell_code: is handed each new code, to be shown on the terminal; None: by password."""
        self._password, self._tell_code = password, tell_code
        self._wrong: list[tuple[int, str]] = []
        self._sessions: dict[str, int] = {}
        self._code = ""
        if tell_code is not None:
            self._new_code()

    @property
    def by_code(self) -> bool:
        return self._tell_code is not None

    def is_shut(self, host: str, now_ns: int) -> bool:
        """Whether there have been too many wrong secrets to hear another one."""
        self._wrong = [(at, who) for at, who in self._wrong if now_ns - at < FORGOTTEN_NS]
        of_host = sum(who == host for _, who in self._wrong)
        return of_host >= MOST_WRONG or len(self._wrong) >= MOST_WRONG_OF_ALL

    def enter(self, secret: str, host: str, now_ns: int) -> str | None:
        """A new session for the right secret, else None. A code is good for one session."""
        if self.is_shut(host, now_ns):
            return None
        wanted = self._code if self._tell_code is not None else self._password or ""
        is_right = secrets.compare_digest(secret.strip().encode(), wanted.encode())
        if not (is_right and wanted):
            self._wrong.append((now_ns, host))
            return None
        if self._tell_code is not None:
            self._new_code()
        token = secrets.token_urlsafe(32)
        self._sessions[token] = now_ns + SESSION_NS
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return token

    def knows(self, token: str, now_ns: int) -> bool:
        """Whether a session is one of ours, and not over."""
        return self._sessions.get(token, 0) > now_ns

    def _new_code(self) -> None:
        self._code = f"{secrets.randbelow(10**6):06d}"
        assert self._tell_code is not None
        self._tell_code(self._code)
