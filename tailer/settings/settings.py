"""The settings of the tailer as one class, and how they are loaded: variables or ``.env``, each named ``TAILER_…``, or TOML."""

import difflib
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from bson import json_util
from dotenv import dotenv_values
from pydantic import PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tailer.aws.lanes import RULE
from tailer.checkpoints.recognition import LANE_RULE
from tailer.errors import Misconfigured
from tailer.settings.lease import LeaseSettings
from tailer.settings.names import PREFIX, Keys, as_set, called
from tailer.settings.stream import StreamSettings
from tailer.settings.stream_tables import stream_tables
from tailer.settings.task import Connections, ProcessSettings
from tailrace.wire.change import canonical


class Settings(ProcessSettings, LeaseSettings, StreamSettings, Connections, BaseSettings):
    """All settings of one stream of one task."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", hide_input_in_errors=True)

    _keys: Keys = PrivateAttr(default_factory=dict)  # of the table that the stream comes from

    @property
    def identity(self) -> str:
        """What this stream watches and how its lanes are computed, as canonical JSON: kept with the checkpoint."""
        watched: dict[str, Any] = {
            "database": self.database,
            "collections": sorted(self.collections),
            "pipeline": json.loads(json_util.dumps(self.pipeline)),
            "lanes": self.lanes,
            "orderBy": self.order_by,
        }
        if self.order_by != "stream":  # a stream of one lane needs no rule
            watched[LANE_RULE] = RULE
        return canonical(watched).decode()


def load() -> tuple[Settings, ...]:
    """
    Return the settings of every stream of this process: one stream from variables alone, or one for each table of
    ``TAILER_CONFIG`` or ``TAILER_CONFIG_TOML``. What a table leaves out is read from the variables.

    Raises:
        Misconfigured: one line for each missing or wrong setting, all at once.
    """
    tables = stream_tables(_given("config"), _given("config_toml"), _OF_A_STREAM)
    streams: list[Settings] = []
    problems: dict[str, None] = {}  # ordered and without repeats: a wrong variable is wrong for every table
    for table, values in tables.items():
        keys: Keys = {table: values.keys()} if table else {}
        try:
            settings = Settings(**values)
        except ValidationError as error:
            problems |= dict.fromkeys(_lines(error, keys))
        else:
            settings._keys = keys
            streams.append(settings)
    if problems:
        count = f"{len(problems)} settings need" if len(problems) > 1 else "1 setting needs"
        where = "environment or .env" if "" in tables else "TOML, environment or .env"
        typos = [_line(wrong, f"is not a setting; did you mean {right}?") for wrong, right in misspelt().items()]
        raise Misconfigured("\n".join([f"{count} attention ({where}):", *problems, *typos]))
    return tuple(streams)


def as_set_in(streams: Sequence[Settings]) -> Callable[[str], str]:
    """Return a function that names each setting in a message as it was set: by its variable, or by key and table."""
    keys = {table: names for settings in streams for table, names in settings._keys.items()}
    return lambda text: as_set(text, keys)


def misspelt() -> dict[str, str]:
    """Return each ``TAILER_`` variable that is no setting but resembles one, with that setting."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith(PREFIX)}
    close = {name: difflib.get_close_matches(name, known, n=1) for name in sorted(given - set(known))}
    return {name: matches[0] for name, matches in close.items() if matches}


def _given(name: str) -> str:
    variable = f"{PREFIX}{name.upper()}"
    return os.environ.get(variable) or dotenv_values(".env").get(variable) or ""


def _lines(error: ValidationError, keys: Keys) -> list[str]:
    """Return one line for each wrong setting, with the setting named as it was set."""
    problems = {str(problem["loc"][0]): problem for problem in error.errors()}
    return [_line(_setting(name, keys), as_set(_problem(name, problem, keys), keys)) for name, problem in problems.items()]


def _setting(name: str, keys: Keys) -> str:
    """Name the setting. The name of a stream is the name of its table, if it has one."""
    return f"[{next(iter(keys))}]" if keys and name == "stream" else called(name, keys)


def _problem(name: str, problem: Any, keys: Keys) -> str:
    description = Settings.model_fields[name].description
    if problem["type"] == "missing":
        return f"missing{', also in ' if keys else ''}{', '.join(f'[{table}]' for table in keys)}: {description}"
    return f"{problem['msg'].removeprefix('Value error, ')}: {description}"


def _line(name: str, text: str) -> str:
    return f"  {name:35} {text}"  # wide enough for the longest name


_OF_A_STREAM = Settings.model_fields.keys() - ProcessSettings.model_fields.keys() - {"stream"}
