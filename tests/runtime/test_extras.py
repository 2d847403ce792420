"""A missing library is named with the extra that brings it."""

import importlib
import tomllib
from pathlib import Path

import pytest

from reasrm.runtime.extras import EXTRA_OF, MissingExtraError, extras_named

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(("library", "extra"), EXTRA_OF.items())
def test_the_extra_of_a_library_is_the_one_of_pyproject(library: str, extra: str) -> None:
    brought_by = {"markupsafe": "jinja2", "starlette": "fastapi"}
    name = brought_by.get(library, library).replace("_", "-")
    named = [requirement for requirement in PROJECT["optional-dependencies"][extra] if requirement.startswith(name)]
    assert named


def test_a_missing_library_names_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"needs torch, .*: pip install 'reasrm\[local\]'$"), extras_named():
        raise ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")


def test_a_missing_module_of_ours_is_a_defect_and_stays_one() -> None:
    with pytest.raises(ModuleNotFoundError, match="reasrm_nothing"), extras_named():
        importlib.import_module("reasrm_nothing")
