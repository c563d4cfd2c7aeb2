"""The bucket for changes that are too large for a message: there, and ours to write to."""

from tailer.aws.errors import aws_errors
from tailer.doctor.aws import Clients
from tailer.doctor.finding import Verdict, ok, skip


class Claims:
    """``prefix`` is what the keys of a stream's claims begin with: the stream's name."""

    def __init__(self, bucket: str, prefix: str, clients: Clients) -> None:
        self._bucket = bucket
        self._key = f"{prefix}/doctor.json"
        self._clients = clients

    def writable(self) -> Verdict:
        """One small object under the stream's own prefix, the same each time: what expires claims expires it too."""
        if not self._bucket:
            return skip("none: a change too large for a message is poison (TAILER_ON_POISON)", "set TAILER_CLAIM_BUCKET")
        with aws_errors("TAILER_CLAIM_BUCKET", self._bucket):
            self._clients("s3").put_object(Bucket=self._bucket, Key=self._key, Body=b"{}", ContentType="application/json")
        return ok(f"{self._bucket} accepts objects; the doctor wrote {self._key}")
