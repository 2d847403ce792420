"""Supervised fine-tuning with TRL's SFTTrainer: training examples, their tokens, and the training (RM-R1, eq. 6).

The loss is the mean negative log-likelihood of the completion tokens of a batch; eq. 6 is their sum.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from reasrm.inference.replies import decode
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import opened_thought, renderings
from reasrm.judging.chat_templates.checked_template import RenderedChat
from reasrm.judging.prompt import judge_prompt
from reasrm.judging.verdict import Verdict, after_thinking, drawing_end, read_verdict
from reasrm.records.comparison import hashed_side, show
from reasrm.records.pair import Message, PreferencePair
from reasrm.records.trace import KeptTrace
from reasrm.runtime.stage_main import StageError
from reasrm.training.lora import AdapterTask, adapter_config
from reasrm.training.row_order import TokenRow
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import LeftOut, TrainingResult, TrainingRun, last_logged, train_and_save
from reasrm.training.trl_arguments import epoch_arguments, ordered_dataset, refused_in_one_line, trl_config

IGNORED_LABEL = -100
"""The label of a token that the loss leaves out (torch's `ignore_index`)."""


class OpenThoughtError(StageError):
    """The chat template opens a thought that no text to be learnt closes; says which template may stand instead."""


class TrainingExample(NamedTuple):
    """What a model is shown, and what it learns to write."""

    prompt: tuple[Message, ...]
    completion: str


def trace_examples(traces: Iterable[KeptTrace], variant: PromptVariant) -> list[TrainingExample]:
    """Each trace as the reply to its comparison; the hint of the second oracle pass is never in the prompt."""
    return [TrainingExample(judge_prompt(trace.comparison, variant), trace.text) for trace in traces]


def verdict_examples(pairs: Iterable[PreferencePair], seed: int) -> list[TrainingExample]:
    """Each pair, in the order that its hash and `seed` give, with the right verdict as the whole reply."""
    comparisons = [show(pair, hashed_side(pair, seed)) for pair in pairs]
    return [
        TrainingExample(
            judge_prompt(comparison, PromptVariant.ANSWER_ONLY), f"<answer>[[{comparison.better.value}]]</answer>"
        )
        for comparison in comparisons
    ]


def token_rows(tokenizer: Any, examples: Sequence[TrainingExample], max_tokens: int) -> tuple[list[TokenRow], LeftOut]:
    """Tokenise examples for a loss on the completion alone; also how many are left out.

    Left out as well is a text whose verdict would be read as another, or none, if a model had written it.

    Prompt and completion are tokenised apart, as they are when the model writes; the completion ends with the
    end-of-sequence token.

    Raises:
        OpenThoughtError: the chat template opens the model's thought, and an example never closes it.
    """
    if not examples:
        return [], LeftOut()
    rows = []
    tried = list(zip(renderings(tokenizer, [example.prompt for example in examples]), examples, strict=True))
    rendered = [(chat, example) for chat, example in tried if isinstance(chat, RenderedChat)]
    for chat, example in rendered:
        opened = opened_thought(chat.text)
        if opened and after_thinking(opened + example.completion) is None:
            raise OpenThoughtError(
                f"the checkpoint's chat template ends its prompts with {opened}, and texts to learn never close that "
                "thought, so no verdict of the trained model could be read: save the checkpoint with a "
                "chat_template.jinja that opens no thought, or start from a model whose template opens none"
            )
    written = [example.completion for _, example in rendered]
    completions = tokenizer(written, add_special_tokens=False)["input_ids"] if written else []
    reasons = [str(chat) for chat, _ in tried if not isinstance(chat, RenderedChat)]
    for (chat, example), tokens in zip(rendered, completions, strict=True):
        if misread := _misread(example.completion, opened_thought(chat.text) + decode(tokenizer, tokens)):
            reasons.append(misread)
            continue
        prompt, completion = chat.token_ids, [*tokens, tokenizer.eos_token_id]
        if len(prompt) + len(completion) <= max_tokens:
            rows.append({"input_ids": prompt + completion, "labels": [IGNORED_LABEL] * len(prompt) + completion})
    return rows, LeftOut.of(len(examples), len(rows), reasons)


def _misread(text: str, reply: str) -> str:
    """Why `text` is not learnt: it has a verdict, and the `reply` with its tokens has not the same. Mostly empty."""
    said, learnt = read_verdict(text), read_verdict(reply[: drawing_end(reply)])
    if not isinstance(said, Verdict) or (isinstance(learnt, Verdict) and learnt.side is said.side):
        return ""
    reads = f"[[{learnt.side}]]" if isinstance(learnt, Verdict) else f"no verdict ({learnt})"
    return f"the text says [[{said.side}]], and as a judge's reply, which ends with its first verdict, it reads {reads}"


def train_sft(
    run: TrainingRun,
    load_model: Callable[[], Any],
    tokenizer: Any,
    examples: Sequence[TrainingExample],
    settings: SftSettings,
) -> TrainingResult:
    """Train the model that `load_model` gives on `examples`, resuming what an interrupted run left.

    Writes checkpoint and curves.

    Raises:
        NoTrainingDataError: all examples are longer than `max_tokens`, or there are none.
        OpenThoughtError: the chat template opens the model's thought, and an example never closes it.
        StageError: the machine lacks what a setting needs, or `trl` cannot be taken as it is.
    """
    from trl import SFTTrainer

    config = sft_config(settings, run)
    rows, left_out = token_rows(tokenizer, examples, settings.max_tokens)
    left_out.say(run.name)
    if not rows:
        raise left_out.no_data(run.name, "examples", "max_tokens", settings.max_tokens)
    model = load_model()
    with refused_in_one_line(run.name):
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=training_dataset(rows, settings),
            processing_class=tokenizer,
            peft_config=adapter_config(settings.lora, AdapterTask.LANGUAGE_MODEL),
        )
    log = train_and_save(run, trainer, tokenizer, settings)
    return TrainingResult(trainer.state.global_step, len(rows), left_out, last_logged(log, "loss"))


def sft_config(settings: SftSettings, run: TrainingRun) -> Any:
    """TRL's config of `settings`.

    Raises:
        StageError: the machine lacks what a setting needs, or `trl` cannot be taken as it is.
    """
    from trl import SFTConfig

    arguments = {**epoch_arguments(settings, run.resume_from), "packing": settings.packing}
    if settings.packing:  # whole sequences are shuffled in each epoch: which rows lie in one is TRL's to say
        arguments |= {
            "num_train_epochs": settings.epochs,
            "train_sampling_strategy": "random",
            "max_length": settings.max_tokens,
            "packing_strategy": "bfd",
        }
    return trl_config(SFTConfig, arguments, settings, run.name)


def training_dataset(rows: Sequence[TokenRow], settings: SftSettings) -> Any:
    """The `datasets.Dataset` of `rows`: in their order of training, or for packing as they are."""
    if settings.packing:
        from datasets import Dataset

        return Dataset.from_list(list(rows))
    return ordered_dataset(rows, [len(row["input_ids"]) for row in rows], settings)
