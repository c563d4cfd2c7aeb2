"""The DocumentDB that the tailer watches."""

from typing import cast

from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.config import Database as Settings
from tailrace_cdk.existing import Existing
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.tailing.imported_secret import imported_secret
from tailrace_cdk.tailing.network import Network

ADMINISTRATOR = "tailrace"  # DocumentDB reserves the name "admin"
AUDIT_DAYS = 90
IAM = "authMechanism=MONGODB-AWS&authSource=%24external"


class Database(Construct):
    """
    A new cluster, or an existing one, which is not changed.

    A new cluster accepts TLS connections only, is encrypted, and has no ingress rule by itself. DocumentDB
    creates the administrator's password, keeps it in a secret that a template cannot name, and changes it every week: read the
    secret's ARN from the cluster. The cluster has a fixed name, so a change that would replace it by an empty one fails.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        identifier: str,
        settings: Settings,
        network: Network,
        key: kms.IKey | None,
        protected: bool,
        existing: Existing,
    ) -> None:
        super().__init__(scope, id)
        self.settings = settings
        self._key = key
        self._protected = protected
        cluster = existing.get("docdb_cluster")
        self.identifier = "" if settings.host or cluster else identifier
        """The name of a new cluster; empty for an existing one."""
        self.admin_secret = existing.get("admin_secret") or imported_secret(
            self, "Administrator", settings.admin_secret_arn, settings.admin_secret_key_arn
        )
        """The administrator's secret of an existing cluster, if it is known."""
        self.sign_in = existing.get("mongodb_secret") or imported_secret(
            self, "SignIn", settings.secret_arn, settings.secret_key_arn
        )
        """The secret that the tailer signs in with. Without it the tailer signs in with the role of its task."""
        self.port: int = settings.port
        if cluster:
            self._use(cluster)
        elif settings.host:
            group = ec2.SecurityGroup.from_security_group_id(self, "SecurityGroup", settings.security_group_id)
            self.address, self.security_groups = f"{settings.host}:{settings.port}", [group]
        else:
            self.address, self.security_groups = self._make(network)

    @property
    def iam(self) -> bool:
        """Whether the tailer signs in with the role of its task."""
        return self.sign_in is None

    def uri(self, *, iam: bool) -> str:
        """Return its URI without credentials, to sign in with the role of the task (``iam``) or with a user and password."""
        options = f"replicaSet=rs0&readPreference=primary&retryWrites=false&tls=true{'&' + IAM if iam else ''}"
        return f"mongodb://{self.address}/?{options}"

    def _use(self, cluster: docdb.IDatabaseCluster) -> None:
        self.address = cluster.cluster_endpoint.socket_address
        self.port = cast(int, cluster.cluster_endpoint.port)
        self.security_groups = cluster.connections.security_groups
        if not self.admin_secret and isinstance(cluster, docdb.DatabaseCluster):
            self.admin_secret = cluster.secret

    def _make(self, network: Network) -> tuple[str, list[ec2.ISecurityGroup]]:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="The DocumentDB that the tailer watches",
            allow_all_outbound=False,
        )
        subnets = network.vpc.select_subnets(subnets=network.subnets.subnets)
        cluster = self._cluster(subnets.subnet_ids, group)
        # DocumentDB itself would make this log group, without an end of retention: it must exist first.
        audit = LogGroup(self, "Audit", days=AUDIT_DAYS, key=self._key, name=f"/aws/docdb/{self.identifier}/audit")
        cluster.node.add_dependency(audit)
        zones = list(dict.fromkeys(map(_zone, subnets.subnets)))
        for number in range(self.settings.instances):
            docdb.CfnDBInstance(
                self,
                f"Instance{number + 1}",
                db_cluster_identifier=cluster.ref,
                db_instance_class=f"db.{self.settings.instance_class}",
                availability_zone=zones[number % len(zones)],
                auto_minor_version_upgrade=True,
            )
        return f"{cluster.attr_endpoint}:{self.settings.port}", [group]

    def _cluster(self, subnet_ids: list[str], group: ec2.ISecurityGroup) -> docdb.CfnDBCluster:
        settings = self.settings
        key = self._key.key_arn if self._key else None
        subnets = docdb.CfnDBSubnetGroup(
            self, "Subnets", db_subnet_group_description=f"Private subnets of {self.identifier}", subnet_ids=subnet_ids
        )
        return docdb.CfnDBCluster(
            self,
            "Cluster",
            db_cluster_identifier=self.identifier,
            engine_version=settings.engine_version,
            port=settings.port,
            db_subnet_group_name=subnets.ref,
            vpc_security_group_ids=[group.security_group_id],
            db_cluster_parameter_group_name=self._parameters().ref,
            master_username=ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key,
            storage_encrypted=True,
            kms_key_id=key,
            backup_retention_period=settings.backup_days,
            copy_tags_to_snapshot=True,
            enable_cloudwatch_logs_exports=["audit"],
            deletion_protection=self._protected,
        )

    def _parameters(self) -> docdb.CfnDBClusterParameterGroup:
        return docdb.CfnDBClusterParameterGroup(
            self,
            "Parameters",
            description=f"Parameters of {self.identifier}",
            family=f"docdb{self.settings.engine_version.rpartition('.')[0]}",
            parameters={
                "tls": "tls1.2+",  # "enabled" would accept TLS 1.0 too
                "change_stream_log_retention_duration": str(self.settings.history_seconds),
                "audit_logs": "ddl",  # who signed in and who changed change streams; "all" would log documents too
            },
        )


def _zone(subnet: ec2.ISubnet) -> str:
    """Return the name of the subnet's zone. For a subnet of the stack CloudFormation reports it: it may be placed by id."""
    return subnet.subnet_availability_zone if isinstance(subnet, ec2.Subnet) else subnet.availability_zone
