"""The meaning of a module: the same for any layout, docstring and comment; another for any change of what it does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.fingerprints.module_meaning import DeclarationError, ModuleMeaning, read_meaning

SOURCE = '''"""A docstring."""

from typing import Final

LIMIT: Final = 3
"""What the limit means."""


class Judge:
    """Reads."""

    name: str = "j"
    """How it is called."""

    def verdict(self, reply: str, *, strict: bool = True) -> str | None:
        """Read it."""
        # a comment
        if strict and len(reply) > LIMIT:
            return f"<{reply!r}>"
        return None
'''

SAME = {
    "other docstrings": SOURCE.replace("A docstring.", "Quite another.").replace("Read it.", "Reads it."),
    "no field docstrings": SOURCE.replace('"""What the limit means."""', "").replace('"""How it is called."""', ""),
    "comments": SOURCE.replace("# a comment", "# two\n        # comments"),
    "quotes and brackets": SOURCE.replace('"j"', "('j')").replace("return None", "return (None)"),
    "line breaks": SOURCE.replace("reply: str, *,", "\n        reply: str,\n        *,\n       "),
}

OTHER = {
    "a number": SOURCE.replace("LIMIT: Final = 3", "LIMIT: Final = 4"),
    "an operator": SOURCE.replace("> LIMIT", ">= LIMIT"),
    "a word in a text": SOURCE.replace('"j"', '"k"'),
    "a conversion in an f-string": SOURCE.replace("reply!r", "reply!s"),
    "a default": SOURCE.replace("strict: bool = True", "strict: bool = False"),
    "keyword-only": SOURCE.replace("*, ", ""),
    "async": SOURCE.replace("def verdict", "async def verdict"),
    "a name": SOURCE.replace("class Judge", "class Other"),
    "an annotation": SOURCE.replace("name: str", "name: object"),
    "a statement less": SOURCE.replace("        return None\n", ""),
    "bool for int": SOURCE.replace("LIMIT: Final = 3", "LIMIT: Final = True"),
}


def meaning(tmp_path: Path, source: str) -> ModuleMeaning:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    return read_meaning(path)


@pytest.mark.parametrize("source", SAME.values(), ids=SAME)
def test_layout_says_nothing(tmp_path: Path, source: str) -> None:
    assert source != SOURCE
    assert meaning(tmp_path, source) == meaning(tmp_path, SOURCE)


@pytest.mark.parametrize("source", OTHER.values(), ids=OTHER)
def test_what_changes_the_work_changes_the_meaning(tmp_path: Path, source: str) -> None:
    assert source != SOURCE
    assert meaning(tmp_path, source).meaning != meaning(tmp_path, SOURCE).meaning


@given(left=st.text(max_size=8), right=st.text(max_size=8))
def test_two_texts_mean_the_same_only_if_they_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, left: str, right: str
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    same = meaning(folder, f"X = {left!r}\n").meaning == meaning(folder, f"X = {right!r}\n").meaning
    assert same == (left == right)


def test_declarations_are_read_without_import(tmp_path: Path) -> None:
    source = 'raise SystemExit\nFINGERPRINTED_FILES = ("a.html", "b.css")\nFINGERPRINT_EXEMPT: str = "only shows"\n'
    read = meaning(tmp_path, source)
    assert read.files == ("a.html", "b.css")
    assert read.exempt


def test_names_of_modules_in_strings_are_seen(tmp_path: Path) -> None:
    read = meaning(tmp_path, 'RUN = ["-m", "reasrm.miniature.oracle_server", "two words.", "3.5"]\n')
    assert "reasrm.miniature.oracle_server" in read.strings
    assert "two words." not in read.strings


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('FINGERPRINTED_FILES = "page.html"\n', "tuple of file names"),
        ("FINGERPRINTED_FILES = tuple(NAMES)\n", "line 1.*nothing computed"),
        ("FINGERPRINT_EXEMPT = True\n", "a sentence that says why"),
        ('FINGERPRINT_EXEMPT = " "\n', "a sentence that says why"),
        ("def broken(:\n", "line 1: not valid Python"),
    ],
)
def test_a_wrong_declaration_is_refused_with_file_and_way_out(tmp_path: Path, source: str, told: str) -> None:
    with pytest.raises(DeclarationError, match=rf"module\.py.*{told}"):
        meaning(tmp_path, source)
