"""Whether the settings can be read, and none is misspelt."""

from collections.abc import Sequence
from functools import partial

from tailer.checks import Check, Finding, fail, ok, warn
from tailer.errors import Misconfigured
from tailer.settings.settings import Settings, misspelt

_check = partial(
    Check,
    name="settings",
    outage="run the doctor again; if it fails again, report this line as a bug",
    mistake="correct it, then run the doctor again",
)


def settings_check(streams: Sequence[Settings]) -> Check:
    """The check of settings that could be read."""
    return _check(run=partial(_spelt, streams))


def unreadable(error: Misconfigured) -> list[Check]:
    """One check for each setting that the error names; without readable settings there is no other check."""
    head, *problems = (text.strip() for text in str(error).splitlines())
    return [_check(run=partial(fail, problem)) for problem in problems or [head]]


def _spelt(streams: Sequence[Settings]) -> Finding:
    found = f"{'streams' if len(streams) > 1 else 'stream'} {', '.join(settings.stream for settings in streams)}"
    for wrong, right in misspelt().items():
        return warn(f"{found}; {wrong} is not a setting", f"did you mean {right}?")
    return ok(found)
