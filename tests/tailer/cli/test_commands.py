"""The commands for a person: status, seed, rewind and the decisions, on a real server, each first as a dry run."""

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.aws.lanes import RULE
from tailer.cli.command_line import command_line
from tailer.cluster import Cluster
from tailer.errors import Misconfigured
from tailer.model import After, At, Checkpoint, Gap, Record
from tailer.mongodb.connection.client import connect
from tailer.parts import Parts
from tailer.settings.settings import load
from tailer.times import seconds
from tailrace.dev.loopback import HOST
from tests.queue import received

Run = Callable[..., tuple[int, str, str]]


pytestmark = pytest.mark.usefixtures("short_reads")


@pytest.fixture
def tailer(
    stack: DevStack,
    queue_url: str,
    fresh: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run the command line on a stream of this test, and return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    checkpoints = f"file://{tmp_path}/checkpoints.json"
    settings = stack.environment_of(fresh, queue_url=queue_url, checkpoints=checkpoints, lease_seconds=1, http_port=0)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = command_line(arguments, threading.Event())
        return code, *capsys.readouterr()

    return run


def stored(stream: str) -> Record | None:
    [settings] = load()
    return Parts(settings).store.read(stream)


def position(stream: str) -> Checkpoint:
    record = stored(stream)
    assert record is not None
    assert record.checkpoint is not None
    return record.checkpoint


def tailed(stack: DevStack, fresh: str, count: int) -> list[Any]:
    """Insert this many documents and return their changes, whose ids are tokens of this server."""
    [settings] = load()
    source = Parts(settings).source
    start = source.first()
    stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(count)])
    changes: list[Any] = []
    with closing(source.batches(start)) as batches:
        while len(changes) < count:
            changes += next(batches).changes
    return changes


def test_status_of_a_stream_that_never_started(tailer: Run, fresh: str) -> None:
    for command in (["status"], ["checkpoint", "show"]):
        code, out, _ = tailer(*command)
        assert code == 0
        assert "never started" in out


def test_status_shows_why_a_first_start_ended(tailer: Run, fresh: str) -> None:
    """The record has a problem and no checkpoint."""
    record = Record(stream=fresh, version=1, problem="check TAILER_PIPELINE", problem_code=2)
    Parts(load()[0]).store.write(record)
    state = json.loads(tailer("status", "--json")[1])[fresh]
    assert (state["problem"], state["lease"], state["checkpoint"][:5]) == (record.problem, "free", "none:")


def test_seed_writes_the_first_checkpoint(stack: DevStack, tailer: Run, fresh: str) -> None:
    """First as a dry run. It is refused when there is a checkpoint."""
    token = tailed(stack, fresh, 3)[1].id
    code, out, _ = tailer("checkpoint", "seed", "--to", token, "--dry-run")
    assert code == 0
    assert "would be" in out
    assert stored(fresh) is None
    assert tailer("checkpoint", "seed", "--to", token)[0] == 0
    assert (position(fresh).position, position(fresh).sequence) == (After(token), 0)
    assert position(fresh).generation > 1_700_000_000  # The time in seconds is above every earlier start.
    code, _, err = tailer("checkpoint", "seed", "--to", token)
    assert code == 2
    assert "has a checkpoint already" in err


@pytest.mark.parametrize("token", ["01abcdef", "82FF"])
def test_foreign_token_is_refused(tailer: Run, fresh: str, token: str) -> None:
    """The server is asked before anything is written."""
    code, _, err = tailer("checkpoint", "seed", "--to", token)
    assert code == 3
    assert "the resume token is not valid here: another cluster" in err
    assert stored(fresh) is None


@pytest.mark.parametrize(
    "to", ["12:12", "now", "2026-11-22 12:12", "2026-11-22T12:12:00", "20261122", "3000-01-01T00:00:00Z", '{"_data', "8"]
)
@pytest.mark.parametrize("command", [["rewind"], ["seed"], ["accept-gap", "--why", "lost"]])
def test_invalid_position_is_no_lost_history(tailer: Run, command: list[str], to: str) -> None:
    """A time without a zone is the most common mistake."""
    code, _, err = tailer("checkpoint", *command, "--to", to, "--dry-run")
    assert code == 2
    assert f"--to {to} is not a position: beginning, an RFC 3339 time with its zone (2026-11-22T12:12:00Z) or a" in err


def test_rewind_starts_a_new_generation(stack: DevStack, tailer: Run, fresh: str) -> None:
    """The sequence continues, so (generation, sequence) stays the order."""
    first, _, last = tailed(stack, fresh, 3)
    tailer("checkpoint", "seed", "--to", last.id)
    code, out, _ = tailer("checkpoint", "rewind", "--to", first.id, "--json")
    assert code == 0
    response = json.loads(out)
    seeded = response["before"]["checkpoint"]["generation"]
    assert response["after"]["checkpoint"]["generation"] == seeded + 1
    assert position(fresh).position == After(first.id)
    for to in ("beginning", "2026-01-31T12:00:00Z"):
        assert tailer("checkpoint", "rewind", "--to", to)[0] == 0
    assert position(fresh).generation == seeded + 3
    assert isinstance(position(fresh).position, At)


def test_decision_clears_the_recorded_problem(stack: DevStack, tailer: Run, fresh: str) -> None:
    """Its reason and exit code, so that a task may resume the stream."""
    token = tailed(stack, fresh, 1)[0].id
    for command in ("seed", "rewind"):
        record = stored(fresh) or Record(stream=fresh)
        stopped = replace(record, version=record.version + 1, problem="too large", problem_code=4)
        Parts(load()[0]).store.write(stopped)
        assert tailer("checkpoint", command, "--to", token)[0] == 0
        after = stored(fresh)
        assert after is not None
        assert (after.problem, after.problem_code) == ("", 0)


def test_rewind_to_a_later_position_is_refused(stack: DevStack, tailer: Run, fresh: str) -> None:
    """The changes between would never be delivered."""
    first, _, last = tailed(stack, fresh, 3)
    tailer("checkpoint", "seed", "--to", first.id)
    for to in (last.id, "2100-01-01T00:00:00Z"):
        code, _, err = tailer("checkpoint", "rewind", "--to", to)
        assert code == 2
        assert "would be skipped" in err
    assert position(fresh).position == After(first.id)


def test_no_token_skips_a_part_of_a_transaction(stack: DevStack, tailer: Run, fresh: str) -> None:
    """Its changes share one time, so their order is unknown. The time is before all of them."""
    [settings] = load()
    source = Parts(settings).source
    start, changes = source.first(), list[Any]()
    stack.mongo[fresh].create_collection("payments")
    with stack.mongo.start_session() as session, session.start_transaction():
        stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(3)], session=session)
    with closing(source.batches(start)) as batches:
        while len(changes) < 3:
            changes += next(batches).changes
    tailer("checkpoint", "seed", "--to", changes[0].id)
    code, _, err = tailer("checkpoint", "rewind", "--to", changes[2].id)
    assert code == 2
    assert position(fresh).position == After(changes[0].id)
    assert tailer("checkpoint", "rewind", "--to", changes[0].id)[0] == 0
    assert tailer("checkpoint", "rewind", "--to", re.findall(r"--to (\S+Z)", err)[0])[0] == 0


def test_position_in_the_future_is_refused(tailer: Run, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would wait silently and skip earlier changes."""
    to = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    for command in (["seed"], ["rewind"], ["accept-gap", "--why", "lost"]):
        code, _, err = tailer("checkpoint", *command, "--to", to)
        assert (code, "is in the future" in err) == (2, True)
    assert stored(fresh) is None
    monkeypatch.setenv("TAILER_START", to)
    with pytest.raises(Misconfigured, match=r"TAILER_START=.* is in the future"):
        Parts(load()[0]).source.first()


@pytest.mark.parametrize("command", [["run"], ["checkpoint", "accept-settings"]])
def test_missing_region_is_reported_in_one_line(tailer: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """With exit code 2."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    code, _, err = tailer(*command)
    assert code == 2
    assert "AWS_REGION: You must specify a region." in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TAILER_QUEUE_URL", "http://127.0.0.1:1/000000000000/none.fifo", "none.fifo does not exist"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect"),
        ("AWS_PROFILE", "none", "The config profile (none) could not be found"),
    ],
)
def test_queue_that_cannot_be_read_is_reported_in_one_line(
    tailer: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv("TAILER_CHECKPOINTS", "mongodb:")  # The queue is read first.
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv(variable, value)
    code, _, err = tailer("checkpoint", "accept-settings")
    assert code in (1, 2)
    assert told in err
    assert "Traceback" not in err


def test_stream_without_a_checkpoint_cannot_be_rewound(tailer: Run, fresh: str) -> None:
    """The message names seed."""
    code, _, err = tailer("checkpoint", "rewind", "--to", "beginning")
    assert code == 2
    assert "tailer checkpoint seed" in err


def test_stream_with_a_live_owner_cannot_be_changed(stack: DevStack, tailer: Run, fresh: str) -> None:
    """The owner would continue from its own position."""
    token = tailed(stack, fresh, 1)[0].id
    tailer("checkpoint", "seed", "--to", token)
    [settings] = load()
    lease = Parts(settings).candidate.try_acquire()
    assert lease is not None
    with lease:
        code, _, err = tailer("checkpoint", "rewind", "--to", token)
    assert code == 2
    assert "stop that task first" in err


def test_stream_of_a_dead_task_is_free_after_its_own_lease(stack: DevStack, tailer: Run, fresh: str) -> None:
    """Even if that is longer than the current setting."""
    token = tailed(stack, fresh, 1)[0].id
    tailer("checkpoint", "seed", "--to", token)
    [settings] = load()
    record = stored(fresh)
    assert record is not None
    assert settings.lease_seconds == 1
    Parts(settings).store.write(replace(record, version=record.version + 1, owner="gone", lease_seconds=3))
    assert tailer("checkpoint", "rewind", "--to", token)[0] == 0


def test_gap_is_refused_while_the_history_exists(stack: DevStack, tailer: Run, fresh: str) -> None:
    tailer("checkpoint", "seed", "--to", tailed(stack, fresh, 1)[0].id)
    code, _, err = tailer("checkpoint", "accept-gap", "--why", "impatience")
    assert code == 2
    assert "there is no gap" in err


@pytest.mark.parametrize("start", ["now", "beginning", "2026-01-01T00:00:00Z"])
def test_gap_ends_now_if_the_oldest_history_is_unknown(
    stack: DevStack, tailer: Run, fresh: str, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """TAILER_START only concerns a first start."""
    delivered = datetime.now(UTC) - timedelta(seconds=100)
    with DocumentdbDialect(stack.mongod.ports[0]) as server:
        monkeypatch.setenv("TAILER_MONGODB_URI", server.uri)
        monkeypatch.setenv("TAILER_START", start)
        [settings] = load()
        lost = Checkpoint(position=After("01dead", f"{delivered.timestamp():.0f}.1"), sequence=41)
        Parts(settings).store.write(Record(stream=fresh, version=1, identity=settings.identity, checkpoint=lost))
        earlier = (delivered - timedelta(seconds=100)).isoformat()
        code, _, err = tailer("checkpoint", "accept-gap", "--why", "lost", "--to", earlier)
        assert (code, "nothing is missing" in err) == (2, True)
        assert tailer("checkpoint", "accept-gap", "--why", "lost")[0] == 0
        for client in (Parts(settings).client, Parts(settings).reader.client):
            client.close()  # while the server is running
    [gap] = stored(fresh).gaps  # type: ignore[union-attr]
    assert gap.after == lost.reached
    assert abs(seconds(gap.until) - time.time()) < 60
    assert gap.until == position(fresh).reached


def test_accepted_gap_is_recorded_and_announced(stack: DevStack, tailer: Run, fresh: str, queue_url: str) -> None:
    """With its bounds, author and reason. Consumers receive it first."""
    [settings] = load()
    lost = Checkpoint(position=After("01dead", "1700000000.1"), sequence=41)
    record = Record(stream=fresh, version=1, identity=settings.identity, checkpoint=lost, problem="lost", problem_code=3)
    Parts(settings).store.write(record)
    code, out, _ = tailer("checkpoint", "accept-gap", "--why", "cluster was replaced", "--by", "ada", "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["after"]["gaps"][0]["accepted_by"] == "ada"
    assert stored(fresh).gaps == ()  # type: ignore[union-attr]

    assert tailer("checkpoint", "accept-gap", "--why", "cluster was replaced", "--by", "ada")[0] == 0
    assert (position(fresh).generation, position(fresh).sequence) == (2, 42)
    assert stored(fresh).problem_code == 0  # type: ignore[union-attr]
    assert "ada: cluster was replaced" in tailer("status")[1]

    stack.mongo[fresh].payments.insert_one({"_id": 1})
    checkpoints = settings.checkpoints.get_secret_value()
    process = stack.start_tailer(
        stream=fresh, database=fresh, collections="", queue_url=queue_url, checkpoints=checkpoints, lease_seconds=1
    )
    process.wait_ready()
    assert process.stop() == 0
    gap, *others = sorted(received(stack, queue_url), key=lambda change: change.sequence)
    assert (gap.operation_type, gap.sequence) == ("gap", 42)
    assert gap.full_document is not None
    assert gap.full_document["from"] == "2023-11-14T22:13:20Z"
    assert (gap.full_document["acceptedBy"], gap.full_document["reason"]) == ("ada", "cluster was replaced")
    assert [change.sequence for change in others] == list(range(43, 43 + len(others)))
    assert stored(fresh).gaps[0].announced  # type: ignore[union-attr]


def test_lost_history_exits_with_3_and_names_both_remedies(stack: DevStack, tailer: Run, fresh: str, queue_url: str) -> None:
    """The status keeps the problem."""
    [settings] = load()
    lost = Checkpoint(position=After("01dead", "1700000000.1"), sequence=41)
    Parts(settings).store.write(Record(stream=fresh, version=1, identity=settings.identity, checkpoint=lost))
    checkpoints = settings.checkpoints.get_secret_value()
    process = stack.start_tailer(
        stream=fresh, database=fresh, collections="", queue_url=queue_url, checkpoints=checkpoints, lease_seconds=1
    )
    assert process.process._process.wait(30) == 3
    last = json.loads(process.process.log_tail(1))
    assert last["reason"] == "HistoryLost"
    for words in ("up to 2023-11-14T22:13:20Z", "tailer checkpoint rewind", "tailer checkpoint accept-gap"):
        assert words in last["message"]
    assert "2023-11-14T22:13:20Z" in stored(fresh).problem  # type: ignore[union-attr]
    assert position(fresh) == lost
    assert received(stack, queue_url) == []


def test_changed_settings_are_refused_until_accepted(
    stack: DevStack, tailer: Run, fresh: str, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command waits for an empty queue, keeps the position and starts a new generation."""
    [settings] = load()
    before = Checkpoint(position=After(tailed(stack, fresh, 1)[0].id), generation=7, sequence=1)
    Parts(settings).store.write(Record(stream=fresh, version=1, identity=settings.identity, checkpoint=before))
    monkeypatch.setenv("TAILER_LANES", "4")
    code, _, err = tailer("run")
    assert code == 2
    stack.aws("sqs").send_message(QueueUrl=queue_url, MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x")
    code, _, err = tailer("checkpoint", "accept-settings")
    assert code == 2
    assert "messages wait in the queue" in err
    assert tailer("checkpoint", "accept-settings", "--anyway")[0] == 0
    assert (position(fresh).generation, position(fresh).position) == (before.generation + 1, before.position)
    assert '"lanes":4' in stored(fresh).identity  # type: ignore[union-attr]


def test_checkpoint_of_another_lane_rule_is_refused_until_accepted(stack: DevStack, tailer: Run, fresh: str) -> None:
    """As after an upgrade to a release with another rule."""
    [settings], token = load(), tailed(stack, fresh, 1)[0].id
    before = Checkpoint(position=After(token), generation=7, sequence=1)
    identity = settings.identity.replace(f'"laneRule":{RULE},', "")
    Parts(settings).store.write(Record(stream=fresh, version=1, identity=identity, checkpoint=before))
    code, _, err = tailer("run")
    assert code == 2
    assert "this release of the tailer computes the lane of a document by another rule" in err
    assert f"tailer checkpoint accept-settings --stream {fresh}" in err
    assert tailer("checkpoint", "accept-settings")[0] == 0
    assert (position(fresh).generation, position(fresh).position) == (before.generation + 1, before.position)


ELSEWHERE = Cluster(kind="replica set", name="rs0", id="6b0a", hosts=("old:27017",))


def test_accept_cluster_replaces_an_unusable_token_by_its_time(tailer: Run, fresh: str) -> None:
    """First as a dry run. ``checkpoint show`` and ``status`` name both clusters."""
    [settings] = load()
    before = Checkpoint(position=After("01dead", "1700000000.1"), generation=7, sequence=41)
    record = Record(stream=fresh, version=1, identity=settings.identity, checkpoint=before, cluster=ELSEWHERE, problem="lost")
    Parts(settings).store.write(record)
    for command in (["checkpoint", "show"], ["status"]):
        assert "replica set rs0 at old:27017 (id 6b0a)" in tailer(*command)[1]
    assert tailer("checkpoint", "accept-cluster", "--dry-run")[0] == 0
    assert stored(fresh) == record
    assert tailer("checkpoint", "accept-cluster")[0] == 0
    assert position(fresh) == Checkpoint(position=At("1700000000.1"), generation=8, sequence=41)
    assert stored(fresh).problem == ""  # type: ignore[union-attr]
    assert "old:27017" not in tailer("status")[1]


def test_stream_that_never_started_accepts_any_cluster(tailer: Run, fresh: str) -> None:
    """It has no position."""
    [settings] = load()
    Parts(settings).store.write(Record(stream=fresh, version=1, cluster=ELSEWHERE))
    assert tailer("checkpoint", "seed", "--to", "2026-01-31T12:00:00Z")[0] == 0
    found = stored(fresh)
    assert found is not None
    assert found.cluster not in (None, ELSEWHERE)


def test_gap_is_shown_with_its_times_and_reason(tailer: Run, fresh: str) -> None:
    [settings] = load()
    gap = Gap(
        generation=9, sequence=9, after="1.1", until="2.1", accepted_by="ada", accepted_at="", reason="lost", announced=True
    )
    checkpoint = Checkpoint(position=At("1700000000.1"))
    Parts(settings).store.write(Record(stream=fresh, version=1, checkpoint=checkpoint, gaps=(gap,)))
    assert "1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z, ada: lost" in tailer("checkpoint", "show")[1]


def test_status_shows_lag_and_headroom(stack: DevStack, tailer: Run, fresh: str) -> None:
    """As text and as JSON."""
    tailer("checkpoint", "seed", "--to", tailed(stack, fresh, 1)[0].id)
    state = json.loads(tailer("status", "--json")[1])[fresh]
    assert state["owner"] == "nobody"
    assert state["secondsBehind"] < 60
    assert state["scanningSince"] == "no"
    assert state["headroomSeconds"] >= 0
    assert state["headroomProblem"] == "none"


def test_status_shows_an_expired_lease(stack: DevStack, tailer: Run, fresh: str) -> None:
    """With the time of its last renewal."""
    tailer("checkpoint", "seed", "--to", tailed(stack, fresh, 1)[0].id)
    assert json.loads(tailer("status", "--json")[1])[fresh]["lease"] == "free"
    for since, told in ((datetime.now(UTC), "held"), (datetime(2026, 1, 31, tzinfo=UTC), "expired: not renewed since 2026")):
        record = stored(fresh)
        assert record is not None
        owned = replace(record, version=record.version + 1, owner="gone", lease_seconds=15, saved_at=since.isoformat())
        Parts(load()[0]).store.write(owned)
        assert json.loads(tailer("status", "--json")[1])[fresh]["lease"].startswith(told)


def test_unknown_headroom_is_null_with_a_reason(
    stack: DevStack, tailer: Run, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tailer("checkpoint", "seed", "--to", tailed(stack, fresh, 1)[0].id)
    gone = f"mongodb://{HOST}:1/?replicaSet=rs0&serverSelectionTimeoutMS=100"
    monkeypatch.setenv("TAILER_MONGODB_URI", gone)
    code, out, _ = tailer("status", "--json")
    state = json.loads(out)[fresh]
    assert (code, state["headroomSeconds"]) == (0, None)
    assert f"{HOST}:1" in state["headroomProblem"]
    assert re.search(r"headroomSeconds +unknown", tailer("status")[1])
    connect(gone, "TAILER_MONGODB_URI", "", "").close()


def test_decision_about_one_of_several_streams_needs_its_name(
    tailer: Run, fresh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status shows all of them."""
    (tmp_path / "streams.toml").write_text("[a]\n[b]\n")
    monkeypatch.setenv("TAILER_CONFIG", "streams.toml")
    assert set(json.loads(tailer("checkpoint", "show", "--json")[1])) == {"a", "b"}
    code, _, err = tailer("checkpoint", "rewind", "--to", "beginning")
    assert code == 2
    assert "--stream a or b" in err
    code, _, err = tailer("status", "--stream", "c")
    assert code == 2
    assert "there is no stream 'c'" in err


def test_status_shows_a_scan_and_an_unknown_lag(stack: DevStack, tailer: Run, fresh: str) -> None:
    """An unknown lag is null and never a number."""
    tailer("checkpoint", "seed", "--to", tailed(stack, fresh, 1)[0].id)
    store, found = Parts(load()[0]).store, stored(fresh)
    assert found is not None
    assert found.checkpoint is not None
    store.write(
        replace(
            found,
            version=found.version + 1,
            owner="one",
            lease_seconds=60,
            saved_at=datetime.now(UTC).isoformat(),
            scanning_since="2026-11-22T08:00:00Z",
            checkpoint=replace(found.checkpoint, unconfirmed=True),
        )
    )
    state = json.loads(tailer("status", "--json")[1])[fresh]
    assert (state["scanningSince"], state["secondsBehind"]) == ("2026-11-22T08:00:00Z", None)
    assert re.search(r"secondsBehind +unknown", tailer("status")[1])
