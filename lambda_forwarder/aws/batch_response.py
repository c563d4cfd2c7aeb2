"""SQS's answer to a batch: 200 with failures inside, entry by entry."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambda_forwarder.errors import Unavailable, answered


def check(doing: str, entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> None:
    """
    Return only if the queue says of every entry that it was done. Silence is no yes.

    Raises:
        Unavailable, Rejected, Misconfigured: of one it does not; any of the others may have been.
    """
    for failed in response.get("Failed", ()):
        raise answered(doing, failed["Code"], failed.get("Message", ""))
    unsaid = {entry["Id"] for entry in entries} - {done["Id"] for done in response.get("Successful", ())}
    if unsaid:
        raise Unavailable(f"{doing} said nothing of {len(unsaid)} of {len(entries)} entries")
