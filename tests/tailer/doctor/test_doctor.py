"""``tailer doctor`` as a whole: its report on a good setup, its exit code, and that it has no side effects."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devstack import DevStack
from tailer.cli.command_line import command_line
from tailer.parts import Parts
from tailer.settings.settings import load
from tailrace.dev.loopback import wait_until
from tests.queue import received
from tests.tailer.checked import Doctor, Settings

GUIDE = Path(__file__).parents[3] / "docs" / "operations" / "doctor.md"


def test_good_setup_passes_every_check(doctor: Doctor, mapping: str) -> None:
    """Before the first start."""
    report = doctor()
    assert {name: finding for name, finding in report.findings.items() if finding["state"] != "ok"} == {}
    assert report.code == 0


def test_guide_names_every_check(doctor: Doctor, mapping: str) -> None:
    """docs/operations/doctor.md has a row for each check and for no other."""
    names, guide = set(doctor().findings), GUIDE.read_text()
    table = guide.partition("## What it checks")[2].partition("## What it prints")[0]
    assert set(re.findall(r"^\| `([a-z.-]+)` \|", table, re.MULTILINE)) == names
    [good, *others] = re.findall(r"^```\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    quoted, elsewhere = (
        set(re.findall(r"^(?:ok|warn|skip|FAIL) +(\S+)", text, re.MULTILINE)) for text in (good, "".join(others))
    )
    assert quoted == names
    assert elsewhere <= names
    assert f"\n{len(names)} ok, 0 warn, 0 skip, 0 FAIL; exit 0\n" in good


def test_text_report_has_one_line_per_check(stack: DevStack, settings: Settings, mapping: str, tmp_path: Path) -> None:
    """State, name, finding and remedy, and the number of each state at the end."""
    done = subprocess.run(
        [sys.executable, "-m", "tailer", "doctor"],
        cwd=tmp_path,
        env={**os.environ, **settings, "PYTHONPATH": str(GUIDE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    *lines, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.fullmatch(r"(ok  |warn|skip|FAIL)  [a-z.-]+ +\S.*", line) for line in lines)
    assert last == f"{len(lines)} ok, 0 warn, 0 skip, 0 FAIL; exit 0"


def test_invalid_settings_are_findings(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, in the same format as every finding."""
    report = doctor(TAILER_LANES="many", TAILER_QUEUE_URL="https://sqs.eu-west-1.amazonaws.com/000000000000/standard")
    assert report.code == 2
    assert set(report.findings) == {"settings"}
    for words in ("TAILER_LANES", "TAILER_QUEUE_URL", "not the URL of a FIFO queue"):
        assert words in str(report.told)
    assert len(report.told) == 2, "one finding for each setting"
    assert command_line(["doctor"], threading.Event()) == 2
    assert capsys.readouterr().out.startswith("FAIL  settings ")


def test_misspelt_setting_is_a_warning(doctor: Doctor, mapping: str) -> None:
    """A tailer would start."""
    report = doctor(TAILER_LANE="4")
    assert report["settings"][0] == "warn"
    assert "did you mean TAILER_LANES?" in report["settings"][1]
    assert report.code == 0


def test_every_stream_is_checked(
    doctor: Doctor, settings: Settings, mapping: str, fresh: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shared resources once, and each stream's own under its name."""
    settings["TAILER_CONFIG_TOML"] = f'[{fresh}-a]\ndatabase = "{fresh}"\n[{fresh}-b]\ndatabase = "{fresh}"\nlanes = 4\n'
    doctor()
    assert command_line(["doctor"], threading.Event()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" queue.exists " in line for line in lines) == 1
    assert sum(" database.server " in line for line in lines) == 1
    for stream in ("a", "b"):
        [line] = [line for line in lines if " stream.readable " in line and f"[{fresh}-{stream}]" in line]
        assert line.startswith("ok")


def test_running_tailer_is_not_disturbed(
    stack: DevStack, doctor: Doctor, settings: Settings, fresh: str, queue_url: str
) -> None:
    """It keeps its lease, its checkpoint and its sequence. Nothing is sent to or received from the queue."""
    names = ("STREAM", "DATABASE", "COLLECTIONS", "QUEUE_URL", "LEASE_SECONDS")
    tailer = stack.start_tailer(**{name.lower(): settings[f"TAILER_{name}"] for name in names})
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1})
    wait_until(lambda: "_sent_total" in tailer.metrics() and "} 1.0" in tailer.metrics(), tailer.process, 20)
    report = doctor(TAILER_HTTP_PORT=str(tailer.port))
    assert report["stream.lease"][0] == "ok"
    assert "owner number 1" in report["stream.lease"][1]
    assert "a tailer answers" in report["http.port"][1]
    assert report.failed == {"forwarder.mapping"}
    stack.mongo[fresh].payments.insert_one({"_id": 2})
    wait_until(lambda: "} 2.0" in tailer.metrics(), tailer.process, 20)
    assert tailer.stop() == 0
    assert [change.sequence for change in sorted(received(stack, queue_url), key=lambda one: one.sequence)] == [1, 2]
    record = Parts(load()[0]).store.read(fresh)
    assert record is not None
    assert (record.fence, record.problem) == (1, "")


def test_no_secret_is_reported(doctor: Doctor, settings: Settings, mapping: str) -> None:
    """Neither the database's password nor the function's environment."""
    uri = settings["TAILER_MONGODB_URI"].replace("mongodb://", "mongodb://tailer:hunter2%2F@") + "&authSource=admin"
    report = doctor(
        TAILER_MONGODB_URI=uri, TAILER_CHECKPOINTS="mongodb://tailer:hunter3@127.0.0.1:1/?serverSelectionTimeoutMS=100"
    )
    assert {"database.sign-in", "checkpoints.read"} <= report.failed
    text = json.dumps(report.findings)
    assert "hunter" not in text
