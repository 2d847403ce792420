"""The stage `report`: the contract of metrics.json, the same bytes each time, and errors that say what to do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.miniature.oracle_habits import LAZY_SHARES
from stages.report import ReportParams, metrics, report
from stages.reporting.content import Content
from stages.runtime.params import ParamsError
from stages.runtime.stage_main import StageError
from tests.reporting.made_up_run import SKILL, write_run

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `data` folder of a made-up run."""
    folder = tmp_path_factory.mktemp("checkout") / "data"
    write_run(folder)
    return folder


@pytest.fixture(scope="module")
def params() -> ReportParams:
    """The committed parameters."""
    return ReportParams.load()


@pytest.fixture(scope="module")
def figures(data: Path, params: ReportParams) -> dict[str, Any]:
    """The metrics of the made-up run, as they are written."""
    content: Content = report(data, params.model_copy(update={"habit_sample": 20}))
    return dict(json.loads(json.dumps(metrics(content, params), allow_nan=False)))


def test_every_model_has_the_promised_figures(figures: dict[str, Any], data: Path) -> None:
    assert set(figures["models"]) == set(SKILL)
    for name, model in figures["models"].items():
        card = json.loads((data / "scores" / f"{name}.json").read_text(encoding="utf-8"))
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


def test_two_runs_of_the_stage_write_the_same_bytes(data: Path) -> None:
    checkout = data.parent
    shutil.copy(CHECKOUT / "params.yaml", checkout / "params.yaml")
    written = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "stages.report"],
            cwd=checkout, env={"PYTHONPATH": str(CHECKOUT), "PATH": "", "HOME": str(checkout)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        written.append([(data / "report" / name).read_bytes() for name in ("index.html", "metrics.json")])
        shutil.rmtree(data / "report")
    assert written[0] == written[1]
    assert str(checkout).encode() not in written[0][0]


@pytest.mark.parametrize("folder", ["scores", "curves", "traces"])
def test_a_missing_input_is_named(data: Path, params: ReportParams, tmp_path: Path, folder: str) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns(folder))
    with pytest.raises(StageError, match=rf"{folder}: not there; `dvc repro"):
        report(copy, params)


def test_models_side_by_side_must_be_scored(data: Path, params: ReportParams) -> None:
    with pytest.raises(StageError, match=r"side_by_side names 32b"):
        report(data, params.model_copy(update={"side_by_side": ("sft", "32b")}))


def test_misspelt_parameters_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("report: {titel: x}\n", encoding="utf-8")
    with pytest.raises(ParamsError, match=r"title: Field required.*titel: Extra inputs"):
        ReportParams.load(file=file)


def test_the_page_says_the_planted_habits_as_they_are(params: ReportParams) -> None:
    words = " ".join(params.notes)
    for family, share in LAZY_SHARES.items():
        assert f"{100 * share:.0f} % of" in words
        assert family in words
