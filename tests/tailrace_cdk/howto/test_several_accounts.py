"""The commands of the page on consumers in other accounts. In the emulator, both sides of the page are in one account."""

from collections.abc import Mapping

from devstack import DevStack
from tailrace.dev.aws import arn
from tests.howto.page import Page


def test_every_command_runs(page: Page, owner: Page, stack: DevStack, outputs: Mapping[str, str]) -> None:
    """Their rule is on our bus with its target. (The emulator takes the policy of their bus, and forgets it.)"""
    events = stack.aws("events")
    page.write_files()
    bus = outputs["EventBusArn"].rpartition("/")[2]  # the emulator finds a bus by its name only
    page.variables |= {"BUS_ARN": bus, "QUEUE_ARN": arn("sqs", "payments")}
    page.run_all()
    [rule] = [one for one in events.list_rules(EventBusName=bus)["Rules"] if one["Name"] == "payments"]
    [target] = events.list_targets_by_rule(EventBusName=bus, Rule=rule["Name"])["Targets"]
    assert target["Arn"] == page.variables["QUEUE_ARN"]
    events.remove_targets(EventBusName=bus, Rule="payments", Ids=["payments"])
    events.delete_rule(EventBusName=bus, Name="payments")
