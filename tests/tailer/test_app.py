"""What the composition root refuses before it connects."""

from datetime import UTC, datetime

import pytest

from devstack import DevStack
from tailer.aws.checks.queue import Queue
from tailer.checks import pass_start
from tailer.errors import Misconfigured
from tailer.mongodb.connection.client import connect


@pytest.mark.parametrize(
    "uri",
    ["mongodb://user:se/cret@host:27017/", "mongodb://user:secret@host:27x/", "mongodb://user:se@cret@host/", "mongodb://"],
)
def test_unusable_uri_shows_no_part_of_its_password(uri: str) -> None:
    """An unescaped character is the most common mistake, and the parser's message repeats the text after it."""
    words = r"TAILER_CHECKPOINTS (is not a usable MongoDB URI|has a character before the last @|has a host that is not)"
    with pytest.raises(Misconfigured, match=words) as caught:
        connect(uri, "TAILER_CHECKPOINTS")
    assert "cret" not in str(caught.value)


def test_queue_with_a_small_size_limit_is_refused(stack: DevStack, fresh: str) -> None:
    """It would stop the stream at the first large change."""
    attributes = {"FifoQueue": "true", "MaximumMessageSize": "262144"}
    url = stack.aws("sqs").create_queue(QueueName=f"{fresh}.fifo", Attributes=attributes)["QueueUrl"]
    with pytest.raises(Misconfigured, match="set its MaximumMessageSize to 1048576"):
        pass_start(Queue(url, stack.aws, now=lambda: datetime.now(UTC)).checks(), advise=print)
