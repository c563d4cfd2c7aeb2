"""The way to the database: whether DNS knows its names, and whether its ports take connections."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.errors import Unavailable
from tailer.mongodb.connection.client import unusable
from tailer.mongodb.connection.uri import hosts

CONNECT = 3.0  # seconds

Address = tuple[str, int]

_REMEDIES = {
    "is unknown to DNS": "correct the name, and let the task ask the VPC's DNS",
    "does not answer": "allow the task's security group in the database's security group, and check subnets and routes",
    "refuses": "start the database, or correct the port",
}


class Network:
    """The hosts that a URI names. ``host`` is one that answers, once ``reachable`` has found it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.host: Address = ("", 0)

    def reachable(self) -> Verdict:
        """
        All of them are tried at once; one is enough.

        Raises:
            Misconfigured: the URI cannot be used.
        """
        addresses = self._addresses()
        if not addresses:
            return fail("the name in TAILER_MONGODB_URI is unknown to DNS", _remedy("is unknown to DNS"))
        with ThreadPoolExecutor(len(addresses)) as threads:
            problems = dict(zip(addresses, threads.map(_problem, addresses), strict=True))
        told = ", ".join(f"{text(address)} {problem or 'answers'}" for address, problem in problems.items())
        good = [address for address, problem in problems.items() if not problem]
        if not good:
            return fail(told, _remedy(told), Unavailable)
        self.host = good[0]
        return ok(told) if len(good) == len(addresses) else warn(told, "a member that does not answer cannot take over")

    def _addresses(self) -> Sequence[Address]:
        looked_up = self._uri.startswith("mongodb+srv://")
        try:
            nodes = parse_uri(self._uri, validate=False)["nodelist"]
        except (PyMongoError, ValueError):
            if looked_up:
                return []
            raise unusable("TAILER_MONGODB_URI") from None
        return [(host, port or 27017) for host, port in nodes] if looked_up else hosts(self._uri)


def text(address: Address) -> str:
    """As people write it."""
    return f"{address[0]}:{address[1]}"


def _problem(address: Address) -> str:
    try:
        socket.create_connection(address, CONNECT).close()
    except socket.gaierror:
        return "is unknown to DNS"
    except TimeoutError:
        return f"does not answer within {CONNECT:g} s"
    except OSError as error:
        return f"refuses: {error.strerror or error}"
    return ""


def _remedy(told: str) -> str:
    return next(remedy for words, remedy in _REMEDIES.items() if words in told)
