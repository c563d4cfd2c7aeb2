"""``python -P -m devstack``: the whole system on this machine."""

import argparse
import os
import sys
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError

from devstack import demo
from devstack.resources import provision
from tailrace.dev.aws import Aws, elsewhere
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tailrace.text.legible import indented, legible

ENDPOINT_SECONDS = 60.0  # for a container beside this one to come up


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    screen = Screen()
    try:
        match chosen.command:
            case "up":
                return demo.up(screen)
            case "demo" if chosen.external:
                return demo.external(screen)
            case "demo":
                return demo.demo(screen, keep=chosen.keep)
            case "watch":
                return demo.watch(screen)
            case _:
                return _provision(chosen.zip)
    except StartFailed as failure:
        print(f"\n{indented(legible(str(failure), lines=True))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -P -m devstack", description="The whole of Tailrace on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and stay until Ctrl-C, showing events as they arrive")
    show = commands.add_parser("demo", help="write payments, kill the tailer in the middle, account for every event")
    show.add_argument("--keep", action="store_true", help="leave it running afterwards, until Ctrl-C")
    show.add_argument("--external", action="store_true", help="use what MONGODB_URI and AWS_ENDPOINT_URL name; kills nothing")
    commands.add_parser("watch", help="show the events of the system that AWS_ENDPOINT_URL names, until Ctrl-C")
    make = commands.add_parser("provision", help="create queues, table, buses and the forwarder at AWS_ENDPOINT_URL")
    make.add_argument("--zip", type=Path, default=Path("dist/forwarder.zip"), help="the forwarder (default: %(default)s)")
    return parser


def _provision(package: Path) -> int:
    """Create the resources in an emulator that already runs, and print the settings of the tailer."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise StartFailed("AWS_ENDPOINT_URL must name the emulator: provisioning never touches a real account")
    if not package.is_file():
        raise StartFailed(f"{package} does not exist: create it with `python -P -m infra.package --output {package}`")
    aws = elsewhere(endpoint)
    _wait_for(aws)
    resources = provision(aws, package)
    print(f"TAILER_QUEUE_URL={resources.queue_url}")
    print(f"TAILER_CHECKPOINTS=dynamodb://{resources.table}")
    print(f"FORWARDER_PARKING_QUEUE_URL={resources.parking_url}")
    print(f"FORWARDER_WATERMARKS={resources.table}")
    print(f"CONSUMER_QUEUE_URL={resources.consumer_queue_url}")
    return 0


def _wait_for(aws: Aws) -> None:
    deadline = time.monotonic() + ENDPOINT_SECONDS
    while True:
        try:
            aws("sqs").list_queues(MaxResults=1)
        except BotoCoreError as error:
            if time.monotonic() > deadline:
                raise StartFailed(f"no response from {aws.endpoint_url} within {ENDPOINT_SECONDS:g} s: {error}") from error
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
