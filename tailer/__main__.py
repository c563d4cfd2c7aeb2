"""The command line: ``tailer run``, or ``python -m tailer run``."""

import argparse
import gc
import logging
import signal
import sys
import threading

from tailer import logs
from tailer.app import run
from tailer.errors import HistoryLost, Misconfigured, Rejected
from tailer.settings import PREFIX, Settings, load

log = logging.getLogger("tailer")

EXIT_CODES = {Misconfigured: 2, HistoryLost: 3, Rejected: 4}
_GARBAGE = (50_000, 20, 100)  # decoded documents hold no cycles: looking for them often costs a sixth of the speed
_EPILOG = """exit codes: 0 stopped as asked, 2 misconfigured, 3 history lost, 4 rejected by the queue for good, 1 anything else.
SIGTERM and SIGINT: the batch in flight is finished, the checkpoint saved and the lease released, within 20 seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command and say how it ended, as an exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load()
    except Misconfigured as error:
        print(f"tailer: {error}", file=sys.stderr)  # noqa: T201 - for the person at the keyboard; there is no log yet
        return EXIT_CODES[Misconfigured]
    logs.configure(settings.log_level)
    return int(options.command(settings))


def _run(settings: Settings) -> int:
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        run(settings, stopping)
    except (Misconfigured, HistoryLost, Rejected) as error:
        log.critical("%s", error, extra={"action": "stopped", "reason": type(error).__name__})
        return EXIT_CODES[type(error)]
    except Exception as error:
        log.critical("%s", error, exc_info=error, extra={"action": "stopped", "reason": type(error).__name__})
        return 1
    log.info("stopped as asked", extra={"action": "stopped"})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tailer",
        description="Tails a MongoDB or DocumentDB change stream into an SQS FIFO queue.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "run",
        help="tail the stream until SIGTERM",
        description="Tail the stream until SIGTERM.\n\nsettings (environment or .env):\n" + _settings_table(),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=_run)
    return parser


def _settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"default {field.get_default() or 'empty'}"
        rows.append(f"  {PREFIX}{name.upper():28} {field.description} ({default})")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
