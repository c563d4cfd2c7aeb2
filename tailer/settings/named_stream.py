"""A stream in a file that names several: ``[[streams]]`` of an environment, or of a project."""

from tailer.settings.stream import StreamName, StreamSettings
from tailer.settings.table import Section


class _Name(Section):
    """The name of a stream, which comes first in its table."""

    name: StreamName


class Stream(StreamSettings, _Name):
    """One change stream. Its settings are those of the tailer."""
