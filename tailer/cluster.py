"""Who a cluster is, as far as any reader of it is told."""

from typing import Self

from msgspec import Struct
from msgspec.structs import replace

_KEYS_KEPT = 4  # a cluster makes a new one about every 90 days
_HOSTS_SHOWN = 3


class Cluster(Struct, frozen=True, kw_only=True):
    """
    What a cluster tells of itself. Every field may be empty; ``id`` and ``keys`` are unique to a cluster, names are not.

    ``kind`` is for people. ``name`` is the replica set's. ``id`` is the replica set's or sharded cluster's own, which only some
    users may read. ``keys`` are those it signs its cluster time with, which it tells every user who signed in; the last is the
    newest. ``hosts`` are its members, or the routers in use.
    """

    kind: str = ""
    name: str = ""
    id: str = ""
    keys: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def is_the_same_as(self, other: "Cluster") -> bool:
        """Whether both are one cluster: by its id; else by name and key; else by name and a host in common."""
        if self.id and other.id:
            return self.id == other.id
        if self.name != other.name:
            return False
        if self.keys and other.keys:
            return not set(self.keys).isdisjoint(other.keys)
        return not set(self.hosts).isdisjoint(other.hosts)

    def now_seen_as(self, other: "Cluster") -> Self:
        """The same cluster with what it tells now; what it does not tell now stays as it was."""
        keys = tuple(dict.fromkeys((*self.keys, *other.keys)))[-_KEYS_KEPT:]
        return replace(self, kind=other.kind, id=other.id or self.id, keys=keys, hosts=other.hosts or self.hosts)

    def __str__(self) -> str:
        hosts = ", ".join(self.hosts[:_HOSTS_SHOWN]) + (", …" if len(self.hosts) > _HOSTS_SHOWN else "")
        known = f"id {self.id}" if self.id else f"signing key {self.keys[-1]}" if self.keys else ""
        return " ".join(part for part in (self.kind, self.name, hosts and f"at {hosts}", known and f"({known})") if part)
