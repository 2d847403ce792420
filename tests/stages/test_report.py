"""The stage `report`: the contract of metrics.json, the same bytes each time, and errors that say what to do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reasrm.reporting.run_settings import read_parameters
from reasrm.reporting.site import TRACES, Site, render
from reasrm.reporting.source import Folders
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import ParamsError
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import write_yaml
from stages.report import ReportParams, headline_figures, metrics, report, shift_between
from tests.reporting.made_up_run import JUDGES

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def params() -> ReportParams:
    """The committed parameters, with a smaller sample."""
    return ReportParams.load().model_copy(update={"reply_sample": 20})


@pytest.fixture(scope="module")
def site(made_up_data: Path, params: ReportParams) -> Site:
    """What the report says of the made-up run."""
    return report(made_up_data, params, read_parameters())


@pytest.fixture(scope="module")
def figures(site: Site, params: ReportParams) -> dict[str, Any]:
    """The metrics of the made-up run, as they are written."""
    return dict(json.loads(json.dumps(metrics(site, params), allow_nan=False)))


def test_every_model_has_the_promised_figures(figures: dict[str, Any], made_up_data: Path) -> None:
    assert set(figures["models"]) == set(JUDGES)
    for name, model in figures["models"].items():
        card = json.loads((made_up_data / "scores" / f"{name}.json").read_text(encoding="utf-8"))
        assert (model["accuracy"], model["n"], model["ci95"]) == (card["accuracy"], card["n"], card["ci95"])
        assert model["flip_rate"] == card["flip_rate"]
        for family, figure in model["families"].items():
            assert figure == {key: card["families"][family][key] for key in ("accuracy", "n", "ci95")}
        for benchmark, score in model["benchmarks"].items():
            assert (score["score"], score["n"]) == (
                card["benchmarks"][benchmark]["score"],
                card["benchmarks"][benchmark]["n"],
            )
            low, high = score["ci95"]
            assert low <= score["score"] <= high


def test_differences_are_first_minus_second(figures: dict[str, Any]) -> None:
    gain = figures["differences"]["grpo-full - sft"]
    models = figures["models"]
    assert gain["value"] == pytest.approx(models["grpo-full"]["accuracy"] - models["sft"]["accuracy"], abs=1e-9)


def test_sizes_of_the_data_are_counted(figures: dict[str, Any]) -> None:
    assert figures["data"]["pairs"] == {"distill": 200, "reinforce": 80, "dev": 20}
    assert figures["data"]["traces_asked"]["first"] == 200


@pytest.mark.slow
def test_another_process_elsewhere_writes_the_same_bytes(
    made_up_data: Path, site: Site, params: ReportParams, tmp_path: Path
) -> None:
    shutil.copytree(made_up_data, tmp_path / "data")
    document = {"report": params.model_dump(mode="json")} | read_parameters()
    write_yaml(tmp_path / "params.yaml", document)
    surroundings = {"PYTHONPATH": str(CHECKOUT), "PATH": "", "HOME": str(tmp_path), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "stages.report"]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    write_json(tmp_path / "here.json", metrics(site, params))
    written = sorted((tmp_path / "data/report").rglob("*.html"))
    pages = {str(file.relative_to(tmp_path / "data/report")): file.read_text(encoding="utf-8") for file in written}
    traces = pages.pop(TRACES)
    assert pages == render(site)
    assert 'href="probes.html"' in traces
    assert any((tmp_path / "data/report/traces").iterdir())
    assert (tmp_path / "data/report/metrics.json").read_bytes() == (tmp_path / "here.json").read_bytes()
    figures = json.loads((tmp_path / "data/report/curves/figures.json").read_text())
    assert figures == headline_figures(site)
    bars = (tmp_path / "data/report/curves/accuracy.tsv").read_text().splitlines()
    assert bars[1:] == [f"{name}\t{one['accuracy']}" for name, one in headline_figures(site)["models"].items()]
    assert str(tmp_path) not in "".join(pages.values())


@pytest.mark.parametrize("folder", ["scores", "curves", "traces", "probes"])
def test_a_missing_input_is_named(made_up_data: Path, params: ReportParams, tmp_path: Path, folder: str) -> None:
    copy = tmp_path / "data"
    shutil.copytree(made_up_data, copy, ignore=shutil.ignore_patterns(folder))
    with pytest.raises(StageError, match=rf"{folder}: not there; `dvc repro"):
        report(copy, params, read_parameters())


def test_a_model_that_is_to_be_probed_and_was_not_is_named(
    made_up_data: Path, params: ReportParams, tmp_path: Path
) -> None:
    copy = tmp_path / "data"
    shutil.copytree(made_up_data, copy)
    (copy / "probes/sft/measures.json").unlink()
    with pytest.raises(
        StageError, match=r"measures.json: not there, and `probe_variants` names sft; run `dvc repro pr"
    ):
        report(copy, params, read_parameters())
    assert report(copy, params, read_parameters() | {"probe_variants": {"base": {}}}).source.measures.keys() == {"base"}


def test_measures_of_the_probes_are_there_for_machines(figures: dict[str, Any]) -> None:
    assert set(figures["probes"]) == {"base", "sft", "grpo-full", "scalar_rm"}
    flips = figures["probes"]["sft"]["order"]["flip_rate"]
    assert flips == {"value": 0.15, "n": 120, "ci95": [pytest.approx(0.12), pytest.approx(0.18)]}
    assert "moved" not in figures["probes"]["sft"]["variants"], "variants stand in measures.json"
    assert "variants" not in figures["probes"]["scalar_rm"], "refused"


def test_models_side_by_side_must_be_scored(made_up_data: Path, params: ReportParams) -> None:
    with pytest.raises(StageError, match=r"side_by_side names 32b"):
        report(made_up_data, params.model_copy(update={"side_by_side": ("sft", "32b")}), read_parameters())


def test_misspelt_parameters_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("report: {titel: x}\n", encoding="utf-8")
    with pytest.raises(ParamsError, match=r"title: Field required.*titel: Extra inputs"):
        ReportParams.load(file=file)


def test_the_gain_on_the_shift_is_told_apart(figures: dict[str, Any], site: Site) -> None:
    shift = figures["shift"]
    assert set(shift["slices"]) == set(figures["models"]["sft"]["slices"])
    n = {part: shift[part]["difference"]["n"] for part in ("covered", "shift")}
    assert n["covered"] + n["shift"] == figures["models"]["sft"]["n"]
    gains = [shift[part]["difference"]["value"] for part in ("covered", "shift")]
    assert shift["gap"] == pytest.approx(gains[1] - gains[0])
    whole = sum(n[part] * shift[part]["difference"]["value"] for part in n) / sum(n.values())
    assert whole == pytest.approx(figures["differences"]["grpo-full - sft"]["value"])
    assert site.benchmarks.slices is not None
    assert [group.title.split()[0] for group in site.benchmarks.slices.groups] == ["Covered", "Reached"]


def test_without_distilled_slices_nothing_is_told_apart(made_up_data: Path) -> None:
    folders = Folders(*(made_up_data / name for name in Folders._fields))
    parameters = read_parameters()
    assert shift_between(("sft", "grpo-full"), folders, parameters) is not None
    assert shift_between(("sft", "sft"), folders, parameters) is None, "one judge has no gain over itself"
    parameters["collect_pairs"] = parameters["collect_pairs"] | {"distill_slices": None}
    assert shift_between(("sft", "grpo-full"), folders, parameters) is None


def test_the_benchmarks_of_the_miniature_have_names_of_their_own(figures: dict[str, Any]) -> None:
    names = {"reward_bench": "mini-RewardBench", "rm_bench": "mini-RM-Bench", "rmb": "mini-RMB"}
    assert figures["benchmark_labels"] == names
