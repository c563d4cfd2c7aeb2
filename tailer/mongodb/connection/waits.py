"""Every command of a MongoDB client, as a wait of the thread that sent it."""

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from tailer.waits import WAITS

_WORDS = {"getMore": "to look through its history", "aggregate": "to answer a query, or to open a change stream"}


class Commands(CommandListener):
    """Called by pymongo in the thread that waits."""

    def started(self, event: CommandStartedEvent) -> None:
        host, port = event.connection_id
        WAITS.begin(f"MongoDB at {host}:{port} {_WORDS.get(event.command_name, f'to answer {event.command_name}')}")

    def succeeded(self, event: CommandSucceededEvent) -> None:  # noqa: ARG002 - pymongo's
        WAITS.end()

    def failed(self, event: CommandFailedEvent) -> None:  # noqa: ARG002 - pymongo's
        WAITS.end()
