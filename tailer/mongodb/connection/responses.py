"""
Maps an error of MongoDB, DocumentDB or Atlas, by its code *and* its text, to a reaction and a cause. Many codes have several
causes.

The first matching row counts. An error without a row is retried: a retry loses nothing.
"""

import re
from typing import NamedTuple

from pymongo.errors import OperationFailure

from tailer.errors import HistoryLost, Misconfigured, Rejected, TailerError, Unavailable


class Row(NamedTuple):
    """
    One cause. Empty ``codes`` match any code; ``text`` matches any part of the text and ignores case.

    ``meaning`` may contain groups of ``text`` and the entries of ``WORDS``.
    """

    codes: tuple[int, ...] | range
    text: str
    kind: type[TailerError]
    meaning: str

    def matches(self, code: int | None, text: str) -> bool:
        with_code = not self.codes or (code is not None and code in self.codes)  # a range compares None with each number
        return with_code and re.search(self.text, text, re.IGNORECASE) is not None


WATCHED, STORE = "TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"  # the settings that name a server
WORDS = {
    WATCHED: {
        "setting": WATCHED,
        "sign_in": "set TAILER_MONGODB_USERNAME and TAILER_MONGODB_PASSWORD",
        "who": "TAILER_MONGODB_URI (or TAILER_MONGODB_PASSWORD), the wrong authSource, or no user for the IAM role "
        "(tailer change-streams enable --reader ROLE_ARN)",
        "right": "read (and changeStream) on what it watches",
    },
    STORE: {
        "setting": STORE,
        "sign_in": "write USER:PASSWORD@ before the host in TAILER_CHECKPOINTS",
        "who": "TAILER_CHECKPOINTS, the wrong authSource (mostly authSource=admin), or no user there for the IAM role",
        "right": "readWrite on the database tailrace",
    },
}

UNAUTHORIZED = 13
TOO_LARGE = frozenset({10334, 17280})  # BSONObjectTooLarge and KeyTooLong: an event, not its document, is above 16 MB
UNKNOWN = "returned an error that Tailrace does not know"
DENIED = "the user of {setting} may not do this: grant it {right}"

_WHO = "wrong user name or password in {who}"
_NO_IAM = "the server does not support IAM authentication: give {setting} a user and a password"
_NO_MECHANISM = "the server does not support this authentication mechanism: correct authMechanism in {setting}"
_NO_ROLE = "there are no AWS credentials to sign in with: MONGODB-AWS needs a task role"
_FLEX = "Atlas does not offer this here: its Flex tier has no change streams. Use a dedicated cluster"
_NOT_ENABLED = "change streams are not enabled here: run tailer change-streams enable, then start the tailer again"
_GONE = "the server no longer has the history after the checkpoint"
_FOREIGN = "the resume token is not valid here: another cluster or engine created it, or it is damaged"
_REFUSED = (
    "the server refuses this change stream: check TAILER_PIPELINE, TAILER_FULL_DOCUMENT and TAILER_FULL_DOCUMENT_BEFORE_CHANGE"
)
_EXPRESSION = (
    r"\$(?!_)[a-z]|expression|undefined variable|regular|regex|field ?path|path collision|specif|match filter|query requires"
)
_STAGE = "the server does not support {stage} in a change stream: change TAILER_PIPELINE"
_NO_STREAMS = "the server has no change streams: it is too old, or of a kind without them (elastic cluster, Atlas Flex)"
_NO_SET = "{setting} is not a replica set: change streams need one (mongod --replSet, rs.initiate())"
_NO_RETRIES = "the server has no retryable writes: set retryWrites=false in {setting}"
_NO_CURSOR = "the instance has no cursor left for another change stream: close other cursors, or use a larger instance"
_NO_IMAGE = (
    "{0}=required, but the server has no {1} of a change and never will: set {0} to whenAvailable and start again. Changes "
    "committed after collMod with changeStreamPreAndPostImages: {{{{enabled: true}}}} have a {1}; when the stream has passed "
    "that time you may set required again"
)
_NAMES = "TAILER_DATABASE or TAILER_COLLECTIONS is not a valid name: correct it"
_VIEW = "TAILER_COLLECTIONS names a view, which has no changes of its own: watch the collection that the view reads"
_SERIES = "TAILER_COLLECTIONS names a time series collection, which has no change stream: remove its name"
_TOO_LARGE = "a change is larger than the 16 MB that the server can send, even without its document"
_ELECTIONS = (6, 7, 63, 89, 91, 133, 150, 189, 234, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436)
_MAJORITY = "the server could not write to a majority of its members in time"

ANYWHERE = (
    Row((UNAUTHORIZED,), "requires authentication", Misconfigured, "the server requires authentication: {sign_in}"),
    Row((UNAUTHORIZED,), "", Misconfigured, DENIED),
    Row((), "MONGODB-AWS credentials", Unavailable, _NO_ROLE),  # pymongo's text, without a code
    Row((), r"on \$external database", Misconfigured, _NO_IAM),  # DocumentDB: 73
    Row((2, 18, 334), r"\bmechanism\b", Misconfigured, _NO_MECHANISM),
    Row((18,), "", Misconfigured, _WHO),
    Row((8000,), "not (allowed|authorized) to do action|not authorized", Misconfigured, DENIED),  # 8000 is Atlas's
    Row((8000,), "auth|credential|password", Misconfigured, _WHO),
    Row((8000,), "quota|too many|limit|exceed", Unavailable, "Atlas limits this operation for now"),
    Row((8000,), "tier|support|allowed|validating", Misconfigured, _FLEX),
    Row((), "too many cursors|cursors are already open", Unavailable, _NO_CURSOR),  # DocumentDB: 303
    Row((), "retryable writes|txnNumber", Misconfigured, _NO_RETRIES),  # DocumentDB: 301, 9
    Row((), "only .*on (a )?replica set", Misconfigured, _NO_SET),
    Row((17419, 17420), "", Rejected, "the record is larger than the 16 MB that a document may have"),
    Row(_ELECTIONS, "", Unavailable, "the cluster elects another primary, restarts, or does not reach one of its members"),
    Row((43, 237), "", Unavailable, "the server dropped the cursor: the cursor was idle for too long, or the server restarted"),
    Row((50, 202, 262), "", Unavailable, "the server did not finish in time"),
    Row((64, 79, 100), "", Unavailable, _MAJORITY),
    Row((211, 391), "", Unavailable, "the server is renewing its keys, or requires a new authentication"),
)

OF_A_STREAM = (
    Row((), "change.*not enabled|not enabled.*change", Misconfigured, _NOT_ENABLED),  # DocumentDB: 136, as for the next
    Row((), "modified by the pipeline|feature not supported", Misconfigured, _REFUSED),  # 280; DocumentDB: 303
    Row((136, 286), "", HistoryLost, _GONE),  # CappedPositionLost, ChangeStreamHistoryLost
    Row((280,), "", HistoryLost, "the server cannot resume this change stream"),  # ChangeStreamFatalError
    Row((260, 50811, 15), "", HistoryLost, _FOREIGN),  # InvalidResumeToken; of another kind; Overflow: cut short
    Row((), "resume token", HistoryLost, _FOREIGN),  # DocumentDB: 9
    Row((), r"stage (not supported|name): '?\$changeStream\b", Misconfigured, _NO_STREAMS),
    Row((), r"stage (not supported|name): '?(?P<stage>\$\w+)", Misconfigured, _STAGE),  # DocumentDB: 304; MongoDB: 40324
    Row((), r"stage '?(?P<stage>\$\w+)'? is not (supported|allowed|permitted)", Misconfigured, _STAGE),
    Row((47,), "^[^{]*pre-image", Misconfigured, _NO_IMAGE.format("TAILER_FULL_DOCUMENT_BEFORE_CHANGE", "pre-image")),
    Row((47,), "^[^{]*post-image", Misconfigured, _NO_IMAGE.format("TAILER_FULL_DOCUMENT", "post-image")),
    Row((), "time-?series", Misconfigured, _SERIES),
    Row((166,), "", Misconfigured, _VIEW),
    Row((73,), "", Misconfigured, _NAMES),
    Row((26,), "", Unavailable, "the database or collection does not exist yet"),
    Row((59,), "", Misconfigured, "the server does not know a command that change streams need: it is too old"),
    Row((40573,), "", Misconfigured, _NO_SET),
    Row((304,), "", Misconfigured, "the server does not support a part of TAILER_PIPELINE"),
    Row((2, 9, 14, 20, 72, 115, 168, 40324, 40415), "", Misconfigured, _REFUSED),  # invalid or unknown values, fields, stages
    Row((241,), "", Misconfigured, _REFUSED),  # ConversionFailure: the pipeline fails on one event, at every try
    Row(tuple(TOO_LARGE), "", Rejected, _TOO_LARGE),
    Row(range(15_000, 10_000_000), _EXPRESSION, Misconfigured, _REFUSED),  # codes without a name; each check of a stage has one
)


def row_of(code: int | None, text: str, *, stream: bool) -> Row | None:
    """The first matching row. ``stream``: the error may be about a change stream."""
    rows = ANYWHERE + (OF_A_STREAM if stream else ())
    return next((row for row in rows if row.matches(code, text)), None)


def may_be_of_one_event(error: Exception) -> bool:
    """
    Whether the error may concern one event only, so that other events of the stream can be read: the pipeline fails on a value,
    or an image is missing.
    """
    if not isinstance(error, OperationFailure):
        return False
    row = row_of(error.code, str(error), stream=True)
    return row is not None and row.kind is Misconfigured
