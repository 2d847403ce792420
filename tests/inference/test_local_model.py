"""How a checkpoint is run: weights of two bytes, and what a machine or an engine cannot do is refused in one line."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model, open_scorer
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.runtime.stage_main import StageError
from tests.fixtures.tiny_prompts import sentence, user


def test_bfloat16_replies_are_the_librarys_own(settings: LocalModelSettings, tokenizer: Any, greedy: Sampling) -> None:
    """One prompt at a time, since the shape of a batch turns bits, and in two bytes bits turn tokens."""
    import torch

    engine = TransformersEngine(settings.model_copy(update={"dtype": Dtype.BFLOAT16, "batch_size": 1}), tokenizer)
    prompts = list(render_all(tokenizer, [user(sentence(start, 5 + start)) for start in range(4)]).values())
    replies = dict(engine.generate(prompts, greedy))
    model = engine._loaded()
    assert {weights.dtype for weights in model.parameters()} == {torch.bfloat16}
    for prompt in prompts:
        ids = torch.tensor([prompt.token_ids])
        drawn = model.generate(ids, max_new_tokens=greedy.max_new_tokens, do_sample=False, pad_token_id=0)
        written = tokenizer.decode(drawn[0, len(prompt.token_ids) :], skip_special_tokens=True)
        assert written.startswith(replies[prompt].text)
        assert replies[prompt].completion_tokens > 1


def test_bfloat16_scores_are_near_those_of_float32(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any
) -> None:
    from transformers import AutoModelForSequenceClassification

    scalar = AutoModelForSequenceClassification.from_pretrained(settings.checkpoint, num_labels=1)
    scalar.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    rows = [tuple(range(5, 5 + length)) for length in (4, 9, 30)]
    exact, near = (
        list(ScalarEngine(settings.model_copy(update={"checkpoint": tmp_path, "dtype": dtype}), tokenizer).score(rows))
        for dtype in (Dtype.FLOAT32, Dtype.BFLOAT16)
    )
    assert near == pytest.approx(exact, abs=0.05 * max(map(abs, exact)))
    assert near != exact


def test_flash_attention_is_refused_where_it_cannot_run(
    settings: LocalModelSettings, tokenizer: Any, greedy: Sampling
) -> None:
    flash = settings.model_copy(update={"attention": Attention.FLASH_ATTENTION_2})
    prompts = list(render_all(tokenizer, [user("x")]).values())
    with pytest.raises(StageError, match=r"`judge.attention: flash_attention_2` needs .*: take `sdpa`"):
        list(TransformersEngine(flash, tokenizer).generate(prompts, greedy))


def test_what_does_not_split_a_model_says_so(settings: LocalModelSettings, tokenizer: Any) -> None:
    split = settings.model_copy(update={"tensor_parallel": 2})
    with pytest.raises(StageError, match=r"tensor_parallel` is 2, and the engine transformers does not split"):
        open_model(EngineName.TRANSFORMERS, split)
    with pytest.raises(StageError, match=r"tensor_parallel` is 2, and a scalar judge does not split"):
        open_scorer(split, tokenizer)


def test_how_many_processes_and_how_much_memory_are_no_part_of_what_a_reply_is_kept_under(
    settings: LocalModelSettings, tokenizer: Any
) -> None:
    other = settings.model_copy(update={"data_parallel": 4, "memory_share": 0.5, "cache_tokens": 7})
    assert TransformersEngine(other, tokenizer).identity() == TransformersEngine(settings, tokenizer).identity()
    wider = settings.model_copy(update={"batch_tokens": 800})
    assert TransformersEngine(wider, tokenizer).identity() != TransformersEngine(settings, tokenizer).identity()
