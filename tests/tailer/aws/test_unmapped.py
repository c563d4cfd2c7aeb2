"""Unmapped collections in ``tailer status`` and in the doctor."""

import json
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from devstack import DevStack
from lambda_forwarder.aws.table import Table
from lambda_forwarder.watermarks.dynamodb import DynamodbUnmapped
from tailer.aws.checks.access import Clients
from tailer.aws.checks.destinations import all_mapped
from tailer.checks import NotChecked, State
from tailer.cli.command_line import command_line
from tailer.parts import Parts
from tailer.settings.settings import Settings, load
from tailrace.aws.unmapped import KEPT_SECONDS, key
from tests.lambda_forwarder.values import forever
from tests.tailer.aws.checks.test_queue import RefusingAws, refused

Status = Callable[..., dict[str, Any]]


@pytest.fixture
def status(stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: Any) -> Status:
    """Return the status of a stream with a checkpoint, in the store of the settings."""
    monkeypatch.chdir(tmp_path)

    def asked(parts: Callable[[Settings], Parts] = Parts, **given: str) -> dict[str, Any]:
        settings = {**stack.tailer_environment, "TAILER_STREAM": fresh, "TAILER_DATABASE": fresh, **given}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        [one] = load()
        if Parts(one).store.read(fresh) is None:
            assert command_line(["checkpoint", "seed", "--to", "2026-11-22T12:12:00Z"], threading.Event()) == 0
        capsys.readouterr()
        assert command_line(["status", "--json"], threading.Event(), parts) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)[fresh]
        return told

    monkeypatch.setattr("tailer.checkpoints.positions.opened", lambda _, at: at)
    return asked


def add_unmapped(stack: DevStack, stream: str, counts: dict[str, int], ago: float = 0.0) -> None:
    store = DynamodbUnmapped(Table(stack.aws("dynamodb"), stack.resources.table), now=lambda: time.time() - ago)
    store.add(stream, counts, forever)


def test_status_shows_unmapped_collections_and_counts(stack: DevStack, fresh: str, status: Status) -> None:
    """From the forwarder's table, which is also the checkpoints'."""
    assert "unmapped" not in status()
    add_unmapped(stack, fresh, {"shop.b\x1b": 1, "shop.a": 12})
    first, second = status()["unmapped"]
    assert first.startswith("shop.a: 12 changes since 20")
    assert second.startswith(r"shop.b\u001b: 1 change since 20")


def test_status_omits_expired_unmapped_entries(stack: DevStack, fresh: str, status: Status) -> None:
    """DynamoDB takes days to remove them."""
    add_unmapped(stack, fresh, {"shop.a": 12}, ago=KEPT_SECONDS + 1)
    assert "unmapped" not in status()
    add_unmapped(stack, fresh, {"shop.b": 1})
    assert [one.partition(":")[0] for one in status()["unmapped"]] == ["shop.b"]


def test_status_omits_unmapped_with_checkpoints_elsewhere(stack: DevStack, fresh: str, status: Status, tmp_path: Any) -> None:
    """The forwarder's table is unknown then."""
    add_unmapped(stack, fresh, {"shop.a": 12})
    for store in (f"file://{tmp_path}/checkpoints.json", "mongodb:"):
        assert "unmapped" not in status(TAILER_CHECKPOINTS=store)


def test_status_without_the_right_shows_the_rest(stack: DevStack, fresh: str, status: Status) -> None:
    whole = stack.aws("dynamodb")

    class Denied:
        def get_item(self, **request: Any) -> Any:
            if request["Key"] == key(fresh):
                raise refused("AccessDeniedException")
            return whole.get_item(**request)

        put_item = whole.put_item

    status()
    told = status(parts=partial(Parts, aws=lambda _: Denied()))
    assert told["unmapped"].startswith("unknown: TAILER_CHECKPOINTS")
    assert told["deliveredUpTo"]


class ConfiguredForwarder:
    """A forwarder as the doctor has found it, with these settings."""

    def __init__(self, clients: Clients, streams: list[str], **settings: str) -> None:
        self.clients = clients
        self.streams = streams
        self._settings = settings

    def setting(self, name: str) -> str:
        return self._settings.get(name, "")


@pytest.mark.parametrize(
    ("watermarks", "streams", "words"),
    [
        ("", "payments", "FORWARDER_WATERMARKS is no table"),
        ("off", "payments", "FORWARDER_WATERMARKS is no table"),
        ("table", "", "FORWARDER_STREAMS does not name payments"),
        ("table", "others,payment", "FORWARDER_STREAMS does not name payments"),
    ],
)
def test_doctor_says_why_unmapped_collections_are_unknown(watermarks: str, streams: str, words: str) -> None:
    """Without any call."""
    forwarder: Any = ConfiguredForwarder(_no_client, ["payments"], WATERMARKS=watermarks, STREAMS=streams)
    verdict = all_mapped(forwarder)
    assert verdict.state is State.SKIP
    assert words in verdict.found


def _no_client(service: str) -> Any:
    raise AssertionError(service)


def test_doctor_names_unmapped_collections(stack: DevStack, fresh: str) -> None:
    """Of every stream of the queue, the first three by name."""
    streams = [fresh, f"{fresh}-2"]
    settings = {"WATERMARKS": stack.resources.table, "STREAMS": f"payments, {fresh},{fresh}-2"}
    forwarder: Any = ConfiguredForwarder(stack.aws, streams, **settings)
    verdict = all_mapped(forwarder)
    assert (verdict.state, verdict.found) == (State.OK, "no change of the last 3 days was without a mapper")
    add_unmapped(stack, fresh, {"shop.a": 12, "shop.b": 1})
    add_unmapped(stack, f"{fresh}-2", {"shop.c": 3, "shop.d": 2})
    verdict = all_mapped(forwarder)
    assert verdict.state is State.WARN
    for words in ("no mapper reads shop.a: 12 changes", "; shop.b: 1 change", "; shop.c: 3 changes", "and 1 more"):
        assert words in verdict.found


def test_doctor_names_the_missing_right_for_unmapped_collections(fresh: str) -> None:
    refusing = RefusingAws(refused("AccessDeniedException"))
    forwarder: Any = ConfiguredForwarder(refusing, [fresh], WATERMARKS="table", STREAMS=fresh)
    with pytest.raises(NotChecked, match="dynamodb:GetItem on table"):
        all_mapped(forwarder)
