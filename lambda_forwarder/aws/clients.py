"""boto3's clients: one of each for this process. No other module of the forwarder imports boto3."""

import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError, UnknownServiceError

from lambda_forwarder.errors import Misconfigured

CONNECT, READ = 1, 4  # seconds that a call waits at most, each of its two times
READ_LEAST = 1.0  # seconds, however little time there is: an answer within them is the rule

CONFIG = Config(
    connect_timeout=CONNECT,
    read_timeout=READ,
    retries={"mode": "standard", "total_max_attempts": 2},  # of a whole call; entries are retried by the publisher
    parameter_validation=False,  # 0.4 ms a call; the adapters build every request themselves
    s3={"addressing_style": "path"},  # a bucket is no host name at an endpoint of one's own
)

_end: list[Callable[[], float]] = []  # of the invocation that runs, if there is one
_making = threading.Lock()  # threads may share a client, but not a session

Environment = frozenset[tuple[str, str]]


def until(seconds: Callable[[], float]) -> None:
    """From now on no call waits beyond the end of the invocation, which is so many seconds away."""
    _end[:] = [seconds]


def client(service: str) -> Any:
    """
    The client of a service. People put the region in AWS_REGION, boto3 by itself reads AWS_DEFAULT_REGION only.

    Raises:
        Misconfigured: what boto3 reads in the environment cannot be used; nothing was asked of AWS.
    """
    try:
        with _making:
            return _client(service, _environment())
    except (NoRegionError, InvalidRegionError) as error:
        raise Misconfigured(f"AWS_REGION: {error} Set it to the region of the queue, e.g. eu-central-1") from error
    except UnknownServiceError as error:  # whose text names all the services that boto3 knows
        raise Misconfigured(f"boto3 {boto3.__version__} is older than the service {service}: install a newer one") from error
    except BotoCoreError as error:  # as of a profile that does not exist
        raise Misconfigured(
            f"no AWS client for {service}: {error}; check AWS_PROFILE, AWS_CONFIG_FILE and the credentials"
        ) from error
    except ValueError as error:
        raise Misconfigured(f"no AWS client for {service}: AWS_ENDPOINT_URL is not a URL") from error


def _environment() -> Environment:
    """All that boto3 reads. It never changes in production; each test may have its own."""
    return frozenset((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))


@cache
def _client(service: str, environment: Environment) -> Any:
    made = _session(environment).client(service, config=CONFIG)
    made.meta.events.register("before-call", _bounded)
    return made


def _bounded(context: dict[str, Any], **_: object) -> None:
    """botocore's own way to give a single call another timeout than its client has. It counts for each of the two times."""
    if _end:
        context["read_timeout"] = min(READ, max(READ_LEAST, _end[0]() / 2 - CONNECT))


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
