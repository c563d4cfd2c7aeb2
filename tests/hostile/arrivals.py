"""The outcome of each change: sent by the tailer, then published on the bus or parked, by stream and sequence."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from devstack import DevStack
from tailrace.message import unpack
from tailrace.wire.change import Change
from tailrace.wire.message import UnreadableMessage
from tests.hostile.outcome import PUBLISHED

Place = tuple[str, int]
"""A stream, and a change's number in it."""


@dataclass(kw_only=True)
class Arrivals:
    """Reads the messages that pass, and receives from the consumer's and the parking queue."""

    stack: DevStack
    sent: dict[Place, Change] = field(default_factory=dict)
    sent_at: dict[Place, float] = field(default_factory=dict)  # seconds since 1970
    published: list[Place] = field(default_factory=list)  # in order of arrival, with repeats
    known: set[Place] = field(default_factory=set)  # the same, each once
    parked: dict[Place, str] = field(default_factory=dict)  # the reasons
    unread: list[str] = field(default_factory=list)  # the reasons of unreadable messages

    def message(self, message: dict[str, Any]) -> None:
        """Read a message of the queue."""
        try:
            told = unpack(message["Body"])
        except UnreadableMessage:
            return
        for change in told.changes:
            place = told.stream, change.sequence
            self.sent.setdefault(place, _light(change))
            self.sent_at.setdefault(place, int(message["Attributes"]["SentTimestamp"]) / 1000)

    def take(self) -> None:
        """Receive everything that has arrived."""
        for body in self._bodies(self.stack.resources.consumer_queue_url):
            metadata = body["detail"]["metadata"]
            place = metadata["stream"], metadata["sequence"]
            self.published.append(place)
            self.known.add(place)
        for body in self._bodies(self.stack.resources.parking_url):
            if body.get("change_id") or body.get("changeId"):
                self.parked[body["stream"], body["sequence"]] = body["reason"]
            else:
                self.unread.append(body["reason"])

    def outcome(self, place: Place) -> str | None:
        """Return an empty text if it was published, the reason if it was parked, and None if neither has happened yet."""
        return PUBLISHED if place in self.known else self.parked.get(place)

    def seen(self) -> tuple[int, set[Place], int]:
        """Return how much has arrived, for ``since``."""
        return len(self.published), set(self.parked), len(self.unread)

    def since(self, seen: tuple[int, set[Place], int], but: str) -> list[str]:
        """
        Return the outcomes of changes that arrived later, in order, except those of one stream, as in ``Outcome.changes``.
        """
        published, parked, unread = seen
        places = dict.fromkeys(self.published[published:], PUBLISHED)
        places |= {place: reason for place, reason in self.parked.items() if place not in parked}
        return [places[place] for place in sorted(places) if place[0] != but] + self.unread[unread:]

    def of(self, collection: str) -> list[Place]:
        """Return the changes of a collection that the tailer sent, in order."""
        return sorted(place for place, change in self.sent.items() if change.ns.coll == collection)

    def but(self, collection: str, before: set[Place]) -> list[Place]:
        """Return the changes of all other collections that are new: a stub does not name its collection."""
        return sorted(place for place, change in self.sent.items() if change.ns.coll != collection and place not in before)

    def delay(self, place: Place) -> float:
        """Return the seconds from the commit of a change until it was in the queue."""
        return self.sent_at[place] - self.sent[place].occurred_at.timestamp()

    def _bodies(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = self.stack.aws("sqs")
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(found)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            yield from (json.loads(one["Body"]) for one in found)


def _light(change: Change) -> Change:
    """Return the change without its large fields."""
    return replace(change, document_key={}, full_document=None, full_document_before_change=None, update_description=None)
