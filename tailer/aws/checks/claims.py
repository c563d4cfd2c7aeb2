"""The claim bucket."""

from functools import partial

from tailer.aws.checks.access import Clients
from tailer.aws.errors import aws_errors
from tailer.aws.remedies import NETWORK, ROLE
from tailer.checks import Check, Finding, ok, skip


def claims(bucket: str, stream: str, clients: Clients) -> Check:
    """The check of the claim bucket, where ``stream`` is what the keys of the stream's claims begin with."""
    return Check(
        name="claims.bucket",
        run=partial(_writable, bucket, f"{stream}/doctor.json", clients),
        outage=f"check that S3 is reachable from here: {NETWORK}",
        mistake=f"compare TAILER_CLAIM_BUCKET with aws s3 ls, and AWS_REGION; {ROLE}",
    )


def _writable(bucket: str, key: str, clients: Clients) -> Finding:
    """Write one small object, the same each time. The rule that expires claims expires it too."""
    if not bucket:
        return skip("none: a change too large for a message is poison (TAILER_ON_POISON)", "set TAILER_CLAIM_BUCKET")
    with aws_errors("TAILER_CLAIM_BUCKET", bucket):
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"{}", ContentType="application/json")
    return ok(f"{bucket} accepts objects; the doctor wrote {key}")
