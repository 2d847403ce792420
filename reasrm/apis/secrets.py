"""Keeping keys out of whatever is written down: servers and gateways may repeat them in their error messages."""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[key]"
SHORTEST_KEY = 6
"""Characters; whatever is shorter opens nothing and is part of ordinary words."""
KEY_LIKE = re.compile(r"\bsk-[\w-]{8,}|(?<=\bbearer )[^\s'\",;]{6,}", re.IGNORECASE)
"""Keys of both vendors, also such as are not ours: a gateway may echo its own, and profiles renew their tokens."""

KEYS_OF_AN_SDK = ("api_key", "auth_token", "admin_api_key", "webhook_key", "webhook_secret")
"""Attributes of either vendor's SDK client that may hold a secret."""


def without_keys(message: str, keys: Iterable[str]) -> str:
    """Return `message` with `[key]` in place of each of `keys` and of all that looks like a vendor's key."""
    for key in keys:
        if len(key) >= SHORTEST_KEY:
            message = message.replace(key, HIDDEN)
    return KEY_LIKE.sub(HIDDEN, message)


def keys_of(sdk: Any) -> list[str]:
    """What a client of either vendor's SDK holds that nobody may read; ask anew, since some credentials are renewed."""
    found = [getattr(sdk, name, None) for name in KEYS_OF_AN_SDK]
    return [key for key in (*found, sdk.base_url.password) if isinstance(key, str)]
