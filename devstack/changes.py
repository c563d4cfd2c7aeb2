"""
Print the changes of a collection as message bodies, one per line, for ``python -P -m lambda_forwarder try -``.

    python -P -m devstack.changes 'mongodb://127.0.0.1:27017/?directConnection=true' payments payments --count 1 \
        | python -P -m lambda_forwarder try -

It starts now, ends after ``--count`` changes, and sends nothing to a queue.
"""

import argparse
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from pymongo import MongoClient

from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.text.legible import legible
from tailrace.wire.message import encode_change, pack


def bodies(source: MongodbSource, stream: str) -> Iterator[str]:
    """Yield a message body for each change after this call."""
    start = source.first()
    return _bodies(source, start, stream)


def _bodies(source: MongodbSource, start: Any, stream: str) -> Iterator[str]:
    with closing(source.batches(start)) as batches:
        for batch in batches:
            for change in batch.changes:
                yield pack(stream=stream, generation=1, lane=0, changes=[encode_change(change)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -P -m devstack.changes", description=__doc__)
    parser.add_argument("uri")
    parser.add_argument("database")
    parser.add_argument("collection", nargs="?")
    parser.add_argument("--count", type=int, default=1, help="how many changes to wait for (default: %(default)s)")
    parser.add_argument("--pre-images", action="store_true", help="ask for the document before the change, too")
    asked = parser.parse_args()
    watch = Watch(
        database=asked.database,
        collections=(asked.collection,) if asked.collection else (),
        full_document_before_change="whenAvailable" if asked.pre_images else "off",
    )
    with MongoClient[Any](asked.uri) as client:
        for body in islice(bodies(MongodbSource(client, watch), asked.database), asked.count):
            print(legible(body, lines=True), flush=True)


if __name__ == "__main__":
    main()
