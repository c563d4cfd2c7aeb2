"""The reference of all settings is complete and current, and agrees with the settings."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, Field

from infra.pages import configuration
from lambda_forwarder.settings import Settings as ForwarderSettings
from tailer.settings.settings import Settings as TailerSettings
from tailer.settings.table import Section
from tailrace.project.settings import ProjectSettings
from tailrace_cdk.config import Environment

TABLES: list[type[BaseModel]] = [
    TailerSettings,
    ForwarderSettings,
    Environment,
    *(section for _, section in configuration.tables(Environment)),
]


def described(model: type[BaseModel]) -> Iterator[str]:
    return (name for name, field in model.model_fields.items() if field.description)


def subclasses(model: type[BaseModel]) -> set[type[BaseModel]]:
    """All of them, of any depth."""
    return {deeper for one in model.__subclasses__() for deeper in {one, *subclasses(one)}}


def test_settings_page_is_current() -> None:
    """``make docs`` writes it."""
    assert configuration.PAGE.read_text() == configuration.page()


@pytest.mark.parametrize("model", TABLES, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_setting_has_a_description(model: type[BaseModel]) -> None:
    """It is the remedy in an error and the text on the page."""
    assert set(described(model)) == set(model.model_fields)


def test_every_setting_is_on_the_page() -> None:
    """By the name that a person writes: a variable, or a key of a TOML table."""
    page = configuration.page()
    variables = [f"TAILER_{name.upper()}" for name in TailerSettings.model_fields]
    variables += [f"FORWARDER_{name.upper()}" for name in ForwarderSettings.model_fields]
    assert [name for name in variables if f"| `{name}` |" not in page] == []
    for heading, section in configuration.tables(Environment):
        part = page.partition(f"### `{heading}`\n")[2].partition("\n### ")[0]
        inner = {deeper.strip("[]").partition(".")[0] for deeper, _ in configuration.tables(section)}
        assert [name for name in section.model_fields if name not in inner and f"| `{name}` |" not in part] == [], heading


def test_every_section_of_an_environment_is_on_the_page() -> None:
    """Nobody could set a section that no other section contains."""
    reached = {section for _, section in configuration.tables(Environment)}
    bases = {base for section in reached for base in section.__bases__}
    assert reached | {Environment, ProjectSettings} == subclasses(Section) - bases


def test_allowed_values_are_read_from_the_setting() -> None:
    """Choices, bounds and lists."""

    class Inner(BaseModel):
        """A table."""

        depth: float = Field(0.5, gt=0, lt=1, description="how deep")

    class Outer(BaseModel):
        """Of every kind."""

        size: int = Field(description="how large | small", ge=1, le=1_000)
        sure: bool = Field(False, description="whether")
        names: tuple[str, ...] = Field((), description="<names>")
        inner: tuple[Inner, ...] = Field((), description="tables")

    table = configuration.table(Outer)
    assert "| `size` | a number from 1 to 1,000 | required | how large \\| small |" in table
    assert "| `sure` | `true` or `false` | `false` | whether |" in table
    assert "| `names` | a list | none | &lt;names> |" in table
    assert "inner" not in table
    [(heading, section)] = configuration.tables(Outer)
    assert (heading, section) == ("[[inner]]", Inner)
    assert "| `depth` | a number above 0 below 1 | `0.5` | how deep |" in configuration.table(Inner)
