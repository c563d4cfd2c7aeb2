"""The commands of the page on the first event run, one after another, against the emulator."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import DevStack
from tailrace.dev.aws import REGION

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/first-event.md").read_text()
SUBSCRIBE, _WRITE, RECEIVE, CLEAN_UP, _ORDERED = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BUS = "tailrace-mine"


@pytest.fixture
def bus(stack: DevStack) -> Iterator[str]:
    """The bus that the page names."""
    events = stack.aws("events")
    events.create_event_bus(Name=BUS)
    yield BUS
    events.delete_event_bus(Name=BUS)


@pytest.fixture
def shell(stack: DevStack, tmp_path: Path) -> dict[str, str]:
    """The variables of a shell in which ``aws`` calls the emulator."""
    command = tmp_path / "aws"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m tests.aws_command "$@"\n')
    command.chmod(0o755)
    credentials = {"AWS_ACCESS_KEY_ID": stack.emulator.key, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": REGION}
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, **credentials, "AWS_ENDPOINT_URL": stack.emulator.endpoint_url, "PATH": path}


def test_every_command_of_the_first_event_runs(stack: DevStack, bus: str, shell: dict[str, str]) -> None:
    """From the rule to the event in the queue, and back to an account without either."""
    put = f"aws events put-events --entries file://{shell['PATH'].partition(':')[0]}/entries.json\n"
    entry = {"EventBusName": bus, "Source": "app.payments", "DetailType": "PaymentCreated", "Detail": '{"data": {"n": 1}}'}
    Path(shell["PATH"].partition(":")[0], "entries.json").write_text(json.dumps([entry]))
    ran = subprocess.run(
        ["bash", "-e", "-c", SUBSCRIBE + put + RECEIVE + CLEAN_UP],
        env=shell,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert '"detail-type": "PaymentCreated"' in ran.stdout or '"detail-type":"PaymentCreated"' in ran.stdout
    assert stack.aws("events").list_rules(EventBusName=bus)["Rules"] == []
    assert stack.aws("sqs").list_queues(QueueNamePrefix="see-events").get("QueueUrls", []) == []
