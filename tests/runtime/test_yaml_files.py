"""YAML as DVC reads it, and errors that name file and line."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml

from reasrm.runtime.yaml_files import (
    YamlError,
    parse_yaml,
    parse_yaml_with_comments,
    read_yaml,
    write_yaml,
    yaml_text,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.0e-3", 0.003),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1_000", 1000),
        ("0o7", 7),
        ("010", 10),
        ("12:30", "12:30"),
        (".inf", float("inf")),
        ("'0o7'", "0o7"),
    ],
)
def test_a_value_is_what_dvc_takes_it_for(tmp_path: Path, text: str, value: Any) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"a: {text}\n")
    found = read_yaml(path)["a"]
    by_dvc = load_yaml(str(path))["a"]
    assert (found, type(found)) == (by_dvc, type(by_dvc))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "value", [1e-6, 3e-3, 1e22, 0.1, "no", "1e-3", "0o7", "a: b", "", None, True, [1, {"b": ["x"]}]]
)
def test_what_is_written_is_read_again(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "params.yaml"
    write_yaml(path, {"z": value, "a": 1})
    assert read_yaml(path) == load_yaml(str(path)) == {"z": value, "a": 1}
    assert list(read_yaml(path)) == ["z", "a"]


def test_comments_and_layout_are_kept() -> None:
    text = '# The first.\na: 3.0e-3  # per step\nb: {c: "x", d: [1, 2]}\n'
    document = parse_yaml_with_comments(text, "here")
    assert yaml_text(document) == text


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: [1\nc: 2\n", "line 3", "not YAML"),
        ("a: 1\na: 2\n", "line 2", 'duplicate key "a"'),
        ("a: !x y", "", "x"),
    ],
)
def test_an_error_names_file_line_and_problem(tmp_path: Path, text: str, line: str, problem: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(YamlError) as raised:
        read_yaml(path)
    assert str(raised.value).startswith(f"{path} {line}")
    assert problem in str(raised.value)


def test_what_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(YamlError, match="byte 3: not UTF-8"):
        read_yaml(tmp_path / "a.yaml")


def test_nothing_is_none() -> None:
    assert parse_yaml("# only a comment\n", "here") is None
