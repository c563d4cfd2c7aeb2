"""
For the tests of a project: changes as the servers report them, the events of its mappers, and its consumers.

    from tailrace.testing import documentdb, dynamodb, events_of, mongodb

It needs the extra ``dev``.
"""

from tailrace.testing.change_streams import ChangeStream as ChangeStream
from tailrace.testing.change_streams import documentdb as documentdb
from tailrace.testing.change_streams import mongodb as mongodb
from tailrace.testing.contract import ContractBroken as ContractBroken
from tailrace.testing.contract import validate as validate
from tailrace.testing.deliveries import eventbridge as eventbridge
from tailrace.testing.deliveries import sqs as sqs
from tailrace.testing.published import NotPublished as NotPublished
from tailrace.testing.published import events_of as events_of
from tailrace.testing.published import published as published
from tailrace.testing.table_streams import TableStream as TableStream
from tailrace.testing.table_streams import dynamodb as dynamodb

__all__ = [
    "ChangeStream",
    "ContractBroken",
    "NotPublished",
    "TableStream",
    "documentdb",
    "dynamodb",
    "eventbridge",
    "events_of",
    "mongodb",
    "published",
    "sqs",
    "validate",
]
