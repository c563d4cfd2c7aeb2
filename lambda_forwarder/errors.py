"""Errors, named by the reaction they need, and the translation of boto3's errors into them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from tailrace.aws import responses
from tailrace.text.redaction import redacted


class ForwarderError(Exception):
    """The base class of the forwarder's own errors. ``ended``: a change that ended the function could not be parked."""

    ended = False


class Unavailable(ForwarderError):
    """A temporary failure: the message returns to the queue and is tried again."""


class Rejected(ForwarderError):
    """A permanent failure: a retry will not help. The change is parked."""


class Blocked(ForwarderError):
    """
    A change cannot be published and, with ``FORWARDER_ON_POISON=block``, is not parked: its message group waits.

    ``sequence`` is the number of the change. ``reason`` may quote the document; the message of this error does not.
    """

    def __init__(self, text: str, *, sequence: int, reason: str) -> None:
        super().__init__(text)
        self.sequence = sequence
        self.reason = reason


class Misconfigured(ForwarderError):
    """A person must correct a setting, a permission or a resource. Until then the messages stay in the queue."""


class BusGone(Misconfigured):
    """The bus does not exist any more, and PutEvents drops events without an error. The whole invocation must fail."""


EXHAUSTED = frozenset({errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN})
"""Too little memory, disk space, open files or processes."""


def is_of_the_machine(error: BaseException) -> bool:
    """
    Whether the machine, and not the change, caused the error: too little memory, for example.

    A change that is nested too deeply causes a ``RecursionError`` on every machine.
    """
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in EXHAUSTED)


_REACTIONS: dict[responses.Reaction, type[Unavailable] | type[Rejected] | type[Misconfigured]] = {
    responses.Reaction.RETRY: Unavailable,
    responses.Reaction.FIX: Misconfigured,
    responses.Reaction.REFUSED: Rejected,
}


def aws_error(operation: str, code: str, text: str) -> Unavailable | Rejected | Misconfigured:
    """Return the error for an AWS error of a whole call or of one entry. It names the operation, the cause and the response."""
    reaction, cause = responses.meaning(code, text)
    response = ": ".join(filter(None, (redacted(code), redacted(text))))
    return _REACTIONS[reaction](f"{operation} failed: the resource {cause} ({response})")


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise the forwarder's errors instead of boto3's, by ``tailrace.aws.responses``. The message never repeats the request."""
    try:
        yield
    except ClientError as error:
        response = error.response["Error"]
        raise aws_error(operation, response.get("Code", ""), response.get("Message", "")) from error
    except ParamValidationError as error:  # its text repeats the values
        raise Rejected(f"{operation}: a parameter does not have the form that the service requires") from error
    except BotoCoreError as error:  # the service sent no response
        unusable = isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError)
        kind = Misconfigured if unusable else Unavailable
        raise kind(f"{operation}: {type(error).__name__}: {redacted(str(error))}") from error
