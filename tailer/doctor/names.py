"""What a stream watches by name: whether it is there, and of a kind that has changes."""

from tailer.doctor.database import Database
from tailer.doctor.finding import Verdict, fail, ok, skip, warn
from tailer.mongodb.presence import presence
from tailer.parts import Parts


def present(parts: Parts, database: Database) -> Verdict:
    """As a task looks before it starts."""
    watch = parts.watch
    found = presence(database.client, watch)
    if found.impossible:
        return fail("; ".join(found.impossible), "correct TAILER_DATABASE or TAILER_COLLECTIONS")
    if found.absent:
        return warn("; ".join(found.absent), "correct TAILER_DATABASE or TAILER_COLLECTIONS, or create it")
    if found.unseen:
        return skip("; ".join(found.unseen), "it would need the action listCollections (role read)")
    return ok(", ".join(map(str, watch.scopes)))
