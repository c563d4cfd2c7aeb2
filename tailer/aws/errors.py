"""What SQS, DynamoDB and S3 answer when something is wrong, as the error that the tailer needs."""

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
    Raise our own error instead of botocore's, naming the setting it is about.

    ``missing`` is the remedy where the resource is not there, if there is more to it than to correct the setting.
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
    setting: str, resource: str, code: str, text: str, missing: str = "", asked: str = "SendMessageBatch"
) -> TailerError:
    """Our own error for an AWS error code, also for the code of a single entry of a batch. ``asked`` is the operation."""
    reaction, cause = meaning(code, text)
    remedy = f"; {missing}" if missing and cause == MISSING else ""
    response = ": ".join(filter(None, (asked, redacted(code), redacted(text))))
    return _REACTIONS[reaction](f"{setting}: {resource} {cause}{remedy} ({response})")
