"""The parameters that the page shows are those that the stage depends on."""

from pathlib import Path

import pytest

from reasrm.reporting.run_settings import (
    PARAMETER_SECTIONS,
    asks_local_oracle,
    read_parameters,
    shown_parameters,
)
from reasrm.runtime.params import ParamsError
from reasrm.runtime.yaml_files import read_yaml


def test_every_section_that_is_shown_is_a_dependency_of_the_stage() -> None:
    stage = read_yaml(Path("dvc.yaml"))["stages"]["report"]
    wired = "dvc.yaml, `params` of the stage report, on the left; PARAMETER_SECTIONS in run_settings.py on the right"
    assert stage["params"] == ["report", *PARAMETER_SECTIONS], wired


def test_values_are_shown_under_dotted_keys() -> None:
    (shown,) = shown_parameters({"grpo": {"steps": 5, "shape": {"b": [1], "a": "x"}, "none": {}}})
    assert shown.label == "grpo"
    assert shown.rows == (("none", "{}"), ("shape.a", "x"), ("shape.b", "[1]"), ("steps", "5"))


def test_the_committed_settings_ask_the_local_oracle() -> None:
    assert asks_local_oracle(read_parameters())


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("collect_pairs: {}\n", encoding="utf-8")
    with pytest.raises(ParamsError, match="no section `collect_benchmarks`"):
        read_parameters(file)
