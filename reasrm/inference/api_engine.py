"""A judge behind an API, over the same clients as the oracle; any base URL, so also a model that you serve yourself.

Replies are handed on as they come while `concurrency` requests are under way. What usually passes is sent again
(`apis.retry_policy`); what does not pass stops the run, after all that was under way has been handed on. An interrupt
stops it too, and waits a few seconds for what is under way (`first_interrupt`). A prompt that the service refuses, or
to which it gives nothing that can be read, gets a reply that says so, provided that the service answers a plain
question asked the same way.
"""

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NoReturn

from anyio.from_thread import BlockingPortal, start_blocking_portal

from reasrm.apis.api_reply import ApiReply, AttemptResult
from reasrm.apis.clients import open_client
from reasrm.apis.connection import Connection
from reasrm.apis.error_classification import ErrorKind, PromptRefusal, mentions_credit
from reasrm.apis.request_format import RequestField
from reasrm.apis.retry_policy import RetryingSender, asks_for_a_pause, asks_for_too_long
from reasrm.inference.engine import Answered, Prompt, Sampling, one_by_one
from reasrm.inference.first_interrupt import FirstInterrupt
from reasrm.inference.replies import logprob_in_pieces, reply_from_text, verdict_letter
from reasrm.inference.served_model import ServedModel
from reasrm.judging.thought_marks import THINK, begins_with_thought, read_thoughts
from reasrm.records.reply import Finish, Reply
from reasrm.records.trace import TraceOutcome
from reasrm.runtime.stage_main import StageError, StoppedResumable

PLAIN_QUESTION = "Reply with the word yes."
FINISHES = {TraceOutcome.TRUNCATED: Finish.LENGTH, TraceOutcome.REFUSED: Finish.REFUSED}
"""Any other reply ended by itself, for whatever reason the service gives."""


@dataclass(frozen=True, slots=True)
class OpenService:
    """A client with the event loop that it lives in, on a thread of its own."""

    portal: BlockingPortal
    sender: RetryingSender
    under_way: set[Future[AttemptResult]] = field(default_factory=set)

    def send(self, body: dict[str, Any]) -> Future[AttemptResult]:
        """Begin one request."""
        future = self.portal.start_task_soon(self.sender.send, body)
        self.under_way.add(future)
        future.add_done_callback(self.under_way.discard)
        return future

    def cancel_all(self) -> None:
        """Give up what is under way: closing would wait until it is over, with all its retries."""
        for future in list(self.under_way):
            future.cancel()


class ApiEngine:
    """Asks a service over HTTP."""

    def __init__(self, served: ServedModel) -> None:
        """Prepare to ask `served`; nothing is sent yet."""
        self._served = served
        self._name = f"{served.protocol} model {served.model}"
        self._resources = ExitStack()
        weakref.finalize(self, self._resources.close)
        self._service: OpenService | None = None
        self._takes_requests = False
        """Whether the service has replied to a request of ours."""
        self._interrupt = FirstInterrupt()
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Who is asked, and where; a service's weights cannot be seen from here."""
        return {"engine": "api", "protocol": self._served.protocol.value, "model": self._served.model} | {
            "base_url": self._served.address,
            "leave_out": sorted(self._served.leave_out),
            "opens_thinking": self._served.opens_thinking,
        }

    def batches(self, prompts: Sequence[Prompt], _sampling: Sampling) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, the first finished first.

        After a failure no other prompt is sent; it is raised when all that was under way has been yielded. After an
        interrupt too, but what is under way is given up a few seconds later.

        Raises:
            StoppedResumable: the service is out of reach, over its limits or out of credit; go on later.
            StageError: it refuses the key, the model or every request.
            KeyboardInterrupt: an interrupt came.
        """
        _refuse_begun(self._name, prompts)
        service, to_send = self._open(), iter(prompts)
        failure: Exception | None = None
        under_way: dict[Future[AttemptResult], Prompt] = {}
        with FirstInterrupt() as self._interrupt, _cancelled_at_the_end(under_way):
            while True:
                slots = 0 if failure or self._interrupt.noted else self._served.concurrency - len(under_way)
                under_way |= {self._send(service, prompt, sampling): prompt for prompt in islice(to_send, slots)}
                done = self._interrupt.done(under_way) if under_way else ()
                if not done:
                    break
                for future in done:
                    prompt = under_way.pop(future)
                    try:
                        result = future.result()
                        if (failure or self._interrupt.noted) and (result.reply is None or _refusal(result)):
                            continue
                        reply = self._settled(service, result, prompt, sampling)
                    except Exception as error:  # noqa: BLE001  raised below, when all that was paid has been yielded
                        failure = failure or error
                    else:
                        yield prompt, reply
        if self._interrupt.noted:
            raise KeyboardInterrupt
        if failure:
            raise failure

    def close(self) -> None:
        """Close the connections; what is under way is given up."""
        self._resources.close()
        self._service = None

    def _open(self) -> OpenService:
        """The client, opened with the first prompt.

        Raises:
            NoKeyError: there is no key in the environment.
        """
        if self._service is None:
            served = self._served
            connection = Connection(served.timeout_seconds, served.concurrency, base_url=served.base_url)
            client = open_client(served.protocol, connection)
            portal = self._resources.enter_context(start_blocking_portal(name="judge"))
            self._resources.callback(portal.call, client.close)
            self._service = OpenService(portal, RetryingSender(client, served.retries))
            self._resources.callback(self._service.cancel_all)
            self.starts += 1
        return self._service

    def _send(self, service: OpenService, prompt: Prompt, sampling: Sampling) -> Future[AttemptResult]:
        """Begin one request.

        No stop text is sent: a service would also stop where a reply quotes it.
        """
        fields = {
            RequestField.TEMPERATURE: sampling.temperature,
            RequestField.TOP_P: sampling.top_p,
            RequestField.SEED: sampling.seed,
            RequestField.LOGPROBS: True,
        }
        sent = {field: value for field, value in fields.items() if field not in self._served.unsent}
        body = self._served.requests.body(prompt.messages, sampling.max_new_tokens, sent)
        return service.send(body)

    def _settled(self, service: OpenService, result: AttemptResult, prompt: Prompt, sampling: Sampling) -> Reply:
        """The reply to `prompt`, be it that the service refuses it.

        Raises:
            StageError: the run has to stop.
        """
        refusal = _refusal(result)
        if refusal is None:
            reply = self._reply(result, sampling)
            self._takes_requests = True
            return reply
        if not self._takes_requests or refusal is PromptRefusal.UNEXPLAINED:
            self._ask_plainly(service, prompt, sampling)
            self._takes_requests = True
        finish = Finish.TOO_LONG if refusal is PromptRefusal.TOO_LONG else Finish.REFUSED
        return Reply(text="", finish=finish, prompt_tokens=0, completion_tokens=0)

    def _ask_plainly(self, service: OpenService, prompt: Prompt, sampling: Sampling) -> None:
        """Ask a plain question in the way in which `prompt` was asked.

        Raises:
            StageError: it is not answered either, so it is not the prompt that the service refuses.
            KeyboardInterrupt: an interrupt came first.
        """
        last = prompt.messages[-1].model_copy(update={"content": PLAIN_QUESTION})
        future = self._send(service, Prompt((*prompt.messages[:-1], last)), sampling)
        if not self._interrupt.done([future]):
            raise KeyboardInterrupt
        result = future.result()
        passes = result.error_kind is not None and result.error_kind.passes
        if _refusal(result) is None or (passes and self._takes_requests):
            self._reply(result, sampling)
            return
        detail = result.detail or (result.reply.detail if result.reply else "")
        if mentions_credit(detail):
            raise StoppedResumable(f"{self._name}: no reply: {detail}; see to the account's credit")
        raise StageError(
            f"{self._name}: no reply: {detail}; a plain question had none either, so it is no single prompt: check "
            "key, model, address, `leave_out` and whether the longest reply (max_new_tokens) leaves room in the "
            "model's context"
        )

    def _reply(self, result: AttemptResult, sampling: Sampling) -> Reply:
        """The reply that came.

        Raises:
            StageError: none came, and that is not the prompt's fault.
        """
        if result.reply is None:
            self._stop(result)
        given, text = result.reply, self._whole(result.reply.text)
        finish = FINISHES.get(given.outcome, Finish.STOP)
        usage = given.usage
        reply = reply_from_text(text, finish, usage.prompt_tokens, usage.output_tokens, sampling.stop)
        return reply.model_copy(update={"verdict_logprob": _verdict_logprob(reply, given, text, sampling.stop)})

    def _stop(self, result: AttemptResult) -> NoReturn:
        """Raise what an error means for the run.

        Raises:
            StoppedResumable: it passes, or the account is out of credit.
            StageError: no request can succeed: key, permission, model or address.
        """
        kind, message = result.error_kind, f"{self._name}: {result.error_kind}: {result.detail}"
        if kind is ErrorKind.NO_CREDIT:
            raise StoppedResumable(f"{message}; see to the account's credit")
        if kind is ErrorKind.NOT_ALLOWED:
            raise StageError(f"{message}; check key, model and address")
        if kind is ErrorKind.BROKEN_REPLY and not self._takes_requests:
            raise StageError(f"{message}; the service has sent no other reply: check address and protocol")
        if asks_for_too_long(result):
            raise StoppedResumable(f"{self._name}: {kind}: {asks_for_a_pause(result)}")
        raise StoppedResumable(f"{message}; it did not pass within {self._served.retries} retries")

    def _whole(self, text: str) -> str:
        """The reply with the start of the thought that the chat template wrote: an unfinished one is then seen as one.

        Not where the reply begins with the start of a thought, whatever its mark: the server left it in the text. The
        end that has no start says which mark the template writes.
        """
        if not (text and self._served.opens_thinking) or begins_with_thought(text):
            return text
        return (read_thoughts(text).unopened or THINK).start + text


@contextmanager
def _cancelled_at_the_end(under_way: Mapping[Future[AttemptResult], Prompt]) -> Iterator[None]:
    """Give up what of `under_way` is left, however the block ends."""
    try:
        yield
    finally:
        for future in under_way:
            future.cancel()


def _refuse_begun(name: str, prompts: Sequence[Prompt]) -> None:
    """Do nothing where the model writes its replies from the first word on.

    Raises:
        StageError: a reply is to go on from a given beginning, which a service cannot be made to do.
    """
    begun = next((prompt.begun for prompt in prompts if prompt.begun), "")
    if begun:
        raise StageError(
            f"{name}: its replies are to begin with {begun[:40]!r}, which needs the checkpoint itself; or let the "
            "server's chat template write it: `opens_thinking: true`, and no `begins` in the prompt file"
        )


def _refusal(result: AttemptResult) -> PromptRefusal | None:
    """Why the prompt may have been refused: also a reply of which nothing can be read is nobody's outage."""
    given = result.reply
    unreadable = given is not None and given.outcome is TraceOutcome.GAVE_UP and not given.text
    return PromptRefusal.UNEXPLAINED if unreadable else result.prompt_refusal


def _verdict_logprob(reply: Reply, given: ApiReply, text: str, stop: str) -> float | None:
    """The log probability of the verdict's letter in `text`, which is what was `given` with what the template wrote."""
    letter = verdict_letter(reply, stop) if given.token_logprobs else None
    if letter is None:
        return None
    pieces = [(piece, math.nan if logprob is None else logprob) for piece, logprob in given.token_logprobs]
    logprob = logprob_in_pieces(given.text, letter - (len(text) - len(given.text)), pieces)
    return None if logprob is None or math.isnan(logprob) else logprob
