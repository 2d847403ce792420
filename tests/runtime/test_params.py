"""Parameters: a stage reads its own section, and every fault is named."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from reasrm.runtime.params import ParamsError, StageParams


class BakeParams(StageParams):
    """Section `bake`."""

    section: ClassVar[str] = "bake"

    degrees: int = Field(gt=0)
    cake: str


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text("bake: {degrees: 180}\nbake_variants: {plum: {cake: plum}, dry: {cake: dry, degrees: 90}}\n")
    return path


def test_a_variant_is_laid_over_the_common_settings(params: Path) -> None:
    assert BakeParams.load("plum", params) == BakeParams(degrees=180, cake="plum")
    assert BakeParams.load("dry", params).degrees == 90


@pytest.mark.parametrize(
    ("variant", "text", "message"),
    [
        (None, None, "section `bake`: cake: Field required"),
        ("pie", None, r"`bake_variants` has no `pie`, only \['dry', 'plum'\]"),
        (None, "boil: {}", "no section `bake`"),
        (None, "bake: {degrees: -3, cake: x}", r"degrees: Input should be greater than 0 \(got '-3'\)"),
        (None, "bake: {degree: 3, degrees: 3, cake: x}", "degree: Extra inputs are not permitted"),
    ],
)
def test_faults_are_named(params: Path, variant: str | None, text: str | None, message: str) -> None:
    if text is not None:
        params.write_text(text)
    with pytest.raises(ParamsError, match=message):
        BakeParams.load(variant, params)
