"""The route to a server: whether DNS knows its names, and whether its ports accept connections."""

import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from tailer.checks import Finding, fail, ok, warn
from tailer.errors import Unavailable
from tailer.mongodb.connection.uri import hosts

CONNECT = 3.0  # seconds

Address = tuple[str, int]

UNKNOWN_TO_DNS = "is unknown to DNS"
_REMEDIES = {
    UNKNOWN_TO_DNS: "correct the name, and let the task ask the VPC's DNS",
    "does not answer": "allow the task's security group in the database's security group, and check subnets and routes",
    "refuses": "start the database, or correct the port",
}


class Network:
    """The hosts that a URI names. Each is tried once, all at the same time."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @property
    def host(self) -> Address:
        """The first host that accepts connections; ``reachable`` passed."""
        return next(address for address, problem in self._problems.items() if not problem)

    def reachable(self) -> Finding:
        """Check that at least one host accepts connections."""
        if not self._problems:
            return fail(f"the name in TAILER_MONGODB_URI {UNKNOWN_TO_DNS}", _REMEDIES[UNKNOWN_TO_DNS])
        found = ", ".join(f"{text(address)} {problem or 'answers'}" for address, problem in self._problems.items())
        if all(self._problems.values()):
            remedy = next(remedy for words, remedy in _REMEDIES.items() if words in found)
            return fail(found, remedy, Unavailable)
        return warn(found, "a member that does not answer cannot take over") if any(self._problems.values()) else ok(found)

    @cached_property
    def _problems(self) -> Mapping[Address, str]:
        addresses = self._addresses()
        with ThreadPoolExecutor(len(addresses) or 1) as threads:
            return dict(zip(addresses, threads.map(_problem, addresses), strict=True))

    def _addresses(self) -> Sequence[Address]:
        if not self._uri.startswith("mongodb+srv://"):
            return hosts(self._uri)
        try:
            return [(host, port or 27017) for host, port in parse_uri(self._uri, validate=False)["nodelist"]]
        except (PyMongoError, ValueError):
            return []


def text(address: Address) -> str:
    """The address as ``HOST:PORT``."""
    return f"{address[0]}:{address[1]}"


def _problem(address: Address) -> str:
    try:
        socket.create_connection(address, CONNECT).close()
    except socket.gaierror:
        return UNKNOWN_TO_DNS
    except TimeoutError:
        return f"does not answer within {CONNECT:g} s"
    except OSError as error:
        return f"refuses: {error.strerror or error}"
    return ""
