"""The on-call role may do exactly what the runbook says."""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.package import REPOSITORY
from tailrace_cdk.monitoring.descriptions import RUNBOOK
from tests.tailrace_cdk.monitoring.test_alarms import EVERYTHING
from tests.tailrace_cdk.rights import listed
from tests.tailrace_cdk.template import stack

PAGE = (REPOSITORY / "docs" / "operations" / "rights.md").read_text()
CALLS = re.compile(r"\baws (cloudformation|cloudwatch|ecs|events(?:v2)?|lambda|logs|service-quotas|sqs)\s+([a-z-]+)")
ACTIONS = {"ecs:Wait": "ecs:DescribeTasks", "lambda:Invoke": "lambda:InvokeFunction"}  # The command line uses other names.
# What the Doctor output runs and passes, what redrive needs of table, bus, bucket and queues, and the dashboard.
BESIDES = {
    "cloudwatch:GetDashboard", "cloudwatch:GetMetricData", "cloudwatch:ListDashboards", "dynamodb:BatchGetItem",
    "dynamodb:UpdateItem", "ecs:RunTask", "events:DescribeEventBus", "iam:PassRole", "s3:GetObject", "s3:ListBucket",
    "sqs:ChangeMessageVisibility",
}  # fmt: skip
LONGEST = 6144  # characters of a managed policy, without spaces


def policy() -> dict[str, Any]:
    """Return the policy on the page."""
    [text] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def allowed() -> set[str]:
    return {action for one in policy()["Statement"] for action in listed(one["Action"])}


def called_actions() -> Iterator[str]:
    """Yield the actions of the runbook's ``aws`` commands."""
    for service, command in CALLS.findall((REPOSITORY / RUNBOOK).read_text()):
        action = f"{service.replace('-', '').removesuffix('v2')}:{''.join(map(str.capitalize, command.split('-')))}"
        yield ACTIONS.get(action, action)


def test_every_command_of_the_runbook_is_allowed_or_excluded() -> None:
    """And never both."""
    left_out = set(re.findall(r"`([a-z]+:[A-Z]\w+)`", PAGE.partition("**Not in it**")[2].partition("\n- ")[0]))
    assert "sqs:PurgeQueue" in left_out
    assert set(called_actions()) <= allowed() | left_out
    assert not allowed() & left_out


def test_nothing_is_allowed_that_no_command_needs() -> None:
    """Of the runbook and of redrive."""
    assert allowed() - set(called_actions()) == BESIDES


def test_every_resource_of_the_policy_is_in_the_stack() -> None:
    """By the beginning of the name that CloudFormation makes. ``*`` is used only where no resource can be named."""
    ours = [name.lower() for name in stack(**EVERYTHING).to_json()["Resources"]]
    beginnings = re.findall(r"tailrace-production-(\w+)", json.dumps([one["Resource"] for one in policy()["Statement"]]))
    families = {"tailer"}  # The names of task definitions are ours.
    assert len(beginnings) > len(families)
    for beginning in {*beginnings} - families:
        assert any(name.startswith(beginning.lower()) for name in ours), beginning
    everything = {one["Sid"] for one in policy()["Statement"] if one["Resource"] == "*" and "Condition" not in one}
    assert everything == {"LookWhereNoResourceCanBeNamed"}


def test_only_the_tailers_roles_can_be_passed() -> None:
    """Not the administrator's."""
    [one] = [one for one in policy()["Statement"] if one["Action"] == "iam:PassRole"]
    beginning = one["Resource"].rpartition("tailrace-production-")[2].rstrip("*")
    roles = [name for name in stack(**EVERYTHING).find_resources("AWS::IAM::Role") if name.startswith(beginning)]
    assert sorted(re.sub(r"[0-9A-F]{8}$", "", name) for name in roles) == ["ServiceTaskExecutionRole", "ServiceTaskRole"]


def test_policy_fits_into_one_managed_policy() -> None:
    assert len(json.dumps(policy(), separators=(",", ":"))) < LONGEST
