"""The floor: read the change stream as raw BSON, and discard each reply. No reader can be much faster."""

from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from benchmarks.results import COLLECTION, DATABASE, Course, Meter, Run
from tailer.mongodb.cursor import AWAIT, EVENTS_PER_REPLY
from tailer.mongodb.events.positions import time_of

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def run(course: Course) -> Run:
    """Watch as the tailer does, with ``updateLookup`` and replies of the same size."""
    watch = {"$changeStream": {"startAtOperationTime": time_of(course.begin), "fullDocument": "updateLookup"}}
    with MongoClient[dict[str, Any]](course.mongodb_uri) as client:
        database = client[DATABASE]
        database.command("ping")
        meter, read = Meter(), 0
        opened = database.command("aggregate", COLLECTION, pipeline=[watch], cursor={"batchSize": 0})
        more = {"getMore": opened["cursor"]["id"], "collection": COLLECTION, "batchSize": EVENTS_PER_REPLY, "maxTimeMS": AWAIT}
        while read < course.changes:
            read += len(database.command(more, codec_options=_RAW)["cursor"]["nextBatch"])
        return meter.run(read)
