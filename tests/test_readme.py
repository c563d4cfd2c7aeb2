"""What the documents promise is there."""

import re
from pathlib import Path

from lambda_forwarder.settings import Settings as ForwarderSettings
from tailer.settings import Settings as TailerSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_readme() -> None:
    """By its full name."""
    names = [f"TAILER_{name.upper()}" for name in TailerSettings.model_fields]
    names += [f"FORWARDER_{name.upper()}" for name in ForwarderSettings.model_fields]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_command_in_the_readme_exists() -> None:
    """``make TARGET`` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_every_file_in_the_documents_exists() -> None:
    """Links and paths in backticks."""
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        text = document.read_text()
        linked = [document.parent / path for path in re.findall(r"\]\(([^)#:]+)\)", text)]
        named = [
            ROOT / path
            for path in re.findall(r"`((?:contract|tailer|lambda_forwarder|devstack|infra|tests|docs)/[^`*…\s]*)`", text)
        ]
        assert [path for path in (*linked, *named) if not path.exists()] == [], document
