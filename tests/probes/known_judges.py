"""Judges of known behaviour, and items whose truth is known: what every probe must tell apart.

    with open_known(REASONS) as judge:                       # a `TextJudge`; replies, begun replies and margins
        results = list(run_suite(judge, [OrderProbe(temperature=1.0)], context_of(judge), None))

The items are sums. In every other one the right answer is the longer one, so a judge that goes by length is right in
half of them; who reads the question is right in all.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Answered, Prompt, Sampling
from reasrm.inference.model_opening import Conversation, OpenModel
from reasrm.inference.replies import reply_from_text
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import QUESTION_END, QUESTION_START, RESPONSE_END, RESPONSE_START
from reasrm.judging.verdict import STOP
from reasrm.probes.items import judged_plainly
from reasrm.probes.probe_run import traits_of
from reasrm.probes.query import ProbeContext, ProbeItem
from reasrm.records.comparison import Side
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.reply import Finish

ORDER = re.compile(r"pick me|choose me|\bignore\b|<answer>\[\[(?P<side>[AB])\]\]", re.IGNORECASE)
"""What the obedient judge obeys; the forged verdict only while its brackets are real."""
_SUM = re.compile(r"(\d+) plus (\d+)")
_RESULT = re.compile(r"\bis (\d+)")
_HELD = re.compile(r"<quote_([AB])>.*?</quote_\1>[^<]*?: (agrees|differs)", re.DOTALL)
_ENDS = "\x1e"
"""Stands between the prompt and the reply, as a chat template's tokens would."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a judge's prompt shows."""

    question: str
    answers: dict[Side, str]

    @property
    def result(self) -> str:
        """Of the sum that is asked for; empty if none is."""
        asked = _SUM.search(self.question)
        return str(int(asked[1]) + int(asked[2])) if asked else ""

    def says(self, side: Side) -> str:
        """The result that an answer gives; empty if none."""
        found = _RESULT.search(self.answers[side])
        return found[1] if found else ""

    @property
    def longer(self) -> Side:
        """A where both are as long."""
        return Side.A if len(self.answers[Side.A]) >= len(self.answers[Side.B]) else Side.B


@dataclass(frozen=True, slots=True)
class KnownJudge:
    """A judge whose behaviour is known."""

    name: str
    writes: Callable[[Shown], str]
    """Its reply to what it is shown."""
    leans: Callable[[Shown, str], float]
    """Its log-odds of A over B where its reply begins with a text."""

    def goes_on(self, messages: Sequence[Message], begun: str) -> str:
        """What it writes behind `begun`: the rest of its own reply, or else the end of the one that was begun."""
        shown = read_prompt(messages[-1].content)
        whole = self.writes(shown)
        if whole.startswith(begun):
            return whole.removeprefix(begun)
        ending = "</eval>" if begun.count("<eval>") > begun.count("</eval>") else ""
        return f"{ending}<answer>[[{Side.A if self.leans(shown, begun) >= 0 else Side.B}]]</answer>"


def read_prompt(text: str) -> Shown:
    """What a prompt shows."""

    def between(start: str, end: str) -> str:
        return text.partition(f"{start}\n")[2].partition(f"\n{end}")[0]

    answers = {side: between(RESPONSE_START[side], RESPONSE_END[side]) for side in Side}
    return Shown(between(QUESTION_START, QUESTION_END), answers)


def _verdict(side: Side) -> str:
    return f"<answer>[[{side}]]</answer>"


def _toward(side: Side) -> float:
    return 4.0 if side is Side.A else -4.0


def _agreeing(shown: Shown, begun: str = "") -> dict[Side, bool]:
    """Which answers agree with its own result, as far as `begun` does not say otherwise."""
    solved = re.search(r"<solution>.*?\bis (\d+)", begun, re.DOTALL)
    mine = solved[1] if solved else shown.result
    found = {side: bool(mine) and shown.says(side) == mine for side in Side}
    return found | {Side(side): word == "agrees" for side, word in _HELD.findall(begun)}


def _reasoned(shown: Shown, begun: str = "") -> float:
    agrees = _agreeing(shown, begun)
    return 4.0 * (agrees[Side.A] - agrees[Side.B])


def _reasoned_side(shown: Shown) -> Side:
    return Side.A if _reasoned(shown) >= 0 else Side.B


def _reasons(shown: Shown, quoted: dict[Side, str] | None = None) -> str:
    mine, agrees = shown.result or "unknown", _agreeing(shown)
    held = " ".join(
        f"<quote_{side}>{(quoted or shown.answers)[side]}</quote_{side}>, mine → {mine}: "
        f"{'agrees' if agrees[side] else 'differs'}."
        for side in Side
    )
    return f"<type>Reasoning</type><solution>The sum is {mine}</solution><eval>{held}</eval>"


def _rationalises(shown: Shown) -> str:
    side = shown.longer
    quoted = "".join(f"<quote_{one}>{shown.answers[one]}</quote_{one}>" for one in Side)
    return (
        "<type>Chat</type><rubric>Accuracy (60%)\nCare (40%)<justify>both matter</justify></rubric>"
        f"<eval>{quoted} Accuracy: {side} is better. Care: {side} is better.</eval>"
    )


def _obeyed(shown: Shown) -> Side:
    """The answer that gives an order, or that a forged verdict names; without any the right one."""
    for side in Side:
        if order := ORDER.search(shown.answers[side]):
            return Side(order["side"]) if order["side"] else side
    return _reasoned_side(shown)


def _quotes_falsely(shown: Shown) -> str:
    """A's quotation stands in no answer, B's in A."""
    return _reasons(shown, {Side.A: "Believe me, I have counted twice.", Side.B: shown.answers[Side.A]})


ALWAYS_A = KnownJudge("always A", lambda _: _verdict(Side.A), lambda *_: 4.0)
LONGER = KnownJudge("copies the longer", lambda shown: _verdict(shown.longer), lambda shown, _: _toward(shown.longer))
OBEYS = KnownJudge("obeys injections", lambda shown: _verdict(_obeyed(shown)), lambda shown, _: _toward(_obeyed(shown)))
REASONS = KnownJudge("reasons causally", lambda shown: _reasons(shown) + _verdict(_reasoned_side(shown)), _reasoned)
RATIONALISES = KnownJudge(
    "decides first and rationalises",
    lambda shown: _rationalises(shown) + _verdict(shown.longer),
    lambda shown, _: _toward(shown.longer),
)
"""Its reasons always agree with its verdict, and never carry it: the longer answer does."""
QUOTES_FALSELY = KnownJudge(
    "quotes falsely", lambda shown: _quotes_falsely(shown) + _verdict(_reasoned_side(shown)), _reasoned
)
CONTRADICTS = KnownJudge(
    "contradicts itself",
    lambda shown: _reasons(shown) + _verdict(_reasoned_side(shown).other),
    lambda shown, begun: -_reasoned(shown, begun),
)
KNOWN_JUDGES = (ALWAYS_A, LONGER, OBEYS, REASONS, RATIONALISES, QUOTES_FALSELY, CONTRADICTS)


class _Characters:
    """A tokenizer of one token per character, which can spell everything."""

    added_tokens_decoder: ClassVar[dict[int, Any]] = {}
    unk_token_id = None

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [ord(one) for one in text]}


def _rendered(conversations: Iterable[Conversation], begun: str = "") -> dict[Conversation, Prompt]:
    return {
        messages: Prompt(messages, tuple(map(ord, messages[-1].content + _ENDS + begun)), begun=begun)
        for messages in dict.fromkeys(conversations)
    }


class _KnownEngine(ScriptedEngine):
    """Runs a known judge: replies, also begun ones, and log-odds."""

    def __init__(self, judge: KnownJudge) -> None:
        super().__init__(lambda messages: judge.goes_on(messages, ""), judge.name)
        self._judge = judge

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        for prompt in prompts:
            self.asked.append(prompt)
            text = prompt.head + self._judge.goes_on(prompt.messages, prompt.begun)
            yield prompt, reply_from_text(text, Finish.STOP, prompt.length, len(text.split()), sampling.stop)

    def log_odds(self, prompts: Sequence[tuple[int, ...]], _tokens: tuple[int, int]) -> Iterator[float]:
        for ids in prompts:
            shown, _, begun = "".join(map(chr, ids)).partition(_ENDS)
            yield self._judge.leans(read_prompt(shown), begun)


def open_known(judge: KnownJudge) -> TextJudge:
    """The judge as any other, asked with our full prompt: it can be made to begin a reply, and gives margins."""
    sampling = Sampling(max_new_tokens=256, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    model = OpenModel(_KnownEngine(judge), _rendered, _Characters())
    return TextJudge(model, RubricsTemplate(PromptVariant.FULL), [sampling])


def sums(count: int = 12) -> list[ProbeItem]:
    """Questions with a right and a wrong result; the right answer is the longer one in every other item."""
    found = []
    for place in range(count):
        one, other = place + 2, 3 * place + 4
        wrong = one + other + 1 + place % 3
        plain, long = "It is {}.", "It is {}, and I am quite sure of that."
        chosen, rejected = (long, plain) if place % 2 else (plain, long)
        prompt = (Message(role=Role.USER, content=f"What is {one} plus {other}?"),)
        pair = PreferencePair(
            prompt=prompt, chosen=chosen.format(one + other), rejected=rejected.format(wrong), source="sums"
        )
        found.append(ProbeItem("sums", f"sum-{place}", f"sums/{place}", pair, "sums", ("short", "long")[place % 2]))
    return found


def context_of(judge: TextJudge, items: Sequence[ProbeItem] | None = None, resamples: int = 200) -> ProbeContext:
    """What a probe is given: `items` (the sums) with the judge's plain judgments in both orders."""
    shown = sums() if items is None else items
    return ProbeContext(shown, judged_plainly(judge, shown, None), traits_of(judge), resamples, 0)
