"""Log-odds of the verdict's letters: against a forward pass, in any batches, resumed, and where there are none."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.inference.verdict_margin import letter_tokens
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import prompt_token_ids
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.ledger import Ledger
from tests.fixtures.scripted_margins import letter_tokenizer, margin_judge
from tests.fixtures.tiny_prompts import sentence, user

BEGUN = [(number, f"<eval>{sentence(number, 1 + number % 7)}</eval><answer>[[") for number in range(24)]


def shown(number: int) -> Comparison:
    a, b = sentence(number, 4), sentence(number + 1, 2)
    return Comparison(pair_id="", prompt=user(sentence(number, 3)), response_a=a, response_b=b, better=Side.A)


def tiny_judge(settings: LocalModelSettings, greedy: Sampling, context: int | None = None) -> TextJudge:
    model = open_model(EngineName.TRANSFORMERS, settings)
    return TextJudge(model, RubricsTemplate(PromptVariant.ANSWER_ONLY), [greedy], context)


def test_they_are_the_models_own_whatever_the_batches_and_however_often_it_is_stopped(
    settings: LocalModelSettings, greedy: Sampling, tokenizer: Any, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    begun = [(shown(number), text) for number, text in BEGUN]
    model = AutoModelForCausalLM.from_pretrained(settings.checkpoint).eval()
    a, b = (tokenizer(side.value, add_special_tokens=False)["input_ids"][-1] for side in Side)
    expected = []
    for comparison, text in begun:
        ids = prompt_token_ids(tokenizer, judge_prompt(comparison, PromptVariant.ANSWER_ONLY))
        ids = [*ids, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        expected.append(float(logits[a] - logits[b]))
    assert max(expected) - min(expected) > 0.1
    with tiny_judge(settings, greedy) as judge, Ledger(tmp_path / "ledger") as ledger:
        whole = judge.verdict_margins(begun, ledger)
    assert whole == pytest.approx(expected, abs=1e-4)
    alone = settings.model_copy(update={"batch_size": 1})
    with tiny_judge(alone, greedy) as judge:
        assert judge.verdict_margins(begun[::-1]) == pytest.approx(expected[::-1], abs=1e-4)
    lines = (tmp_path / "ledger").read_bytes().splitlines(keepends=True)
    assert len(lines) > 2
    (tmp_path / "ledger").write_bytes(b"".join(lines[:2]))
    with tiny_judge(settings, greedy) as judge, Ledger(tmp_path / "ledger") as ledger:
        assert judge.verdict_margins(begun, ledger) == whole
        assert judge.starts == 1
        assert judge.verdict_margins(begun, ledger) == whole
    assert (tmp_path / "ledger").read_bytes() == b"".join(lines)
    with tiny_judge(settings, greedy) as judge, Ledger(tmp_path / "ledger") as ledger:
        assert judge.verdict_margins(begun, ledger) == whole
        assert judge.starts == 0


def test_what_does_not_fit_or_is_not_given_is_none(settings: LocalModelSettings, greedy: Sampling) -> None:
    judge, _ = margin_judge(lambda _, begun: float("nan") if "not" in begun else 1.0)
    assert judge.gives_margins
    assert judge.verdict_margins([(shown(0), "it is [["), (shown(0), "it is not [[")]) == [1.0, None]
    with tiny_judge(settings, greedy, context=10) as tight:
        assert tight.verdict_margins([(shown(0), BEGUN[0][1])]) == [None]
        assert tight.starts == 0


def test_a_letter_that_is_no_token_of_its_own_has_none() -> None:
    assert letter_tokens(letter_tokenizer(), "[[") is not None
    assert letter_tokens(letter_tokenizer("[[A"), "[[") is None
    judge, engine = margin_judge(lambda *_: 1.0, "[[A")
    assert judge.verdict_margins([(shown(0), "<answer>[["), (shown(0), "<answer> ")]) == [None, 1.0]
    assert engine.asked == ["<answer> "]


def test_a_thought_that_the_template_opens_goes_on_or_is_closed() -> None:
    judge, engine = margin_judge(lambda *_: 1.0)
    tokenizer = judge._model.tokenizer
    template = tokenizer.chat_template
    try:
        tokenizer.chat_template = template + "<think>"
        begun = ["<think>hm</think>[[", "[["]
        assert judge.verdict_margins([(shown(0), text) for text in begun]) == [1.0, 1.0]
    finally:
        tokenizer.chat_template = template
    assert sorted(engine.asked) == ["<think>\n</think>\n[[", "<think>hm</think>[["]
