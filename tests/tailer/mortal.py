"""``python -P -m tests.tailer.mortal run``: the tailer, which is killed when it decodes a document with ``DEADLY``."""

import os
import signal
import sys
from typing import Any

from tailer.__main__ import main
from tailer.mongodb.events import change_events, event_reader

DEADLY = "this document takes all the memory that there is"
_change_from_event = change_events.change_from_event


def _killing_decoder(raw: Any, *given: Any, **options: Any) -> Any:
    if DEADLY.encode() in bytes(raw.raw):
        os.kill(os.getpid(), signal.SIGKILL)
    return _change_from_event(raw, *given, **options)


if __name__ == "__main__":
    vars(event_reader)["change_from_event"] = _killing_decoder
    sys.exit(main())
