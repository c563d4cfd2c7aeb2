"""The commands of the page on an existing VPC, for a cluster that the emulator has."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devstack import DevStack
from tests.howto.page import Page

NAME = "payments"
RETENTION = "change_stream_log_retention_duration"


@pytest.fixture
def vpc(stack: DevStack) -> Iterator[str]:
    """A cluster with a parameter group and subnets of its own. The VPC's id."""
    docdb, network = stack.aws("docdb"), stack.aws("ec2")
    vpc: str = network.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        network.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("eu-west-1a", "eu-west-1b"))
    ]
    docdb.create_db_subnet_group(DBSubnetGroupName=NAME, DBSubnetGroupDescription=NAME, SubnetIds=subnets)
    docdb.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=NAME, DBParameterGroupFamily="docdb5.0", Description=NAME
    )
    docdb.create_db_cluster(
        DBClusterIdentifier=NAME,
        Engine="docdb",
        DBSubnetGroupName=NAME,
        DBClusterParameterGroupName=NAME,
        VpcSecurityGroupIds=["sg-0a1b2c3d"],
        MasterUsername="administrator",
        ManageMasterUserPassword=True,
    )
    yield vpc
    docdb.delete_db_cluster(DBClusterIdentifier=NAME, SkipFinalSnapshot=True)


def test_every_command_runs(page: Page, owner: Page, stack: DevStack, vpc: str) -> None:
    """The settings of the page are found, and the history lasts for a day."""
    found: dict[str, Any] = {}
    for settings in page.run().replace("}\n{", "}\n\n{").split("\n\n"):
        found |= json.loads(settings)
    assert (found["vpc_id"], found["security_group_id"]) == (vpc, "sg-0a1b2c3d")
    assert len(found["private_subnet_ids"]) == len(found["availability_zones"]) == 2
    assert found["host"]
    assert found["admin_secret_arn"] is None  # the emulator manages no password of a cluster
    page.run()
    group = stack.aws("docdb").describe_db_cluster_parameters(DBClusterParameterGroupName=NAME)["Parameters"]
    assert [one["ParameterValue"] for one in group if one["ParameterName"] == RETENTION] == ["86400"]
    assert "--environment 'mine' deploy" in page.run_all()
