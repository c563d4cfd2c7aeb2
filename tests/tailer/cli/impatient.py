"""``python -P -m tests.tailer.cli.impatient``: the tailer's commands, which soon say what they wait for."""

import sys

from tailer.__main__ import main
from tailer.cli import command_line

if __name__ == "__main__":
    command_line.FIRST = command_line.AGAIN = 0.3
    sys.exit(main())
