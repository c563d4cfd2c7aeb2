"""
Gives each change the remembered values of its document just before and just after it, and remembers those after it.

The states are stored before the events are published. So a change that is mapped again, after a crash or a failed publish,
finds the values that it had the first time, and its mappers return the same events.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from lambda_forwarder.mapping.events import mappers_for
from lambda_forwarder.model.history import Position, begun
from lambda_forwarder.ports import LastStates, Stored, TimeLeft
from tailrace.change import Change
from tailrace.events import Mappers, remembered_by
from tailrace.message import ChangeMessage
from tailrace.questions.states import State, remembered, state_after
from tailrace.wire.change import GAP, Remembered, canonical
from tailrace.wire.identity import digest


@dataclass(frozen=True, kw_only=True)
class Remembering:
    """
    Remembers the fields that ``mappers`` declare. ``read_only``: nothing is stored, as in a rehearsal.

    A change that no mapper may see makes the values of its document unknown.
    """

    states: LastStates
    mappers: Mappers
    read_only: bool = False

    def around(self, message: ChangeMessage, whole: Iterable[Change], time_left: TimeLeft) -> Sequence[Change]:
        """
        Return ``whole``, the changes of the message that mappers may see, with their documents, and now with their remembered
        values. The states after all changes of the message are stored then.

        Raises:
            Unavailable: the states cannot be read or stored now. No change may be mapped.
        """
        paths = [self._paths(change) for change in message.changes]
        keys = [key(message.stream, change) for change in message.changes]
        needed = {name for name, fields in zip(keys, paths, strict=True) if fields}
        if not needed:
            return tuple(whole)
        found = self.states.read(sorted(needed), time_left)
        documents = {name: _Document(found.get(name)) for name in needed}
        left, changes = deque(whole), list[Change]()
        for change, name, fields in zip(message.changes, keys, paths, strict=True):
            shown = left.popleft() if left and (left[0].sequence, left[0].id) == (change.sequence, change.id) else None
            if fields:
                values = documents[name].around(change, shown, fields, message.generation)
                shown = shown and msgspec.structs.replace(shown, remembered=_known(values, change.remembered))
            if shown:
                changes.append(shown)
        changed = {name: stored for name, document in documents.items() if (stored := document.changed())}
        if changed and not self.read_only:
            self.states.write(changed, time_left)
        return changes

    def _paths(self, change: Change) -> Collection[str]:
        if change.operation_type == GAP or not change.document_key:
            return ()
        return dict.fromkeys(path for mapper in mappers_for(change, self.mappers) for path in remembered_by(mapper))


class _Document:
    """The history of a document, as it was stored and after the changes that are mapped now."""

    def __init__(self, stored: Stored | None) -> None:
        self._stored = stored
        self._history = stored.history if stored else None
        self._first: Position | None = None  # the first of these changes that is new

    def around(self, change: Change, shown: Change | None, paths: Collection[str], generation: int) -> dict[str, Remembered]:
        """Return what is known around the change. ``shown`` is the change with its documents, None if no mapper sees it."""
        at, history = Position.of(change, generation), self._history
        if history and (states := history.around(at)):
            self._history = history.read_again(generation)
            return remembered(paths, *states)
        follows = history is not None and history.follows(at)
        before: State = history.versions[-1].state if history and follows else {}
        after = state_after(shown, paths, before) if shown else {}
        if history is None or generation >= history.generation:  # an older generation changes nothing: a newer one reads it too
            self._first = self._first or at
            self._history = history.with_next(at, after, change) if history and follows else begun(at, after, change)
        return remembered(paths, before, after)

    def changed(self) -> Stored | None:
        """Return the history to store; None if these changes were stored before."""
        if self._history is None or (self._stored and canonical(self._history) == canonical(self._stored.history)):
            return None
        history = self._history.shortened(self._first) if self._first else self._history
        return Stored(history=history, revision=self._stored.revision if self._stored else 0)


def key(stream: str, change: Change) -> str:
    """The key of the document's history: the stream, because each numbers its changes, and a digest of the document's name."""
    return f"{stream}/{digest(change.document, 16).hex()}"


def _known(now: Mapping[str, Remembered], carried: Mapping[str, Remembered]) -> dict[str, Remembered]:
    """Return what is known now. A value that is not kept any more is that which the change carried in the parking queue."""
    nothing = Remembered()
    return {
        path: Remembered(was=value.was or carried.get(path, nothing).was, now=value.now or carried.get(path, nothing).now)
        for path, value in now.items()
    }
