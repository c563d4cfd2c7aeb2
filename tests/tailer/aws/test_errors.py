"""An error of AWS becomes an error of ours with the setting and the resource, by the table of ``tailrace.aws.responses``."""

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

from tailer.aws.errors import aws_errors, translated
from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable
from tailrace.aws.responses import Reaction
from tests.tailrace.aws.test_responses import CASES

KINDS = {Reaction.RETRY: Unavailable, Reaction.FIX: Misconfigured, Reaction.REFUSED: Rejected}


@pytest.mark.parametrize(("code", "text", "reaction", "words"), [*CASES, ("ACodeOfTheFuture", "", Reaction.RETRY, "not know")])
def test_aws_error_maps_to_its_reaction(code: str, text: str, reaction: Reaction, words: str) -> None:
    """For a whole call and for one entry of a batch."""
    with pytest.raises(TailerError) as caught, aws_errors("TAILER_QUEUE_URL", "the-queue"):
        raise ClientError({"Error": {"Code": code, "Message": text}}, "GetQueueAttributes")
    entry = translated("TAILER_QUEUE_URL", "the-queue", code, text)
    for error, asked in ((caught.value, "GetQueueAttributes"), (entry, "SendMessageBatch")):
        assert type(error) is KINDS[reaction]
        assert str(error).startswith("TAILER_QUEUE_URL: the-queue ")
        assert words in str(error)
        assert f"({asked}: {code}" in str(error)
        assert text[:40] in str(error)


def test_missing_resource_may_have_its_own_remedy() -> None:
    remedy = "set how far each stream was delivered"
    missing = translated("TAILER_CHECKPOINTS", "state", "ResourceNotFoundException", "", remedy)
    assert remedy in str(missing)
    assert remedy not in str(translated("TAILER_CHECKPOINTS", "state", "AccessDeniedException", "", remedy))


def test_secret_in_an_aws_error_is_not_repeated() -> None:
    """AWS repeats the request if its signature is wrong."""
    text = "The signature does not match.\nThe Canonical String should have been\n'POST\nx-amz-security-token:secret"
    assert "secret" not in str(translated("TAILER_QUEUE_URL", "the-queue", "SignatureDoesNotMatch", text))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EndpointConnectionError(endpoint_url="https://sqs"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://sqs"), Unavailable),
        (ReadTimeoutError(endpoint_url="https://sqs"), Unavailable),
        (NoCredentialsError(), Misconfigured),
        (NoRegionError(), Misconfigured),
        (ParamValidationError(report='Invalid bucket name "a b"'), Misconfigured),
    ],
)
def test_failure_without_a_response_maps_to_its_reaction(error: Exception, expected: type[TailerError]) -> None:
    """Network errors are outages, and missing credentials are a wrong setting."""
    with pytest.raises(expected), aws_errors("TAILER_QUEUE_URL", "the-queue"):
        raise error
