"""
The naive way, as most first versions are written: ``watch()``, one ``send_message`` per change, and the resume token saved
after each of them with one ``update_one`` in the watched cluster. Drivers as they come, no tuning.

It keeps the promise that matters most, since the token follows the message, and it has neither lease nor sequence.
"""

import hashlib
import json
from typing import Any

import boto3
from bson import json_util
from pymongo import MongoClient

from benchmarks.backlog import collection
from benchmarks.results import Course, Meter, Run
from tailer.mongodb.events.positions import time_of


def run(course: Course) -> Run:
    """
    As many changes as fit into the course's seconds. The clock starts with the first change in hand: the driver reads and
    decodes thousands at once, most of which a bounded run never sends. This flatters the naive way, by about one part in fifty.
    """
    sqs = boto3.client("sqs")
    with MongoClient[dict[str, Any]](course.mongodb_uri) as client:
        tokens = client["naive"]["tokens"]
        tokens.update_one({"_id": "payments"}, {"$set": {"token": None}}, upsert=True)
        with collection(client).watch(full_document="updateLookup", start_at_operation_time=time_of(course.begin)) as stream:
            event, meter, done, sent = stream.next(), Meter(), 0, 0
            while True:
                body = json_util.dumps(event)
                sqs.send_message(
                    QueueUrl=course.queue_url,
                    MessageBody=body,
                    MessageGroupId=str(event["documentKey"]["_id"]),
                    MessageDeduplicationId=hashlib.sha256(json.dumps(event["_id"]).encode()).hexdigest(),
                )
                tokens.update_one({"_id": "payments"}, {"$set": {"token": stream.resume_token}})
                done, sent = done + 1, sent + len(body)
                if done == course.changes or meter.seconds > course.seconds:
                    return meter.run(done, calls=done, messages=done, sent=sent)
                event = stream.next()
