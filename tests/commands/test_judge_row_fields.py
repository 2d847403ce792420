"""Rows of `reasrm judge --jsonl`: ids come back as written; what is wrong is found before anybody is asked."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.commands.judge import json_line, record
from reasrm.commands.judge_rows import comparison_rows
from reasrm.evaluation.pairwise_judgment import OrderJudgment, PairwiseJudgment
from reasrm.records.comparison import Side
from reasrm.records.content_hash import canonical_json
from reasrm.records.jsonl import BadRecordError
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import honest, judge_server, served_file

GOOD = '{"prompt": "Which?", "a": "the right one", "b": "x"}'
IDS = (
    "340282366920938463463374607431768211456", "-0", "0", "1", "1.0", "1.50", "1e400", "1E+2", "-12.5e-300",
    "18446744073709551616", "123456789012345678901234567890.123456789", "9" * 5000, "true", "false", "null", '""',
    '"7"', '"Grüße 你好 😀"', '"\\u001b[31m\\n"', "[]", "{}", '[1, [2.0, {"x": 1e-400}], null]', '{"b": 1, "a": [2]}',
)  # fmt: skip
"""Ids as a row may hold them."""
CALLS: list[str] = []
NO_ORDER = OrderJudgment(shown_first=Side.A, verdict=None, unreadable=None, confidence=float("nan"))
JUDGMENT = PairwiseJudgment(verdict=None, consistent=False, confidence=float("nan"), orders=(NO_ORDER, NO_ORDER))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    CALLS.clear()


def judged(rows: bytes | str, *arguments: str, name: str = "rows.jsonl") -> int:
    """The exit status of judging `rows`; `CALLS` has what was asked."""

    def note(said: str, _: dict[str, Any]) -> None:
        CALLS.append(said)

    Path("rows.jsonl").write_bytes(rows.encode() if isinstance(rows, str) else rows)
    with judge_server(honest, note) as url:
        return reasrm("judge", "--jsonl", name, "--served", str(served_file(Path(), url)), *arguments)


def with_id(written: str) -> str:
    return f'{{"id": {written}, {GOOD[1:]}'


def strict(line: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(line, parse_constant=refuse, parse_int=str, parse_float=str)


def test_an_id_of_any_type_comes_back_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join([*map(with_id, IDS), GOOD])
    assert judged(rows) == ExitCode.DONE
    printed = [strict(line) for line in capsys.readouterr().out.splitlines()]
    assert judged(rows, "--out", "judged.jsonl") == ExitCode.DONE
    written = [strict(line) for line in Path("judged.jsonl").read_text(encoding="utf-8").splitlines()]
    expected = [strict(one) for one in IDS]
    assert [row["id"] for row in printed[:-1]] == [row["id"] for row in written[:-1]] == expected
    assert "id" not in printed[-1] | written[-1]


def test_two_rows_may_have_one_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(f"{with_id('1')}\n{with_id('1').replace('Which', 'What')}\n{with_id('1')}") == ExitCode.DONE
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [1, 1, 1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_whatever_the_id_is_both_outputs_hold_it_and_no_nan(given_id: Any) -> None:
    row = json.dumps(json.loads(GOOD) | {"id": given_id})
    Path("one.jsonl").write_text(row, encoding="utf-8")
    with comparison_rows("one.jsonl") as parts:
        [[(_, found)]] = list(parts)
    for line in (json_line(found, JUDGMENT), canonical_json(record(found, JUDGMENT)).decode()):
        assert strict(line)["id"] == strict(row)["id"]
        assert strict(line)["confidence"] is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (with_id("NaN"), "id: NaN is no JSON"),
        (with_id("[-Infinity]"), "id: -Infinity is no JSON"),
        (with_id('"\\ud83d"'), "id: holds half of a character"),
        (with_id('{"\\udc00": 1}'), "id: holds half of a character"),
        ('{"id": ' + "[" * 99999 + "]" * 99999 + "," + GOOD[1:], "nested too deeply"),
        (GOOD.replace("the right", "\\ud83d"), "a: Value error, holds half of a character"),
        ('{"prompt": [{"role": "user", "content": "\\udc00"}], "a": "x", "b": "y"}', "prompt: Value error, holds half"),
        (GOOD.replace('"x"', "5"), "b: Input should be a valid string (got '5')"),
        (GOOD.replace('"x"', "9" * 5000), "b: Input should be a valid string (got '999"),
        (GOOD.replace('"x"', "NaN"), "b: Input should be a valid string (got 'NaN')"),
        (GOOD.replace('"x"', "null"), "b: Input should be a valid string"),
        (GOOD.replace('"b"', '"c"'), "b: Field required"),
        (GOOD.replace('"b"', '"a"'), "the key 'a' occurs twice"),
        ('{"system": "Be a pirate.", ' + GOOD[1:], "system: is not read; put it into `prompt`"),
        (GOOD.replace("}", ",}"), "row: not valid JSON"),
        ("5", "row: "),
        ("null", "row: "),
        ('"\x1b[31m"', "row: not valid JSON"),
    ],
)
def test_a_row_that_cannot_be_judged_is_named_before_anybody_is_asked(
    capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    """It stands behind more rows than are judged at once."""
    assert judged("\n".join([GOOD] * 300 + [line]), "--out", "judged.jsonl") == ExitCode.FAILED
    out = capsys.readouterr()
    assert out.err.startswith("reasrm judge: rows.jsonl line 301: ")
    assert said in out.err
    assert out.err.count("\n") == 1
    assert out.err.replace("\n", "").isprintable()
    assert (CALLS, out.out, Path("judged.jsonl").exists()) == ([], "", False)


def test_fields_that_nobody_reads_may_hold_anything() -> None:
    odd = '"score": NaN, "half": "\\ud83d", "big": 1e999, "deep": ' + "[" * 50 + "]" * 50
    assert judged(GOOD.replace("}", f", {odd}}}")) == ExitCode.DONE


def encoded_rows() -> Iterator[tuple[str, bytes]]:
    two = f"{with_id('1')}\n{with_id('2')}\n"
    yield "byte order mark", b"\xef\xbb\xbf" + two.encode()
    yield "two files put together", b"".join(b"\xef\xbb\xbf" + line.encode() for line in two.splitlines(keepends=True))
    yield "Windows", two.replace("\n", "\r\n").encode()
    yield "no newline at the end", b"\n\n" + two.encode().rstrip() + b"\n\n\xef\xbb\xbf"


@pytest.mark.parametrize("rows", [rows for _, rows in encoded_rows()], ids=[name for name, _ in encoded_rows()])
@pytest.mark.parametrize("from_stdin", [False, True])
def test_marks_and_line_ends_are_not_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, rows: bytes, from_stdin: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows), encoding="ascii"))
    assert judged(rows, name="-" if from_stdin else "rows.jsonl") == ExitCode.DONE
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GOOD.encode("utf-16"), "rows.jsonl line 1: row: UTF-16, not UTF-8"),
        (GOOD.replace("x", "é").encode("latin-1"), "rows.jsonl line 1: row: byte 49 is not UTF-8"),
        (b"\x1f\x8b\x08\x00" + bytes(range(100, 200)), "rows.jsonl line 1: row: "),
        (b"", "rows.jsonl: holds no row"),
        (b"\xef\xbb\xbf", "rows.jsonl: holds no row"),
        (b" \r\n\n", "rows.jsonl: holds no row"),
    ],
)
def test_a_file_that_holds_no_rows(capsys: pytest.CaptureFixture[str], rows: bytes, said: str) -> None:
    assert judged(rows) == ExitCode.FAILED
    assert capsys.readouterr().err.startswith(f"reasrm judge: {said}")
    assert CALLS == []


def test_what_can_be_read_only_once_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe")
    if os.fork() == 0:
        Path("pipe").write_text(f"{with_id('7')}\n{with_id('8')}\n")
        os._exit(0)
    assert judged(b"", name="pipe") == ExitCode.DONE
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [7, 8]


@pytest.mark.parametrize("name", [".", "no such file", "/dev/null", "\x1b[31m"])
def test_what_is_no_file_of_rows(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert judged(GOOD, name=name) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.strip().isprintable()
    assert CALLS == []


@pytest.mark.parametrize("written", ["\ufeffthe right one\r\n", "the right one\n"])
def test_a_text_from_a_file_has_no_byte_order_mark(capsys: pytest.CaptureFixture[str], written: str) -> None:
    Path("a.txt").write_bytes(written.encode())
    with judge_server(honest) as url:
        words = ["--prompt", "Which?", "--a", "@a.txt", "--b", "x", "--served", str(served_file(Path(), url)), "--json"]
        assert reasrm("judge", *words) == ExitCode.DONE
    quoted = orjson.loads(capsys.readouterr().out)["orders"][0]["quotes"][0]
    assert (quoted["text"], quoted["grounding"]) == ("the right one\n", "verbatim")


def test_a_bad_row_is_an_error_of_its_own_kind() -> None:
    Path("rows.jsonl").write_text("{}")
    with pytest.raises(BadRecordError, match="prompt: Field required"), comparison_rows("rows.jsonl"):
        pass
