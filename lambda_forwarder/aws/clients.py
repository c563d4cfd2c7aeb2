"""The boto3 clients: one for each service and process. No other module of the forwarder imports boto3."""

import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError, UnknownServiceError

from lambda_forwarder.errors import Misconfigured

CONNECT, READ = 1, 4  # seconds; the timeouts of a call for connecting and for reading
READ_LEAST = 1.0  # seconds; the shortest read timeout, in which most responses arrive

CONFIG = Config(
    connect_timeout=CONNECT,
    read_timeout=READ,
    retries={"mode": "standard", "total_max_attempts": 2},  # of a call; the publisher retries single entries
    parameter_validation=False,  # 0.4 ms a call; the adapters build every request themselves
    s3={"addressing_style": "path"},  # a custom endpoint has no host name for each bucket
)

_end: list[Callable[[], float]] = []  # seconds to the end of the present invocation, if there is one
_making = threading.Lock()  # threads may share a client, but not a session

Environment = frozenset[tuple[str, str]]


def until(seconds: Callable[[], float]) -> None:
    """Limit the timeout of all following calls to the end of the invocation. ``seconds`` returns the time until then."""
    _end[:] = [seconds]


def client(service: str) -> Any:
    """
    Return the client of a service. The region is AWS_REGION; boto3 by itself reads AWS_DEFAULT_REGION only.

    Raises:
        Misconfigured: boto3 cannot use the environment; no call to AWS was made.
    """
    try:
        with _making:
            return _client(service, _environment())
    except (NoRegionError, InvalidRegionError) as error:
        raise Misconfigured(f"AWS_REGION: {error} Set it to the region of the queue, e.g. eu-central-1") from error
    except UnknownServiceError as error:  # whose text names all the services that boto3 knows
        raise Misconfigured(f"boto3 {boto3.__version__} does not know the service {service}: install a newer boto3") from error
    except BotoCoreError as error:  # as of a profile that does not exist
        raise Misconfigured(
            f"no AWS client for {service}: {error}; check AWS_PROFILE, AWS_CONFIG_FILE and the credentials"
        ) from error
    except ValueError as error:
        raise Misconfigured(f"no AWS client for {service}: AWS_ENDPOINT_URL is not a URL") from error


def _environment() -> Environment:
    """The variables that boto3 reads. They never change in production; a test can set its own."""
    return frozenset((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))


@cache
def _client(service: str, environment: Environment) -> Any:
    made = _session(environment).client(service, config=CONFIG)
    made.meta.events.register("before-call", _bounded)
    return made


def _bounded(context: dict[str, Any], **_: object) -> None:
    """Set the read timeout of a single call, as botocore allows. The call and its one retry must fit into the time left."""
    if _end:
        context["read_timeout"] = min(READ, max(READ_LEAST, _end[0]() / 2 - CONNECT))


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
