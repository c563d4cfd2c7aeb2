"""Errors, named by the reaction they need. Adapters translate foreign errors into these, in one table each."""


class TailerError(Exception):
    """An error that the tailer expects. The message is for the person who reads the log."""


class Unavailable(TailerError):
    """A server does not respond as it should: wait with backoff, then resume from the checkpoint. Nothing is lost."""


class Rejected(TailerError):
    """A server will never accept this, at any try: stop the stream and page. Nothing is skipped."""


class Undeliverable(Rejected):
    """
    One change can never be delivered, but the changes after it can: a stub takes its place, or the stream stops, as
    TAILER_ON_POISON says. The message is the reason, without the change's name.
    """


class HistoryLost(Rejected):
    """The server no longer has the history after the checkpoint: a person decides what to do."""


class LeaseLost(TailerError):
    """Another task tails this stream now: send no other batch and write nothing."""


class Misconfigured(TailerError):
    """A setting is missing or wrong: exit before touching anything. The message names the setting and the remedy."""


EXIT_CODES: dict[type[TailerError], int] = {Misconfigured: 2, HistoryLost: 3, Rejected: 4, Undeliverable: 4}
"""The exit code of a command that fails with this error. 1 for any other error."""
