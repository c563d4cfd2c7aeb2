"""Stores and fetches claims in an S3 bucket."""

import hashlib
import re
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.aws.resources import Resource
from lambda_forwarder.errors import Rejected, translated
from lambda_forwarder.ports import TimeLeft
from tailrace.wire.change import Claim

NEEDS = (
    "a bucket of this name in this region, with the permissions s3:ListBucket, s3:GetObject and, for events that are too large "
    "for the bus, s3:PutObject. Until then their messages stay in the queue"
)
PART = 1_048_576  # bytes; read between two checks of the time left

_valid_key = re.compile(r"[!-~]{1,1024}").fullmatch  # S3 allows other keys, but its XML responses for them cannot be parsed


class S3Claims:
    """Uses this bucket and no other. ``client`` is a boto3 ``s3`` client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._resource = Resource(setting="FORWARDER_CLAIM_BUCKET", name=f"bucket {bucket!r}", needs=NEEDS)

    def check(self) -> None:
        """
        Return only if the bucket exists and this role may list it. Without that permission, S3 denies access to an object that
        does not exist.
        """
        with self._resource.call("HeadBucket"):
            self._client.head_bucket(Bucket=self._bucket)

    def store(self, key: str, content: bytes) -> Claim:
        with self._resource.call("PutObject"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/json")
        return Claim(bucket=self._bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:
        """See ``Claims``. The object is read in parts, so that a slow read ends in time."""
        if claim.bucket != self._bucket:
            raise Rejected(f"the object is in the bucket {claim.bucket!r}; FORWARDER_CLAIM_BUCKET is {self._bucket!r}")
        if not _valid_key(claim.key):
            raise Rejected(f"Tailrace writes no such key: {claim.key[:200]!r}; its keys have 1 to 1,024 ASCII characters")
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
