"""
Two custom resources for CloudFormation.

``Custom::ChangeStreams`` runs an ECS task that enables change streams, and waits for its end. ``Custom::AdminSecret`` returns
the ARN of the administrator's secret of a DocumentDB cluster, which CloudFormation itself does not return.

Every request gets a response, also after an error: without a response a deployment waits for its timeout.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

NOTHING = "nothing-was-made"  # the id of a resource that could not be made: CloudFormation deletes it all the same
RESPONSE_SECONDS = 60.0  # of the function's time limit, reserved for the last AWS call and for the response
POLL_SECONDS = 5.0
GRACE_SECONDS = 90.0  # until a new right takes effect everywhere
ATTEMPTS = 3  # a first task may start before its route, its rights or the primary of the database are ready
MISCONFIGURED = 2  # exit code of the tailer: another attempt would end the same
REASON_LIMIT = 1_000  # characters; CloudFormation accepts a response of 4,096 bytes
SENDS = 5
SEND_SECONDS = 4.0
CONFIG = Config(connect_timeout=3, read_timeout=7, retries={"total_max_attempts": 2, "mode": "standard"})  # 20 seconds

Properties = Mapping[str, Any]
Client = Callable[[str], Any]


class Failed(Exception):
    """The request failed. The text is for the person who deploys."""


class Clock:
    """The time that is left to wait in."""

    def __init__(
        self, seconds: float, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.now = now
        self._end = now() + seconds
        self._sleep = sleep

    def sleep(self, waiting_for: str) -> None:
        """Sleep for ``POLL_SECONDS``, or raise ``Failed`` if less time is left."""
        if self.now() + POLL_SECONDS > self._end:
            raise Failed(f"the time limit ended the wait for {waiting_for}")
        self._sleep(POLL_SECONDS)


def handler(event: Mapping[str, Any], context: Any) -> None:
    clock = Clock(context.get_remaining_time_in_millis() / 1_000 - RESPONSE_SECONDS)
    send(event["ResponseURL"], respond(event, clock, partial(boto3.client, config=CONFIG)))


def respond(event: Mapping[str, Any], clock: Clock, client: Client) -> dict[str, Any]:
    """Return the response for CloudFormation. A failed deletion is a success with a reason, so that it blocks no stack."""
    request_type, made = event["RequestType"], event.get("PhysicalResourceId", NOTHING)
    response = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        resource, data = RESOURCES[event["ResourceType"]](request_type, made, event["ResourceProperties"], clock, client)
    except Exception as error:  # of any type: a deployment waits for the response
        reason = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        _log(f"{request_type.lower()} failed", resource=made, reason=reason)
        status = "SUCCESS" if request_type == "Delete" else "FAILED"
        return response | {"Status": status, "PhysicalResourceId": made, "Reason": reason[:REASON_LIMIT]}
    _log(f"{request_type.lower()} done", resource=resource)
    return response | {"Status": "SUCCESS", "PhysicalResourceId": resource, "Data": data}


def send(url: str, response: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep) -> None:
    """Send the response to CloudFormation, in at most ``SENDS`` attempts. The URL is a secret."""
    # The URL is signed without a content type, and urllib would add one.
    request = Request(url, json.dumps(response).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 - CloudFormation's own
    for again in range(1, SENDS + 1):
        try:
            with urlopen(request, timeout=SEND_SECONDS):  # noqa: S310
                return
        except OSError as error:
            _log("response not accepted", reason=type(error).__name__)
            if again == SENDS:
                raise
            sleep(again)


def change_streams(
    request_type: str, made: str, properties: Properties, clock: Clock, client: Client
) -> tuple[str, dict[str, str]]:
    """
    Run the command ``Enable``, or ``Disable`` (if there is one) when the resource is deleted.

    The resource belongs to the database: other streams update it, another database replaces it. Collections that are no longer
    watched stay enabled: disabling ends the history for every reader, and a rollback could not restore it.
    """
    if request_type != "Delete":
        _run(properties, properties["Enable"], clock, client("ecs"))
    elif made != NOTHING and properties.get("Disable"):
        _run(properties, properties["Disable"], clock, client("ecs"))
    return f"change-streams@{properties['Database']}", {}


def admin_secret(
    request_type: str, made: str, properties: Properties, clock: Clock, client: Client
) -> tuple[str, dict[str, str]]:
    """Return the secret of ``Cluster`` when it is ready. DocumentDB creates and deletes it with the cluster."""
    if request_type == "Delete":
        return made, {}
    cluster, docdb = properties["Cluster"], client("docdb")
    while True:
        [found] = _allowed(clock, docdb.describe_db_clusters, DBClusterIdentifier=cluster)["DBClusters"]
        secret = found.get("MasterUserSecret", {})
        if secret.get("SecretStatus") in {"active", "rotating"}:
            return f"admin-secret@{cluster}", {"SecretArn": secret["SecretArn"]}
        clock.sleep(f"the administrator's secret of {cluster}, whose status is {secret.get('SecretStatus', 'unknown')}")


RESOURCES = {"Custom::ChangeStreams": change_streams, "Custom::AdminSecret": admin_secret}


def _run(properties: Properties, command: list[str], clock: Clock, ecs: Any) -> None:
    """Run the command in a task, in at most ``ATTEMPTS`` attempts. It may run more than once, so it must be idempotent."""
    for attempt in range(1, ATTEMPTS + 1):
        code, end = _end_of_task(properties, command, clock, ecs)
        if code == 0:
            return
        _log("task failed", attempt=attempt, end=end)
        if code == MISCONFIGURED or attempt == ATTEMPTS:
            raise Failed(f"{' '.join(command[:2])} failed: {end}")
        clock.sleep(f"the next attempt after a failed one: {end}")


def _end_of_task(properties: Properties, command: list[str], clock: Clock, ecs: Any) -> tuple[int | None, str]:
    """Run one task to its end, and return the exit code of its container, if it has one, and a description of the end."""
    cluster, name = properties["Cluster"], properties["Container"]
    private = {"subnets": properties["Subnets"], "securityGroups": properties["SecurityGroups"], "assignPublicIp": "DISABLED"}
    run = _allowed(
        clock,
        ecs.run_task,
        cluster=cluster,
        taskDefinition=properties["TaskDefinition"],
        launchType="FARGATE",
        startedBy="change-streams",
        networkConfiguration={"awsvpcConfiguration": private},
        overrides={"containerOverrides": [{"name": name, "command": command}]},
    )
    if not run["tasks"]:
        return None, f"no task was started: {', '.join(failure.get('reason', '') for failure in run['failures'])}"
    arn, task = run["tasks"][0]["taskArn"], run["tasks"][0]
    while task.get("lastStatus") != "STOPPED":
        clock.sleep(f"{arn}, whose status is {task.get('lastStatus', 'unknown')}")
        task = (_allowed(clock, ecs.describe_tasks, cluster=cluster, tasks=[arn])["tasks"] or [{}])[0]
    container: dict[str, Any] = next((one for one in task.get("containers", []) if one.get("name") == name), {})
    code = container.get("exitCode")
    why = container.get("reason") or task.get("stoppedReason") or "no reason given"
    log = f"{properties['LogGroup']}, stream {properties['LogStreams']}/{arn.rpartition('/')[2]}"
    return code, f"{'the container never ran' if code is None else f'exit code {code}'}: {why}; log: {log}"


def _allowed(clock: Clock, call: Callable[..., Any], **request: Any) -> Any:
    """Return the response of AWS. Retry for ``GRACE_SECONDS``, until a new right takes effect."""
    end = clock.now() + GRACE_SECONDS
    while True:
        try:
            return call(**request)
        except (BotoCoreError, ClientError) as error:
            if clock.now() > end:
                raise Failed(str(error)) from error
            clock.sleep(f"AWS: {error}")


def _log(action: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"action": action, **values}) + "\n")
