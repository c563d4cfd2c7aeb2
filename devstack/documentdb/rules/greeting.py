"""What a server reports of itself."""

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error
from devstack.documentdb.profiles import Value

HELLO = {"hello", "isMaster", "ismaster"}


def hello_fields(exchange: Exchange, value: Value) -> None:
    if exchange.name in HELLO and value == "short":
        exchange.reply.fields.remove("topologyVersion", "setVersion", "connectionId")


def cluster_time(exchange: Exchange, value: Value) -> None:
    if value == "absent":
        exchange.reply.fields.remove("$clusterTime")


def operation_time(exchange: Exchange, value: Value) -> None:
    if value == "absent":
        exchange.reply.fields.remove("operationTime")


def local_time(exchange: Exchange, value: Value) -> None:
    if exchange.name in HELLO and value == "seconds":
        exchange.reply.fields.set("localTime", exchange.reply.fields.get("localTime").replace(microsecond=0))


def wire_version(exchange: Exchange, value: Value) -> None:
    if exchange.name in HELLO:
        exchange.reply.fields.set("maxWireVersion", value)


def server_version(exchange: Exchange, value: Value) -> None:
    if exchange.name in ("buildInfo", "buildinfo"):
        exchange.reply.fields.set("version", value)
        exchange.reply.fields.set("versionArray", [*map(int, str(value).split(".")), 0])


def engine_version(exchange: Exchange, value: Value) -> Document | None:
    return {"engineVersion": value} if exchange.name == "getEngineVersion" else None


def external_hello(exchange: Exchange, value: Value) -> Document | None:
    if exchange.name in HELLO and exchange.database == "$external":
        return error(int(value), f"Command {exchange.name} not supported on $external database")
    return None
