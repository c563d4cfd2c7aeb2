"""For each behaviour of the server itself: the value that a client observes."""

from functools import partial
from typing import Any

import bson
from bson import Int64

from tests.devstack.documentdb.server import Server, outcome, shows

Observed = str | int


def hello_fields(server: Server) -> Observed:
    found = shows(server.hello(), "topologyVersion", "setVersion", "connectionId")
    return {"absent": "short", "present": "full"}[found]


def cluster_time(server: Server) -> Observed:
    return shows(server.client.admin.command("ping"), "$clusterTime")


def operation_time(server: Server) -> Observed:
    return shows(server.client.admin.command("ping"), "operationTime")


def local_time(server: Server) -> Observed:
    times = [server.hello()["localTime"] for _ in range(3)]
    return "milliseconds" if any(time.microsecond for time in times) else "seconds"


def wire_version(server: Server) -> Observed:
    version: int = server.hello()["maxWireVersion"]
    return version


def server_version(server: Server) -> Observed:
    build = server.client.admin.command("buildInfo")
    assert ".".join(map(str, build["versionArray"][:3])) == build["version"]
    return str(build["version"])


def engine_version(server: Server) -> Observed:
    assert outcome(lambda: server.mongod.admin.command("getEngineVersion")) == 59
    return str(server.client.admin.command("getEngineVersion")["engineVersion"])


def get_parameter(server: Server) -> Observed:
    return outcome(lambda: server.client.admin.command("getParameter", "*"))


def replica_set_commands(server: Server) -> Observed:
    names = ("replSetGetStatus", "replSetGetConfig")
    [code] = {outcome(partial(server.client.admin.command, name)) for name in names}
    return code


def end_sessions(server: Server) -> Observed:
    names = ("endSessions", "refreshSessions")
    [code] = {outcome(partial(server.client.admin.command, name, [])) for name in names}
    return code


def local_database(server: Server) -> Observed:
    assert server.mongod.local["oplog.rs"].find_one() is not None
    documents = [server.client.local["oplog.rs"].find_one(), *server.client.local["oplog.rs"].aggregate([])]
    listed = {"admin", "local", "config"} & set(server.client.list_database_names())
    return "absent" if documents == [None] and not listed else "there"


def natural_order(server: Server) -> Observed:
    return outcome(lambda: server.client[server.name].c.find_one(sort=[("$natural", -1)]))


def external_hello(server: Server) -> Observed:
    return outcome(lambda: server.client["$external"].command("isMaster"))


def txn_number(server: Server) -> Observed:
    write: dict[str, Any] = {"insert": "c", "documents": [{}], "txnNumber": Int64(50)}
    with server.client.start_session() as session, session.start_transaction():
        server.client[server.name].c.insert_one({}, session=session)
    with server.client.start_session() as session:
        return outcome(lambda: server.client[server.name].command(write, session=session))


def error_labels(server: Server) -> Observed:
    """A transaction that was never begun is a transient error for a driver."""
    with server.client.start_session() as session:
        find = {"find": "c", "txnNumber": Int64(7), "autocommit": False}
        reply = server.client[server.name].command(find, session=session, check=False)
    assert reply["code"] == 251
    return "present" if reply.get("errorLabels") else "none"


def iam_sign_in(server: Server) -> Observed:
    payload = bson.encode({"r": bytes(32), "p": 110})
    start = {"saslStart": 1, "mechanism": "MONGODB-AWS", "payload": payload}
    return outcome(lambda: server.client["$external"].command(start))


def external_users(server: Server) -> Observed:
    external, role = server.client["$external"], {"role": "read", "db": "shop"}
    external.command("createUser", "arn:aws:iam::123456789012:role/r", mechanisms=["MONGODB-AWS"], roles=[role])
    [user] = external.command("usersInfo", "arn:aws:iam::123456789012:role/r")["users"]
    assert server.mongod["$external"].command("usersInfo", "arn:aws:iam::123456789012:role/r")["users"] == []
    external.command("dropUser", "arn:aws:iam::123456789012:role/r")
    left = external.command("usersInfo", "arn:aws:iam::123456789012:role/r")["users"]
    return "kept" if user["roles"] == [role] and left == [] else "not kept"


OBSERVED = {
    rule.__name__: rule
    for rule in (
        hello_fields, cluster_time, operation_time, local_time, wire_version, server_version, engine_version, get_parameter,
        replica_set_commands, end_sessions, local_database, natural_order, external_hello, txn_number, error_labels,
        iam_sign_in, external_users,
    )
}  # fmt: skip
