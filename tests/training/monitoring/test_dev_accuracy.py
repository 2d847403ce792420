"""Dev accuracy is what the judge says of the same weights, changes none of them, and chooses what is kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_opening import open_judge, open_scalar_judge
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import load_language_model
from reasrm.training.monitoring.dev_accuracy import BestWeights, best_step
from reasrm.training.monitoring.dev_judging import DEV_PAIRS, DevSet, dev_metrics, dev_set, judged_on_dev
from reasrm.training.monitoring.settings import Keep
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from reasrm.training.training_run import outcome_note
from tests.training.monitoring.small_training import DEV, settings, train
from tests.training.stage_runs import LORA


def judged(judge: Judge, dev: DevSet) -> dict[str, float]:
    """The same figures by the judge that the stage `judge` opens, on the same rows."""
    with judge:
        verdicts = [one.verdict for one in judge.judge(dev.comparisons)]
    read = [one for one in verdicts if one is not None]
    right = sum(one is comparison.better for one, comparison in zip(verdicts, dev.comparisons, strict=True))
    figures = {"dev/accuracy": right / len(verdicts), "dev/readable": len(read) / len(verdicts)}
    return figures | ({"dev/verdict_a_share": read.count(Side.A) / len(read)} if read else {})


@pytest.mark.slow
@pytest.mark.usefixtures("dev_pairs")
@pytest.mark.parametrize(
    "changes", [{}, {"lora": LORA, "gradient_checkpointing": True}], ids=["all weights", "adapter"]
)
def test_it_is_the_judges_accuracy_and_changes_no_weight(tmp_path: Path, base: Path, changes: dict[str, Any]) -> None:
    chosen = settings(SftSettings, "sft", 4, **changes)
    dev = dev_set(chosen.dev, 0, PromptVariant.ANSWER_ONLY)
    assert dev is not None
    assert (dev.pairs, len(dev.comparisons)) == (20, 40)
    watched = train(base, tmp_path / "watched", chosen, dev)
    assert [entry["step"] for entry in watched.log] == [4, 8, 10], "every four steps, and after the last"
    assert watched.log[-1].pop("dev/pairs") == 20
    by_judge = judged(
        open_judge(watched.run.checkpoint, template=RubricsTemplate(PromptVariant.ANSWER_ONLY), max_new_tokens=96), dev
    )
    assert {"step": 10, **by_judge} == watched.log[-1]
    if not changes:
        assert by_judge["dev/readable"] > 0.5, "too little is learnt for this to say anything: train longer"

    alone = train(base, tmp_path / "alone", chosen, None)
    assert alone.log == []
    assert all(torch.equal(weight, watched.weights[name]) for name, weight in alone.weights.items())


@pytest.mark.slow
@pytest.mark.usefixtures("dev_pairs")
@pytest.mark.parametrize("lora", [None, LORA], ids=["all weights", "adapter"])
def test_the_best_on_dev_is_kept(tmp_path: Path, base: Path, lora: Any) -> None:
    chosen = settings(EpochSettings, "scalar_rm", 1, keep="best_on_dev", lora=lora, learning_rate=3e-2)
    dev = dev_set(chosen.dev, 0, None)
    assert dev is not None
    best = train(base, tmp_path / "best", chosen, dev)
    accuracies = [entry["dev/accuracy"] for entry in best.log]
    assert len(accuracies) == 10
    assert best.kept_step == 1 + accuracies.index(max(accuracies))
    assert max(accuracies) > accuracies[-1], f"{accuracies}: the last step is the best: this run shows nothing"
    assert judged(open_scalar_judge(best.run.checkpoint), dev)["dev/accuracy"] == max(accuracies)
    assert f"dev {max(accuracies):.3f} of 20 pairs at step {best.kept_step}, which was kept" in outcome_note(best.run)
    left = [file.name for file in (best.run.resume_from / "best_on_dev").iterdir()]
    assert left == [f"{best.kept_step}.safetensors"]


@pytest.mark.usefixtures("dev_pairs")
def test_prompts_that_leave_no_room_are_counted_and_all_of_them_are_refused(base: Path) -> None:
    chosen = settings(SftSettings, "sft", 4)
    tokenizer, model = load_tokenizer(base), load_language_model(base, chosen)
    dev = dev_set(chosen.dev, 0, PromptVariant.PLAIN)
    assert dev is not None
    lengths = sorted(
        len(prompt.token_ids)
        for prompt in render_all(
            tokenizer, [judge_prompt(one, PromptVariant.PLAIN) for one in dev.comparisons]
        ).values()
    )
    model.config.max_position_embeddings = lengths[9] + 2  # ten of forty fit, or more where lengths are the same
    within = sum(length <= lengths[9] for length in lengths)
    few = dev._replace(settings=chosen.dev.model_copy(update={"max_new_tokens": 2}))
    counts = judged_on_dev(model, tokenizer, few, slice(None))
    assert (counts.judged, counts.not_shown) == (40, 40 - within)
    assert dev_metrics([counts, counts], few)["dev/not_shown"] == (40 - within) / 40 > 0
    long = dev._replace(settings=chosen.dev.model_copy(update={"max_new_tokens": 512}))
    with pytest.raises(
        StageError, match=r"none of the 40 prompts .* beside 512 of a reply: lower `dev.max_new_tokens`"
    ):
        dev_metrics([judged_on_dev(model, tokenizer, long, slice(None))], long)
    assert "dev/not_shown" not in dev_metrics([counts._replace(not_shown=0)], few)


def test_of_equal_accuracies_the_earliest_is_the_best() -> None:
    log = [{"step": step, "dev/accuracy": value} for step, value in ((2, 0.5), (4, 0.7), (6, 0.7), (8, 0.6))]
    assert best_step([{"step": 1, "loss": 1.0}, *log]) == 4
    assert best_step([{"step": 1, "loss": 1.0}]) is None


def test_weights_that_are_gone_are_missed(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"best_on_dev/7\.safetensors: .* not there any more"):
        BestWeights(tmp_path / "best_on_dev", SimpleNamespace()).restore(7)


@pytest.mark.usefixtures("dev_pairs")
def test_the_pairs_are_the_same_whatever_the_order_of_the_file() -> None:
    chosen = settings(EpochSettings, "scalar_rm", 1).dev.model_copy(update={"pairs": 5})
    first = dev_set(chosen, 0, None)
    write_records(DEV_PAIRS, DEV[::-1])
    second = dev_set(chosen, 0, None)
    assert first is not None
    assert second is not None
    assert set(first.comparisons) == set(second.comparisons)
    assert first.pairs == 5
    write_records(DEV_PAIRS, [])
    with pytest.raises(StageError, match="holds no pair"):
        dev_set(chosen, 0, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dev": None, "keep": "best_on_dev"}, "keep is best_on_dev, which needs `dev`"),
        ({"log_every": 3, "save_every": 3}, r"dev\.every \(4\) must be a multiple of log_every \(3\)"),
        ({"launch": {"processes": 2, "strategy": "fsdp2"}}, "launch.strategy fsdp2 cuts them"),
    ],
)
def test_what_cannot_be_judged_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(SftSettings, "sft", 4, **changes)
    assert settings(SftSettings, "sft", 4).keep is Keep.LAST
