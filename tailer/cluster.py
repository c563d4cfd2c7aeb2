"""The identity of a cluster, as far as its server reports it to any user who may read a change stream."""

from typing import Self

from msgspec import Struct
from msgspec.structs import replace

_KEYS_KEPT = 4  # a cluster makes a new signing key about every 90 days
_HOSTS_SHOWN = 3


class Cluster(Struct, frozen=True, kw_only=True):
    """
    Every field may be empty. ``id`` and ``keys`` are unique to a cluster; names are not.

    ``kind`` is for people. ``name`` is the name of the replica set. ``id`` is that of the replica set or sharded cluster; only
    some users may read it. ``keys`` are the ids of the keys that sign the cluster time, the newest last; every user who signed
    in may read them. ``hosts`` are the members, or the routers in use.
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

    def updated(self, current: "Cluster") -> Self:
        """This cluster with the fields that it reports now. A field that it does not report now keeps its value."""
        keys = tuple(dict.fromkeys((*self.keys, *current.keys)))[-_KEYS_KEPT:]
        return replace(self, kind=current.kind, id=current.id or self.id, keys=keys, hosts=current.hosts or self.hosts)

    def __str__(self) -> str:
        hosts = ", ".join(self.hosts[:_HOSTS_SHOWN]) + (", …" if len(self.hosts) > _HOSTS_SHOWN else "")
        known = f"id {self.id}" if self.id else f"signing key {self.keys[-1]}" if self.keys else ""
        return " ".join(part for part in (self.kind, self.name, hosts and f"at {hosts}", known and f"({known})") if part)
