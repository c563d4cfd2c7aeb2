"""Every error of MongoDB and DocumentDB becomes the error with the right reaction, code by code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from tailer.errors import HistoryLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.mongodb.connection.errors import STORE, WATCHED, mongodb_errors
from tailer.mongodb.connection.responses import ANYWHERE, OF_A_STREAM, UNKNOWN, Row, row_of
from tailer.mongodb.decoding.values import decode

CASES = [
    # the user
    (13, "command aggregate requires authentication", Misconfigured, "requires authentication"),
    (13, "not authorized on payments to execute command", Misconfigured, "grant it read"),
    (18, "Authentication failed.", Misconfigured, "wrong user name or password"),
    (None, "No MONGODB-AWS credentials found", Unavailable, "task role"),
    (73, "Command isMaster not supported on $external database", Misconfigured, "not support IAM authentication"),
    (
        334,
        "Received authentication for mechanism MONGODB-AWS which is unknown",
        Misconfigured,
        "authentication mechanism",
    ),
    (2, "Received authentication for mechanism SCRAM-SHA-1 which is not enabled", Misconfigured, "authentication mechanism"),
    (8000, "bad auth : Authentication failed.", Misconfigured, "wrong user name or password"),
    (8000, "user is not allowed to do action [find] on [local.oplog.rs]", Misconfigured, "grant it read"),
    (8000, "$changeStream is not allowed in this atlas tier", Misconfigured, "Flex tier"),
    (8000, "Error validating $match value for change streams", Misconfigured, "Flex tier"),
    (8000, "you are over your space quota, using 520 MB of 512 MB", Unavailable, "limits this"),
    (8000, "something else", Unavailable, "does not know"),
    # positions
    (136, "CappedPositionLost: cursor position lost", HistoryLost, "no longer has the history"),
    (136, "Change streams are not enabled for this collection", Misconfigured, "tailer change-streams enable"),
    (286, "Resume of change stream was not possible, as the resume point may no longer be", HistoryLost, "no longer has"),
    (280, "cannot resume stream; the resume token was not found", HistoryLost, "cannot resume"),
    (260, "Attempting to resume a change stream using 'resumeAfter' is not allowed", HistoryLost, "not valid here"),
    (9, "Invalid resume token", HistoryLost, "not valid here"),
    (50811, "KeyString format error", HistoryLost, "not valid here"),
    (40647, "Bad resume token: _data of missing or of wrong type", HistoryLost, "not valid here"),
    # the command
    (303, "Cannot open a new cursor since too many cursors are already opened", Unavailable, "no cursor left"),
    (303, "Feature not supported: $$REMOVE", Misconfigured, "TAILER_PIPELINE"),
    (303, "something else", Unavailable, "does not know"),
    (301, "Retryable writes are not supported", Misconfigured, "retryWrites=false"),
    (9, "Unrecognized field: 'txnNumber'", Misconfigured, "retryWrites=false"),
    (9, "unknown field startAfter", Misconfigured, "refuses this change stream"),
    (304, "Aggregation stage not supported: '$addFields'", Misconfigured, "$addFields in a change stream: change TAILER_PIPE"),
    (304, "Aggregation stage not supported: '$changeStream'", Misconfigured, "no change streams"),
    (304, "Aggregation project operator not supported: '$filter'", Misconfigured, "a part of TAILER_PIPELINE"),
    (40324, "Unrecognized pipeline stage name: '$nonsense'", Misconfigured, "$nonsense"),
    (40324, "Unrecognized pipeline stage name: '$changeStream'", Misconfigured, "no change streams"),
    (115, "Stage $out is not supported yet in native pipeline", Misconfigured, "$out"),
    (40573, "The $changeStream stage is only supported on replica sets", Misconfigured, "not a replica set"),
    (40573, "", Misconfigured, "not a replica set"),
    (20, "Transaction numbers are only allowed on a replica set member or mongos", Misconfigured, "not a replica set"),
    (20, "something illegal", Misconfigured, "refuses this change stream"),
    (
        280,
        "an event whose _id field, which contains the resume token, was modified by the pipeline",
        Misconfigured,
        "TAILER_PI",
    ),
    (241, "Failed to parse objectId", Misconfigured, "TAILER_PIPELINE"),
    (31249, "Invalid $project :: caused by :: Path collision at a.b remaining portion b", Misconfigured, "TAILER_PIPELINE"),
    (51091, "Regular expression is invalid: missing )", Misconfigured, "TAILER_PIPELINE"),
    (46841, "the shard's catalog was not found", Unavailable, "does not know"),
    (10334, "BSONObj size: 16793600 is invalid", Rejected, "16 MB"),
    (17419, "Resulting document after update is larger than 16777216", Rejected, "16 MB"),
    (47, "to require a pre-image for all events, but the pre-image was not found", Misconfigured, "BEFORE_CHANGE=required"),
    (47, "to require a post-image for all events, but the post-image was not found", Misconfigured, "DOCUMENT=required"),
    (47, "no document matches", Unavailable, "does not know"),
    (166, "Namespace payments.v is a view", Misconfigured, "names a view"),
    (166, "$changeStream is not supported on a timeseries collection", Misconfigured, "time series"),
    (73, "Invalid namespace specified 'a..b'", Misconfigured, "TAILER_DATABASE or TAILER_COLLECTIONS"),
    (26, "database payments not found", Unavailable, "not exist yet"),
    (59, "no such command: 'aggregate'", Misconfigured, "know a command"),
    # temporary states
    (189, "primary stepped down while waiting for replication", Unavailable, "elects"),
    (10107, "not primary", Unavailable, "elects"),
    (11600, "interrupted at shutdown", Unavailable, "elects"),
    (91, "The server is in quiesce mode and will shut down", Unavailable, "elects"),
    (6, "Error connecting to db:27017", Unavailable, "elects"),
    (9001, "socket exception", Unavailable, "elects"),
    (43, "cursor id 1 not found", Unavailable, "dropped the cursor"),
    (237, "cursor killed", Unavailable, "dropped the cursor"),
    (50, "operation exceeded time limit", Unavailable, "did not finish in time"),
    (262, "operation exceeded time limit", Unavailable, "did not finish in time"),
    (64, "waiting for replication timed out", Unavailable, "majority"),
    (211, "Cache Reader No keys found for HMAC that is valid for time", Unavailable, "keys"),
    (None, "who knows", Unavailable, "does not know"),
    (424242, "a code of the future", Unavailable, "does not know"),
]


def test_missing_image_is_not_found_in_the_text_of_its_event() -> None:
    """The server shows the event, whose names and keys may contain the name of the other image."""
    text = "to require a post-image for all events, but the post-image was not found for event: { _id: 'pre-image' }"
    with (
        pytest.raises(Misconfigured, match=r"^TAILER_FULL_DOCUMENT=required, but the server has no post-image"),
        mongodb_errors(),
    ):
        raise OperationFailure(text, 47)


@pytest.mark.parametrize(("code", "text", "expected", "words"), CASES)
def test_server_error_maps_to_reaction_and_cause(code: int | None, text: str, expected: type[TailerError], words: str) -> None:
    """Lost history, outages and wrong settings are distinguished. The message keeps the code and the server's text."""
    with pytest.raises(TailerError) as caught, mongodb_errors():
        raise OperationFailure(text, code)
    assert type(caught.value) is expected
    assert words in str(caught.value)
    assert text in str(caught.value)
    assert code is None or f"code {code}" in str(caught.value)


def test_every_error_row_is_reached_by_a_case() -> None:
    """No row of the table is shadowed by an earlier row."""
    rows = ANYWHERE + OF_A_STREAM
    reached = {row_of(code, text, stream=True) for code, text, _, _ in CASES}
    assert [row for row in rows if row not in reached] == []


CODES = {code for row in ANYWHERE + OF_A_STREAM if isinstance(row.codes, tuple) for code in row.codes}
TEXTS = [re.compile(row.text, re.IGNORECASE) for row in ANYWHERE + OF_A_STREAM if not row.codes or isinstance(row.codes, range)]


@given(
    st.one_of(st.none(), st.integers(1, 1_000_000).filter(lambda code: code not in CODES)),
    st.text(max_size=200).filter(lambda text: not any(one.search(text) for one in TEXTS)),
    st.sampled_from([WATCHED, STORE]),
    st.booleans(),
)
def test_unknown_server_error_is_retried_without_a_cause(code: int | None, text: str, setting: str, stream: bool) -> None:
    with pytest.raises(Unavailable, match=UNKNOWN) as caught, mongodb_errors(setting=setting, stream=stream):
        raise OperationFailure(text, code)
    assert ("TAILER_CHECKPOINTS" in str(caught.value)) is (setting == STORE)


class Codes(tuple[int, ...]):
    """Codes that fail the test when something that is not a code is searched in them."""

    def __contains__(self, code: object) -> bool:
        assert isinstance(code, int)
        return super().__contains__(code)


def test_error_without_a_code_is_not_searched_in_the_codes() -> None:
    """A range of millions of codes compares None with each of them, which takes half a second."""
    row = Row(Codes([1]), "text", Unavailable, "")
    assert not row.matches(None, "text")
    assert row.matches(1, "a TEXT")


@pytest.mark.parametrize("code", [2, 9, 20, 73, 136, 286, 304, 40324])
def test_store_error_is_not_explained_as_a_change_stream_error(code: int) -> None:
    """The checkpoint store may be in the watched cluster, but has no pipeline and no history."""
    with pytest.raises(Unavailable, match=UNKNOWN), mongodb_errors(stream=False):
        raise OperationFailure("resume token", code)


def test_error_message_repeats_no_command_and_no_document() -> None:
    """MongoDB quotes the whole command where a right is missing, and the whole event where an image is missing."""
    said = 'not authorized to execute command { aggregate: "payments", pipeline: [ { $match: { iban: "secret" } } ] }'
    with pytest.raises(Misconfigured, match="aggregate") as caught, mongodb_errors():
        raise OperationFailure(said, 13, {"errmsg": said, "$clusterTime": {"signature": "secret"}})
    assert "secret" not in str(caught.value)


def test_bulk_write_error_is_its_first_write_error() -> None:
    """Its own code is not specific."""
    details = {"writeErrors": [{"code": 13, "errmsg": "not authorized on tailrace"}]}
    with pytest.raises(Misconfigured, match="not authorized on tailrace"), mongodb_errors():
        raise BulkWriteError(details)


@pytest.mark.parametrize("error", [AutoReconnect("cut"), NetworkTimeout("slow"), ServerSelectionTimeoutError("nobody")])
def test_network_error_is_unavailable(error: PyMongoError) -> None:
    with pytest.raises(Unavailable), mongodb_errors():
        raise error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("db:27017: [Errno 111] Connection refused (configured timeouts: …)", "nothing listens there"),
        ("db:27017: [Errno -2] Name or service not known", "DNS does not know"),
        ("SSL handshake failed: db:27017: [SSL: WRONG_VERSION_NUMBER] wrong version number", "does not use TLS"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired", "expired"),
        ("CERTIFICATE_VERIFY_FAILED certificate verify failed: Hostname mismatch, not valid for 'db'", "another host name"),
        ("CERTIFICATE_VERIFY_FAILED certificate verify failed: unable to get local issuer", "tlsCAFile"),
        ("client is configured to connect to a replica set named 'a' but this node belongs to a set named 'b'", "replicaSet"),
        ("db:27017: timed out", "MongoDB: db:27017: timed out"),
    ],
)
def test_network_error_names_its_likely_cause(text: str, words: str) -> None:
    """Network errors are retried, because networks and certificates get repaired."""
    with pytest.raises(Unavailable, match=words), mongodb_errors():
        raise ServerSelectionTimeoutError(text)


@pytest.mark.parametrize("raw", [b"\x0c\0\0\0\x02a\0\5", b"\x08\0\0\0\x14a\0\0", b""])
def test_invalid_bson_is_rejected_with_a_reason(raw: bytes) -> None:
    """A retry reads the same bytes. The stream stops until a person decides; other streams of the task continue."""
    with pytest.raises(Rejected, match="not BSON"), mongodb_errors():
        decode(raw)


def test_error_without_text_is_translated() -> None:
    with pytest.raises(Unavailable), mongodb_errors():
        raise AutoReconnect


def test_disabled_change_streams_name_the_command_that_enables_them() -> None:
    """DocumentDB may report them with the code of a lost position."""
    with pytest.raises(Misconfigured, match="tailer change-streams enable"), mongodb_errors():
        raise OperationFailure("Change streams are not enabled for this collection", 136)


def test_denied_command_has_the_remedy_of_its_caller() -> None:
    """Enabling change streams needs other rights than reading them."""
    with (
        pytest.raises(Misconfigured, match="sign in as the primary user"),
        mongodb_errors(denied="sign in as the primary user"),
    ):
        raise OperationFailure("Authorization failure", 13)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("TAILER_MONGODB_URI", "set TAILER_MONGODB_USERNAME and TAILER_MONGODB_PASSWORD"),
        ("TAILER_CHECKPOINTS", "USER:PASSWORD@"),
    ],
)
def test_server_that_requires_authentication_asks_for_a_user(setting: str, words: str) -> None:
    """No right is missing."""
    with pytest.raises(Misconfigured, match=f"{words}.* requires authentication"), mongodb_errors(setting=setting):
        raise OperationFailure("command aggregate requires authentication", 13)


@pytest.mark.parametrize(
    "error",
    [ConfigurationError("no"), AutoReconnect("cut"), *(OperationFailure("Authentication failed.", one) for one in (18, 8000))],
)
def test_store_error_names_the_store_setting(error: PyMongoError) -> None:
    """The checkpoint store may be another server than the watched cluster."""
    with pytest.raises(TailerError) as caught, mongodb_errors(setting="TAILER_CHECKPOINTS"):
        raise error
    assert "TAILER_CHECKPOINTS" in str(caught.value)
    assert "TAILER_MONGODB" not in str(caught.value)


def test_starting_member_is_unavailable() -> None:
    """With directConnection, pymongo reports a member that is not initiated, or recovers, as one without sessions."""
    with pytest.raises(Unavailable, match="cannot be read yet"), mongodb_errors():
        raise ConfigurationError("Sessions are not supported by this MongoDB deployment")


def test_wrong_uri_names_its_setting() -> None:
    with pytest.raises(Misconfigured, match="TAILER_MONGODB_URI"), mongodb_errors():
        raise ConfigurationError("unknown option")
