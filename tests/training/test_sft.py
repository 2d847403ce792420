"""Supervised fine-tuning: what a model is shown and learns to write, and the loss on completions alone."""

from pathlib import Path
from typing import Any

import pytest
import torch

from reasrm.judging.chat_templates.chat_template import prompt_token_ids
from reasrm.judging.thought_marks import THOUGHT_MARKS, ThoughtMark
from reasrm.miniature.tiny_model import TinyShape, new_model
from reasrm.records.pair import PreferencePair, Role
from reasrm.runtime.yaml_files import read_yaml
from reasrm.training.scalar import pair_rows
from reasrm.training.sft import (
    IGNORED_LABEL,
    OpenThoughtError,
    TrainingExample,
    sft_config,
    token_rows,
    training_dataset,
)
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import LeftOut, TrainingRun
from tests.fixtures.chat_families import PLAIN, ChatFamily, every_turn, family_tokenizer, turns
from tests.fixtures.world import documents, tokenizer_of

CHOOSY = "{{ m.content if 'bad' not in m.content else raise_exception('no') }}"


def test_the_loss_falls_on_the_completion_and_its_end_alone() -> None:
    written = documents(50)
    tokenizer = tokenizer_of(written)
    examples = [TrainingExample(document.prompt, document.completion) for document in written]
    rows, left_out = token_rows(tokenizer, examples, 200)
    assert left_out == LeftOut()
    for example, row in zip(examples, rows, strict=True):
        prompt = prompt_token_ids(tokenizer, example.prompt)
        assert row["input_ids"][: len(prompt)] == prompt
        learnt = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label == token]
        assert tokenizer.decode(learnt) == example.completion + tokenizer.eos_token
        assert sum(label != IGNORED_LABEL for label in row["labels"]) == len(row["input_ids"]) - len(prompt)
    assert token_rows(tokenizer, examples, 10) == ([], LeftOut(too_long=len(examples)))


def test_an_example_that_the_template_does_not_render_is_left_out_counted_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tokenizer = family_tokenizer(ChatFamily(every_turn(CHOOSY), PLAIN.special))
    examples = [
        TrainingExample(turns((Role.USER, text)), "<answer>[[A]]</answer>") for text in ("yes", "a bad one", "no")
    ]
    rows, left_out = token_rows(tokenizer, examples, 200)
    assert len(rows) == 2
    assert left_out.summary() == "0 too long, 1 unrenderable"
    left_out.say("sft")
    assert "sft: 1 examples are left out as unrenderable; the first:" in capsys.readouterr().err
    rows, left_out = token_rows(tokenizer, examples[1:2], 200)
    assert str(left_out.no_data("sft", "examples", "max_tokens", 200)).startswith("sft: none of 1 examples is rendered")
    _, left_out = token_rows(tokenizer, examples, 1)
    said = str(left_out.no_data("sft", "examples", "max_tokens", 1))
    assert said.startswith("sft: none of 3 examples fits into 1 tokens (2 too long, 1 unrenderable; the first: ")


def test_pairs_and_comparisons_that_the_template_does_not_render_are_left_out_too() -> None:
    tokenizer = family_tokenizer(ChatFamily(every_turn(CHOOSY), PLAIN.special))
    good, bad = (
        PreferencePair(prompt=turns((Role.USER, "which")), chosen="one", rejected=rejected, source="test")
        for rejected in ("two", "a bad one")
    )
    rows, left_out = pair_rows(tokenizer, [bad, good, bad], 200)
    assert (len(rows), left_out.too_long, left_out.unrenderable) == (1, 0, 2)
    _, left_out = pair_rows(tokenizer, [bad, good], 1)
    assert (left_out.too_long, left_out.unrenderable) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("mark", [one for one in THOUGHT_MARKS if one.begun_by_prompt], ids=lambda one: one.start)
def test_a_template_that_opens_a_thought_is_refused_for_texts_that_never_close_it(mark: ThoughtMark) -> None:
    document = documents(50)[0]
    tokenizer = tokenizer_of([document], 400)
    tokenizer.chat_template += "{% if add_generation_prompt %}" + mark.start + "\n{% endif %}"
    learnt = TrainingExample(document.prompt, document.completion)
    with pytest.raises(OpenThoughtError, match=r"chat_template\.jinja that opens no thought") as refused:
        token_rows(tokenizer, [learnt], 1000)
    assert mark.start in str(refused.value)
    again = learnt._replace(completion=f"so{mark.closing}a{mark.start}b{document.completion}")
    with pytest.raises(OpenThoughtError):
        token_rows(tokenizer, [again], 1000)
    closed = learnt._replace(completion=f"so{mark.closing}{document.completion}")
    assert len(token_rows(tokenizer, [closed], 1000)[0]) == 1


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_examples_that_are_packed_into_one_sequence_do_not_see_each_other(tmp_path: Path, attention: str) -> None:
    from trl import SFTTrainer

    written = documents(30)
    tokenizer = tokenizer_of(written)
    rows, _ = token_rows(tokenizer, [TrainingExample(one.prompt, one.completion) for one in written], 512)
    params = read_yaml(Path(__file__).parents[2] / "params.yaml")
    shared = {name: params["sft"][name] for name in SftSettings.model_fields}
    settings = SftSettings.model_validate(shared | {"packing": True, "attention": attention, "batch_size": 2})
    model = new_model(tokenizer, TinyShape.model_validate(params["base_model"]["shape"]), 0)
    model.set_attn_implementation(attention)
    trainer = SFTTrainer(
        model=model,
        args=sft_config(settings, TrainingRun("sft", tmp_path / "work", tmp_path / "out", tmp_path / "curves")),
        train_dataset=training_dataset(rows, settings),
        processing_class=tokenizer,
    )
    batch: dict[str, Any] = next(iter(trainer.get_train_dataloader()))
    labels = batch.pop("labels")
    starts = [at for at, position in enumerate(batch["position_ids"][0].tolist()) if position == 0]
    assert len(trainer.train_dataset) < len(rows)
    assert len(starts) > 2
    model.eval()
    with torch.no_grad():
        together = model(**batch).logits[0]
        for start, end in zip(starts, [*starts[1:], len(together)], strict=True):
            apart = model(input_ids=batch["input_ids"][:, start:end]).logits[0]
            torch.testing.assert_close(together[start:end], apart, rtol=0, atol=1e-5)
    assert all(labels[0, start] == IGNORED_LABEL for start in starts), "the loss would cross from one to the next"
