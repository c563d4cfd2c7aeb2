"""Each answer of AWS gets the reaction it needs, code by code; the setting and the resource are named."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
)

from tailer.aws_errors import aws_errors, translated
from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", Misconfigured),
        ("QueueDoesNotExist", Misconfigured),
        ("ResourceNotFoundException", Misconfigured),
        ("NoSuchBucket", Misconfigured),
        ("InvalidAddress", Misconfigured),
        ("AccessDenied", Misconfigured),
        ("AccessDeniedException", Misconfigured),
        ("InvalidClientTokenId", Misconfigured),
        ("UnrecognizedClientException", Misconfigured),
        ("SignatureDoesNotMatch", Misconfigured),
        ("ValidationException", Misconfigured),
        ("InvalidMessageContents", Rejected),
        ("AWS.SimpleQueueService.BatchRequestTooLong", Rejected),
        ("AWS.SimpleQueueService.InvalidBatchEntryId", Rejected),
        ("InvalidParameterValue", Rejected),
        ("RequestThrottled", Unavailable),
        ("ThrottlingException", Unavailable),
        ("ProvisionedThroughputExceededException", Unavailable),
        ("ExpiredToken", Unavailable),
        ("InternalFailure", Unavailable),
        ("ServiceUnavailable", Unavailable),
        ("ACodeOfTheFuture", Unavailable),
    ],
)
def test_a_code_has_a_reaction(code: str, expected: type[TailerError]) -> None:
    """For a whole call and for one entry of a batch alike."""
    with (
        pytest.raises(TailerError, match=f"TAILER_QUEUE_URL: the-queue .*{code}") as caught,
        aws_errors("TAILER_QUEUE_URL", "the-queue"),
    ):
        raise ClientError({"Error": {"Code": code, "Message": "words"}}, "SendMessageBatch")
    assert type(caught.value) is expected
    assert type(translated("TAILER_QUEUE_URL", "the-queue", code, "words")) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EndpointConnectionError(endpoint_url="https://sqs"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://sqs"), Unavailable),
        (ReadTimeoutError(endpoint_url="https://sqs"), Unavailable),
        (NoCredentialsError(), Misconfigured),
        (NoRegionError(), Misconfigured),
        (ParamValidationError(report="no"), Misconfigured),
    ],
)
def test_what_never_reached_aws_has_a_reaction(error: Exception, expected: type[TailerError]) -> None:
    """A name that does not resolve and a cut network are outages; missing credentials are a setting."""
    with pytest.raises(expected), aws_errors("TAILER_QUEUE_URL", "the-queue"):
        raise error
