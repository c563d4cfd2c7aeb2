"""What MongoDB and DocumentDB answer when something is wrong, and the reaction each answer needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from tailer.errors import HistoryLost, Misconfigured, Rejected, TailerError, Unavailable

_NOT_ENABLED = "change streams are not enabled here: tailer change-streams enable, then start again"
_GONE = "the server no longer has the history after the checkpoint"
_FOREIGN = "the resume token is not valid here: it is of another cluster or engine, or damaged"
_REFUSED = (
    "the server refuses this change stream: check TAILER_PIPELINE, TAILER_FULL_DOCUMENT and TAILER_FULL_DOCUMENT_BEFORE_CHANGE"
)
_DENIED = "the user of TAILER_MONGODB_URI may not do this: grant it read (and changeStream) on what it watches"
_WHO = (
    "wrong user name or password in TAILER_MONGODB_URI (or TAILER_MONGODB_PASSWORD), the wrong authSource, or no user for the "
    "IAM role (tailer change-streams enable --reader ROLE_ARN)"
)
_NO_CREDENTIALS = "no AWS credentials to sign in with: MONGODB-AWS needs a task role"
_UNKNOWN_AUTHORITY = "the server's certificate is not signed by an authority that tlsCAFile names"

UNAUTHORIZED = 13

_BY_CODE: dict[int, tuple[type[TailerError], str]] = {
    136: (HistoryLost, _GONE),  # CappedPositionLost: DocumentDB
    286: (HistoryLost, _GONE),  # ChangeStreamHistoryLost
    280: (HistoryLost, "the server cannot resume this change stream"),  # ChangeStreamFatalError
    260: (HistoryLost, _FOREIGN),  # InvalidResumeToken
    50811: (HistoryLost, _FOREIGN),  # not a token of this server's kind
    15: (HistoryLost, _FOREIGN),  # Overflow: a token cut short
    10334: (Rejected, "a change is larger than the 16 MB that the server can deliver, even without its document"),
    17280: (Rejected, "a change is larger than the server can deliver"),  # KeyTooLong
    UNAUTHORIZED: (Misconfigured, _DENIED),
    18: (Misconfigured, _WHO),
    8000: (Misconfigured, "wrong user name or password in TAILER_MONGODB_URI"),  # AtlasError
    40573: (
        Misconfigured,
        "TAILER_MONGODB_URI is not a replica set: change streams need one (mongod --replSet, rs.initiate())",
    ),
    2: (Misconfigured, _REFUSED),  # BadValue
    9: (Misconfigured, _REFUSED),  # FailedToParse
    14: (Misconfigured, _REFUSED),  # TypeMismatch
    72: (Misconfigured, _REFUSED),  # InvalidOptions
    73: (Misconfigured, "TAILER_DATABASE or TAILER_COLLECTIONS is not a name the server accepts"),  # InvalidNamespace
    115: (Misconfigured, _REFUSED),  # CommandNotSupported
    166: (Misconfigured, "TAILER_COLLECTIONS names a view: watch the collection behind it"),  # CommandNotSupportedOnView
    168: (Misconfigured, _REFUSED),  # InvalidPipelineOperator
    303: (Unavailable, "the instance has no cursor left for another change stream"),  # DocumentDB's limit per instance
    40324: (Misconfigured, _REFUSED),  # unrecognised stage
    40415: (Misconfigured, _REFUSED),  # unknown field
}

TOO_LARGE = frozenset({10334, 17280})  # BSONObjectTooLarge and KeyTooLong: an event, not its document, passes 16 MB
_BY_CODE_OF_HISTORY = frozenset(code for code, (kind, _) in _BY_CODE.items() if kind is HistoryLost)


@contextmanager
def mongodb_errors(denied: str = "") -> Iterator[None]:
    """
    Raise our own error instead of pymongo's: whatever is not in the table is worth another try, after a wait.

    ``denied`` is the remedy where the user may not do this, if it is not to grant what a tailer needs.
    """
    try:
        yield
    except (ConfigurationError, InvalidURI) as error:
        raise Misconfigured(f"TAILER_MONGODB_URI: {error}") from error
    except OperationFailure as error:
        raise _translated(error, denied) from error
    except PyMongoError as error:
        text = _first_line(error)
        why = f"{_UNKNOWN_AUTHORITY}: " if "CERTIFICATE_VERIFY_FAILED" in text else ""
        raise Unavailable(f"MongoDB: {why}{text}") from error


def _translated(error: OperationFailure, denied: str) -> TailerError:
    text = _first_line(error)
    if denied and error.code == UNAUTHORIZED:
        return Misconfigured(f"{denied} (code {error.code}: {text})")
    if "MONGODB-AWS credentials" in text:  # pymongo's own words, without a code; the next try may find some
        return Unavailable(f"{_NO_CREDENTIALS} ({text})")
    if "not enabled" in text.lower() and "change" in text.lower():  # DocumentDB answers 136 for this too
        return Misconfigured(f"{_NOT_ENABLED} ({text})")
    if "modified by the pipeline" in text or "Feature not supported" in text:  # DocumentDB: 303, as for its cursors
        return Misconfigured(f"{_REFUSED} ({text})")
    if "resume token" in text.lower() and error.code not in _BY_CODE_OF_HISTORY:  # DocumentDB: 9, "Invalid resume token"
        return HistoryLost(f"{_FOREIGN} ({text})")
    kind, meaning = _BY_CODE.get(error.code or 0, (Unavailable, "MongoDB answers with an error"))
    return kind(f"{meaning} (code {error.code}: {text})")


def _first_line(error: Exception) -> str:
    return str(error).partition(", full error:")[0].partition(", Topology Description:")[0].splitlines()[0][:300]
