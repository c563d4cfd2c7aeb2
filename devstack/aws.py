"""Clients of the emulated AWS. One region, one account, credentials that open nothing."""

import os
import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"
ACCOUNT = "000000000000"
KEY = "test"  # nothing real is named by it; for servers of ours that ask for none

Clients = Callable[[str], Any]  # a service's name to its boto3 client


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


class Aws:
    """
    ``aws("sqs")`` is a boto3 client of the emulator: made once, whatever the developer's own AWS settings say. ``key`` is the
    access key that the emulator lets in.
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
        """The same for a process of its own, in boto3's own variables."""
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
    """The clients of an emulator that runs already; the environment says which access key it lets in."""
    return Aws(endpoint_url, os.environ.get("AWS_ACCESS_KEY_ID") or KEY)
