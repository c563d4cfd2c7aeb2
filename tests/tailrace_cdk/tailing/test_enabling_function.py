"""The function that enables change streams always sends CloudFormation a response, with the reason of a failure."""

import ast
import json
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from devstack import DevStack
from tailrace_cdk.tailing.enabling_function import handler as function

TASK = "arn:aws:ecs:eu-west-1:000000000000:task/trial/4f0c"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:000000000000:function:enabling",
    "Database": "trial.docdb.amazonaws.com:27017",
    "Cluster": "trial",
    "TaskDefinition": "tailrace-trial-change-streams:7",
    "Container": "tailer",
    "Subnets": ["subnet-1", "subnet-2"],
    "SecurityGroups": ["sg-1"],
    "Enable": ["change-streams", "enable", "--reader", "arn:aws:iam::000000000000:role/tailer"],
    "LogGroup": "/tailers",
    "LogStreams": "tailrace-trial-change-streams/tailer",
}
DISABLE = {"Disable": ["change-streams", "disable"]}
MADE = "change-streams@trial.docdb.amazonaws.com:27017"


class FakeTime:
    """Time passes only by sleeping; ``during`` is called then."""

    def __init__(self, seconds: float = 855, during: Callable[[], object] = lambda: None) -> None:
        self.slept = 0.0
        self._during = during
        self.clock = function.Clock(seconds, now=lambda: self.slept, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._during()


def event(
    subcommand: str, properties: dict[str, Any], *, made: str = "", kind: str = "Custom::ChangeStreams"
) -> dict[str, Any]:
    return {
        "RequestType": subcommand,
        "ResponseURL": "http://127.0.0.1:9/",
        "StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/tailrace-trial/1",
        "RequestId": "7d2c",
        "LogicalResourceId": "Done",
        "ResourceType": kind,
        "ResourceProperties": properties,
        **({"PhysicalResourceId": made} if made else {}),
    }


@pytest.fixture
def ecs() -> Iterator[Stubber]:
    """An ECS client with scripted responses, which validates its requests."""
    with _stubbed("ecs") as stub:
        yield stub
        stub.assert_no_pending_responses()


def _stubbed(service: str) -> Stubber:
    return Stubber(boto3.client(service, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"))


def _runs(ecs: Stubber, **ended: Any) -> None:
    """Script a task that runs and has then ended."""
    ecs.add_response("run_task", {"tasks": [{"taskArn": TASK, "lastStatus": "PROVISIONING"}], "failures": []})
    ecs.add_response("describe_tasks", {"tasks": [{"taskArn": TASK, "lastStatus": "STOPPED", **ended}], "failures": []})


def _exits(ecs: Stubber, code: int) -> None:
    _runs(ecs, stoppedReason="Essential container in task exited", containers=[{"name": "tailer", "exitCode": code}])


def _response(request: dict[str, Any], stub: Stubber, time: FakeTime | None = None) -> dict[str, Any]:
    return function.respond(request, (time or FakeTime()).clock, lambda _: stub.client)


def test_task_of_the_emulator_is_run_and_waited_for(stack: DevStack) -> None:
    """In the private subnets. Exit code 0 makes the resource succeed."""
    ecs = stack.aws("ecs")
    ecs.create_cluster(clusterName="enabling")
    container = {"name": "tailer", "image": "tailer", "command": ["change-streams", "show"]}
    task = ecs.register_task_definition(
        family="enabling", containerDefinitions=[container], requiresCompatibilities=["FARGATE"], cpu="256", memory="512"
    )["taskDefinition"]["taskDefinitionArn"]
    seen: list[dict[str, Any]] = []

    def look_and_end() -> None:
        arns = ecs.list_tasks(cluster="enabling", startedBy="change-streams")["taskArns"]
        seen.extend(ecs.describe_tasks(cluster="enabling", tasks=arns)["tasks"])
        ecs.stop_task(cluster="enabling", task=arns[0])  # The emulator's containers exit with 0 then.

    request = event("Create", {**PROPERTIES, "Cluster": "enabling", "TaskDefinition": task})
    response = function.respond(request, FakeTime(during=look_and_end).clock, stack.aws)
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", MADE)
    [running] = seen
    assert running["taskDefinitionArn"] == task
    assert running["overrides"]["containerOverrides"][0]["command"] == PROPERTIES["Enable"]


def test_requested_task_is_private(ecs: Stubber) -> None:
    """On Fargate, in the given subnets and group, without a public address, and only the command is overridden."""
    ended = {"taskArn": TASK, "lastStatus": "STOPPED", "containers": [{"name": "tailer", "exitCode": 0}]}
    ecs.add_response("run_task", {"tasks": [ended], "failures": []}, _request(PROPERTIES["Enable"]))
    assert _response(event("Create", PROPERTIES), ecs)["Status"] == "SUCCESS"


def _request(command: object) -> dict[str, Any]:
    private = {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
    return {
        "cluster": "trial",
        "taskDefinition": "tailrace-trial-change-streams:7",
        "launchType": "FARGATE",
        "startedBy": "change-streams",
        "networkConfiguration": {"awsvpcConfiguration": private},
        "overrides": {"containerOverrides": [{"name": "tailer", "command": command}]},
    }


def test_misconfigured_task_fails_the_deployment_at_once(ecs: Stubber) -> None:
    """The reason names exit code and log. Nothing was created, so nothing will be deleted."""
    _exits(ecs, 2)
    response = _response(event("Create", PROPERTIES), ecs)
    assert (response["Status"], response["PhysicalResourceId"]) == ("FAILED", function.NOTHING)
    assert response["Reason"] == (
        "change-streams enable failed: exit code 2: Essential container in task exited; "
        "log: /tailers, stream tailrace-trial-change-streams/tailer/4f0c"
    )


def test_task_that_starts_too_early_is_retried(ecs: Stubber) -> None:
    """It may find no rights or no primary yet."""
    _runs(ecs, stopCode="TaskFailedToStart", stoppedReason="ResourceInitializationError", containers=[{"name": "tailer"}])
    _exits(ecs, 1)
    _exits(ecs, 0)
    assert _response(event("Create", PROPERTIES), ecs)["Status"] == "SUCCESS"


def test_task_that_never_starts_fails_with_ecs_reason(ecs: Stubber) -> None:
    """After the last attempt."""
    for _ in range(function.ATTEMPTS):
        _runs(ecs, stoppedReason="CannotPullContainerError: not found", containers=[{"name": "tailer"}])
    response = _response(event("Create", PROPERTIES), ecs)
    assert response["Status"] == "FAILED"
    assert "the container never ran: CannotPullContainerError: not found" in response["Reason"]


def test_missing_capacity_is_reported(ecs: Stubber) -> None:
    """ECS may respond without an error and without a task."""
    for _ in range(function.ATTEMPTS):
        ecs.add_response("run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})
    assert "Capacity is unavailable at this time" in _response(event("Create", PROPERTIES), ecs)["Reason"]


def test_task_without_an_end_is_abandoned_in_time_to_respond(ecs: Stubber) -> None:
    task = {"taskArn": TASK, "lastStatus": "PENDING"}
    ecs.add_response("run_task", {"tasks": [task], "failures": []})
    for _ in range(4):
        ecs.add_response("describe_tasks", {"tasks": [task], "failures": []})
    time = FakeTime(seconds=20)
    response = _response(event("Create", PROPERTIES), ecs, time)
    assert (response["Status"], response["Reason"]) == (
        "FAILED",
        f"the time limit ended the wait for {TASK}, whose status is PENDING",
    )
    assert time.slept <= 20


def test_new_right_is_waited_for(ecs: Stubber) -> None:
    """IAM takes seconds to apply a policy."""
    for _ in range(3):
        ecs.add_client_error("run_task", "AccessDeniedException")
    _exits(ecs, 0)
    assert _response(event("Create", PROPERTIES), ecs)["Status"] == "SUCCESS"


def test_missing_right_is_reported() -> None:
    """After a while."""
    with _stubbed("ecs") as ecs:
        for _ in range(1000):
            ecs.add_client_error("run_task", "AccessDeniedException", "not authorized to perform: ecs:RunTask")
        time = FakeTime()
        response = _response(event("Create", PROPERTIES), ecs, time)
    assert response["Status"] == "FAILED"
    assert "not authorized to perform: ecs:RunTask" in response["Reason"]
    assert time.slept < 2 * function.GRACE_SECONDS


def test_update_enables_again_and_keeps_the_resource(ecs: Stubber) -> None:
    """CloudFormation would delete a replaced one."""
    _exits(ecs, 0)
    assert _response(event("Update", {**PROPERTIES, **DISABLE}, made=MADE), ecs)["PhysicalResourceId"] == MADE


def test_failed_update_keeps_the_resource(ecs: Stubber) -> None:
    """A rollback would otherwise delete it."""
    _exits(ecs, 2)
    response = _response(event("Update", {**PROPERTIES, "Database": "other:27017"}, made=MADE), ecs)
    assert (response["Status"], response["PhysicalResourceId"]) == ("FAILED", MADE)


def test_another_database_is_another_resource(ecs: Stubber) -> None:
    """So CloudFormation deletes the old one at the end."""
    _exits(ecs, 0)
    response = _response(event("Update", {**PROPERTIES, "Database": "other:27017"}, made=MADE), ecs)
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", "change-streams@other:27017")


@pytest.mark.parametrize(
    ("properties", "made"), [(PROPERTIES, MADE), (PROPERTIES | DISABLE, function.NOTHING)], ids=["not-asked-for", "never-made"]
)
def test_deletion_with_nothing_to_disable_runs_nothing(ecs: Stubber, properties: dict[str, Any], made: str) -> None:
    time = FakeTime()
    response = _response(event("Delete", properties, made=made), ecs, time)
    assert (response["Status"], response.get("Reason"), time.slept) == ("SUCCESS", None, 0)


def test_deletion_disables_on_request(ecs: Stubber) -> None:
    ended = {"taskArn": TASK, "lastStatus": "STOPPED", "containers": [{"name": "tailer", "exitCode": 0}]}
    ecs.add_response("run_task", {"tasks": [ended], "failures": []}, _request(DISABLE["Disable"]))
    response = _response(event("Delete", PROPERTIES | DISABLE, made=MADE), ecs)
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", MADE)
    assert "Reason" not in response


def test_failed_deletion_does_not_block_the_stack(ecs: Stubber) -> None:
    """The cluster may be gone. The reason is sent nevertheless."""
    _exits(ecs, 2)
    response = _response(event("Delete", PROPERTIES | DISABLE, made=MADE), ecs)
    assert response["Status"] == "SUCCESS"
    assert response["Reason"].startswith("change-streams disable failed: exit code 2")


def test_admin_secret_is_waited_for_and_returned() -> None:
    """DocumentDB creates it with the cluster."""
    arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:rds!cluster-1-AbCdEf"
    with _stubbed("docdb") as docdb:
        for status in ("creating", "active"):
            found = {"DBClusters": [{"MasterUserSecret": {"SecretArn": arn, "SecretStatus": status}}]}
            docdb.add_response("describe_db_clusters", found, {"DBClusterIdentifier": "tailrace-trial"})
        response = _response(event("Create", {"Cluster": "tailrace-trial"}, kind="Custom::AdminSecret"), docdb)
        docdb.assert_no_pending_responses()
    assert response["Data"] == {"SecretArn": arn}
    assert response["PhysicalResourceId"] == "admin-secret@tailrace-trial"


def test_cluster_without_an_admin_secret_fails_in_time() -> None:
    """Its password is managed elsewhere."""
    with _stubbed("docdb") as docdb:
        for _ in range(1000):
            docdb.add_response("describe_db_clusters", {"DBClusters": [{}]})
        response = _response(event("Create", {"Cluster": "tailrace-trial"}, kind="Custom::AdminSecret"), docdb)
    assert response["Status"] == "FAILED"
    assert response["Reason"].startswith("the time limit ended the wait for the administrator's secret")


def test_deletion_of_the_secret_makes_no_call(ecs: Stubber) -> None:
    """It is deleted with its cluster."""
    request = event("Delete", {"Cluster": "tailrace-trial"}, made="admin-secret@tailrace-trial", kind="Custom::AdminSecret")
    assert _response(request, ecs)["Status"] == "SUCCESS"


class ResponseServer(HTTPServer):
    """Receives the responses to CloudFormation, and refuses the first ``refusals``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Responses)
        self.refusals = 0
        self.responses: list[dict[str, Any]] = []
        self.content_types: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/response?signature=secret"


class _Responses(BaseHTTPRequestHandler):
    server: ResponseServer

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.content_types.append(self.headers["Content-Type"])
        refused = self.server.refusals > 0
        self.server.refusals -= refused
        if not refused:
            self.server.responses.append(json.loads(body))
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def cloudformation() -> Iterator[ResponseServer]:
    with ResponseServer() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def test_cloudformation_always_gets_a_response(
    cloudformation: ResponseServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even if AWS cannot be reached or the resource is unknown. The signed URL is never logged."""
    monkeypatch.setattr(boto3, "client", _no_client)
    for kind in ("Custom::ChangeStreams", "Custom::Other"):
        function.handler(event("Create", PROPERTIES, kind=kind) | {"ResponseURL": cloudformation.url}, Context())
    told = [(response["Status"], response["RequestId"], response["Reason"]) for response in cloudformation.responses]
    assert told == [("FAILED", "7d2c", "RuntimeError: no region"), ("FAILED", "7d2c", "KeyError: 'Custom::Other'")]
    assert "signature" not in capsys.readouterr().out


def _no_client(_: str, **__: object) -> Any:
    raise RuntimeError("no region")


def test_response_has_no_content_type(cloudformation: ResponseServer) -> None:
    """Its URL is signed without one."""
    function.send(cloudformation.url, {"Status": "SUCCESS"})
    assert (cloudformation.responses, cloudformation.content_types) == ([{"Status": "SUCCESS"}], [""])


def test_refused_response_is_sent_again(cloudformation: ResponseServer) -> None:
    cloudformation.refusals = function.SENDS - 1
    function.send(cloudformation.url, {"Status": "SUCCESS"}, sleep=lambda _: None)
    assert cloudformation.responses == [{"Status": "SUCCESS"}]


def test_undeliverable_response_is_an_error(cloudformation: ResponseServer) -> None:
    """It is visible in the function's metrics."""
    cloudformation.refusals = function.SENDS
    with pytest.raises(OSError, match="503"):
        function.send(cloudformation.url, {"Status": "SUCCESS"}, sleep=lambda _: None)


def test_long_reason_is_truncated(ecs: Stubber) -> None:
    """CloudFormation accepts 4,096 bytes."""
    _runs(ecs, stoppedReason="é" * 5_000, containers=[{"name": "tailer", "exitCode": 2}])
    assert len(json.dumps(_response(event("Create", PROPERTIES), ecs), ensure_ascii=False).encode()) < 4_096


def test_enabling_function_needs_only_lambdas_runtime() -> None:
    """One file with the standard library and boto3."""
    source = Path(function.__file__)
    tree = ast.parse(source.read_text())
    plain = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    froms = {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert (plain | froms) - sys.stdlib_module_names == {"boto3", "botocore"}
    assert {path.name for path in source.parent.glob("*.py")} == {"__init__.py", source.name}
