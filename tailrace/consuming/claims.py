"""Fetches data that was too large for the bus from its bucket."""

import hashlib
from typing import Any

from tailrace.consuming.errors import NotAnEvent
from tailrace.wire.change import Claim


class S3Claims:
    """
    ``Events(claims=S3Claims(boto3.client("s3"), "my-claims"))``. It reads this bucket and no other: an event comes from
    whoever may write to the bus, and must not choose what the consumer's role reads.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def __call__(self, claim: Claim) -> bytes:
        """
        Return the data. An error of S3 is raised as it is: the message comes again.

        Raises:
            NotAnEvent: the claim names another bucket, or the object is not the one that the producer stored.
        """
        if claim.bucket != self._bucket:
            raise NotAnEvent(f"the data is in another bucket than {self._bucket!r}, the only one that is read")
        with self._client.get_object(Bucket=self._bucket, Key=claim.key)["Body"] as body:
            data: bytes = body.read(claim.bytes + 1) if claim.bytes >= 0 else b""
        if len(data) != claim.bytes or hashlib.sha256(data).hexdigest() != claim.sha256:
            raise NotAnEvent("the object in S3 is not the one that the producer stored: its size or its digest differs")
        return data
