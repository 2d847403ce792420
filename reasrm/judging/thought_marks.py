"""The marks between which models write their thoughts, of all current families in one table, and reading them.

A model's thoughts come in its reply wherever nothing takes them out before (a checkpoint in this process, a server
without a reasoning parser). What stands in a thought is weighed, not said. The rules:

- A mark counts in any letter case and with spaces at its joints (`< Think >`), a tag also with attributes; not where it
  is only mentioned, between code ticks (or in a quotation, which the caller blanks).
- Thoughts may follow each other, and nest. An end closes the innermost open thought of its own mark with all that was
  opened inside it; another mark's end closes nothing. A start directly behind the same start is one start (template and
  model both wrote it). Channels do not nest: the next one begins where the last one stopped.
- An end without its start ends a thought that the prompt began: all before it is thought.
- A text that ends inside thoughts, whatever their marks, has no reply proper.

A new family is a line in the table; nothing else knows marks. Texts under judgement hold no marks when a judge of ours
sees them (`untrusted_text`), so those in its reply are its own.
"""

import re
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThoughtMark:
    """How one way of writing thoughts begins and ends."""

    start: str
    """As models write it and as chat templates end their prompts with it."""
    end: str
    families: str
    """Who writes so."""
    source: str
    """Where that is documented: a vendor's page, or a reasoning parser of vLLM (`vllm/...`)."""
    before_end: str = ""
    """What a model that closes its thought writes before `end`: the end of a turn that its template needs."""
    start_pattern: str = ""
    """Regular expression of the start where it varies by more than letter case and spaces; likewise the end's."""
    end_pattern: str = ""
    nests: bool = True
    """Whether a second start inside opens a second thought."""
    begun_by_prompt: bool = True
    """Whether a prompt may hold the start, so that an end without one ends a thought; else it is ordinary text."""

    @property
    def closing(self) -> str:
        """What, written behind an unfinished thought, closes it."""
        return self.before_end + self.end


def _tag(name: str, families: str, source: str) -> ThoughtMark:
    return ThoughtMark(
        f"<{name}>", f"</{name}>", families, source, start_pattern=_spaced(f"<{name}", rf"{_ATTRIBUTES}>")
    )


def _spaced(literal: str, tail: str = "") -> str:
    """The pattern of `literal` with a few spaces at its joints, then `tail`."""
    joined = _GAP.join(re.escape(part) for part in re.findall(r"\w+|\W", literal))
    return f"{joined}{_GAP}{tail}" if tail else joined


_GAP = r"\s{0,8}"
_ATTRIBUTES = rf"(?:\s[\w:-]{{1,40}}{_GAP}=[^<>]*)?"
_HEADER = r"(?:[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>)?"
"""The rest of a gpt-oss message's header: recipient, content type, `<|message|>`."""

THOUGHT_MARKS: tuple[ThoughtMark, ...] = (
    _tag("think", "DeepSeek-R1, Qwen3, GLM, Kimi K2, MiniMax M1/M2, Nemotron, OLMo 3, …", "vllm/deepseek_r1, qwen3, …"),
    _tag(
        "thinking", "Claude and whoever was taught by it, Reflection", "docs.anthropic.com, prompting chain of thought"
    ),
    _tag("thought", "EXAONE Deep, Marco-o1", "huggingface.co/LGAI-EXAONE/EXAONE-Deep-32B"),
    _tag("reasoning", "GRPO recipes with <reasoning> and <answer> (verifiers, unsloth)", "Open WebUI's reasoning tags"),
    _tag("scratchpad", "Claude and models prompted so", "docs.anthropic.com, prompting chain of thought"),
    _tag("antThinking", "Claude", "Claude's published system prompts"),
    _tag("antml:thinking", "Claude", "Claude's published system prompts"),
    _tag("seed:think", "Seed-OSS", "vllm/seedoss"),
    _tag("longcat_think", "LongCat", "vllm/longcat"),
    _tag("mm:think", "MiniMax M3", "vllm/minimax_m3"),
    _tag("ifm|think", "K2 Horizon", "vllm/k2_horizon"),
    _tag("ifm|think_fast", "K2 Horizon", "vllm/k2_horizon"),
    _tag("ifm|think_faster", "K2 Horizon", "vllm/k2_horizon"),
    ThoughtMark("[THINK]", "[/THINK]", "Magistral, Ministral 3", "vllm/mistral"),
    ThoughtMark("◁think▷", "◁/think▷", "Kimi-VL", "huggingface.co/moonshotai/Kimi-VL-A3B-Thinking"),
    ThoughtMark("<|begin_of_thought|>", "<|end_of_thought|>", "OpenThinker, Sky-T1", "huggingface.co/open-thoughts"),
    ThoughtMark("<|START_THINKING|>", "<|END_THINKING|>", "Cohere Command A, R7B", "vllm/cohere_command"),
    ThoughtMark("<|inner_prefix|>", "<|inner_suffix|>", "Apertus", "vllm/apertus"),
    ThoughtMark(
        "<|thinking|>",
        "<|/thinking|>",
        "some fine-tuned models",
        "lists of tags that clients take out; no vendor's page",
    ),
    ThoughtMark("<|think:start|>", "<|think:end|>", "Solar Open 2", "vllm/solar_open2"),
    ThoughtMark(
        "<|think|>",
        "<|content|>",
        "Solar Open",
        "LocalAI's documentation of reasoning",
        before_end="<|end|><|begin|>assistant",
    ),
    ThoughtMark("<|open|>think<|sep|>", "<|close|>think<|sep|>", "Kimi K3", "vllm/kimi_k3"),
    ThoughtMark("[unused16]", "[unused17]", "openPangu", "vllm/pangu"),
    ThoughtMark(
        "<|channel>thought",
        "<channel|>",
        "Gemma 4",
        "ai.google.dev/gemma/docs/core/prompt-formatting-gemma4, vllm/gemma4",
        start_pattern=_spaced("<|channel>", r"(?:thought\b)?"),
        nests=False,
    ),
    ThoughtMark(
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
        "gpt-oss: every channel but `final`",
        "cookbook.openai.com/articles/openai-harmony, vllm/gptoss",
        before_end="<|end|><|start|>assistant",
        start_pattern=_spaced("<|channel|>", rf"(?!final\b)\w+{_HEADER}"),
        end_pattern=_spaced("<|channel|>final", _HEADER),
        nests=False,
    ),
    ThoughtMark(
        "analysis",
        "assistantfinal",
        "gpt-oss on servers that leave its tokens out of the text",
        "cookbook.openai.com/articles/openai-harmony",
        start_pattern=r"(?-i:\Aanalysis(?=[^\W_]))",
        end_pattern=r"(?-i:assistantfinal)",
        nests=False,
        begun_by_prompt=False,
    ),
    ThoughtMark(
        "Here is my thought process:",
        "Here is my response:",
        "Granite 3.2",
        "vllm/granite",
        start_pattern=r"(?-i:\AHere(?:'s| is) my thought process:)",
        end_pattern=r"(?-i:Here(?:'s| is) my response:)",
        nests=False,
        begun_by_prompt=False,
    ),
)
THINK = THOUGHT_MARKS[0]
"""The mark that most models have."""


@dataclass(frozen=True, slots=True)
class Thoughts:
    """Where a text's thoughts are."""

    marked: bool
    """Whether there is any mark."""
    end: int
    """Where the last end of a thought ends, in characters; 0 if there is none."""
    still_open: tuple[ThoughtMark, ...]
    """The thoughts in which the text ends, the outermost first."""
    unopened: ThoughtMark | None
    """The mark of the first end without a start: that of the thought which the prompt began."""


def _starts(mark: ThoughtMark) -> str:
    return mark.start_pattern or _spaced(mark.start)


def _ends(mark: ThoughtMark) -> str:
    return mark.end_pattern or _spaced(mark.end)


def _beginning_with(character: str) -> str:
    """The pattern of all marks that begin with `character`, as groups `s<number>` and `e<number>`."""
    marks = [(n, mark) for n, mark in enumerate(THOUGHT_MARKS) if mark.start[0] == character]
    return "|".join(f"(?P<s{n}>{_starts(mark)})|(?P<e{n}>{_ends(mark)})" for n, mark in marks)


_LITERALS = " ".join(mark.start + " " + mark.end for mark in THOUGHT_MARKS)
_NAMES = "|".join(sorted(set(re.findall(r"</?(\w{2})", _LITERALS))))
_FIRST = {
    "<": rf"<{_GAP}(?:/{_GAP})?(?:\||{_NAMES})",
    "[": rf"\[{_GAP}(?:/{_GAP})?(?:th|un)",
    "◁": "◁",
    "a": "(?-i:a)(?:nalysis|ssistantfinal)",
    "H": "(?-i:H)ere",
}
"""What all marks of a first character have in common: most places of a text are passed over by it."""
_MARK = re.compile(
    "|".join(f"(?={common})(?:{_beginning_with(first)})" for first, common in _FIRST.items()), re.IGNORECASE
)
_OPENED = re.compile(f"(?:{'|'.join(map(_starts, THOUGHT_MARKS))})\\Z", re.IGNORECASE)
_TOKENS = frozenset(
    token.casefold()
    for mark in THOUGHT_MARKS
    for token in re.findall(r"<[^<>]*>|\[[^\[\]]*\]|◁[^▷]*▷", mark.start + mark.end)
)
LONGEST_START = 200
"""Characters at the end of a prompt in which the start of a thought is looked for."""


def read_thoughts(text: str) -> Thoughts:
    """Find the thoughts of `text`."""
    opened = _OpenThoughts()
    marked, end, last_start, unopened = False, 0, -1, None
    for found in _MARK.finditer(text):
        kind = str(found.lastgroup)
        number = int(kind[1:])
        stray = kind.startswith("e") and not opened.holds(number)
        if _in_ticks(text, found) or (stray and not THOUGHT_MARKS[number].begun_by_prompt):
            continue
        marked = True
        if kind.startswith("s"):
            opened.start(number, repeated=last_start >= 0 and not text[last_start : found.start()].strip())
            last_start = found.end()
        else:
            opened.end(number)
            unopened = THOUGHT_MARKS[number] if stray and unopened is None else unopened
            end, last_start = found.end(), -1
    return Thoughts(marked, end, tuple(THOUGHT_MARKS[number] for number in opened.numbers), unopened)


class _OpenThoughts:
    """The thoughts that are open at some place, by the numbers of their marks."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._count: Counter[int] = Counter()

    def start(self, number: int, *, repeated: bool) -> None:
        """A start; `repeated` if it directly follows another one."""
        again = repeated and self.numbers[-1] == number
        if not again and (THOUGHT_MARKS[number].nests or not self._count[number]):
            self.numbers.append(number)
            self._count[number] += 1

    def holds(self, number: int) -> bool:
        """Whether a thought with this mark is open."""
        return self._count[number] > 0

    def end(self, number: int) -> None:
        """An end: it closes the innermost thought of its mark, if there is one, and what was opened inside."""
        while self._count[number]:
            inner = self.numbers.pop()
            self._count[inner] -= 1
            if inner == number:
                return


def opened_start(prompt: str) -> str:
    """The start of a thought with which `prompt` ends, as it is written there; empty if it ends with none."""
    found = _OPENED.search(prompt.rstrip()[-LONGEST_START:])
    return found.group() if found else ""


def begins_with_thought(reply: str) -> bool:
    """Whether the start of a thought is the first thing in `reply`."""
    found = _MARK.match(reply.lstrip())
    return found is not None and str(found.lastgroup).startswith("s")


def is_mark_token(token: str) -> bool:
    """Whether a special token of a tokenizer is a thought mark, or one of the tokens that a mark is made of."""
    return re.sub(r"\s+", "", token).casefold() in _TOKENS


def _in_ticks(text: str, found: re.Match[str]) -> bool:
    return text[found.start() - 1 : found.start()] == "`" and text[found.end() : found.end() + 1] == "`"
