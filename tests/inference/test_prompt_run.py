"""The run over many prompts: each distinct one once, killed and resumed without asking twice, same bytes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from reasrm.inference.engine import Answered, Engine, Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message
from reasrm.records.reply import Reply
from reasrm.runtime.progress import ProgressLine
from tests.fixtures.tiny_prompts import sentence, user


def echo(messages: tuple[Message, ...]) -> str:
    return messages[-1].content.upper()


class KilledError(Exception):
    """Stands for a kill."""


class DyingEngine:
    """Asks another engine until it has given so many replies."""

    def __init__(self, engine: Engine, replies: int) -> None:
        self.engine, self.left, self.starts = engine, replies, 0
        self.identity, self.batches, self.close = engine.identity, engine.batches, engine.close

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """The engine's replies, then the end."""
        for reply in self.engine.generate(prompts, sampling):
            if self.left == 0:
                raise KilledError
            self.left -= 1
            yield reply


def ask(engine: Engine, prompts: Sequence[Prompt], sampling: Sampling, path: Path) -> dict[str, Reply]:
    with Ledger(path) as ledger:
        return ask_all(engine, prompts, sampling, ledger, ProgressLine("test"))


def test_each_distinct_prompt_is_asked_once(tmp_path: Path, greedy: Sampling) -> None:
    prompts = [Prompt(user(sentence(start % 5, 4))) for start in range(20)]
    engine = ScriptedEngine(echo, "echo")
    replies = ask(engine, prompts, greedy, tmp_path / "l.jsonl")
    assert len(engine.asked) == len(replies) == len({prompt.key for prompt in prompts})
    assert all(replies[prompt.key].text == prompt.messages[0].content.upper() for prompt in prompts)


def test_a_second_run_asks_nothing(tmp_path: Path, greedy: Sampling) -> None:
    prompts = [Prompt(user(sentence(start, 4))) for start in range(6)]
    first = ask(ScriptedEngine(echo, "echo"), prompts, greedy, tmp_path / "l.jsonl")
    again = ScriptedEngine(echo, "echo")
    assert ask(again, prompts, greedy, tmp_path / "l.jsonl") == first
    assert again.asked == []


def test_another_engine_sampling_or_prompt_is_another_request(tmp_path: Path, greedy: Sampling) -> None:
    prompts = [Prompt(user("one")), Prompt(user("two"))]
    ask(ScriptedEngine(echo, "echo"), prompts, greedy, tmp_path / "l.jsonl")
    other = ScriptedEngine(echo, "another")
    ask(other, prompts, greedy, tmp_path / "l.jsonl")
    warm = ScriptedEngine(echo, "echo")
    ask(warm, prompts, greedy.model_copy(update={"temperature": 0.5}), tmp_path / "l.jsonl")
    more = ScriptedEngine(echo, "echo")
    ask(more, [*prompts, Prompt(user("three"))], greedy, tmp_path / "l.jsonl")
    assert (len(other.asked), len(warm.asked), len(more.asked)) == (2, 2, 1)


@pytest.mark.parametrize("survived", [0, 5, 11, 17])
def test_killed_and_resumed_gives_the_same_bytes_and_asks_nothing_twice(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: object, greedy: Sampling, survived: int
) -> None:
    from reasrm.inference.prompt_rendering import render_all

    texts = [user(sentence(start, 2 + start % 9)) for start in range(30)]
    prompts = list(render_all(tokenizer, texts).values())
    engine = TransformersEngine(settings, tokenizer)
    whole = ask(engine, prompts, greedy, tmp_path / "whole.jsonl")
    with pytest.raises(KilledError):
        ask(DyingEngine(engine, survived), prompts, greedy, tmp_path / "killed.jsonl")
    half = (tmp_path / "killed.jsonl").read_bytes()
    assert ask(engine, prompts, greedy, tmp_path / "killed.jsonl") == whole
    assert (tmp_path / "killed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (tmp_path / "killed.jsonl").read_bytes().startswith(half)


def test_the_time_left_follows_the_lengths_that_are_still_to_come(
    tmp_path: Path, greedy: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt of 10 characters took 10 seconds, so one of 990 takes 990."""
    said: list[str] = []
    monkeypatch.setattr(ProgressLine, "show", lambda _, text: said.append(text))
    now = iter(range(0, 9999, 10))
    monkeypatch.setattr("reasrm.inference.prompt_run.time.monotonic", lambda: next(now))
    prompts = [Prompt(user("x" * 10)), Prompt(user("y" * 990))]
    ask(ScriptedEngine(echo, "echo"), prompts, greedy, tmp_path / "l.jsonl")
    assert said == ["1 of 2 prompts, about 16 min left", "2 of 2 prompts, about 0 s left"]
