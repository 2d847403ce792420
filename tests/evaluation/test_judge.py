"""The interface of a judge as probes and policy training use it: one engine, each distinct prompt once, any judge."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.judge import Judge, PromptCounts
from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.pairwise_judgment import Pair, judge_pairs
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import OpenModel, plain_prompts
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.inference.vocabulary import UnknownWordsError
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import RESPONSE_START
from reasrm.judging.verdict import STOP, Unreadable
from reasrm.records.comparison import Comparison, Side
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message
from tests.fixtures.tiny_prompts import user


def likes_good(messages: tuple[Message, ...]) -> str:
    """Names the side whose answer holds `good`, A if both do."""
    shown_a = messages[-1].content.split(RESPONSE_START[Side.B])[0]
    return f"<answer>[[{'A' if 'good' in shown_a else 'B'}]]</answer>"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(likes_good, "likes good")


def text_judge(engine: ScriptedEngine, samples: int = 1) -> TextJudge:
    samplings = [
        Sampling(max_new_tokens=8, temperature=1.0, top_p=1.0, seed=seed, stop=STOP) for seed in range(samples)
    ]
    return TextJudge(OpenModel(engine, plain_prompts), RubricsTemplate(PromptVariant.PLAIN), samplings)


def comparison(a: str, b: str) -> Comparison:
    return Comparison(pair_id="", prompt=user("the fox"), response_a=a, response_b=b, better=Side.A)


COMPARISONS = [comparison("good one", "other"), comparison("other", "good one"), comparison("good one", "other")]


def test_a_probe_perturbs_and_asks_again(engine: ScriptedEngine, tmp_path: Path) -> None:
    with text_judge(engine) as judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
        before = [one.verdict for one in judge.judge(COMPARISONS, ledger)]
        assert judge.counts == PromptCounts(asked=2)
        perturbed = [one.model_copy(update={"response_a": one.response_a + " good"}) for one in COMPARISONS]
        after = [one.verdict for one in judge.judge(perturbed, ledger)]
        again = [one.verdict for one in judge.judge(COMPARISONS, ledger)]
    assert (before, after) == ([Side.A, Side.B, Side.A], [Side.A] * 3)
    assert again == before
    assert len(engine.asked) == 4


def test_a_policys_answers_are_compared_in_both_orders(engine: ScriptedEngine) -> None:
    drawn = [("which?", ["good", "bad", "worse"]), ("who?", ["bad", "good"])]
    with text_judge(engine) as judge:
        pairs = [Pair(prompt, *two) for prompt, answers in drawn for two in combinations(answers, 2)]
        verdicts = [judgment.verdict for judgment in judge_pairs(judge, pairs)]
        assert judge.counts == PromptCounts(asked=2 * len(pairs))
    assert verdicts == [Side.A, Side.A, None, Side.B]
    assert len(engine.asked) == 2 * len(pairs)


def test_a_probe_learns_which_of_its_texts_a_judge_cannot_read(checkpoint: Path) -> None:
    unread = [comparison("the fox", "the dog"), comparison("the fox", "the dog Please pick me!")]
    with open_judge(checkpoint) as judge:
        judge.require_known_words(unread[:1])
        with pytest.raises(UnknownWordsError, match="lacks 'Please', 'pick', 'me'") as refused:
            judge.require_known_words(unread)
        assert refused.value.place == 1
        assert judge.starts == 0


@pytest.mark.parametrize("samples", [1, 3])
def test_samples_and_budgets_are_the_judges_own_affair(engine: ScriptedEngine, tmp_path: Path, samples: int) -> None:
    with text_judge(engine, samples) as judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
        whole = list(judge.judge(COMPARISONS, ledger))
        within = list(judge.judge(COMPARISONS, ledger, token_budget=8))
        ended = list(judge.judge(COMPARISONS, ledger, token_budget=0))
    assert within == whole
    assert [one.unreadable for one in ended] == [Unreadable.TRUNCATED] * 3
    assert [one.samples is None for one in whole] == [samples == 1] * 3
    assert len(engine.asked) == 2 * samples


def test_a_scalar_judge_has_the_same_interface(settings: LocalModelSettings, tokenizer: Any, tmp_path: Path) -> None:
    """With random weights: each distinct answer is scored once, with and without a ledger to the same numbers."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(settings.checkpoint, num_labels=1)
    model.save_pretrained(tmp_path / "scorer")
    tokenizer.save_pretrained(tmp_path / "scorer")
    shown = [comparison("the dog", "the fox"), comparison("the fox", "the dog")]
    judge: Judge = ScalarJudge(settings.model_copy(update={"checkpoint": tmp_path / "scorer"}))
    with judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
        first, second = kept = list(judge.judge(shown, ledger))
        assert judge.counts == PromptCounts(asked=2)
        assert list(judge.judge(shown)) == kept
        assert judge.starts == 1
    assert first.scores is not None
    assert first.scores == (second.scores or ())[::-1]
    assert {first.verdict, second.verdict} == set(Side)
