from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shows import yaml_file
from shows.schema import ShowError
from shows.yaml_file import MAX_YAML_BYTES, parse_yaml_mapping, read_yaml_mapping


def test_a_plain_file_with_a_windows_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "show.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: Sang\r\nlist: [1, {a: 2}]\r\n")
    assert read_yaml_mapping(path, "show.yaml") == {"title": "Sang", "list": [1, {"a": 2}]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1\n", "line 2: "),
        ("a: &x 1\nb: *x\n", "line 1: anchors"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: tags"),
        ("a: !!int ''\n", "line 1: tags"),
        ("title: x\nstops: 7\ntitle: y\n", "line 3: 'title' is written twice"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: 'b' is written twice"),
        ("? [1, 2]\n: 3\n", "line 1: a name must be plain text"),
        ("a: " + "[" * 5000, "line 1: is nested deeper"),
        ("1: 2\n", "1 is not a name"),
        ("- a\n", "must hold names and values"),
        ("", "must hold names and values"),
        ("a: 2001-99-99\n", "is not YAML"),
        ("a: 0x_\n", "is not YAML"),
        ('a: "\\ud800"\n', "line 1: "),
        ("a: 1\n--- \nb: 2\n", "line"),
        ("a: \x01", "show.yaml"),
    ],
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_hostile_text_is_refused_in_a_sentence(
    text: str, fault: str, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether PyYAML comes with its C library or without."""
    if not hasattr(yaml, loader):
        pytest.skip("this PyYAML has no C library")
    monkeypatch.setattr(yaml_file, "_Loader", getattr(yaml, loader))
    with pytest.raises(ShowError) as caught:
        parse_yaml_mapping(text.encode(), "show.yaml")
    assert str(caught.value).startswith("show.yaml") and fault in str(caught.value)
    assert len(str(caught.value)) < 400


def test_equal_names_in_different_mappings_are_fine() -> None:
    assert parse_yaml_mapping(b"a: {x: 1}\nb: {x: [x, x]}\nx: x\n", "f") == {
        "a": {"x": 1},
        "b": {"x": ["x", "x"]},
        "x": "x",
    }


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(ShowError, match="aliases"):
        parse_yaml_mapping("\n".join(lines).encode(), "show.yaml")


def test_files_that_are_too_large_missing_or_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "show.yaml"
    path.write_bytes(b"#" * (MAX_YAML_BYTES + 1))
    with pytest.raises(ShowError, match="larger than 1 MB"):
        read_yaml_mapping(path, "show.yaml")
    path.write_bytes(b"title: caf\xe9\n")
    with pytest.raises(ShowError, match="not UTF-8 text from byte 10"):
        read_yaml_mapping(path, "show.yaml")
    with pytest.raises(ShowError, match="cannot be read"):
        read_yaml_mapping(tmp_path, "show.yaml")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:- \n[]{}&*!?|>'\"#%@\t0x1_.~<=", max_size=60))
def test_any_text_gives_a_mapping_or_a_show_error(text: str) -> None:
    try:
        data = parse_yaml_mapping(text.encode(), "f")
    except ShowError:
        return
    assert isinstance(data, dict)
