"""What a service's error says: about one prompt, about the run, or about something that passes.

A status of 400, 413 or 422 may blame the prompt (too long, against a content policy) or the way of asking (a field that
the model does not know, a reply length that fits into no context, no credit). Words tell the first kind; where they do
not, `api_engine` asks a plain question the same way, and only a service that answers it has refused the prompt.
"""

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from reasrm.apis.secrets import without_keys
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.stage_main import StageError, StoppedResumable

OF_THE_PROMPT = frozenset({400, 413, 422})
PASSES = frozenset({408, 409})
"""Sent again by the SDKs; what they raise then has no class of its own."""
WORDS = 300
"""Characters of a service's message that are read and shown; what follows may be the prompt again."""

_TOO_LONG = re.compile(
    r"context.(length|window|limit|size)|maximum model length|(prompt|input|request) (is )?too (long|large)|"
    r"(input|prompt) (token count|length).{0,40}exceed|exceeds the maximum size|`inputs` tokens",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"request too large|required for long context", re.IGNORECASE)
"""A rate limit that no waiting cures: the account's tier takes no request of this size."""
_POLICY = re.compile(r"content.{0,20}(policy|filter)|usage polic|moderation|prompt was flagged", re.IGNORECASE)
_CREDIT = re.compile(r"credit|quota|billing|balance|payment", re.IGNORECASE)


class TurnedDownError(Exception):
    """The service gave no reply to a request, which may be the prompt's fault."""

    def __init__(self, words: str, status: int) -> None:
        """Read the service's `words`; they are nobody we trust, so they decide the cause and nothing else."""
        too_long = status == 413 or bool(_TOO_LONG.search(words) or _TOO_LARGE.search(words))
        self.words = words
        self.status = status
        self.blames_the_prompt = too_long or bool(_POLICY.search(words))
        """Whether the words do."""
        self.reply = Reply(
            text="", finish=Finish.TOO_LONG if too_long else Finish.REFUSED, prompt_tokens=0, completion_tokens=0
        )
        """What the prompt gets, if it is its fault."""
        super().__init__(words)

    def of_the_run(self, where: str) -> StageError:
        """The stop, if it is not the prompt's fault."""
        said = f"{where}: no reply, status {self.status}: {self.words}"
        if _CREDIT.search(self.words):
            return StoppedResumable(f"{said}; see to the account's credit")
        return StageError(
            f"{said}; a plain question had none either, so it is no single prompt: check model, address, `leave_out` "
            "and whether the longest reply (max_new_tokens) leaves room in the model's context"
        )


def raise_status(where: str, error: Any, keys: Iterable[str]) -> NoReturn:
    """Raise what an SDK's status error means; a server may repeat our `keys` in it.

    Raises:
        TurnedDownError: it may be the prompt's fault.
        StoppedResumable: it passes, or the account is out of credit.
        StageError: no request can succeed: key, permission, model or address.
    """
    status, words = int(error.status_code), without_keys(service_words(error), keys)[:WORDS]
    if status in OF_THE_PROMPT or (status == 429 and _TOO_LARGE.search(words)):
        raise TurnedDownError(words, status) from error
    if status in PASSES or status == 402 or status == 429 or status >= 500:
        raise StoppedResumable(f"{where}: status {status}: {words}") from error
    raise StageError(f"{where}: refused with status {status}: {words}; check key, model and address") from error


def service_words(error: Any) -> str:
    """What the service says, on one line: its error code and message where it names them."""
    body = error.body if isinstance(error.body, dict) else {}
    inner = body["error"] if isinstance(body.get("error"), dict) else body
    named = [str(inner[field]) for field in ("code", "type", "message") if inner.get(field)]
    return " ".join((": ".join(named) or str(error.message)).split())
