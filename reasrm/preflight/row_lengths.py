"""How long a stage's rows are: by the checkpoint's tokenizer, or a quarter of their characters.

Four characters per token is a rule of thumb for English under vocabularies of 32,000 to 150,000 entries; of the
miniature's it is wrong. The texts are those that the stage itself makes, instruction included; marks of the chat
template count in measured lengths alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import answered_by, renderings
from reasrm.judging.chat_templates.checked_template import RenderedChat
from reasrm.judging.prompt import judge_prompt
from reasrm.policy.training.settings import PolicySettings
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings
from reasrm.records.benchmark_folder import item_files
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Orders, hashed_side, show
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.pair import Message, PreferencePair
from reasrm.records.policy import PolicyPrompt
from reasrm.records.trace import KeptTrace
from reasrm.training.grpo.settings import GrpoSettings, TrainingOrders
from reasrm.training.sft import trace_examples, verdict_examples
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_pairs import pair_files

CHARACTERS_PER_TOKEN = 4
LOOKED_AT = 400
"""So many rows of a file are looked at where lengths are not measured."""
TRACES = Path("data/traces/kept.jsonl")
BENCHMARKS = Path("data/benchmarks")
POLICY_PROMPTS = Path("data/policy_prompts")
MAKES_ITS_ROWS = frozenset({"base_model", "policy_start"})
"""The trainings of the miniature on documents of its world, which no file holds."""
Record = TypeVar("Record", bound=BaseModel)


def made_by(stage: StageSettings) -> str:
    """The stage that makes the rows which `stage` reads."""
    if isinstance(stage.settings, JudgeNeeds):
        return "collect_benchmarks"
    if isinstance(stage.settings, PolicySettings):
        return f"policy_prompts@{stage.prompts}"
    return "filter_traces" if stage.section == "sft" else "collect_pairs"


class _Text(NamedTuple):
    """One sequence that a model reads, and what it learns to write behind it."""

    messages: Sequence[Message]
    completion: str = ""
    answered: bool = False


class RowLengths(NamedTuple):
    """Lengths of a stage's rows in tokens."""

    rows: int
    """All there are, those of any length."""
    measured: bool
    """By the tokenizer; else by characters."""
    longest: tuple[int, ...]
    """Of each row that was looked at, its longest sequence: what a limit is compared with."""
    tokens: tuple[int, ...]
    """Of each such row, all its sequences together."""
    unrenderable: int = 0
    """Rows that the chat template does not render."""

    def fitting(self, limit: int) -> float:
        """The share of rows of at most `limit` tokens."""
        return sum(length <= limit for length in self.longest) / len(self.longest) if self.longest else 0.0

    def total(self, limit: int) -> int:
        """All tokens of the rows that fit."""
        fitting = [tokens for length, tokens in zip(self.longest, self.tokens, strict=True) if length <= limit]
        return round(sum(fitting) / len(self.longest) * self.rows) if self.longest else 0


def row_lengths(root: Path, stage: StageSettings, tokenizer: Any = None) -> RowLengths | None:
    """The lengths of a stage's rows; None where its data are not there, or it reads none.

    Args:
        root: the project's folder.
        stage: the stage and its settings.
        tokenizer: of the model, to measure all rows; None to estimate from some.
    """
    try:
        rows, texts = _texts(root, stage, None if tokenizer is not None else LOOKED_AT)
    except (OSError, ValidationError):
        return None
    if not rows:
        return None
    measure = _characters if tokenizer is None else lambda wanted: _measured(tokenizer, wanted)
    flat = measure([text for row in texts for text in row])
    lengths, place, unrenderable = [], 0, 0
    for row in texts:
        own = flat[place : place + len(row)]
        place += len(row)
        if None in own:
            unrenderable += 1
        else:
            lengths.append([length for length in own if length is not None])
    return RowLengths(rows, tokenizer is not None, tuple(map(max, lengths)), tuple(map(sum, lengths)), unrenderable)


def _texts(root: Path, stage: StageSettings, most: int | None) -> tuple[int, list[list[_Text]]]:
    """How many rows a stage has, and the sequences of those that are looked at."""
    settings = stage.settings
    if isinstance(settings, JudgeNeeds):
        count, texts = _judged(root, settings, most)
        return count if stage.queries is None or not count else stage.queries, texts
    if isinstance(settings, GrpoSettings):
        count, pairs = _some(_pair_files(root, stage), PreferencePair, most)
        shown = [show(pair, hashed_side(pair, settings.seed)) for pair in pairs]
        prompts = 2 if settings.orders is TrainingOrders.BOTH else 1  # the other order is as long
        return count * prompts, [[_Text(judge_prompt(one, settings.prompt_variant))] for one in shown]
    if isinstance(settings, PolicySettings):
        count, asked = _some([root / POLICY_PROMPTS / stage.prompts / "train.jsonl"], PolicyPrompt, most)
        return count, [[_Text(one.prompt)] for one in asked]
    if stage.section == "sft":
        count, traces = _some([root / TRACES], KeptTrace, most)
        examples = trace_examples(traces, stage.prompt_variant or PromptVariant.FULL)
        return count, [[_Text(example.prompt, example.completion)] for example in examples]
    if stage.section in MAKES_ITS_ROWS or settings is None:
        return 0, []
    count, pairs = _some(_pair_files(root, stage), PreferencePair, most)
    if isinstance(settings, SftSettings):
        return count, [[_Text(one.prompt, one.completion)] for one in verdict_examples(pairs, settings.seed)]
    return count, [_both_answers(pair) for pair in pairs]


def _judged(root: Path, settings: JudgeNeeds, most: int | None) -> tuple[int, list[list[_Text]]]:
    """The comparisons of the benchmarks; a generative judge reads each in one order or both, which are as long."""
    count, items = _some(item_files(root / BENCHMARKS).values(), BenchmarkItem, most)
    if settings.kind is JudgeKind.SCALAR:
        return count, [_both_answers(item.pair) for item in items]
    shown = [show(item.pair, hashed_side(item.pair, settings.seed)) for item in items]
    both = 2 if settings.orders is Orders.BOTH else 1
    return count * both, [[_Text(judge_prompt(one, settings.prompt))] for one in shown]


def _pair_files(root: Path, stage: StageSettings) -> list[Path]:
    return [root / file for file in pair_files(stage.pairs)]


def _both_answers(pair: PreferencePair) -> list[_Text]:
    return [_Text(answered_by(pair.prompt, answer), answered=True) for answer in (pair.chosen, pair.rejected)]


def _some(files: Iterable[Path], kind: type[Record], most: int | None) -> tuple[int, list[Record]]:
    """How many rows the files hold, and at most `most` of them, evenly spread."""
    lines = [line for file in files for line in file.read_bytes().splitlines() if line.strip()]
    every = 1 if most is None else max(1, -(-len(lines) // most))
    return len(lines), [kind.model_validate_json(line) for line in lines[::every]]


def _characters(texts: Sequence[_Text]) -> list[int | None]:
    return [
        -(-(sum(len(turn.content) for turn in text.messages) + len(text.completion)) // CHARACTERS_PER_TOKEN)
        for text in texts
    ]


def _measured(tokenizer: Any, texts: Sequence[_Text]) -> list[int | None]:
    """Tokens as the stage counts them, the end-of-sequence token of a completion included."""
    answered = any(text.answered for text in texts)
    chats = renderings(tokenizer, [text.messages for text in texts], answered=answered)
    written = [text.completion for text in texts]
    completions = tokenizer(written, add_special_tokens=False)["input_ids"] if any(written) else [[] for _ in written]
    return [
        len(chat.token_ids) + (len(completion) + 1 if completion else 0) if isinstance(chat, RenderedChat) else None
        for chat, completion in zip(chats, completions, strict=True)
    ]
