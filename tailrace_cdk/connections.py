"""Every rule of every security group: who may connect to whom. Nothing may connect to a tailer."""

import re

from aws_cdk import aws_ec2 as ec2

from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service

HTTPS = ec2.Port.tcp(443)
MONGODB_PORT = 27017  # if a URI names no port, and for mongodb+srv://


def connect(service: Service, network: Network, database: Database | None, mongodb_uri: str = "") -> None:
    """Let tailers reach what they watch, which is the database, or else the hosts of the URI; and the services of AWS."""
    tailers = service.security_group
    # S3 and DynamoDB are behind gateways, at addresses that a template cannot name. Without NAT nothing else can be reached.
    tailers.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS")
    if network.endpoints:
        network.endpoints.add_ingress_rule(tailers, HTTPS, "Tailers")
    if database is None:
        for port in sorted(_ports(mongodb_uri)):
            tailers.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "MongoDB")
        return
    tailers.add_egress_rule(database.security_group, ec2.Port.tcp(database.port), "DocumentDB")
    database.security_group.add_ingress_rule(tailers, ec2.Port.tcp(database.port), "Tailers")
    _let_ask_sts(database, network)


def _let_ask_sts(database: Database, network: Network) -> None:
    """
    DocumentDB asks STS who signs in with IAM. Whether it does so from this network is not documented, so it may, in every one.

    Of an existing cluster the group is not ours to say where it leads to.
    """
    if database.identifier:
        # By address: a rule that names a group stands outside this one, where EC2's own, to everywhere, could stay beside it.
        # Without an endpoint STS is at addresses that a template cannot name.
        sts = ec2.Peer.ipv4(network.vpc.vpc_cidr_block) if network.endpoints else ec2.Peer.any_ipv4()
        database.security_group.add_egress_rule(sts, HTTPS, "STS")
    if network.endpoints:
        network.endpoints.add_ingress_rule(database.security_group, HTTPS, "DocumentDB")


def _ports(uri: str) -> set[int]:
    """Of the hosts of a URI without credentials. IPv6 addresses stand in brackets."""
    hosts = re.split(r"[/?]", uri.partition("://")[2], maxsplit=1)[0]
    return {int(found[1]) if (found := re.search(r":(\d+)$", host)) else MONGODB_PORT for host in hosts.split(",")}
