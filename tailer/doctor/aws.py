"""What the doctor asks of AWS: with patience for one short answer, and without a right that a tailer does not need."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from tailer.aws.clients import AWS_CONFIG, aws_client
from tailer.aws.errors import aws_errors
from tailer.doctor.database import skewed
from tailer.doctor.finding import NotAllowed, OutOfReach, Verdict, fail, ok, skip

Clients = Callable[[str], Any]
"""A service's name to its boto3 client."""

_QUICK = AWS_CONFIG.merge(Config(connect_timeout=3, read_timeout=5))
_COLD_START = _QUICK.merge(Config(read_timeout=30))  # seconds, before an invoked function responds
_NO_WAY = (ConnectTimeoutError, EndpointConnectionError, HTTPClientError)
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


def client(service: str) -> Any:
    """As a tailer's, and giving up sooner."""
    return aws_client(service, _COLD_START if service == "lambda" else _QUICK)


@contextmanager
def allowed(right: str, setting: str, resource: str) -> Iterator[None]:
    """
    For what a tailer need not do. The right begins with the service's name.

    Raises:
        NotAllowed: AWS refuses for want of this right.
        OutOfReach: the service is not to be reached, as where a network has endpoints only for what a tailer needs.
        TailerError: as ``aws_errors``.
    """
    with aws_errors(setting, resource):
        try:
            yield
        except ClientError as error:
            if error.response["Error"].get("Code") in _DENIED:
                raise NotAllowed(right) from error
            raise
        except _NO_WAY as error:
            raise OutOfReach(right.partition(":")[0]) from error


class Identity:
    """Who this process is to AWS."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def known(self) -> Verdict:
        """Asked of STS, which a tailer itself never calls: no answer is no failure."""
        try:
            who = self._clients("sts").get_caller_identity()["Arn"]
        except (NoCredentialsError, PartialCredentialsError) as error:
            return fail(f"{error}", "give the task a role, or AWS_REGION and credentials in its environment")
        except (BotoCoreError, ClientError, ValueError) as error:
            return skip(f"STS does not say: {error}")
        return ok(str(who))


def clock(response: Any, now: datetime) -> Verdict:
    """Our clock beside that of the service that answered; AWS refuses what is signed five minutes off."""
    said = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if not said:
        return skip("the answer has no date")
    return skewed("the clock of AWS", (parsedate_to_datetime(said) - now).total_seconds())
