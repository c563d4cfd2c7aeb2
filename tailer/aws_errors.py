"""What SQS, DynamoDB and S3 answer when something is wrong, and the reaction each answer needs."""

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

from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable

_NO_SUCH = "does not exist in this account and region"
_DENIED = "the task's role may not use it: grant what infra/ grants"
_KEYS = "AWS does not accept the task's credentials: check the task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

_BY_CODE: dict[str, tuple[type[TailerError], str]] = {
    "AWS.SimpleQueueService.NonExistentQueue": (Misconfigured, _NO_SUCH),
    "QueueDoesNotExist": (Misconfigured, _NO_SUCH),
    "ResourceNotFoundException": (Misconfigured, _NO_SUCH),
    "NoSuchBucket": (Misconfigured, _NO_SUCH),
    "InvalidAddress": (Misconfigured, "is not the URL of a queue"),
    "AccessDenied": (Misconfigured, _DENIED),
    "AccessDeniedException": (Misconfigured, _DENIED),
    "InvalidClientTokenId": (Misconfigured, _KEYS),
    "UnrecognizedClientException": (Misconfigured, _KEYS),
    "SignatureDoesNotMatch": (Misconfigured, _KEYS),
    "ValidationException": (Misconfigured, "needs a partition key named pk, of type string"),
    "InvalidMessageContents": (Rejected, "the queue does not accept a character of the message"),
    "AWS.SimpleQueueService.InvalidBatchEntryId": (Rejected, "the queue does not accept the call"),
    "AWS.SimpleQueueService.BatchRequestTooLong": (Rejected, "the call is too long"),
    "InvalidParameterValue": (Rejected, "the queue does not accept a value"),
}  # anything else (throttling, 5xx, expired credentials, which the SDK renews) is worth another try after a wait


@contextmanager
def aws_errors(setting: str, resource: str, missing: str = "") -> Iterator[None]:
    """
    Raise our own error instead of botocore's, naming the setting it is about.

    ``missing`` is the remedy where the resource is not there, if there is more to it than to correct the setting.
    """
    try:
        yield
    except ClientError as error:
        code, text = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        raise translated(setting, resource, code, text, missing) from error
    except (NoCredentialsError, PartialCredentialsError, NoRegionError) as error:
        raise Misconfigured(f"{error}: the task needs a role, or AWS_REGION and credentials in its environment") from error
    except ParamValidationError as error:
        raise Misconfigured(f"{setting}: {resource}: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{setting}: {resource}: {error}") from error


def translated(setting: str, resource: str, code: str, text: str, missing: str = "") -> TailerError:
    """Our own error for an AWS error code, also for the code of a single entry of a batch."""
    kind, meaning = _BY_CODE.get(code, (Unavailable, "does not accept this now"))
    remedy = f"; {missing}" if missing and meaning == _NO_SUCH else ""
    return kind(f"{setting}: {resource} {meaning}{remedy} ({code}: {text})")
