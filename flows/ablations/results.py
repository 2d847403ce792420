"""A measured table for readers: on the terminal, as Markdown, and its findings in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console, JustifyMethod
from rich.table import Table

Document = Mapping[str, Any]
"""What `flows.ablations.measuring.measured_table` makes."""
TABLE_WIDTH = 110
"""Columns that the tables need; without a terminal the console assumes 80."""
AVERAGE, ACCURACY = "average", "accuracy"
SUBSETS = {"covered": "covered by traces [95 %]", "shift": "shift [95 %]"}
SHIFT = {**SUBSETS, "gap": "shift - covered [95 %]"}


class ShownTable(NamedTuple):
    """A table as it is shown: words in the first and the last column, figures between."""

    header: list[str]
    body: list[list[str]]


def show(document: Document, console: Console) -> None:
    """Print the rows, the steps, and what each step shows."""
    if not console.is_terminal:
        console.width = max(console.width, TABLE_WIDTH)
    console.print()
    console.print(headline(document), soft_wrap=True)
    for shown in tables(document):
        console.print()
        table = _table(shown)
        needed = sum(3 + (column.min_width or 0) for column in table.columns)
        if not console.is_terminal:
            console.width = max(console.width, needed)
        if needed <= console.width:
            console.print(table)
        else:
            console.print("\n".join(_lines(shown)), soft_wrap=True)
    console.print()
    for sentence in (*sentences(document), *budgets(document), *notes(document)):
        console.print(sentence, soft_wrap=True)


def _table(shown: ShownTable) -> Table:
    """A table whose figures are never cut; words in its first column are wrapped."""
    table = Table(show_edge=False)
    for place, name in enumerate(shown.header):
        title = name.replace("mini-", "mini-\n").replace(" [95", "\n[95") if place else name
        cells_here = [title, *(cells[place] for cells in shown.body)]
        parts = [part for text in cells_here for part in (text.split() if place == 0 else text.split("\n"))]
        justify: JustifyMethod = "left" if place == 0 else "right"
        table.add_column(title, justify=justify, min_width=max(map(len, parts)))
    for cells in shown.body:
        table.add_row(*cells)
    return table


def _lines(shown: ShownTable) -> Iterator[str]:
    """A table for a terminal that is too narrow for it: a row's figures one below the other."""
    first, *names = shown.header
    yield f"{first}:"
    for title, *cells in shown.body:
        yield title
        yield from (f"  {name}: {cell}" for name, cell in zip(names, cells, strict=True))


def markdown(document: Document) -> str:
    """The same as a section that a document can quote."""
    parts = [f"# {headline(document)}"]
    for header, body in tables(document):
        lines = [header, ["---"] * len(header), *body]
        parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
    parts += ["\n".join(f"- {sentence}" for sentence in (*sentences(document), *budgets(document), *notes(document)))]
    return "\n\n".join(parts) + "\n"


def headline(document: Document) -> str:
    """The title with what was measured."""
    n = document["n"]
    seeds = f"{n['seeds']} training seed{'s' if n['seeds'] > 1 else ''}"
    return (
        f"{document['title']}: the paper's table {document['paper']['table']} in kind, {seeds}, n = {n['questions']:,} "
        f"questions ({n['judgments_per_judge']:,} judgments per row and seed)"
    )


def tables(document: Document) -> Iterator[ShownTable]:
    """Rows and steps by the average of the official scores, then both over questions."""
    headline_titles = [document["titles"].get(name, name) for name in document["headline"]]
    subsets = SUBSETS if document["covered"] is not None else {}
    yield ShownTable(
        ["row, percent", "paper", "average [95 %]", "by seed", *headline_titles],
        [
            [
                row["title"],
                f"{row['paper']['average']:.1f}" if row["paper"] else "none",
                _with_interval(row[AVERAGE]),
                _by_seed(row[AVERAGE]),
                *(_percent(row["benchmarks"][name]["value"]) for name in document["headline"]),
            ]
            for row in document["rows"]
        ],
    )
    yield ShownTable(
        ["row, percent", "over questions [95 %]", "by seed", *subsets.values()],
        [
            [row["title"], _with_interval(row[ACCURACY]), _by_seed(row[ACCURACY])]
            + [_with_interval(row[name]) for name in subsets]
            for row in document["rows"]
        ],
    )
    if not document["steps"]:
        return
    for name, title in ((AVERAGE, "average [95 %]"), (ACCURACY, "over questions [95 %]")):
        yield ShownTable(
            ["step, points", "paper", title, "by seed", "p, Holm", "finding"],
            [
                [
                    step["title"],
                    "none" if step["paper"] is None else f"{step['paper']:+.1f}",
                    _with_interval(step[name], sign=True),
                    _by_seed(step[name], sign=True),
                    _p(step[name]["p_holm"]),
                    _words(step[name]["finding"]),
                ]
                for step in document["steps"]
            ],
        )
    if subsets:
        yield ShownTable(
            ["step over questions, points", *SHIFT.values()],
            [[step["title"], *(_with_interval(step[part], sign=True) for part in SHIFT)] for step in document["steps"]],
        )


def sentences(document: Document) -> Iterator[str]:
    """What each step shows, where the two figures say different things, and what it is where no trace was."""
    titles = {row["row"]: row["title"] for row in document["rows"]}
    for step in document["steps"]:
        average, accuracy = step["average"], step["accuracy"]
        text = f"{_claim(step, titles)}: {_with_interval(average, sign=True)} points"
        if document["n"]["seeds"] == 1:
            text += ", for these trainings alone"
        if average["spread"] is not None:
            low, high = average["ci95_questions"]
            text += f", by seed {_by_seed(average, sign=True)}, for these trainings [{_percent(low)}, {_percent(high)}]"
        if accuracy["finding"] != average["finding"]:
            text += f"; over questions {_words(accuracy['finding'])}: {_with_interval(accuracy, sign=True)}"
        if document["covered"] is not None:
            text += f"; {_shift(step['gap'])}"
        yield f"{text}."


def notes(document: Document) -> Iterator[str]:
    """How the figures are to be read."""
    meaning, titles = document["meaning"], document["titles"]
    yield f"Average: {meaning['average']} ({', '.join(titles.get(name, name) for name in document['headline'])})."
    yield f"Over questions: {meaning['accuracy']}."
    trainings = "; `for these trainings`: other questions alone" if document["n"]["seeds"] > 1 else ""
    number = len(document["steps"])
    together = f" {number} steps are tested together by Holm's rule, per figure." if number > 1 else ""
    yield f"95 %: {meaning['ci95']}{trainings}.{together}"
    if document["covered"] is not None:
        yield (
            f"Covered by traces (of configuration {next(iter(document['configurations']))}): "
            f"{', '.join(document['covered'])}; shift: all other slices. These differences are not tested."
        )
    yield (
        f"Paper: average of {document['paper']['average_of']}, other models and data: its direction is comparable, its "
        f"level is not."
    )
    for erratum in document["paper"]["errata"]:
        yield f"Paper, {erratum['row']}: {erratum['printed']} is printed. {erratum['note']}"
    yield f"Measured {document['measured']} by `{document['command']}`; settings: {document['settings']}."


def budgets(document: Document) -> Iterator[str]:
    """What each row was trained with, and how much its judge writes."""
    for row in document["rows"]:
        trained = "; ".join(map(_training, row["trained"])) or "not trained further"
        tokens = row["reply_tokens"]
        written = "writes nothing" if tokens is None else f"writes {tokens:.1f} tokens a judgment"
        yield f"{row['title']}: {trained}; {written}."


def _training(training: Mapping[str, Any]) -> str:
    steps = "/".join(dict.fromkeys("?" if one is None else f"{one:,}" for one in training["steps"]))
    text = f"{training['training']}, {steps} steps of {training['batch']} {training['of']}"
    if "questions" in training:
        text += f" to {training['questions']} questions"
    return text + (f" ({' and '.join(training['pairs'])} pairs)" if "pairs" in training else "")


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
    """Whether a step is another one on the slices that no trace covers."""
    low, high = figure["ci95"]
    gap = _with_interval(figure, sign=True)
    if low <= 0 <= high:
        return f"not shown to differ between the shift and what traces cover: {gap}"
    return f"on the shift it is {'higher' if low > 0 else 'lower'} than on what traces cover: {gap}"


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
