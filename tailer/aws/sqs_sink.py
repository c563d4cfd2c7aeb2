"""Sends changes to the SQS FIFO queue: up to ten messages of different lanes in a call, a few calls at a time."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    wait_exponential_jitter,
)

from tailer.aws.errors import aws_errors, translated
from tailer.aws.lanes import LaneOf
from tailer.aws.packing import Message, Packer, calls
from tailer.encoded import encoder
from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable
from tailer.metrics.prometheus import Metrics
from tailer.poison import OnPoison
from tailer.ports import Claims
from tailrace.aws.queues import too_small
from tailrace.wire.change import Change

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4  # a call mostly waits for the network; more calls are only faster if SQS is far away
RETRY_LIMIT = 60.0  # seconds without an accepted message; then the loop starts again from the checkpoint
STOP_LIMIT = 3.0  # seconds for a batch while stopping: even if the last call hangs, there is time to save and release
_WAIT = wait_exponential_jitter(multiplier=0.05, max=5.0, jitter=0.1)  # seconds

Waiting = dict[int, deque[Message]]
"""Lane → the messages that SQS has not accepted yet, in order."""


class SqsSink:
    """
    See ``Sink``. A call only contains the first waiting message of a lane, so no message can overtake it.

    ``waits`` is called with the reason of every wait before a retry.
    """

    def __init__(
        self,
        client: Any,
        queue_url: str,
        *,
        stream: str,
        lane_of: LaneOf,
        claims: Claims | None = None,
        on_poison: OnPoison | None = None,
        metrics: Metrics,
        stopping: threading.Event,
        clock: Callable[[], float],
        waits: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._stream = stream
        self._claims = claims
        self._on_poison = on_poison or OnPoison(stream=stream)
        self._encode = encoder(lane_of, self._on_poison)
        self._metrics = metrics
        self._stopping = stopping
        self._clock = clock
        self._waits = waits
        self._started = self._accepted_at = 0.0
        self._call_failed = False
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="sqs")

    def send(self, changes: Sequence[Change], generation: int, packed: Callable[[], object] = lambda: None) -> None:
        """While the task stops, a failed call is not retried, and a batch that takes long is left to the next task."""
        waiting = self._packed(changes, generation)
        packed()
        self._started = self._accepted_at = self._clock()
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=_WAIT,
            stop=lambda _: self._is_over,
            sleep=sleep_using_event(self._stopping),
            before_sleep=self._before_sleep,
            reraise=True,
        )
        while waiting:
            retrying(self._round, waiting)

    def _packed(self, changes: Iterable[Change], generation: int) -> Waiting:
        lanes: dict[int, list[Change]] = {}
        for change in map(self._encode, changes):
            lanes.setdefault(change.lane, []).append(change)
        packer = Packer(stream=self._stream, generation=generation, claims=self._claims, on_poison=self._on_poison)
        return {lane: deque(packer.messages(lane, changes)) for lane, changes in lanes.items()}

    def _round(self, waiting: Waiting) -> None:
        """Send the first message of every lane once. Raise the errors after all responses have arrived."""
        self._call_failed = False
        heads = {messages[0].group_id: lane for lane, messages in waiting.items()}
        problems: list[TailerError] = []
        for accepted, errors in self._pool.map(self._call, calls([messages[0] for messages in waiting.values()])):
            problems += errors
            for message in accepted:
                lane = heads[message.group_id]
                waiting[lane].popleft()
                if not waiting[lane]:
                    del waiting[lane]
                self._count(message)
        if problems:
            raise self._explained(min(problems, key=lambda problem: isinstance(problem, Unavailable)))

    def _explained(self, problem: TailerError) -> TailerError:
        """If the queue rejects a message, check whether its MaximumMessageSize was reduced since the start."""
        if isinstance(problem, Rejected):
            with aws_errors("TAILER_QUEUE_URL", self._queue_url):
                names = ["MaximumMessageSize"]
                response = self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
            if reduced := too_small(response.get("Attributes", {})):
                return Misconfigured(f"TAILER_QUEUE_URL: {self._queue_url} {reduced}")
        return problem

    def _call(self, messages: Sequence[Message]) -> tuple[list[Message], list[TailerError]]:
        """Call SendMessageBatch. Return the accepted messages, and the errors. An entry without a result has failed."""
        if self._call_failed and self._is_over:
            return [], [Unavailable(f"TAILER_QUEUE_URL: {self._queue_url} was not called again, because other calls failed")]
        if self._stopping.is_set() and self._clock() - self._started > STOP_LIMIT:
            return [], [
                Unavailable(f"TAILER_QUEUE_URL: {self._queue_url} is slow, and this task stops: the next task sends the rest")
            ]
        self._metrics.calls.inc()
        try:
            with aws_errors("TAILER_QUEUE_URL", self._queue_url):
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=_entries(messages))
        except TailerError as error:
            self._call_failed = True
            return [], [error]
        accepted = {entry["Id"] for entry in response.get("Successful", ())}
        errors = [
            translated("TAILER_QUEUE_URL", self._queue_url, entry.get("Code", ""), entry.get("Message", ""))
            for entry in response.get("Failed", ())
        ]
        if len(accepted) + len(errors) < len(messages):
            errors.append(Unavailable(f"TAILER_QUEUE_URL: {self._queue_url} did not report the result of every entry"))
        return [message for number, message in enumerate(messages) if str(number) in accepted], errors

    def _count(self, message: Message) -> None:
        self._accepted_at = self._clock()
        self._metrics.messages.inc()
        self._metrics.bytes.inc(message.size)
        self._metrics.sent.inc(message.changes)
        self._metrics.claims.inc(message.claimed)
        for stub in message.stubs:
            self._metrics.stubbed.inc()
            self._on_poison.stubs.sent(self._stream, stub)

    def _before_sleep(self, state: RetryCallState) -> None:
        self._metrics.retries.inc()
        if state.outcome is not None and state.next_action is not None:
            self._waits(str(state.outcome.exception()))
            extra = {"action": "sending_again", "attempt": state.attempt_number}
            log.warning("%s. The task sends again in %.1f s", state.outcome.exception(), state.next_action.sleep, extra=extra)

    @property
    def _is_over(self) -> bool:
        """Whether the rest of the batch is left to the next attempt from the checkpoint."""
        return self._stopping.is_set() or self._clock() - self._accepted_at > RETRY_LIMIT


def _entries(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [
        {
            "Id": str(number),
            "MessageBody": message.body,
            "MessageGroupId": message.group_id,
            "MessageDeduplicationId": message.deduplication_id,
        }
        for number, message in enumerate(messages)
    ]
