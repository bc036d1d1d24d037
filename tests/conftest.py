"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import pytest

from shows.show import Show
from tests.tiny_show import make_tiny_show


@pytest.fixture
def tiny_show(tmp_path: Path) -> Show:
    """Seven screens, seven ballads of five paintings, w_dim 8, num_ws 4; its files in tmp_path."""
    return make_tiny_show(tmp_path / "tiny-show")
