"""The function as Lambda calls it, on the emulator; and its start in a bare interpreter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from devstack.aws import Aws
from devstack.ordered_bus import OrderedBusServer
from devstack.resources import CLAIM_BUCKET
from lambda_forwarder import app
from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.handlers import sqs as module
from tests.emf import lines
from tests.lambda_forwarder.values import body, cancelled, claiming, inserted, record
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table


class Context:
    """Lambda's second argument, as much of it as we use."""

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the developer's, and no forwarder of another test."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("FORWARDER_", "AWS_"))]:
        monkeypatch.delenv(name)
    app.forwarder.cache_clear()
    yield
    app.forwarder.cache_clear()


@pytest.fixture
def parking(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bus and a parking queue, and the environment that names them; the queue's URL."""
    name = uuid4().hex
    aws("events").create_event_bus(Name=name)
    url = str(aws("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])
    settings = {"FORWARDER_EVENT_BUS": name, "FORWARDER_PARKING_QUEUE_URL": url, "FORWARDER_WATERMARKS": "off"}
    for key, value in (aws.environment | settings).items():
        monkeypatch.setenv(key, value)
    return url


def test_a_batch_is_forwarded_and_answered_in_part(aws: Aws, parking: str) -> None:
    """An SQS event goes in, events go on the bus, what is not ours is parked, and the answer is Lambda's."""
    event = {"Records": [record(body(inserted(), cancelled())), record("not ours"), record(body(cancelled()))]}
    assert module.handler(event, Context()) == {"batchItemFailures": []}
    [parked] = aws("sqs").receive_message(QueueUrl=parking)["Messages"]
    assert json.loads(parked["Body"])["body"] == "not ours"


def test_with_a_table_and_a_bucket_it_remembers_and_fetches(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claimed change is fetched from S3, and the table says how far its lane was published."""
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


def test_an_ordered_bus_is_told_by_its_arn(parking: str, ordered: OrderedBusServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same function publishes to the other kind of bus, which is checked at the start as well."""
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


def test_an_event_too_large_for_the_bus_goes_to_the_bucket(
    aws: Aws, parking: str, ordered: OrderedBusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a bucket the event claims its data; without one the change is parked."""
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


def test_with_block_a_poison_change_comes_again(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORWARDER_ON_POISON decides."""
    monkeypatch.setenv("FORWARDER_ON_POISON", "block")
    event = {"Records": [record(body(inserted(subscriptionId=7)), message_id="m1"), record(body(cancelled()), message_id="m2")]}
    expected = {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert module.handler(event, Context()) == expected
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=parking)


def test_what_was_not_begun_is_returned(parking: str) -> None:
    """Without time left every message is to come again, in Lambda's own form."""
    event = {"Records": [record("x", message_id="m1"), record("y", message_id="m2")]}
    expected = {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert module.handler(event, Context(seconds=0)) == expected


def test_a_short_timeout_still_works(aws: Aws, parking: str) -> None:
    """A function of a few seconds uses half of them rather than nothing."""
    assert module.handler({"Records": [record(body(inserted()))]}, Context(seconds=3)) == {"batchItemFailures": []}


def test_with_a_namespace_the_log_has_the_metrics(
    parking: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a line that CloudWatch makes metrics of; without one there is none."""
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


def test_the_doctor_is_told_what_no_mapper_reads(parking: str) -> None:
    """By the function's own mappers, with the key that was meant; whoever asks nothing is told nothing."""
    collections = ["payments.payments", "*.payments", "payments.payment", "payments.entirely-else", "payments"]
    response = module.handler({"Records": [], "collections": collections}, Context())
    first, second, third = response.pop("unmapped")
    assert response == {"batchItemFailures": []}
    assert first.startswith("no mapper reads payments.payment (did you mean the key 'payments'?")
    assert second.startswith("no mapper reads payments.entirely-else: ")
    assert third.startswith("no mapper reads payments (did you mean")
    for more in ({}, {"collections": "payments"}):
        assert module.handler({"Records": [], **more}, Context()) == {"batchItemFailures": []}


def test_missing_settings_are_told_by_every_invocation() -> None:
    """Nothing is forwarded and nothing is lost: the invocation fails, the messages stay."""
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"FORWARDER_EVENT_BUS.*\nFORWARDER_PARKING_QUEUE_URL.*\nFORWARDER_WATERMARKS"):
            module.handler({"Records": []}, Context())


def test_watermarks_that_are_off_are_a_warning_once(parking: str, caplog: pytest.LogCaptureFixture) -> None:
    """It says what it means, once for each execution environment."""
    for _ in range(2):
        module.handler({"Records": []}, Context())
    warnings = [one.getMessage() for one in caplog.records if getattr(one, "action", "") == "watermarks_off"]
    assert len(warnings) == 1
    assert "published again" in warnings[0]


def test_missing_neighbours_are_told_together(aws: Aws, parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not exist is one line each of one error."""
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


def test_a_missing_region_is_told(parking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS's own settings the error says which."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Misconfigured, match="region"):
        module.handler({"Records": []}, Context())


def test_importing_the_function_needs_nothing() -> None:
    """No environment, no credentials; and neither the tailer nor the database's driver comes with it."""
    program = (
        "import sys, lambda_forwarder.handlers.sqs; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pymongo', 'bson', 'tailer', 'devstack'}))"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": root}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
