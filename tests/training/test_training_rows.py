"""Rows and their order: each row once per epoch, batches of similar length, loss on completions alone."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.chat_template import prompt_token_ids
from reasrm.miniature.exercises import base_documents, vocabulary_texts
from reasrm.miniature.tiny_model import train_tokenizer
from reasrm.training.training_rows import NOT_LEARNT, Example, in_batches_of_one_length, token_rows


@given(st.lists(st.integers(1, 99), min_size=1, max_size=300), st.integers(1, 40), st.integers(1, 3), st.integers(0, 9))
def test_every_epoch_has_each_row_once(lengths: list[int], batch: int, epochs: int, seed: int) -> None:
    order = in_batches_of_one_length(lengths, batch, epochs, seed)
    size = len(lengths)
    assert [sorted(order[at : at + size]) for at in range(0, len(order), size)] == [list(range(size))] * epochs
    assert order == in_batches_of_one_length(lengths, batch, epochs, seed)


def test_batches_hold_rows_of_similar_length() -> None:
    lengths = [(at * 37) % 100 for at in range(3200)]
    order = in_batches_of_one_length(lengths, 32, 1, 0)
    spreads = [
        max(lengths[row] for row in order[at : at + 32]) - min(lengths[row] for row in order[at : at + 32])
        for at in range(0, 3200, 32)
    ]
    assert sum(spreads) / len(spreads) < 12


def test_the_loss_falls_on_the_completion_and_its_end_alone() -> None:
    documents = base_documents(50, 0)
    tokenizer = train_tokenizer(vocabulary_texts(documents), 1024)
    examples = [Example(document.prompt, document.completion) for document in documents]
    rows, too_long = token_rows(tokenizer, examples, 200)
    assert too_long == 0
    for example, row in zip(examples, rows, strict=True):
        prompt = prompt_token_ids(tokenizer, example.prompt)
        assert row["input_ids"][: len(prompt)] == prompt
        learnt = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label == token]
        assert tokenizer.decode(learnt) == example.completion + tokenizer.eos_token
        assert sum(label != NOT_LEARNT for label in row["labels"]) == len(row["input_ids"]) - len(prompt)
    assert token_rows(tokenizer, examples, 10) == ([], len(examples))
