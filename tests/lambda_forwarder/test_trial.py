"""``python -P -m lambda_forwarder try``: the output for somebody who writes a mapper."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lambda_forwarder.__main__ import main
from lambda_forwarder.trial import read, tried
from tailrace.change import Change
from tailrace.dev.aws import Aws
from tailrace.events import remembers
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.values import Noted, body, cancelled, claiming, gap, inserted, message, record

SAMPLES = Path(__file__).parents[1] / "samples"
EVENTS = Path(__file__).parents[2] / "examples" / "payments" / "samples"
CHANGE = json.loads(msgspec.json.encode(cancelled()))
BODY = body(inserted(), cancelled())


def replaced(before: str | None) -> Change:
    """Return a replace whose new status is cancelled, with a pre-image unless ``before`` is None."""
    known = None if before is None else {"status": before}
    whole = inserted(sequence=2, status="cancelled")
    return replace(whole, operation_type="replace", cluster_time="1795330890.3", full_document_before_change=known)


Try = Callable[..., tuple[int, str, str]]


def failing_mapper(change: Change) -> None:
    """Fail for every change."""
    raise KeyError("subscriptionId")


BROKEN = {"payments": (failing_mapper,)}
KEYS: dict[str, Any] = {
    "orders": (failing_mapper,),
    "payments.outbox": (failing_mapper,),
    "*.audit.log": (failing_mapper,),
    "silent": (),
}
NONE: dict[str, Any] = {}


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Try:
    monkeypatch.chdir(tmp_path)  # no .env of the developer

    def attempt(given: Any, *options: str, before: tuple[str, ...] = ()) -> tuple[int, str, str]:
        text = given if isinstance(given, str) else json.dumps(given)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main([*before, "try", "-", *options])
        out, err = capsys.readouterr()
        return code, out, err

    return attempt


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (CHANGE, 1),
        (BODY, 2),
        (f"{json.dumps(CHANGE)}\n\n{BODY}", 3),
        ({"Records": [record(BODY), record(BODY)]}, 4),
        ({"Records": [record(BODY) | {"messageId": None, "attributes": None}]}, 2),
        (
            {
                "Records": [
                    record(BODY) | {"attributes": {"ApproximateReceiveCount": "N", "ApproximateFirstReceiveTimestamp": ""}}
                ]
            },
            2,
        ),
        ({"Messages": [{"Body": BODY}]}, 2),
        ({"Messages": [{"Body": BODY, "MessageId": 1, "Attributes": None}]}, 2),
        ({"id": "x", "reason": "KeyError", "message": json.loads(BODY)}, 2),
    ],
)
def test_every_form_of_a_change_is_read(given: Any, count: int) -> None:
    """
    A change, a body, both by the line, an SQS event, the AWS CLI's output, a parked item. Of a recorded message only the body
    matters.
    """
    text = given if isinstance(given, str) else json.dumps(given)
    assert sum(len(message.changes) for message in read(text)) == count


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "none of these"),
        ({"operationType": "insert", "_id": {"_data": "82"}}, "not a change as the tailer writes it"),
        ({"Records": [{"dynamodb": {}}]}, "not the record of a DynamoDB stream"),
        ({"Records": [{"kinesis": {}}]}, "neither SQS nor"),
        ({"Messages": [{"Body": "hello"}]}, "not a change message"),
        ({"Messages": [{"MessageId": "m1"}]}, "a message of the response has no Body"),
        ({"Messages": [1]}, "a message of the response has no Body"),
        (CHANGE | {"wallTime": "2026-11-22T06:58:00"}, "change 2 is dated"),
        (BODY.replace('"sequence":2', '"sequence":-2'), "-2 is no generation or sequence"),
    ],
)
def test_other_input_is_refused_with_a_reason(given: Any, problem: str, attempt: Try) -> None:
    """With exit code 2."""
    with pytest.raises(UnreadableMessage, match=problem):
        list(read(given if isinstance(given, str) else json.dumps(given)))
    code, out, err = attempt(given)
    assert (code, out) == (2, "")
    assert problem in err


def test_events_of_a_change_are_printed(attempt: Try) -> None:
    """Its document and operation, and each event as on the bus."""
    code, out, err = attempt(CHANGE)
    assert (code, err) == (0, "")
    first, second, *detail = out.splitlines()
    assert first == "payments.payments/65f2a1c09b1e8a5d4c3b2a19  update  #2"
    assert second == "  PaymentCancelled  app.payments"
    assert json.loads("".join(detail))["data"]["paymentId"] == "65f2a1c09b1e8a5d4c3b2a19"


def test_gap_is_printed_with_its_built_in_mapper() -> None:
    """Whatever the table."""
    [trial] = tried(message(gap()), {})
    assert (trial.mappers, [entry.detail_type for entry in trial.entries]) == (("stream_gap_detected",), ["StreamGapDetected"])


def test_change_without_an_event_names_its_mappers(attempt: Try) -> None:
    """A mapper without an event differs from an unmapped collection."""
    assert "no event: payment_created, payment_cancelled returned none" in attempt(CHANGE | {"operationType": "delete"})[1]
    elsewhere = CHANGE | {"ns": {"db": "payments", "coll": "refunds"}}
    assert "no event: no mapper reads payments.refunds" in attempt(elsewhere)[1]


@pytest.mark.parametrize(
    ("collection", "table", "meant"),
    [
        ("shop.order", "KEYS", "orders"),
        ("shop.Orders", "KEYS", "orders"),
        ("shop.ORDERS", "KEYS", "orders"),
        ("shop.audit.logs", "KEYS", "*.audit.log"),
        ("payment.outbox", "KEYS", "payments.outbox"),
        ("payments.outbx", "KEYS", "payments.outbox"),
        ("shop.entirely-else", "KEYS", None),
        ("shop.orders", "NONE", None),
        ("x" * 64 + "." + "y" * 100_000, "KEYS", None),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_unmapped_sample_exits_with_1_and_suggests_a_key(
    attempt: Try, collection: str, table: str, meant: str | None, options: tuple[str, ...]
) -> None:
    db, _, coll = collection.partition(".")
    code, out, err = attempt(CHANGE | {"ns": {"db": db, "coll": coll}}, *options, before=("--mappers", f"{__name__}:{table}"))
    said = err if options else out
    assert code == 1
    assert f"no mapper reads {collection[:1_900]}" in said
    assert (f"did you mean the key {meant!r}?" in said) if meant else ("did you mean" not in said)


@pytest.mark.parametrize("ns", [{"db": "shop", "coll": "silent"}, {"db": "shop"}])
def test_collection_mapped_to_nothing_exits_with_0(attempt: Try, ns: dict[str, str]) -> None:
    """And so does a change of a whole database."""
    given = CHANGE | {"ns": ns} | ({} if "coll" in ns else {"operationType": "dropDatabase", "documentKey": {}})
    code, out, _ = attempt(given, before=("--mappers", f"{__name__}:KEYS"))
    assert (code, "no event: this change has no mapper, as intended" in out) == (0, True)


def test_change_that_would_be_parked_has_reason_and_remedy(attempt: Try) -> None:
    """With exit code 1, for an uncertain question and for an error of the mapper."""
    undescribed = {name: value for name, value in CHANGE.items() if name != "updateDescription"}
    code, out, _ = attempt(undescribed)
    assert code == 1
    assert "would be parked because of examples.payments.events.payments.payment_cancelled" in out
    assert "Uncertain: became 'status': there is no update description" in out
    code, out, _ = attempt(CHANGE, before=("--mappers", f"{__name__}:BROKEN"))
    assert code == 1
    assert "KeyError: 'subscriptionId'" in out
    assert "what to do: fix the mapper" in out


def test_trial_uses_the_mapper_table_of_the_environment(attempt: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing table is reported without a traceback."""
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:BROKEN")
    assert attempt(CHANGE)[0] == 1
    code, _, err = attempt(CHANGE, before=("--mappers", "nowhere:MAPPERS"))
    assert code == 2
    assert "mappers: it cannot be imported" in err


def test_json_output_is_the_form_of_the_samples(attempt: Try) -> None:
    """Parked changes are reported beside it."""
    change = (EVENTS / "payment_cancelled.change.json").read_text()
    event = (EVENTS / "payment_cancelled.event.json").read_text()
    code, out, err = attempt(change, "--json")
    assert (code, json.loads(out), err) == (0, json.loads(event), "")
    both = attempt(BODY, "--json")[1]
    assert [told["DetailType"] for told in json.loads(both)] == ["PaymentCreated", "PaymentCancelled"]
    code, out, err = attempt(CHANGE, "--json", before=("--mappers", f"{__name__}:BROKEN"))
    assert (code, json.loads(out)) == (1, [])
    assert "KeyError" in err


def test_claimed_change_says_where_its_documents_are(attempt: Try) -> None:
    """The object can be tried."""
    light, content = claiming(inserted())
    assert "its documents are stored in s3://claims/payments/1.json: download that object and try it" in attempt(body(light))[1]
    assert "PaymentCreated" in attempt(content.decode())[1]


def test_missing_file_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["try", str(SAMPLES / "wire" / "v1" / "update.json")]) == 0
    assert main(["try", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_every_wire_sample_can_be_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """It gives an event, nothing, or a reason."""
    for path in (SAMPLES / "wire" / "v1").glob("*.json"):
        assert main(["try", str(path)]) in (0, 1), path
    assert capsys.readouterr().err == ""


def test_queue_can_be_tried_and_stays_unchanged(
    aws: Aws, fresh: str, attempt: Try, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages are visible at once afterwards."""
    queue = aws("sqs").create_queue(QueueName=f"{fresh}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    aws("sqs").send_message(QueueUrl=queue, MessageBody=BODY, MessageGroupId="payments.17", MessageDeduplicationId="1")
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["try", "--queue", queue]) == 0
    out = capsys.readouterr().out
    assert "PaymentCreated" in out
    assert "PaymentCancelled" in out
    again = aws("sqs").receive_message(QueueUrl=queue)
    assert [message["Body"] for message in again["Messages"]] == [BODY]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("AWS_REGION", "eu-west-1", "ReceiveMessage failed: the resource does not exist in this account and region"),
        ("AWS_REGION", "", "AWS_REGION: You must specify a region"),
        ("AWS_ENDPOINT_URL", "nowhere", "AWS_ENDPOINT_URL is not a URL"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect"),
        ("AWS_PROFILE", "none", "The config profile (none) could not be found"),
    ],
)
def test_queue_that_cannot_be_read_is_reported_in_one_line(
    aws: Aws,
    attempt: Try,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    told: str,
) -> None:
    given = aws.environment | {"AWS_CONFIG_FILE": "/dev/null"} | {variable: value}
    given.pop("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert main(["try", "--queue", f"{aws.endpoint_url}/000000000000/none.fifo"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "DeleteMessage" not in err  # try needs no permission to delete


@remembers("status")
def status_mapper(change: Change) -> Noted | None:
    """Return an event if the status became cancelled."""
    return Noted() if change.became("status", "cancelled", assume_current=True) else None


REMEMBERING: dict[str, Any] = {"payments": (status_mapper,)}


@pytest.mark.parametrize(
    ("server", "change", "expected"),
    [
        ("documentdb-5.0", cancelled(), "Noted"),
        ("documentdb-5.0", replaced("created"), "Noted"),
        ("documentdb-5.0", replaced("cancelled"), "no event"),
        ("documentdb-5.0", replaced(None), "the forwarder does not remember it yet"),
        ("documentdb-5.0-undescribed", replace(cancelled(), full_document_before_change={"status": "created"}), "Noted"),
        ("documentdb-5.0-undescribed", cancelled(), "the forwarder does not remember it yet"),
    ],
)
def test_change_is_tried_as_another_server_reports_it(
    attempt: Try, monkeypatch: pytest.MonkeyPatch, server: str, change: Change, expected: str
) -> None:
    """Its pre-image is what the forwarder remembers there."""
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:REMEMBERING")
    _, out, _ = attempt(msgspec.to_builtins(change), "--as", server)
    assert expected in out


def test_changes_of_a_file_are_remembered_from_one_to_the_next(attempt: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:REMEMBERING")
    lines = [json.dumps(msgspec.to_builtins(change)) for change in (inserted(), replaced(None))]
    code, out, _ = attempt("\n".join(lines), "--as", "documentdb-5.0-undescribed")
    assert (code, out.count("  Noted")) == (0, 1)
