"""The tailer's AWS clients."""

import pytest

from tailer.aws.clients import aws_client
from tailer.errors import Misconfigured
from tests.conformance.aws_clients import AwsClientsConformance, Client


class TestAwsClients(AwsClientsConformance):
    @pytest.fixture
    def client(self) -> Client:
        return aws_client

    @pytest.fixture
    def misconfigured(self) -> type[Exception]:
        return Misconfigured
