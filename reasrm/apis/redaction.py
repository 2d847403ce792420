"""Secrets are kept out of whatever is written down: whole, in parts, masked, and in the usual encodings.

A server or gateway may repeat what was sent to it: in an error, in a header, in a reply. Two rules:

- In a message (an error, the address of a redirect) no stretch of a secret of `LONGEST_PART` characters is left, in
  whatever of `encodings` it stands; nor are the ends of one that a server has masked (`sk-te***cdef`), nor what looks
  like a vendor's key or an organization's id, ours or not.
- In a reply (its text, its model's name, its request's id) only whole secrets are replaced, and none that is a short
  word (`ollama`): a reply is evidence, and quotes keys that are not ours as the text before it did.
"""

import base64
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "[key]"
SHORTEST_KEY = 6
"""Characters; whatever is shorter opens nothing and is part of ordinary words."""
LONGEST_PART = 8
"""Characters of a secret in a row that give it away."""
WORD = re.compile(r"[A-Za-z]{1,11}")
"""What stands in for a key where a server asks for none (`ollama`, `dummy`): no secret in the text of a reply."""
MESSAGE_CHARACTERS = 4000
"""Of a message that are looked at; the rest is cut."""
KEY_LIKE = re.compile(
    r"\bsk-[\w*.…•-]{8,}|(?<=\bbearer )[^\s'\",;]{6,}|(?<=\bbasic )[A-Za-z0-9+/=_-]{8,}|\borg-\w{12,}|\bproj_\w{12,}",
    re.IGNORECASE,
)
"""Keys of both vendors, also such as are not ours: a gateway may echo its own, and profiles renew their tokens."""
MASKED = re.compile(r"([\w-]*)(?:[*•]{3,}|\.{3,}|…|x{5,})([\w-]*)")
"""The ends of a secret around what a server has put in place of its middle."""


@dataclass(frozen=True, slots=True)
class KnownForms:
    """What is looked for of some secrets."""

    secrets: tuple[str, ...]
    whole: re.Pattern[str]
    """Any of them in any of its encodings."""
    parts: frozenset[str]
    """Each stretch of `LONGEST_PART` characters of these, in lower case."""


def without_keys(message: str, keys: Iterable[str]) -> str:
    """Return `message` with `[key]` in place of each of `keys`, of any part of one, and of what looks like a key."""
    message = message[:MESSAGE_CHARACTERS]
    secrets = tuple(key for key in keys if len(key) >= SHORTEST_KEY)
    if secrets:
        known = _known_forms(secrets)
        message = known.whole.sub(HIDDEN, message)
        message = MASKED.sub(lambda found: _unmasked(found, known.secrets), message)
        message = _without_parts(message, known.parts)
    return KEY_LIKE.sub(HIDDEN, message)


def text_without_keys(text: str, keys: Iterable[str]) -> str:
    """Return a reply's `text` with `[key]` in place of each of `keys` that is more than a word."""
    for key in keys:
        if len(key) >= SHORTEST_KEY and not WORD.fullmatch(key):
            for form in encodings(key):
                text = text.replace(form, HIDDEN)
    return text


@lru_cache(16)
def _known_forms(secrets: tuple[str, ...]) -> KnownForms:
    forms = sorted({form for secret in secrets for form in encodings(secret)}, key=len, reverse=True)
    lower = [form.lower() for form in forms]
    parts = {form[at : at + LONGEST_PART] for form in lower for at in range(len(form) - LONGEST_PART + 1)}
    return KnownForms(secrets, re.compile("|".join(map(re.escape, forms)), re.IGNORECASE), frozenset(parts))


@lru_cache(64)
def encodings(secret: str) -> tuple[str, ...]:
    """The forms in which `secret` may stand in a message, the longest first: as it is, escaped, in base64, in hex."""
    data = secret.encode("utf-8", "replace")
    quoted = quote(secret, safe="", errors="replace")
    forms = {secret, quoted, quote_plus(secret, errors="replace"), quote(quoted, safe=""), html.escape(secret)}
    forms |= {json.dumps(secret)[1:-1], secret.replace("/", "\\/"), repr(secret)[1:-1], data.hex()}
    forms |= {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    for before in range(3):
        forms |= {_inside(data, before), _inside(data, before).translate(str.maketrans("+/", "-_"))}
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST_KEY), key=len, reverse=True))


def _inside(data: bytes, before: int) -> str:
    """What `data` gives in base64 behind `before` other bytes, without the ends that depend on its neighbours."""
    written = base64.b64encode(bytes(before) + data).decode()
    return written[-(-8 * before // 6) : 8 * (before + len(data)) // 6]


def _without_parts(message: str, parts: frozenset[str]) -> str:
    """Replace each stretch of `message` that is made of `parts`."""
    pieces, end = [], 0
    for start in range(len(message) - LONGEST_PART + 1):
        stop = start + LONGEST_PART
        if message[start:stop].lower() in parts:
            if start >= end:
                pieces += [message[end:start], HIDDEN]
            end = stop
    return "".join([*pieces, message[end:]])


def _unmasked(found: re.Match[str], secrets: Iterable[str]) -> str:
    head, tail = found.groups()
    shown = any(
        (len(head) > 1 and secret.startswith(head)) or (len(tail) > 1 and secret.endswith(tail)) for secret in secrets
    )
    return HIDDEN if shown else found.group()
