"""The body of a message in a backlog is read as changes, or refused with a reason."""

import base64
import gzip
import tracemalloc
from typing import Any

import msgspec
import pytest

from lambda_forwarder.model.parked import Parked, unreadable
from lambda_forwarder.parking.sqs import body as parked_body
from lambda_forwarder.redriving.queues import unparked
from tailrace.wire.message import MESSAGE_LIMIT, UnreadableMessage
from tests.lambda_forwarder.values import body, delivery, inserted, message

CAME = body(inserted())


def parked_text(**fields: Any) -> str:
    """Return a parked item's body, which anyone who may send to the parking queue can write."""
    made = Parked(id="1", reason="boom", remedy="mend it", document="payments.17", **fields)
    return msgspec.json.encode(made).decode()


def gzipped_text(came: bytes) -> str:
    return base64.b64encode(gzip.compress(came)).decode()


def corrupt_gzip() -> str:
    """Return a gzip with an invalid deflate part."""
    return base64.b64encode(gzip.compress(b"hello" * 100)[:10] + b"\xff" * 20).decode()


@pytest.mark.parametrize(
    "text",
    [
        parked_text(body_gzip=corrupt_gzip()),
        parked_text(body_gzip="é"),
        parked_text(body_gzip="!"),
        parked_text(body_gzip=""),
        parked_text(body_gzip=gzipped_text(CAME.encode())[:40]),
        parked_text(body_gzip=gzipped_text(b"\xff")),
        parked_text(message=msgspec.Raw(CAME.replace("identity", "gzip").encode())),
    ],
    ids=["no deflate", "no ascii", "no base64", "empty", "cut short", "no text", "no gzip"],
)
def test_backlog_body_that_cannot_be_unpacked_is_unreadable(text: str) -> None:
    """Whichever library fails, the error is the same and has a reason."""
    with pytest.raises(UnreadableMessage, match=r"\w"):
        unparked(text)


def test_unpacking_stops_at_the_limit_of_a_queue() -> None:
    """A message of a few hundred kilobytes cannot fill the function's memory."""
    bomb = parked_text(body_gzip=gzipped_text(b"a" * 100 * MESSAGE_LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableMessage, match=f"more than {MESSAGE_LIMIT} bytes"):
            unparked(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MESSAGE_LIMIT


def test_body_of_the_maximum_size_is_read() -> None:
    """It was parked compressed."""
    came = CAME.ljust(MESSAGE_LIMIT)
    parked = parked_body(unreadable(delivery(came), UnreadableMessage("too new"))).decode()
    assert "bodyGzip" in parked
    assert unparked(parked).message == message(inserted())
