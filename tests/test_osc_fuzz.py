"""A million mutated packets at the operator's port; and the packets themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from player.osc import fuzz
from player.osc.fuzz import CHUNK_PACKETS, Tally, fuzzed
from player.osc.mutants import LONGEST_BYTES, MUTATIONS, addresses, mutants, seeds
from player.osc.packets import PacketError, decode_packet
from tests.test_osc_packets import packet

MILLION = 1_000_000


@pytest.mark.parametrize("half", [0, 1])
def test_half_a_million_packets_cost_an_answer_each_at_most(half: int) -> None:
    chunks = MILLION // 2 // CHUNK_PACKETS
    whole = Tally()
    for chunk in range(half * chunks, (half + 1) * chunks):
        whole.add(fuzzed(7, chunk))
    assert whole.packets == MILLION // 2
    assert whole.judged() == []
    assert whole.packets * 0.2 < whole.answers < whole.packets, "some good, some bad"
    assert whole.commands > whole.packets * 0.02, "and some are obeyed"
    assert whole.percentile_us(0.99) < 1000


def test_the_packets_are_the_same_for_the_same_number() -> None:
    valid = seeds()
    assert list(mutants(3, 500, valid)) == list(mutants(3, 500, valid))
    assert list(mutants(3, 500, valid)) != list(mutants(4, 500, valid))


def test_what_is_mutated_was_good_and_every_mutation_harms() -> None:
    valid = seeds()
    assert all(decode_packet(data) for data in valid)
    assert len({data[: len(a) + 1] for a in addresses() for data in valid[:50]}) > 50
    made = list(mutants(5, 4000, valid))
    assert max(map(len, made)) <= LONGEST_BYTES
    assert sum(map(refused, made)) > 1000 and not all(map(refused, made))
    assert len(MUTATIONS) >= 12
    assert max(map(len, made)) > 4096, "longer ones than are read"


def refused(data: bytes) -> bool:
    try:
        decode_packet(data)
    except PacketError:
        return True
    return False


def test_a_fault_is_told_with_its_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of a test")

    monkeypatch.setattr("player.osc.control.parse_message", parse)
    (fault, *_) = fuzzed(1, 0, 50).judged()
    assert "seed 1, chunk 0" in fault and "behind an address" in fault
    monkeypatch.setattr("player.osc.control.OscControl.handle_datagram", parse)
    (fault, *_) = fuzzed(1, 0, 5).judged()
    assert "ZeroDivisionError escaped" in fault
    monkeypatch.setattr(
        "player.osc.control.OscControl.handle_datagram",
        lambda self, data, sender: [self._send(b"", sender) for _ in range(2)],
    )
    (fault, *_) = fuzzed(1, 0, 5).judged()
    assert "2 answers to one packet" in fault


class SlowClock:
    """A clock on which everything takes 6 ms."""

    def __init__(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        self._now_ns += 6_000_000
        return self._now_ns

    def wait_until_ns(self, deadline_ns: int) -> None:
        raise AssertionError("nothing waits")


def test_what_is_too_slow_is_told() -> None:
    tally = fuzzed(1, 0, 20, clock=SlowClock())
    assert tally.judged() == ["a packet took 6.0 ms; 5 ms are the limit"]
    assert fuzz.Tally(growth_bytes=20 << 20).judged() == ["memory grew by 20 MiB"]


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "CHUNK_PACKETS", 100)
    monkeypatch.setattr(fuzz, "ProcessPoolExecutor", AtOnce)
    report = tmp_path / "fuzz.json"
    assert fuzz.main(["--packets", "1000", "--seed", "2", "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["following_chunk"] == 10 and figures["faults"] == []
    assert figures["parse_us"].keys() == {"p50", "p99", "max", "max_with_interruptions"}
    assert fuzz.main(["--packets", "1000", "--seconds", "0", "--from-chunk", "3"]) == 0
    assert "--from-chunk 3" in capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(SystemExit):
        fuzz.main(["--packets", "0"])


class AtOnce:
    """Stands in for the processes: starting them takes seconds."""

    def __init__(self, jobs: int, mp_context: object, initializer: object) -> None:
        assert jobs == 2

    def __enter__(self) -> AtOnce:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, call: object, seed: int, chunk: int) -> object:
        from concurrent.futures import Future

        future: Future[Tally] = Future()
        future.set_result(fuzzed(seed, chunk, 100))
        return future


def test_a_bundle_of_refusals_is_one_answer_and_all_are_counted() -> None:
    from player.osc.control import OscControl
    from tests.test_osc_control import NAMES
    from tests.test_osc_packets import bundle

    sent: list[bytes] = []
    control = OscControl(names=NAMES, send=lambda data, _: sent.append(data))
    control.handle_datagram(bundle(*[packet("/nothing")] * 64), ("10.0.0.1", 4))
    assert len(sent) == 1 and b"(and 63 more)" in sent[0]
    assert control.errors == 64
