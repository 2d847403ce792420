"""The run's figures as LaTeX tables (booktabs), and any text as LaTeX that prints it and does nothing else.

Names of models, benchmarks and data come from settings and from others. So every text passes `latex_text`, whose result
compiles with any engine: ASCII, no command but those written here, braces in pairs.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reasrm.citation.cited_run import CitedRun, CitedScore
from reasrm.probes.measure import Measure
from reasrm.records.harmless_text import harmless, one_line

LONGEST = 200
"""Characters of a text in a table."""
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedblright{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    **{character: f"\\{character}" for character in "$&#%_"},
    "−": r"\ensuremath{-}",  # noqa: RUF001  a real minus sign
    "×": r"\ensuremath{\times}",  # noqa: RUF001
    "–": r"\textendash{}",  # noqa: RUF001
    "→": r"\ensuremath{\to}",
    "…": r"\ldots{}",
}
"""What is not printed as it stands."""
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u0327": "c"}
"""Combining marks by LaTeX's accent command."""


class TableCell(NamedTuple):
    """A figure with its interval, as LaTeX."""

    value: str
    interval: str


NOT_MEASURED = TableCell("--", "")
PACKAGES = "% In the preamble: \\usepackage{booktabs}, \\usepackage{textcomp}"


def latex_text(text: str, limit: int = LONGEST) -> str:
    """`text` as LaTeX prints it, on one line of at most `limit` characters; what some engine lacks is a code point."""
    written = "".join(map(_character, one_line(harmless(text), limit)))
    return re.sub("-(?=-)", "-{}", written)  # two hyphens would become a dash


def _character(character: str) -> str:
    if character in _COMMANDS:
        return _COMMANDS[character]
    if character.isascii():
        return character
    apart = unicodedata.normalize("NFD", character)
    letter, mark = apart[:1], apart[1:]
    if mark in _ACCENTS and letter.isascii() and letter not in "ij":
        return f"\\{_ACCENTS[mark]}{{{letter}}}"
    return f"[U+{ord(character):04X}]"


def tables(run: CitedRun) -> str:
    """The table of models and benchmarks, and one for each probe, as LaTeX."""
    return "\n\n".join((PACKAGES, score_table(run), *probe_tables(run)))


def score_table(run: CitedRun) -> str:
    """Models by benchmarks: each score with its 95 % interval, in percent."""
    names = list(run.figures.benchmark_labels)
    has_average = any(model.average is not None for model in run.figures.models.values())
    header = ["Model", *(latex_text(run.figures.benchmark_labels[name]) for name in names)]
    rows = []
    for name in run.figures.ladder:
        model = run.figures.models[name]
        scores = [model.benchmarks.get(benchmark) for benchmark in names] + [model.average] * has_average
        rows.append((latex_text(run.label(name)), [_score(score) for score in scores]))
    sizes = [
        f"{latex_text(run.figures.benchmark_labels[name])} {max(counts):,}"
        for name in names
        if (counts := [model.benchmarks[name].n for model in run.figures.models.values() if name in model.benchmarks])
    ]
    caption = (
        f"{latex_text(run.figures.title)}: score on each benchmark in percent, with its 95\\,\\% interval "
        f"(bootstrap over questions). Questions: {', '.join(sizes)}."
    )
    return _table(header + ["Average"] * has_average, rows, caption, "tab:scores")


def probe_tables(run: CitedRun) -> Iterator[str]:
    """For each probe that measured anything its measures by models, as shares or differences of shares."""
    models = [name for name in run.figures.ladder if name in run.probes]
    for probe in dict.fromkeys(name for model in models for name in run.probes[model].probes):
        found = {
            model: {(one.name, one.variant): one for one in run.probes[model].probes[probe].measures}
            for model in models
            if probe in run.probes[model].probes
        }
        found = {model: measures for model, measures in found.items() if measures}
        if not found:
            continue
        header = ["Measure", *(latex_text(run.label(model)) for model in found)]
        rows = [
            (
                _measure_name(*key, _unit(found.values(), key)),
                [_measure(measures.get(key)) for measures in found.values()],
            )
            for key in dict.fromkeys(key for measures in found.values() for key in measures)
        ]
        title = next(run.probes[model].probes[probe].title for model in found)
        caption = f"Probe: {latex_text(title)}. Each measure with its 95\\,\\% interval."
        yield _table(header, rows, caption, f"tab:probe-{re.sub('[^a-z0-9]+', '-', probe.lower())}")


def _measure_name(name: str, variant: str, unit: str) -> str:
    words = f"{name}: {variant}" if variant else name
    return latex_text(words.replace("_", " ") + (f" ({unit})" if unit else ""))


def _unit(found: Iterable[Mapping[tuple[str, str], Measure]], key: tuple[str, str]) -> str:
    return next(measures[key].unit for measures in found if key in measures)


def _measure(measure: Measure | None) -> TableCell:
    if measure is None:
        return NOT_MEASURED
    digits = 1 if measure.unit else 3
    value, low, high = (f"{one:.{digits}f}" for one in (measure.value, measure.low, measure.high))
    return TableCell(f"${value}$", _interval(low, high))


def _score(score: CitedScore | None) -> TableCell:
    if score is None:
        return NOT_MEASURED
    interval = "" if score.ci95 is None else _interval(*(f"{100 * bound:.1f}" for bound in score.ci95))
    return TableCell(f"${100 * score.score:.1f}$", interval)


def _interval(low: str, high: str) -> str:
    return f"{{\\scriptsize $[{low}, {high}]$}}"


def _table(header: Sequence[str], rows: Sequence[tuple[str, Sequence[TableCell]]], caption: str, label: str) -> str:
    """A table of `rows` by name, each interval below its value."""
    body: list[str] = []
    for name, cells in rows:
        begin = "{}" if name.startswith(("[", "*")) else ""  # after the line before these would be its options
        values = " & ".join((begin + name, *(cell.value for cell in cells)))
        intervals = " & ".join(("", *(cell.interval for cell in cells)))
        body += [f"{values} \\\\[-3pt]", f"{intervals} \\\\"]
    lines = [
        r"\begin{table}[t]",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{l{'c' * (len(header) - 1)}}}",
        r"\toprule",
        f"{' & '.join(header)} \\\\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)
