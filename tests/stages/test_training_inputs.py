"""What the trainings with variants read: the start and the pairs that a variant names, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from flows.settings.profile import compose, named_choice
from reasrm.records.pair import Purpose
from reasrm.runtime.params import PARAMS_FILE, ParamsError
from reasrm.runtime.work_folder import resume_folder
from reasrm.runtime.yaml_files import parse_yaml, write_yaml
from stages.answer_sft import AnswerSftParams
from stages.grpo import GrpoParams

ROOT = Path(__file__).parents[2]
DISTILL, REINFORCE = "data/pairs/distill.jsonl", "data/pairs/reinforce.jsonl"


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's parameters with the answer-only variants of the overlay `table3`, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    miniature = (ROOT / PARAMS_FILE).read_text(encoding="utf-8")
    document = parse_yaml(compose(ROOT, named_choice(["miniature", "+table3"]), miniature), PARAMS_FILE)
    document["answer_sft_variants"]["longer"] = {"start": "base", "pairs": ["distill"], "epochs": 7}
    write_yaml(PARAMS_FILE, document)
    return PARAMS_FILE


@pytest.mark.parametrize(
    ("stage", "variant", "start", "pairs"),
    [
        (AnswerSftParams, "all", "base", {DISTILL, REINFORCE}),
        (AnswerSftParams, "distilled", "base", {DISTILL}),
        (AnswerSftParams, "after_sft", "sft", {REINFORCE}),
        (GrpoParams, "full", "sft", {REINFORCE}),
        (GrpoParams, "cold_start", "base", {DISTILL, REINFORCE}),
        (GrpoParams, "cold_start_rubrics", "base", {DISTILL, REINFORCE}),
        (GrpoParams, "cold_start_rubrics_qc", "base", {DISTILL, REINFORCE}),
    ],
)
def test_a_variant_reads_its_start_and_its_pairs(
    stage: Any, variant: str, start: str, pairs: set[str], params: Path
) -> None:
    settings = stage.load(variant)
    beside = {f"data/checkpoints/{start}", f"data/fingerprints/{stage.section}.json"}
    assert {str(path) for path in settings.inputs()} == pairs | beside

    def resumed() -> Path:
        present = [path for path in settings.inputs() if path.exists()]
        return resume_folder(variant, settings.model_dump(mode="json"), present)

    for purpose in Purpose:
        file = Path(f"data/pairs/{purpose.value}.jsonl")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one\n")
    before = resumed()
    for purpose in Purpose:
        file = Path(f"data/pairs/{purpose.value}.jsonl")
        file.write_text("another\n")
        assert (resumed() != before) == (str(file) in pairs), "only what is trained on keeps a killed run from resuming"
        before = resumed()


def test_a_variants_own_keys_stand_over_the_sections(params: Path) -> None:
    common, longer = AnswerSftParams.load("all"), AnswerSftParams.load("longer")
    assert (longer.epochs, longer.pairs) == (7, (Purpose.DISTILL,))
    assert longer.learning_rate == common.learning_rate
    with pytest.raises(ParamsError, match="`answer_sft_variants` has no `none`, only"):
        AnswerSftParams.load("none")
