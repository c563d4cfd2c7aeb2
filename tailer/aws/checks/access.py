"""Calls to AWS that a tailer does not make, and who this process is to AWS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
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
from tailer.aws.remedies import NETWORK
from tailer.checks import Check, Finding, NotChecked, fail, not_allowed, ok, out_of_reach, skip

Clients = Callable[[str], Any]
"""Returns the boto3 client of a service."""

CREDENTIALS = "give the task a role, or AWS_REGION and credentials in its environment"
_QUICK = AWS_CONFIG.merge(Config(connect_timeout=3, read_timeout=5))
_COLD_START = _QUICK.merge(Config(read_timeout=30))  # seconds, before an invoked function responds
_NO_ROUTE = (ConnectTimeoutError, EndpointConnectionError, HTTPClientError)
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


def quick_client(service: str) -> Any:
    """The client of a service with shorter timeouts than a tailer's, which end before a check does."""
    return aws_client(service, _COLD_START if service == "lambda" else _QUICK)


@contextmanager
def allowed(right: str, setting: str, resource: str) -> Iterator[None]:
    """
    Make a call that a tailer does not need. The right begins with the service's name. Raise ``NotChecked`` if this process does
    not have the right, or the network has no route to the service.
    """
    with aws_errors(setting, resource):
        try:
            yield
        except ClientError as error:
            if error.response["Error"].get("Code") in _DENIED:
                raise NotChecked(not_allowed(right)) from error
            raise
        except _NO_ROUTE as error:
            raise NotChecked(out_of_reach(right.partition(":")[0])) from error


def identity(clients: Clients) -> Check:
    outage = f"check that AWS is reachable from here: {NETWORK}"
    return Check(name="aws.identity", run=partial(_identity, clients), outage=outage, mistake=CREDENTIALS)


def _identity(clients: Clients) -> Finding:
    """Ask STS. A tailer never calls it, so no response is no failure."""
    try:
        return ok(str(clients("sts").get_caller_identity()["Arn"]))
    except (NoCredentialsError, PartialCredentialsError) as error:
        return fail(f"{error}", CREDENTIALS)
    except (BotoCoreError, ClientError, ValueError) as error:
        return skip(f"STS does not respond: {error}")
