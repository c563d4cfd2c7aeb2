"""The changes that no mapper read, as the function keeps them."""

from collections.abc import Sequence

from tailer.aws.unmapped import described, unmapped
from tailer.doctor.aws import Clients, allowed
from tailer.doctor.finding import Verdict, ok, skip, warn
from tailer.doctor.forwarder import Forwarder
from tailrace.aws.unmapped import KEPT_SECONDS

_SAID = 3  # collections, one by one


def noted(forwarder: Forwarder, clients: Clients, streams: Sequence[str]) -> Verdict:
    """Whether there were any in the last days, and of which collections."""
    if (table := forwarder.setting("WATERMARKS")) in ("", "off"):
        return skip("FORWARDER_WATERMARKS is no table, so the function keeps no names", "see the metric Unmapped")
    named = {name.strip() for name in forwarder.setting("STREAMS").split(",")}
    if unnamed := [stream for stream in streams if stream not in named]:
        return skip(f"FORWARDER_STREAMS does not name {', '.join(unnamed)}, so the function keeps no names", "add it there")
    with allowed(f"dynamodb:GetItem on {table}", "FORWARDER_WATERMARKS", table):
        found = [described(one) for stream in streams for one in unmapped(clients("dynamodb"), table, stream)]
    if not found:
        return ok(f"no change of the last {KEPT_SECONDS // 86_400} days was without a mapper")
    more = f"; and {len(found) - _SAID} more collections" if len(found) > _SAID else ""
    return warn(
        f"no mapper reads {'; '.join(found[:_SAID])}{more}",
        "give each an entry in the mapper table, perhaps without mappers, or watch less: docs/adding-an-event.md",
    )
