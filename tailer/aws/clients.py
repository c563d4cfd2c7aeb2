"""
boto3's clients: one of each for all streams and threads of this process.

A session costs 15 MB and a client of its own a tenth of a second, so a task of many streams shares them. No other module of the
tailer imports boto3.
"""

import os
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError

from tailer.aws.sqs_sink import CALLS_AT_ONCE
from tailer.errors import Misconfigured
from tailer.waits import WAITS

AWS_CONFIG = Config(  # one attempt a call: the waiting and the trying again are ours, in one place
    connect_timeout=5,  # seconds, like the next; together they are how long a stopping tailer waits for a call
    read_timeout=10,
    retries={"total_max_attempts": 1},
    max_pool_connections=CALLS_AT_ONCE,
    parameter_validation=False,
    tcp_keepalive=True,
)

_making = threading.Lock()  # threads may share a client, but not a session

Environment = frozenset[tuple[str, str]]


def aws_client(service: str, config: Config = AWS_CONFIG) -> Any:
    """
    The client of a service. ECS puts the region in AWS_REGION, boto3 by itself reads AWS_DEFAULT_REGION only.

    Raises:
        Misconfigured: what boto3 reads in the environment cannot be used; nothing was asked of AWS.
    """
    try:
        with _making:
            return _client(service, config, _environment())
    except (NoRegionError, InvalidRegionError) as error:
        raise Misconfigured(f"AWS_REGION: {error} Set it to the region of the queue, e.g. eu-central-1") from error
    except BotoCoreError as error:  # as of a profile that does not exist
        raise Misconfigured(
            f"cannot create the AWS client for {service}: {error}; check AWS_PROFILE, AWS_CONFIG_FILE and the credentials"
        ) from error
    except ValueError as error:
        raise Misconfigured(f"cannot create the AWS client for {service}: AWS_ENDPOINT_URL is not a URL") from error


def _environment() -> Environment:
    """All that boto3 reads. It never changes in production; each test may have its own."""
    return frozenset((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))


@cache
def _client(service: str, config: Config, environment: Environment) -> Any:
    made = _session(environment).client(service, config=config)
    made.meta.events.register("before-call", lambda model, **_: WAITS.begin(f"AWS to answer {service} {model.name}"))
    for over in ("after-call", "after-call-error"):
        made.meta.events.register(over, lambda **_: WAITS.end())
    return made


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
