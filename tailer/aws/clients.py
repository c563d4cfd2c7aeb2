"""
The boto3 clients: one for each service, shared by all streams and threads of this process.

A session takes 15 MB, and making a client takes a tenth of a second. No other module of the tailer imports boto3.
"""

import os
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from tailer.aws.sqs_sink import CALLS_AT_ONCE
from tailer.errors import Misconfigured
from tailer.waits import WAITS
from tailrace.aws.clients import Environment, environment, problem

AWS_CONFIG = Config(  # one attempt for each call: the sink and the loop retry
    connect_timeout=5,  # seconds, as is the next; a stopping tailer waits for a call as long as both together
    read_timeout=10,
    retries={"total_max_attempts": 1},
    max_pool_connections=CALLS_AT_ONCE,
    parameter_validation=False,
    tcp_keepalive=True,
)

_making = threading.Lock()  # threads may share a client, but not a session


def aws_client(service: str, config: Config = AWS_CONFIG) -> Any:
    """
    Return the client of a service. The region is AWS_REGION, which ECS sets; boto3 by itself reads AWS_DEFAULT_REGION only.
    """
    try:
        with _making:
            return _client(service, config, environment())
    except (BotoCoreError, ValueError) as error:
        raise Misconfigured(problem(service, error)) from error


@cache
def _client(service: str, config: Config, environment: Environment) -> Any:
    made = _session(environment).client(service, config=config)
    made.meta.events.register("before-call", lambda model, **_: WAITS.begin(f"AWS to respond to {service} {model.name}"))
    for over in ("after-call", "after-call-error"):
        made.meta.events.register(over, lambda **_: WAITS.end())
    return made


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
