"""The tracked files of the repository."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def tracked() -> list[Path]:
    """Return every file that git tracks. An unpacked archive has no list."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"needs a git checkout: {listed.stderr}")
    return [path for name in listed.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]
