"""The arguments of ``Tailrace`` as one checked environment."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Names
from aws_cdk import aws_docdb as docdb
from constructs import Construct
from pydantic import BaseModel

from tailrace_cdk.config import NAME_LIMIT, Database, Environment, Forwarder, Network, Tailer, checked
from tailrace_cdk.existing import Existing

OF_A_NEW_CLUSTER = ("host", "port", "security_group_id", "engine_version", "instance_class", "instances", "backup_days")
ROUTED = Network(egress="nat")
"""What is assumed of an existing VPC: it has routes of its own, of which nothing is known here."""
REPLACED: Mapping[str, tuple[str, ...]] = {
    "alarm_topic": ("alarms.email", "alarms.topic_arn"),
    "admin_secret": ("database.admin_secret_arn",),
    "cluster": ("network",),
    "docdb_cluster": (*(f"database.{name}" for name in OF_A_NEW_CLUSTER), "database.authentication"),
    "image": ("tailer.image",),
    "key": ("customer_key",),
    "log_group": ("tailer.log_days", "forwarder.log_days"),
    "mongodb_secret": ("tailer.secret_arn", "database.secret_arn"),
    "vpc": ("network",),
}
"""The settings that say nothing about an existing part."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "admin_secret": ("docdb_cluster",),
    "dead_letter_queue": ("changes_queue",),
    "security_groups": ("vpc", "cluster"),
    "subnets": ("vpc", "cluster"),
}
"""Existing parts that belong to another one."""


def environment(scope: Construct, tables: Mapping[str, Any], existing: Existing) -> Environment:
    """
    Return the settings of a ``Tailrace``. The default of ``name`` is made of the names of the stack and the construct.

    Raises:
        Misconfigured: the settings and the existing parts do not fit together. The text names each and the remedy.
    """
    where = f"Tailrace {scope.node.path}"
    given = {name: value for name, value in tables.items() if value is not None}
    mistakes = list(_mistakes(given, existing))
    if has_network(existing):
        given.setdefault("network", ROUTED)
    if "docdb_cluster" in existing:
        given.setdefault("database", Database())
    if mappers := given.pop("mappers"):
        given["forwarder"] = given.get("forwarder", Forwarder()).model_dump(exclude_unset=True) | {"mappers": mappers}
    given["name"] = given["name"] or _name(scope)
    return checked(given, where, mistakes)


def has_network(existing: Existing) -> bool:
    return "vpc" in existing or "cluster" in existing


def _name(scope: Construct) -> str:
    """Return a name that no other ``Tailrace`` of the account has, unless it is in a stack of the same name."""
    return re.sub(
        "-+",
        "-",
        Names.unique_resource_name(scope, max_length=NAME_LIMIT, separator="-", allowed_special_characters="-").lower(),
    )


def _mistakes(tables: Mapping[str, Any], existing: Existing) -> Iterator[str]:
    for part, settings in REPLACED.items():
        if part in existing and (set_ := [setting for setting in settings if _is_set(tables, setting)]):
            yield f"{part}: it exists already, so {', '.join(set_)} would have no effect: leave that out, or {part}"
    for part, others in NEEDED.items():
        if part in existing and not any(other in existing for other in others):
            yield f"{part}: it belongs to {' or '.join(others)}: give that too"
    tailer, forwarder = tables.get("tailer") or Tailer(), tables.get("forwarder") or Forwarder()
    if "mongodb_secret" in existing and not (tailer.mongodb_uri or "docdb_cluster" in existing or tables.get("database")):
        yield "mongodb_secret: it belongs to tailer.mongodb_uri, database or docdb_cluster: set or give one"
    if tables.get("mappers") and forwarder.mappers:
        yield "mappers: forwarder.mappers is set too: leave out one of them"
    if not tables.get("mappers") and not forwarder.mappers:
        yield "mappers: the package does not say which mappers it has: name their table as module:name"
    if cluster := existing.get("docdb_cluster"):
        database = tables.get("database") or Database()
        secret = existing.get("admin_secret") or (isinstance(cluster, docdb.DatabaseCluster) and cluster.secret)
        if database.enable_change_streams and not secret:
            yield (
                "docdb_cluster: an administrator enables change streams, and no secret of one is known: give admin_secret, or "
                "set database.enable_change_streams to false"
            )


def _is_set(tables: Mapping[str, Any], setting: str) -> bool:
    table, _, name = setting.partition(".")
    found = tables.get(table)
    if isinstance(found, BaseModel):
        return found != ROUTED and (name in found.model_fields_set if name else bool(found.model_fields_set))
    return bool(found)
