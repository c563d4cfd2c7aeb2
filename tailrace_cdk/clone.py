"""The clone of the repository, which holds the Dockerfile of the tailer and the schemas of the events."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]


def in_clone(path: str, otherwise: str) -> Path:
    """
    Return the path of a file or folder of the clone.

    Raises:
        FileNotFoundError: this package is installed without a clone; ``otherwise`` says which setting avoids the need for one.
    """
    if not (found := FOLDER / path).exists():
        raise FileNotFoundError(f"{path} is only in a clone of the repository, and {FOLDER} is none: {otherwise}")
    return found
