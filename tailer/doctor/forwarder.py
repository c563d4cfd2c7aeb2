"""The other end of the queue, as far as this process may look: the function, what feeds it, and what it publishes to."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tailer.doctor.aws import Clients, allowed
from tailer.doctor.finding import Verdict, fail, ok, skip, warn
from tailer.doctor.queues import Queue, rejection_reason, waiting

_ITEMS = "ReportBatchItemFailures"
_ORDERED = ":event-busv2/"  # in the ARN of every ordered bus
_NO_SUCH = {"ResourceNotFoundException", "NotFoundException"}
NOTHING_TO_DO: Mapping[str, Any] = {"Records": []}  # an SQS event without messages
_SAID = 3  # collections without a mapper, one by one
START_SECONDS = 30.0  # that a cold start may take
_REASON_LENGTH = 500  # characters


class Forwarder:
    """Found by the queue that feeds it. What one look finds the next ones use."""

    def __init__(self, queue: Queue, claim_bucket: str, clients: Clients, watched: Sequence[str] = ()) -> None:
        """``watched`` are the collections that the streams name, as ``database.collection``."""
        self._queue = queue
        self._claim_bucket = claim_bucket
        self._clients = clients
        self._watched = watched
        self._response: Any = None  # of the function
        self._function = ""
        self._configuration: Mapping[str, Any] = {}

    def mapping(self) -> Verdict:
        """Whether a function reads the queue, and gives back only what it could not handle."""
        arn = self._queue.attributes["QueueArn"]
        with allowed("lambda:ListEventSourceMappings", "TAILER_QUEUE_URL", arn):
            mappings = self._clients("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        if not mappings:
            return fail(
                "no function of this account and region reads the queue",
                "deploy the forwarder with an event source mapping of this queue",
            )
        mapping = next((one for one in mappings if one.get("State") == "Enabled"), mappings[0])
        self._function = mapping["FunctionArn"]
        name, state, last = (
            self._function.rpartition(":function:")[2],
            mapping.get("State", "unknown"),
            mapping.get("LastProcessingResult"),
        )
        if state != "Enabled":
            return fail(f"the mapping to {name} is {state}", f"enable the event source mapping {mapping['UUID']}")
        if _ITEMS not in mapping.get("FunctionResponseTypes", ()):
            return fail(f"the mapping to {name} treats every response as success", f"set FunctionResponseTypes=[{_ITEMS}]")
        if str(last).startswith("PROBLEM"):
            return warn(f"{name}: {last}", "see the function's log")
        return ok(f"{name} reads it")

    def function(self) -> Verdict:
        """Whether it can run, and knows the tailer's claim bucket."""
        right = f"lambda:GetFunctionConfiguration on {self._function}"
        with allowed(right, "the forwarder", self._function):
            self._configuration = self._clients("lambda").get_function_configuration(FunctionName=self._function)
        state = self._configuration.get("State", "Active")
        if state not in ("Active", "Inactive", "Pending"):  # inactive: idle for long; the next message wakes it
            return fail(f"it is {state}: {self._configuration.get('StateReason', '')}", "deploy it again")
        bucket = self.setting("CLAIM_BUCKET")
        if self._claim_bucket and bucket != self._claim_bucket:
            return fail(
                f"FORWARDER_CLAIM_BUCKET is {bucket or 'not set'}, TAILER_CLAIM_BUCKET {self._claim_bucket}",
                "set both to the same bucket",
            )
        if state == "Pending":
            return warn("it is being created", "run the doctor again in a minute")
        return ok(f"{self._configuration.get('Runtime', 'runs')}, {self._configuration['Timeout']} s")

    def visibility(self) -> Verdict:
        """See ``Queue``."""
        return self._queue.visibility(int(self._configuration["Timeout"]))

    def bus(self) -> Verdict:
        """Whether the bus exists: what is put on a missing one is gone without an error."""
        if not (bus := self.setting("EVENT_BUS")):
            return fail("FORWARDER_EVENT_BUS is not set", "set it to the bus's name or ARN")
        with allowed(f"events:DescribeEventBus on {bus}", "FORWARDER_EVENT_BUS", bus):
            try:
                state = self._described(bus).get("State", "ACTIVE")
            except ClientError as error:
                if error.response["Error"].get("Code") not in _NO_SUCH:
                    raise
                return fail(f"there is no bus {bus}: events would be dropped", "create it, or correct FORWARDER_EVENT_BUS")
        return (
            ok(f"{bus} exists")
            if state in ("ACTIVE", "UPDATING")
            else warn(f"{bus} is {state}", "wait until it is ACTIVE, or fix it")
        )

    def watermarks(self) -> Verdict:
        """Whether a change that the tailer sends again is published again."""
        remedy = "set it to a DynamoDB table with a string partition key pk"
        match self.setting("WATERMARKS"):
            case "":
                return fail("FORWARDER_WATERMARKS is not set: the function does not start", f"{remedy}, or to off")
            case "off":
                return warn("FORWARDER_WATERMARKS is off: what the tailer sends again is published again", remedy)
            case table:
                return ok(f"in {table}")

    def start(self) -> Verdict:
        """Whether it starts: an invocation with an empty batch imports the mappers, and receives and publishes nothing."""
        right = f"lambda:InvokeFunction on {self._function}"
        with allowed(right, "the forwarder", self._function):
            question = {**NOTHING_TO_DO, "collections": [*self._watched]}
            response = self._clients("lambda").invoke(FunctionName=self._function, Payload=json.dumps(question).encode())
        payload = response["Payload"].read()
        if not response.get("FunctionError"):
            self._response = json.loads(payload or b"null")
            return ok("starts, and imports its mappers")
        reason = _reason(payload)
        return fail(f"it does not start, so nothing is published: {reason}", "correct what it names, and deploy it again")

    def mapped(self) -> Verdict:
        """Whether its mappers read all that the streams watch by name."""
        if not self._watched:
            return ok("whole databases are watched: the metric Unmapped counts the changes that no mapper reads")
        unmapped = self._response.get("unmapped") if isinstance(self._response, dict) else None
        if unmapped is None:
            return skip("the function does not report it", "deploy the forwarder again: its version is older")
        if not unmapped:
            return ok(f"{len(self._watched)} collections, each with an entry in the mapper table")
        more = f"; and {len(unmapped) - _SAID} more" if len(unmapped) > _SAID else ""
        return warn("; ".join(unmapped[:_SAID]) + more, "correct the key, or watch less: docs/adding-an-event.md")

    def parking(self) -> Verdict:
        """Whether its queue takes and keeps everything, and something was set aside because nobody could publish it."""
        if not (url := self.setting("PARKING_QUEUE_URL")):
            return fail("FORWARDER_PARKING_QUEUE_URL is not set", "set it to the URL of a FIFO queue")
        name = url.rpartition("/")[2]
        attributes = self._queue.other(url, name)
        if verdict := rejection_reason(name, attributes):
            return verdict
        if depth := waiting(attributes):
            return warn(f"{name} holds {depth} changes", "read their reason and remedy, then redrive them: docs/redrive.md")
        return ok(f"{name} is empty")

    def _described(self, bus: str) -> Mapping[str, Any]:
        clients: Clients = self._clients
        if _ORDERED in bus:
            ordered: Mapping[str, Any] = clients("eventbridgev2").describe_event_bus(EventBusArn=bus)
            return ordered
        classic: Mapping[str, Any] = clients("events").describe_event_bus(Name=bus)
        return classic

    def setting(self, name: str) -> str:
        """Of the function's own environment, of which nothing but its settings is looked at; empty where it is not there."""
        variables: Mapping[str, str] = self._configuration.get("Environment", {}).get("Variables", {})
        return variables.get(f"FORWARDER_{name}", "")


def _reason(payload: bytes) -> str:
    """What the function raised, as Lambda reports it; the payload itself where it is of another form."""
    text = payload.decode(errors="backslashreplace")
    try:
        error = json.loads(text)
        text = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        pass
    return text[:_REASON_LENGTH]
