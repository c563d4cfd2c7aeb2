"""The real tailer within a task's memory, with a backlog of documents that are small in BSON and large in Python."""

import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from devstack import DevStack
from tailrace.dev.loopback import wait_until
from tailrace.dev.tailer import TailerProcess
from tests.bson_bytes import document, text
from tests.hostile.memory_group import MB, MemoryGroup, resident_peak, unavailable

TASK = 512 * MB
FULL = 16 * MB - 4_096  # bytes of BSON: the server accepts 16 MB
OPLOG = 4_000.0  # MB, enough for all of it
SECONDS = 240.0
WHY_NOT = unavailable()


def array(kind: int, value: bytes) -> bytes:
    """Return a document that is full of this value."""
    one = len(b"%c1234567\0%b" % (kind, value))
    return document(*(b"%c%d\0%b" % (kind, number, value) for number in range(FULL // one)))


def small_arrays(kind: int, value: bytes) -> bytes:
    """Return the same in arrays of ten, whose indexes take one byte each."""
    return array(4, document(*(b"%c%d\0%b" % (kind, number, value) for number in range(10))))


def fields(kind: int, value: bytes) -> bytes:
    one = len(b"%c123456\0%b" % (kind, value))
    return document(*(b"%c%x\0%b" % (kind, number, value) for number in range(FULL // one)))


def nested(depth: int, inner: bytes) -> bytes:
    return nested(depth - 1, document(b"\x03a\0" + inner)) if depth else inner


HOSTILE: dict[str, Callable[[], tuple[int, bytes]]] = {
    "MinKey": lambda: (4, small_arrays(0xFF, b"")),
    "undefined": lambda: (4, array(0x06, b"")),
    "undefined again": lambda: (4, array(0x06, b"")),
    "small integers": lambda: (4, array(0x10, struct.pack("<i", 7))),
    "empty documents": lambda: (4, array(0x03, document())),
    "field names": lambda: (3, fields(0x0A, b"")),
    "deep nesting": lambda: (4, array(0x03, nested(150, document()))),
    "control characters": lambda: (2, text(b"\1" * (11 * MB))),
}


@contextmanager
def tailer_with_peak(stack: DevStack, name: str, queue_url: str) -> Iterator[tuple[TailerProcess, Callable[[], int]]]:
    """A tailer and a function that returns its peak memory, in a cgroup if one can be created."""
    environment = stack.environment_of(name, queue_url=queue_url)
    if WHY_NOT:
        tailer = TailerProcess(stack.workspace, environment, name)
        yield tailer, lambda: resident_peak(tailer.process.pid)
        tailer.stop()
        return
    with MemoryGroup(TASK) as group:
        tailer = TailerProcess(stack.workspace, environment, name, within=group.command)
        yield tailer, lambda: group.peak
        assert tailer.stop() == 0
        assert group.kills == 0


@pytest.mark.timeout(480)  # The server accepts most of it.
def test_backlog_of_hostile_documents_fits_the_memory_of_a_task(
    stack: DevStack, mongo: "MongoClient[dict[str, Any]]", fresh: str, queue_url: str
) -> None:
    """Each is sent or has a stub, the task does not end, and the innocent document after them arrives."""
    mongo.admin.command("replSetResizeOplog", 1, size=OPLOG)
    with tailer_with_peak(stack, fresh, queue_url) as (tailer, peak):
        tailer.wait_ready()
        mongo[fresh].payments.insert_one({"_id": -1, "text": "a" * 11 * MB})  # The server's cache grows with use.
        for number, made in enumerate(HOSTILE.values()):
            kind, value = made()
            raw = document(b"\x10_id\0" + struct.pack("<i", number), b"%cv\0%b" % (kind, value))
            mongo[fresh].get_collection("payments").insert_one(RawBSONDocument(raw))
        mongo[fresh].payments.insert_one({"_id": "innocent"})
        total = f'tailrace_changes_sent_total{{stream="{fresh}"}} {len(HOSTILE) + 2}.0'
        wait_until(lambda: total in tailer.metrics(), tailer.process, SECONDS)
        logging.getLogger(__name__).info("peak %.0f MB", peak() / MB)
        assert peak() < TASK
