"""The files of the repository, without what is made or ignored."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def tracked() -> list[Path]:
    """Every file that git tracks here; an unpacked archive has no list."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"needs a git checkout: {listed.stderr}")
    return [path for name in listed.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]
