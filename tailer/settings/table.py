"""The base of every group of settings that may be a table of a TOML file."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Table(BaseModel):
    """Frozen settings. A description says what to set a field to: it is the remedy in an error, and the documentation."""

    model_config = ConfigDict(frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse TOML's ``true`` for anything but a boolean: for a number, pydantic would read it as 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("true and false are not possible values here")
        return value


class Section(Table):
    """A frozen table of settings. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in the annotation of a setting: a setting that has one is a table of its own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from sections(part)
