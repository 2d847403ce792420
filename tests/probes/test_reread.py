"""The prompted form: what a service is shown, and that its figures have names of their own."""

import pytest

from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.model_opening import OpenModel, plain_prompts
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import STOP
from reasrm.probes.probe_run import row_of, run_suite
from reasrm.probes.query import PlainJudgment
from reasrm.probes.reasoning.evaluation_template import END, INSTRUCTION, START
from reasrm.probes.reasoning.stated_trace import stated_trace
from reasrm.probes.reread import RereadProbe
from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import Message
from reasrm.records.reply import Finish, Reply
from tests.probes.test_nldd import ITEMS, context_of

PROBE = RereadProbe(undecided=0.5, blank="")


def reads_the_evaluation(messages: tuple[Message, ...]) -> str:
    """Names the answer that is said to be right, the other one for case 1, and none for case 2."""
    said = messages[-1].content
    if "case 2 " in said:
        return "<answer>[[none]]</answer>"
    side = "A" if ("answer A gives the right" in said) != ("case 1 " in said) else "B"
    return f"<answer>[[{side}]]</answer>"


def test_a_service_is_shown_the_evaluation_without_answers_and_verdict() -> None:
    engine = ScriptedEngine(reads_the_evaluation, "reads evaluations")
    sampling = Sampling(max_new_tokens=8, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    judge = TextJudge(OpenModel(engine, plain_prompts), RubricsTemplate(PromptVariant.FULL), [sampling])
    (result,) = run_suite(judge, [PROBE], context_of(judge), None)
    values = {one.name: one.value * ITEMS for one in result.measures}
    assert {name: round(value) for name, value in values.items()} == {
        "prompted_consistent": ITEMS - 2,
        "prompted_contradicting": 1,
        "prompted_undecided": 1,
    }
    assert len(engine.asked) == ITEMS
    for prompt in engine.asked:
        system, shown = prompt.messages
        assert system.content == INSTRUCTION
        assert shown.content.startswith(f"{START}\n")
        assert shown.content.endswith(
            f"Enough of case {shown.content.split('case ')[1][:-1].split()[0]}.‹/eval›\n{END}"
        )
        assert not {"good", "poor", "<answer>", "[["} & {
            part for part in ("good", "poor", "<answer>", "[[") if part in shown.content
        }
    rows = [row_of(PROBE, answer) for answer in result.answers]
    assert all(row.variant == "prompted" and row.shown.prompt and row.shown.response_a == "" for row in rows)


def test_the_judge_is_asked_as_before_afterwards() -> None:
    """The template of a query is that query's alone."""
    engine = ScriptedEngine(lambda _: "<answer>[[A]]</answer>", "A")
    sampling = Sampling(max_new_tokens=8, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    judge = TextJudge(OpenModel(engine, plain_prompts), RubricsTemplate(PromptVariant.FULL), [sampling])
    list(run_suite(judge, [PROBE], context_of(judge), None))
    assert isinstance(judge.template, RubricsTemplate)


@pytest.mark.parametrize(
    ("text", "verdict", "begun"),
    [
        ("<eval>A is right.</eval>\n<answer> [[A]]</answer>", Side.A, "<eval>A is right.</eval>\n<answer> [["),
        ("B is right, so: [[B]]", Side.B, "B is right, so: [["),
        ("B is right, so: [[B]]", Side.A, None),
        ("<answer>[[A]]</answer> is what <quote_A>I say</quote_A>", Side.A, "<answer>[["),
        ("Rating: [[A]] or [[B]], who knows", Side.B, None),
    ],
)
def test_a_trace_ends_before_the_letter_that_was_read(text: str, verdict: Side, begun: str | None) -> None:
    reply = Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)
    plain = PlainJudgment(context_of(None).items[0], Side.A, ComparisonJudgment(verdict=verdict, reply=reply))
    found = stated_trace(plain)
    assert (found and found.begun) == begun
    assert stated_trace(None) is None
