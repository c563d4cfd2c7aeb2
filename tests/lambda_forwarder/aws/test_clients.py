"""boto3's clients: one of each, and a sentence where none can be made."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from lambda_forwarder.aws.clients import client, until
from lambda_forwarder.errors import Misconfigured
from tests.lambda_forwarder.publishing.test_eventbridge import Answered

SERVICES = ("sqs", "dynamodb", "s3", "sqs")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ECS and Lambda set: a region, by its newer name only."""
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def test_all_threads_share_one_session_and_one_client_of_each_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at the same time: a session costs 15 MB."""
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


def test_no_call_waits_longer_than_a_stop_may_take() -> None:
    """Every client has a bound on a connection and on an answer."""
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
def test_what_cannot_be_used_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str) -> None:
    """Named, and no reason to start again and again."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=told) as caught:
        client("sqs")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("left", "read"), [(900.0, 4), (30.0, 4), (12.0, 4), (7.0, 2.5), (5.0, 1.5), (3.0, 1.0), (0.0, 1.0)])
def test_no_call_waits_beyond_the_end_of_the_invocation(left: float, read: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both times that it is made fit into what is left, but for the second in which an answer comes as a rule."""
    monkeypatch.setattr("lambda_forwarder.aws.clients._end", [])
    waited: list[object] = []

    def answered(request: Any, **_: object) -> AWSResponse:
        waited.append(request.context.get("read_timeout"))
        return Answered(request.url, 200, b"{}")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-test-too")
    sqs = client("sqs")
    sqs.meta.events.register("before-send", answered)
    sqs.list_queues()
    until(lambda: left)
    sqs.list_queues()
    sqs.meta.events.unregister("before-send", answered)
    assert waited == [None, read]
