"""The benchmarks run to the end. No measured value is asserted."""

import subprocess
import sys

import pytest

from benchmarks.responder import answered
from benchmarks.results import Spread, percentile


@pytest.mark.usefixtures("services")
def test_quick_run_prints_a_row_for_every_candidate() -> None:
    """The floor, the tailer and the naive loop, and what machine it ran on."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--changes", "301"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = {line.split()[0]: line for line in ended.stdout.splitlines() if line[:1].isalpha()}
    assert {"floor", "tailer", "naive"} <= rows.keys()
    assert "idle latency" in rows["idle"]
    assert "mongod" in rows["measured"]


def test_stub_responds_for_every_entry_id() -> None:
    """An id inside a message's body is no entry."""
    body = rb'{"Entries": [{"Id": "0", "MessageBody": "{\"Id\": \"x\"}"}, {"Id": "1", "MessageBody": ""}]}'
    response = answered(b"AmazonSQS.SendMessageBatch", body)
    assert response.count(b'"Id"') == 2
    assert b'"Id":"0"' in response
    assert b'"Id":"1"' in response


def test_spread_and_percentile_are_measured_values() -> None:
    """Only the median of an even count is interpolated."""
    values = [4.0, 1.0, 3.0, 2.0]
    assert Spread.of(values) == Spread(median=2.5, least=1.0, most=4.0)
    assert percentile(values, 0.5) == 2.0
    assert percentile(values, 0.99) == 4.0
