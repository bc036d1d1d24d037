"""Requests that keep a pace, are tried again after a passing fault, and go only where they may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from types import TracebackType
from typing import TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from training.errors import TrainingError

TRIES = 6
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0
# the second is for each piece of an answer; Ctrl-C waits no longer than that
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
MOST_REDIRECTS = 3
AGENT = "inspace-ballads-player (python -m training collect)"

Result = TypeVar("Result")


class TransientError(Exception):
    """A fault that may pass; pause_s: how long the server asks to wait, None if it does not say."""

    def __init__(self, text: str, pause_s: float | None = None) -> None:
        super().__init__(text)
        self.pause_s = pause_s


class UnfitError(Exception):
    """A picture that is left out. reason: as it is counted. The text says more."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or reason)
        self.reason = reason


class StoppedError(Exception):
    """The work is being stopped."""


class Pace:
    """At most `rate` requests a second over all threads. Raises StoppedError once `stop` is set."""

    def __init__(self, rate: float, stop: threading.Event) -> None:
        self._gap_s = 1 / rate
        self._stop = stop
        self._next_s = 0.0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for the next place in the row."""
        with self._lock:
            now_s = time.monotonic()
            place_s = max(now_s, self._next_s)
            self._next_s = place_s + self._gap_s
        if self._stop.wait(place_s - now_s):
            raise StoppedError

    def hold(self, seconds: float) -> None:
        """Give no place before that time is over."""
        with self._lock:
            self._next_s = max(self._next_s, time.monotonic() + seconds)


class Web:
    """One client for all threads, used in a `with`. api: the service's address.

    rate: requests a second. first_wait_s: before a second try; it doubles with each, with jitter.
    Raises TrainingError for an address that is neither https nor this machine.
    """

    def __init__(
        self, api: str, *, rate: float, first_wait_s: float, stop: threading.Event
    ) -> None:
        try:
            self._api = httpx.URL(api)
        except httpx.InvalidURL as fault:
            raise TrainingError(f"--api {api}: this is no address ({fault}).") from fault
        loopback = _is_loopback(self._api)
        if not self._api.host or (self._api.scheme != "https" and not loopback):
            raise TrainingError(
                f"--api {api}: the address must begin with https://, or the key could be read on "
                "its way."
            )
        self.stop = stop
        self._pace = Pace(rate, stop)
        self._backoff = wait_exponential(first_wait_s, LONGEST_WAIT_S) + wait_random(
            0, first_wait_s
        )
        self._client = httpx.Client(
            timeout=TIMEOUT,
            max_redirects=MOST_REDIRECTS,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
            event_hooks={"request": [self._before]},  # redirected requests pass it too
            trust_env=not loopback,
        )

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """The answer, its body still to be read: 2xx, or 416 to a Range that cannot be had.

        Raises TransientError, UnfitError, StoppedError, also out of the `with` block.
        """
        with (
            self._faults(),
            self._client.stream("GET", url, headers=headers, follow_redirects=True) as response,
        ):
            self._judge(response)
            yield response

    @contextmanager
    def post(self, data: Mapping[str, str]) -> Iterator[httpx.Response]:
        """As `get`, of the service: what is asked stands in the body, so that no address and no
        fault ever holds the key."""
        with self._faults(), self._client.stream("POST", self._api, data=data) as response:
            self._judge(response)
            yield response

    def again(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` returns, tried up to six times. Raises its last TransientError."""
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(TRIES),
            wait=self._wait_s,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(attempt)

    def _before(self, request: httpx.Request) -> None:
        if request.url.scheme != "https" and _origin(request.url) != _origin(self._api):
            raise UnfitError("address refused", f"{request.url} is not https")
        self._pace.take()

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (404, 410):
            raise UnfitError("gone", f"HTTP {status}")
        if status in (408, 429) or status >= 500:
            pause_s = retry_after_s(response.headers.get("Retry-After", ""), datetime.now(UTC))
            if pause_s is not None:
                self._pace.hold(pause_s)
            raise TransientError(f"HTTP {status}", pause_s)
        if not response.is_success and status != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise UnfitError("refused by the server", f"HTTP {status}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as fault:
            raise TransientError(str(fault) or type(fault).__name__) from fault
        except (httpx.TooManyRedirects, httpx.InvalidURL) as fault:
            raise UnfitError("address refused", str(fault)) from fault

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _wait_s(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, TransientError) and fault.pause_s is not None:
            return fault.pause_s
        return self._backoff(state)


def retry_after_s(header: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header, at most 600; None if it says nothing (RFC 9110, 10.2.3)."""
    word = header.strip()
    if word.isascii() and word.isdecimal():
        return min(float(word), LONGEST_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(word)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _is_loopback(url: httpx.URL) -> bool:
    try:
        return url.scheme == "http" and (
            url.host == "localhost" or ip_address(url.host).is_loopback
        )
    except ValueError:
        return False
