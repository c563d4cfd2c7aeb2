"""Each answer of MongoDB and DocumentDB gets the reaction it needs, code by code."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from tailer.errors import HistoryLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.mongodb.bson_values import decode
from tailer.mongodb.errors import mongodb_errors


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (136, "CappedPositionLost: cursor position lost", HistoryLost),
        (286, "Resume of change stream was not possible, as the resume point may no longer be in the oplog.", HistoryLost),
        (280, "cannot resume stream; the resume token was not found", HistoryLost),
        (260, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate", HistoryLost),
        (9, "Invalid resume token", HistoryLost),
        (50811, "KeyString format error", HistoryLost),
        (40647, "Bad resume token: _data of missing or of wrong type", HistoryLost),
        (136, "Change streams are not enabled for this collection", Misconfigured),
        (10334, "BSONObjectTooLarge", Rejected),
        (13, "not authorized on payments to execute command", Misconfigured),
        (47, "configured to require a pre-image for all events, but the pre-image was not found for event", Misconfigured),
        (47, "configured to require a post-image for all events, but the post-image was not found for event", Misconfigured),
        (47, "no document matches", Unavailable),
        (18, "Authentication failed.", Misconfigured),
        (40573, "The $changeStream stage is only supported on replica sets", Misconfigured),
        (40324, "Unrecognized pipeline stage name: '$nonsense'", Misconfigured),
        (9, "unknown field startAfter", Misconfigured),
        (43, "cursor id 1 not found", Unavailable),
        (189, "not primary", Unavailable),
        (11600, "interrupted at shutdown", Unavailable),
        (303, "too many cursors", Unavailable),
        (303, "Feature not supported: $$REMOVE", Misconfigured),
        (None, "who knows", Unavailable),
        (424242, "a code of the future", Unavailable),
    ],
)
def test_a_code_has_a_reaction(code: int | None, text: str, expected: type[TailerError]) -> None:
    """Dead positions are told from outages, and outages from wrong settings; the server's words are kept."""
    with pytest.raises(TailerError, match=text[:20].replace("$", ".").replace("(", ".")) as caught, mongodb_errors():
        raise OperationFailure(text, code)
    assert type(caught.value) is expected


@pytest.mark.parametrize("error", [AutoReconnect("cut"), NetworkTimeout("slow"), ServerSelectionTimeoutError("nobody")])
def test_what_the_network_does_is_an_outage(error: PyMongoError) -> None:
    """Wait and go on."""
    with pytest.raises(Unavailable), mongodb_errors():
        raise error


@pytest.mark.parametrize("raw", [b"\x09\0\0\0\x08a\0\2\0", b"\x0a\0\0\0\x08a\0\1\0", b""])
def test_what_is_not_bson_stops_the_stream_with_words(raw: bytes) -> None:
    """The same bytes come at every reading: nothing is skipped, the other streams of the task go on, and a person looks."""
    with pytest.raises(Rejected, match="not BSON"), mongodb_errors():
        decode(raw)


def test_an_error_without_words_is_translated_too() -> None:
    """Some have none."""
    with pytest.raises(Unavailable), mongodb_errors():
        raise AutoReconnect


def test_what_is_not_enabled_names_the_command_that_enables_it() -> None:
    """DocumentDB may say so with the code of a lost position."""
    with pytest.raises(Misconfigured, match="tailer change-streams enable"), mongodb_errors():
        raise OperationFailure("Change streams are not enabled for this collection", 136)


def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    """It is tried again, as certificates are renewed; the log names what may be missing."""
    error = ServerSelectionTimeoutError(
        "SSL handshake failed: db:27017: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
    )
    with pytest.raises(Unavailable, match="tlsCAFile"), mongodb_errors():
        raise error


def test_what_is_not_a_tailers_has_its_own_remedy() -> None:
    """Who enables change streams needs other rights than who reads them."""
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
def test_a_server_that_wants_a_sign_in_asks_for_one(setting: str, words: str) -> None:
    """It is no right that is missing, but a user."""
    with pytest.raises(Misconfigured, match=f"{words}.* requires authentication"), mongodb_errors(setting=setting):
        raise OperationFailure("command aggregate requires authentication", 13)


@pytest.mark.parametrize(
    "error",
    [ConfigurationError("no"), AutoReconnect("cut"), *(OperationFailure("Authentication failed.", one) for one in (18, 8000))],
)
def test_what_the_server_of_the_checkpoints_says_blames_no_other(error: PyMongoError) -> None:
    """They may be kept on another server than the one that is watched."""
    with pytest.raises(TailerError) as caught, mongodb_errors(setting="TAILER_CHECKPOINTS"):
        raise error
    assert "TAILER_CHECKPOINTS" in str(caught.value)
    assert "TAILER_MONGODB" not in str(caught.value)


def test_a_wrong_uri_is_a_wrong_setting() -> None:
    """The setting is named."""
    with pytest.raises(Misconfigured, match="TAILER_MONGODB_URI"), mongodb_errors():
        raise ConfigurationError("unknown option")
