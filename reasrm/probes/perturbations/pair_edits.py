"""Edits of a pair: of its answers, or of all its texts together; where nothing changes, the pair has the same id."""

from collections.abc import Callable, Sequence, Set

from reasrm.probes.perturbations.answer_style import StyleTexts, has_code
from reasrm.probes.perturbations.wording import renamed, renaming, reordered
from reasrm.records.pair import Message, PreferencePair


def edited(
    pair: PreferencePair,
    *,
    prompt: tuple[Message, ...] | None = None,
    chosen: str | None = None,
    rejected: str | None = None,
) -> PreferencePair:
    """The pair with other texts, of the same id if they are its own; `chosen` names the place, not the merit."""
    return PreferencePair(
        prompt=pair.prompt if prompt is None else prompt,
        chosen=pair.chosen if chosen is None else chosen,
        rejected=pair.rejected if rejected is None else rejected,
        source=pair.source,
    )


def each_answer(pair: PreferencePair, edit: Callable[[str], str]) -> PreferencePair:
    """The pair with the same edit of both answers."""
    return edited(pair, chosen=edit(pair.chosen), rejected=edit(pair.rejected))


def contents_exchanged(pair: PreferencePair, style: StyleTexts) -> PreferencePair:
    """The contents of the answers exchanged, while each place keeps its style: the label turns and no style moves.

    The pair itself where both have the same style, since that were the swapped order, or one holds code.
    """
    (better, its_style), (worse, other_style) = map(style.undressed, (pair.chosen, pair.rejected))
    if its_style == other_style or has_code(pair.chosen) or has_code(pair.rejected):
        return pair
    return edited(pair, chosen=style.dressed(worse, its_style), rejected=style.dressed(better, other_style))


def reordered_within(answer: str, style: StyleTexts, connectives: Set[str], *key: str | int) -> str:
    """The answer with the sentences of its content in another order, in the same style."""
    content, _ = style.undressed(answer)
    return answer.replace(content, reordered(content, connectives, *key), 1) if content else answer


def renamed_throughout(pair: PreferencePair, groups: Sequence[Sequence[str]], *key: str | int) -> PreferencePair:
    """The pair with its names replaced in the same way in the whole conversation and in both answers."""
    texts = [*(turn.content for turn in pair.prompt), pair.chosen, pair.rejected]
    changes = renaming(texts, groups, *key)
    *turns, chosen, rejected = (renamed(text, changes) for text in texts)
    prompt = tuple(turn.model_copy(update={"content": text}) for turn, text in zip(pair.prompt, turns, strict=True))
    return edited(pair, prompt=prompt, chosen=chosen, rejected=rejected)
