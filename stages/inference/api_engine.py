"""A judge behind an API, through the vendors' own SDKs; any base URL, so also a model that you serve yourself.

Replies come in the order of the prompts while `concurrency` requests are under way. The SDK retries what usually
passes; what does not pass stops the run with everything kept, and the same command goes on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from stages.inference.engine import Prompt, Sampling, one_by_one
from stages.inference.replies import logprob_in_pieces, reply_from_text, verdict_letter
from stages.inference.served_model import ApiProtocol, RequestField, ServedModel
from stages.judging.verdict import THINK_START
from stages.records.pair import Role
from stages.records.reply import Finish, Reply
from stages.runtime.stage_main import StageError, StoppedResumable


class ApiEngine:
    """Asks a service over HTTP."""

    def __init__(self, served: ServedModel) -> None:
        """Prepare to ask `served`; nothing is sent yet."""
        self._served = served
        self._client: Any = None
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Who is asked; a service's weights cannot be seen from here."""
        return {"engine": "api", "protocol": self._served.protocol.value, "model": self._served.model} | {
            "base_url": self._served.base_url,
            "leave_out": sorted(self._served.leave_out),
            "opens_thinking": self._served.opens_thinking,
        }

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Reply]:
        """Yield the reply to each prompt.

        Raises:
            StoppedResumable: the service is out of reach, over its limits or out of credit; go on later.
            StageError: it refuses the key, the model or the request.
        """
        ask = self._asker()
        under_way: deque[Future[Reply]] = deque()
        with ThreadPoolExecutor(self._served.concurrency, thread_name_prefix="judge") as pool:
            try:
                for prompt in prompts:
                    under_way.append(pool.submit(ask, prompt, sampling))
                    if len(under_way) >= self._served.concurrency:
                        yield under_way.popleft().result()
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _asker(self) -> Callable[[Prompt, Sampling], Reply]:
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
            return lambda prompt, sampling: _told(anthropic, self._served, lambda: self._messages(prompt, sampling))
        import openai

        self._client = self._client or _opened(openai.OpenAI, openai.OpenAIError, "OPENAI_API_KEY", settings)
        return lambda prompt, sampling: _told(openai, self._served, lambda: self._chat(prompt, sampling))

    def _wanted(self, fields: dict[RequestField, Any]) -> dict[str, Any]:
        return {field.value: value for field, value in fields.items() if field not in self._served.leave_out}

    def _whole(self, text: str) -> str:
        """The reply with the thinking tag that the chat template wrote: an unfinished thought is then seen as one."""
        begun = not text or text.lstrip().startswith(THINK_START)
        return THINK_START + text if self._served.opens_thinking and not begun else text

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
        choice = answer.choices[0]
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
        text = "".join(block.text for block in answer.content if block.type == "text")
        finish = {"refusal": Finish.REFUSED, "max_tokens": Finish.LENGTH}.get(answer.stop_reason, Finish.STOP)
        text = self._whole(text)
        return reply_from_text(text, finish, answer.usage.input_tokens, answer.usage.output_tokens, sampling.stop)


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


def _told(sdk: Any, served: ServedModel, ask: Callable[[], Reply]) -> Reply:
    """Ask, and say in plain words what failed for good."""
    where = f"{served.protocol} model {served.model}"
    try:
        return ask()
    except (sdk.APIConnectionError, sdk.RateLimitError, sdk.InternalServerError) as error:
        raise StoppedResumable(
            f"{where}: {type(error).__name__} after {served.retries} retries; every reply so far is kept, the same "
            "command goes on"
        ) from error
    except TypeError as error:
        if "authentication" not in str(error):
            raise
        raise StageError(f"{where}: no key in the environment: set {sdk.__name__.upper()}_API_KEY") from error
    except sdk.APIStatusError as error:
        raise StageError(
            f"{where}: refused with status {error.status_code}: {str(error.message)[:300]}; check key, model and "
            "`leave_out`"
        ) from error
