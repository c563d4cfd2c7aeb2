"""Errors, named by the reaction they need. Adapters translate foreign errors into these, in one table each."""


class TailerError(Exception):
    """Anything the tailer stops or waits for. The message is for the person who reads the log."""


class Unavailable(TailerError):
    """A neighbour does not answer as it should: wait with backoff, then resume from the checkpoint. Nothing is lost."""


class Rejected(TailerError):
    """It will never be accepted, however often it is tried: stop and page. Nothing is skipped."""


class Undeliverable(Rejected):
    """
    One change can never be delivered, and those after it can: a stub takes its place, or the stream stops there, as
    TAILER_ON_POISON says. The message is why, without the change's name.
    """


class HistoryLost(Rejected):
    """The server no longer has the history after the checkpoint: a person decides what to do."""


class LeaseLost(TailerError):
    """Somebody else tails this stream now: send no other batch and write nothing."""


class Misconfigured(TailerError):
    """A setting is missing or wrong: exit before touching anything. The message names the setting and the remedy."""


EXIT_CODES: dict[type[TailerError], int] = {Misconfigured: 2, HistoryLost: 3, Rejected: 4, Undeliverable: 4}
"""What a command ends with; 1 for anything else."""
