"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shows.show import Show
from tests.tiny_show import make_tiny_show


@pytest.fixture
def tiny_show(tmp_path: Path) -> Show:
    """Seven screens, seven ballads of five paintings, w_dim 8, num_ws 4; its files in tmp_path."""
    return make_tiny_show(tmp_path / "tiny-show")


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """Small networks on one thread: faster than two, and fair to what else runs here."""
    import torch  # here, because most tests do without it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
