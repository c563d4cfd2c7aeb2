"""The AWS resources that settings name. An error about a resource names its setting and what the forwarder needs."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lambda_forwarder.errors import Misconfigured, Rejected, translated
from tailrace.aws.queues import losses, too_small

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """``setting`` is the variable that names the resource. ``needs`` lists what must exist and the permissions."""

    setting: str
    name: str
    needs: str

    @contextmanager
    def call(self, operation: str) -> Iterator[None]:
        """Translate the errors of one AWS call: ``Misconfigured``, with setting and needs, if a retry does not fix it."""
        try:
            with translated(operation):
                yield
        except (Misconfigured, Rejected) as error:
            raise Misconfigured(f"{self.setting}: {self.name} cannot be used: {error}. Needed: {self.needs}") from error


def queue(setting: str, url: str, permissions: str) -> Resource:
    return Resource(setting=setting, name=url, needs=f"a queue with this URL and {permissions}")


def check_queue(client: Any, resource: Resource, *, receives_changes: bool) -> None:
    """
    Log a warning for each way in which the queue can lose messages.

    Raise ``Misconfigured`` if it ``receives_changes`` and is too small for the largest change, whose lane would wait for ever.
    """
    with resource.call("GetQueueAttributes"):
        response = client.get_queue_attributes(QueueUrl=resource.name, AttributeNames=["All"])
    attributes = response.get("Attributes", {})
    for loss in losses(attributes):
        log.warning("%s: %s %s", resource.setting, resource.name, loss, extra={"action": "queue_loses"})
    if receives_changes and (problem := too_small(attributes)):
        raise Misconfigured(f"{resource.setting}: {resource.name} {problem}")


def run_checks(checks: Iterable[Callable[[], None]]) -> None:
    """Run the checks of all resources. ``Misconfigured`` has one line for each problem, with its setting and its remedy."""
    problems = []
    for check in checks:
        try:
            check()
        except Misconfigured as error:
            problems.append(str(error))
    if problems:
        raise Misconfigured("\n".join(problems))
