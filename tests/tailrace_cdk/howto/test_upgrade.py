"""The commands of the page on upgrading, for a stream that has delivered a change."""

import json
from collections.abc import Mapping

import pytest

from devstack import DevStack
from tailer.model import After, Checkpoint, Record
from tailer.parts import Parts
from tailer.settings.settings import Settings, load
from tests.howto.page import Page


@pytest.fixture
def stream(stack: DevStack, outputs: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The stream of the page as it was, with a checkpoint in the deployed table. Its queue is empty."""
    place = {"queue_url": outputs["QueueUrl"], "checkpoints": f"dynamodb://{outputs['StateTable']}", "lanes": 128}
    variables = {f"TAILER_{name.upper()}": str(value) for name, value in place.items()}
    for name, value in {**stack.aws.environment, **stack.tailer_environment, **variables}.items():
        monkeypatch.setenv(name, value)
    [settings] = load()
    checkpoint = Checkpoint(position=After("826921"), generation=7, sequence=5)
    Parts(settings).store.write(Record(stream="payments", version=1, identity=settings.identity, checkpoint=checkpoint))
    return settings


def test_every_command_runs(page: Page, owner: Page, stream: Settings) -> None:
    """The tailer accepts the new number of lanes. The position stays, and the generation grows by one."""
    assert '"doctor"' in page.run()
    assert "/cdk-hnb659fds-container-assets-" in page.run()
    assert page.run().strip() == "0"
    assert json.loads(page.run())["Attributes"]["ApproximateNumberOfMessages"] == "0"
    page.run()
    record = Parts(stream).store.read("payments")
    assert record
    assert record.checkpoint == Checkpoint(position=After("826921"), generation=8, sequence=5)
    assert '"lanes":256' in record.identity
    assert "--environment 'mine' deploy" in page.run()
