"""Every rule of every security group. Nothing may connect to a tailer."""

import re

from aws_cdk import aws_ec2 as ec2

from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service

HTTPS = ec2.Port.tcp(443)
MONGODB_PORT = 27017  # if a URI names no port, and for mongodb+srv://


def connect(service: Service, network: Network, database: Database | None, mongodb_uri: str = "") -> None:
    """Allow tailers to connect to AWS services, and to the database or the hosts of the URI."""
    for tailers in service.security_groups:
        # S3 and DynamoDB have gateways, at addresses that a template cannot name. Without NAT there is a way to nothing else.
        tailers.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS")
        if network.endpoints:
            network.endpoints.add_ingress_rule(tailers, HTTPS, "Tailers")
        if database is None:
            for port in sorted(_ports(mongodb_uri)):
                tailers.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "MongoDB")
        else:
            _connect(tailers, database)
    if database:
        _allow_sts(database, network)


def _connect(tailers: ec2.ISecurityGroup, database: Database) -> None:
    """Rules for a database in another stack are made in this stack: otherwise each stack would need the other."""
    docdb = ec2.Port.tcp(database.port)
    for group in database.security_groups:
        tailers.add_egress_rule(group, docdb, "DocumentDB")
        group.add_ingress_rule(tailers, docdb, "Tailers", True)


def _allow_sts(database: Database, network: Network) -> None:
    """
    Allow the database to connect to STS, which checks who signs in with IAM.

    Whether DocumentDB does so from this network is not documented. The group of an existing cluster gets no egress rule.
    """
    if database.identifier:
        [group] = database.security_groups
        # By address: a rule that names a group is a resource of its own, and EC2's default rule to everywhere could stay.
        # Without an endpoint, STS has addresses that a template cannot name.
        sts = ec2.Peer.ipv4(network.vpc.vpc_cidr_block) if network.endpoints else ec2.Peer.any_ipv4()
        group.add_egress_rule(sts, HTTPS, "STS")
    if network.endpoints:
        for group in database.security_groups:
            network.endpoints.add_ingress_rule(group, HTTPS, "DocumentDB")


def _ports(uri: str) -> set[int]:
    """Return the ports of the hosts of a URI without credentials. IPv6 addresses are in brackets."""
    hosts = re.split(r"[/?]", uri.partition("://")[2], maxsplit=1)[0]
    return {int(found[1]) if (found := re.search(r":(\d+)$", host)) else MONGODB_PORT for host in hosts.split(",")}
