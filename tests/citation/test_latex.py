"""Any text as LaTeX prints itself and does nothing; the tables hold the run's figures, and a real TeX takes them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.citation.formats import CitationFormat, bibtex, document, written
from reasrm.citation.latex import latex_text, score_table, tables
from reasrm.publishing.project_state import ProjectState
from reasrm.records.harmless_text import harmless, one_line
from tests.citation.cited_runs import made_up_run

ATTACK = (
    "\\input{/etc/passwd} \\write18{touch x} }\\end{document} $x$ % rest & a_b^c ~ # {{ \"q\" 'q' `q` << >> | -- ?` "
    "@article{x, é ü ñ Å ß 中文 \u202e \x1b[2J − × → … \\\\ \\relax"
)
UNDONE = {
    r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}", r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~", r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|",
    r"\textquotedblright{}": '"', r"\textquotesingle{}": "'", r"\textasciigrave{}": "`", "-{}": "-",
    r"\$": "$", r"\&": "&", r"\#": "#", r"\%": "%", r"\_": "_",
}  # fmt: skip
"""The commands that a text of ASCII may become, each with what it prints."""
PRINTED = r"""[^\\{}$&#%^_~<>|"'`]"""
"""A character that TeX prints as it stands."""
TOKEN = re.compile("|".join([*map(re.escape, UNDONE), r"\\ensuremath\{(?:-|\\times|\\to)\}", r"\\textendash\{\}",
                             r"\\ldots\{\}", r"\\[`'^~\"rc]\{[A-Za-z]\}", PRINTED]))  # fmt: skip


@given(st.text())
def test_any_text_becomes_ascii_with_no_command_of_its_own(text: str) -> None:
    latex = latex_text(text)
    assert latex.isascii()
    assert "\n" not in latex
    assert "".join(match[0] for match in TOKEN.finditer(latex)) == latex


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=150))
def test_ascii_is_printed_as_it_is(text: str) -> None:
    printed = TOKEN.sub(lambda match: UNDONE.get(match[0], match[0]), latex_text(text))
    assert printed == one_line(harmless(text), 200)


@given(st.text())
def test_braces_of_every_entry_are_in_pairs(text: str) -> None:
    """BibTeX counts them, escaped or not."""
    entry = bibtex(made_up_run(text))
    depth = 0
    for character in entry:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert entry.count("\n@") == 1


def test_the_table_has_each_score_with_its_interval_and_says_what_was_not_judged() -> None:
    rows = score_table(made_up_run()).splitlines()
    assert r"SFT & $75.0$ & $75.0$ & $75.0$ \\[-3pt]" in rows
    assert r" & {\scriptsize $[70.1, 80.0]$} & {\scriptsize $[70.1, 80.0]$} & {\scriptsize $[70.1, 80.0]$} \\" in rows
    assert r"SFT & $50.0$ & -- & -- \\[-3pt]" in rows, "the base model, whose label is the same"
    probe = tables(made_up_run())
    assert r"flip rate: b first & $0.162$ \\[-3pt]" in probe
    assert r"decay (\%) & $31.2$ \\[-3pt]" in probe


def test_doubts_stand_in_every_format() -> None:
    edited = ProjectState(
        {"sft": "changed"}, scores_are_current=False, commit="c0ffee", has_edits=True, committed_on=""
    )
    run = made_up_run(state=edited)
    for form in CitationFormat:
        assert "out of date: sft" in written(run, form)
        assert "out of date" not in written(made_up_run(), form)
    assert document(run)["seeds"] == {"sft": [0], "grpo": [0, 1]}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex: apt-get install texlive-latex-base")
@pytest.mark.parametrize(
    ("name", "printed"),
    [(ATTACK, "/etc/passwd"), ("[2pt] x", "\n[2pt] x"), ("*x", "\n*x"), ("中 x", "\n[U+4E2D] x")],
)
def test_a_real_tex_sets_hostile_names_as_text(name: str, printed: str, tmp_path: Path) -> None:
    run = made_up_run(name)
    (tmp_path / "tables.tex").write_text(written(run, CitationFormat.LATEX), encoding="utf-8")
    (tmp_path / "own.bib").write_text(bibtex(run), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage{textcomp}\\begin{document}\\cite{reasrm}"
        "\\cite{chen2025rmr1}\\input{tables}\\bibliographystyle{plain}\\bibliography{own}THE END\\end{document}\n"
    )
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    for command in (latex, ["bibtex", "paper"], latex, latex):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".aux", ".bbl", ".bib", ".blg", ".log", ".pdf", ".tex", ".tex",
    ]  # fmt: skip
    if shutil.which("pdftotext"):
        subprocess.run(["pdftotext", "paper.pdf"], cwd=tmp_path, check=True)
        text = (tmp_path / "paper.txt").read_text(encoding="utf-8")
        assert "THE END" in text
        assert printed in text
