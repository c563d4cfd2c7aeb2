"""Whether a store takes a record."""

from contextlib import suppress

from msgspec.structs import replace

from tailer.checks import Finding, ok, warn
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Record
from tailer.ports import CheckpointStore, Conflict

PROBE = "~doctor"  # the stream of the doctor's own record; no stream can have that name


def takes_a_record(store: CheckpointStore) -> Finding:
    """Write the next version of the doctor's own record. Another doctor may write at the same time, but not often."""
    try:
        for _ in range(5):
            before = store.read(PROBE) or Record(stream=PROBE)
            with suppress(Conflict):
                store.write(replace(before, version=before.version + 1, owner="doctor"))
                return ok("written")
    except Misconfigured as error:
        if "AccessDenied" not in str(error):
            raise
        return warn(f"the doctor may not write its own record: {error}", f"allow the key {PROBE} in the policy of the role")
    raise Unavailable(f"the record {PROBE} could not be written: another process replaced it each time")
