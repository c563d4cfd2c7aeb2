"""The benchmarks run from beginning to end. What they measure is nobody's promise: no figure is asserted here."""

import subprocess
import sys

import pytest

from benchmarks.responder import answered
from benchmarks.results import Spread, percentile


@pytest.mark.usefixtures("services")
def test_a_quick_run_prints_every_contender() -> None:
    """``--quick`` ends well, with a row for the floor, the tailer and the naive way, and says what it ran on."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--changes", "301"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = {line.split()[0]: line for line in ended.stdout.splitlines() if line[:1].isalpha()}
    assert {"floor", "tailer", "naive"} <= rows.keys()
    assert "idle latency" in rows["idle"]
    assert "mongod" in rows["measured"]


def test_the_responder_accepts_every_entry_and_nothing_else() -> None:
    """Each entry id is answered once; what looks like an id inside a message's body is not."""
    body = rb'{"Entries": [{"Id": "0", "MessageBody": "{\"Id\": \"x\"}"}, {"Id": "1", "MessageBody": ""}]}'
    response = answered(b"AmazonSQS.SendMessageBatch", body)
    assert response.count(b'"Id"') == 2
    assert b'"Id":"0"' in response
    assert b'"Id":"1"' in response


def test_a_spread_and_a_percentile_are_values_that_were_measured() -> None:
    """Nothing is interpolated but the median of an even count."""
    values = [4.0, 1.0, 3.0, 2.0]
    assert Spread.of(values) == Spread(median=2.5, least=1.0, most=4.0)
    assert percentile(values, 0.5) == 2.0
    assert percentile(values, 0.99) == 4.0
