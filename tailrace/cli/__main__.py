"""The command ``tailrace``, or ``python -P -m tailrace.cli``."""

import sys

from tailrace.text.terminal import complain, program

UNUSABLE = 2


def main() -> int:
    return program(_run)


def _run() -> int:
    try:
        from tailrace.cli.program import tailrace
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        complain("the package click is not installed. Install it: pip install 'tailrace[dev]'", by="tailrace")
        return UNUSABLE
    tailrace(prog_name="tailrace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
