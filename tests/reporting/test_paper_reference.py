"""The paper's tables: complete rows, and figures that agree with each other except where an erratum says so."""

import pytest

from reasrm.reporting.paper_reference import PaperTable, paper_tables

TABLES = paper_tables().tables


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"table {table.number}")
def test_every_row_has_a_value_per_column(table: PaperTable) -> None:
    assert all(len(row.values) == len(table.columns) for row in table.rows)
    assert len({row.model for row in table.rows}) == len(table.rows)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"table {table.number}")
def test_errata_point_at_cells(table: PaperTable) -> None:
    for erratum in table.errata:
        row = next(row for row in table.rows if row.model == erratum.model)
        shown = row.values[table.columns.index(erratum.column)]
        assert shown == (erratum.printed if erratum.corrected is None else erratum.corrected)


@pytest.mark.parametrize(("number", "parts"), [(1, 3), (2, 4), (3, 3), (6, 4), (7, 4), (8, 4)])
def test_the_last_column_is_the_mean_of_the_others_or_marked(number: int, parts: int) -> None:
    table = paper_tables().table(number)
    last = table.columns[-1]
    off = set()
    for row in table.rows:
        figures = [value for value in row.values[:parts] if value is not None]
        if len(figures) == parts and row.values[-1] is not None:
            tolerance = 0.11 if table.unit == "percent" else 0.0011
            if abs(sum(figures) / parts - row.values[-1]) > tolerance:
                off.add(row.model)
    assert off <= {erratum.model for erratum in table.errata if erratum.column == last}


def test_the_impossible_figure_is_corrected_and_marked() -> None:
    table = paper_tables().table(7)
    row = next(row for row in table.rows if row.model == "JudgeLRM")
    assert row.values[table.columns.index("Normal")] == 66.2
    erratum = table.erratum("JudgeLRM", "Normal")
    assert erratum is not None
    assert erratum.printed == 766.2


def test_difficulties_of_rm_bench_average_to_the_score_or_are_marked() -> None:
    table = paper_tables().table(7)
    for row in table.rows:
        levels = [value for value in row.values[4:7] if value is not None]
        if table.erratum(row.model, "Avg") is None:
            assert sum(levels) / 3 == pytest.approx(row.values[7], abs=0.11)


def test_the_headline_rows_are_the_papers() -> None:
    rows = {row.model: row.values for row in paper_tables().table(1).rows}
    assert rows["RM-R1-Qwen-Instruct-32B"] == (91.4, 79.1, 73.0, 81.2)
    assert rows["DeepSeek-GRM-27B"] == (86.0, None, 69.0, None)
    assert sum(row.of_the_paper for row in paper_tables().table(1).rows) == 6
