"""The forwarder's AWS clients, and the timeouts of their calls."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from lambda_forwarder.aws import clients
from lambda_forwarder.errors import Misconfigured
from tests.conformance.aws_clients import AwsClientsConformance, Client
from tests.lambda_forwarder.publishing.test_eventbridge import StubResponse


class TestAwsClients(AwsClientsConformance):
    @pytest.fixture
    def client(self) -> Client:
        return clients.client

    @pytest.fixture
    def misconfigured(self) -> type[Exception]:
        return Misconfigured

    @pytest.mark.parametrize(
        ("left", "read"), [(900.0, 4), (30.0, 4), (12.0, 4), (7.0, 2.5), (5.0, 1.5), (3.0, 1.0), (0.0, 1.0)]
    )
    def test_call_ends_before_the_invocation(
        self, client: Client, left: float, read: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both attempts fit into the time that is left, minus one second for the response."""
        monkeypatch.setattr("lambda_forwarder.aws.clients._end", [])
        waited: list[object] = []

        def answered(request: Any, **_: object) -> AWSResponse:
            waited.append(request.context.get("read_timeout"))
            return StubResponse(request.url, 200, b"{}")

        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-test-too")
        sqs = client("sqs")
        sqs.meta.events.register("before-send", answered)
        sqs.list_queues()
        clients.until(lambda: left)
        sqs.list_queues()
        sqs.meta.events.unregister("before-send", answered)
        assert waited == [None, read]
