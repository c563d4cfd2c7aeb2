"""Fixtures of the checks."""

from tests.tailer.checked import (  # noqa: F401 - pytest finds them here
    dead_letters_url,
    doctor,
    documentdb,
    function,
    make_parts,
    mapping,
    parking_url,
    queue_url,
    settings,
    stored,
)
