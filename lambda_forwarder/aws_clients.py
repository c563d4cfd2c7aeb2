"""boto3's clients: one of each for this process. No other module of the forwarder imports boto3."""

import os
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError, UnknownServiceError

from lambda_forwarder.errors import Misconfigured

CONFIG = Config(
    connect_timeout=1,  # seconds
    read_timeout=4,  # seconds
    retries={"mode": "standard", "total_max_attempts": 2},  # of a whole call; entries are retried by the publisher
    parameter_validation=False,  # 0.4 ms a call; the adapters build every request themselves
    s3={"addressing_style": "path"},  # a bucket is no host name at an endpoint of one's own
)

_making = threading.Lock()  # threads may share a client, but not a session

Environment = frozenset[tuple[str, str]]


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
    return _session(environment).client(service, config=CONFIG)


@cache
def _session(_: Environment) -> boto3.Session:
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
