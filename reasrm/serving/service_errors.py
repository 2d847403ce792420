"""The refusals of a served judge: each one line, with the status that tells a client whether to come again."""

from http import HTTPStatus

from reasrm.records.harmless_text import harmless, one_line
from reasrm.serving.wire_format import ErrorReply

LONGEST = 1000
"""Characters of an error's text."""


class ServiceError(Exception):
    """A request that gets no answer; says what, where, and when to come again."""

    def __init__(self, status: HTTPStatus, where: str, error: str, retry_after: int | None = None) -> None:
        """Refuse with `status`.

        Args:
            status: of the reply.
            where: the field, header or part of the service that it is about.
            error: what is wrong, and what to do.
            retry_after: seconds after which the same request may succeed; None where it will not.
        """
        super().__init__(error)
        self.reply = ErrorReply(
            error=harmless(one_line(error, LONGEST)), where=harmless(one_line(where, LONGEST)), status=status
        )
        self.retry_after = retry_after

    @property
    def line(self) -> bytes:
        """The body of the reply: one line of JSON."""
        return self.reply.model_dump_json().encode() + b"\n"


def unprocessable(where: str, error: str) -> ServiceError:
    """The body is JSON, but this field of it cannot be judged."""
    return ServiceError(HTTPStatus.UNPROCESSABLE_ENTITY, where, error)


def come_again(where: str, error: str, seconds: float) -> ServiceError:
    """The same request may be answered after so many seconds."""
    return ServiceError(HTTPStatus.SERVICE_UNAVAILABLE, where, error, max(1, round(seconds)))
