"""A change too large for a message is stored in S3. Without a bucket it becomes a stub."""

import hashlib
import threading
import time

import pytest

from devstack import DevStack
from tailer.aws.lanes import lanes
from tailer.aws.s3_claims import S3Claims
from tailer.aws.sqs_sink import SqsSink
from tailer.errors import Misconfigured
from tailer.metrics.prometheus import Metrics
from tailrace.wire.message import MESSAGE_LIMIT, encode_change
from tests.queue import received
from tests.samples.changes import a_change
from tests.tailer.aws.test_packing import incompressible_text

HUGE = a_change(2, full_document={"text": incompressible_text(3 * MESSAGE_LIMIT, 1)})


def sink(stack: DevStack, queue_url: str, claims: S3Claims | None) -> SqsSink:
    return SqsSink(
        stack.aws("sqs"),
        queue_url,
        stream="payments",
        lane_of=lanes(1, "document"),
        claims=claims,
        metrics=Metrics("payments"),
        stopping=threading.Event(),
        clock=time.monotonic,
    )


@pytest.fixture
def bucket(stack: DevStack, fresh: str) -> str:
    stack.aws("s3").create_bucket(Bucket=f"{fresh}-claims", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return f"{fresh}-claims"


def test_large_change_is_stored_in_the_bucket(stack: DevStack, queue_url: str, bucket: str) -> None:
    """The message has bucket, key, size and hash. Its neighbours are sent whole and in order."""
    sink(stack, queue_url, S3Claims(stack.aws("s3"), bucket)).send([a_change(1), HUGE, a_change(3)], 1)
    small, claimed, last = received(stack, queue_url)
    assert (small, last) == (a_change(1), a_change(3))
    assert claimed.full_document is None
    assert (claimed.id, claimed.sequence, claimed.document_key) == (HUGE.id, HUGE.sequence, HUGE.document_key)
    claim = claimed.claim
    assert claim is not None
    content = stack.aws("s3").get_object(Bucket=claim.bucket, Key=claim.key)["Body"].read()
    assert content == encode_change(HUGE)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (claim.bytes, claim.sha256)


def test_repeat_claims_the_same_object(stack: DevStack, queue_url: str, bucket: str) -> None:
    """The key depends on the content, so no claimed object is ever overwritten."""
    claims = S3Claims(stack.aws("s3"), bucket)
    for _ in range(2):
        sink(stack, queue_url, claims).send([HUGE], 1)
    assert stack.aws("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_large_change_without_a_bucket_becomes_a_stub(stack: DevStack, queue_url: str) -> None:
    """Its reason names both settings that would let the change pass."""
    sink(stack, queue_url, None).send([a_change(1), HUGE, a_change(3)], 1)
    _, stub, _ = received(stack, queue_url)
    assert stub.poison is not None
    assert "TAILER_CLAIM_BUCKET and FORWARDER_CLAIM_BUCKET" in stub.poison.reason
    assert (stub.id, stub.sequence, stub.document, stub.full_document) == (HUGE.id, 2, HUGE.document, None)


def test_missing_bucket_is_named(stack: DevStack, queue_url: str) -> None:
    with pytest.raises(Misconfigured, match="TAILER_CLAIM_BUCKET: nowhere does not exist"):
        sink(stack, queue_url, S3Claims(stack.aws("s3"), "nowhere")).send([HUGE], 1)
