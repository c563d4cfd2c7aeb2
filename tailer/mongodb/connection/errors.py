"""Translates the errors of pymongo, and of the server, into the tailer's errors. ``responses`` has the table."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import InvalidBSON
from pymongo.errors import BulkWriteError, ConfigurationError, DocumentTooLarge, InvalidURI, OperationFailure, PyMongoError

from tailer.errors import Misconfigured, Rejected, TailerError, Unavailable
from tailer.mongodb.connection.responses import DENIED, STORE, UNAUTHORIZED, UNKNOWN, WATCHED, WORDS, row_of
from tailrace.text.redaction import redacted

__all__ = ["STORE", "WATCHED", "mongodb_errors"]

_NO_SESSIONS = "Sessions are not supported"  # pymongo's text while the only server it knows is a member without readable data

_NETWORK = {
    "hostname mismatch|not valid for|doesn't match": "the server's certificate is for another host name than {setting} has",
    "certificate has expired": "the server's certificate has expired",
    "CERTIFICATE_VERIFY_FAILED": "the server's certificate is not signed by an authority that tlsCAFile names",
    "WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|record layer": "the server does not use TLS on this port",
    "replica set named": "replicaSet in {setting} is not the name of the set",
    "name or service not known|getaddrinfo|name resolution|nodename": "DNS does not know the host",
    "refused": "the host refuses the connection, because nothing listens there",
}
"""The cause of a failed connection, by pymongo's text. The tailer retries all of them."""


@contextmanager
def mongodb_errors(denied: str = "", setting: str = WATCHED, *, stream: bool = True) -> Iterator[None]:
    """
    Raise the tailer's errors instead of pymongo's. An error without a row in the table is ``Unavailable``.

    ``denied`` is the remedy for a missing right, if it is not to grant the rights of a tailer. ``setting`` names the server:
    ``WATCHED`` or ``STORE``. ``stream``: the failing command may be about a change stream.
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
    except InvalidBSON as error:  # not a PyMongoError
        raise Rejected(
            "MongoDB sent bytes that are not BSON, and would send them again. The stream stops here and nothing was skipped: "
            f"{redacted(str(error))}"
        ) from error
    except DocumentTooLarge as error:
        raise Rejected(f"{setting}: the record is larger than a document may be: {redacted(str(error))}") from error
    except PyMongoError as error:
        text = redacted(_text(error)) or type(error).__name__
        cause = next((cause for found, cause in _NETWORK.items() if re.search(found, text, re.IGNORECASE)), "")
        causes = [cause.format(setting=setting)] if cause else []
        raise Unavailable(": ".join([_server(setting), *causes, text])) from error


def _translated(error: OperationFailure, denied: str, setting: str, stream: bool) -> TailerError:
    code, text = _code_and_text(error)
    kind, cause = _meaning(code, text, setting, stream)
    if denied and code == UNAUTHORIZED and cause == DENIED.format(**WORDS[setting]):
        cause = denied
    prefix = "" if "TAILER_" in cause or "MongoDB" in cause else f"{_server(setting)}: "
    return kind(f"{prefix}{cause} ({'' if code is None else f'code {code}: '}{redacted(text)})")


def _meaning(code: int | None, text: str, setting: str, stream: bool) -> tuple[type[TailerError], str]:
    if (row := row_of(code, text, stream=stream)) is None:
        command = "a change stream" if stream else "a command"
        return Unavailable, f"{_server(setting)} {UNKNOWN}, in response to {command}"
    found = re.search(row.text, text, re.IGNORECASE)
    return row.kind, row.meaning.format(**WORDS[setting], **(found.groupdict() if found else {}))


def _server(setting: str) -> str:
    return "MongoDB" if setting == WATCHED else setting


def _code_and_text(error: OperationFailure) -> tuple[int | None, str]:
    """Code and text; for a bulk write those of the first write that failed."""
    if isinstance(error, BulkWriteError) and (failed := (error.details or {}).get("writeErrors")):
        return failed[0].get("code"), str(failed[0].get("errmsg", ""))
    return error.code, _text(error)


def _text(error: Exception) -> str:
    return str(error).partition(", full error:")[0].partition(", Topology Description:")[0]
