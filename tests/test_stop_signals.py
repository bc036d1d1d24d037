"""Ctrl-C and SIGTERM are kept until the work in hand is done."""

from __future__ import annotations

import signal

import pytest

from training.stop_signals import StopSignals


def test_nothing_is_received_without_a_signal() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopSignals(second_raises=True) as stop:
        assert stop.received is None and signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_to_be_asked_for(number: int) -> None:
    with StopSignals(second_raises=True) as stop:
        signal.raise_signal(number)
        assert stop.received == number


def test_a_second_signal_is_at_once() -> None:
    with StopSignals(second_raises=True):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_repeated_signals_count_once_where_they_may_repeat() -> None:
    with StopSignals(second_raises=False) as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.received == signal.SIGTERM


def test_the_verb_ends_as_the_signal_would_have_it() -> None:
    stop = StopSignals(second_raises=True)
    with pytest.raises(KeyboardInterrupt):
        stop.leave()  # another worker was told to stop
    stop.received = signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        stop.leave()
    stop.received = signal.SIGTERM
    with pytest.raises(SystemExit) as end:
        stop.leave()
    assert end.value.code == 143
