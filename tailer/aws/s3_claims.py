"""The claim bucket in S3, for changes that are too large for a message and for the raw events of stubs."""

import hashlib
from typing import Any

from tailer.aws.errors import aws_errors
from tailrace.wire.change import Claim

_TYPES = {"json": "application/json", "bson": "application/octet-stream"}


class S3Claims:
    """See ``Claims``. A lifecycle rule may delete objects older than the retention of the queue plus its dead-letter queue."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, key: str, content: bytes) -> Claim:
        with aws_errors("TAILER_CLAIM_BUCKET", self._bucket):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=_TYPES[key.rpartition(".")[2]])
        return Claim(bucket=self._bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
