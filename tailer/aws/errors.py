"""Errors of SQS, DynamoDB and S3, translated into the tailer's own."""

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
from tailrace.aws.responses import MISSING, Reaction, meaning
from tailrace.text.redaction import redacted

_REACTIONS: dict[Reaction, type[TailerError]] = {
    Reaction.RETRY: Unavailable,
    Reaction.FIX: Misconfigured,
    Reaction.REFUSED: Rejected,
}


@contextmanager
def aws_errors(setting: str, resource: str, missing: str = "") -> Iterator[None]:
    """
    Raise our own error instead of botocore's, with the name of the setting.

    ``missing`` is the remedy if the resource does not exist, where it takes more than to correct the setting.
    """
    try:
        yield
    except ClientError as error:
        code, text = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        raise translated(setting, resource, code, text, missing, error.operation_name) from error
    except (NoCredentialsError, PartialCredentialsError, NoRegionError) as error:
        raise Misconfigured(f"{error}: the task needs a role, or AWS_REGION and credentials in its environment") from error
    except ParamValidationError as error:
        raise Misconfigured(f"{setting}: {resource}: {redacted(error.kwargs['report'])}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{setting}: {resource}: {redacted(str(error))}") from error


def translated(
    setting: str, resource: str, code: str, text: str, missing: str = "", operation: str = "SendMessageBatch"
) -> TailerError:
    """Return our own error for an AWS error code, also for that of one entry of a batch. ``operation`` is the API's name."""
    reaction, cause = meaning(code, text)
    remedy = f"; {missing}" if missing and cause == MISSING else ""
    response = ": ".join(filter(None, (operation, redacted(code), redacted(text))))
    return _REACTIONS[reaction](f"{setting}: {resource} {cause}{remedy} ({response})")
