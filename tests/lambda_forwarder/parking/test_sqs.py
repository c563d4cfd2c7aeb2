"""A parking queue's own ways: its size limit, its answers, a queue that is not there."""

import base64
import gzip
import random

import msgspec
import pytest

from contract.message import MESSAGE_LIMIT, UnreadableMessage, unpack
from devstack.aws import Aws
from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable
from lambda_forwarder.parking.parked import NOTHING, Parked, unreadable
from lambda_forwarder.parking.sqs import SqsParking, body
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import forever, inserted, record

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


@pytest.mark.parametrize("length", [1_046_900, 1_048_576, 3_000_000])
def test_a_change_that_does_not_fit_leaves_its_coordinates(length: int) -> None:
    """Rather than fail for ever, it says where the change is and that it was left out."""
    text = body(parked("a", sequence=7, note=noise(length)))
    kept = decoded(text)
    assert len(text) <= MESSAGE_LIMIT
    assert kept.message == NOTHING
    assert "do not fit" in kept.omitted or "does not fit" in kept.omitted
    assert (kept.stream, kept.generation, kept.sequence, kept.document) == ("payments", 1, 7, "payments.payments/a")


@pytest.mark.parametrize("came", ['"' * 1_000_000, "\ud800 \uffff"], ids=["large", "illegal"])
def test_a_body_that_does_not_fit_as_it_is_is_compressed(came: str) -> None:
    """Every byte of what is not ours is kept."""
    kept = decoded(body(unreadable(record(came), UnreadableMessage("not ours"))))
    assert kept.body is None
    assert kept.body_gzip is not None
    assert gzip.decompress(base64.b64decode(kept.body_gzip)).decode("utf-8", "surrogatepass") == came


def test_a_body_that_fits_in_no_way_stays_in_its_queue() -> None:
    """Nothing of it is thrown away: the message fails, and its queue's dead letters keep it whole."""
    came = '"' + noise(MESSAGE_LIMIT - 1)
    with pytest.raises(Rejected, match="do not fit"):
        body(unreadable(record(came), UnreadableMessage("not ours")))


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

    with pytest.raises(Unavailable, match="said nothing of"):
        SqsParking(Client(), QUEUE).park([parked("a"), parked("b")], forever)


def test_a_missing_queue_is_told_at_the_start(aws: Aws) -> None:
    """The message names the setting and the remedy."""
    url = f"{aws.endpoint_url}/000000000000/nowhere.fifo"
    with pytest.raises(Misconfigured, match=r"^FORWARDER_PARKING_QUEUE_URL: .*nowhere.fifo cannot be used: .*does not exist"):
        SqsParking(aws("sqs"), url).check()
