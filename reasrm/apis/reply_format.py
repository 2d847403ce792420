"""The one reader of replies: what all protocols' replies have in common, and what cannot be read of a paid one.

Oracle and judges read through it, so that the same reply is the same to both. Each protocol adds two functions of its
own: one reads the usage, one the content. The rules, whatever the shape:

- What says that it is an error is one (`ApiError.in_reply`), also under status 200.
- What names its usage was billed and is a reply, be it readable or not. Without a usage it is a reply to a judge if its
  content can be read, and broken to the oracle, whose ledger and budget need the figures.
- A text is whole unless the reply's end says that it was cut, refused or failed: an end that is missing, null or
  unknown to us leaves a text as it is (servers have words of their own), and makes a reply without text worthless.
- Text comes as a string or in parts; only parts of text count, thoughts and tools' calls are left out. What stands
  beside the text (log probabilities, details of the usage) never spoils it: unreadable, it is as if it were not there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from reasrm.apis.api_reply import NOTHING_USED, ApiReply, TokenLogprob, Usage
from reasrm.apis.error_bodies import brief
from reasrm.apis.error_classification import ApiError, ErrorKind, PromptRefusal
from reasrm.records.trace import TraceOutcome

UNREADABLE = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What reading JSON of another shape raises."""
MOST_TOKENS = 1_000_000_000
"""A reply that claims to have used more of them gives no usable count."""
ENDS: Mapping[str, TraceOutcome | None] = {
    **dict.fromkeys(
        ("", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "completed", "complete"), TraceOutcome.OK
    ),
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
        TraceOutcome.TRUNCATED,
    ),
    **dict.fromkeys(("content_filter", "refusal", "safety", "recitation", "prohibited_content"), TraceOutcome.REFUSED),
    **dict.fromkeys(("error", "abort", "failed", "cancelled", "network_error", "insufficient_system_resource"), None),
}
"""What a finish reason, stop reason or status says, whichever server writes it, in lower case; None: it failed, and
passes. A missing one is the empty word. Sources: the vendors' references; vLLM (`abort`, `error`), SGLang and llama.cpp
(null), TGI (`eos_token`), Mistral (`model_length`, `error`), Gemini's endpoint (`SAFETY`), DeepSeek
(`insufficient_system_resource`), Zhipu (`network_error`), OpenRouter (`error`)."""
TEXT_PARTS = frozenset({"text", "output_text"})


class BrokenReplyError(ValueError):
    """A reply of status 200 is not what the protocol says, or says itself that it is an error."""

    def __init__(
        self, message: str, api_error: ApiError | None = None, prompt_refusal: PromptRefusal | None = None
    ) -> None:
        """Say what is wrong with it; `api_error` is the error that it holds, if any."""
        super().__init__(message)
        self.error_kind = ErrorKind.BROKEN_REPLY if api_error is None else api_error.error_kind
        self.prompt_refusal = prompt_refusal if api_error is None else api_error.prompt_refusal


@dataclass(frozen=True, slots=True)
class ReplyContent:
    """What a reply holds, as far as the protocols have it in common."""

    text: str
    finish_reason: Any
    """The vendor's word for why it ended."""
    refused: bool = False
    """It says of itself that it is a refusal, whatever its finish reason."""
    token_logprobs: tuple[TokenLogprob, ...] = ()
    whole: bool = True
    """Whether a text whose end nobody knows may be a whole one: the reply does not say that it is incomplete."""


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """How the replies of one protocol are read."""

    name: str
    content_field: str
    """What every reply of the protocol has: where it is there, but empty, the service was there and gave nothing."""
    usage: Callable[[Any], Usage]
    content: Callable[[Any], ReplyContent]

    def read(self, body: Any, request_id: str, *, needs_usage: bool = True) -> ApiReply:
        """Read a reply. Whatever names its usage was billed and is recorded, be it readable or not.

        Args:
            body: the parsed JSON.
            request_id: of the response's headers.
            needs_usage: whether a reply without readable usage is broken; otherwise its usage is all zero.

        Raises:
            BrokenReplyError: it is none, or an error; its `error_kind` says what that means.
        """
        api_error = ApiError.in_reply(body, self.content_field)
        if api_error is not None:
            code = api_error.code or api_error.kind or api_error.status or ""
            raise BrokenReplyError(f"an error in a good reply: {code} {api_error.message}", api_error)
        usage = self._usage(body, needs_usage=needs_usage)
        try:
            content = self.content(body)
        except UNREADABLE as error:
            if usage is None:
                of_protocol = isinstance(body, dict) and self.content_field in body
                refusal = PromptRefusal.UNEXPLAINED if of_protocol else None
                raise BrokenReplyError(f"not a {self.name}: {brief(error)}", prompt_refusal=refusal) from None
            detail = f"paid, but not a whole {self.name}: {brief(error)}"
            return ApiReply(TraceOutcome.GAVE_UP, "", usage, _model(body), request_id, detail)
        outcome, detail = _outcome(content)
        text, usage = "" if outcome is TraceOutcome.GAVE_UP else content.text, usage or NOTHING_USED
        return ApiReply(outcome, text, usage, _model(body), request_id, detail, content.token_logprobs)

    def _usage(self, body: Any, *, needs_usage: bool) -> Usage | None:
        try:
            return self.usage(body)
        except UNREADABLE as error:
            if needs_usage:
                raise BrokenReplyError(f"not a {self.name} with its usage: {brief(error)}") from None
            return None


def _outcome(content: ReplyContent) -> tuple[TraceOutcome, str]:
    """What a reply came to, and what is odd about its end.

    Raises:
        BrokenReplyError: it says that it failed.
    """
    reason, has_text = content.finish_reason, bool(content.text.strip())
    if content.refused:
        return TraceOutcome.REFUSED, ""
    word = "" if reason is None else brief(reason).lower().replace("-", "_")
    if word not in ENDS or not isinstance(reason, str | None):
        if has_text and content.whole:
            return TraceOutcome.OK, f"ended for the unknown reason {brief(reason)}"
        return TraceOutcome.GAVE_UP, f"paid, but ended for the unknown reason {brief(reason)}"
    outcome = ENDS[word]
    if outcome is None:
        failed = f"the reply ended with {brief(reason)}"
        raise BrokenReplyError(failed, ApiError(None, "", "", failed))
    return TraceOutcome.EMPTY if outcome is TraceOutcome.OK and not has_text else outcome, ""


def text_of(content: Any) -> tuple[str, bool]:
    """The text of a message's content, a string or parts in a list, and whether a part of it is a refusal.

    Raises:
        TypeError: it is neither; KeyError or AttributeError where a part is none.
    """
    if isinstance(content, str):
        return content, False
    if not isinstance(content, list):
        raise TypeError(f"content is {brief(content)}")
    texts, refused = [], False
    for part in content:
        if isinstance(part, str):
            texts.append(part)
            continue
        refused |= part["type"] == "refusal"
        text = part["text"] if part["type"] in TEXT_PARTS else ""
        if not isinstance(text, str | None):
            raise TypeError(f"the text of a part is {brief(text)}")
        texts.append(text or "")
    return "".join(texts), refused


def token_count(usage: Mapping[str, Any], name: str) -> int:
    """A number of tokens out of a usage object.

    Raises:
        ValueError: it is none; TypeError or KeyError where there is no such entry.
    """
    count = usage[name]
    if type(count) is not int or not 0 <= count < MOST_TOKENS:
        raise ValueError(f"{name} is {brief(count)}")
    return count


def optional_count(usage: Any, name: str) -> int:
    """A number of tokens that need not be given; 0 where it is not, or is no number."""
    try:
        return token_count(usage, name)
    except UNREADABLE:
        return 0


def token_logprobs(tokens: Any) -> tuple[TokenLogprob, ...]:
    """OpenAI's list of tokens with their log probabilities; empty if it is absent or unreadable."""
    try:
        return tuple(_token_logprob(token) for token in _listed(tokens))
    except UNREADABLE:
        return ()


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _token_logprob(token: Mapping[str, Any]) -> TokenLogprob:
    """A token's bytes and its log probability: a number that is not above 0, or none."""
    written, logprob = token.get("bytes"), token.get("logprob")
    known = isinstance(logprob, int | float) and not isinstance(logprob, bool) and isfinite(logprob) and logprob <= 0
    piece = bytes(written) if isinstance(written, list) else token["token"].encode(errors="replace")
    return piece, logprob if known else None


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    return model if isinstance(model, str) else ""
