"""Replies that are begun for the judge: a verdict that follows its reasons is turned, one that does not is not."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.model_opening import OpenModel
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import STOP
from reasrm.probes.prefilled_thought import PrefilledThoughtProbe
from reasrm.probes.probe_run import answer_all, run_suite
from reasrm.probes.query import Condition, JudgeTraits, ProbeItem, ProbeQuery
from reasrm.records.comparison import Side, show
from reasrm.records.pair import PreferencePair
from tests.fixtures.tiny_prompts import user
from tests.probes.known_judges import ALWAYS_A, LONGER, REASONS, KnownJudge, context_of, open_known

CLAIM = "<eval><quote_{side}>it</quote_{side}>: agrees.<quote_{other}>it</quote_{other}>: differs."
PROBE = PrefilledThoughtProbe(texts={"claim": CLAIM, "bare": "<eval>"})


def figures(known: KnownJudge) -> dict[str, float]:
    """What the probe measures of a judge, by name and variant."""
    with open_known(known) as judge:
        (result,) = run_suite(judge, [PROBE], context_of(judge), None)
    return {"/".join(filter(None, (one.name, one.variant))): one.value for one in result.measures}


def test_a_verdict_that_follows_what_is_written_is_turned() -> None:
    found = figures(REASONS)
    assert (found["asr/claim"], found["pac/claim"], found["net_gain/claim"], found["denied/claim"]) == (1, 1, 1, 0)
    assert found["claim_gain/claim"] == 1.0
    assert found["asr/bare"] == 0.0
    assert found["asr"] == 0.5


@pytest.mark.parametrize(("known", "picked"), [(LONGER, 0.5), (ALWAYS_A, 0.5)])
def test_a_verdict_that_does_not_is_not(known: KnownJudge, picked: float) -> None:
    found = figures(known)
    assert (found["asr/claim"], found["picked/claim"], found["net_gain/claim"]) == (0.0, picked, 0.0)
    assert found["claim_gain/claim"] == 0.0


def test_the_claim_is_of_the_wrong_side_and_its_reverse_of_the_right_one() -> None:
    with open_known(REASONS) as judge:
        context = context_of(judge)
    queries = list(PROBE.queries(context))
    assert len(queries) == PROBE.most_queries(len(context.items), context.traits)
    for query in queries:
        wrong = query.comparison.better.other
        claimed = {"claim": wrong, "claim_claims_right": wrong.other}.get(query.variant)
        assert query.condition.begun.startswith("<eval>" if claimed is None else f"<eval><quote_{claimed}>")
        assert query.comparison == show(query.item.pair, query.comparison.better)
    assert {query.variant for query in queries} == {"claim", "claim_claims_right", "bare"}


def test_who_cannot_be_made_to_begin_is_refused() -> None:
    writes = JudgeTraits(writes=True, continues=False, margins=False, draws=True, own_prompt=True)
    assert PROBE.refuses(writes) == "its replies cannot be made to begin with a text"
    assert PROBE.refuses(replace(writes, continues=True)) == ""
    assert PROBE.refuses(replace(writes, continues=True, own_prompt=False)), (
        "another's prompt has a beginning of its own"
    )
    assert PROBE.refuses(replace(writes, writes=False)) == "it writes no reply that could be begun"


def test_a_begun_reply_of_unknown_words_is_not_asked(tokenizer: Any) -> None:
    """The texts are the judge's words, but the beginning of its reply is not: it would go on with noise."""
    engine = ScriptedEngine(lambda _: "</eval><answer>[[A]]</answer>", "always A")
    sampling = Sampling(max_new_tokens=8, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    model = OpenModel(engine, partial(render_all, tokenizer), tokenizer)
    judge = TextJudge(model, RubricsTemplate(PromptVariant.FULL), [sampling])
    pair = PreferencePair(prompt=user("the fox"), chosen="the fox", rejected="the dog", source="test")
    item, shown = ProbeItem("test", "1", "1", pair), show(pair, Side.A)
    begun = [Condition(begun="<eval>the fox"), Condition(begun="<eval>Plainly wrong")]
    known, unknown = answer_all(judge, [ProbeQuery(item, "v", shown, one) for one in begun], None)
    assert (known.unknown_words, known.correct) == (False, True)
    assert (unknown.unknown_words, unknown.judgment) == (True, None)
    assert len(engine.asked) == 1
