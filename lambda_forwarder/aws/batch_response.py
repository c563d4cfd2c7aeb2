"""The response of SQS to a batch: status 200, with a success or failure for each entry."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambda_forwarder.errors import Unavailable, aws_error


def check(doing: str, entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> None:
    """
    Return only if the response confirms every entry. A missing entry counts as failed.

    Raises:
        Unavailable, Rejected, Misconfigured: an entry failed; the other entries may have succeeded.
    """
    for failed in response.get("Failed", ()):
        raise aws_error(doing, failed["Code"], failed.get("Message", ""))
    unsaid = {entry["Id"] for entry in entries} - {done["Id"] for done in response.get("Successful", ())}
    if unsaid:
        raise Unavailable(f"{doing}: the response is missing {len(unsaid)} of {len(entries)} entries")
