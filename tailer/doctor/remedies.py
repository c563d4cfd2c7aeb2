"""What to do about a failure whose look had no better advice: by how it failed, and by the neighbour that it is about."""

from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Rejected

_WAY = "look at the network, at DNS and at what its security group lets in"
_ENDPOINT = "look at the network, AWS_REGION, AWS_ENDPOINT_URL, and the VPC endpoint with its security group"
_ROLE = "see that the task's role may use it"

SAME_CLUSTER = "checkpoints.watched"
"""The kind of a store that is the watched cluster itself; others are called as the scheme of TAILER_CHECKPOINTS."""

_OUTAGES = {
    "settings": "run the doctor again; if it fails again, report this line as a bug",
    "http": "run the doctor again; if it fails again, find out which process listens there",
    "database": f"see that the database is up and answers from here: {_WAY}",
    "stream": f"see that the database is up and not overloaded, and answers from here: {_WAY}",
    "checkpoints": f"see that the store in TAILER_CHECKPOINTS is up and answers from here: {_ENDPOINT}",
    "checkpoints.mongodb": f"see that the server in TAILER_CHECKPOINTS is up and answers from here: {_WAY}",
    SAME_CLUSTER: f"see that the database, which TAILER_CHECKPOINTS names too, is up and takes writes: {_WAY}",
    "checkpoints.file": "see that the disk of the file in TAILER_CHECKPOINTS is there, works and has space left: df -h",
    "aws": f"see that AWS answers from here: {_ENDPOINT}",
    "queue": f"see that SQS answers from here: {_ENDPOINT}",
    "claims": f"see that S3 answers from here: {_ENDPOINT}",
    "forwarder": f"see that Lambda, EventBridge and SQS answer from here: {_ENDPOINT}",
}  # by the first word of a check's name, or by all of it, or by the kind of its neighbour

_MISTAKES = {
    "settings": "correct the settings",
    "http": "choose another TAILER_HTTP_PORT",
    "database": "correct TAILER_MONGODB_URI, TAILER_MONGODB_USERNAME or TAILER_MONGODB_PASSWORD",
    "database.server": "make it a replica set, or correct TAILER_MONGODB_URI",
    "stream": "correct the stream's settings, or let the user read what they name",
    "checkpoints": f"compare TAILER_CHECKPOINTS with what is there (aws dynamodb list-tables), and AWS_REGION; {_ROLE}",
    "checkpoints.mongodb": "correct TAILER_CHECKPOINTS, or grant its user readWrite on the database tailrace",
    SAME_CLUSTER: "grant the user of TAILER_MONGODB_URI readWrite on the database tailrace, or name another store",
    "checkpoints.file": "correct the path in TAILER_CHECKPOINTS, or see that who runs the tailer may write it and its folder",
    "aws": "give the task a role, or AWS_REGION and credentials in its environment",
    "queue": f"compare TAILER_QUEUE_URL with aws sqs list-queues, and AWS_REGION; {_ROLE}",
    "queue.send": "allow the task's role sqs:SendMessage on it, and the use of its KMS key",
    "claims": f"compare TAILER_CLAIM_BUCKET with aws s3 ls, and AWS_REGION; {_ROLE}",
    "forwarder": "correct the function's settings, or deploy the forwarder again",
}

_REFUSALS = {
    EXIT_CODES[HistoryLost]: "decide where the stream goes on: docs/failures.md",
    EXIT_CODES[Rejected]: "see docs/failures.md: trying again does not help",
}


def remedy(check: str, exit_code: int) -> str:
    """For a check by its name, or by the kind of its neighbour, and the exit code of its failure."""
    if exit_code in _REFUSALS:
        return _REFUSALS[exit_code]
    known = _MISTAKES if exit_code == EXIT_CODES[Misconfigured] else _OUTAGES
    return known.get(check) or known.get(check.partition(".")[0], _OUTAGES["settings"])
