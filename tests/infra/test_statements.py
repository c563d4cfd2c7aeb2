"""The table of IAM statements matches the template, and its page is current."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from infra.package import REPOSITORY
from infra.pages.security import PAGE, page
from infra.statements import statements, table
from tailrace_cdk.synthesis.synthesis import Synthesised

Made = Callable[[str], Synthesised]
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}


def template(*found: dict[str, Any]) -> dict[str, Any]:
    """Build a template with a role and a policy with these statements."""
    document = {"Statement": list(found)}
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": document}}
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "stack/State/Claims/Resource"}}
    return {"Resources": {"Role": ROLE, "Policy": policy, "Bucket": bucket}}


def test_statements_page_is_current(made: Made) -> None:
    """Run ``make docs`` after a change of a right."""
    assert page(made("everything").template) == PAGE.read_text()


def test_every_statement_of_every_policy_is_in_the_table(made: Made) -> None:
    """Counted in the template, wherever a policy may be."""

    def counted(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(counted, value))
        if not isinstance(value, dict):
            return 0
        own = "Effect" in value and "Action" in value
        return int(own) + sum(map(counted, value.values()))

    whole = made("everything").template
    distinct = statements(whole)
    assert counted(whole["Resources"]) == len(distinct)
    names = {action for one in distinct for action in one.actions}
    assert all(name in table(whole) for name in names)
    assert len(distinct) == len(table(whole).splitlines()) - 2


def test_resource_is_named_by_its_path_in_the_stack() -> None:
    """Readers do not know logical ids."""
    objects = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/events/*"]]}
    other = {"Fn::Sub": "arn:${AWS::Partition}:x:${AWS::Region}"}
    allowed = {"Sid": "ReadAnEvent2", "Effect": "Allow", "Action": "s3:GetObject", "Resource": [objects, other]}
    [one] = statements(template(allowed))
    assert one.who == "Role"
    assert one.actions == ("s3:GetObject",)
    assert one.resources == ("State/Claims/events/*", "arn:aws:x:REGION")
    assert one.why == "read an event"


def test_condition_is_described_in_words() -> None:
    condition = {"ArnLike": {"aws:SourceArn": ["a*", "b"]}, "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    [one] = statements(template({"Effect": "Allow", "Action": ["a:B"], "Resource": "*", "Condition": condition}))
    assert one.conditions == ("aws:SourceArn is like a* or b", "aws:SourceAccount is ACCOUNT")


def test_denied_action_is_marked() -> None:
    text = table(template({"Effect": "Deny", "Action": "a:B", "Resource": "*"}))
    assert "| Role | **not** `a:B` | `*` |  |  |" in text


def test_unknown_comparison_is_an_error() -> None:
    """The table must not omit a condition."""
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    with pytest.raises(KeyError, match="IpAddress"):
        statements(template({"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": condition}))


def test_every_guarantee_names_an_existing_test() -> None:
    """By its file, and by its function if one is named."""
    page = (REPOSITORY / "docs" / "operations" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)`(?: `(test_\w+)`)?", page.partition("## Proven, and not")[2])
    assert len(named) > 15
    missing = [(file, test) for file, test in named if f"def {test}" not in (REPOSITORY / file).read_text()]
    assert missing == []
