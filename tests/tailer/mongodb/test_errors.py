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


def test_a_wrong_uri_is_a_wrong_setting() -> None:
    """The setting is named."""
    with pytest.raises(Misconfigured, match="TAILER_MONGODB_URI"), mongodb_errors():
        raise ConfigurationError("unknown option")
