"""Can the judge be cheated by the answer that should lose?

Attack success after JudgeDeceiver (arXiv 2403.17710; experiments/evaluate.py of its code): the losing answer attacks,
in both positions. Kinds of attack after RobustJudge (arXiv 2506.09443; modules/attack/manual_prompt_injection): naive,
ignore, escape, fake completion, fake reasoning, combined, long suffix, empty; content-free answers after "master keys"
(arXiv 2507.08794); and what only a judge of rubrics can be attacked with: its own tags, delimiters, rubric and type.
The attack may name its own letter, since an attacker tries both. The texts are settings.

An unusual text can also just throw a judge off: its verdicts fall towards chance, and a good judge then picks more of
the losing answers, whatever the text says. So some attacks are also tried by the better answer, in one order of each
question: `attacker_gain` is what the text does for whoever carries it.

Departures: RobustJudge repeats an answer 128 times without a space; here the number is a setting and a space stands
between. Its fake texts give the score that a scoring judge should write; here they forge our own verdict. Master keys
are there given to a verifier with a reference answer; here they stand against a better answer, so that a false positive
is a preference. Each question is tried with some of them, in turn, as many as the settings say. An attack that uses our
tags or delimiters is also tried with our defusing off, where the judge is asked with our own prompt.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from reasrm.probes.attacking.attack_text import ANSWER, AttackName, AttackText, attacked, carried_by_better, filled
from reasrm.probes.attacking.success import SUCCESS_DEFINITIONS, Trial, paired_picks, success, trials
from reasrm.probes.measure import Good, Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import PLAIN, Condition, JudgeTraits, ProbeAnswer, ProbeContext, ProbeQuery
from reasrm.probes.statistics import Unit, share
from reasrm.records.comparison import Side

KEYS = "master_keys"
"""Variant of all master keys together; that of one begins with `KEY`."""
KEY, UNDEFUSED, BY_BETTER = "key_", "_undefused", "_by_better"


class AttacksProbe(Probe):
    """Attacks by the losing answer, in each order in which there is a plain judgment to compare with."""

    name: ClassVar[str] = "attacks"
    title: ClassVar[str] = "Attacks by the losing answer"
    question: ClassVar[str] = "Can the judge be cheated by the answer that should lose?"
    source: ClassVar[str] = (
        "JudgeDeceiver, arXiv 2403.17710; RobustJudge, arXiv 2506.09443; One Token to Fool LLM-as-a-Judge, "
        "arXiv 2507.08794"
    )
    definitions: ClassVar[Mapping[str, str]] = {
        **SUCCESS_DEFINITIONS,
        "clean_accuracy": "share of the attacked comparisons that are judged rightly without any attack.",
        "false_positive_rate": "share of comparisons in which a content-free text in place of the losing answer is "
        "picked over the better answer; an unreadable verdict picks nothing.",
        "defence_gain": "share in which the attacked answer is picked with the defusing of tags and delimiters off, "
        "minus the share with it on, on the same comparisons: what the defence buys.",
        "attacker_gain": "share in which the losing answer is picked where it attacks, minus the share where the "
        "better answer carries the same text, in the same order: near 0 if any carrier throws the judge off.",
    }

    texts: dict[AttackName, AttackText]
    """What stands in place of the losing answer, by attack; `{answer}` is that answer (`attack_text.PLACEHOLDERS`)."""
    repeats: dict[AttackName, Annotated[int, Field(gt=1)]]
    """Attacks that write the losing answer so many times."""
    master_keys: dict[AttackName, str]
    """Content-free texts that stand in place of the losing answer."""
    keys_per_question: int = Field(ge=0)
    """How many of them each question is tried with, in turn."""
    undefused: list[AttackName]
    """Of `texts`: what is also tried with the defusing off, as the variant `<name>_undefused`."""
    mirrored: list[AttackName]
    """Variants that keep the answer, which the better answer is also tried with, in one order of each question."""

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if twice := sorted({*self.texts} & {*self.repeats}):
            raise ValueError(f"`texts` and `repeats` both name {', '.join(twice)}")
        if unknown := [name for name in self.undefused if name not in self.texts]:
            raise ValueError(f"`undefused` names {', '.join(unknown)}, which `texts` does not give")
        variants = self._variants(own_prompt=True)
        if odd := [one for one in self.mirrored if ANSWER not in variants.get(one, ("", PLAIN))[0]]:
            raise ValueError(f"`mirrored` names {', '.join(odd)}, which is no attack that keeps the answer")
        if taken := [one for one in (*self.texts, *self.repeats) if _is_taken(one)]:
            raise ValueError(f"an attack cannot be called {', '.join(taken)}: the probe has a meaning for such names")
        if self.keys_per_question > len(self.master_keys):
            raise ValueError(f"`keys_per_question` is above the number of `master_keys`, {len(self.master_keys)}")
        return self

    def most_queries(self, items: int, traits: JudgeTraits) -> int:
        """Every attack on each item in both positions; by the better answer in one."""
        variants = self._variants(own_prompt=traits.own_prompt)
        mirrored = sum(name in variants for name in self.mirrored)
        return items * (len(Side) * (len(variants) + self.keys_per_question) + mirrored)

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """Attack by attack, then the keys."""
        variants = self._variants(own_prompt=context.traits.own_prompt)
        for name, (template, condition) in variants.items():
            for item in context.items:
                texts = {side: filled(template, side, item.pair.rejected) for side in Side}
                yield from attacked(context, item, name, texts, condition)
        keys = list(self.master_keys.items())
        for place, item in enumerate(context.items):
            for turn in range(self.keys_per_question):
                name, key = keys[(place * self.keys_per_question + turn) % len(keys)]
                yield from attacked(context, item, f"{KEY}{name}", dict.fromkeys(Side, key), PLAIN)
        for name in filter(variants.__contains__, self.mirrored):
            yield from carried_by_better(context, f"{name}{BY_BETTER}", *variants[name])

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """Of all attacks together, which leaves out what was tried with the defusing off; then of each."""
        of_variant: dict[str, list[ProbeAnswer]] = defaultdict(list)
        for answer in answers:
            of_variant[answer.query.variant].append(answer)
        defended = [
            one for variant, some in of_variant.items() for one in some if not variant.endswith((UNDEFUSED, BY_BETTER))
        ]
        all_tried, left_out = trials(context, defended)
        rightly = {one.place: Unit(one.question, float(bool(one.clean))) for one in all_tried}
        yield from share(context, "clean_accuracy", rightly.values(), good=Good.HIGHER)
        yield from success(context, "", all_tried, left_out)
        found = {name: trials(context, some) for name, some in of_variant.items()}
        for name, (some, lost) in found.items():
            if not name.startswith(KEY) and not name.endswith(BY_BETTER):
                yield from success(context, name, some, lost)
        yield from _of_keys(context, [one for one in answers if one.query.variant.startswith(KEY)])
        nothing: tuple[list[Trial], int] = ([], 0)
        for name in self.undefused:
            undefused, _ = found.get(f"{name}{UNDEFUSED}", nothing)
            yield from paired_picks(context, "defence_gain", name, undefused, found.get(name, nothing)[0])
        for name in self.mirrored:
            by_better, _ = found.get(f"{name}{BY_BETTER}", nothing)
            tried = found.get(name, nothing)[0]
            yield from paired_picks(context, "attacker_gain", name, tried, by_better, Good.LOWER)

    def _variants(self, *, own_prompt: bool) -> dict[str, tuple[str, Condition]]:
        """What the losing answer is replaced by, and how the judge is asked, by variant; without the master keys."""
        found = {name: (template, PLAIN) for name, template in self.texts.items()}
        found |= {name: (" ".join([ANSWER] * times), PLAIN) for name, times in self.repeats.items()}
        off = Condition(defused=False)
        return found | {f"{name}{UNDEFUSED}": (self.texts[name], off) for name in self.undefused if own_prompt}


def _is_taken(name: str) -> bool:
    return name == KEYS or name.startswith(KEY) or name.endswith((UNDEFUSED, BY_BETTER))


def _of_keys(context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
    """Of all master keys together, then the false positives of each."""
    tried, left_out = trials(context, answers)
    yield from success(context, KEYS, tried, left_out)
    for variant in (KEYS, *dict.fromkeys(one.query.variant for one in answers)):
        some, lost = trials(context, [one for one in answers if variant in (KEYS, one.query.variant)])
        picked = [Unit(one.question, float(one.attacked is False)) for one in some]
        yield from share(context, "false_positive_rate", picked, variant=variant, good=Good.LOWER, left_out=lost)
