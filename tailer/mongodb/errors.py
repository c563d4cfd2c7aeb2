"""What MongoDB and DocumentDB answer when something is wrong, and the reaction each answer needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import InvalidBSON
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
_WHO_OF_THE_STORE = (
    "wrong user name or password in TAILER_CHECKPOINTS, the wrong authSource (mostly authSource=admin), or no user there for "
    "the IAM role"
)
_NO_IMAGE = (
    "{setting}=required, and the server has no {image} of a change, nor will it ever: set it to whenAvailable and start again. "
    "What is committed after collMod with changeStreamPreAndPostImages: {{enabled: true}} has one; once the stream is past "
    "that moment it may be required again"
)
_IMAGES = {"pre-image": "TAILER_FULL_DOCUMENT_BEFORE_CHANGE", "post-image": "TAILER_FULL_DOCUMENT"}
_NO_CREDENTIALS = "no AWS credentials to sign in with: MONGODB-AWS needs a task role"
_UNKNOWN_AUTHORITY = "the server's certificate is not signed by an authority that tlsCAFile names"

WATCHED, STORE = "TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"  # the settings that name a server
UNAUTHORIZED = 13
_NO_MATCHING_DOCUMENT = 47

_SIGN_IN = {
    WATCHED: "the server wants a sign-in: set TAILER_MONGODB_USERNAME and TAILER_MONGODB_PASSWORD",
    STORE: "the server wants a sign-in: write USER:PASSWORD@ before the host in TAILER_CHECKPOINTS",
}
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
    8000: (Misconfigured, _WHO),  # AtlasError
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

_BY_CODE_OF_THE_STORE = _BY_CODE | dict.fromkeys((18, 8000), (Misconfigured, _WHO_OF_THE_STORE))

TOO_LARGE = frozenset({10334, 17280})  # BSONObjectTooLarge and KeyTooLong: an event, not its document, passes 16 MB
_BY_CODE_OF_HISTORY = frozenset(code for code, (kind, _) in _BY_CODE.items() if kind is HistoryLost)


@contextmanager
def mongodb_errors(denied: str = "", setting: str = WATCHED) -> Iterator[None]:
    """
    Raise our own error instead of pymongo's: whatever is not in the table is worth another try, after a wait.

    ``denied`` is the remedy where the user may not do this, if it is not to grant what a tailer needs. ``setting`` names the
    server: ``WATCHED`` or ``STORE``.
    """
    try:
        yield
    except (ConfigurationError, InvalidURI) as error:
        raise Misconfigured(f"{setting}: {error}") from error
    except OperationFailure as error:
        raise _translated(error, denied, setting) from error
    except InvalidBSON as error:  # no PyMongoError
        raise Rejected(f"MongoDB sent what is not BSON, and would again; nothing was skipped: {_first_line(error)}") from error
    except PyMongoError as error:
        text = _first_line(error)
        why = f"{_UNKNOWN_AUTHORITY}: " if "CERTIFICATE_VERIFY_FAILED" in text else ""
        raise Unavailable(f"{'MongoDB' if setting == WATCHED else setting}: {why}{text}") from error


def _translated(error: OperationFailure, denied: str, setting: str) -> TailerError:
    text = _first_line(error)
    if error.code == UNAUTHORIZED and "requires authentication" in text:
        return Misconfigured(f"{_SIGN_IN[setting]} (code {error.code}: {text})")
    if error.code == _NO_MATCHING_DOCUMENT and (image := next((one for one in _IMAGES if one in text), "")):
        return Misconfigured(f"{_NO_IMAGE.format(setting=_IMAGES[image], image=image)} (code {error.code}: {text})")
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
    known = _BY_CODE if setting == WATCHED else _BY_CODE_OF_THE_STORE
    kind, meaning = known.get(error.code or 0, (Unavailable, "MongoDB answers with an error"))
    return kind(f"{meaning} (code {error.code}: {text})")


def _first_line(error: Exception) -> str:
    return str(error).partition(", full error:")[0].partition(", Topology Description:")[0].partition("\n")[0][:300]
