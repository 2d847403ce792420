"""A judge behind an API, described by a small YAML file: a vendor's model, or one that you serve yourself.

    protocol: openai                     or anthropic
    model: gpt-4o-2024-08-06             the dated id, so that the judge stays the same
    base_url: http://127.0.0.1:8000/v1   null: the vendor's own, or what its SDK's environment variable says
    concurrency: 16                      requests at a time
    timeout_seconds: 600
    retries: 6                           of rate limits, outages and lost connections
    leave_out: [seed, logprobs]          fields that this model refuses
    opens_thinking: false                true: its chat template writes the `<think>`, and thoughts come with the reply

Keys come from the SDKs' own environment variables (OPENAI_API_KEY, ANTHROPIC_API_KEY) and from nowhere else.
"""

import os
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasrm.records.jsonl import explain
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import YamlError, read_yaml


class ApiProtocol(StrEnum):
    """Whose way of talking a service understands."""

    OPENAI = "openai"
    """Chat Completions: OpenAI, vLLM's server and most others."""
    ANTHROPIC = "anthropic"
    """Messages."""


class RequestField(StrEnum):
    """Fields of a request that some models refuse."""

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    SEED = "seed"
    LOGPROBS = "logprobs"


class ServedModel(BaseModel):
    """Which service is asked, and how hard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: ApiProtocol
    model: str = Field(min_length=1)
    base_url: str | None
    """Null: what the SDK's environment variable says, else the vendor's own."""
    concurrency: int = Field(gt=0)
    """Requests at a time."""
    timeout_seconds: float = Field(gt=0)
    """Of one request."""
    retries: int = Field(ge=0)
    """How often the SDK sends a request again after a failure that usually passes."""
    leave_out: frozenset[RequestField]
    """Fields that are not sent."""
    opens_thinking: bool
    """Whether replies begin inside a thought whose `<think>` the chat template wrote: DeepSeek-R1's distilled models on
    a server without a reasoning parser. A reply cannot show it; one that is cut inside the thought must not be read."""

    @property
    def address(self) -> str | None:
        """Where requests go, without any user and password; None for the vendor's own."""
        url = self.base_url or os.environ.get(f"{self.protocol.upper()}_BASE_URL")
        if not url:
            return None
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def unsent(self) -> frozenset[RequestField]:
        """Fields that no request has; Anthropic's Messages take none of them any more."""
        return frozenset(RequestField) if self.protocol is ApiProtocol.ANTHROPIC else self.leave_out


def vendors_model(protocol: ApiProtocol | str, model: str) -> ServedModel:
    """A vendor's own model, with every field sent."""
    return ServedModel(
        protocol=ApiProtocol(protocol),
        model=model,
        base_url=None,
        concurrency=16,
        timeout_seconds=600,
        retries=6,
        leave_out=frozenset(),
        opens_thinking=False,
    )


def load_served_model(path: Path) -> ServedModel:
    """Read the description of a served model.

    Raises:
        StageError: it is missing or malformed.
    """
    try:
        return ServedModel.model_validate(read_yaml(path))
    except OSError as error:
        raise StageError(f"{path}: cannot be read as the YAML file of a served model ({error})") from error
    except ValidationError as error:
        raise StageError(f"{path}: not the description of a served model: {explain(error)}") from error
    except YamlError as error:
        raise StageError(str(error)) from error
