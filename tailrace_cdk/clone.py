"""The clone of the repository, which holds the Dockerfile of the tailer and the schemas of the events."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]


def in_clone(path: str, otherwise: str) -> Path:
    """Return the path of a file or folder of the clone. If there is none, the error says how to do without: ``otherwise``."""
    if not (found := FOLDER / path).exists():
        raise FileNotFoundError(f"{path} is only in a clone of the repository, and {FOLDER} is none: {otherwise}")
    return found
