"""Making text under judgement harmless: what imitates our delimiters, tags or chat tokens is defused, visibly.

The prompt's structure is made of bracketed delimiter lines, protocol tags and the chat template's own tokens. An answer
that contains one of them could end its own frame, forge a verdict, or open a turn. Here their brackets are replaced by
look-alikes that no parser of ours and no tokenizer takes for the real thing; every other character stays as it is, so
that quotes of ordinary text remain exact. Applying it twice changes nothing more.
"""

import re

PROTOCOL_TAGS = (
    "type", "rubric", "justify", "solution", "eval", "answer", "think",
    "quote_A", "quote_B", "summary_A", "summary_B",
)  # fmt: skip

_TAG = re.compile(rf"<(\s*/?\s*(?:{'|'.join(PROTOCOL_TAGS)})\b[^<>]*)>", re.IGNORECASE)
_CHAT_TOKEN = re.compile(r"<(\|[^<>\n]*\|)>")
_CHAT_TOKEN_FULLWIDTH = re.compile(r"<(｜[^<>\n]*｜)>")  # noqa: RUF001  DeepSeek's own bars
_ROLE_TOKEN = re.compile(r"<(/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn))>")
_DELIMITER = re.compile(
    r"\[(\s*(?:the\s+)?(?:start|end)\s+of\b[^\[\]\n]*|\s*client'?s?\s+question[^\[\]\n]*|/?INST|/?SYS)\]",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"(?:\A|(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]))(\s*(?:client|assistant|system)\s*):", re.IGNORECASE
)


def defuse(text: str) -> str:
    """Return `text` with imitations of tags, chat tokens and delimiter lines made harmless."""
    while (safer := _once(text)) != text:  # a tag inside a tag shows only when the inner one is gone
        text = safer
    return text


def defuse_turn(text: str) -> str:
    """Like `defuse`, and no line of the turn can pass for another speaker's: `Assistant:` gets a look-alike colon."""
    return _SPEAKER.sub("\\1꞉", defuse(text))  # noqa: RUF001


def _once(text: str) -> str:
    if "<" in text:  # most texts hold neither bracket, and looking for one is cheap
        for pattern in (_TAG, _CHAT_TOKEN, _CHAT_TOKEN_FULLWIDTH, _ROLE_TOKEN):
            text = pattern.sub("‹\\1›", text)  # noqa: RUF001
    return _DELIMITER.sub("⟦\\1⟧", text) if "[" in text else text
