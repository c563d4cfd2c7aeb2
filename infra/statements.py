"""Every statement of every policy of a template: who may do what, on which resource, under which condition, and why."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
_DOCUMENTS = {  # of resources that carry a policy about themselves: the property that holds it
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::EventsV2::ResourcePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
}
_PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::URLSuffix": "amazonaws.com"}
_UNSAID = {  # why, of those that the CDK writes without a name
    "aws:SecureTransport": "nothing without TLS",
    "s3:TlsVersion": "nothing below TLS 1.2",
}
_COMPARED = {
    "ArnEquals": "is",
    "ArnLike": "is like",
    "ArnNotLike": "is not like",
    "Bool": "is",
    "ForAllValues:StringLike": "is like",
    "NumericLessThan": "is below",
    "Null": "is missing:",
    "StringEquals": "is",
    "StringEqualsIfExists": "is, where there is one,",
    "StringLike": "is like",
    "StringNotEquals": "is not",
}


@dataclass(frozen=True, kw_only=True, order=True)
class Statement:
    """One statement, in words: resources by where they are in the stack, ``*`` in a resource's own policy by itself."""

    who: str
    allowed: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]
    why: str
    own: bool = False
    """Whether it is of a resource's own policy."""


def statements(template: Resource) -> list[Statement]:
    """All of a template, sorted by who they are about."""
    names = _names(template)
    found = (
        one for logical, resource in template["Resources"].items() for one in _of_resource(resource, names, names[logical])
    )
    return sorted(set(found))


def table(template: Resource) -> str:
    """Them as a table in Markdown."""
    lines = ["| who | may | on | if | why |", "|---|---|---|---|---|"]
    for one in statements(template):
        may = ("" if one.allowed else "**not** ") + "<br>".join(f"`{action}`" for action in one.actions)
        on, when = ("<br>".join(f"`{text}`" for text in texts) for texts in (one.resources, one.conditions))
        lines.append(f"| {one.who} | {may} | {on} | {when} | {one.why} |")
    return "\n".join(lines)


def _names(template: Resource) -> dict[str, str]:
    """Logical id → where it is in the stack."""
    names = {}
    for logical, resource in template["Resources"].items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", logical)
        names[logical] = "/".join(part for part in path.split("/")[1:] if part not in ("Resource", "Default")) or logical
    return names


def _of_resource(resource: Resource, names: Mapping[str, str], name: str) -> Iterator[Statement]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind == "AWS::IAM::Policy":
        who = ", ".join(_text(role, names) for role in properties.get("Roles", ()))
        yield from (_statement(one, names, who=who) for one in _listed(properties["PolicyDocument"]["Statement"]))
    elif kind == "AWS::IAM::Role":
        yield from (
            _statement(one, names, own=name, why="be it")
            for one in _listed(properties["AssumeRolePolicyDocument"]["Statement"])
        )
        for policy in properties.get("Policies", ()):
            yield from (_statement(one, names, who=name) for one in _listed(policy["PolicyDocument"]["Statement"]))
    elif kind == "AWS::Events::EventBusPolicy":
        yield _statement(properties["Statement"], names, own=name)
    elif kind == "AWS::DynamoDB::Table":
        policy = properties.get("ResourcePolicy", {}).get("PolicyDocument", {"Statement": []})
        yield from (_statement(one, names, own=name) for one in _listed(policy["Statement"]))
    elif kind == "AWS::Lambda::Permission":
        one = {"Principal": properties["Principal"], "Action": properties["Action"], "Resource": properties["FunctionName"]}
        yield _statement(one, names, own=name, why="invoke it")
    elif document := properties.get(_DOCUMENTS.get(kind, "")):
        yield from (_statement(one, names, own=name) for one in _listed(document["Statement"]))


def _statement(one: Resource, names: Mapping[str, str], *, who: str = "", own: str = "", why: str = "") -> Statement:
    resources = tuple(_text(resource, names) for resource in _listed(one.get("Resource", "*")))
    conditions = tuple(
        f"{key} {_COMPARED[operator]} {' or '.join(_text(value, names) for value in _listed(values))}"
        for operator, keys in one.get("Condition", {}).items()
        for key, values in keys.items()
    )
    unsaid = next((reason for key, reason in _UNSAID.items() if key in str(conditions)), why)
    return Statement(
        who=who or _principal(one["Principal"], names),
        allowed=one.get("Effect", "Allow") == "Allow",
        actions=tuple(_listed(one["Action"])),
        resources=tuple(own if resource == "*" and own else resource for resource in resources),
        conditions=conditions,
        why=_spaced(one["Sid"]) if one.get("Sid") else unsaid,
        own=bool(own),
    )


def _principal(principal: Any, names: Mapping[str, str]) -> str:
    if principal == "*":
        return "anybody"
    values = [principal] if isinstance(principal, str) else [value for some in principal.values() for value in _listed(some)]
    return ", ".join("anybody" if value == "*" else _text(value, names) for value in values)


def _text(value: Any, names: Mapping[str, str]) -> str:
    """The value of a template's expression, as far as it is known without an account."""
    match value:
        case str():
            return value
        case {"Ref": logical}:
            return _PSEUDO.get(logical) or names.get(logical, logical)
        case {"Fn::GetAtt": [logical, *_]}:
            return names[logical]
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_text(part, names) for part in parts)
        case {"Fn::Sub": str(pattern)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: _text({"Ref": found[1]}, names), pattern)
        case _:
            return str(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _spaced(sid: str) -> str:
    """``PublishEvents`` → ``publish events``. Numbers only make a name unique."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", sid.rstrip("0123456789")).lower()
