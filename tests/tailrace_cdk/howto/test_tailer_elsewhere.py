"""A tailer outside of the stack sends its changes through the stack's resources, with the settings and rights of the page."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from devstack import DevStack
from devstack.resources import spare_queue
from tailrace.dev.consumer import Consumer
from tests.howto.page import Page
from tests.path.howto.shop import SHELL
from tests.tailrace_cdk.here import NAME, Here

ROLE = "tailer-elsewhere"


@pytest.fixture
def consumer(here: Here) -> Iterator[Consumer]:
    with spare_queue(here.aws) as queue:
        yield Consumer(here.aws("sqs"), queue)


def test_tailer_runs_with_the_outputs_of_the_stack(page: Page, here: Here, stack: DevStack, consumer: Consumer) -> None:
    """The doctor finds nothing wrong, and a payment reaches a consumer."""
    iam = here.aws("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    page.write_files()
    page.program("aws", f'#!/bin/sh\nexec "{sys.executable}" -P -m tests.aws_command "$@"\n')
    page.variables |= here.aws.environment | {
        "TAILER_MONGODB_URI": stack.mongodb_uri,
        "TAILER_START": datetime.now(UTC).isoformat(),
        "TAILER_HTTP_PORT": "0",
        "ROLE": ROLE,
    }
    page.bash(f"{SHELL}\nENVIRONMENT={NAME}")
    page.run()
    page.run()
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="tailrace")["PolicyDocument"]
    resources = json.dumps([one["Resource"] for one in policy["Statement"]])
    assert here.deployment.outputs["StateTable"] in resources
    assert "_ARN" not in resources
    assert " 0 FAIL; exit 0" in page.run()
    command = ["bash", "-c", f"exec {page.left.pop()}"]
    with subprocess.Popen(command, env=page.variables, cwd=page.folder) as tailer:
        stack.mongo.payments.payments.insert_one({"_id": "elsewhere", "subscriptionId": "s-1", "status": "created"})
        arrived = consumer.receive_count(1)
        tailer.terminate()
    assert ([one.document for one in arrived], tailer.returncode) == (["payments.payments/elsewhere"], 0)
