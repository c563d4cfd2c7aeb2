"""Errors, named by the reaction they need, and the one table that translates what boto3 raises."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    UnknownServiceError,
)


class ForwarderError(Exception):
    """The base of all errors that the forwarder raises on purpose."""


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
    """A person must mend a setting, a permission or a resource. Until then the messages stay in the queue."""


class BusGone(Misconfigured):
    """The bus is gone, and drops events without a word. Acknowledge nothing more: the invocation fails as a whole."""


Reaction = type[Unavailable] | type[Rejected] | type[Misconfigured]

CODES: dict[str, Reaction] = {
    "ValidationException": Rejected,
    "ValidationError": Rejected,
    "InvalidParameterValue": Rejected,
    "InvalidInputException": Rejected,
    "InvalidMessageContents": Rejected,
    "SerializationException": Rejected,
    "RequestEntityTooLargeException": Rejected,
    "AWS.SimpleQueueService.BatchRequestTooLong": Rejected,
    "NoSuchKey": Rejected,
    "InvalidObjectState": Rejected,  # S3, an object that was archived: a person restores it
    "KeyTooLongError": Rejected,
    "413": Rejected,  # what a proxy in between may answer, without a code of its own
    "ResourceNotFoundException": Misconfigured,
    "QueueDoesNotExist": Misconfigured,
    "AWS.SimpleQueueService.NonExistentQueue": Misconfigured,
    "InvalidAddress": Misconfigured,
    "NoSuchBucket": Misconfigured,
    "PermanentRedirect": Misconfigured,  # S3, a bucket of another region
    "301": Misconfigured,  # HeadBucket answers with numbers
    "403": Misconfigured,
    "404": Misconfigured,
    "AccessDenied": Misconfigured,
    "AccessDeniedException": Misconfigured,
    "InvalidClientTokenId": Misconfigured,
    "UnrecognizedClientException": Misconfigured,
    "SignatureDoesNotMatch": Misconfigured,
}
"""By the code in a service's answer. Whatever is not here is Unavailable: trying again loses nothing."""

EXCEPTIONS: dict[type[BotoCoreError], Reaction] = {
    ParamValidationError: Rejected,
    NoCredentialsError: Misconfigured,
    PartialCredentialsError: Misconfigured,
    NoRegionError: Misconfigured,
    UnknownServiceError: Misconfigured,  # a boto3 that is older than the service
}
"""By what botocore raises before a service has answered."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise our own errors for boto3's. Their text names the call and the code, never what was sent."""
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"].get("Code", "?"), error.response["Error"].get("Message", "")
        raise CODES.get(code, Unavailable)(f"{doing}: {code}: {message}") from error
    except ParamValidationError as error:  # its text repeats the values
        raise Rejected(f"{doing}: a parameter is not of the form that the service asks for") from error
    except BotoCoreError as error:
        raise EXCEPTIONS.get(type(error), Unavailable)(f"{doing}: {type(error).__name__}: {error}") from error
