"""The function that reads the queue, and its settings. A tailer has no right to read them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tailer.aws.checks.access import Clients, allowed
from tailer.aws.checks.queue import Queue
from tailer.checks import Finding, fail, ok, skip, warn

_ITEMS = "ReportBatchItemFailures"
NO_MESSAGES: Mapping[str, Any] = {"Records": []}  # the SQS event of an empty batch
_SHOWN = 3  # collections without a mapper
_REASON_LENGTH = 500  # characters


class Forwarder:
    """
    The function that reads the queue. ``mapping`` finds it and ``function`` reads its settings; the other checks need both.

    ``watched`` are the collections that the ``streams`` name, as ``database.collection``.
    """

    def __init__(
        self, queue: Queue, claim_bucket: str, clients: Clients, watched: Sequence[str] = (), streams: Sequence[str] = ()
    ) -> None:
        self.queue = queue
        self._claim_bucket = claim_bucket
        self.clients = clients
        self._watched = watched
        self.streams = streams
        self._response: Any = None  # of the function
        self._function = ""
        self._configuration: Mapping[str, Any] = {}

    def mapping(self) -> Finding:
        """Check that a function reads the queue, and returns only the messages that failed."""
        arn = self.queue.attributes["QueueArn"]
        with allowed("lambda:ListEventSourceMappings", "TAILER_QUEUE_URL", arn):
            mappings = self.clients("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        if not mappings:
            return fail(
                "no function of this account and region reads the queue",
                "deploy the forwarder with an event source mapping of this queue",
            )
        mapping = next((found for found in mappings if found.get("State") == "Enabled"), mappings[0])
        self._function = mapping["FunctionArn"]
        name, state = self._function.rpartition(":function:")[2], mapping.get("State", "unknown")
        if state != "Enabled":
            return fail(f"the mapping to {name} is {state}", f"enable the event source mapping {mapping['UUID']}")
        if _ITEMS not in mapping.get("FunctionResponseTypes", ()):
            return fail(f"the mapping to {name} treats every response as success", f"set FunctionResponseTypes=[{_ITEMS}]")
        if (last := str(mapping.get("LastProcessingResult"))).startswith("PROBLEM"):
            return warn(f"{name}: {last}", "see the function's log")
        return ok(f"{name} reads it")

    def function(self) -> Finding:
        """Check that the function can run, and knows the tailer's claim bucket."""
        right = f"lambda:GetFunctionConfiguration on {self._function}"
        with allowed(right, "the forwarder", self._function):
            self._configuration = self.clients("lambda").get_function_configuration(FunctionName=self._function)
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

    def visibility(self) -> Finding:
        """Check that the queue hides a message for as long as the function may take, and five retries more."""
        hidden, seconds = int(self.queue.attributes["VisibilityTimeout"]), int(self._configuration["Timeout"])
        found, remedy = (
            f"{hidden} s, for a function that may take {seconds} s",
            f"set the queue's VisibilityTimeout to {6 * seconds}",
        )
        if hidden < seconds:
            return fail(found, remedy)
        return ok(found) if hidden >= 6 * seconds else warn(found, remedy)

    def start(self) -> Finding:
        """Check that the function starts: an empty batch imports the mappers, and receives and publishes nothing."""
        right = f"lambda:InvokeFunction on {self._function}"
        with allowed(right, "the forwarder", self._function):
            event = {**NO_MESSAGES, "collections": [*self._watched]}
            response = self.clients("lambda").invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        payload = response["Payload"].read()
        if not response.get("FunctionError"):
            self._response = json.loads(payload or b"null")
            return ok("starts, and imports its mappers")
        reason = _reason(payload)
        return fail(f"it does not start, so nothing is published: {reason}", "correct what it names, and deploy it again")

    def mapped(self) -> Finding:
        """Check that a mapper reads each collection that the streams name."""
        if not self._watched:
            return ok("whole databases are watched: the metric Unmapped counts the changes that no mapper reads")
        unmapped = self._response.get("unmapped") if isinstance(self._response, dict) else None
        if unmapped is None:
            return skip("the function does not report it", "deploy the forwarder again: its version is older")
        if not unmapped:
            return ok(f"{len(self._watched)} collections, each with an entry in the mapper table")
        return warn(first_of(unmapped, "more"), "correct the key, or watch less: docs/how-to/adding-an-event.md")

    def setting(self, name: str) -> str:
        """Return a setting of the function; empty if it is not set. No other variable of its environment is read."""
        variables: Mapping[str, str] = self._configuration.get("Environment", {}).get("Variables", {})
        return variables.get(f"FORWARDER_{name}", "")


def first_of(texts: Sequence[str], more: str) -> str:
    """Return the first few texts, and how many ``more`` there are."""
    rest = f"; and {len(texts) - _SHOWN} {more}" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + rest


def _reason(payload: bytes) -> str:
    """Return the error that the function raised; the payload itself if Lambda reports it in another form."""
    text = payload.decode(errors="backslashreplace")
    try:
        error = json.loads(text)
        text = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        pass
    return text[:_REASON_LENGTH]
