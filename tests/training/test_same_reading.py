"""A reply is worth in training what it says in judging: reward, SFT target and judge read the same tokens alike.

A thousand replies with thoughts that rehearse verdicts, quotations, several answers and cut ends, under chat templates
that open a thought, that close an empty one and that do neither, with and without special tokens for the marks.
"""

import copy
import random
from typing import Any

import pytest

from reasrm.inference.engine import Prompt
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.replies import DrawnTokens, decode, reply_from_tokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.judging.chat_templates.chat_template import opened_thought
from reasrm.judging.trace_structure import is_grounded, read_structure
from reasrm.judging.verdict import STOP, Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rewards.sampled_replies import as_judged, cut_at_stop
from reasrm.training.sft import OpenThoughtError, TrainingExample, token_rows
from tests.fixtures.tiny_prompts import user

pytestmark = pytest.mark.slow

REPLIES = 1000
TERMS = ("verdict", "grounded", "concise")
LIMIT = 400
"""Tokens; more than any of these replies has."""
ENDINGS = {"opens": "<think>\n", "closes": "<think>\n\n</think>\n\n", "neutral": ""}
"""What each template writes behind the start of the model's turn."""
QUESTION = user("the cat sat on the mat")


@pytest.fixture(params=list(ENDINGS))
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["tokenizer", "thinking_tokenizer"])
def thinker(request: pytest.FixtureRequest, ending: str) -> Any:
    """A tokenizer whose template ends its prompts in one of these ways."""
    made = copy.deepcopy(request.getfixturevalue(request.param))
    made.chat_template += "{% if add_generation_prompt %}{{ " + repr(ENDINGS[ending]) + " }}{% endif %}"
    return made


def written(draw: random.Random) -> str:
    """One reply, put together as judges write them, well and badly."""
    closing = lambda: draw.choice(("</answer>", "</answer>", "</answer>", "</Answer>", "</answer >"))  # noqa: E731
    verdict = lambda: f"<answer>{draw.choice(('[[A]]', '[[B]]', '**[[A]]**', '[[C]]', ''))}{closing()}"  # noqa: E731
    words = lambda: draw.choice(("so ", "the cat ", "\n", "<eval>the mat</eval>", "<type>Chat</type>", ""))  # noqa: E731
    quoted = lambda: draw.choice(("<quote_A>{}</quote_A>", "<quote_B>{}", "{}</quote_A>")).format(verdict())  # noqa: E731
    true_quotes = lambda: "<quote_A>the cat</quote_A><quote_B>the mat</quote_B>"  # noqa: E731
    parts = (verdict, words, quoted, true_quotes, true_quotes)
    thought = "".join(draw.choice(parts)() for _ in range(draw.randrange(4)))
    start, end = draw.choice((("<think>", "</think>"), ("", "</think>"), ("<think>", ""), ("", ""), ("[THINK]", "")))
    proper = "".join(draw.choice(parts)() for _ in range(draw.randrange(4)))
    after = draw.choice(("", "", "</think>", "<think>", " and then <answer>[[B]]</answer>"))
    text = f"{words()}{start}{thought}{end}{proper}{verdict()}{after}"
    return text[: draw.randrange(len(text) + 1)] if draw.random() < 0.2 else text


def replies() -> list[tuple[str, bool]]:
    """Each with whether the model ended it itself."""
    draw = random.Random(0)
    return [(written(draw), draw.random() < 0.8) for _ in range(REPLIES)]


def judged(tokenizer: Any, ids: list[int], ended: bool, prompt: Prompt, stops: StopTokens) -> Reply:
    """The reply as the engine transformers makes it of these tokens, drawn one by one."""
    drawn: list[int] = []
    finish = Finish.STOP if ended else Finish.LENGTH
    for token in ids:
        drawn.append(token)
        if stops.may_stop[token] and stops.reached(drawn, prompt.head):
            finish = Finish.STOP
            break
    return reply_from_tokens(tokenizer, DrawnTokens(drawn, None, finish, len(drawn)), prompt, STOP)


def said(text: str, finish: Finish = Finish.STOP) -> Side | None:
    read = read_verdict(text, finish)
    return read.side if isinstance(read, Verdict) else None


def test_reward_cut_and_judgment_agree_on_a_thousand_replies(thinker: Any, ending: str) -> None:
    """The same tokens, in training sampled to their own end and in judging ended by the engine."""
    prompt = render_all(thinker, [QUESTION])[QUESTION]
    assert bool(prompt.opened) is (ending == "opens")
    turns = [{"role": one.role.value, "content": one.content} for one in QUESTION]
    shown = thinker.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert opened_thought(shown) == prompt.opened
    stops = StopTokens(thinker, STOP, len(thinker), [thinker.eos_token_id])
    ids = [
        [*thinker(text, add_special_tokens=False)["input_ids"], *([thinker.eos_token_id] if ended else [])]
        for text, ended in replies()
    ]
    as_judge = [judged(thinker, row, ended, prompt, stops) for row, (_, ended) in zip(ids, replies(), strict=True)]
    sides = [said(reply.text, reply.finish) for reply in as_judge]
    asked: dict[str, Any] = {
        "completions": [[{"role": "assistant", "content": text}] for text, _ in replies()],
        "completion_ids": ids,
        "better": ["A"] * REPLIES,
        "prompt_variant": ["full"] * REPLIES,
        "response_a": ["the cat sat"] * REPLIES,
        "response_b": ["on the mat"] * REPLIES,
        "max_reply_tokens": [LIMIT] * REPLIES,
        "log_metric": lambda name, value: None,
    }
    earned = {name: as_judged(REWARD_TERMS[name], thinker, prompt.opened)(**asked) for name in TERMS}
    assert earned["verdict"] == [1.0 if side is Side.A else -1.0 for side in sides]
    whole = [is_grounded(read_structure(reply.text), "the cat sat", "on the mat") for reply in as_judge]
    assert earned["grounded"] == [float(side is not None and true) for side, true in zip(sides, whole, strict=True)]
    assert earned["concise"] == [
        0.0 if side is None else 1 - len(row) / LIMIT for side, row in zip(sides, ids, strict=True)
    ]
    assert REPLIES // 50 < sum(earned["grounded"]) < REPLIES // 2
    assert [cut_at_stop(prompt.opened + decode(thinker, row)) for row in ids] == [reply.text for reply in as_judge]
    assert min(sides.count(one) for one in (Side.A, Side.B, None)) > REPLIES // 50


def test_a_target_of_sft_says_what_its_trace_says_or_is_refused(thinker: Any, ending: str) -> None:
    """Tokenised, put behind the prompt and decoded as a reply."""
    prompt = render_all(thinker, [QUESTION])[QUESTION]
    learnt = refused = 0
    for trace in dict.fromkeys(text for text, _ in replies()):
        side = said(trace)
        if side is None:
            continue
        try:
            rows, left_out = token_rows(thinker, [TrainingExample(QUESTION, trace)], 10**6)
        except OpenThoughtError:
            continue
        if not rows:
            assert "as a judge's reply" in left_out.why
            refused += 1
            continue
        learnt, (row,) = learnt + 1, rows
        ids = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label >= 0]
        assert tuple(row["input_ids"][: len(prompt.token_ids)]) == prompt.token_ids
        reply = reply_from_tokens(thinker, DrawnTokens(ids, None, Finish.STOP, len(ids)), prompt, STOP)
        assert said(reply.text) is side
    assert learnt > REPLIES // 20
    assert (refused > REPLIES // 50) is (ending != "opens")  # a reply that thinks is never cut
