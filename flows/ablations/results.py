"""A measured table for readers: on the terminal, as Markdown, and its findings in sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Document = Mapping[str, Any]
"""What `flows.ablations.measuring.measured_table` makes."""
Rows = list[list[str]]
SHIFT_PARTS = ("covered", "others", "others_minus_covered")


def show(document: Document, console: Console) -> None:
    """Print the rows, the steps, and what each step shows."""
    tables = [(row_header(document), rows(document)), (step_header(), steps(document))]
    if shift := shifts(document):
        tables.append((shift_header(), shift))
    console.print()
    console.print(headline(document), soft_wrap=True)
    for header, body in tables:
        table = Table(show_edge=False)
        for place, name in enumerate(header):
            table.add_column(name, justify="left" if place == 0 else "right", no_wrap=place > 0)
        for row in body:
            table.add_row(*row)
        if not console.is_terminal:
            console.width = max(
                console.width, 1 + sum(3 + max(map(len, cells)) for cells in zip(header, *body, strict=True))
            )
        console.print()
        console.print(table)
    console.print()
    for sentence in (*sentences(document), *notes(document)):
        console.print(sentence, soft_wrap=True)


def markdown(document: Document) -> str:
    """The same as a section that a document can quote."""
    parts = [f"# {headline(document)}", _markdown_table(row_header(document), rows(document))]
    parts += [_markdown_table(step_header(), steps(document))] if document["steps"] else []
    if shift := shifts(document):
        parts.append(_markdown_table(shift_header(), shift))
    parts += ["\n".join(f"- {sentence}" for sentence in sentences(document))] if document["steps"] else []
    parts += ["\n".join(f"- {note}" for note in notes(document))]
    return "\n\n".join(parts) + "\n"


def headline(document: Document) -> str:
    """The title with what was measured."""
    n = document["n"]
    seeds = f"{n['seeds']} training seed{'s' if n['seeds'] > 1 else ''}"
    return (
        f"{document['title']}: the paper's table {document['paper']['table']} in kind, {seeds}, n = {n['questions']:,} "
        f"questions ({n['judgments_per_judge']:,} judgments per row and seed)"
    )


def row_header(document: Document) -> list[str]:
    """The columns of the rows."""
    titles = [document["titles"].get(name, name) for name in document["headline"]]
    return ["row, percent", "paper", "average [95 %]", "by seed", "over questions [95 %]", *titles]


def rows(document: Document) -> Rows:
    """One line per row."""
    return [
        [
            row["title"],
            f"{row['paper']['average']:.1f}" if row["paper"] else "none",
            _with_interval(row["average"]),
            _by_seed(row["average"]),
            _with_interval(row["accuracy"]),
            *(_percent(row["benchmarks"][name]["value"]) for name in document["headline"]),
        ]
        for row in document["rows"]
    ]


def step_header() -> list[str]:
    """The columns of the steps."""
    return [
        "step, points",
        "paper",
        "average [95 %]",
        "by seed",
        "p, Holm",
        "finding",
        "over questions [95 %]",
        "p, Holm",
    ]


def steps(document: Document) -> Rows:
    """One line per step."""
    return [
        [
            step["title"],
            "none" if step["paper"] is None else f"{step['paper']:+.1f}",
            _with_interval(step["average"], sign=True),
            _by_seed(step["average"], sign=True),
            _p(step["average"]["p_holm"]),
            _words(step["average"]["finding"]),
            _with_interval(step["accuracy"], sign=True),
            _p(step["accuracy"]["p_holm"]),
        ]
        for step in document["steps"]
    ]


def shift_header() -> list[str]:
    """The columns of the steps by what the traces cover."""
    return ["step over questions, points", "covered by traces [95 %]", "others [95 %]", "others - covered [95 %]"]


def shifts(document: Document) -> Rows:
    """One line per step with what it is on covered and on other slices; none where there is but one kind."""
    if document["covered"] is None:
        return []
    return [
        [step["title"], *(_with_interval(step[part], sign=True) for part in SHIFT_PARTS)] for step in document["steps"]
    ]


def sentences(document: Document) -> Iterator[str]:
    """What each step shows, where the two figures say different things, and what it is where no trace was."""
    titles = {row["row"]: row["title"] for row in document["rows"]}
    for step in document["steps"]:
        average, accuracy = step["average"], step["accuracy"]
        text = f"{_claim(step, titles)}: {_with_interval(average, sign=True)} points"
        if average["spread"] is not None:
            text += f", by seed {_by_seed(average, sign=True)}"
        if accuracy["finding"] != average["finding"]:
            text += f"; over questions {_words(accuracy['finding'])}: {_with_interval(accuracy, sign=True)}"
        if document["covered"] is not None:
            text += f"; {_shift(step['others_minus_covered'])}"
        yield f"{text}."


def notes(document: Document) -> Iterator[str]:
    """How the figures are to be read."""
    meaning, titles = document["meaning"], document["titles"]
    yield f"Average: {meaning['average']} ({', '.join(titles.get(name, name) for name in document['headline'])})."
    yield f"Over questions: {meaning['accuracy']}."
    yield f"95 %: {meaning['ci95']}. {len(document['steps'])} steps are tested together by Holm's rule, per figure."
    if document["covered"] is not None:
        yield f"Covered by traces: {', '.join(document['covered'])}; these differences are not tested."
    yield (
        f"Paper: average of {document['paper']['average_of']}, other models and data: its direction is comparable, its "
        f"level is not."
    )
    yield f"Measured {document['measured']} by `{document['command']}`."


def forecast_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What would run in each workspace."""
    for one in found:
        counts = f"{len(one['runs'])} run, {len(one['may_run'])} may run, {len(one['up_to_date'])} up to date"
        names = ", ".join([*one["runs"], *one["may_run"]])
        yield f"{one['workspace']}: {counts}" + (f" ({names})" if names else "")
    if any(one["runs"] for one in found):
        yield "What ran before with the same inputs, here or in the project, is restored from DVC's cache and not run."


def _claim(step: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Which of two rows is ahead by the average, if that is shown; what the paper has is said where it differs."""
    first, second = titles[step["first"]], titles[step["second"]]
    ahead, behind = (first, second) if step["average"]["value"] >= 0 else (second, first)
    match step["average"]["finding"]:
        case "shown":
            return f"{first} is ahead of {second}"
        case "reversed":
            return f"{second} is ahead of {first}" + (", against the paper" if (step["paper"] or 0) > 0 else "")
        case "not_after_holm":
            return f"Not shown, once all steps are looked at together, that {ahead} is ahead of {behind}"
        case _:
            return f"Not shown that {first} is ahead of {second}"


def _shift(figure: Mapping[str, Any]) -> str:
    """Whether a step is larger on the slices that no trace covers."""
    low, high = figure["ci95"]
    where = "on slices that traces do not cover"
    gap = f"{_with_interval(figure, sign=True)}"
    if low <= 0 <= high:
        return f"that it differs {where} is not shown: {gap}"
    return f"{where} it is {'larger' if low > 0 else 'smaller'}: {gap}"


def _words(finding: str) -> str:
    return finding.replace("_", " ")


def _with_interval(figure: Mapping[str, Any], *, sign: bool = False) -> str:
    low, high = figure["ci95"]
    return f"{_percent(figure['value'], sign=sign)} [{_percent(low)}, {_percent(high)}]"


def _by_seed(figure: Mapping[str, Any], *, sign: bool = False) -> str:
    return ", ".join(_percent(value, sign=sign) for value in figure["seeds"])


def _percent(share: float, *, sign: bool = False) -> str:
    return f"{100 * share:{'+' if sign else ''}.1f}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< .001"


def _markdown_table(header: Iterable[str], body: Rows) -> str:
    lines = [list(header), ["---"] * len(list(header)), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
