"""The commands of the page on a MongoDB elsewhere."""

import json

from devstack import DevStack
from tests.howto.page import Page


def test_every_command_runs(page: Page, owner: Page, stack: DevStack) -> None:
    """The secret is stored and not left on the disk. The address is that of the stack's NAT gateway."""
    page.write_files()
    arn = page.run().strip()
    secret = stack.aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    assert json.loads(secret).keys() == {"username", "password"}
    assert list(page.folder.iterdir()) == []
    page.run()
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "tailrace-mine"}
    tags = [{"ResourceType": "elastic-ip", "Tags": [tag]}]
    address = stack.aws("ec2").allocate_address(Domain="vpc", TagSpecifications=tags)
    assert page.run().split() == [address["PublicIp"]]
