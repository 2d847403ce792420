"""Words that a checkpoint's vocabulary lacks: to a prompt of such words a judge replies noise, often confidently.

Two kinds of vocabulary lack words. One is a list of whole words (the miniature's, `miniature.tiny_model`): all its
entries are equally likely, and a word that is no entry is spelled in bytes that no training text held, so that a single
one is noise. The other has an unknown token, which stands for whatever it lacks (WordPiece; SentencePiece without byte
fallback). Its models met that token in training, and an emoji or a rare sign does them no harm; but a text that is
mostly unknown tokens, such as one in a script that the vocabulary does not have, they cannot read. Byte-level BPE, byte
fallback and the like spell every word in pieces that training texts held, and lack nothing.
"""

import json
from itertools import groupby
from typing import Any

from reasrm.inference.engine import Prompt
from reasrm.judging.chat_templates.chat_template import neutral_contents
from reasrm.runtime.stage_main import StageError

MOST_UNKNOWN = 0.5
"""A text with a larger share of unknown tokens than this cannot be read by a model that knows an unknown token."""


class UnknownWordsError(StageError):
    """A prompt holds words that are not in the judge's vocabulary; names them."""

    def __init__(self, message: str, place: int) -> None:
        """`place` says which of the comparisons it is, counted from 0."""
        super().__init__(message)
        self.place = place


class Vocabulary:
    """The vocabulary of a checkpoint's tokenizer, as far as it can lack words."""

    def __init__(self, tokenizer: Any) -> None:
        """Look at `tokenizer`, a checkpoint's own."""
        self._tokenizer = tokenizer
        self._is_word_list = _is_word_list(tokenizer)
        self._fixed_texts = frozenset(tokenizer.added_tokens_decoder)

    def unknown_words(self, prompt: Prompt) -> list[str]:
        """The words for which the vocabulary cannot read a rendered prompt, each once, in their order; mostly none.

        What the reply begins with counts too.
        """
        has_unknown = self._tokenizer.unk_token_id in prompt.token_ids
        if not has_unknown and not self._is_word_list:
            return []
        contents = [*neutral_contents(self._tokenizer, prompt.messages), prompt.begun]
        unknown = self._spelled_words if self._is_word_list else self._unknown_tokens
        return list(dict.fromkeys(word for content in contents for word in unknown(content)))

    def unknown_words_of(self, text: str) -> list[str]:
        """The words for which the vocabulary cannot read a text that a reply begins with, as of a prompt's."""
        unknown = self._spelled_words if self._is_word_list else self._unknown_tokens
        return list(dict.fromkeys(unknown(text))) if text else []

    def _unknown_tokens(self, text: str) -> list[str]:
        """Words with the unknown token in them, if it stands for most of the text."""
        unknown, tokens = self._tokenizer.unk_token_id, self._token_ids(text)
        if tokens.count(unknown) <= MOST_UNKNOWN * len(tokens):
            return []
        return [word for word in text.split() if unknown in self._token_ids(word)]

    def _spelled_words(self, text: str) -> list[str]:
        """Words of several tokens; and single bytes in a passage of nothing else (`2+2`).

        Otherwise one byte alone may be a word that was learnt, such as the full stop behind a word, and so may a
        passage without a letter or digit (the full stop between two fixed texts). Passages lie between the prompt's
        fixed texts, which are tokens of their own. The letter behind a fixed text that opens a verdict (`[[A]]`) was
        learnt, since every reply ends so.
        """
        coded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        tokens = zip(coded["input_ids"], coded.word_ids(), coded["offset_mapping"], strict=True)
        spelled: list[str] = []
        before = ""
        for is_fixed, passage in groupby(tokens, key=lambda one: one[0] in self._fixed_texts):
            words = [[offset for *_, offset in word] for _, word in groupby(passage, key=lambda one: one[1])]
            texts = [text[word[0][0] : word[-1][1]] for word in words]
            says_something = any(character.isalnum() for one in texts for character in one)
            is_verdict = texts in (["A"], ["B"]) and before.endswith("[[")
            only_bytes = not is_fixed and not is_verdict and says_something and max(map(len, texts)) == 1
            before = texts[-1] if is_fixed else ""
            spelled += [
                one.strip() or one
                for one, word in zip(texts, words, strict=True)
                if len(word) > 1 or (only_bytes and one.strip())
            ]
        return spelled

    def _token_ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _is_word_list(tokenizer: Any) -> bool:
    """Whether all entries are equally likely, so that they are no pieces that were chosen by frequency."""
    from tokenizers.models import Unigram

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not isinstance(backend.model, Unigram):
        return False
    model = json.loads(backend.to_str())["model"]
    return model["unk_id"] is None and len({score for _, score in model["vocab"]}) == 1
