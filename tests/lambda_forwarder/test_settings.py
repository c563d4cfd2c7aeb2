"""Valid settings are read, and all invalid ones are reported at once."""

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.settings import StreamSettings, read_settings

BAD_KEYS: dict[str, tuple[()]] = {"payments.": ()}
NOT_A_TABLE = {"payments": "no mappers"}
OTHER_TABLE = {"orders": (print,)}


@pytest.fixture(autouse=True)
def valid(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))  # no .env of the developer
    for name in ("SOURCE", "MAPPERS", "CLAIM_BUCKET", "DEAD_LETTER_QUEUE_URL", "ON_POISON"):
        monkeypatch.delenv(f"FORWARDER_{name}", raising=False)
    monkeypatch.setenv("FORWARDER_EVENT_BUS", "payments")
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")
    monkeypatch.setenv("FORWARDER_PARKING_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/parking.fifo")
    monkeypatch.setenv("FORWARDER_WATERMARKS", "tailrace-state")


def test_four_settings_are_enough() -> None:
    """The bus, the mappers, the parking queue and the watermarks."""
    settings = read_settings()
    assert (settings.event_bus, settings.source, settings.mappers) == ("payments", None, MAPPERS)
    assert (settings.watermark_table, settings.claim_bucket, settings.dead_letter_queue_url) == ("tailrace-state", None, None)
    assert settings.on_poison == "park"


def test_every_wrong_setting_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each: name, problem and remedy."""
    monkeypatch.delenv("FORWARDER_EVENT_BUS")
    monkeypatch.setenv("FORWARDER_PARKING_QUEUE_URL", "parking")
    monkeypatch.setenv("FORWARDER_SOURCE", "aws.payments")
    monkeypatch.setenv("FORWARDER_MAPPERS", "nowhere:MAPPERS")
    monkeypatch.setenv("FORWARDER_WATERMARKS", "dynamodb table")
    monkeypatch.setenv("FORWARDER_CLAIM_BUCKET", "s3://claims")
    monkeypatch.setenv("FORWARDER_DEAD_LETTER_QUEUE_URL", "dead")
    monkeypatch.setenv("FORWARDER_ON_POISON", "drop")
    with pytest.raises(Misconfigured) as raised:
        read_settings()
    claims, dead_letters, bus, mappers, on_poison, parking, source, watermarks = str(raised.value).split("\n")
    assert claims.startswith("FORWARDER_CLAIM_BUCKET: ")
    assert dead_letters.startswith("FORWARDER_DEAD_LETTER_QUEUE_URL: ")
    assert on_poison.startswith("FORWARDER_ON_POISON: ")
    assert watermarks.startswith("FORWARDER_WATERMARKS: ")
    assert bus == "FORWARDER_EVENT_BUS: it is missing; set it to the name or the ARN of the event bus"
    assert mappers.startswith("FORWARDER_MAPPERS: it cannot be imported: No module named 'nowhere'. Install its package or")
    assert parking.startswith("FORWARDER_PARKING_QUEUE_URL: ")
    assert source.startswith("FORWARDER_SOURCE: ")


def test_value_of_another_form_is_reported_with_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy alone does not say that a namespace has no space."""
    monkeypatch.setenv("FORWARDER_EMF_NAMESPACE", "Tail race")
    with pytest.raises(Misconfigured) as raised:
        read_settings()
    assert str(raised.value) == (
        "FORWARDER_EMF_NAMESPACE: its value does not match ^[A-Za-z0-9._/#:-]{1,255}$; set it to the CloudWatch namespace of "
        "the metrics; or leave it out to write none"
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("examples.payments.events", "not of the form"),
        ("examples.payments.events:NOTHING", "cannot be imported"),
        (f"{__name__}:NOT_A_TABLE", "not a mapping"),
        ("os:sep", "not a mapping"),
        (f"{__name__}:BAD_KEYS", r"FORWARDER_MAPPERS: the key 'payments.' is neither collection nor database\.collection"),
    ],
)
def test_invalid_mapper_table_is_reported_with_the_problem(monkeypatch: pytest.MonkeyPatch, value: str, problem: str) -> None:
    monkeypatch.setenv("FORWARDER_MAPPERS", value)
    with pytest.raises(Misconfigured, match=problem):
        read_settings()


def test_team_can_use_its_own_mapper_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:OTHER_TABLE")
    assert read_settings().mappers == OTHER_TABLE


def test_empty_setting_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates leave optional variables empty."""
    monkeypatch.setenv("FORWARDER_SOURCE", "")
    assert read_settings().source is None


@pytest.mark.parametrize("table", ["tailrace-state", "arn:aws:dynamodb:eu-west-1:123456789012:table/tailrace-state"])
def test_table_is_a_name_or_an_arn(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """And a bucket is a name."""
    monkeypatch.setenv("FORWARDER_WATERMARKS", table)
    monkeypatch.setenv("FORWARDER_CLAIM_BUCKET", "tailrace-claims.eu")
    assert (read_settings().watermarks, read_settings().claim_bucket) == (table, "tailrace-claims.eu")


@pytest.mark.parametrize("value", [None, ""])
def test_missing_watermarks_must_be_off(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """Missing or empty is an error that names the table and ``off``, and what ``off`` means."""
    monkeypatch.delenv("FORWARDER_WATERMARKS")
    if value is not None:
        monkeypatch.setenv("FORWARDER_WATERMARKS", value)
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_WATERMARKS: it is missing; .* table .*, or to off: .* published again"
    ):
        read_settings()
    monkeypatch.setenv("FORWARDER_WATERMARKS", "off")
    assert read_settings().watermark_table is None


def test_function_of_a_dynamodb_stream_needs_no_watermarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda keeps the position in the stream."""
    monkeypatch.delenv("FORWARDER_WATERMARKS")
    assert read_settings(StreamSettings).watermark_table is None


@pytest.mark.parametrize("bus", ["payments", "arn:aws:events:eu-west-1:123456789012:event-bus/payments", "aws.partner/x"])
def test_bus_is_a_name_or_an_arn(monkeypatch: pytest.MonkeyPatch, bus: str) -> None:
    monkeypatch.setenv("FORWARDER_EVENT_BUS", bus)
    assert read_settings().event_bus == bus


def test_streams_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces are ignored. Without any, every name is accepted."""
    assert read_settings().streams == frozenset()
    monkeypatch.setenv("FORWARDER_STREAMS", "payments, refunds,dynamodb.carts,")
    assert read_settings().streams == frozenset({"payments", "refunds", "dynamodb.carts"})
    monkeypatch.setenv("FORWARDER_STREAMS", "payments;refunds,two words")
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_STREAMS: 2 of its names are invalid: .*; set it to the names of all streams"
    ):
        read_settings()
