"""The SQS parking queue: its size limit, its responses, a missing queue."""

import base64
import gzip
import random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable
from lambda_forwarder.in_memory import MemoryClaims
from lambda_forwarder.model.parked import NOTHING, Parked, unreadable
from lambda_forwarder.parking.sqs import SqsParking, body
from lambda_forwarder.partial import done_before
from lambda_forwarder.redriving.queues import unparked
from tailrace.dev.aws import Aws
from tailrace.message import unpack
from tailrace.wire.change import Claim
from tailrace.wire.message import MESSAGE_LIMIT, UnreadableMessage
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import delivery, forever, inserted

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/parking"


def noise(length: int) -> str:
    """Return text that hardly compresses."""
    return base64.b64encode(random.Random(1).randbytes(length)).decode()[:length]


def decoded(text: bytes) -> Parked:
    return msgspec.json.decode(text, type=Parked)


def test_large_change_is_parked_compressed() -> None:
    """Every change that fits the queue fits the parking queue."""
    kept = decoded(body(parked("a", note="x" * 2_000_000)))
    assert unpack(bytes(kept.message).decode()).changes == (inserted("a", 1, note="x" * 2_000_000),)


LARGE = {
    "a change": parked("a", sequence=7, note=noise(1_015_300), reason="x" * 2_000),
    "what came": unreadable(delivery('"' + noise(MESSAGE_LIMIT - 1)), UnreadableMessage("not ours")),
    "what came, of illegal characters": unreadable(
        delivery("\ud800" + noise(MESSAGE_LIMIT - 10)), UnreadableMessage("not ours")
    ),
}


@pytest.mark.parametrize("item", LARGE.values(), ids=LARGE)
def test_too_large_item_is_stored_in_the_claim_bucket_and_can_be_redriven(item: Parked) -> None:
    """Byte for byte. The parked item names the object."""
    claims = MemoryClaims()
    text = body(item, claims)
    kept = decoded(text)
    assert len(text) <= MESSAGE_LIMIT
    assert (kept.message, kept.body, kept.body_gzip) == (NOTHING, None, None)
    assert (kept.id, kept.reason, kept.document, kept.sequence) == (item.id, item.reason, item.document, item.sequence)
    assert kept.omitted.endswith(f"they are stored in s3://claims/parked/{item.id}")
    [content] = claims.objects.values()
    assert content == (bytes(item.message) if item.body is None else item.body.encode("utf-8", "surrogatepass"))
    if item.body is None:
        assert unparked(text.decode(), claims).message.changes[0].document == item.document
    else:
        with pytest.raises(UnreadableMessage, match="not a change message"):
            unparked(text.decode(), claims)


@pytest.mark.parametrize("item", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("error", [None, Misconfigured("no right"), Rejected("too large")])
def test_item_that_fits_nowhere_keeps_its_coordinates(item: Parked, error: Exception | None) -> None:
    """It says that its content was omitted. Otherwise it would block its lane for ever."""

    class Refusing(MemoryClaims):
        def store(self, key: str, content: bytes) -> Claim:
            assert error
            raise error

    text = body(item, Refusing() if error else None)
    kept = decoded(text)
    assert len(text) <= MESSAGE_LIMIT
    assert (kept.message, kept.body, kept.claim) == (NOTHING, None, None)
    assert "FORWARDER_CLAIM_BUCKET" in kept.omitted
    assert (kept.id, kept.reason, kept.document, kept.sequence) == (item.id, item.reason, item.document, item.sequence)
    with pytest.raises(UnreadableMessage, match="do not fit"):
        unparked(text.decode())


@pytest.mark.parametrize("length", [1_048_576, 3_000_000])
def test_change_larger_than_any_message_keeps_its_coordinates(length: int) -> None:
    """No message can have carried it."""
    kept = decoded(body(parked("a", sequence=7, note=noise(length)), MemoryClaims()))
    assert (kept.message, kept.claim, kept.sequence) == (NOTHING, None, 7)
    assert "does not fit" in kept.omitted


def test_unavailable_claim_bucket_is_retried() -> None:
    """An outage omits nothing."""

    class Away(MemoryClaims):
        def store(self, key: str, content: bytes) -> Claim:
            raise Unavailable("the bucket is away")

    with pytest.raises(Unavailable):
        body(LARGE["a change"], Away())


@pytest.mark.parametrize("harm", [{"claims.objects": {}}, {"sha256": "0" * 64}, {"bytes": 10**12}, {"bytes": 0}], ids=str)
def test_wrong_claim_of_a_parked_item_is_refused(harm: dict[str, Any]) -> None:
    """Everyone who may send to the parking queue can write any claim."""
    claims = MemoryClaims()
    kept = decoded(body(LARGE["a change"], claims))
    assert kept.claim
    if "claims.objects" in harm:
        claims.objects.clear()
        harm = {}
    text = msgspec.json.encode(replace(kept, claim=replace(kept.claim, **harm))).decode()
    with pytest.raises(UnreadableMessage, match="it is stored in s3://claims/parked/"):
        unparked(text, claims)
    with pytest.raises(UnreadableMessage, match="FORWARDER_CLAIM_BUCKET is not set"):
        unparked(text)


@pytest.mark.parametrize("came", ['"' * 1_000_000, "\ud800 \uffff"], ids=["large", "illegal"])
def test_foreign_body_that_does_not_fit_is_compressed(came: str) -> None:
    """Every byte is kept."""
    kept = decoded(body(unreadable(delivery(came), UnreadableMessage("not ours"))))
    assert kept.body is None
    assert kept.body_gzip is not None
    assert gzip.decompress(base64.b64decode(kept.body_gzip)).decode("utf-8", "surrogatepass") == came


def test_long_reason_is_truncated() -> None:
    """An exception may quote a whole document."""
    assert len(parked("a", reason="x" * 100_000).reason) == 2_000


def test_failed_entry_of_a_batch_is_an_error() -> None:
    """SQS returns 200 with failed entries."""

    class Client:
        def send_message_batch(self, **_: object) -> dict[str, object]:
            return {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}

    with pytest.raises(Unavailable, match="InternalError"):
        SqsParking(Client(), QUEUE).park([parked("a")], forever)


@pytest.mark.parametrize("successful", [[], [{"Id": "1"}], [{"Id": "0"}, {"Id": "0"}]])
def test_entry_missing_from_the_response_is_an_error(successful: list[dict[str, str]]) -> None:
    """Otherwise its message would be deleted without being parked."""

    class Client:
        def send_message_batch(self, **_: object) -> dict[str, object]:
            return {"Successful": successful} if successful else {}

    with pytest.raises(Unavailable, match="the response does not mention"):
        SqsParking(Client(), QUEUE).park([parked("a"), parked("b")], forever)


def test_missing_queue_is_reported_at_the_start(aws: Aws) -> None:
    """With its setting and the remedy."""
    url = f"{aws.endpoint_url}/000000000000/nowhere.fifo"
    with pytest.raises(Misconfigured, match=r"^FORWARDER_PARKING_QUEUE_URL: .*nowhere.fifo cannot be used: .*does not exist"):
        SqsParking(aws("sqs"), url).check()


def test_reduced_size_limit_of_the_queue_is_reported(aws: Aws) -> None:
    """With setting, queue and remedy, as at a start. The message waits for the fix."""
    sqs, name = aws("sqs"), uuid4().hex
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    parking, items = SqsParking(sqs, url), [parked("a"), parked("b", sequence=2, note=noise(300_000))]
    parking.check()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "262144"})
    with pytest.raises(Misconfigured) as caught:
        parking.park(items, forever)
    words = (
        f"FORWARDER_PARKING_QUEUE_URL: {url} accepts messages of up to 262144 bytes only: set its MaximumMessageSize to 1048576"
    )
    assert str(caught.value) == words
    assert done_before(caught.value).accepted == {items[0].id}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1048576"})
    parking.park(items, forever)
    held = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {decoded(one["Body"].encode()).id for one in held} == {item.id for item in items}
