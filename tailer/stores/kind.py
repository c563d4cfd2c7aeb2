"""What a kind of store says of itself, so that settings, checks and the composition root need no list of kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pymongo import MongoClient

from tailer.checks import Finding, ok
from tailer.ports import CheckpointStore


@dataclass(frozen=True, kw_only=True)
class Clients:
    """
    What a store is built from: ``aws`` returns the boto3 client of a service, ``watched`` the client of the watched cluster,
    and ``connect`` the client of another one, by its URI and the setting that holds it.
    """

    aws: Callable[[str], Any]
    watched: "Callable[[], MongoClient[Any]]"
    connect: "Callable[[str, str], MongoClient[Any]]"


class Kind(CheckpointStore, Protocol):
    """
    A kind of store. ``form`` shows its TAILER_CHECKPOINTS, and ``pattern`` matches all of one.

    ``outage`` and ``mistake`` are the remedies where the store does not respond, and where it is missing or refuses access.
    """

    form: ClassVar[str]
    pattern: ClassVar[str]
    outage: ClassVar[str]
    mistake: ClassVar[str]
    in_watched_cluster: ClassVar[bool] = False

    @classmethod
    def of(cls, url: str, clients: Clients) -> CheckpointStore:
        """
        Build the store.

        Raises:
            Misconfigured: the URL cannot be used.
        """

    @staticmethod
    def refusal(url: str) -> str:  # noqa: ARG004 - for kinds that need it
        """Return what is wrong with a URL that matches ``pattern``; empty if nothing is. Nothing is opened."""
        return ""

    @staticmethod
    def tls(url: str) -> Finding:  # noqa: ARG004 - for kinds that need it
        """Check the TLS that the URL asks for."""
        return ok("the store is not a separate MongoDB server")
