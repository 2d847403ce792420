"""Fixtures of the report's tests: the pages of a made-up run, and those of one with hostile texts."""

import shutil
from pathlib import Path

import pytest

from reasrm.reporting.page_settings import ReferenceRun
from reasrm.reporting.run_settings import read_parameters
from reasrm.reporting.site import render
from reasrm.runtime.outputs import write_text
from stages.report import ReportParams, report
from tests.reporting.hostile_run import hostile_parameters, hostile_params, poison


@pytest.fixture(scope="session")
def hostile_data(made_up_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up run, with fewer curves, and hostile text in every field that comes from data or models."""
    folder = tmp_path_factory.mktemp("hostile") / "data"
    shutil.copytree(made_up_data, folder)
    for run in (folder / "curves").iterdir():
        if run.name not in {"sft", "grpo-full"}:
            shutil.rmtree(run)
    poison(folder)
    return folder


@pytest.fixture(scope="session")
def data_without_curves(made_up_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up run without curves, whose plots take most of a page's time."""
    folder = tmp_path_factory.mktemp("no_curves") / "data"
    shutil.copytree(made_up_data, folder, ignore=shutil.ignore_patterns("curves"))
    (folder / "curves").mkdir()
    return folder


@pytest.fixture(scope="session")
def params() -> ReportParams:
    """The report's section of params.yaml, with a smaller sample and a measured run."""
    run = ReferenceRun(date="2026-01-01", hardware="2 CPU cores", seconds=301, note="Elsewhere it took longer.")
    return ReportParams.load().model_copy(update={"reply_sample": 60, "reference_run": run})


@pytest.fixture(scope="session")
def made_up_site(made_up_data: Path, params: ReportParams) -> dict[str, str]:
    """The pages of the made-up run by path."""
    return render(report(made_up_data, params, read_parameters()))


@pytest.fixture(scope="session")
def hostile_site(hostile_data: Path) -> dict[str, str]:
    """The pages of the hostile run by path."""
    return render(report(hostile_data, hostile_params(), hostile_parameters()))


@pytest.fixture(scope="session")
def made_up_folder(made_up_site: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the made-up run as files."""
    return written(made_up_site, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def hostile_folder(hostile_site: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the hostile run as files."""
    return written(hostile_site, tmp_path_factory.mktemp("hostile_site"))


def written(site: dict[str, str], folder: Path) -> Path:
    """Write pages below `folder`."""
    for path, page in site.items():
        write_text(folder / path, page)
    return folder
