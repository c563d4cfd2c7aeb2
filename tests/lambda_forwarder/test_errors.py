"""The translation table: what boto3 raises, as the reaction it needs."""

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

from lambda_forwarder.errors import ForwarderError, Misconfigured, Rejected, Unavailable, translated


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        ("ThrottlingException", Unavailable),
        ("InternalFailure", Unavailable),
        ("ServiceUnavailable", Unavailable),
        ("SomethingNew", Unavailable),
        ("ExpiredTokenException", Unavailable),
        ("ValidationException", Rejected),
        ("AccessDeniedException", Misconfigured),
        ("ResourceNotFoundException", Misconfigured),
        ("AWS.SimpleQueueService.NonExistentQueue", Misconfigured),
        ("NoSuchBucket", Misconfigured),
        ("403", Misconfigured),
        ("404", Misconfigured),
        ("NoSuchKey", Rejected),
        ("ProvisionedThroughputExceededException", Unavailable),
    ],
)
def test_a_service_answer_is_named_by_its_reaction(code: str, reaction: type[ForwarderError]) -> None:
    """Known codes have their reaction; an unknown one is tried again, which loses nothing."""
    with pytest.raises(reaction, match=code), translated("PutEvents"):
        raise ClientError({"Error": {"Code": code, "Message": "said so"}}, "PutEvents")


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
def test_a_failure_before_an_answer_is_named_too(error: BotoCoreError, reaction: type[ForwarderError]) -> None:
    """The network is tried again; what is missing here is a person's to mend."""
    with pytest.raises(reaction) as raised, translated("PutEvents"):
        raise error
    assert raised.value.__cause__ is error


def test_a_bad_parameter_does_not_tell_its_value() -> None:
    """botocore's text repeats what was sent; ours does not."""
    with pytest.raises(Rejected) as raised, translated("PutEvents"):
        raise ParamValidationError(report="Invalid type for parameter Detail, value: secret")
    assert "secret" not in str(raised.value)
