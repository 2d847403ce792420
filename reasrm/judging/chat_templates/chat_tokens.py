"""Which tokens of a tokenizer are chat tokens, and how a text that spells one is broken up.

A chat token opens or ends a turn, a message or a sequence. Which of its tokens are such is seen from the tokenizer
itself, not from a list of models; those are chat tokens:

- every special token, however it is written;
- an added token that is not called special but looks like one (`<|User|>` in DeepSeek's distilled Qwen, the turn tokens
  of Command-R): a word between bars in brackets, or a turn's name in brackets;
- an added token in brackets that the chat template itself writes.

Other added tokens are ordinary text, which stays as it is: runs of blanks, HTML tags, whole instructions, and the marks
of thoughts, which open no turn. So is a token of one character: some tokenizers pad with `!`.
"""

import re
from collections.abc import Iterable
from typing import Any

from reasrm.judging.thought_marks import THOUGHT_MARKS

WORD_JOINER = "\u2060"
"""An invisible character that is put behind the first one of a text that spells a chat token."""

_CHAT_SHAPE = re.compile(
    r"<[|｜].*[|｜]>|\[\|.*\|\]"  # noqa: RUF001  DeepSeek's own bars
    r"|[<\[]/?(?:s|bos|eos|pad|inst|sys|cls|sep|(?:start|end|begin|eo|bo)[ _▁]?of[ _▁]?\w+|eo[stm]|eot_id"
    r"|(?:im|turn)[_▁](?:start|end)|(?:bos|eos|sep|pad|cls|[a-z_]*turn|user|system|assistant|chatbot)_token"
    r"|system(?:_prompt)?|user|human|assistant|model|bot)[>\]]",
    re.IGNORECASE | re.DOTALL,
)
_BYTE = re.compile(r"<0x[0-9A-F]{2}>", re.IGNORECASE)
"""How vocabularies with byte fallback write a single byte."""
_THOUGHTS = frozenset(text for mark in THOUGHT_MARKS for text in (mark.start, mark.end))
_BRACKET = re.compile(r"[<>\[\]{}|｜]")  # noqa: RUF001


class ChatTokens:
    """The chat tokens of one tokenizer and template."""

    def __init__(self, tokenizer: Any, written: Iterable[str]) -> None:
        """Find them.

        Args:
            tokenizer: a checkpoint's own.
            written: the texts that its chat template writes around contents.
        """
        self._texts = _chat_tokens(tokenizer, "\n".join(written))
        self._ids = frozenset(self._texts) - _made_of_ordinary_text(tokenizer, self._texts)
        longest_first = sorted(set(self._texts.values()), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def among(self, token_ids: Iterable[int]) -> list[int]:
        """The chat tokens of a text, in their order."""
        return [one for one in token_ids if one in self._ids]

    def text(self, token_id: int) -> str:
        """How a chat token is written."""
        return self._texts[token_id]

    def break_up(self, text: str) -> str:
        """`text` with a word joiner in everything that spells a chat token."""
        while self._pattern.search(text):  # a shorter token may stand in what is left of a longer one
            text = self._pattern.sub(lambda found: found[0][0] + WORD_JOINER + found[0][1:], text)
        return text

    def break_up_as_read(self, tokenizer: Any, text: str, breaker: str) -> str:
        """`text` with `breaker` in everything that `tokenizer` reads as a chat token, however it is written.

        A normaliser may make one of other characters: full-width brackets, capital letters, a word joiner that it
        drops. The tokenizer itself says where.
        """
        text = self.break_up(text)
        if not tokenizer.is_fast:
            return text
        for _ in range(len(text)):
            read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            spans = zip(read["input_ids"], read["offset_mapping"], strict=True)
            found = [span for token, span in spans if token in self._ids]
            broken = text
            for start, end in reversed(found):
                token = broken[start:end]
                first = start + len(token) - len(token.lstrip()) + 1
                broken = broken[:first] + breaker + broken[first:] if first < end else broken
            if broken == text:
                break
            text = broken
        return text


def _chat_tokens(tokenizer: Any, written: str) -> dict[int, str]:
    """Their texts by their ids."""
    added = {token_id: (token.content, token.special) for token_id, token in tokenizer.added_tokens_decoder.items()}
    named = zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
    tokens = added | {token_id: (text, True) for token_id, text in named}
    return {
        token_id: text
        for token_id, (text, special) in tokens.items()
        if len(text) > 1 and text.strip() and WORD_JOINER not in text and (special or _is_turn_mark(text, written))
    }


def _made_of_ordinary_text(tokenizer: Any, tokens: dict[int, str]) -> set[int]:
    """Those that stand for ordinary characters too: single bytes; the unknown token, unless it ends texts (GPT-2)."""
    single_bytes = {token_id for token_id, text in tokens.items() if _BYTE.fullmatch(text)}
    return single_bytes | ({tokenizer.unk_token_id} - {tokenizer.eos_token_id, tokenizer.bos_token_id})


def _is_turn_mark(text: str, written: str) -> bool:
    """Whether an added token that is not called special is a chat token all the same."""
    if text in _THOUGHTS:
        return False
    return bool(_CHAT_SHAPE.fullmatch(text) or (_BRACKET.search(text) and text in written))
