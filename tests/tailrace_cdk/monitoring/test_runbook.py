"""The runbook has a page for each alarm, and its commands work."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import jmespath
import pytest
from botocore.validate import ParamValidator

from infra.package import REPOSITORY
from tailer.errors import EXIT_CODES
from tailrace.metrics import TAILER, Kind
from tailrace_cdk.config import Alarms, Environment
from tailrace_cdk.monitoring.descriptions import PAGES, RUNBOOK
from tests.tailrace_cdk.monitoring.test_alarms import EVERYTHING
from tests.tailrace_cdk.template import stack

TEXT = (REPOSITORY / RUNBOOK).read_text()
NO_ALARM = {"before-you-are-called", "lost-state", "again-in-order", "without-cloudwatch"} | {
    f"exit-code-{code}" for code in EXIT_CODES.values()
}
PARTS = ("Means", "First", "Shows", "Do", "Escalate")
SHELL = re.search(r"```bash\n(.*?)```", TEXT, re.DOTALL)
TASK = "arn:aws:ecs:eu-west-1:000000000000:task/cluster/0123456789abcdef"
AWS = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if answer := json.loads(os.environ["ANSWERS"]).get(" ".join(sys.argv[1:3])):
    print(answer)
"""


def pages() -> dict[str, str]:
    """Return the text under each heading."""
    return dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_every_alarm_has_a_page_of_the_runbook() -> None:
    """The heading is the page's name and anchor. Other pages are the introduction and the exit codes."""
    assert set(pages()) - NO_ALARM == set(PAGES)
    assert set(pages()) >= NO_ALARM
    assert all(re.fullmatch(r"[a-z0-9-]+", heading) for heading in pages())


@pytest.mark.parametrize("name", [*PAGES, *(f"exit-code-{code}" for code in EXIT_CODES.values())])
def test_every_page_has_the_same_five_parts(name: str) -> None:
    """In the order in which they are needed."""
    assert re.findall(r"^\*\*(\w+)\.\*\*", pages()[name], re.MULTILINE) == list(PARTS)


def test_every_named_setting_exists() -> None:
    """As ``[section] name``."""
    named = re.findall(r"`\[(\w+)\] (\w+)`", TEXT)
    assert named
    for section, name in named:
        model = Environment.model_fields[section].annotation
        assert name in model.model_fields, (section, name)  # type: ignore[union-attr]
    assert ("alarms", "lag_seconds") in named
    assert Alarms().lag_seconds > 0


def test_every_named_metric_exists() -> None:
    """Also in the rules for Prometheus."""
    shown = {metric.prometheus for metric in TAILER.values() if metric.kind is not Kind.COUNTER}
    named = set(re.findall(r"tailrace_\w+", TEXT))
    assert named
    assert named <= shown
    rules = set(re.findall(r"- alert: ([\w-]+)", TEXT))
    assert rules <= set(PAGES)


def test_every_quoted_message_is_in_the_code() -> None:
    """A person finds the page by the words that the log or a command shows. One quoted text is CloudWatch's."""
    files = (path for package in ("tailer", "lambda_forwarder", "tailrace") for path in (REPOSITORY / package).rglob("*.py"))
    code = "".join(path.read_text() for path in files)
    prose = re.sub(r"```.*?```|`[^`]*`", "", TEXT, flags=re.DOTALL)
    quoted = set(re.findall(r'"([^"\n]+)"', prose)) - {"insufficient data"}
    assert quoted
    assert [part for text in quoted for part in re.split(" ?… ?", text) if part not in code] == []


class Shell:
    """bash with the functions of the runbook. ``aws`` records its arguments, ``tailrace`` prints its variables."""

    def __init__(self, folder: Path, outputs: Mapping[str, str]) -> None:
        self._folder, self._outputs = folder, outputs
        for name, text in (("aws", AWS), ("tailrace", "#!/bin/sh\nenv\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def run(self, command: str, **responses: str) -> tuple[int, str, list[list[str]]]:
        """Return the exit code, the output, and the calls of ``aws`` except those that only read outputs."""
        assert SHELL
        output = (
            "output() { case $1 in "
            + " ".join(f"{name}) echo '{_quoted(value)}';;" for name, value in self._outputs.items())
            + " esac; }"
        )
        calls = self._folder / "calls"
        calls.write_text("")
        environment = {"PATH": f"{self._folder}:{os.environ['PATH']}", "CALLS": str(calls), "ANSWERS": json.dumps(responses)}
        script = f"{SHELL[1]}\n{output}\n{command}\n"
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout, [json.loads(line) for line in calls.read_text().splitlines()]


@pytest.fixture(scope="module")
def outputs() -> dict[str, str]:
    """The stack's outputs, with names instead of values that only a deployment has."""
    found = stack(**EVERYTHING).to_json()["Outputs"]
    return {name: _text(output["Value"]) for name, output in found.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    return "".join(map(_text, argument[1])) if function == "Fn::Join" else str(argument if function == "Ref" else argument[0])


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("tailer status", ["status"]),
        ("tailer doctor", ["doctor"]),
        ('tailer checkpoint accept-gap --stream payments --why "the oplog was too short" --dry-run',
         ["checkpoint", "accept-gap", "--stream", "payments", "--why", "the oplog was too short", "--dry-run"]),
        (r"""tailer checkpoint accept-gap --why 'outage & "repair" of $HOME \ it'"'"'s `done`'""",
         ["checkpoint", "accept-gap", "--why", """outage & "repair" of $HOME \\ it's `done`"""]),
    ],
    ids=["status", "doctor", "a-reason", "a-reason-that-a-shell-would-take-apart"],
)  # fmt: skip
def test_tailer_command_runs_as_a_task_beside_the_service(
    tmp_path: Path, outputs: Mapping[str, str], command: str, expected: list[str]
) -> None:
    """In the same network. It prints the task's log and returns its exit code."""
    responses = {
        "ecs run-task": TASK,
        "logs get-log-events": json.dumps(["payments", "  owner  nobody"]),
        "ecs describe-tasks": "3",
    }
    code, said, calls = Shell(tmp_path, outputs).run(command, **responses)
    assert (code, said) == (3, "payments\n  owner  nobody\n")
    run, wait, logs, _ = calls
    overrides = json.loads(run[run.index("--overrides") + 1])
    assert overrides["containerOverrides"] == [{"name": "tailer", "command": expected}]
    assert json.loads(run[run.index("--network-configuration") + 1])["awsvpcConfiguration"]["subnets"]
    assert wait[:3] == ["ecs", "wait", "tasks-stopped"]
    assert logs[logs.index("--log-stream-name") + 1] == "tailrace-production-tailer/tailer/0123456789abcdef"


def test_environment_of_the_clone_is_activated(tmp_path: Path) -> None:
    """One of several, and never the emulators', by the page's command."""
    [line] = re.findall(r"make env && (\. \S+)$", TEXT, re.MULTILINE)
    for name in ("py3.11", "py3.11-emulators", "py3.13", "lock"):
        (tmp_path / ".venv" / name / "bin").mkdir(parents=True)
        (tmp_path / ".venv" / name / "bin" / "activate").write_text(f"echo {name}\n")
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "py3.11\n"


def test_redrive_command_gets_its_settings_from_the_stack(tmp_path: Path, outputs: Mapping[str, str]) -> None:
    """As the function does."""
    code, said, calls = Shell(tmp_path, outputs).run("redrive --dry-run")
    given = dict(line.split("=", 1) for line in said.splitlines() if line.startswith("FORWARDER_"))
    assert (code, calls) == (0, [])
    assert given == {
        "FORWARDER_EVENT_BUS": outputs["EventBusArn"],
        "FORWARDER_PARKING_QUEUE_URL": outputs["ParkingQueueUrl"],
        "FORWARDER_DEAD_LETTER_QUEUE_URL": outputs["DeadLetterQueueUrl"],
        "FORWARDER_WATERMARKS": outputs["StateTable"],
        "FORWARDER_CLAIM_BUCKET": outputs["ClaimBucket"],
    }


def test_dropped_batch_is_sent_to_its_function_again(tmp_path: Path, outputs: Mapping[str, str]) -> None:
    """As Lambda sent it: the payload of the stored record."""
    batch = '{"Records": [{"eventID": "1", "dynamodb": {"Keys": {"id": {"S": "\u00e9"}}}}]}'
    responses = {
        "s3 cp": json.dumps({"version": "1.0", "requestContext": {"condition": "RetryAttemptsExhausted"}, "payload": batch}),
        "cloudformation list-stack-resources": "tailrace-production-Streamcarts",
    }
    shell = f"cd {tmp_path}; echo '{{}}' > answer.json; again Stream-carts aws/lambda/uuid/shard/2026/11/22/batch"
    code, said, calls = Shell(tmp_path, outputs).run(shell, **responses)
    assert (code, said) == (0, "{}\n")
    assert (tmp_path / "batch.json").read_text() == batch
    [fetch] = [call for call in calls if call[:2] == ["s3", "cp"]]
    [invoke] = [call for call in calls if call[:2] == ["lambda", "invoke"]]
    assert fetch[2] == f"s3://{outputs['ClaimBucket']}/aws/lambda/uuid/shard/2026/11/22/batch"
    assert invoke[invoke.index("--function-name") + 1] == "tailrace-production-Streamcarts"
    assert invoke[invoke.index("--payload") + 1] == "file://batch.json"


def test_events_of_an_ordered_bus_are_replayed_with_valid_options(tmp_path: Path, outputs: Mapping[str, str]) -> None:
    """Of the service model. The target and its role are the subscriber's."""
    [block] = re.findall(r"```sh\n(.*?)```", pages()["again-in-order"], re.DOTALL)
    subscriber, bus = (
        f"arn:aws:events:eu-west-1:000000000000:{kind}/name/{25 * 'a'}" for kind in ("subscriber", "event-busv2")
    )
    role = "arn:aws:iam::000000000000:role/billing"
    before = {"SubscriberArn": subscriber, "InvokeConfiguration": {"TargetArn": "arn:aws:sqs:::theirs", "RoleArn": role}}
    said = {"SUBSCRIBER_ARN": subscriber, "FROM": "2026-11-22T08:00:00Z", "TO": "2026-11-22T09:00:00Z", "EVENT_ID": "a1"}
    for word, value in said.items():
        block = re.sub(rf"\b{word}\b", value, block)
    responses = {"eventsv2 describe-subscriber": json.dumps(before)}
    code, _, calls = Shell(tmp_path, {**outputs, "EventBusArn": bus}).run(f"cd {tmp_path}\n{block}", **responses)
    assert code == 0
    _, describe, create = ({"call": call[1], **dict(zip(call[2::2], call[3::2], strict=True))} for call in calls)
    assert describe["--subscriber-arn"] == subscriber
    given = {_member(option): _value(value, tmp_path) for option, value in create.items() if option != "call"}
    client = boto3.client("eventbridgev2", region_name="eu-west-1")
    shape = client.meta.service_model.operation_model("CreateSubscriber").input_shape
    assert not ParamValidator().validate(given, shape).generate_report()
    assert given["InvokeConfiguration"] == before["InvokeConfiguration"]
    [only_these] = given["FilterConfiguration"]["Filters"]
    assert json.loads(only_these["Pattern"]) == {"aws:EventId": ["a1", "a1"]}


def _member(option: str) -> str:
    """Return ``--event-bus-arn`` as ``EventBusArn``, as AWS's command line does."""
    return "".join(word.capitalize() for word in option.removeprefix("--").split("-"))


def _value(text: str, folder: Path) -> Any:
    text = (folder / text.removeprefix("file://")).read_text() if text.startswith("file://") else text
    return json.loads(text) if text.startswith("{") else text


def test_function_is_found_by_its_logical_name(tmp_path: Path, outputs: Mapping[str, str]) -> None:
    """Exactly one, on any page of the response, even if one table's name begins with another's."""
    tables = [{"stream_arn": f"arn:aws:dynamodb:eu-west-1:000000000000:table/{name}/stream/1"} for name in ("carts", "carts.2")]
    functions = stack(forwarder={"dynamodb_streams": tables}).find_resources("AWS::Lambda::Function")
    resources = [{"LogicalResourceId": one, "ResourceType": "AWS::Lambda::Function"} for one in functions]
    found = set()
    for name in ("Forwarder", "Redrive", "Stream-carts", "Stream-carts.2"):
        responses = {"cloudformation list-stack-resources": "\n\ntailrace-production-it\n"}
        _, said, [call] = Shell(tmp_path, outputs).run(f"function_name {name}", **responses)
        query = call[-1].replace("PhysicalResourceId", "LogicalResourceId")
        [one] = jmespath.search(query, {"StackResourceSummaries": resources})
        found.add(one)
        assert said == "tailrace-production-it\n"
    assert len(found) == 4


def test_every_command_can_be_pasted() -> None:
    """None is broken over two lines within a sentence."""
    sentences = re.sub(r"^ *```.*?^ *```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    for paragraph in re.split(r"\n\s*\n|\n(?=- )", sentences):
        for command in re.findall(r"`([^`]+)`", paragraph):
            assert "\n" not in command, command


def test_tailer_command_without_credentials_runs_nothing(tmp_path: Path) -> None:
    """It prints only AWS's error."""
    code, said, calls = Shell(tmp_path, {"Doctor": "", "ClusterName": ""}).run("tailer doctor")
    assert (code, said, calls) == (1, "", [])
