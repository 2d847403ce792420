"""A small static site and a metrics file: what was run, what came out, and whether it can be trusted.

Reads:   data/scores, data/curves, data/judgments, data/probes, data/policy_scores, data/traces, data/pairs,
         data/benchmarks, and of params.yaml every section that changes a figure
Writes:  data/report/index.html and data/report/pages (each page one self-contained file, but for
         pages/traces.html, which reads data/report/traces), data/report/metrics.json (the same figures for machines),
         data/report/plots (each chart as SVG and PDF), data/report/curves (what DVC shows: the tables that `dvc plots`
         draws, and in figures.json the few figures of `dvc metrics` and `dvc exp show`)
Run:     python -m stages.report      (or: dvc repro report)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from reasrm.policy.measures.measures_file import PolicyMeasures
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.benchmark_figures.set_by_hand import covered_slices
from reasrm.reporting.curves import read_curves
from reasrm.reporting.model_scores import ReportedShift
from reasrm.reporting.page_settings import PageSettings
from reasrm.reporting.plot_files.curve_tables import write_curve_tables
from reasrm.reporting.plot_files.writing import write_plots
from reasrm.reporting.run_settings import read_parameters
from reasrm.reporting.site import INDEX, PAGES, TRACES, Site, gather, render
from reasrm.reporting.source import Folders
from reasrm.reporting.trace_browser.browser_files import write_trace_browser
from reasrm.reporting.trace_browser.traced_items import TraceFolders
from reasrm.runtime.outputs import new_folder, write_json, write_text
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.scoring.judged_items import read_items, read_judged_items
from reasrm.scoring.shift import compare_by_shift

DATA = Path("data")
REPORT = DATA / "report"


class ReportParams(PageSettings, StageParams):
    """Section `report` of params.yaml: names, texts and sizes of the page; it changes no figure."""

    section: ClassVar[str] = "report"


def metrics(site: Site, params: ReportParams) -> dict[str, Any]:
    """The page's figures as JSON: title, models (their order in `ladder`), paired differences, sizes of the data.

    `models` holds for each model `accuracy`, `n`, `ci95`, `flip_rate`, `unreadable_rate`, `families` (name to
    accuracy, n, ci95) and `benchmarks` (name to score, n, ci95, sections); `benchmark_labels` holds the names
    of the benchmarks for readers. `shift` compares the two models of `side_by_side` on what traces cover and the rest.
    `policies` holds for each arm its measures at the end (value, n, ci95); empty where no policy is trained.
    `probes` holds for each probed model and probe its measures of the probe as a whole (value, n, ci95).
    """
    source, funnel = site.source, site.source.funnel
    return {
        "title": site.source.settings.title,
        "configuration": params.configuration,
        "benchmark_labels": {name: source.benchmark_labels[name] for name in source.benchmark_names},
        "ladder": [model.name for model in source.models],
        "models": {model.name: model.scores.as_metrics() for model in source.models},
        "differences": {
            f"{first} - {second}": difference.model_dump(mode="json")
            for first, second in params.differences
            if (difference := source.difference(first, second)) is not None
        },
        "data": {
            "pairs": funnel.pairs,
            "pairs_rejected": dict(funnel.pairs_rejected),
            "traces_asked": {counts.oracle_pass.value: counts.asked for counts in funnel.passes},
            "traces_right": {counts.oracle_pass.value: counts.right for counts in funnel.passes},
            "traces_kept": funnel.kept.total(),
            "benchmark_rows": {row.name: row.account.rows_used for row in source.completeness},
            "comparisons": {row.name: row.account.items for row in source.completeness},
        },
        "shift": None if source.shift is None else source.shift.model_dump(mode="json"),
        "probes": {model: _probe_metrics(found) for model, found in source.measures.items()},
        "policies": {} if site.policy is None else _policy_metrics(site.policy.measures),
        "other_seeds": [run.model_dump(mode="json") for run in site.benchmarks.other_seeds],
        "other_ladders": [ladder.model_dump(mode="json") for ladder in site.benchmarks.other_ladders],
    }


def headline_figures(site: Site) -> dict[str, Any]:
    """The figures by which runs are compared, of `models` and `policies` in `metrics`: a column each in `dvc exp show`.

    For each model accuracy, the average of the benchmarks' scores, and how often the verdict flips with the order; for
    each arm of a policy its measures at the end. Shares, to four digits.
    """
    models = {
        model.name: {
            "accuracy": _four_digits(model.scores.accuracy),
            "average": None if model.scores.average is None else _four_digits(model.scores.average.value),
            "flip_rate": _four_digits(model.scores.flip_rate),
        }
        for model in site.source.models
    }
    arms = {} if site.policy is None else _policy_metrics(site.policy.measures)
    policies = {arm: {name: _four_digits(one["value"]) for name, one in ends.items()} for arm, ends in arms.items()}
    return {"models": models} | ({"policies": policies} if policies else {})


def _four_digits(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _probe_metrics(found: ProbeMeasures) -> dict[str, Any]:
    """By probe and measure the figures that are about no single variant."""
    return {
        name: {
            one.name: {"value": one.value, "n": one.questions, "ci95": [one.low, one.high]}
            for one in probed.measures
            if not one.variant
        }
        for name, probed in found.probes.items()
        if not probed.refused
    }


def _policy_metrics(found: PolicyMeasures) -> dict[str, Any]:
    """By arm and measure the figures at the end of the trainings; the interval is over prompts."""
    return {
        arm.name: {
            name: {"value": one.value, "n": one.prompts, "ci95": [one.low, one.high]} for name, one in arm.end.items()
        }
        for arm in found.arms
    }


def report(data: Path, params: ReportParams, parameters: Mapping[str, Any]) -> Site:
    """Gather what the pages show from the outputs below `data`.

    Args:
        data: the pipeline's folder of outputs.
        params: the section `report`.
        parameters: the other sections (`read_parameters`).

    Raises:
        StageError: an input is missing, or no model was scored.
        BadRecordError: an input is not what its stage writes.
    """
    folders = Folders(*(data / name for name in Folders._fields))
    for folder in folders:
        if not folder.is_dir():
            raise StageError(f"{folder}: not there; `dvc repro report` makes everything that the report reads")
    scores = {file.stem for file in folders.scores.glob("*.json")}
    if not scores:
        raise StageError(f"{folders.scores}: no score file; run `dvc repro score`")
    absent = [model for model in params.side_by_side if model not in scores]
    if absent:
        raise StageError(
            f"params.yaml: report.side_by_side names {', '.join(absent)}, which is not scored; name two of "
            f"{', '.join(sorted(scores))}"
        )
    return gather(folders, params, parameters, shift_between(params.side_by_side, folders, parameters))


def shift_between(models: tuple[str, str], folders: Folders, parameters: Mapping[str, Any]) -> ReportedShift | None:
    """Two judges on what traces cover and on the rest; None for one judge, or where that is not told apart."""
    covered = covered_slices(parameters)
    if not covered or models[0] == models[1]:
        return None
    items = read_items(folders.benchmarks)
    earlier, later = (read_judged_items(folders.judgments / model, items) for model in models)
    drawn = parameters["score"]
    compared = compare_by_shift(earlier, later, covered, drawn["resamples"], drawn["seed"])
    return None if compared is None else ReportedShift.model_validate(compared.as_json())


def main() -> str:
    """Run the stage; returns its summary line."""
    params = ReportParams.load()
    site = report(DATA, params, read_parameters())
    rendered = render(site)
    write_text(REPORT / INDEX, rendered.pop(INDEX))
    with new_folder(REPORT / PAGES) as folder:
        for path, page in rendered.items():
            write_text(folder / Path(path).name, page)
    traces = TraceFolders(*(DATA / name for name in TraceFolders._fields))
    write_trace_browser(traces, site.source.settings, REPORT, site.navigation(TRACES))
    write_json(REPORT / "metrics.json", metrics(site, params))
    write_plots(site, REPORT / "plots")
    write_curve_tables(read_curves(DATA / "curves"), REPORT / "curves")
    figures = headline_figures(site)
    write_json(REPORT / "curves/figures.json", figures)
    rows = [f"{model}\t{one['accuracy']!r}" for model, one in figures["models"].items()]
    write_text(REPORT / "curves/accuracy.tsv", "\n".join(("model\taccuracy", *rows)) + "\n")
    return f"{len(site.source.models)} models, {len(site.source.measures)} of them probed, {len(site.pages)} pages"


if __name__ == "__main__":
    run_stage("report", main)
