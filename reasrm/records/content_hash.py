"""Canonical JSON and the hashes of it: every id of the project is a hash of content, never a row number."""

import hashlib
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """One byte string per value: keys sorted, no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def unit_interval(*parts: str | int) -> float:
    """A number in [0, 1) that depends on `parts` alone: seeded choices that survive reordering of rows."""
    return int(content_hash(list(parts))[:13], 16) / 16**13
