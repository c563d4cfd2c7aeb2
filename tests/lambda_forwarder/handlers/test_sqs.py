"""The function as Lambda calls it, on the emulator; and its import in a bare interpreter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from devstack.ordered_bus import OrderedBusServer
from lambda_forwarder import app
from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.handlers import sqs as module
from tailrace.dev.aws import Aws
from tailrace.dev.resources import CLAIM_BUCKET
from tests.emf import lines
from tests.lambda_forwarder.values import body, cancelled, claiming, inserted, record
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table


class Context:
    """The part of Lambda's second argument that we use."""

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Remove the developer's settings, and the forwarder of another test."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("FORWARDER_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")
    app.forwarder.cache_clear()
    yield
    app.forwarder.cache_clear()


@pytest.fixture
def parking(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bus, a parking queue and their settings; returns the queue's URL."""
    name = uuid4().hex
    aws("events").create_event_bus(Name=name)
    url = str(aws("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])
    settings = {"FORWARDER_EVENT_BUS": name, "FORWARDER_PARKING_QUEUE_URL": url, "FORWARDER_WATERMARKS": "off"}
    for key, value in (aws.environment | settings).items():
        monkeypatch.setenv(key, value)
    return url


def test_handler_forwards_a_batch(aws: Aws, parking: str) -> None:
    """Events are published, foreign messages are parked, and the response is Lambda's."""
    event = {"Records": [record(body(inserted(), cancelled())), record("not ours"), record(body(cancelled()))]}
    assert module.handler(event, Context()) == {"batchItemFailures": []}
    [parked] = aws("sqs").receive_message(QueueUrl=parking)["Messages"]
    assert json.loads(parked["Body"])["body"] == "not ours"


def test_handler_uses_the_table_and_the_bucket(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claimed change is fetched, and the table has the lane's watermark."""
    table = create_watermark_table(aws)
    monkeypatch.setenv("FORWARDER_WATERMARKS", table)
    monkeypatch.setenv("FORWARDER_CLAIM_BUCKET", CLAIM_BUCKET)
    claimed, content = claiming(inserted(), bucket=CLAIM_BUCKET, key="test_handler.json")
    aws("s3").put_object(Bucket=CLAIM_BUCKET, Key="test_handler.json", Body=content)
    event = {"Records": [record(body(claimed)), record(body(cancelled()))]}
    assert module.handler(event, Context()) == {"batchItemFailures": []}
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=parking)
    [item] = aws("dynamodb").scan(TableName=table)["Items"]
    assert (item["pk"]["S"], item["generation"]["N"], item["sequence"]["N"]) == ("lane/payments.17", "1", "2")


def test_handler_publishes_to_an_ordered_bus_by_its_arn(
    parking: str, ordered: OrderedBusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus is checked at the start."""
    bus = ordered.bus("payments")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGEV2", ordered.endpoint_url)
    monkeypatch.setenv("FORWARDER_EVENT_BUS", bus)
    event = {"Records": [record(body(inserted(), cancelled()))]}
    for _ in range(2):
        assert module.handler(event, Context()) == {"batchItemFailures": []}
    assert [told.detail_type for told in ordered.events.of(bus)] == ["PaymentCreated", "PaymentCancelled"]
    app.forwarder.cache_clear()
    monkeypatch.setenv("FORWARDER_EVENT_BUS", bus[:-1] + "-")
    with pytest.raises(Misconfigured, match=r"^FORWARDER_EVENT_BUS: ordered bus .* cannot be used"):
        module.handler(event, Context())


def test_too_large_event_is_stored_in_the_bucket(
    aws: Aws, parking: str, ordered: OrderedBusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a bucket the change is parked."""
    bus = ordered.bus("payments")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGEV2", ordered.endpoint_url)
    monkeypatch.setenv("FORWARDER_EVENT_BUS", bus)
    event = {"Records": [record(body(inserted("a", subscriptionId="s" * 1_100_000)))]}
    module.handler(event, Context())
    [parked] = aws("sqs").receive_message(QueueUrl=parking)["Messages"]
    assert "must be smaller than 1048576" in json.loads(parked["Body"])["reason"]
    app.forwarder.cache_clear()
    monkeypatch.setenv("FORWARDER_CLAIM_BUCKET", CLAIM_BUCKET)
    module.handler(event, Context())
    [told] = ordered.events.of(bus)
    claim = told.detail["claim"]
    stored = aws("s3").get_object(Bucket=claim["bucket"], Key=claim["key"])["Body"].read()
    assert json.loads(stored)["subscriptionId"] == "s" * 1_100_000


def test_blocking_poison_is_returned(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By FORWARDER_ON_POISON."""
    monkeypatch.setenv("FORWARDER_ON_POISON", "block")
    event = {"Records": [record(body(inserted(subscriptionId=7)), message_id="m1"), record(body(cancelled()), message_id="m2")]}
    expected = {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert module.handler(event, Context()) == expected
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=parking)


def test_all_messages_are_returned_when_the_time_is_up(parking: str) -> None:
    event = {"Records": [record("x", message_id="m1"), record("y", message_id="m2")]}
    expected = {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert module.handler(event, Context(seconds=0)) == expected


def test_short_function_timeout_uses_half_of_the_time(aws: Aws, parking: str) -> None:
    assert module.handler({"Records": [record(body(inserted()))]}, Context(seconds=3)) == {"batchItemFailures": []}


def test_metrics_are_logged_only_with_a_namespace(
    parking: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"Records": [record(body(inserted(), cancelled())), record("not ours")]}
    module.handler(event, Context())
    assert lines(capsys.readouterr().out) == []
    app.forwarder.cache_clear()
    monkeypatch.setenv("FORWARDER_EMF_NAMESPACE", "Tailrace/trial")
    module.handler(event, Context())
    said = {line.dimensions["Stream"]: line for line in lines(capsys.readouterr().out)}
    assert said["payments"]["EventsPublished"] == 2
    assert said["payments"]["CommitToBus"] >= 0
    assert said["unknown"].metrics == {"ChangesParked": [1]}


def test_handler_reports_unmapped_collections_to_the_doctor(parking: str) -> None:
    """With the key that was probably meant. Without the question the response is Lambda's."""
    collections = ["payments.payments", "*.payments", "payments.payment", "payments.entirely-else", "payments"]
    response = module.handler({"Records": [], "collections": collections}, Context())
    first, second, third = response.pop("unmapped")
    assert response == {"batchItemFailures": []}
    assert first.startswith("no mapper reads payments.payment (did you mean the key 'payments'?")
    assert second.startswith("no mapper reads payments.entirely-else: ")
    assert third.startswith("no mapper reads payments (did you mean")
    for more in ({}, {"collections": "payments"}):
        assert module.handler({"Records": [], **more}, Context()) == {"batchItemFailures": []}


def test_missing_settings_fail_every_invocation() -> None:
    """The messages stay."""
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"FORWARDER_EVENT_BUS.*\nFORWARDER_PARKING_QUEUE_URL.*\nFORWARDER_WATERMARKS"):
            module.handler({"Records": []}, Context())


def test_watermarks_that_are_off_are_warned_of_once(parking: str, caplog: pytest.LogCaptureFixture) -> None:
    """Per execution environment."""
    for _ in range(2):
        module.handler({"Records": []}, Context())
    warnings = [one.getMessage() for one in caplog.records if getattr(one, "action", "") == "watermarks_off"]
    assert len(warnings) == 1
    assert "published again" in warnings[0]


def test_missing_resources_are_reported_together(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each."""
    monkeypatch.setenv("FORWARDER_EVENT_BUS", "nowhere")
    monkeypatch.setenv("FORWARDER_PARKING_QUEUE_URL", f"{aws.endpoint_url}/000000000000/nowhere.fifo")
    monkeypatch.setenv("FORWARDER_WATERMARKS", "nowhere")
    monkeypatch.setenv("FORWARDER_CLAIM_BUCKET", "nowhere")
    with pytest.raises(Misconfigured) as raised:
        module.handler({"Records": []}, Context())
    named = [line.partition(":")[0] for line in str(raised.value).split("\n")]
    assert named == [
        "FORWARDER_EVENT_BUS",
        "FORWARDER_PARKING_QUEUE_URL",
        "FORWARDER_WATERMARKS",
        "FORWARDER_CLAIM_BUCKET",
    ]


def test_missing_region_is_named(parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Misconfigured, match="region"):
        module.handler({"Records": []}, Context())


def test_importing_the_handler_needs_no_environment() -> None:
    """And imports neither the tailer nor the database driver."""
    program = (
        "import sys, lambda_forwarder.handlers.sqs; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pymongo', 'bson', 'tailer', 'devstack'}))"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": root}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
