"""``python -P -m lambda_forwarder try``: what somebody who writes a mapper sees."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devstack.aws import Aws
from lambda_forwarder.__main__ import main
from lambda_forwarder.trial import read, tried
from tailrace.change import Change
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.values import body, cancelled, claiming, gap, inserted, message, record

SAMPLES = Path(__file__).parents[1] / "samples"
CHANGE = json.loads(msgspec.json.encode(cancelled()))
BODY = body(inserted(), cancelled())

Try = Callable[..., tuple[int, str, str]]


def broken(change: Change) -> None:
    """A mapper that cannot digest anything."""
    raise KeyError("subscriptionId")


BROKEN = {"payments": (broken,)}
KEYS: dict[str, Any] = {"orders": (broken,), "payments.outbox": (broken,), "*.audit.log": (broken,), "silent": ()}
NONE: dict[str, Any] = {}


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Try:
    monkeypatch.chdir(tmp_path)  # no .env of the developer's

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
        ({"Messages": [{"Body": BODY}]}, 2),
        ({"id": "x", "reason": "KeyError", "message": json.loads(BODY)}, 2),
    ],
)
def test_every_form_in_which_one_meets_a_change_is_read(given: Any, count: int) -> None:
    """A change, a body, both by the line, an SQS event, the CLI's answer, a parked item."""
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
        (CHANGE | {"wallTime": "2026-11-22T06:58:00"}, "change 2 is dated"),
        (BODY.replace('"sequence":2', '"sequence":-2'), "-2 is no generation or sequence"),
    ],
)
def test_anything_else_is_told_apart(given: Any, problem: str, attempt: Try) -> None:
    """The message says what it is not; the exit code is 2."""
    with pytest.raises(UnreadableMessage, match=problem):
        list(read(given if isinstance(given, str) else json.dumps(given)))
    code, out, err = attempt(given)
    assert (code, out) == (2, "")
    assert problem in err


def test_the_events_of_a_change_are_shown(attempt: Try) -> None:
    """Its document and operation, then each event as it would go on the bus."""
    code, out, err = attempt(CHANGE)
    assert (code, err) == (0, "")
    first, second, *detail = out.splitlines()
    assert first == "payments.payments/65f2a1c09b1e8a5d4c3b2a19  update  #2"
    assert second == "  PaymentCancelled  app.payments"
    assert json.loads("".join(detail))["data"]["paymentId"] == "65f2a1c09b1e8a5d4c3b2a19"


def test_a_gap_is_shown_with_who_is_asked_of_it() -> None:
    """Whatever the table: the one that the forwarder asks."""
    [trial] = tried(message(gap()), {})
    assert (trial.mappers, [entry.detail_type for entry in trial.entries]) == (("stream_gap_detected",), ["StreamGapDetected"])


def test_no_event_is_shown_with_who_was_asked(attempt: Try) -> None:
    """A mapper that tells nothing and a collection that nobody reads are two things."""
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
def test_a_sample_that_no_mapper_reads_ends_with_1_and_the_nearest_key(
    attempt: Try, collection: str, table: str, meant: str | None, options: tuple[str, ...]
) -> None:
    """A misspelt key is the first thing that goes wrong in a table of one's own."""
    db, _, coll = collection.partition(".")
    code, out, err = attempt(CHANGE | {"ns": {"db": db, "coll": coll}}, *options, before=("--mappers", f"{__name__}:{table}"))
    said = err if options else out
    assert code == 1
    assert f"no mapper reads {collection[:1_900]}" in said
    assert (f"did you mean the key {meant!r}?" in said) if meant else ("did you mean" not in said)


@pytest.mark.parametrize("ns", [{"db": "shop", "coll": "silent"}, {"db": "shop"}])
def test_what_has_no_mapper_on_purpose_ends_with_0(attempt: Try, ns: dict[str, str]) -> None:
    """An entry without mappers, and what happened to a whole database."""
    given = CHANGE | {"ns": ns} | ({} if "coll" in ns else {"operationType": "dropDatabase", "documentKey": {}})
    code, out, _ = attempt(given, before=("--mappers", f"{__name__}:KEYS"))
    assert (code, "no event: this change has no mapper, as intended" in out) == (0, True)


def test_what_would_be_parked_says_why_and_what_to_do(attempt: Try) -> None:
    """An uncertain answer and a mapper's own mistake; the exit code is 1."""
    undescribed = {name: value for name, value in CHANGE.items() if name != "updateDescription"}
    code, out, _ = attempt(undescribed)
    assert code == 1
    assert "would be parked because of lambda_forwarder.mappings.payments.payment_cancelled" in out
    assert "Uncertain: became 'status': there is no update description" in out
    code, out, _ = attempt(CHANGE, before=("--mappers", f"{__name__}:BROKEN"))
    assert code == 1
    assert "KeyError: 'subscriptionId'" in out
    assert "what to do: fix the mapper" in out


def test_the_table_is_the_environments(attempt: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORWARDER_MAPPERS as in the Lambda; a table that is not there is told, not traced."""
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:BROKEN")
    assert attempt(CHANGE)[0] == 1
    code, _, err = attempt(CHANGE, before=("--mappers", "nowhere:MAPPERS"))
    assert code == 2
    assert "mappers: it cannot be imported" in err


def test_the_form_of_the_samples_can_be_had(attempt: Try) -> None:
    """What it prints with --json is the second half of a sample pair; what is parked is told beside it."""
    change = (SAMPLES / "events" / "payment_cancelled.change.json").read_text()
    event = (SAMPLES / "events" / "payment_cancelled.event.json").read_text()
    code, out, err = attempt(change, "--json")
    assert (code, json.loads(out), err) == (0, json.loads(event), "")
    both = attempt(BODY, "--json")[1]
    assert [told["DetailType"] for told in json.loads(both)] == ["PaymentCreated", "PaymentCancelled"]
    code, out, err = attempt(CHANGE, "--json", before=("--mappers", f"{__name__}:BROKEN"))
    assert (code, json.loads(out)) == (1, [])
    assert "KeyError" in err


def test_a_claimed_change_says_where_its_documents_lie(attempt: Try) -> None:
    """And the object that lies there can be tried."""
    light, content = claiming(inserted())
    assert "its documents are stored in s3://claims/payments/1.json: download that object and try it" in attempt(body(light))[1]
    assert "PaymentCreated" in attempt(content.decode())[1]


def test_a_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One that is not there is told, not traced."""
    assert main(["try", str(SAMPLES / "wire" / "v1" / "update.json")]) == 0
    assert main(["try", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_every_wire_sample_can_be_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """Every operation and encoding gives an event, nothing, or a reason."""
    for path in (SAMPLES / "wire" / "v1").glob("*.json"):
        assert main(["try", str(path)]) in (0, 1), path
    assert capsys.readouterr().err == ""


def test_a_queue_is_looked_at_and_left_as_it_was(
    aws: Aws, fresh: str, attempt: Try, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages are shown and still there at once afterwards."""
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
def test_a_queue_that_cannot_be_asked_is_told(
    aws: Aws,
    attempt: Try,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    told: str,
) -> None:
    """Whatever is wrong, the command says it in a line and never in a traceback."""
    given = aws.environment | {"AWS_CONFIG_FILE": "/dev/null"} | {variable: value}
    given.pop("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert main(["try", "--queue", f"{aws.endpoint_url}/000000000000/none.fifo"]) == 2
    assert told in capsys.readouterr().err
