"""A pipeline stage that DocumentDB does not support in a change stream (code 304) is a wrong setting."""

import threading

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line


def test_unsupported_stage_ends_the_task(
    stack: DevStack, queue_url: str, fresh: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2 and a message that names the stage and the setting. A retry would never end."""
    with DocumentdbDialect(stack.mongod.ports[0], add_fields=304) as documentdb:
        documentdb.enabled = {("", "")}
        pipeline = '[{"$addFields": {"a": 1}}]'
        given = stack.environment_of(fresh, mongodb_uri=documentdb.uri, queue_url=queue_url, pipeline=pipeline, http_port=0)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert command_line(["run"], threading.Event()) == 2
    said = capsys.readouterr().err
    assert "the server does not support $addFields in a change stream: change TAILER_PIPELINE (code 304" in said
