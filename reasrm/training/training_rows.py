"""Prompts and completions as token rows, in the order in which they are trained on."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from reasrm.judging.chat_template import render_chat
from reasrm.records.pair import Message

POOL_BATCHES = 16
"""Batches that are sorted by length together: rows of one batch are of about one length, so little is padded."""
NOT_LEARNT = -100
"""The label of a token that the loss leaves out (torch's `ignore_index`)."""


class Example(NamedTuple):
    """What a model is shown, and what it learns to write."""

    prompt: tuple[Message, ...]
    completion: str


Row = dict[str, Any]


def token_rows(tokenizer: Any, examples: Sequence[Example], max_tokens: int) -> tuple[list[Row], int]:
    """Tokenise examples for a loss on the completion alone; also how many were left out as longer than `max_tokens`.

    Prompt and completion are tokenised apart, as they are when the model writes; the completion ends with the
    end-of-sequence token.
    """
    if not examples:
        return [], 0
    rows = []
    prompts = tokenizer([render_chat(tokenizer, example.prompt) for example in examples], add_special_tokens=False)
    completions = tokenizer([example.completion for example in examples], add_special_tokens=False)
    for prompt, tokens in zip(prompts["input_ids"], completions["input_ids"], strict=True):
        completion = [*tokens, tokenizer.eos_token_id]
        if len(prompt) + len(completion) <= max_tokens:
            rows.append({"input_ids": prompt + completion, "labels": [NOT_LEARNT] * len(prompt) + completion})
    return rows, len(examples) - len(rows)


def in_batches_of_one_length(lengths: Sequence[int], batch_size: int, epochs: int, seed: int) -> list[int]:
    """The order of rows over all epochs, to be read in sequence: shuffled, batches of similar length, each row once.

    Every epoch is a new shuffle. Only whole batches are formed but for the last of an epoch, which comes last.
    """
    rng = random.Random(f"row order {seed}")
    order: list[int] = []
    for _ in range(epochs):
        rows = list(range(len(lengths)))
        rng.shuffle(rows)
        order += _one_epoch(rows, lengths, batch_size, rng)
    return order


def _one_epoch(rows: list[int], lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[int]:
    whole = len(rows) // batch_size * batch_size
    batches = []
    pool = POOL_BATCHES * batch_size
    for start in range(0, whole, pool):
        members = sorted(rows[start : min(start + pool, whole)], key=lambda row: lengths[row])
        batches += [members[at : at + batch_size] for at in range(0, len(members), batch_size)]
    rng.shuffle(batches)
    return [row for batch in [*batches, rows[whole:]] for row in batch]
