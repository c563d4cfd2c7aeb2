"""The consumer in place of the forwarder: it receives the messages and passes them to the checker."""

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tailrace.message import ChangeMessage, unpack

_AGAIN = 0.2  # seconds


class Reader:
    """A thread that receives and deletes until stopped. It waits for an emulator that is down."""

    def __init__(self, sqs: Any, queue_url: str, deliver: Callable[[ChangeMessage], None]) -> None:
        self._sqs = sqs
        self._queue = {"QueueUrl": queue_url}
        self._deliver = deliver
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Receive the remaining messages and end. Raises: the error that ended the thread early."""
        self._stopping.set()
        self._thread.join(30)
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            while self._receive() or not self._stopping.is_set():
                continue
        except Exception as failure:  # `stop` raises it.
            self.failure = failure

    def _receive(self) -> bool:
        try:
            response = self._sqs.receive_message(**self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = response.get("Messages", [])
            for message in messages:
                self._deliver(unpack(message["Body"]))
            if messages:
                entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
                self._sqs.delete_message_batch(**self._queue, Entries=entries)
        except (BotoCoreError, ClientError):
            self._stopping.wait(_AGAIN)
            return False
        return bool(messages)
