"""The base of every group of settings that may be a table of a TOML file."""

from typing import Any

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
