"""Whether a store compares and replaces: a stale write must change nothing."""

from contextlib import suppress

from msgspec.structs import replace

from tailer.checks import Finding, fail, ok, warn
from tailer.errors import Misconfigured, Rejected, Unavailable
from tailer.model import Record
from tailer.ports import CheckpointStore, Conflict

PROBE = "~doctor"  # the stream of the doctor's own record; no stream can have that name
_REMEDY = "use a store that can compare and replace: dynamodb://TABLE, mongodb: or file:///PATH"


def compares_and_replaces(store: CheckpointStore) -> Finding:
    """Check that the store takes a record, and refuses a stale write of the doctor's own record."""
    try:
        stored = _written(store)
    except Misconfigured as error:
        if "AccessDenied" not in str(error):
            raise
        return warn(f"the doctor may not write its own record: {error}", f"allow the key {PROBE} in the policy of the role")
    try:
        store.write(replace(stored, owner="stale"))
    except Conflict:
        if store.read(PROBE) == stored:
            return ok("written, and a stale write was refused")
    return fail("the store accepts a stale write: two tasks could overwrite each other's checkpoints", _REMEDY, Rejected)


def _written(store: CheckpointStore) -> Record:
    """Write the next version of the doctor's record. Another doctor may write at the same time, but not often."""
    for _ in range(5):
        before = store.read(PROBE) or Record(stream=PROBE)
        with suppress(Conflict):
            after = replace(before, version=before.version + 1, owner="doctor")
            store.write(after)
            return after
    raise Unavailable(f"the record {PROBE} could not be written: another process replaced it each time")
