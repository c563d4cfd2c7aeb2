"""Fixtures of the checks."""

from tests.tailer.checked import (  # noqa: F401 - pytest finds them here
    dead_letters_url,
    queue_url,
    settings,
    stored,
)
