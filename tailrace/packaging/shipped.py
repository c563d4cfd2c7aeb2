"""Files of the repository that a package or an image is made from. The wheel holds copies of them."""

from pathlib import Path

WHEEL = Path(__file__).with_name("shipped")
CLONE = Path(__file__).resolve().parents[2]


def shipped(path: str) -> Path:
    """Return a file by its path in the repository: from the wheel, or from the clone that is installed in editable mode."""
    inside = WHEEL / path
    return inside if inside.exists() else CLONE / path
