"""The DynamoDB table of watermarks: throttling, partial responses, a missing table."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_forwarder.aws.table import Table
from lambda_forwarder.errors import ForwarderError, Misconfigured, Unavailable
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks, is_known
from tailer.settings.settings import Settings
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever
from tests.lambda_forwarder.watermarks.test_watermarks import LANE, create_watermark_table, mark


class ScriptedClient:
    """A client with one scripted response or error per call."""

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)
        self.requests: list[dict[str, Any]] = []

    def batch_get_item(self, **request: Any) -> Any:
        self.requests.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    update_item = batch_get_item


def failure(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said so"}}, "any")


def stored_item(lane: str, to: Watermark) -> dict[str, Any]:
    return {
        "pk": {"S": f"lane/{lane}"},
        "generation": {"N": str(to.generation)},
        "sequence": {"N": str(to.sequence)},
        "clusterTime": {"S": to.cluster_time},
    }


def unprocessed(*lanes: str) -> dict[str, Any]:
    return {"table": {"Keys": [{"pk": {"S": f"lane/{lane}"}} for lane in lanes], "ConsistentRead": True}}


def test_unprocessed_keys_are_read_again() -> None:
    """Consistently, and only those keys."""
    client = ScriptedClient(
        {"Responses": {"table": [stored_item("a.1", mark(1, 1))]}, "UnprocessedKeys": unprocessed("b.2")},
        {"Responses": {"table": [stored_item("b.2", mark(1, 2))]}, "UnprocessedKeys": {}},
    )
    assert DynamodbWatermarks(Table(client, "table")).read(["a.1", "b.2"], forever) == {"a.1": mark(1, 1), "b.2": mark(1, 2)}
    assert [request["RequestItems"] for request in client.requests] == [unprocessed("a.1", "b.2"), unprocessed("b.2")]


def test_keys_that_stay_unprocessed_are_unavailable() -> None:
    """A lane without a response is not a lane without a watermark."""
    client = ScriptedClient(*[{"Responses": {}, "UnprocessedKeys": unprocessed(LANE)}] * 3)
    with pytest.raises(Unavailable, match="throttled"):
        DynamodbWatermarks(Table(client, "table")).read([LANE], forever)


@pytest.mark.parametrize("use", [lambda store: store.read([LANE], forever), lambda store: store.advance(LANE, mark(1, 1))])
@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        ("ProvisionedThroughputExceededException", Unavailable),
        ("ThrottlingException", Unavailable),
        ("RequestLimitExceeded", Unavailable),
        ("InternalServerError", Unavailable),
        ("TransactionConflictException", Unavailable),
        ("ResourceNotFoundException", Misconfigured),
        ("AccessDeniedException", Misconfigured),
        ("ValidationException", Misconfigured),
    ],
)
def test_dynamodb_error_maps_to_its_reaction(
    use: Callable[[DynamodbWatermarks], object], code: str, reaction: type[ForwarderError]
) -> None:
    """A wrong configuration names the setting. No error is taken for success."""
    with pytest.raises(reaction, match=code) as raised:
        use(DynamodbWatermarks(Table(ScriptedClient(failure(code)), "table")))
    assert str(raised.value).startswith("FORWARDER_WATERMARKS: ") is (reaction is Misconfigured)


def test_usable_table_passes_the_check_and_stays_empty(aws: Aws) -> None:
    """The check reads and writes."""
    table = create_watermark_table(aws)
    DynamodbWatermarks(Table(aws("dynamodb"), table)).check()
    assert aws("dynamodb").scan(TableName=table)["Items"] == []


HERE = frozenset({"payments", "dynamodb.carts"})
LATER = 1_000 + 45 * 86_400


@pytest.mark.parametrize(
    ("lane", "expires"),
    [
        ("payments.0", None),
        ("payments.99999", None),
        ("dynamodb.carts.0", None),
        ("payments.100000", LATER),
        ("payments.9223372036854775807", LATER),
        ("payments.-1", LATER),
        ("payments.٣", LATER),
        ("payments.", LATER),
        ("payments", LATER),
        ("Payments.1", LATER),
        ("payments.x.1", LATER),
        ("carts.1", LATER),
        ("other.1", LATER),
        (".1", LATER),
        ("", LATER),
    ],
)
def test_only_watermarks_of_unknown_lanes_expire(aws: Aws, lane: str, expires: int | None) -> None:
    """So invented lanes are removed, and no repeat of a known lane is ever published."""
    table = create_watermark_table(aws)
    DynamodbWatermarks(Table(aws("dynamodb"), table), streams=HERE, now=lambda: 1_000.7).advance(lane, mark(1, 1))
    [item] = aws("dynamodb").scan(TableName=table)["Items"]
    assert item.get("expires") == (None if expires is None else {"N": str(expires)})


def test_watermark_of_a_stream_that_becomes_known_is_kept(aws: Aws) -> None:
    """Without configured streams every lane is known."""
    table = create_watermark_table(aws)
    for sequence, streams in enumerate((["payments"], ["payments", "refunds"], ["payments"], []), 1):
        DynamodbWatermarks(Table(aws("dynamodb"), table), streams=streams).advance("refunds.1", mark(1, sequence))
        [item] = aws("dynamodb").scan(TableName=table)["Items"]
        assert ("expires" in item) is (streams == ["payments"])


def test_every_lane_of_a_stream_is_known() -> None:
    """The tailer's maximum of lanes is the forwarder's."""
    [most] = [one.le for one in Settings.model_fields["lanes"].metadata if hasattr(one, "le")]
    assert is_known(f"payments.{most - 1}", HERE)
    assert not is_known(f"payments.{most}", HERE)


def test_missing_table_is_reported_at_the_start(aws: Aws) -> None:
    """With the setting, the table and the remedy."""
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_WATERMARKS: table 'nowhere' cannot be used: .*does not exist.*partition key pk"
    ):
        DynamodbWatermarks(Table(aws("dynamodb"), "nowhere")).check()


def test_table_with_another_key_is_reported_at_the_start(aws: Aws) -> None:
    with pytest.raises(Misconfigured, match=r"^FORWARDER_WATERMARKS: .*partition key pk"):
        DynamodbWatermarks(Table(aws("dynamodb"), create_watermark_table(aws, key="id"))).check()


def test_read_only_table_is_reported_at_the_start() -> None:
    client = ScriptedClient({"Responses": {}, "UnprocessedKeys": {}}, failure("AccessDeniedException"))
    with pytest.raises(Misconfigured, match=r"UpdateItem.*dynamodb:UpdateItem"):
        DynamodbWatermarks(Table(client, "table")).check()
