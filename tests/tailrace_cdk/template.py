"""Templates of environments that are valid by default, each synthesised once."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from tailrace_cdk.config import Environment
from tailrace_cdk.stack import TailraceStack
from tests.tailrace_cdk.package import package as package_of

Resource = Mapping[str, Any]
STREAMS = [{"name": "payments", "database": "payments", "collections": ["payments"]}]
HOST = "orders.cluster-c1.eu-west-1.docdb.amazonaws.com"
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:tailer-AbCdEf"
EXISTING_VPC = {
    "vpc_id": "vpc-0a1b2c3d",
    "private_subnet_ids": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    "availability_zones": ["eu-west-1a", "eu-west-1b"],
}
EXISTING_DATABASE = {"host": HOST, "security_group_id": "sg-0a1b2c3d", "admin_secret_arn": SECRET}


def environment(**tables: Any) -> Environment:
    """Build an environment with its own database, one stream, and these tables."""
    return Environment.model_validate({"name": "test", "database": {}, "streams": STREAMS, **tables})


def unchecked(folder: Path | str) -> App:
    """
    Return an app without the CDK's own check of a template, which takes seconds in each process and a second for each template.
    ``tests/infra/test_synthesis.py`` has a template of every kind checked.
    """
    return App(outdir=str(folder), builtin_cloud_formation_validation=False)


def stack(**tables: Any) -> Template:
    """Return the whole stack of such an environment."""
    return _stack(json.dumps(tables))


@cache
def _stack(tables: str) -> Template:
    with TemporaryDirectory() as folder:
        package = package_of(Path(folder))
        stack = TailraceStack(unchecked(f"{folder}/cdk.out"), environment(**json.loads(tables)), package=package)
        return Template.from_stack(stack)


def of_type(template: Template, kind: str) -> dict[str, Resource]:
    """Return the properties of each resource of the type by its logical id."""
    return {name: resource.get("Properties", {}) for name, resource in template.find_resources(kind).items()}


def only(template: Template, kind: str, part: str = "") -> Resource:
    """Return the properties of the one resource of the type whose logical id has this part."""
    [found] = [properties for name, properties in of_type(template, kind).items() if part in name]
    return found


def container(template: Template, task: str = "Service") -> dict[str, Any]:
    """Return the one container of a task definition."""
    [container] = only(template, "AWS::ECS::TaskDefinition", task)["ContainerDefinitions"]
    return dict(container)


def variables(template: Template, task: str = "Service") -> dict[str, Any]:
    """Return that container's environment variables, without secrets."""
    return {one["Name"]: one["Value"] for one in container(template, task)["Environment"]}
