"""
All rules of AwsSolutions (cdk-nag), and the stack's departures from them, each with its reason.

A finding that no departure covers fails the synthesis.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from aws_cdk import Acknowledgment, App, Stack, Validations

from tailrace_cdk.tailrace import Tailrace

PACK = "AwsSolutions"


@dataclass(frozen=True, kw_only=True)
class Departure:
    """``rule`` and ``where`` are patterns of the whole name of a finding and of the whole construct path below ``Tailrace``."""

    rule: str
    where: str
    reason: str

    def covers(self, rule: str, path: str) -> bool:
        return bool(re.fullmatch(self.rule, rule) and re.fullmatch(self.where, path))


DEPARTURES: Sequence[Departure] = (
    Departure(
        rule="SQS3",
        where="Queues/Parking/Resource|Events/.*Undelivered/Resource|Events/Bus/Unreadable/Resource",
        reason="It is the last queue for messages that cannot be delivered, and an alarm reports any message in it",
    ),
    Departure(
        rule="S1",
        where="State/Claims/Resource",
        reason="Only roles of this stack and accounts in its policy can read it; data events of CloudTrail record who did",
    ),
    Departure(
        rule="L1",
        where="Functions/(Forwarder|Redrive|Stream.*)/Resource",
        reason="The zip holds compiled dependencies for Python 3.13, which Lambda supports until 2029",
    ),
    Departure(
        rule=r"IAM5\[Resource::<\w*StateClaims\w+\.Arn>/.*\*\]",
        where="(Functions|Service)/.*",
        reason="Objects below one prefix of one bucket: their names are made of ids that do not exist yet",
    ),
    Departure(
        rule=r"IAM5\[Resource::\*\]",
        where="Functions/Stream.*Role/DefaultPolicy/Resource",
        reason="dynamodb:ListStreams, which Lambda needs, is granted for all streams or for none",
    ),
    Departure(
        rule=r"IAM5\[Resource::\*\]",
        where="(Service|Enabling)/Task/ExecutionRole/DefaultPolicy/Resource",
        reason="ecr:GetAuthorizationToken is granted for all registries or for none; the repository is named",
    ),
    Departure(
        rule=r"IAM5\[Resource::\*\]",
        where="Service/Task/Role/DefaultPolicy/Resource",
        reason="lambda:ListEventSourceMappings, with which the doctor finds the forwarder, is granted for all or for none",
    ),
    Departure(
        rule=r"IAM5\[Resource::arn:.*:task(-definition)?/.*\*\]",
        where="Enabling/Role/DefaultPolicy/Resource",
        reason="Revisions of one task definition and tasks of one cluster, whose numbers do not exist yet",
    ),
    Departure(
        rule="DDB3",
        where="State/LastStates/Resource",
        reason="A restored table would have old states of documents, which are wrong; without its items nothing is lost",
    ),
    Departure(
        rule="ECS2",
        where="(Service|Enabling)/Task/Definition/Resource",
        reason="The variables contain no secret: Secrets Manager provides user names and passwords when the task starts",
    ),
    Departure(
        rule="ECS4",
        where="Service/Cluster/Resource",
        reason="The alarms are on the tailer's own metrics; Container Insights costs more than the tasks",
    ),
    Departure(
        rule="DOC2",
        where="Database/Cluster",
        reason="Only the tailer's security group can connect to the port, and all tools expect this port",
    ),
    Departure(
        rule="DOC3",
        where="Database/Cluster",
        reason="DocumentDB itself keeps the administrator's password in Secrets Manager and rotates it each week",
    ),
    Departure(
        rule="DOC4",
        where="Database/Cluster",
        reason="The environment sets the days of backups: backup_days",
    ),
    Departure(
        rule=r"DOC5\[LogExport::\w+\]",
        where="Database/Cluster",
        reason="The audit log, which is exported, contains these events; DocumentDB has no exports of these names",
    ),
)


class Findings(Exception):
    """Findings that no departure covers: a line for each, with the rule, the construct and the problem."""


def installed() -> bool:
    return find_spec("cdk_nag") is not None


def check(app: App, stack: Stack) -> Sequence[Departure]:
    """Check every rule, and return the departure for each finding. Synthesis checks the rules again, without the departures."""
    from cdk_nag import AwsSolutionsChecks

    constructs = {construct.node.path: construct for construct in stack.node.find_all()}
    roots = [path for path, construct in constructs.items() if isinstance(construct, Tailrace)]
    needed: list[Departure] = []
    findings: list[str] = []
    for violation in AwsSolutionsChecks(app).validate_scope(stack).violations:
        rule = violation.rule_name.removeprefix(f"{PACK}-")
        for path in (resource.construct_path or "" for resource in violation.violating_resources):
            departure = next((one for one in DEPARTURES if one.covers(rule, _place(path, roots))), None)
            if departure is None:
                findings.append(f"{violation.rule_name} {path}: {violation.description}")
            else:
                acknowledgment = Acknowledgment(id=f"{PACK}::{violation.rule_name}", reason=departure.reason)
                Validations.of(constructs[path]).acknowledge(acknowledgment)
                needed.append(departure)
    if findings:
        raise Findings("\n".join(findings))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return needed


def _place(path: str, roots: Sequence[str]) -> str:
    """Return the part of a construct path below its ``Tailrace``; the whole path of any other construct."""
    return next((path.removeprefix(f"{root}/") for root in roots if path.startswith(f"{root}/")), path)
