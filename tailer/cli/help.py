"""The help of the command line: wrapped to the terminal, settings in groups, and examples that can be pasted."""

import inspect
import shutil
import textwrap
from collections.abc import Iterable

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tailer.settings.lease import LeaseSettings
from tailer.settings.names import PREFIX
from tailer.settings.stream import StreamSettings
from tailer.settings.table import Table
from tailer.settings.task import Connections, ProcessSettings

MAX_COLUMNS = 110  # longer lines are hard to read


def paragraphs(*texts: str) -> str:
    """Return the texts wrapped, with an empty line between two."""
    return "\n\n".join(textwrap.fill(" ".join(text.split()), _columns()) for text in texts)


def examples(commands: Iterable[str]) -> str:
    """Return commands as they are typed, never wrapped."""
    return "\n".join(["examples:", *(f"  {command}" for command in commands)])


def settings_by_group() -> str:
    """Return every setting with its description and its default, in groups with the descriptions of their classes."""
    groups: tuple[type[Table], ...] = (Connections, StreamSettings, LeaseSettings, ProcessSettings)
    return "\n\n".join(map(_group, groups))


def _group(group: type[Table]) -> str:
    title, _, _ = str(inspect.getdoc(group)).partition(".")
    return "\n".join([paragraphs(f"{title}:"), *(_setting(name, field) for name, field in group.model_fields.items())])


def _setting(name: str, field: FieldInfo) -> str:
    shown = field.get_default()
    shown = shown.get_secret_value() if isinstance(shown, SecretStr) else shown
    default = "required" if field.is_required() else f"default {shown or 'empty'}"
    text = textwrap.fill(f"{field.description} ({default})", _columns(), initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {PREFIX}{name.upper()}\n{text}"


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MAX_COLUMNS)
