"""The EventBridge publisher: results of single entries, throttling, limits, a missing bus."""

import json
import string
import time
from collections.abc import Callable, Sequence
from typing import Any

import boto3
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.buses import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.limits import CALL_LIMIT, size
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever, noted, noted_entries

Response = Callable[[list[dict[str, Any]]], tuple[int, dict[str, Any]]]
ALPHABET = string.ascii_lowercase
OK: dict[str, Any] = {"EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860"}


class ScriptedBus:
    """A real client whose calls get scripted responses, then success."""

    def __init__(self, *responses: Response) -> None:
        self.calls: list[list[str]] = []
        self._responses = list(responses)
        self.client = boto3.client(
            "events",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        self.client.meta.events.register("before-send.events.PutEvents", self._response)

    def _response(self, request: Any, **_: Any) -> AWSResponse:
        entries = json.loads(request.body)["Entries"]
        self.calls.append([json.loads(entry["Detail"])["metadata"]["document"][-1] for entry in entries])
        status, body = self._responses.pop(0)(entries) if self._responses else results_with_errors()(entries)
        return StubResponse(request.url, status, json.dumps(body).encode())


class StubResponse(AWSResponse):  # type: ignore[misc]  # botocore has no types
    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(url, status, {"Content-Type": "application/x-amz-json-1.1"}, None)
        self._content = body


def results_with_errors(**codes: str) -> Response:
    """Respond 200, with these error codes for the entries of these documents."""

    def response(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        documents = [json.loads(entry["Detail"])["metadata"]["document"][-1] for entry in entries]
        each = [
            {"ErrorCode": codes[document], "ErrorMessage": "said so"} if document in codes else OK for document in documents
        ]
        return 200, {"FailedEntryCount": len(codes), "Entries": each}

    return response


def error(code: str, status: int = 400) -> Response:
    """Fail the whole call."""
    return lambda _: (status, {"__type": code, "message": "said so"})


class Clock:
    """Time passes only by sleeping."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.left -= seconds


@pytest.fixture
def clock() -> Clock:
    return Clock(60.0)


def publisher(bus: ScriptedBus, clock: Clock) -> EventBridgePublisher:
    return EventBridgePublisher(ClassicBus(bus.client, "payments"), sleep=clock.sleep)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_only_failed_entries_are_put_again(code: str, clock: Clock) -> None:
    """After a pause."""
    bus = ScriptedBus(results_with_errors(b=code, d=code), results_with_errors(d=code))
    assert publisher(bus, clock).publish(noted_entries(*"abcd"), clock) == Published()
    assert bus.calls == [["a", "b", "c", "d"], ["b", "d"], ["d"]]
    assert len(clock.naps) == 2


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
@pytest.mark.parametrize("position", range(10))
def test_failed_entry_is_retried_at_any_index(position: int, code: str, clock: Clock) -> None:
    """Alone, and before any later event of its document."""
    document = "abcdefghij"[position]
    bus = ScriptedBus(results_with_errors(**{document: code}), results_with_errors(**{document: code}))
    assert publisher(bus, clock).publish(noted_entries(*"abcdefghij", document), clock) == Published()
    assert bus.calls == [list("abcdefghij"), [document], [document], [document]]


def test_failed_entry_is_not_overtaken_by_its_document(clock: Clock) -> None:
    """The second event of a document waits until the first is accepted."""
    bus = ScriptedBus(results_with_errors(a="ThrottlingException"), results_with_errors(a="ThrottlingException"))
    publisher(bus, clock).publish(noted_entries(*"aab"), clock)
    assert bus.calls == [["a", "b"], ["a"], ["a"], ["a"]]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalException", "ServiceUnavailable"])
def test_throttled_call_is_retried(code: str, clock: Clock) -> None:
    """While there is time."""
    bus = ScriptedBus(error(code), error(code, 503))
    assert publisher(bus, clock).publish(noted_entries("a"), clock) == Published()
    assert bus.calls == [["a"]] * 3


@pytest.mark.parametrize(
    "response", [results_with_errors(a="ThrottlingException"), error("ThrottlingException")], ids=["entry", "call"]
)
def test_retries_end_before_the_time_is_up(response: Response, clock: Clock) -> None:
    """Then the message returns to the queue."""
    bus = ScriptedBus(*[response] * 1_000)
    with pytest.raises(Unavailable):
        publisher(bus, clock).publish(noted_entries("a"), clock)
    assert 0 < clock.left < 6
    assert len(bus.calls) < 40


@pytest.mark.parametrize("code", ["MalformedDetail", "InvalidArgument"])
def test_entry_that_can_never_be_accepted_is_refused_with_a_reason(code: str, clock: Clock) -> None:
    """The others are published, with later ones of its document."""
    bus = ScriptedBus(results_with_errors(b=code))
    [refused] = publisher(bus, clock).publish(noted_entries(*"abb"), clock).refused
    assert (refused.entry.document[-1], refused.reason) == ("b", f"{code}: said so")
    assert bus.calls == [["a", "b"], ["b"]]


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotAuthorizedForSourceException"])
def test_missing_permission_parks_nothing(code: str, clock: Clock) -> None:
    """A person grants permissions. Until then the events stay in the queue."""
    with pytest.raises(Misconfigured, match=code):
        publisher(ScriptedBus(results_with_errors(a=code)), clock).publish(noted_entries("a"), clock)


def test_rejected_call_is_split_to_find_the_bad_entry(clock: Clock) -> None:
    def picky(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        return error("ValidationException")(entries) if "bad" in repr(entries) else results_with_errors()(entries)

    bus = ScriptedBus(*[picky] * 10)
    entries = [noted("a", 1), noted("b", 2, text="bad"), noted("c", 3)]
    [refused] = publisher(bus, clock).publish(entries, clock).refused
    assert refused.entry == entries[1]
    assert bus.calls == [["a", "b", "c"], ["a"], ["b"], ["c"]]


def test_many_documents_share_few_calls(clock: Clock) -> None:
    """Of two events of each of 26 documents, every first one is sent before any second one."""
    bus = ScriptedBus()
    publisher(bus, clock).publish(noted_entries(*ALPHABET, *ALPHABET), clock)
    assert sorted(map(len, bus.calls[:3])) == sorted(map(len, bus.calls[3:])) == [6, 10, 10]
    assert {document for call in bus.calls[:3] for document in call} == set(ALPHABET)


def test_all_calls_end_before_publish_raises(clock: Clock) -> None:
    """No running call may overtake a later attempt."""

    def all_but_the_first(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        if '"document":"payments.payments/a"' in entries[0]["Detail"]:
            return error("AccessDeniedException")(entries)
        time.sleep(0.05)
        ended.append(len(entries))
        return results_with_errors()(entries)

    ended: list[int] = []
    bus = ScriptedBus(*[all_but_the_first] * 3)
    with pytest.raises(Misconfigured):
        publisher(bus, clock).publish(noted_entries(*ALPHABET), clock)
    assert sorted(ended) == [6, 10]


def test_call_stays_below_the_size_limit(clock: Clock) -> None:
    bus = ScriptedBus()
    entries = [noted(document, 1, text="x" * 400_000) for document in "abcde"]
    publisher(bus, clock).publish(entries, clock)
    assert sorted(map(len, bus.calls)) == [1, 2, 2]


def test_size_is_counted_as_eventbridge_counts_it() -> None:
    """The time is 14 bytes; source, detail-type and detail count in UTF-8."""
    entry = noted("a", 1, text="é€😀")
    assert size(entry) == 14 + len("app.tests") + len("Noted") + len(entry.detail)
    assert len(entry.detail) == len(noted("a", 1).detail) + 2 + 3 + 4


def test_entry_at_the_size_limit_is_refused(clock: Clock) -> None:
    """One byte less is published."""
    room = CALL_LIMIT - size(noted("a", 1))
    fits, not_any_more = noted("a", 1, text="x" * (room - 1)), noted("b", 1, text="x" * room)
    [refused] = publisher(ScriptedBus(), clock).publish([fits, not_any_more], clock).refused
    assert refused.entry == not_any_more


@given(st.integers(-(2**63), 2**64 - 1))
def test_entry_with_integer_above_int64_is_refused(number: int) -> None:
    """EventBridge cannot read it."""
    sent: list[Entry] = []

    class Client:
        def put_events(self, **request: Sequence[Entry]) -> dict[str, Any]:
            sent.extend(request["Entries"])
            return {"Entries": [OK]}

    refused = EventBridgePublisher(ClassicBus(Client(), "payments")).publish([noted("a", 1, number=number)], forever).refused
    assert len(refused) == (number >= 2**63)
    assert len(sent) == 1 - len(refused)


def test_too_deeply_nested_detail_is_refused(clock: Clock) -> None:
    deep = msgspec.structs.replace(noted("a", 1), detail=b"[" * 5_000 + b"9" * 20 + b"]" * 5_000)
    [refused] = publisher(ScriptedBus(), clock).publish([deep], clock).refused
    assert "nested" in refused.reason


def test_long_number_in_a_string_is_accepted(clock: Clock) -> None:
    """For example a card number."""
    assert publisher(ScriptedBus(), clock).publish([noted("a", 1, text="9" * 30)], clock) == Published()


def test_missing_bus_is_reported_at_the_start(aws: Aws) -> None:
    """PutEvents to a missing bus returns 200 and drops the events."""
    with pytest.raises(
        Misconfigured,
        match=r"^FORWARDER_EVENT_BUS: bus 'nowhere' cannot be used: DescribeEventBus failed: the resource does not exist",
    ):
        ClassicBus(aws("events"), "nowhere").check()


def test_existing_bus_passes_the_check(aws: Aws) -> None:
    """By its name. AWS also accepts an ARN, but the emulator does not."""
    aws("events").create_event_bus(Name="there")
    ClassicBus(aws("events"), "there").check()
