"""Words that a checkpoint's vocabulary lacks: to a prompt with such words a judge replies noise, often confidently.

Two kinds of vocabulary lack words. One has an unknown token, which stands for whatever it lacks. The other is a list of
whole words without one (the miniature's, `miniature.tiny_model`): all its entries are equally likely, and a word that
is no entry is spelled in bytes that no training text held. Byte-level BPE and the like spell every word in pieces that
training texts held, and lack nothing.
"""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from reasrm.inference.engine import Prompt
from reasrm.judging.chat_template import neutral_messages
from reasrm.runtime.stage_main import StageError


class UnknownWordsError(StageError):
    """A prompt holds words that are not in the judge's vocabulary; names them."""


class Vocabulary:
    """The vocabulary of a checkpoint's tokenizer, as far as it can lack words."""

    def __init__(self, tokenizer: Any) -> None:
        """Look at `tokenizer`, a checkpoint's own."""
        self._tokenizer = tokenizer
        self._is_word_list = _is_word_list(tokenizer)

    def unknown_words(self, prompt: Prompt) -> list[str]:
        """The words of a rendered prompt that the vocabulary lacks, each once, in their order; mostly none."""
        has_unknown = self._tokenizer.unk_token_id in prompt.token_ids
        if not has_unknown and not self._is_word_list:
            return []
        contents = [message["content"] for message in neutral_messages(self._tokenizer, prompt.messages)]
        unknown = self._spelled_words if self._is_word_list else self._unknown_tokens
        return list(dict.fromkeys(word for content in contents for word in unknown(content)))

    def _unknown_tokens(self, text: str) -> list[str]:
        unknown = self._tokenizer.unk_token_id
        return [word for word in text.split() if unknown in self._token_ids(word)]

    def _spelled_words(self, text: str) -> list[str]:
        """Words of several tokens; one byte alone may be a word that was learnt."""
        coded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        spelled: list[str] = []
        for _, tokens in groupby(zip(coded.word_ids(), coded["offset_mapping"], strict=True), key=lambda one: one[0]):
            offsets = [offset for _, offset in tokens]
            if len(offsets) > 1:
                spelled.append(text[offsets[0][0] : offsets[-1][1]].strip())
        return spelled

    def _token_ids(self, text: str) -> Sequence[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _is_word_list(tokenizer: Any) -> bool:
    """Whether all entries are equally likely, so that they are no pieces that were chosen by frequency."""
    from tokenizers.models import Unigram

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not isinstance(backend.model, Unigram):
        return False
    model = json.loads(backend.to_str())["model"]
    return model["unk_id"] is None and len({score for _, score in model["vocab"]}) == 1
