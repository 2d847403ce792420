"""Rows of JSON files: one odd row is refused, the rows around it are read.

`.json` and `.jsonl` say little about what is in a file: lists are called `.jsonl`, lines are called `.json`. So the
content decides. A file that begins with `[` and is not lines of JSON is a list; a file whose first value goes on after
its line is values one after the other; all else is lines.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from io import BufferedReader
from itertools import chain
from typing import Any, BinaryIO, cast

from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.records.json_parsing import DECODER, NotJsonError, decoded, parse_json, require_usable, why_not

PlacedRow = tuple[int, Any]
"""Where a row stands, and the row; or, in its place, the RowRefusedError that says why it cannot be read."""
_WIDE = ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
         (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def json_rows(file: BinaryIO, *, lines: bool) -> Iterator[PlacedRow]:
    """The rows of a JSON file; a row's place is its line from 1, or its index in a list from 0.

    Args:
        file: the file, at its beginning.
        lines: whether it is called a file of lines, so that it need not be looked at as a whole.
    """
    begun: list[bytes] = []
    for line in file:
        begun.append(line)
        if line.removeprefix(codecs.BOM_UTF8).strip():
            break
    head = begun[-1].removeprefix(codecs.BOM_UTF8).lstrip() if begun else b""
    if lines and begun and not head.startswith(b"[") and not begun[0].startswith(tuple(mark for mark, _ in _WIDE)):
        yield from _lines(decoded(line) for line in chain(begun, file))
        return
    text, fault = whole_text(b"".join(begun) + file.read())
    yield from _document(text, lines=lines)
    if fault is not None:
        yield text.count("\n") + 1, fault


def byte_order_encoding(file: BinaryIO) -> str:
    """The encoding that a file's byte order mark names, for a reader that takes the mark off; UTF-8 without one."""
    head = cast(BufferedReader, file).peek(4)
    wide = next((encoding for mark, encoding in _WIDE if head.startswith(mark)), None)
    return wide.rpartition("-")[0] if wide else "utf-8-sig"


def whole_text(data: bytes) -> tuple[str, RowRefusedError | None]:
    """A file's text by its byte order mark, UTF-8 without one, and what cannot be read of its end."""
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding), None
            except UnicodeDecodeError as error:
                good = data[len(mark) : len(mark) + error.start].decode(encoding)
                return good, RowRefusedError(Refusal.UNREADABLE, f"no {encoding} from byte {error.start} on")
    return decoded(data.removeprefix(codecs.BOM_UTF8)), None


def _document(text: str, *, lines: bool) -> Iterator[PlacedRow]:
    start = _after_space(text, 0)
    first = _line_at(text, start)
    second = _line_at(text, _after_space(text, first.stop))
    in_lines = bool(second) and (_is_json(text, first) or (lines and _is_json(text, second)))
    if text.startswith("[", start) and not in_lines:
        yield from _entries(text, start + 1)
    elif lines or in_lines or not second:
        yield from _lines(text.split("\n"))
    else:
        yield from _values(text, start)


def _line_at(text: str, start: int) -> range:
    """Where the line that begins at `start` stands; big files are one line, so it is not copied."""
    end = text.find("\n", start)
    return range(start, len(text) if end < 0 else end)


def _is_json(text: str, line: range) -> bool:
    try:
        parse_json(text[line.start : line.stop])
    except NotJsonError:
        return False
    return True


def _lines(lines: Iterable[str]) -> Iterator[PlacedRow]:
    for place, line in enumerate(lines, start=1):
        if line.strip().removeprefix("\ufeff"):
            yield place, _parsed(line)


def _parsed(text: str) -> Any:
    try:
        return parse_json(text)
    except NotJsonError as error:
        return RowRefusedError(Refusal.UNREADABLE, str(error))


def _values(text: str, at: int) -> Iterator[PlacedRow]:
    """Values with nothing but space between them; if the first is none, the text is lines after all."""
    place = 0
    while at < len(text):
        try:
            row, end = _value(text, at)
        except (ValueError, RecursionError) as error:
            if place == 0:
                yield from _lines(text.split("\n"))
            else:
                yield place, RowRefusedError(Refusal.UNREADABLE, why_not(error))
            return
        yield place, row
        place, at = place + 1, _after_space(text, end)


def _entries(text: str, at: int) -> Iterator[PlacedRow]:
    """The entries of a list whose bracket was read; where it cannot be followed further, the rest is one refusal."""
    place, at, odd = 0, _after_space(text, at), False
    if text.startswith("]", at):
        at += 1
    else:
        while True:
            row, end = _entry(text, at, odd=odd)
            odd = odd or isinstance(row, RowRefusedError)
            at = len(text) if end is None else _after_space(text, end)
            closed, goes_on = text.startswith("]", at), text.startswith(",", at)
            yield place, row
            at, place = _after_space(text, at + 1), place + 1
            if not goes_on:
                break
        if not closed:
            if not isinstance(row, RowRefusedError):
                yield place, RowRefusedError(Refusal.UNREADABLE, "the list is cut off or broken here")
            return
    if text[at:].strip():
        yield place, RowRefusedError(Refusal.UNREADABLE, "text follows the end of the list")


def _entry(text: str, at: int, *, odd: bool) -> tuple[Any, int | None]:
    """An entry of a list, or why it cannot be used, and where it ends if that is known.

    In a list with odd entries (`odd`) ends are looked for first: an error of the decoder counts all lines before it.
    """
    if not odd:
        try:
            return _value(text, at)
        except (ValueError, RecursionError):  # once more below, with its end
            pass
    end = _end_of(text, at)
    return _parsed(text[at:end]), end


def _value(text: str, at: int) -> tuple[Any, int]:
    """The value, or why it cannot be used, and where it ends.

    Raises:
        ValueError: there is none that can be parsed.
        RecursionError: it is nested too deeply to be parsed.
    """
    value, end = DECODER.raw_decode(text, at)
    try:
        require_usable(value, text[at:end])
    except NotJsonError as error:
        return RowRefusedError(Refusal.UNREADABLE, str(error)), end
    return value, end


def _end_of(text: str, at: int) -> int | None:
    """Where an entry that cannot be parsed ends: at the comma or bracket behind its own brackets."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token.group()
        if depth == 0 and mark in {",", "]"}:
            return token.start()
        depth += (mark in {"[", "{"}) - (mark in {"]", "}"})
        if depth < 0:
            return None
    return None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
