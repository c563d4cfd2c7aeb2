"""The network of the tailer and its database."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.config import Network as Settings
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.policies import service_principal
from tailrace_cdk.tailing import endpoints

MOST_ZONES = 3  # that the setting zones allows
FLOW_LOG_DAYS = 30
FLOW_LOG_SECONDS = 600  # AWS's longest: connections last for days, and each has a line for each interval


class Network(Construct):
    """
    An existing VPC, in which nothing is made and nothing is looked up, or a new VPC.

    Nothing can connect into a new VPC. With egress ``endpoints`` it leads only to the AWS services that a task needs, with
    ``nat`` also to the internet. The addresses of each subnet are the same for every choice of settings: they cannot be changed
    later, and no other subnet could have them while the subnet exists.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.IKey | None,
        vpc: ec2.IVpc | None = None,
        subnets: Sequence[ec2.ISubnet] = (),
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._settings = environment.network
        self._key = key
        self.endpoints: ec2.SecurityGroup | None = None
        """The group of the interface endpoints, if there are any. It has no ingress rule yet."""
        self.flow_log: LogGroup | None = None
        self.flow_log_role: iam.Role | None = None
        """The role that writes ``flow_log``. It has no right yet."""
        self.vpc: ec2.IVpc = vpc or (self._imported() if self._settings.vpc_id else self._made())
        chosen = list(subnets) or self.vpc.private_subnets or self.vpc.isolated_subnets
        self.subnets = ec2.SubnetSelection(subnets=chosen)

    def _imported(self) -> ec2.IVpc:
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
        self._log_flows(vpc)
        endpoints.add_gateways(vpc)
        if not nat:
            self.endpoints = ec2.SecurityGroup(
                self, "Endpoints", vpc=vpc, description="Endpoints of AWS services", allow_all_outbound=False
            )
            endpoints.add_interfaces(vpc, self._environment, self.endpoints)
        return vpc

    def _log_flows(self, vpc: ec2.Vpc) -> None:
        self.flow_log = LogGroup(self, "FlowLog", days=FLOW_LOG_DAYS, key=self._key)
        self.flow_log_role = iam.Role(
            self, "FlowLogRole", assumed_by=service_principal("vpc-flow-logs", source="ec2:vpc-flow-log/*")
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
    """Return the zones by name, or by number: only an account knows the names of the zones of a region."""
    named = settings.availability_zones if not settings.zone_ids else ()
    return list(named) or [Fn.select(zone, Fn.get_azs()) for zone in range(settings.zones)]


def _place_by_id(vpc: ec2.Vpc, ids: Sequence[str]) -> None:
    """Place the subnets by zone ids, which the CDK cannot do. An id is the same zone in every account."""
    for subnets in (vpc.private_subnets, vpc.isolated_subnets, vpc.public_subnets):
        for subnet, zone_id in zip(subnets, ids, strict=False):
            resource = cast(ec2.CfnSubnet, subnet.node.default_child)
            resource.add_property_deletion_override("AvailabilityZone")
            resource.add_property_override("AvailabilityZoneId", zone_id)
