"""What pymongo raises, as the error that the tailer needs; ``responses`` has the table."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import InvalidBSON
from pymongo.errors import BulkWriteError, ConfigurationError, DocumentTooLarge, InvalidURI, OperationFailure, PyMongoError

from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable
from tailer.mongodb.connection.responses import DENIED, STORE, TOO_LARGE, UNAUTHORIZED, WATCHED, WORDS, meaning, network
from tailrace.text.redaction import redacted

__all__ = ["STORE", "TOO_LARGE", "WATCHED", "mongodb_errors"]

_NO_SESSIONS = "Sessions are not supported"  # pymongo's, while the only server it knows is a member without data to read


@contextmanager
def mongodb_errors(denied: str = "", setting: str = WATCHED, *, stream: bool = True) -> Iterator[None]:
    """
    Raise our own error instead of pymongo's: whatever is not in the table is worth another try, after a wait.

    ``denied`` is the remedy where the user may not do this, if it is not to grant what a tailer needs. ``setting`` names the
    server: ``WATCHED`` or ``STORE``. ``stream``: what fails may be a change stream.
    """
    try:
        yield
    except (ConfigurationError, InvalidURI) as error:
        if _NO_SESSIONS in str(error):
            raise Unavailable(
                f"{setting}: the server cannot be read yet: it is starting or recovering, or is in no replica set"
            ) from error
        raise Misconfigured(f"{setting}: {redacted(str(error))}") from error
    except OperationFailure as error:
        raise _translated(error, denied, setting, stream) from error
    except InvalidBSON as error:  # no PyMongoError
        raise Rejected(
            "MongoDB sent bytes that are not BSON, and would send them again. The stream stops here and nothing was skipped: "
            f"{redacted(str(error))}"
        ) from error
    except DocumentTooLarge as error:
        raise Rejected(f"{setting}: the record is larger than a document may be: {redacted(str(error))}") from error
    except PyMongoError as error:
        text = redacted(_said(error)) or type(error).__name__
        raise Unavailable(f"{'MongoDB' if setting == WATCHED else setting}: {network(text, setting=setting)}{text}") from error


def _translated(error: OperationFailure, denied: str, setting: str, stream: bool) -> TailerError:
    code, text = _first(error)
    kind, cause = meaning(code, text, setting=setting, stream=stream)
    if denied and code == UNAUTHORIZED and cause == DENIED.format(**WORDS[setting]):
        cause = denied
    prefix = "" if setting == WATCHED or setting in cause else f"{setting}: "
    return kind(f"{prefix}{cause} ({'' if code is None else f'code {code}: '}{redacted(text)})")


def _first(error: OperationFailure) -> tuple[int | None, str]:
    """Code and text; of a bulk write those of the first write that failed."""
    if isinstance(error, BulkWriteError) and (failed := (error.details or {}).get("writeErrors")):
        return failed[0].get("code"), str(failed[0].get("errmsg", ""))
    return error.code, _said(error)


def _said(error: Exception) -> str:
    return str(error).partition(", full error:")[0].partition(", Topology Description:")[0]
