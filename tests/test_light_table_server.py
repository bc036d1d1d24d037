"""The light table's address is told once it answers, and not before."""

from __future__ import annotations

import asyncio

import pytest

from training.light_table import web_server
from training.light_table.web_server import free_port


def test_the_address_is_told_only_once_it_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port(0)
    connect = asyncio.open_connection
    refused = 0

    async def connected(host: str, to: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        nonlocal refused
        try:
            return await connect(host, to)
        except OSError:
            refused += 1
            if refused == 3:  # it opens now, between two tries
                await asyncio.start_server(lambda reader, writer: writer.close(), host, port)
            raise
        finally:
            assert capsys.readouterr().out == ""

    monkeypatch.setattr(asyncio, "open_connection", connected)
    asyncio.run(web_server._tell_when_open(port))
    assert refused == 3
    assert f"The light table is open at http://127.0.0.1:{port}/" in capsys.readouterr().out
