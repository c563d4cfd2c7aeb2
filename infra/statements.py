"""The statements of all policies of a template: principals, actions, resources, conditions, and what each is for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
_PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::URLSuffix": "amazonaws.com"}
_PURPOSES = {  # of the statements that the CDK writes without a name, by a condition key
    "aws:SecureTransport": "nothing without TLS",
    "s3:TlsVersion": "nothing below TLS 1.2",
}
_OPERATORS = {
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
    """
    One statement in words. A resource is named by its place in the stack; ``*`` in a resource's own policy is that resource.

    ``own``: the statement is part of a resource's own policy.
    """

    who: str
    allowed: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]
    why: str
    own: bool = False


def statements(template: Resource) -> list[Statement]:
    """Return all statements of a template, sorted by their principals."""
    names = _names(template)
    found = ((names[logical], resource) for logical, resource in template["Resources"].items())
    return sorted({one for name, resource in found for one in _of_resource(resource, names, name)})


def table(template: Resource) -> str:
    lines = ["| who | may | on | if | why |", "|---|---|---|---|---|"]
    for one in statements(template):
        may = ("" if one.allowed else "**not** ") + "<br>".join(f"`{action}`" for action in one.actions)
        on, when = ("<br>".join(f"`{text}`" for text in texts) for texts in (one.resources, one.conditions))
        lines.append(f"| {one.who} | {may} | {on} | {when} | {one.why} |")
    return "\n".join(lines)


def _names(template: Resource) -> dict[str, str]:
    """Return the place of each resource in the stack, by its logical id."""
    names = {}
    for logical, resource in template["Resources"].items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", logical)
        names[logical] = "/".join(part for part in path.split("/")[1:] if part not in ("Resource", "Default")) or logical
    return names


def _of_resource(resource: Resource, names: Mapping[str, str], name: str) -> Iterator[Statement]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    roles = {"AWS::IAM::Role": [name], "AWS::IAM::Policy": properties.get("Roles", ())}.get(kind, ())
    who = ", ".join(_text(role, names) for role in roles)
    for place, value in properties.items():
        for one in _below(value):
            if place == "AssumeRolePolicyDocument":
                yield _statement(one, names, own=name, why="be it")
            else:
                yield _statement(one, names, who=who, own="" if who else name)
    if kind == "AWS::Lambda::Permission":
        one = {"Principal": properties["Principal"], "Action": properties["Action"], "Resource": properties["FunctionName"]}
        yield _statement(one, names, own=name, why="invoke it")


def _below(value: Any) -> Iterator[Resource]:
    """Every statement in a value, however deep: a policy is found in a property of any name."""
    if isinstance(value, dict) and {"Effect", "Action"} <= value.keys():
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _below(inner)


def _statement(one: Resource, names: Mapping[str, str], *, who: str = "", own: str = "", why: str = "") -> Statement:
    resources = tuple(_text(resource, names) for resource in _listed(one.get("Resource", "*")))
    conditions = tuple(
        f"{key} {_OPERATORS[operator]} {' or '.join(_text(value, names) for value in _listed(values))}"
        for operator, keys in one.get("Condition", {}).items()
        for key, values in keys.items()
    )
    unnamed = next((purpose for key, purpose in _PURPOSES.items() if key in str(conditions)), why)
    return Statement(
        who=who or _principal(one["Principal"], names),
        allowed=one.get("Effect", "Allow") == "Allow",
        actions=tuple(_listed(one["Action"])),
        resources=tuple(own if resource == "*" and own else resource for resource in resources),
        conditions=conditions,
        why=_spaced(one["Sid"]) if one.get("Sid") else unnamed,
        own=bool(own),
    )


def _principal(principal: Any, names: Mapping[str, str]) -> str:
    if principal == "*":
        return "anybody"
    values = [principal] if isinstance(principal, str) else [value for some in principal.values() for value in _listed(some)]
    return ", ".join("anybody" if value == "*" else _text(value, names) for value in values)


def _text(value: Any, names: Mapping[str, str]) -> str:
    """Return the text of an expression, as far as it is known without an account."""
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
    """Return ``publish events`` for ``PublishEvents``. A number at the end only makes the name unique."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", sid.rstrip("0123456789")).lower()
