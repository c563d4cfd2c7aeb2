"""DocumentDB users for IAM roles: they sign in without a password and have only the rights of a tailer."""

import re
from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.errors import Misconfigured
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.scopes import Scope

Role = dict[str, str]
"""``{"role": …, "db": …}``, as MongoDB writes it."""

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
_EXISTS, _NOT_FOUND = 51003, 11  # MongoDB's codes for users
_DENIED = "the user may not manage users: sign in as the cluster's primary user, or one with userAdminAnyDatabase"


def roles(scopes: Sequence[Scope], also_writes: str = "") -> list[Role]:
    """
    The roles that a tailer of these scopes needs. ``read`` includes ``find`` and ``changeStream``, and is granted per database.

    ``also_writes`` is the database of the checkpoints, if they are in the same cluster.
    """
    databases = sorted({scope.database for scope in scopes})
    if "" in databases:
        needed = [{"role": "readAnyDatabase", "db": "admin"}]
    else:
        needed = [{"role": "read", "db": database} for database in databases]
    return needed + ([{"role": "readWrite", "db": also_writes}] if also_writes else [])


def checked(principal: str) -> str:
    """Return the ARN of an IAM role or user, which is also the name of its user; refuse any other principal."""
    if not _PRINCIPAL.fullmatch(principal):
        raise Misconfigured(
            f"--reader {principal} is not the ARN of an IAM role or user, e.g. arn:aws:iam::123456789012:role/tailer"
        )
    return principal


class IamUsers:
    """The users of a cluster's ``$external`` database. ``Misconfigured``: the user that signed in may not manage users."""

    def __init__(self, client: "MongoClient[Any]") -> None:
        self._external = client["$external"]

    def roles(self, principal: str) -> list[Role] | None:
        """The roles that the user has now. None if there is no such user."""
        with mongodb_errors(denied=_DENIED):
            users = self._external.command("usersInfo", principal)["users"]
        return [{"role": role["role"], "db": role["db"]} for role in users[0]["roles"]] if users else None

    def set(self, principal: str, roles: Sequence[Role]) -> None:
        """Create the user with these roles, or replace the roles of the existing user."""
        with mongodb_errors(denied=_DENIED):
            try:
                self._external.command("createUser", principal, mechanisms=["MONGODB-AWS"], roles=list(roles))
            except OperationFailure as error:
                if error.code != _EXISTS and "already exists" not in str(error):
                    raise
                self._external.command("updateUser", principal, roles=list(roles))

    def drop(self, principal: str) -> None:
        """Drop the user, if there is one."""
        with mongodb_errors(denied=_DENIED):
            try:
                self._external.command("dropUser", principal)
            except OperationFailure as error:
                if error.code != _NOT_FOUND:
                    raise
