"""The environment of a project as settings of a stack."""

from pathlib import Path

import pytest

from tailrace.project import load
from tailrace_cdk.config import NAME_LIMIT, Misconfigured
from tailrace_cdk.project_environment import settings_of
from tests.tailrace.packaging import shop


@pytest.mark.parametrize(
    ("project", "name"),
    [("shop", "shop-trial"), ("Our_shop.2", "our-shop-2-trial"), (30 * "x", f"{23 * 'x'}-35887476")],
    ids=["short", "other characters", "too long"],
)
def test_settings_are_named_after_project_and_environment(tmp_path: Path, project: str, name: str) -> None:
    """Whatever characters the project's name has, and however long it is."""
    folder = shop.write(tmp_path, tailrace_toml=f'name = "{project}"\n{shop.PROJECT}')
    settings = settings_of(load(folder), "trial")
    assert settings.name == name
    assert len(name) <= NAME_LIMIT
    assert settings.forwarder.mappers == "events:MAPPERS"
    assert [stream.name for stream in settings.streams] == ["orders"]


def test_wrong_setting_is_named_with_the_file_and_the_environment(tmp_path: Path) -> None:
    folder = shop.write(tmp_path, tailrace_toml=shop.PROJECT + "removel = 1\n")
    with pytest.raises(Misconfigured) as found:
        settings_of(load(folder), "trial")
    assert str(found.value).startswith(f"{folder / 'tailrace.toml'}, environment trial: 1 setting needs attention:")
    assert "did you mean removal?" in str(found.value)
