"""When two answers are of one cluster: whatever may change of it while it lives, and whatever two may have in common."""

import pytest

from tailer.cluster import Cluster

A = Cluster(kind="replica set", name="rs0", id="6b0a", keys=("71",), hosts=("a:27017", "b:27017", "c:27017"))


def seen(**fields: object) -> Cluster:
    """A as somebody else sees it, or at another time."""
    return Cluster(**({"kind": A.kind, "name": A.name, "id": A.id, "keys": A.keys, "hosts": A.hosts} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (A, "a fail-over and a rolling restart change nothing"),
        (seen(hosts=("b:27017", "d:27017")), "members are replaced"),
        (seen(hosts=("x.private:1024", "y.private:1025")), "PrivateLink and split horizons have names of their own"),
        (seen(id="", hosts=("x.private:1024",)), "the same, by a user who may not read the id"),
        (seen(id="", keys=()), "it was restarted without users"),
        (seen(id="", keys=("71", "72"), hosts=("x:1",)), "it signs with a new key, and the one before is known"),
        (seen(keys=("99",)), "its keys were made anew, and the id is known"),
        (seen(kind="DocumentDB cluster", id="", keys=()), "an upgrade in place makes it tell its time"),
    ],
)
def test_one_cluster_is_recognised(other: Cluster, why: str) -> None:
    """By whoever came first."""
    assert A.is_the_same_as(other), why
    assert other.is_the_same_as(A), why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (A, seen(id="7c1b"), "made anew under the same names: only the id tells"),
        (seen(id=""), seen(id="", keys=("72",)), "the same names in two networks: only the key tells"),
        (seen(id=""), seen(id="7c1b", keys=("72",)), "one user may read the id, and the other may not"),
        (seen(id="", keys=()), seen(id="", keys=(), hosts=("d:27017",)), "DocumentDB: rs0 is the name of all of them"),
        (seen(id=""), seen(id="", name="rs1"), "another name"),
        (seen(id="", keys=()), seen(id="", keys=(), name="", hosts=()), "a replica set and a sharded cluster"),
    ],
)
def test_two_clusters_are_told_apart(one: Cluster, other: Cluster, why: str) -> None:
    """By whatever is known of both."""
    assert not one.is_the_same_as(other), why
    assert not other.is_the_same_as(one), why


def test_what_a_cluster_told_before_is_not_forgotten() -> None:
    """Its id where another user may not read it; its last few keys; but the members as they are now."""
    now = A
    for number in range(72, 80):
        now = now.updated(seen(id="", keys=(str(number),), hosts=(f"new{number}:27017",)))
        assert now.is_the_same_as(seen(id="", keys=(str(number),), hosts=("x:1",)))
    assert (now.id, now.keys, now.hosts) == ("6b0a", ("76", "77", "78", "79"), ("new79:27017",))


def test_a_cluster_is_named_by_what_tells_it_from_others() -> None:
    """For the person who has two of them in one message."""
    assert str(A) == "replica set rs0 at a:27017, b:27017, c:27017 (id 6b0a)"
    assert str(seen(id="", hosts=tuple("abcd"))) == "replica set rs0 at a, b, c, … (signing key 71)"
    assert str(Cluster(kind="sharded cluster", id="5f")) == "sharded cluster (id 5f)"
