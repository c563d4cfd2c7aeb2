"""What lies in a backlog, read: whatever somebody put there, it is changes or the reason why it is none."""

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


def item(**fields: Any) -> str:
    """A parked item's body, as anybody who may send to the parking queue can write one."""
    made = Parked(id="1", reason="boom", remedy="mend it", document="payments.17", **fields)
    return msgspec.json.encode(made).decode()


def packed(came: bytes) -> str:
    return base64.b64encode(gzip.compress(came)).decode()


def corrupt() -> str:
    """A gzip whose deflated part is none."""
    return base64.b64encode(gzip.compress(b"hello" * 100)[:10] + b"\xff" * 20).decode()


@pytest.mark.parametrize(
    "text",
    [
        item(body_gzip=corrupt()),
        item(body_gzip="é"),
        item(body_gzip="!"),
        item(body_gzip=""),
        item(body_gzip=packed(CAME.encode())[:40]),
        item(body_gzip=packed(b"\xff")),
        item(message=msgspec.Raw(CAME.replace("identity", "gzip").encode())),
    ],
    ids=["no deflate", "no ascii", "no base64", "empty", "cut short", "no text", "no gzip"],
)
def test_what_cannot_be_unpacked_is_unreadable(text: str) -> None:
    """Whichever library it is that refuses: there is one error, and it says why."""
    with pytest.raises(UnreadableMessage, match=r"\w"):
        unparked(text)


def test_what_grows_is_unpacked_no_further_than_a_queue_holds() -> None:
    """A message of a few hundred kilobytes cannot fill the function's memory."""
    bomb = item(body_gzip=packed(b"a" * 100 * MESSAGE_LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableMessage, match=f"more than {MESSAGE_LIMIT} bytes"):
            unparked(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MESSAGE_LIMIT


def test_a_body_of_a_queue_s_largest_size_is_read() -> None:
    """It was parked compressed, every byte of it."""
    came = CAME.ljust(MESSAGE_LIMIT)
    parked = parked_body(unreadable(delivery(came), UnreadableMessage("too new"))).decode()
    assert "bodyGzip" in parked
    assert unparked(parked).message == message(inserted())
