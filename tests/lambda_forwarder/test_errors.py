"""Errors of boto3 are translated to errors named for their reaction."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
)

from lambda_forwarder.errors import ForwarderError, Misconfigured, Rejected, Unavailable, aws_error, translated
from tailrace.aws.responses import Reaction
from tests.tailrace.aws.test_responses import CASES

KINDS = {Reaction.RETRY: Unavailable, Reaction.FIX: Misconfigured, Reaction.REFUSED: Rejected}


@pytest.mark.parametrize(("code", "text", "reaction", "words"), [*CASES, ("SomethingNew", "", Reaction.RETRY, "not know")])
def test_service_error_maps_to_its_reaction(code: str, text: str, reaction: Reaction, words: str) -> None:
    """Of a whole call and of one entry. An unknown one is retried."""
    with pytest.raises(ForwarderError) as raised, translated("PutEvents"):
        raise ClientError({"Error": {"Code": code, "Message": text}}, "PutEvents")
    for error in (raised.value, aws_error("PutEvents", code, text)):
        assert type(error) is KINDS[reaction]
        assert str(error).startswith("PutEvents failed: the resource ")
        assert words in str(error)
        assert f"({code}" in str(error)
        assert text[:40] in str(error)


@pytest.mark.parametrize(
    ("error", "reaction"),
    [
        (ReadTimeoutError(endpoint_url="https://events"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://events"), Unavailable),
        (EndpointConnectionError(endpoint_url="https://events"), Unavailable),
        (NoCredentialsError(), Misconfigured),
        (NoRegionError(), Misconfigured),
    ],
)
def test_failure_without_a_response_maps_to_its_reaction(error: BotoCoreError, reaction: type[ForwarderError]) -> None:
    """Network errors are retried; missing credentials are a wrong configuration."""
    with pytest.raises(reaction) as raised, translated("PutEvents"):
        raise error
    assert raised.value.__cause__ is error


def test_invalid_parameter_error_hides_the_value() -> None:
    """botocore's text repeats it."""
    with pytest.raises(Rejected) as raised, translated("PutEvents"):
        raise ParamValidationError(report="Invalid type for parameter Detail, value: secret")
    assert "secret" not in str(raised.value)
