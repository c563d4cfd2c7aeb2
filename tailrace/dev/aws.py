"""Clients of the AWS emulator, for one region and one account, with credentials that are valid nowhere else."""

import os
import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"
ACCOUNT = "000000000000"
KEY = "test"  # for servers of this repository, which check no key

Clients = Callable[[str], Any]  # returns the boto3 client of a service, by its name


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


class Aws:
    """
    ``aws("sqs")`` returns the boto3 client of the emulator. It is created once and ignores the developer's own AWS settings.
    ``key`` is the access key that the emulator accepts.
    """

    def __init__(self, endpoint_url: str, key: str = KEY) -> None:
        self.endpoint_url = endpoint_url
        self._key = key
        self._session = boto3.session.Session(key, key, region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # boto3's clients may be shared by threads, its sessions may not

    def __call__(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                # An empty mapping: no proxy between two processes of one machine. A bucket is no host name here.
                retries, s3 = {"total_max_attempts": 3, "mode": "standard"}, {"addressing_style": "path"}
                config = Config(proxies={}, retries=retries, s3=s3)
                self._clients[service] = self._session.client(service, endpoint_url=self.endpoint_url, config=config)
            return self._clients[service]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables with which boto3 in another process uses the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": self._key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def elsewhere(endpoint_url: str) -> Aws:
    """Return the clients of an emulator that already runs. AWS_ACCESS_KEY_ID is the access key that it accepts."""
    return Aws(endpoint_url, os.environ.get("AWS_ACCESS_KEY_ID") or KEY)
