"""The emulated ordered bus responds to the real client as the service model says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from devstack.ordered_bus import SERVICE, OrderedBusServer, failing, failing_call


@pytest.fixture(scope="module")
def server() -> Iterator[OrderedBusServer]:
    with OrderedBusServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: OrderedBusServer) -> Iterator[Any]:
    config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False)
    session = boto3.session.Session("test", "test", region_name="eu-west-1")
    client = session.client(SERVICE, endpoint_url=server.endpoint_url, config=config)
    yield client
    client.close()


@pytest.fixture
def bus(server: OrderedBusServer, client: Any) -> str:
    server.forget()
    return str(client.create_event_bus(Name="payments")["EventBusArn"])


def entry(group: str = "a", once: str = "1", **fields: Any) -> dict[str, Any]:
    given = {"Source": "app.tests", "DetailType": "Noted", "Detail": '{"n": 1}', "Time": datetime(2026, 11, 22, tzinfo=UTC)}
    return given | {"SystemMetadata": {"EventGroupId": group, "DeduplicationId": once}} | fields


def test_bus_is_created_described_and_deleted(client: Any, bus: str) -> None:
    """Its ARN is of the ordered kind."""
    assert ":event-busv2/payments/" in bus
    described = client.describe_event_bus(EventBusArn=bus)
    assert (described["EventBusArn"], described["Name"], described["State"]) == (bus, "payments", "ACTIVE")
    client.delete_event_bus(EventBusArn=bus)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_event_bus(EventBusArn=bus)


def test_events_of_a_group_are_numbered_in_order(server: OrderedBusServer, client: Any, bus: str) -> None:
    """Each accepted entry has an id, a sequence number and PUBLISHED."""
    response = client.put_events(EventBusArn=bus, Entries=[entry(once=str(number)) for number in range(100)])
    assert "FailedEntryCount" not in response
    assert {one["SuccessCode"] for one in response["Entries"]} == {"PUBLISHED"}
    numbers = [int(one["SequenceNumber"]) for one in response["Entries"]]
    assert numbers == sorted(set(numbers))
    assert [event.id for event in server.events.of(bus)] == [one["EventId"] for one in response["Entries"]]


def test_repeat_is_deduplicated_within_its_group(server: OrderedBusServer, client: Any, bus: str) -> None:
    """The response has the first entry's id, and one event is kept."""
    first, again, other = client.put_events(EventBusArn=bus, Entries=[entry(), entry(), entry(group="b")])["Entries"]
    assert (again["SuccessCode"], again["EventId"]) == ("DEDUPLICATED", first["EventId"])
    assert other["SuccessCode"] == "PUBLISHED"
    assert len(server.events.of(bus)) == 2


def test_entry_fails_at_the_given_index(server: OrderedBusServer, client: Any, bus: str) -> None:
    """Later entries are accepted, also of its group. A fault is used once."""
    server.faults.append(failing("ThrottlingException", 0))
    entries = [entry(once="1"), entry(once="2")]
    response = client.put_events(EventBusArn=bus, Entries=entries)
    assert response["FailedEntryCount"] == 1
    assert [one.get("ErrorCode") for one in response["Entries"]] == ["ThrottlingException", None]
    again = client.put_events(EventBusArn=bus, Entries=entries)
    assert [one["SuccessCode"] for one in again["Entries"]] == ["PUBLISHED", "DEDUPLICATED"]


@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 429), ("InternalException", 500)])
def test_call_fails_with_code_and_status_of_the_model(
    server: OrderedBusServer, client: Any, bus: str, code: str, status: int
) -> None:
    server.faults.append(failing_call(code))
    with pytest.raises(ClientError) as raised:
        client.put_events(EventBusArn=bus, Entries=[entry()])
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert server.events.of(bus) == []


def test_call_with_a_lost_response_was_applied(server: OrderedBusServer, client: Any, bus: str) -> None:
    server.lost = 1
    with pytest.raises(BotoCoreError):
        client.put_events(EventBusArn=bus, Entries=[entry()])
    assert len(server.events.of(bus)) == 1


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(once=str(number)) for number in range(101)],
        [entry(Source="")],
        [entry(DetailType="x" * 129)],
        [entry(group="x" * 129)],
        [entry(once=" \t")],
    ],
    ids=["none", "101", "no source", "long type", "long group", "blank id"],
)
def test_invalid_call_is_an_error(client: Any, bus: str, entries: list[dict[str, Any]]) -> None:
    with pytest.raises(client.exceptions.InvalidInputException):
        client.put_events(EventBusArn=bus, Entries=entries)


def test_detail_must_be_json(client: Any, bus: str) -> None:
    """Only that entry fails."""
    response = client.put_events(EventBusArn=bus, Entries=[entry(Detail="{"), entry()])
    assert [one.get("ErrorCode") for one in response["Entries"]] == ["InvalidInputException", None]


def test_bus_that_is_being_created_accepts_nothing(server: OrderedBusServer, client: Any, bus: str) -> None:
    server.events.set_state(bus, "CREATING")
    with pytest.raises(client.exceptions.InvalidStateException):
        client.put_events(EventBusArn=bus, Entries=[entry()])
