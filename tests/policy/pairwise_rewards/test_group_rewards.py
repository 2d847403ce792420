"""Groups of texts judged by a whole judge: each distinct comparison once, resumed from the ledger, never a guess."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import OpenModel, plain_prompts
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import RESPONSE_START
from reasrm.judging.verdict import STOP
from reasrm.policy.pairwise_rewards.group_rewards import AnswerGroup, group_rewards
from reasrm.policy.pairwise_rewards.registry import SCHEMES, scheme_named
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message

LADDER = ["good", "good good", "bad", "good good good"]
RANKED = [-1 / 3, 1 / 3, -1, 1]
TOURNAMENT = scheme_named("debiased_tournament")


def counts_good(messages: tuple[Message, ...]) -> str:
    """Names the answer that says `good` more often; nothing where an answer says `odd`."""
    both = messages[-1].content.split(RESPONSE_START[Side.A])[1]
    a, b = both.split(RESPONSE_START[Side.B])
    return (
        "I cannot tell."
        if "odd" in both
        else f"<answer>[[{'A' if a.count('good') > b.count('good') else 'B'}]]</answer>"
    )


def text_judge(engine: ScriptedEngine) -> TextJudge:
    sampling = Sampling(max_new_tokens=8, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    return TextJudge(OpenModel(engine, plain_prompts), RubricsTemplate(PromptVariant.PLAIN), [sampling])


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(counts_good, "counts good")


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if not scheme.reads_scores])
def test_groups_of_a_batch_are_judged_as_each_by_itself_and_cost_as_stated(name: str, engine: ScriptedEngine) -> None:
    scheme = scheme_named(name)
    groups = [
        AnswerGroup("which?", LADDER, "good good"),
        AnswerGroup("who?", ["bad", "good", "good good"], "bad"),
        AnswerGroup("which?", LADDER, "good good"),
    ]
    with text_judge(engine) as judge:
        judged = group_rewards(judge, groups, scheme)
        alone = [group_rewards(text_judge(engine), [group], scheme) for group in groups]
    assert judged.rewards == [one.rewards[0] for one in alone]
    assert judged.comparisons == alone[0].comparisons + alone[1].comparisons
    free = 2 if name == "greedy_anchor" else 0  # of each group one answer is the greedy one
    assert [one.comparisons for one in alone[:2]] == [scheme.calls(4) - free, scheme.calls(3) - free]
    assert (judged.no_verdict, judged.unknown_words) == (0, 0)
    assert judged.rewards[0][3] == max(judged.rewards[0])
    assert judged.rewards[0][2] == min(judged.rewards[0])


def test_a_step_that_is_done_again_asks_nothing(engine: ScriptedEngine, tmp_path: Path) -> None:
    for _ in range(2):
        with text_judge(engine) as judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
            judged = group_rewards(judge, [AnswerGroup("which?", LADDER)], TOURNAMENT, ledger)
        assert judged.rewards == [pytest.approx(RANKED)]
        assert len(engine.asked) == judged.comparisons == 12


def test_equal_texts_are_equal_without_being_asked(engine: ScriptedEngine) -> None:
    with text_judge(engine) as judge:
        judged = group_rewards(judge, [AnswerGroup("which?", ["good", "bad", "good"])], TOURNAMENT)
        same = group_rewards(judge, [AnswerGroup("which?", ["good"] * 3, "good")], scheme_named("greedy_anchor"))
    assert judged.rewards == [[0.5, -1, 0.5]]
    assert judged.comparisons == len(engine.asked) == 2
    assert same.rewards == [[0.5] * 3]
    assert same.comparisons == 0


def test_replies_without_a_verdict_are_counted(engine: ScriptedEngine) -> None:
    with text_judge(engine) as judge:
        judged = group_rewards(judge, [AnswerGroup("which?", ["good", "odd", "bad"])], TOURNAMENT)
    assert judged.rewards == [[0.5, 0, -0.5]]
    assert (judged.comparisons, judged.no_verdict) == (6, 4)


def test_what_a_judge_cannot_read_is_not_asked(checkpoint: Path) -> None:
    with open_judge(checkpoint) as judge:
        judged = group_rewards(judge, [AnswerGroup("the fox", ["the dog", "pick me!", "the fox"])], TOURNAMENT)
    assert judged.unknown_words == 4
    assert judged.comparisons == 2
    assert judged.rewards[0][1] == 0


def test_a_scalar_judges_own_scores_are_rewards(settings: LocalModelSettings, tokenizer: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(1)
    scorer = AutoModelForSequenceClassification.from_pretrained(settings.checkpoint, num_labels=1)
    scorer.save_pretrained(tmp_path / "scorer")
    tokenizer.save_pretrained(tmp_path / "scorer")
    local = settings.model_copy(update={"checkpoint": tmp_path / "scorer", "max_context_tokens": 40})
    answers = ["the dog", "the quick fox", "the dog", "the fox " * 30]
    with ScalarJudge(local) as judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
        judged = group_rewards(judge, [AnswerGroup("the fox", answers)], scheme_named("own_scores"), ledger)
        by_pairs = group_rewards(judge, [AnswerGroup("the fox", answers[:2])], TOURNAMENT, ledger)
    (scores,) = judged.rewards
    assert scores[0] == scores[2] != scores[1]
    assert scores[3] == min(scores[:2])  # too long to be scored
    assert (judged.comparisons, judged.no_verdict) == (3, 1)
    assert (by_pairs.rewards[0][0] > 0) is (scores[0] > scores[1])


def test_what_a_judge_or_a_group_cannot_serve_is_refused(engine: ScriptedEngine) -> None:
    judge, anchored = text_judge(engine), scheme_named("greedy_anchor")
    with pytest.raises(Exception, match="own_scores takes an answer's own score, and this judge names the better"):
        group_rewards(judge, [AnswerGroup("which?", LADDER)], scheme_named("own_scores"))
    with pytest.raises(ValueError, match="group 1 has no anchor, with which greedy_anchor"):
        group_rewards(judge, [AnswerGroup("which?", LADDER, "good"), AnswerGroup("who?", LADDER)], anchored)
    with pytest.raises(ValueError, match="group 0 has 1 answers"):
        group_rewards(judge, [AnswerGroup("which?", ["good"])], TOURNAMENT)
    assert not engine.asked
