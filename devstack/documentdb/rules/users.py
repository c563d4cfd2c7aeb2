"""Users of ``$external``: IAM roles, and how they sign in."""

from typing import Any

import bson

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error
from devstack.documentdb.profiles import Value

_COMMANDS = ("usersInfo", "createUser", "updateUser", "dropUser")


def iam_sign_in(exchange: Exchange, value: Value) -> Document | None:
    """
    Handle the signed request to STS that identifies the user, which DocumentDB would send on; here the access key decides.
    """
    command = exchange.command
    if exchange.name == "saslStart" and command["mechanism"] == "MONGODB-AWS":
        if value != "accepted":
            return error(int(value), "Command saslStart not supported on $external database")
        nonce = bson.decode(command["payload"])["r"] + bytes(32)
        return _step({"s": nonce, "h": "sts.amazonaws.com"}, done=False)
    if exchange.name != "saslContinue" or not _is_bson(command["payload"]):  # a password's steps are text
        return None
    payload = bson.decode(command["payload"])
    key = payload["a"].partition("Credential=")[2].partition("/")[0]
    exchange.cluster.seen.append({"signIn": key, "token": payload.get("t")})
    return _step({}, done=True) if key in exchange.cluster.keys else error(18, "Authentication failed.")


def external_users(exchange: Exchange, value: Value) -> Document | None:
    if exchange.name not in _COMMANDS or exchange.database != "$external":
        return None
    users, user = exchange.cluster.users, exchange.command[exchange.name]
    if exchange.name == "usersInfo":
        return {"users": [{"user": user, "roles": users[user]}] if user in users else []}
    if (exchange.name == "createUser") == (user in users):
        return error(51003, f"User {user} already exists") if user in users else error(11, f"User {user} not found")
    exchange.cluster.seen.append({key: value for key, value in exchange.command.items() if not key.startswith(("$", "lsid"))})
    if exchange.name == "dropUser":
        del users[user]
    else:
        users[user] = exchange.command["roles"]
    return {}


def _is_bson(payload: bytes) -> bool:
    return int.from_bytes(payload[:4], "little") == len(payload)


def _step(payload: dict[str, Any], *, done: bool) -> Document:
    return {"conversationId": 1, "done": done, "payload": bson.Binary(bson.encode(payload))}
