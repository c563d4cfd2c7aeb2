"""Runs a command of the command line, logs what it waits for, and returns its exit code."""

import logging
import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from tailer import logs
from tailer.app import run, tune_garbage_collector
from tailer.background import background
from tailer.checks import Check
from tailer.cli.arguments import parser
from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Rejected, TailerError
from tailer.operations.interrupts import INTERRUPTS, Interrupted
from tailer.output import Say
from tailer.parts import Parts
from tailer.settings.names import PREFIX
from tailer.settings.settings import Settings, as_set_in, load
from tailer.waits import WAITS
from tailrace.text.terminal import complain, say

FIRST, AGAIN = 5.0, 30.0  # seconds until a wait is logged, and until it is logged again
CHECKS = 10  # until the first line

log = logging.getLogger("tailer")


def command_line(
    arguments: Sequence[str],
    stopping: threading.Event,
    parts: Callable[[Settings], Parts] = Parts,
    checks: Sequence[Check] = (),
    *,
    by: str = "tailer",
) -> int:
    """
    Run a command with the ``parts`` of each stream, and return the exit code. ``stopping`` ends ``tailer run``. The doctor runs
    ``checks`` too, after its own. ``by`` is the program, or the program and its command, that reports errors.
    """
    run_command = partial(_run, stopping)
    options = parser(run_command, by.partition(" ")[0]).parse_args(arguments, Namespace(checks=checks))
    try:
        settings = _chosen(options, load())
    except Misconfigured as error:
        form = os.environ.get(f"{PREFIX}LOG_FORMAT") or "auto"
        if options.command is run_command and logs.for_programs(form):
            logs.configure("INFO", form)
            return _log_stop(error)
        return int(options.unsettled(options, error, say)) if "unsettled" in options else _failed(error, by)
    logs.configure(settings[0].log_level, settings[0].log_format)
    as_set = as_set_in(settings)
    try:
        with ExitStack() as around:
            if options.command is not run_command:  # ``stopping`` ends it, and its health shows what it waits for
                around.enter_context(INTERRUPTS.handled())
                around.enter_context(_waits_logged())
            return int(options.command(options, [parts(one) for one in settings], lambda text: say(as_set(text))) or 0)
    except TailerError as error:
        return _failed(type(error)(as_set(str(error))), by)
    except Interrupted as interrupt:
        complain(f"interrupted: {options.interrupted}", by)
        return interrupt.exit_code


def _run(stopping: threading.Event, _: Namespace, streams: Sequence[Parts], __: Say) -> int:
    tune_garbage_collector()
    try:
        run(streams, stopping)
    except (Misconfigured, HistoryLost, Rejected) as error:
        return _log_stop(type(error)(as_set_in([one.settings for one in streams])(str(error))))
    except Exception as error:
        log.critical("%s", error, exc_info=error, extra={"action": "stopped", "reason": type(error).__name__})
        return 1
    log.info("stopped as asked", extra={"action": "stopped"})
    return 0


def _log_stop(error: TailerError) -> int:
    log.critical("%s", error, extra={"action": "stopped", "reason": type(error).__name__})
    return EXIT_CODES[type(error)]


def _chosen(options: Namespace, streams: Sequence[Settings]) -> Sequence[Settings]:
    chosen = [settings for settings in streams if options.stream in (None, settings.stream)]
    if not chosen:
        raise Misconfigured(f"there is no stream {options.stream!r}; the streams are {', '.join(s.stream for s in streams)}")
    return chosen


def _failed(error: TailerError, by: str) -> int:
    complain(str(error), by)
    return EXIT_CODES.get(type(error), 1)


@contextmanager
def _waits_logged() -> Iterator[None]:
    """While the block runs, log each wait that takes long, on standard error, and again while it lasts."""
    over = threading.Event()
    WAITS.end()  # until here the program itself started
    background("waiting", partial(_log_waits, over), over)
    try:
        yield
    finally:
        over.set()


def _log_waits(over: threading.Event) -> None:
    due = FIRST
    while not over.wait(FIRST / CHECKS):
        wait = WAITS.longest()
        if wait.seconds < FIRST:
            due = FIRST
        elif wait.seconds >= due:
            due = wait.seconds + AGAIN
            since = datetime.now(UTC) - timedelta(seconds=wait.seconds)
            words = f"{since:%H:%M:%S} UTC ({wait.seconds:.0f} s) for {wait.what}"
            extra = {"action": "waiting", "since": since.isoformat(timespec="seconds"), "seconds": round(wait.seconds)}
            log.warning("waiting since %s; Ctrl-C ends this command", words, extra=extra)
