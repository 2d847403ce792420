"""A judge behind an API, through the vendors' own SDKs; any base URL, so also a model that you serve yourself.

Replies are handed on as they come while `concurrency` requests are under way. The SDK retries what usually passes; what
does not pass stops the run, after all that was under way has been handed on. A prompt that the service refuses gets a
reply that says so, provided that the service answers a plain question (`service_refusals`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any

from reasrm.apis.secrets import keys_of, without_keys
from reasrm.apis.service_refusals import WORDS, TurnedDownError, raise_status
from reasrm.inference.engine import Answered, Prompt, Sampling, one_by_one
from reasrm.inference.replies import logprob_in_pieces, reply_from_text, verdict_letter
from reasrm.inference.served_model import ApiProtocol, RequestField, ServedModel
from reasrm.judging.verdict import THINK_START
from reasrm.records.pair import Role
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.stage_main import StageError, StoppedResumable

PLAIN_QUESTION = "Reply with the word yes."
Ask = Callable[[Prompt, Sampling], Reply]


class ApiEngine:
    """Asks a service over HTTP."""

    def __init__(self, served: ServedModel) -> None:
        """Prepare to ask `served`; nothing is sent yet."""
        self._served = served
        self._client: Any = None
        self._takes_requests = False
        """Whether the service has replied to a request of ours."""
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Who is asked, and where; a service's weights cannot be seen from here."""
        return {"engine": "api", "protocol": self._served.protocol.value, "model": self._served.model} | {
            "base_url": self._served.address,
            "leave_out": sorted(self._served.leave_out),
            "opens_thinking": self._served.opens_thinking,
        }

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, the first finished first.

        After a failure nothing more is sent; it is raised when all that was under way has been yielded.

        Raises:
            StoppedResumable: the service is out of reach, over its limits or out of credit; go on later.
            StageError: it refuses the key, the model or every request.
        """
        _refuse_begun(self._name, prompts)
        ask, to_send = self._asker(), iter(prompts)
        failure: BaseException | None = None
        under_way: dict[Future[Reply], Prompt] = {}
        with ThreadPoolExecutor(self._served.concurrency, thread_name_prefix="judge") as pool:
            try:
                while True:
                    room = 0 if failure else self._served.concurrency - len(under_way)
                    under_way |= {pool.submit(ask, prompt, sampling): prompt for prompt in islice(to_send, room)}
                    if not under_way:
                        break
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        prompt = under_way.pop(future)
                        if failure and future.exception():
                            continue
                        settled = self._settled(future, ask, prompt, sampling)
                        if isinstance(settled, Reply):
                            yield prompt, settled
                        else:
                            failure = settled
            finally:
                for future in under_way:
                    future.cancel()
        if failure:
            raise failure

    def _settled(self, future: Future[Reply], ask: Ask, prompt: Prompt, sampling: Sampling) -> Reply | BaseException:
        """The reply to `prompt`, be it that the service refuses it, or what stops the run."""
        error = future.exception()
        if error is None:
            self._takes_requests = True
            return future.result()
        if not isinstance(error, TurnedDownError):
            return error
        if not (self._takes_requests and error.blames_the_prompt):
            last = prompt.messages[-1].model_copy(update={"content": PLAIN_QUESTION})
            try:
                ask(Prompt((*prompt.messages[:-1], last)), sampling)
            except TurnedDownError as again:
                return again.of_the_run(self._name)
            except StageError as other:
                return other
            self._takes_requests = True
        return error.reply

    @property
    def _name(self) -> str:
        return f"{self._served.protocol} model {self._served.model}"

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _asker(self) -> Ask:
        self.starts += self._client is None
        settings = {
            "base_url": self._served.base_url,
            "timeout": self._served.timeout_seconds,
            "max_retries": self._served.retries,
        }
        if self._served.protocol is ApiProtocol.ANTHROPIC:
            import anthropic

            self._client = self._client or _opened(
                anthropic.Anthropic, anthropic.AnthropicError, "ANTHROPIC_API_KEY", settings
            )
            return lambda prompt, sampling: _told(
                anthropic, self._client, self._name, lambda: self._messages(prompt, sampling)
            )
        import openai

        self._client = self._client or _opened(openai.OpenAI, openai.OpenAIError, "OPENAI_API_KEY", settings)
        return lambda prompt, sampling: _told(openai, self._client, self._name, lambda: self._chat(prompt, sampling))

    def _wanted(self, fields: dict[RequestField, Any]) -> dict[str, Any]:
        return {field.value: value for field, value in fields.items() if field not in self._served.leave_out}

    def _whole(self, text: str) -> str:
        """The reply with the thinking tag that the chat template wrote: an unfinished thought is then seen as one."""
        begun = not text or text.lstrip().startswith(THINK_START)
        return THINK_START + text if self._served.opens_thinking and not begun else text

    def _part(self, answer: Any, name: str, least: int = 0) -> Any:
        """What a reply must have; some gateways answer 200 with an error or a page in it.

        Raises:
            TurnedDownError: it is not there.
        """
        part = getattr(answer, name, None)
        if part is None or len(part) < least:
            raise TurnedDownError(without_keys(f"a reply without {name}: {answer}", keys_of(self._client))[:WORDS], 200)
        return part

    def _chat(self, prompt: Prompt, sampling: Sampling) -> Reply:
        """One request of OpenAI's Chat Completions.

        No stop text is sent, here or below: a service would also stop where a reply quotes it.
        """
        optional = self._wanted(
            {
                RequestField.TEMPERATURE: sampling.temperature,
                RequestField.TOP_P: sampling.top_p,
                RequestField.SEED: sampling.seed,
                RequestField.LOGPROBS: True,
            }
        )
        answer = self._client.chat.completions.create(
            model=self._served.model,
            messages=[{"role": message.role.value, "content": message.content} for message in prompt.messages],
            max_completion_tokens=sampling.max_new_tokens,
            **optional,
        )
        choice = self._part(answer, "choices", least=1)[0]
        refused = choice.finish_reason == "content_filter" or bool(choice.message.refusal)
        finish = Finish.REFUSED if refused else Finish.LENGTH if choice.finish_reason == "length" else Finish.STOP
        usage = answer.usage
        read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        text = choice.message.content or ""
        whole = self._whole(text)
        reply = reply_from_text(whole, finish, read, written, sampling.stop)
        letter = verdict_letter(reply, sampling.stop)
        if letter is None or not choice.logprobs:
            return reply
        logprob = logprob_in_pieces(text, letter - (len(whole) - len(text)), _pieces(choice.logprobs.content or ()))
        return reply.model_copy(update={"verdict_logprob": logprob})

    def _messages(self, prompt: Prompt, sampling: Sampling) -> Reply:
        """One request of Anthropic's Messages, which takes no temperature, top_p or seed any more: none is sent."""
        system = "\n\n".join(message.content for message in prompt.messages if message.role is Role.SYSTEM)
        turns = [{"role": m.role.value, "content": m.content} for m in prompt.messages if m.role is not Role.SYSTEM]
        answer = self._client.messages.create(
            model=self._served.model,
            max_tokens=sampling.max_new_tokens,
            messages=turns,
            **({"system": system} if system else {}),
        )
        text = "".join(block.text for block in self._part(answer, "content") if block.type == "text")
        finish = {"refusal": Finish.REFUSED, "max_tokens": Finish.LENGTH}.get(answer.stop_reason, Finish.STOP)
        text = self._whole(text)
        return reply_from_text(text, finish, answer.usage.input_tokens, answer.usage.output_tokens, sampling.stop)


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


def _pieces(tokens: Iterable[Any]) -> list[tuple[bytes, float]]:
    """What each token wrote, and its log probability."""
    return [
        (token.token.encode(errors="replace") if token.bytes is None else bytes(token.bytes), token.logprob)
        for token in tokens
    ]


def _opened(client: Any, no_key: type[Exception], variable: str, settings: dict[str, Any]) -> Any:
    """The SDK's client.

    Raises:
        StageError: there is no key in the environment.
    """
    try:
        return client(**settings)
    except no_key as error:
        raise StageError(f"no key in the environment: set {variable} ({error})") from error


def _told(sdk: Any, client: Any, name: str, ask: Callable[[], Reply]) -> Reply:
    """Ask, and say in plain words what failed for good."""
    try:
        return ask()
    except sdk.APIConnectionError as error:
        raise StoppedResumable(f"{name}: {type(error).__name__}, every retry failed ({error})") from error
    except sdk.APIStatusError as error:
        raise_status(name, error, keys_of(client))
    except TypeError as error:
        if "authentication" not in str(error):
            raise
        raise StageError(f"{name}: no key in the environment: set {sdk.__name__.upper()}_API_KEY") from error
