"""The response of SQS to a batch call: its status is 200, and each entry succeeded or failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambda_forwarder.errors import Unavailable, aws_error


def check(operation: str, entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> None:
    """
    Return only if the response confirms every entry. A missing entry counts as failed. After an error, other entries may have
    succeeded.
    """
    for failed in response.get("Failed", ()):
        raise aws_error(operation, failed["Code"], failed.get("Message", ""))
    missing = {entry["Id"] for entry in entries} - {done["Id"] for done in response.get("Successful", ())}
    if missing:
        raise Unavailable(f"{operation}: the response does not mention {len(missing)} of {len(entries)} entries")
