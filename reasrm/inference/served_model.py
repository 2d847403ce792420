"""A judge behind an API: a vendor's model, or one that you serve yourself, by its name and where it is served.

`served_model("gpt-4o-2024-08-06")` is OpenAI's own, `served_model("judge", base_url="http://127.0.0.1:8000/v1")` one of
yours. As a YAML file (for `--served` and the stage `judge` with `engine: api`) one or two lines do:

    model: gpt-4o-2024-08-06             the dated id, so that the judge stays the same
    base_url: http://127.0.0.1:8000/v1   left out: what the SDK's environment variable says, else the vendor's own

and these are the others with their defaults:

    protocol: openai                     or openai_responses, or anthropic
    concurrency: 16                      requests at a time
    timeout_seconds: 600
    retries: 6                           of rate limits, outages and lost connections; a pause that the service asks for
                                         is kept, unless it is longer than ten minutes: then the run stops
    leave_out: []                        fields that this model refuses, of temperature, top_p, seed, logprobs
    opens_thinking: false                true: its chat template begins the thought, and thoughts come with the reply

Keys come from the SDKs' own environment variables (OPENAI_API_KEY, ANTHROPIC_API_KEY) and from nowhere else; a model
that is served on this machine needs none. User and password may stand in the address (`https://me:...@host/v1`), and
are sent in a header and written down nowhere. Other headers come from OPENAI_CUSTOM_HEADERS, ANTHROPIC_CUSTOM_HEADERS.
Azure's addresses are `https://NAME.openai.azure.com/openai/v1`, or older ones with their `?api-version=...` and
`api-key: ...` in OPENAI_CUSTOM_HEADERS; no other query is sent (`apis.service_address`).
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasrm.apis.clients import request_format
from reasrm.apis.request_format import ApiProtocol, RequestField, RequestFormat
from reasrm.apis.service_address import service_address
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import YamlError, read_yaml


class ServedModel(BaseModel):
    """Which service is asked, and how hard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1)
    base_url: str | None = None
    """Null: what the SDK's environment variable says, else the vendor's own."""
    protocol: ApiProtocol = ApiProtocol.OPENAI
    concurrency: int = Field(default=16, gt=0)
    """Requests at a time."""
    timeout_seconds: float = Field(default=600, gt=0)
    """Of one request."""
    retries: int = Field(default=6, ge=0)
    """How often a request is sent again after failures that usually pass."""
    leave_out: frozenset[RequestField] = frozenset()
    """Fields that are not sent."""
    opens_thinking: bool = False
    """Whether replies begin inside a thought whose start (`<think>`) the chat template wrote: DeepSeek-R1's distilled
    models on a server without a reasoning parser. A reply cannot show it; one that is cut inside the thought must not
    be read."""

    @property
    def address(self) -> str | None:
        """Where requests go, without any user and password; None for the vendor's own.

        Raises:
            AddressError: it is none that requests can go to.
        """
        address = service_address(self.base_url, self.protocol)
        return None if address is None else address.shown

    @property
    def requests(self) -> RequestFormat:
        """How requests to it are written."""
        return request_format(self.protocol, self.model)

    @property
    def unsent(self) -> frozenset[RequestField]:
        """Fields that no request has: those left out, and those that the API does not know (Messages knows none)."""
        return self.leave_out | (frozenset(RequestField) - self.requests.accepts)


def served_model(
    model: str, base_url: str | None = None, api: ApiProtocol | str = ApiProtocol.OPENAI, **more: Any
) -> ServedModel:
    """The service that serves `model`, as a command line names it; everything else is the default.

    Args:
        model: its name there.
        base_url: the address as the vendor's SDK takes it (for OpenAI's protocols ending with `/v1`); None is the
            address of the SDK's environment variable, else the vendor's own.
        api: the protocol.
        more: other fields of `ServedModel`.

    Raises:
        StageError: a value is none that the field takes.
    """
    try:
        return ServedModel.model_validate({"model": model, "base_url": base_url, "protocol": api, **more})
    except ValidationError as error:
        raise StageError(f"not a served model: {_explained(error)}") from None


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
        raise StageError(f"{path}: not the description of a served model: {_explained(error)}") from None
    except YamlError as error:
        raise StageError(str(error)) from error


def _explained(error: ValidationError) -> str:
    """What is wrong with which field; no value is shown that may be a secret: of unknown fields, and of the address."""
    return "; ".join(_fault(".".join(map(str, fault["loc"])), fault) for fault in error.errors())


def _fault(name: str, fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"{name}: there is no such field (keys come from the environment)"
    value = f" (got {str(fault['input'])[:80]!r})" if name not in ("", "base_url") else ""
    return f"{name or 'file'}: {fault['msg']}{value}"
