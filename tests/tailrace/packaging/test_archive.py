"""A finished file is put in its place in one step."""

from pathlib import Path

import pytest

from tailrace.packaging.archive import place


def test_file_that_cannot_be_placed_leaves_no_part_of_it(tmp_path: Path) -> None:
    """As on a full disk: the folder stays as it was."""
    made = tmp_path / "made.zip"
    made.write_bytes(b"zip")
    destination = tmp_path / "dist" / "shop.zip"
    destination.mkdir(parents=True)
    with pytest.raises(OSError, match=r"shop\.zip"):
        place(made, destination)
    assert list((tmp_path / "dist").iterdir()) == [destination]
