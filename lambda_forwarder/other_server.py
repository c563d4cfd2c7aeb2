"""Changes as another server would report them, to try what mappers make of them there."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from lambda_forwarder.in_memory import MemoryLastStates
from lambda_forwarder.mapping.events import mappers_for
from lambda_forwarder.states.remembering import Remembering
from tailrace.change import Change
from tailrace.events import Mappers, remembered_by
from tailrace.message import ChangeMessage
from tailrace.questions.states import remembered, value_in

SERVERS = {
    "documentdb-5.0": True,  # it describes updates, as AWS documents
    "documentdb-5.0-undescribed": False,  # it does not, as was seen on engine 5.0
}


def reported_by(server: str, messages: Iterable[ChangeMessage], mappers: Mappers) -> Iterator[ChangeMessage]:
    """
    Yield the messages with the changes as this server reports them: no images, and times in whole seconds.

    The fields that mappers declare are remembered from one change to the next. The pre-image of a change counts as remembered.
    """
    remembering = Remembering(states=MemoryLastStates(), mappers=mappers)
    for message in messages:
        changes = [_reported(change, mappers, described=SERVERS[server]) for change in message.changes]
        there = replace(message, changes=tuple(changes))
        yield replace(there, changes=tuple(remembering.around(there, changes, lambda: 1.0)))


def _reported(change: Change, mappers: Mappers, *, described: bool) -> Change:
    fields = [path for mapper in mappers_for(change, mappers) for path in remembered_by(mapper)]
    known = change.full_document_before_change
    before = {} if known is None else {path: value for path in fields if (value := value_in(known, path))}
    return replace(
        change,
        wall_time=None,
        post_image=False,
        full_document_before_change=None,
        update_description=change.update_description if described else None,
        remembered=remembered(fields, before, {}),
    )
