"""The commands of the page on deploying, from the account to a change of the deployment."""

import json
import time
from collections.abc import Mapping

from devstack import DevStack
from tailrace.dev.aws import ACCOUNT
from tests.howto.page import Page

CHECK = "pass  the queue takes messages"


def test_every_command_runs(page: Page, owner: Page, stack: DevStack, outputs: Mapping[str, str]) -> None:
    """The doctor and another command of the tailer are tasks beside the service, and their lines are in its log."""
    assert ACCOUNT in (account := page.run())
    assert "-m infra.cdk bootstrap" in account
    assert "eu-west-1a" in page.run()
    assert "-m infra --environment 'mine'" in page.run()
    assert "-m infra.cdk --environment 'mine' deploy" in page.run()
    assert [run(page), read_log(page, stack, outputs), run(page)] == [["doctor"], CHECK, ["status", "--json"]]
    assert [line.split()[-1] for line in page.run().splitlines() if "infra.cdk" in line] == ["diff", "deploy"]


def run(page: Page) -> list[str]:
    """Run the block, and return the command of the task that it started."""
    [task] = json.loads(page.run())["tasks"]
    [container] = task["overrides"]["containerOverrides"]
    command: list[str] = container["command"]
    return command


def read_log(page: Page, stack: DevStack, outputs: Mapping[str, str]) -> str:
    """Write a line to the tailer's log, and return what the block reads there."""
    place = {"logGroupName": outputs["LogGroupName"], "logStreamName": "tailrace-mine-tailer/tailer/1"}
    stack.aws("logs").create_log_stream(**place)
    event = {"timestamp": int(time.time() * 1000), "message": CHECK}
    stack.aws("logs").put_log_events(**place, logEvents=[event])
    return page.run().rstrip("\n").rpartition("\t")[2]
