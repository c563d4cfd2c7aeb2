"""Data in S3 is read from the consumer's bucket only, and only if it is what the producer stored."""

import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from devstack import DevStack
from tailrace.consuming import NotAnEvent, S3Claims
from tailrace.dev.aws import REGION
from tailrace.wire.change import Claim

DATA = b'{"paymentId": "p-1"}'


@pytest.fixture
def claim(stack: DevStack, fresh: str) -> Claim:
    bucket = f"{fresh}-consumed"
    stack.aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    stack.aws("s3").put_object(Bucket=bucket, Key="events/1.json", Body=DATA)
    return Claim(bucket=bucket, key="events/1.json", bytes=len(DATA), sha256=hashlib.sha256(DATA).hexdigest())


def test_object_is_fetched(stack: DevStack, claim: Claim) -> None:
    assert S3Claims(stack.aws("s3"), claim.bucket)(claim) == DATA


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"bucket": "secrets"}, "another bucket than"),
        ({"sha256": "0" * 64}, "not the one that the producer stored"),
        ({"bytes": 5}, "not the one that the producer stored"),
        ({"bytes": 10**9}, "not the one that the producer stored"),
        ({"bytes": -1}, "not the one that the producer stored"),
    ],
)
def test_other_object_is_refused(stack: DevStack, claim: Claim, changed: dict[str, Any], reason: str) -> None:
    """Whoever may write to the bus must not choose what the consumer's role reads."""
    with pytest.raises(NotAnEvent, match=reason):
        S3Claims(stack.aws("s3"), claim.bucket)(replace(claim, **changed))
