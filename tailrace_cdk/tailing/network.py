"""The network that the tailer and its database live in."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk import trust
from tailrace_cdk.config import Environment
from tailrace_cdk.config import Network as Settings
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.removal import removal_policy
from tailrace_cdk.tailing import endpoints

MOST_ZONES = 3  # of the setting
FLOW_LOG_DAYS = 30
FLOW_LOG_SECONDS = 600  # AWS's longest: connections here last for days, and each interval is a line for each


class Network(Construct):
    """
    An existing VPC by its ids, in which the stack makes nothing and looks nothing up; or a new VPC.

    Nobody gets into its own. With egress ``endpoints`` nothing gets out of it either, but to the services that a task needs;
    with ``nat`` it has a way to the internet. A subnet has the same addresses in every shape, used or not: they cannot be
    changed, and another subnet could not have them while it is there.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._settings = environment.network
        self._key = key
        self.endpoints: ec2.SecurityGroup | None = None
        """Of the interface endpoints, if there are any. It has no ingress rule by itself."""
        self.flow_log: LogGroup | None = None
        self.flow_log_role: iam.Role | None = None
        """What writes ``flow_log``: it begins without the right to."""
        self.vpc: ec2.IVpc = self._existing() if self._settings.vpc_id else self._made()
        self.subnets = ec2.SubnetSelection(subnets=self.vpc.private_subnets or self.vpc.isolated_subnets)

    def _existing(self) -> ec2.IVpc:
        return ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=self._settings.vpc_id,
            availability_zones=list(self._settings.availability_zones),
            private_subnet_ids=list(self._settings.private_subnet_ids),
        )

    def _made(self) -> ec2.IVpc:
        settings, nat = self._settings, self._settings.egress == "nat"
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat else ec2.SubnetType.PRIVATE_ISOLATED
        public = ec2.SubnetType.PUBLIC
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.cidr),
            availability_zones=_names(settings),
            reserved_azs=MOST_ZONES - settings.zones,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Private", subnet_type=private),
                ec2.SubnetConfiguration(name="Public", subnet_type=public, map_public_ip_on_launch=False, reserved=not nat),
            ],
            nat_gateways=min(settings.nat_gateways, settings.zones) if nat else 0,
        )
        _place_by_id(vpc, settings.zone_ids)
        self._keep(vpc)
        self._log_flows(vpc)
        endpoints.add_gateways(vpc)
        if not nat:
            self.endpoints = ec2.SecurityGroup(
                self, "Endpoints", vpc=vpc, description="Endpoints of AWS services", allow_all_outbound=False
            )
            endpoints.add_interfaces(vpc, self._environment, self.endpoints)
        return vpc

    def _keep(self, vpc: ec2.Vpc) -> None:
        """
        A database that outlives the stack lives on in this VPC, an existing one as well: only one that was restored from ours
        is here at all. Its subnets must stay. They cost nothing.
        """
        if self._environment.database:
            for owner in (vpc, *vpc.private_subnets, *vpc.isolated_subnets):
                for part in owner.node.children:
                    if isinstance(part, ec2.CfnVPC | ec2.CfnSubnet):
                        part.apply_removal_policy(removal_policy(self._environment))

    def _log_flows(self, vpc: ec2.Vpc) -> None:
        removal = removal_policy(self._environment)
        self.flow_log = LogGroup(self, "FlowLog", days=FLOW_LOG_DAYS, key=self._key, removal=removal)
        self.flow_log_role = iam.Role(
            self, "FlowLogRole", assumed_by=trust.service("vpc-flow-logs", source="ec2:vpc-flow-log/*")
        )
        ec2.CfnFlowLog(
            self,
            "Flows",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            max_aggregation_interval=FLOW_LOG_SECONDS,
            log_destination_type="cloud-watch-logs",
            log_group_name=self.flow_log.log_group_name,
            deliver_logs_permission_arn=self.flow_log_role.role_arn,
        )


def _names(settings: Settings) -> list[str]:
    """The zones by name; else by number, since the names of a region's zones are known to an account only."""
    named = settings.availability_zones if not settings.zone_ids else ()
    return list(named) or [Fn.select(zone, Fn.get_azs()) for zone in range(settings.zones)]


def _place_by_id(vpc: ec2.Vpc, ids: Sequence[str]) -> None:
    """Put the subnets into zones by their ids, which the CDK cannot do: an id is the same zone in every account."""
    for subnets in (vpc.private_subnets, vpc.isolated_subnets, vpc.public_subnets):
        for subnet, zone_id in zip(subnets, ids, strict=False):
            resource = cast(ec2.CfnSubnet, subnet.node.default_child)
            resource.add_property_deletion_override("AvailabilityZone")
            resource.add_property_override("AvailabilityZoneId", zone_id)
