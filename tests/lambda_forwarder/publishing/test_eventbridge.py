"""EventBridge's own ways: answers for each entry, throttles, limits, a bus that is not there."""

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

from devstack.aws import Aws
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.classic_bus import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.limits import CALL_LIMIT, size
from tests.lambda_forwarder.values import forever, noted, noteds

Response = Callable[[list[dict[str, Any]]], tuple[int, dict[str, Any]]]
ALPHABET = string.ascii_lowercase
OK: dict[str, Any] = {"EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860"}


class Bus:
    """A real client whose calls are answered before they are sent: a script of answers, then success."""

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
        status, body = self._responses.pop(0)(entries) if self._responses else results()(entries)
        return Answered(request.url, status, json.dumps(body).encode())


class Answered(AWSResponse):  # type: ignore[misc]  # botocore has no types
    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(url, status, {"Content-Type": "application/x-amz-json-1.1"}, None)
        self._content = body


def results(**codes: str) -> Response:
    """An answer of 200 in which the entries of these documents have these error codes."""

    def response(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        documents = [json.loads(entry["Detail"])["metadata"]["document"][-1] for entry in entries]
        each = [
            {"ErrorCode": codes[document], "ErrorMessage": "said so"} if document in codes else OK for document in documents
        ]
        return 200, {"FailedEntryCount": len(codes), "Entries": each}

    return response


def error(code: str, status: int = 400) -> Response:
    """The whole call fails."""
    return lambda _: (status, {"__type": code, "message": "said so"})


class Clock:
    """Time that passes only by sleeping."""

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


def publisher(bus: Bus, clock: Clock) -> EventBridgePublisher:
    return EventBridgePublisher(ClassicBus(bus.client, "payments"), sleep=clock.sleep)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_exactly_the_failed_entries_are_put_again(code: str, clock: Clock) -> None:
    """A call of 200 with failures inside: those, and no others, go again, after a pause."""
    bus = Bus(results(b=code, d=code), results(d=code))
    assert publisher(bus, clock).publish(noteds(*"abcd"), clock) == Published()
    assert bus.calls == [["a", "b", "c", "d"], ["b", "d"], ["d"]]
    assert len(clock.naps) == 2


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
@pytest.mark.parametrize("position", range(10))
def test_a_failed_entry_goes_again_wherever_it_stands(position: int, code: str, clock: Clock) -> None:
    """It alone, and no later event of its document before it."""
    document = "abcdefghij"[position]
    bus = Bus(results(**{document: code}), results(**{document: code}))
    assert publisher(bus, clock).publish(noteds(*"abcdefghij", document), clock) == Published()
    assert bus.calls == [list("abcdefghij"), [document], [document], [document]]


def test_a_failed_entry_is_not_overtaken_by_its_document(clock: Clock) -> None:
    """A document's second event waits until the first was accepted."""
    bus = Bus(results(a="ThrottlingException"), results(a="ThrottlingException"))
    publisher(bus, clock).publish(noteds(*"aab"), clock)
    assert bus.calls == [["a", "b"], ["a"], ["a"], ["a"]]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalException", "ServiceUnavailable"])
def test_a_throttled_call_is_made_again(code: str, clock: Clock) -> None:
    """A whole call that was not taken goes again while there is time."""
    bus = Bus(error(code), error(code, 503))
    assert publisher(bus, clock).publish(noteds("a"), clock) == Published()
    assert bus.calls == [["a"]] * 3


@pytest.mark.parametrize("response", [results(a="ThrottlingException"), error("ThrottlingException")], ids=["entry", "call"])
def test_it_gives_up_before_the_time_is_up(response: Response, clock: Clock) -> None:
    """Retries are bounded by the time left; then the message goes back to the queue."""
    bus = Bus(*[response] * 1_000)
    with pytest.raises(Unavailable):
        publisher(bus, clock).publish(noteds("a"), clock)
    assert 0 < clock.left < 6
    assert len(bus.calls) < 40


@pytest.mark.parametrize("code", ["MalformedDetail", "InvalidArgument"])
def test_an_entry_that_can_never_be_accepted_is_not_tried_for_ever(code: str, clock: Clock) -> None:
    """It comes back with the bus's words; the others are published, among them later ones of its document."""
    bus = Bus(results(b=code))
    [refused] = publisher(bus, clock).publish(noteds(*"abb"), clock).refused
    assert (refused.entry.document[-1], refused.reason) == ("b", f"{code}: said so")
    assert bus.calls == [["a", "b"], ["b"]]


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotAuthorizedForSourceException"])
def test_an_response_about_us_parks_nothing(code: str, clock: Clock) -> None:
    """Permissions are a person's to mend: the events stay in the queue, whatever they are."""
    with pytest.raises(Misconfigured, match=code):
        publisher(Bus(results(a=code)), clock).publish(noteds("a"), clock)


def test_the_entry_that_spoiled_a_call_is_found(clock: Clock) -> None:
    """A call rejected as a whole is taken apart: only the entry at fault comes back."""

    def picky(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        return error("ValidationException")(entries) if "bad" in repr(entries) else results()(entries)

    bus = Bus(*[picky] * 10)
    entries = [noted("a", 1), noted("b", 2, text="bad"), noted("c", 3)]
    [refused] = publisher(bus, clock).publish(entries, clock).refused
    assert refused.entry == entries[1]
    assert bus.calls == [["a", "b", "c"], ["a"], ["b"], ["c"]]


def test_many_documents_are_published_side_by_side(clock: Clock) -> None:
    """Two events of each of 26 documents: all the first ones before any of the second, in as few calls as can be."""
    bus = Bus()
    publisher(bus, clock).publish(noteds(*ALPHABET, *ALPHABET), clock)
    assert sorted(map(len, bus.calls[:3])) == sorted(map(len, bus.calls[3:])) == [6, 10, 10]
    assert {document for call in bus.calls[:3] for document in call} == set(ALPHABET)


def test_no_call_outlives_the_publish(clock: Clock) -> None:
    """A failure is told only when the calls beside it have ended: none of them may overtake a later attempt."""

    def all_but_the_first(entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        if '"document":"payments.payments/a"' in entries[0]["Detail"]:
            return error("AccessDeniedException")(entries)
        time.sleep(0.05)
        ended.append(len(entries))
        return results()(entries)

    ended: list[int] = []
    bus = Bus(*[all_but_the_first] * 3)
    with pytest.raises(Misconfigured):
        publisher(bus, clock).publish(noteds(*ALPHABET), clock)
    assert sorted(ended) == [6, 10]


def test_calls_keep_to_the_size_that_eventbridge_counts(clock: Clock) -> None:
    """Large entries go in calls of together less than a mebibyte."""
    bus = Bus()
    entries = [noted(document, 1, text="x" * 400_000) for document in "abcde"]
    publisher(bus, clock).publish(entries, clock)
    assert sorted(map(len, bus.calls)) == [1, 2, 2]


def test_a_size_is_counted_as_eventbridge_counts_it() -> None:
    """Time is 14 bytes; source, detail-type and detail count in UTF-8."""
    entry = noted("a", 1, text="é€😀")
    assert size(entry) == 14 + len("app.tests") + len("Noted") + len(entry.detail)
    assert len(entry.detail) == len(noted("a", 1).detail) + 2 + 3 + 4


def test_the_limit_itself_is_too_large(clock: Clock) -> None:
    """An entry must stay below the limit; one byte less goes out."""
    room = CALL_LIMIT - size(noted("a", 1))
    fits, not_any_more = noted("a", 1, text="x" * (room - 1)), noted("b", 1, text="x" * room)
    [refused] = publisher(Bus(), clock).publish([fits, not_any_more], clock).refused
    assert refused.entry == not_any_more


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_must_fit_int64(number: int) -> None:
    """An integer that EventBridge does not read comes back with the reason; every other is published."""
    sent: list[Entry] = []

    class Client:
        def put_events(self, **request: Sequence[Entry]) -> dict[str, Any]:
            sent.extend(request["Entries"])
            return {"Entries": [OK]}

    refused = EventBridgePublisher(ClassicBus(Client(), "payments")).publish([noted("a", 1, number=number)], forever).refused
    assert len(refused) == (number >= 2**63)
    assert len(sent) == 1 - len(refused)


def test_a_bottomless_detail_comes_back(clock: Clock) -> None:
    """Nesting that nobody can read is refused, not an error that comes again for ever."""
    deep = msgspec.structs.replace(noted("a", 1), detail=b"[" * 5_000 + b"9" * 20 + b"]" * 5_000)
    [refused] = publisher(Bus(), clock).publish([deep], clock).refused
    assert "nested" in refused.reason


def test_a_long_number_in_text_is_only_text(clock: Clock) -> None:
    """A card or order number in a string is no integer."""
    assert publisher(Bus(), clock).publish([noted("a", 1, text="9" * 30)], clock) == Published()


def test_a_missing_bus_is_told_at_the_start(aws: Aws) -> None:
    """PutEvents to a missing bus answers 200 and drops the events; we ask first, and name the setting."""
    with pytest.raises(
        Misconfigured,
        match=r"^FORWARDER_EVENT_BUS: bus 'nowhere' cannot be used: DescribeEventBus failed: the resource does not exist",
    ):
        ClassicBus(aws("events"), "nowhere").check()


def test_an_existing_bus_is_fine(aws: Aws) -> None:
    """By its name; AWS takes an ARN as well, the emulator does not."""
    aws("events").create_event_bus(Name="there")
    ClassicBus(aws("events"), "there").check()
