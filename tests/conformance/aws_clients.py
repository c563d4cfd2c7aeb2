"""How both packages create boto3 clients: one session, one client per service, and a clear error."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

SERVICES = ("sqs", "dynamodb", "s3", "sqs")
Client = Callable[[str], Any]


class AwsClientsConformance:
    """A subclass has the fixtures ``client``, which makes clients, and ``misconfigured``, the error of its package."""

    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the region as ECS and Lambda do, by its newer name only."""
        for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    def test_all_threads_share_one_session_and_one_client_per_service(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A session takes 15 MB."""
        sessions: list[boto3.Session] = []
        make = boto3.Session

        def made(**options: str) -> boto3.Session:
            sessions.append(make(**options))
            return sessions[-1]

        monkeypatch.setattr("boto3.Session", made)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-test")
        with ThreadPoolExecutor(8) as threads:
            clients = list(threads.map(client, SERVICES * 8))
        assert len(sessions) == 1
        assert len({id(one) for one in clients}) == len(set(SERVICES))
        assert client("sqs").meta.region_name == "eu-west-1"

    def test_client_timeouts_are_shorter_than_a_stop(self, client: Client) -> None:
        """For connections and for responses."""
        for service in SERVICES:
            config = client(service).meta.config
            assert config.connect_timeout <= 5
            assert config.read_timeout <= 10

    @pytest.mark.parametrize(
        ("variable", "value", "told"),
        [
            ("AWS_REGION", "", "^AWS_REGION: You must specify a region.*, e.g. eu-central-1$"),
            ("AWS_REGION", "eu central", "^AWS_REGION: .*eu central.*, e.g. eu-central-1$"),
            ("AWS_PROFILE", "none", r"The config profile \(none\) could not be found; check AWS_PROFILE"),
            ("AWS_ENDPOINT_URL", "user:secret@nowhere", "AWS_ENDPOINT_URL is not a URL"),
            ("AWS_CONFIG_FILE", __file__, "AWS_CONFIG_FILE"),
            ("AWS_SECRET_ACCESS_KEY", "", "missing: AWS_SECRET_ACCESS_KEY"),
        ],
    )
    def test_unusable_client_setting_is_misconfigured(
        self,
        client: Client,
        misconfigured: type[Exception],
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        value: str,
        told: str,
    ) -> None:
        """A restart would not help."""
        monkeypatch.setenv(variable, value)
        with pytest.raises(misconfigured, match=told) as caught:
            client("sqs")
        assert "secret" not in str(caught.value)
