"""A parking queue's own ways: its size limit, its answers, a queue that is not there."""

import base64
import gzip
import random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from devstack.aws import Aws
from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable
from lambda_forwarder.in_memory import MemoryClaims
from lambda_forwarder.model.parked import NOTHING, Parked, unreadable
from lambda_forwarder.parking.sqs import SqsParking, body
from lambda_forwarder.partial import done_before
from lambda_forwarder.redriving.queues import unparked
from tailrace.message import unpack
from tailrace.wire.change import Claim
from tailrace.wire.message import MESSAGE_LIMIT, UnreadableMessage
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import delivery, forever, inserted

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/parking"


def noise(length: int) -> str:
    """Text that hardly compresses."""
    return base64.b64encode(random.Random(1).randbytes(length)).decode()[:length]


def decoded(text: bytes) -> Parked:
    return msgspec.json.decode(text, type=Parked)


def test_a_large_change_is_kept_compressed() -> None:
    """What fitted into the queue fits into the parking queue."""
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
def test_what_does_not_fit_lies_in_the_claim_bucket_and_is_redriven_from_there(item: Parked) -> None:
    """Every byte of it. The item fits, and says where."""
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
def test_what_fits_nowhere_leaves_its_coordinates(item: Parked, error: Exception | None) -> None:
    """Rather than hold back its lane for ever, it says what it was and that it was left out."""

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
def test_a_change_that_no_message_holds_leaves_its_coordinates(length: int) -> None:
    """As it cannot have come in one, there is nothing to keep but where it is."""
    kept = decoded(body(parked("a", sequence=7, note=noise(length)), MemoryClaims()))
    assert (kept.message, kept.claim, kept.sequence) == (NOTHING, None, 7)
    assert "does not fit" in kept.omitted


def test_a_bucket_that_does_not_response_is_waited_for() -> None:
    """The message comes again; nothing is left out for an outage."""

    class Away(MemoryClaims):
        def store(self, key: str, content: bytes) -> Claim:
            raise Unavailable("the bucket is away")

    with pytest.raises(Unavailable):
        body(LARGE["a change"], Away())


@pytest.mark.parametrize("harm", [{"claims.objects": {}}, {"sha256": "0" * 64}, {"bytes": 10**12}, {"bytes": 0}], ids=str)
def test_a_claim_that_does_not_hold_stays_with_the_reason(harm: dict[str, Any]) -> None:
    """Whoever may send to the parking queue can claim anything."""
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
def test_a_body_that_does_not_fit_as_it_is_is_compressed(came: str) -> None:
    """Every byte of what is not ours is kept."""
    kept = decoded(body(unreadable(delivery(came), UnreadableMessage("not ours"))))
    assert kept.body is None
    assert kept.body_gzip is not None
    assert gzip.decompress(base64.b64decode(kept.body_gzip)).decode("utf-8", "surrogatepass") == came


def test_a_long_reason_is_cut() -> None:
    """An exception may quote a whole document; the reason stays a reason."""
    assert len(parked("a", reason="x" * 100_000).reason) == 2_000


def test_an_entry_that_was_not_taken_is_an_error() -> None:
    """SQS answers 200 with failures inside: they are read."""

    class Client:
        def send_message_batch(self, **_: object) -> dict[str, object]:
            return {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}

    with pytest.raises(Unavailable, match="InternalError"):
        SqsParking(Client(), QUEUE).park([parked("a")], forever)


@pytest.mark.parametrize("successful", [[], [{"Id": "1"}], [{"Id": "0"}, {"Id": "0"}]])
def test_silence_about_an_entry_is_an_error(successful: list[dict[str, str]]) -> None:
    """Only what the queue says that it took is kept: for anything less the message would be deleted and be nowhere."""

    class Client:
        def send_message_batch(self, **_: object) -> dict[str, object]:
            return {"Successful": successful} if successful else {}

    with pytest.raises(Unavailable, match="the response is missing"):
        SqsParking(Client(), QUEUE).park([parked("a"), parked("b")], forever)


def test_a_missing_queue_is_told_at_the_start(aws: Aws) -> None:
    """The message names the setting and the remedy."""
    url = f"{aws.endpoint_url}/000000000000/nowhere.fifo"
    with pytest.raises(Misconfigured, match=r"^FORWARDER_PARKING_QUEUE_URL: .*nowhere.fifo cannot be used: .*does not exist"):
        SqsParking(aws("sqs"), url).check()


def test_a_queue_that_was_made_smaller_is_said_to_be(aws: Aws) -> None:
    """Since the function started: setting, queue and remedy, as at a start. The message waits until it is mended."""
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
