"""Whether a change stream opens at all, tried before anything depends on it."""

from functools import partial
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.checks import Finding, ok
from tailer.errors import HistoryLost, Misconfigured, Unavailable
from tailer.mongodb.change_streams import ENABLE
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.watch import Watch

ASSERTIONS = 15_000  # MongoDB: codes from here on name one check of a command, which fails at every try


def opens(client: "MongoClient[Any]", watch: Watch) -> Finding:
    """
    Open the stream at now, read nothing and close it. The server may refuse the pipeline, an option, a name or the user.

    Not at a stored position: only the owner of the lease decides about history that is lost.
    """
    database = client[watch.target.database or "admin"]
    command = partial(database.command, read_preference=database.read_preference)
    try:
        with mongodb_errors(), client.start_session(causal_consistency=False) as session:
            cursor = command(watch.command({}), session=session)["cursor"]
            command({"killCursors": cursor["ns"].partition(".")[2], "cursors": [cursor["id"]]}, session=session)
    except HistoryLost as error:  # DocumentDB may respond so about a collection that is not enabled
        raise Misconfigured(f"change streams are not enabled here: run {ENABLE}, then start again ({error})") from error
    except Unavailable as error:
        if isinstance(error.__cause__, OperationFailure) and (error.__cause__.code or 0) >= ASSERTIONS:
            raise Misconfigured(f"the server refuses this change stream: check TAILER_PIPELINE ({error})") from error
        raise
    return ok("opens at now")
