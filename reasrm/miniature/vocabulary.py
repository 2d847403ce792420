"""The world's vocabulary: every sentence and phrase that it repeats is one entry, so that English costs few tokens."""

from collections.abc import Iterable

from reasrm.miniature import chat_families as chat
from reasrm.miniature.pretraining_documents import PretrainingDocument
from reasrm.miniature.reasoning_families import reasoning_phrases
from reasrm.miniature.styles import DETAILED_END, DETAILED_START, MARKDOWN_START
from reasrm.miniature.traces import trace_phrases


def world_phrases() -> tuple[str, ...]:
    """The phrases of the world that are one entry each, in the order of their ids."""
    styles = (f"{DETAILED_START} ", DETAILED_END, MARKDOWN_START)
    return tuple(dict.fromkeys((*styles, *reasoning_phrases(), *chat.chat_phrases(), *trace_phrases())))


def vocabulary_texts(documents: Iterable[PretrainingDocument]) -> list[str]:
    """The texts that the world's tokenizer is trained on: all words of the world, and the documents."""
    words = (*chat.TOPICS, *chat.THINGS, *chat.HARMFUL, *chat.HARMLESS, *chat.KINDS)
    plain = [" ".join(("a", *words))] * 2
    return [*plain, *(text for d in documents for text in (*(turn.content for turn in d.prompt[-1:]), d.completion))]
