"""Errors, named by the reaction they need, and the place that translates what boto3 raises."""

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
    """
    The base of all errors that the forwarder raises on purpose. ``ended``: what ends the function could not be set aside.
    """

    ended = False


class Unavailable(ForwarderError):
    """Not now: the message goes back to the queue and is tried again."""


class Rejected(ForwarderError):
    """Never: what was sent will not be accepted however often it is tried. Park it."""


class Blocked(ForwarderError):
    """
    A poison change that is not to be set aside: its group waits until it is mended or a dead letter.

    ``sequence`` is its number; ``reason`` may quote the document, the text does not.
    """

    def __init__(self, text: str, *, sequence: int, reason: str) -> None:
        super().__init__(text)
        self.sequence = sequence
        self.reason = reason


class Misconfigured(ForwarderError):
    """A person must correct a setting, a permission or a resource. Until then the messages stay in the queue."""


class BusGone(Misconfigured):
    """The bus is gone, and drops events without a word. Acknowledge nothing more: the invocation fails as a whole."""


LACKS = frozenset({errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN})
"""What a machine has too little of: memory, disk, open files, processes."""


def is_of_the_machine(error: BaseException) -> bool:
    """
    Whether an error says something of the machine, and not of the change that was worked on: too little memory, or the like.

    A ``RecursionError`` is about the change: it is nested too deeply, on every machine.
    """
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in LACKS)


Reaction = type[Unavailable] | type[Rejected] | type[Misconfigured]

_REACTIONS: dict[responses.Reaction, Reaction] = {
    responses.Reaction.RETRY: Unavailable,
    responses.Reaction.FIX: Misconfigured,
    responses.Reaction.REFUSED: Rejected,
}

EXCEPTIONS: dict[type[BotoCoreError], Reaction] = {
    NoCredentialsError: Misconfigured,
    PartialCredentialsError: Misconfigured,
    NoRegionError: Misconfigured,
}
"""By what botocore raises before a service has answered."""


def answered(doing: str, code: str, text: str) -> Unavailable | Rejected | Misconfigured:
    """Our own error for an error of AWS, of a whole call or of one entry: what was asked, its cause, and the answer."""
    reaction, cause = responses.meaning(code, text)
    response = ": ".join(filter(None, (redacted(code), redacted(text))))
    return _REACTIONS[reaction](f"{doing} failed: the resource {cause} ({response})")


def unusable(setting: str, resource: str, error: ForwarderError, needed: str) -> Misconfigured:
    """What is said of a neighbour that refuses us for good: which, why, and what it takes."""
    return Misconfigured(f"{setting}: {resource} cannot be used: {error}. Needed: {needed}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise our own errors for boto3's. Their text names the call and the code, never what was sent."""
    try:
        yield
    except ClientError as error:
        raise answered(doing, error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")) from error
    except ParamValidationError as error:  # its text repeats the values
        raise Rejected(f"{doing}: a parameter is not of the form that the service asks for") from error
    except BotoCoreError as error:
        kind = EXCEPTIONS.get(type(error), Unavailable)
        raise kind(f"{doing}: {type(error).__name__}: {redacted(str(error))}") from error
