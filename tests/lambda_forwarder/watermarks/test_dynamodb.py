"""A table's own ways: throttling, a partial answer, a table that is not there."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from devstack.aws import Aws
from lambda_forwarder.errors import ForwarderError, Misconfigured, Unavailable
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from lambda_forwarder.watermarks.expiry import of_unknown
from tailer.settings.settings import Settings
from tests.lambda_forwarder.values import forever
from tests.lambda_forwarder.watermarks.test_watermarks import LANE, a_table, mark


class Scripted:
    """A client that answers or raises what it is given, one thing a call."""

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


def found(lane: str, to: Watermark) -> dict[str, Any]:
    return {
        "pk": {"S": f"lane/{lane}"},
        "generation": {"N": str(to.generation)},
        "sequence": {"N": str(to.sequence)},
        "clusterTime": {"S": to.cluster_time},
    }


def left(*lanes: str) -> dict[str, Any]:
    return {"table": {"Keys": [{"pk": {"S": f"lane/{lane}"}} for lane in lanes], "ConsistentRead": True}}


def test_what_a_call_leaves_out_is_asked_for_again() -> None:
    """A throttled partition answers with the rest of the keys; only those are asked again, still consistently."""
    client = Scripted(
        {"Responses": {"table": [found("a.1", mark(1, 1))]}, "UnprocessedKeys": left("b.2")},
        {"Responses": {"table": [found("b.2", mark(1, 2))]}, "UnprocessedKeys": {}},
    )
    assert DynamodbWatermarks(client, "table").read(["a.1", "b.2"], forever) == {"a.1": mark(1, 1), "b.2": mark(1, 2)}
    assert [request["RequestItems"] for request in client.requests] == [left("a.1", "b.2"), left("b.2")]


def test_what_stays_left_out_is_not_taken_for_new() -> None:
    """A lane without an answer is not a lane without a watermark: the message comes again."""
    client = Scripted(*[{"Responses": {}, "UnprocessedKeys": left(LANE)}] * 3)
    with pytest.raises(Unavailable, match="throttled"):
        DynamodbWatermarks(client, "table").read([LANE], forever)


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
def test_an_response_has_its_reaction(
    use: Callable[[DynamodbWatermarks], object], code: str, reaction: type[ForwarderError]
) -> None:
    """What passes is tried again; what a person must mend names the setting. Nothing is ever taken for success."""
    with pytest.raises(reaction, match=code) as raised:
        use(DynamodbWatermarks(Scripted(failure(code)), "table"))
    assert str(raised.value).startswith("FORWARDER_WATERMARKS: ") is (reaction is Misconfigured)


def test_a_table_in_order_passes_and_stays_empty(aws: Aws) -> None:
    """The check reads and writes in earnest, and leaves nothing."""
    table = a_table(aws)
    DynamodbWatermarks(aws("dynamodb"), table).check()
    assert aws("dynamodb").scan(TableName=table)["Items"] == []


HERE = of_unknown(frozenset({"payments", "dynamodb.carts"}), lambda: 1_000.7)
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
def test_only_a_lane_that_no_stream_has_expires(aws: Aws, lane: str, expires: int | None) -> None:
    """So what a sender made up goes again, and no repeat of a known lane is ever published for want of its watermark."""
    table = a_table(aws)
    DynamodbWatermarks(aws("dynamodb"), table, expires=HERE).advance(lane, mark(1, 1))
    [item] = aws("dynamodb").scan(TableName=table)["Items"]
    assert item.get("expires") == (None if expires is None else {"N": str(expires)})


def test_a_stream_that_becomes_known_keeps_its_watermarks(aws: Aws) -> None:
    """Its next change takes the expiry away; without streams nothing is unknown."""
    table = a_table(aws)
    for sequence, streams in enumerate((["payments"], ["payments", "refunds"], ["payments"], []), 1):
        expires = of_unknown(streams, lambda: 0.0)
        DynamodbWatermarks(aws("dynamodb"), table, expires=expires).advance("refunds.1", mark(1, sequence))
        [item] = aws("dynamodb").scan(TableName=table)["Items"]
        assert ("expires" in item) is (streams == ["payments"])


def test_every_lane_that_a_stream_can_have_is_known() -> None:
    """The tailer's settings take no more lanes than the forwarder keeps."""
    [most] = [one.le for one in Settings.model_fields["lanes"].metadata if hasattr(one, "le")]
    assert HERE(f"payments.{most - 1}") is None
    assert HERE(f"payments.{most}") == LATER


def test_a_missing_table_is_told_at_the_start(aws: Aws) -> None:
    """The message names the setting, the table and the remedy."""
    with pytest.raises(
        Misconfigured, match=r"^FORWARDER_WATERMARKS: table 'nowhere' cannot be used: .*does not exist.*partition key pk"
    ):
        DynamodbWatermarks(aws("dynamodb"), "nowhere").check()


def test_a_table_of_another_form_is_told_at_the_start(aws: Aws) -> None:
    """Not at the first message."""
    with pytest.raises(Misconfigured, match=r"^FORWARDER_WATERMARKS: .*partition key pk"):
        DynamodbWatermarks(aws("dynamodb"), a_table(aws, key="id")).check()


def test_a_table_that_may_only_be_read_is_told_at_the_start() -> None:
    """The permission to write is tried before it is needed."""
    client = Scripted({"Responses": {}, "UnprocessedKeys": {}}, failure("AccessDeniedException"))
    with pytest.raises(Misconfigured, match=r"UpdateItem.*dynamodb:UpdateItem"):
        DynamodbWatermarks(client, "table").check()
