"""The server drops history that the tailer has not read: the stream must stop with a message and not continue elsewhere."""

import random
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from infra.package import REPOSITORY
from tailer.mongodb.events.positions import time_of
from tailrace.dev.screen import Screen
from tests.eventually import eventually
from tests.faults.stage import OWNER_SECONDS, Stage
from tests.faults.writer import COLLECTION, DATABASE

SHORT = ("--oplogSize", "1", "--syncdelay", "1")  # MB, and seconds: only entries on disk are dropped
CHURN = 1_000_000  # bytes of an unrelated document
FORGOTTEN_SECONDS = 60.0
HISTORY_LOST = 3  # the exit code


def main(screen: Screen, seed: int, source: Path) -> int:
    """Run it once. The exit code is 0 only if the tailer behaved correctly."""
    problems = lose_history(seed, source)
    screen.line(
        f"  {'FAIL' if problems else 'ok  '} expired history: exit code {HISTORY_LOST}, nothing skipped {problems or ''}"
    )
    return int(bool(problems))


def lose_history(seed: int, source: Path = REPOSITORY) -> list[str]:
    """Return what a tailer did wrong whose checkpoint left the oplog while it was down, or nothing."""
    with Stage(random.Random(seed), members=1, history=SHORT, source=source) as stage:
        watched = stage.client[DATABASE][COLLECTION]
        tailer = stage.start_tailer()
        tailer.wait_ready()
        watched.insert_one({"_id": "before"})
        eventually(lambda: _checkpoint(stage).sequence == 1, OWNER_SECONDS)
        stage.kill(tailer)
        kept = _checkpoint(stage)
        watched.insert_one({"_id": "forgotten"})
        _forget(stage, time_of(str(kept.reached)))
        watched.insert_one({"_id": "after"})
        late = stage.start_tailer()
        ended = eventually(lambda: not late.running, OWNER_SECONDS)
        code = late.stop()
        problems = [] if ended and code == HISTORY_LOST else [f"it ended with {code}"]
        if '"reason":"HistoryLost"' not in late.log.read_text():
            problems.append(f"its log does not say so: {late.process.log_tail(3)}")
        if not kept.is_at(_checkpoint(stage)):
            problems.append(f"it moved the checkpoint from {kept} to {_checkpoint(stage)}")
        response = stage.direct("sqs").receive_message(QueueUrl=stage.resources.queue_url, MaxNumberOfMessages=10)
        if len(messages := response.get("Messages", [])) != 1:
            problems.append(f"{len(messages)} messages in the queue, and not only the one from before")
        return problems


def _forget(stage: Stage, until: Any) -> None:
    """Write unrelated documents until the oplog begins after that moment. DocumentDB shows no oplog, so mongod is asked."""
    with MongoClient[dict[str, Any]](stage.mongod.uri) as mongod:
        _overwrite(mongod["local"]["oplog.rs"], mongod["elsewhere"]["churn"], until)


def _overwrite(oplog: Any, elsewhere: Any, until: Any) -> None:
    number = 0

    def forgotten() -> bool:
        nonlocal number
        number += 1
        elsewhere.replace_one({"_id": 0}, {"pad": f"{number}" + "x" * CHURN}, upsert=True)
        oldest = oplog.find_one(sort=[("$natural", 1)], projection={"ts": 1})
        return bool(oldest and oldest["ts"] > until)

    if not eventually(forgotten, FORGOTTEN_SECONDS):
        raise TimeoutError(f"the oplog still reaches back to before {until} after {number} MB")


def _checkpoint(stage: Stage) -> Any:
    record = stage.aws.witness.latest
    assert record
    return record.checkpoint
