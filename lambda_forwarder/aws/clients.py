"""The boto3 clients: one for each service and process. No other module of the forwarder imports boto3."""

import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from lambda_forwarder.errors import Misconfigured
from tailrace.aws.clients import Environment, environment, problem

CONNECT, READ = 1, 4  # seconds; the timeouts of a call for connecting and for reading
READ_LEAST = 1.0  # seconds; the shortest read timeout, in which most responses arrive

CONFIG = Config(
    connect_timeout=CONNECT,
    read_timeout=READ,
    retries={"mode": "standard", "total_max_attempts": 2},  # of a call; the publisher retries single entries
    parameter_validation=False,  # 0.4 ms a call; the adapters build every request themselves
    s3={"addressing_style": "path"},  # a custom endpoint has no host name for each bucket
)

_end: list[Callable[[], float]] = []  # returns the seconds to the end of the current invocation; empty outside one
_creating = threading.Lock()  # threads may share a client, but not a session


def until(seconds: Callable[[], float]) -> None:
    """Limit the timeout of all following calls to the end of the invocation. ``seconds`` returns the time until then."""
    _end[:] = [seconds]


def client(service: str) -> Any:
    """Return the client of a service. The region is AWS_REGION; boto3 by itself reads AWS_DEFAULT_REGION only."""
    try:
        with _creating:
            return _client(service, environment())
    except (BotoCoreError, ValueError) as error:
        raise Misconfigured(problem(service, error)) from error


@cache
def _client(service: str, environment: Environment) -> Any:
    created = _session(environment).client(service, config=CONFIG)
    created.meta.events.register("before-call", _bounded)
    return created


def _bounded(context: dict[str, Any], **_: object) -> None:
    """Set the read timeout of a single call, as botocore allows. The call and its one retry must fit into the time left."""
    if _end:
        context["read_timeout"] = min(READ, max(READ_LEAST, _end[0]() / 2 - CONNECT))


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
