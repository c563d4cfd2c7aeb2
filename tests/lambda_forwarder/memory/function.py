"""="""

import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from lambda_forwarder import app
from lambda_forwarder.aws.clients import client
from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.publishing.buses import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tailrace.mappers.data_changes import data_changed
from tests.lambda_forwarder.values import delivery, forever


class Bucket:
    """Reads objects from files. Stored objects are read and discarded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        return {"Body": (self._folder / Key).open("rb")}

    def put_object(self, *, Body: bytes, **_: Any) -> None:  # noqa: N803
        stored = io.BytesIO(Body)
        while stored.read(1_048_576):
            pass


class DiscardingBus:
    """Accepts every event and discards it."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        return {"Entries": [{"EventId": "1"} for _ in Entries]}


class ParkingQueue:
    """Keeps the reasons of parked items."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.reasons += (json.loads(entry["MessageBody"])["reason"] for entry in Entries)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def main(records: Path, objects: Path) -> None:
    for service in ("sqs", "s3", "dynamodb", "events"):
        client(service)
    queue = ParkingQueue()
    claims = S3Claims(Bucket(objects), "claims")
    through = Forwarder(
        mappers={"payments": (data_changed,)},
        publisher=EventBridgePublisher(ClassicBus(DiscardingBus(), "bus"), claims),
        parking=SqsParking(queue, "http://parking.fifo", claims),
        claims=claims,
        room=app.room(),
    )
    bodies = records.read_text("utf-8").splitlines()
    published: Counter[str] = Counter()
    for text in bodies:
        assert through.forward([delivery(text, sent="any")], forever) == []
        for metrics in through.metrics.take().values():
            published.update({name: int(sum(values)) for name, values in metrics.items()})
    print(json.dumps({"events": published["EventsPublished"], "parked": queue.reasons}))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
