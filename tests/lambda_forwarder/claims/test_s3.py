"""S3 claims: error codes, a broken download, a missing bucket."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError
from msgspec.structs import replace

from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.errors import ForwarderError, Misconfigured, Rejected, Unavailable
from tailrace.dev.aws import Aws
from tailrace.dev.resources import CLAIM_BUCKET
from tests.lambda_forwarder.claims.test_claims import a_claim
from tests.lambda_forwarder.values import forever


class FailingClient:
    """A client, and the body of an object, whose calls raise this error."""

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

    def __enter__(self) -> "FailingClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


@pytest.mark.parametrize("key", ["", "k" * 1_025, "a b", "a\nb", "a\x1b[2Jb", "\ud800", "é"])
def test_illegal_key_is_refused_without_a_request(key: str) -> None:
    """S3 lists the bucket for an empty key, and returns unparsable XML for others."""
    unasked = S3Claims(FailingClient(AssertionError("it was asked")), "claims")
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
def test_s3_error_maps_to_its_reaction(code: str, reaction: type[ForwarderError]) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "said so"}}, "GetObject")
    with pytest.raises(reaction, match=code):
        S3Claims(FailingClient(error), "claims").fetch(a_claim("claims"), forever)


@pytest.mark.parametrize(
    "error",
    [ReadTimeoutError(endpoint_url="https://s3"), IncompleteReadError(actual_bytes=1, expected_bytes=2)],
    ids=lambda error: type(error).__name__,
)
def test_broken_download_is_unavailable(error: Exception) -> None:
    """The connection is returned to the pool."""
    client = FailingClient(error, late=True)
    with pytest.raises(Unavailable):
        S3Claims(client, "claims").fetch(a_claim("claims"), forever)
    assert client.closed


def test_usable_bucket_passes_the_check(aws: Aws) -> None:
    S3Claims(aws("s3"), CLAIM_BUCKET).check()


def test_missing_bucket_is_reported_at_the_start(aws: Aws) -> None:
    """With the setting, the bucket and the permissions."""
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_CLAIM_BUCKET: bucket 'nowhere' cannot be used: .*does not exist.*s3:ListBucket"
    ):
        S3Claims(aws("s3"), "nowhere").check()


def test_bucket_without_write_permission_is_misconfigured() -> None:
    """The message stays in the queue and is not parked."""

    class Client:
        def put_object(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "said so"}}, "PutObject")

    with pytest.raises(Misconfigured, match=r"FORWARDER_CLAIM_BUCKET.*s3:PutObject"):
        S3Claims(Client(), "claims").store("events/Noted/1.json", b"{}")
