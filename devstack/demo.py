"""The demo: payments are made and cancelled, the tailer is killed in the middle, and every event is accounted for."""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from devstack.listener import Listener
from devstack.payments import Payments
from devstack.resources import CONSUMER_QUEUE, VISIBILITY_SECONDS, spare_queue
from devstack.stack import COLLECTION, DATABASE, DevStack
from devstack.verdict import judge
from tailrace.dev.aws import elsewhere
from tailrace.dev.consumer import Consumer
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed

PAYMENTS = 40
PACE_SECONDS = 0.05  # between two writes: slow enough to watch
ARRIVAL_SECONDS = 30.0  # the longest wait for the last event after the last write
LOG_LINES = 25
CREATED = '{"subscriptionId": "sub-1", "accountNumber": "1", "status": "created", "created": datetime.now(UTC)}'
CANCELLED = '{"status": "created"}, {"$set": {"status": "cancelled", "updated": datetime.now(UTC)}}'


def demo(screen: Screen, keep: bool = False) -> int:
    """Run the demo on its own stack. Return exit code 0 only if every guarantee held."""
    with _stack(screen) as stack:
        payments = Payments(stack.mongo[DATABASE][COLLECTION])
        tailer = stack.start_tailer()
        tailer.wait_ready()
        screen.step("the tailer is ready; payments begin")
        with Listener(stack.consumer(), screen, payments) as listener:
            made = _write(payments, PAYMENTS // 2)
            tailer.kill()
            listener.died, before = datetime.now(UTC), len(payments.committed)
            screen.step("kill -9 of the tailer; the application goes on writing", "red")
            made += _write(payments, PAYMENTS // 2)
            screen.step(f"a new tailer starts; {len(payments.committed) - before} changes were written without one")
            stack.start_tailer().wait_ready()
            listener.back = datetime.now(UTC)
            screen.step("the new tailer is ready; more payments are cancelled", "green")
            _cancel(payments, made[1::4])
            code = _conclude(screen, payments, listener)
            if code:
                _show_logs(screen, stack)
            if keep:
                code = _stay(screen, stack) or code
    return code


def up(screen: Screen) -> int:
    """Start everything and stay until Ctrl-C, showing events as they arrive."""
    with _stack(screen) as stack:
        stack.start_tailer().wait_ready()
        with Listener(stack.consumer(), screen):
            return _stay(screen, stack)


def external(screen: Screen) -> int:
    """Run the writes and the verdict against a system that already runs, at MONGODB_URI and AWS_ENDPOINT_URL."""
    where = _required("MONGODB_URI", "AWS_ENDPOINT_URL")
    aws, client = elsewhere(where["AWS_ENDPOINT_URL"]), MongoClient[dict[str, Any]](where["MONGODB_URI"])
    with client, closing(aws):
        sqs, payments = aws("sqs"), Payments(client[DATABASE][COLLECTION])
        queue_url = sqs.get_queue_url(QueueName=CONSUMER_QUEUE)["QueueUrl"]
        sqs.purge_queue(QueueUrl=queue_url)  # events of an earlier run do not count
        screen.step("payments begin")
        with Listener(Consumer(sqs, queue_url), screen, payments, alone=False) as listener:
            made = _write(payments, PAYMENTS)
            _cancel(payments, made[1::4])
            return _conclude(screen, payments, listener)


def watch(screen: Screen) -> int:
    """Show the events of a system that already runs (AWS_ENDPOINT_URL) until Ctrl-C. They are read from a temporary queue."""
    aws = elsewhere(_required("AWS_ENDPOINT_URL")["AWS_ENDPOINT_URL"])
    with closing(aws), spare_queue(aws) as queue_url, Listener(Consumer(aws("sqs"), queue_url), screen) as listener:
        screen.step("events appear below as they arrive; Ctrl-C ends this and nothing else")
        with suppress(KeyboardInterrupt):
            listener.stay()
    return 0


def _required(*names: str) -> dict[str, str]:
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise StartFailed(f"{' and '.join(missing)} must say where the running system is")
    return {name: os.environ[name] for name in names}


@contextmanager
def _stack(screen: Screen) -> Iterator[DevStack]:
    screen.step("starting the whole path on 127.0.0.1")
    with DevStack(report=lambda part: screen.step(f"  {part}", "dim")) as stack:
        try:
            yield stack
        except Exception:
            _show_logs(screen, stack)
            raise
        screen.step("stopping everything")


def _write(payments: Payments, count: int) -> list[ObjectId]:
    """Create so many, and cancel every fourth as soon as the next one is there."""
    made: list[ObjectId] = []
    for number in range(count):
        made.append(payments.create())
        time.sleep(PACE_SECONDS)
        if number % 4 == 1:
            payments.cancel(made[-2])
            time.sleep(PACE_SECONDS)
    return made


def _cancel(payments: Payments, chosen: list[ObjectId]) -> None:
    for payment in chosen:
        payments.cancel(payment)
        time.sleep(PACE_SECONDS)


def _conclude(screen: Screen, payments: Payments, listener: Listener) -> int:
    if not listener.heard_all(len(payments.committed), ARRIVAL_SECONDS):
        screen.step(f"gave up waiting {ARRIVAL_SECONDS:g} s after the last write", "red")
    verdict = judge(payments.committed, listener.ours())
    screen.line()
    for line in verdict.lines():
        screen.line(f"  {line}", "red" if line.startswith("FAIL") else "")
    if listener.latencies:
        middle, most = statistics.median(listener.latencies) * 1000, max(listener.latencies) * 1000
        screen.line(f"       commit to consumer while a tailer ran: median {middle:.0f} ms, longest {most:.0f} ms")
    word, colour = ("The verdict holds", "green") if verdict.holds else ("THE VERDICT DOES NOT HOLD", "red")
    screen.line(f"\n{word}", colour, f" ({screen.elapsed:.1f} s in all)")
    return 0 if verdict.holds else 1


def _stay(screen: Screen, stack: DevStack) -> int:
    """Say how to take part, and stay until Ctrl-C: 0 then, and 1 should the tailer end by itself."""
    _explain(screen, stack)
    try:
        while stack.tailers[-1].running:
            time.sleep(0.2)
    except KeyboardInterrupt:
        screen.line()
        return 0
    screen.step("the tailer has ended", "red")
    _show_logs(screen, stack)
    return 1


def _explain(screen: Screen, stack: DevStack) -> None:
    screen.line(f"\nEverything is running, logs included, in {stack.workspace.folder}\n")
    for purpose, command in commands(stack).items():
        screen.line(f"  {purpose}:\n    {command}\n")
    screen.line(f"""  MongoDB        {stack.mongodb_uri}
  AWS emulator   {stack.emulator.endpoint_url}, access key {stack.emulator.key}
  tailer         http://127.0.0.1:{stack.tailers[-1].port}/metrics

Events appear below as they arrive. Ctrl-C stops everything.
""")


def commands(stack: DevStack) -> dict[str, str]:
    """What a person may paste into another terminal, in any folder, by what it is for. The newest tailer is the one asked."""
    settings = stack.workspace.folder / "tailer.env"
    settings.write_text("".join(f"{name}={quote(value)}\n" for name, value in stack.tailers[-1].settings.items()))
    tailer = f"(set -a; . {quote(str(settings))}; {quote(str(Path(sys.executable).with_name('tailer')))}"
    late = f"it warns of queue.visibility: here a failed message is back in {VISIBILITY_SECONDS} s, while you watch"
    return {
        "Create a payment": _python(stack, f"insert_one({CREATED})"),
        "Cancel one": _python(stack, f"update_one({CANCELLED})"),
        "Ask how far the stream is": f"{tailer} status)",
        f"Check all of it ({late})": f"{tailer} doctor)",
    }


def _python(stack: DevStack, call: str) -> str:
    """A command that writes to the watched collection, with the Python that has a driver."""
    imports = "from datetime import UTC, datetime; from pymongo import MongoClient"
    code = f'{imports}; MongoClient("{stack.mongodb_uri}").{DATABASE}.{COLLECTION}.{call}'
    return f"{quote(sys.executable)} -c {quote(code)}"


def _show_logs(screen: Screen, stack: DevStack) -> None:
    logs: list[Path] = [stack.emulator.process.log, *(tailer.log for tailer in stack.tailers)]
    for log in logs:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
        screen.line(f"\nthe end of {log.name}:\n{tail}")
