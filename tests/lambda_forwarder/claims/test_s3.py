"""A bucket's own ways: its codes, a broken download, a bucket that is not there."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError
from msgspec.structs import replace

from devstack.aws import Aws
from devstack.resources import CLAIM_BUCKET
from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.errors import ForwarderError, Misconfigured, Rejected, Unavailable
from tests.lambda_forwarder.claims.test_claims import a_claim
from tests.lambda_forwarder.values import forever


class Failing:
    """A client, and an object's body, that fail in every call with what they were given."""

    def __init__(self, error: Exception, *, late: bool = False) -> None:
        self.error = error
        self.late = late
        self.closed = False

    def get_object(self, **_: object) -> dict[str, Any]:
        if self.late:
            return {"Body": self}
        raise self.error

    def read(self, _: int) -> bytes:
        raise self.error

    def __enter__(self) -> "Failing":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


@pytest.mark.parametrize("key", ["", "k" * 1_025, "a b", "a\nb", "a\x1b[2Jb", "\ud800", "é"])
def test_a_key_that_is_none_of_ours_is_refused_unasked(key: str) -> None:
    """No answer is waited for: S3 lists the bucket for an empty key, and writes others into XML that no parser reads."""
    unasked = S3Claims(Failing(AssertionError("it was asked")), "claims")
    with pytest.raises(Rejected, match="key"):
        unasked.fetch(replace(a_claim("claims"), key=key), forever)


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        ("NoSuchKey", Rejected),
        ("InvalidObjectState", Rejected),
        ("NoSuchBucket", Misconfigured),
        ("AccessDenied", Misconfigured),
        ("PermanentRedirect", Misconfigured),
        ("SlowDown", Unavailable),
        ("ServiceUnavailable", Unavailable),
        ("InternalError", Unavailable),
        ("RequestTimeout", Unavailable),
        ("ExpiredToken", Unavailable),
    ],
)
def test_an_response_has_its_reaction(code: str, reaction: type[ForwarderError]) -> None:
    """Gone for good, a person's to mend, or not now."""
    error = ClientError({"Error": {"Code": code, "Message": "said so"}}, "GetObject")
    with pytest.raises(reaction, match=code):
        S3Claims(Failing(error), "claims").fetch(a_claim("claims"), forever)


@pytest.mark.parametrize(
    "error",
    [ReadTimeoutError(endpoint_url="https://s3"), IncompleteReadError(actual_bytes=1, expected_bytes=2)],
    ids=lambda error: type(error).__name__,
)
def test_a_download_that_breaks_off_is_tried_again(error: Exception) -> None:
    """The answer had begun; the message comes again, and the connection is given back."""
    client = Failing(error, late=True)
    with pytest.raises(Unavailable):
        S3Claims(client, "claims").fetch(a_claim("claims"), forever)
    assert client.closed


def test_a_bucket_in_order_passes(aws: Aws) -> None:
    """The dev stack's own."""
    S3Claims(aws("s3"), CLAIM_BUCKET).check()


def test_a_missing_bucket_is_told_at_the_start(aws: Aws) -> None:
    """The message names the setting, the bucket and the permissions."""
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_CLAIM_BUCKET: bucket 'nowhere' cannot be used: .*does not exist.*s3:ListBucket"
    ):
        S3Claims(aws("s3"), "nowhere").check()


def test_a_bucket_that_we_may_not_write_is_told() -> None:
    """With the permission; the event's message stays in the queue rather than be parked."""

    class Client:
        def put_object(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "said so"}}, "PutObject")

    with pytest.raises(Misconfigured, match=r"FORWARDER_CLAIM_BUCKET.*s3:PutObject"):
        S3Claims(Client(), "claims").store("events/Noted/1.json", b"{}")
