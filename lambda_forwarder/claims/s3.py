"""What was too large for a message or an event, in an S3 bucket."""

import hashlib
import re
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.errors import Misconfigured, Rejected, translated, unusable
from lambda_forwarder.ports import TimeLeft
from tailrace.wire.change import Claim

PART = 1_048_576  # bytes that are read between two looks at the time

_key_of_ours = re.compile(r"[!-~]{1,1024}").fullmatch  # S3 has others, and answers about them in XML that no parser reads


class S3Claims:
    """Reads from and writes to this bucket and no other. ``client`` is a boto3 ``s3`` client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def check(self) -> None:
        """
        Make sure that the bucket is there and that we may list it: S3 tells only those a missing object from a forbidden one.

        Raises:
            Misconfigured: it is not, or we may not.
        """
        try:
            with translated("HeadBucket"):
                self._client.head_bucket(Bucket=self._bucket)
        except (Misconfigured, Rejected) as error:
            needed = "a bucket of this name in this region, and the permissions s3:ListBucket and s3:GetObject"
            raise unusable("FORWARDER_CLAIM_BUCKET", f"bucket {self._bucket!r}", error, needed) from error

    def store(self, key: str, content: bytes) -> Claim:
        """See ``Claims``."""
        try:
            with translated("PutObject"):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/json")
        except (Misconfigured, Rejected) as error:
            needed = "the permission s3:PutObject, for an event that is too large for the bus. Its message stays in the queue"
            raise unusable("FORWARDER_CLAIM_BUCKET", f"bucket {self._bucket!r}", error, needed) from error
        return Claim(bucket=self._bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:
        """See ``Claims``. A large object comes in parts, so that a slow one is given up in time."""
        if claim.bucket != self._bucket:
            raise Rejected(f"it lies in the bucket {claim.bucket!r}; FORWARDER_CLAIM_BUCKET is {self._bucket!r}")
        if not _key_of_ours(claim.key):
            raise Rejected(f"its key, {claim.key[:200]!r}, is none that Tailrace writes: 1 to 1,024 characters of ASCII")
        deadline.check(time_left, "a claimed change was fetched")
        with translated("GetObject"):
            body = self._client.get_object(Bucket=self._bucket, Key=claim.key)["Body"]
            with body:
                parts: list[bytes] = []
                left = claim.bytes + 1
                while left > 0:
                    deadline.check(time_left, "a claimed change was read to its end")
                    part = body.read(min(left, PART))
                    if not part:
                        break
                    parts.append(part)
                    left -= len(part)
        return b"".join(parts)
