"""The commands of the page on removing a deployment, which leave an account without the stack."""

import json
from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError

from devstack import DevStack
from tests.howto.page import Page


def test_every_command_runs(page: Page, owner: Page, stack: DevStack, outputs: Mapping[str, str]) -> None:
    """The tasks end first. The bucket is emptied of all versions, so that it can be deleted."""
    s3, bucket = stack.aws("s3"), outputs["ClaimBucket"]
    for name in ("payments/1", "payments/1", "events/2"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="events/2")
    assert page.run().strip() == "0"
    waiting = page.run().splitlines()
    assert len(waiting) >= 3
    page.run()
    left = s3.list_object_versions(Bucket=bucket)
    assert not left.get("Versions", left.get("DeleteMarkers"))
    [task] = json.loads(page.run())["tasks"]
    [container] = task["overrides"]["containerOverrides"]
    assert container["command"][:3] == ["change-streams", "disable", "--reader"]
    assert ":role/" in container["command"][3]
    page.run()
    with pytest.raises(ClientError, match="does not exist"):
        stack.aws("cloudformation").describe_stacks(StackName="tailrace-mine")
    stack.aws("events").delete_event_bus(Name="tailrace-mine")  # its name stays taken, with removal = "retain"
