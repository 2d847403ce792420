"""Token budgets: what fits stands, what does not is ended there and decides; one run holds all smaller budgets."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.published_judges.reply_readers import FORCED_VERDICTS, ReplyReader, read_reply
from reasrm.evaluation.token_budgets import TokenBudget, replies_within
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, OpenModel, open_model, plain_prompts
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.verdict import Unreadable, Verdict, forced_ending, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from tests.fixtures.tiny_prompts import sentence, user
from tests.fixtures.trained_judge import CONTEXT, case, prompt_of


@pytest.mark.parametrize(
    ("written", "opening"),
    [
        ("well", "\n<answer>[["),
        ("<quote_A>x</quote_A> y", "\n<answer>[["),
        ("<eval><quote_B>x", "</quote_B>\n<answer>[["),
        ("<think>x <quote_A>", "\n</think>\n<answer>[["),
        ("<think>x</think><summary_A>y", "</summary_A>\n<answer>[["),
        ("<answ", "\n<answer>[["),
    ],
)
def test_a_judge_is_left_nothing_but_the_side(written: str, opening: str) -> None:
    assert forced_ending(written) == opening
    read = read_verdict(f"{written}{opening}B]]</answer>")
    assert isinstance(read, Verdict)
    assert read.side is Side.B


FORCED_VERDICT = FORCED_VERDICTS[ReplyReader.LAST_ANSWER]
SAID = {
    ReplyReader.LAST_ANSWER: ("B]]</answer>", Side.B),
    ReplyReader.ANYWHERE: ("B]]</answer>", Side.B),
    ReplyReader.LAST_BRACKETS: ("B]]", Side.B),
    ReplyReader.ANSWER_SCORES: ("3</answer><answer>5</answer>", Side.B),
    ReplyReader.BOXED_SCORES: ("3, 5}", Side.B),
}
"""What a judge writes behind its opening, by the rule that reads it."""


@pytest.mark.parametrize("reader", ReplyReader)
@pytest.mark.parametrize("written", ["well", "<think>so far", "<think>x</think> and", "<eval><quote_B>x"])
def test_every_published_judge_decides_in_its_own_form(reader: ReplyReader, written: str) -> None:
    said, side = SAID[reader]
    text = written + forced_ending(written, FORCED_VERDICTS[reader].opening) + said
    reply = Reply(text=text, finish=Finish.LENGTH, prompt_tokens=1, completion_tokens=1)
    assert read_reply(reader, reply)[0] is side


def test_no_verdict_is_read_from_a_guessed_part_of_a_services_reply(greedy: Sampling, tmp_path: Path) -> None:
    """What it weighed at first, before thoughts that nobody sees, is not what it decided."""
    model = OpenModel(ScriptedEngine(lambda _: "is it [[A]] ? a b c d e f g no, it is [[B]]", "weighs"), plain_prompts)
    prompts = list(model.render([user("q")]).values())
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        whole = drawn(model, prompts, greedy, ledger)
        budget = TokenBudget(8, FORCED_VERDICTS[ReplyReader.LAST_BRACKETS])
        (reply,) = replies_within(budget, model, prompts, whole, greedy, ledger).values()
    assert reply.completion_tokens == budget.tokens
    for reader in ReplyReader:
        assert read_reply(reader, reply) == (Unreadable.TRUNCATED, None)


def drawn(model: OpenModel, prompts: list[Prompt], sampling: Sampling, ledger: Ledger) -> dict[str, Reply]:
    return ask_all(model.engine, prompts, sampling, ledger, ProgressLine("test"))


def test_what_fits_stands_and_what_does_not_is_ended(
    settings: LocalModelSettings, greedy: Sampling, tmp_path: Path
) -> None:
    """With random weights: the law of the lengths."""
    model = open_model(EngineName.TRANSFORMERS, settings)
    prompts = list(model.render([user(sentence(start, 3)) for start in range(6)]).values())
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        whole = drawn(model, prompts, greedy, ledger)
        for tokens in (4, 12, greedy.max_new_tokens):
            budget = TokenBudget(tokens, FORCED_VERDICT)
            within = replies_within(budget, model, prompts, whole, greedy, ledger)
            again = len(ledger)
            assert replies_within(budget, model, prompts, whole, greedy, ledger) == within
            assert len(ledger) == again
            for prompt in prompts:
                one, free = within[prompt.key], whole[prompt.key]
                if free.completion_tokens <= tokens:
                    assert one == free
                else:
                    assert "\n<answer>[[" in one.text or "</answer>" in free.text
                    assert tokens < one.completion_tokens <= tokens + FORCED_VERDICT.tokens
                    assert one.prompt_tokens == len(prompt.token_ids)


def test_a_service_that_is_ended_has_no_verdict(greedy: Sampling, tmp_path: Path) -> None:
    script: Any = lambda messages: f"{messages[-1].content} <answer>[[A]]</answer>"  # noqa: E731
    model = OpenModel(ScriptedEngine(script, "words"), plain_prompts)
    prompts = list(model.render([user("a b c d e f g h"), user("a")]).values())
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        whole = drawn(model, prompts, greedy, ledger)
        within = replies_within(TokenBudget(4, FORCED_VERDICT), model, prompts, whole, greedy, ledger)
    long, short = (within[prompt.key] for prompt in prompts)
    assert (long.finish, long.completion_tokens) == (Finish.LENGTH, 4)
    assert read_verdict(long.text, long.finish) is Unreadable.TRUNCATED
    assert short == whole[prompts[1].key]


@pytest.mark.slow
def test_a_trained_judge_decides_at_every_budget(trained_judge: Path, tmp_path: Path) -> None:
    settings = LocalModelSettings(
        checkpoint=trained_judge, dtype="float32", attention="eager", batch_size=64, batch_tokens=4096,
        max_context_tokens=CONTEXT, threads=1, cache_tokens=100_000, tensor_parallel=1, data_parallel=1,
        memory_share=0.9,
    )  # fmt: skip
    model = open_model(EngineName.TRANSFORMERS, settings)
    sampling = Sampling(max_new_tokens=48, temperature=0.0, top_p=1.0, seed=0, stop="</answer>")
    prompts = list(model.render([prompt_of(case(number)) for number in range(400, 440)]).values())
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        whole = drawn(model, prompts, sampling, ledger)
        for budget in (2, 6, 14):
            within = replies_within(TokenBudget(budget, FORCED_VERDICT), model, prompts, whole, sampling, ledger)
            read = [read_verdict(reply.text, reply.finish) for reply in within.values()]
            assert sum(isinstance(one, Verdict) for one in read) > 0.9 * len(read)
