"""The command ``tailrace``, or ``python -P -m tailrace.cli``."""

import io
import sys

from tailrace.text.legible import show_uncaught_legibly

UNUSABLE = 2


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may not have every character of the help
        sys.stdout.reconfigure(errors="backslashreplace")
    show_uncaught_legibly()
    try:
        from tailrace.cli.program import tailrace
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write("tailrace: the package click is not installed. Install it: pip install 'tailrace[dev]'\n")
        return UNUSABLE
    tailrace(prog_name="tailrace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
