"""Whether two sets of facts describe the same cluster: all of them may change, and two clusters may share some."""

import pytest

from tailer.cluster import Cluster

A = Cluster(kind="replica set", name="rs0", id="6b0a", keys=("71",), hosts=("a:27017", "b:27017", "c:27017"))


def facts_like_a(**fields: object) -> Cluster:
    """Return the facts of cluster A with these differences."""
    return Cluster(**({"kind": A.kind, "name": A.name, "id": A.id, "keys": A.keys, "hosts": A.hosts} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (A, "a fail-over and a rolling restart change nothing"),
        (facts_like_a(hosts=("b:27017", "d:27017")), "members are replaced"),
        (facts_like_a(hosts=("x.private:1024", "y.private:1025")), "PrivateLink and split horizons have names of their own"),
        (facts_like_a(id="", hosts=("x.private:1024",)), "the same, by a user who may not read the id"),
        (facts_like_a(id="", keys=()), "it was restarted without users"),
        (facts_like_a(id="", keys=("71", "72"), hosts=("x:1",)), "it signs with a new key, and the one before is known"),
        (facts_like_a(keys=("99",)), "its keys were made anew, and the id is known"),
        (facts_like_a(kind="DocumentDB cluster", id="", keys=()), "an upgrade in place makes it tell its time"),
    ],
)
def test_same_cluster_is_recognised(other: Cluster, why: str) -> None:
    """In both directions."""
    assert A.is_the_same_as(other), why
    assert other.is_the_same_as(A), why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (A, facts_like_a(id="7c1b"), "made anew under the same names: only the id tells"),
        (facts_like_a(id=""), facts_like_a(id="", keys=("72",)), "the same names in two networks: only the key tells"),
        (facts_like_a(id=""), facts_like_a(id="7c1b", keys=("72",)), "one user may read the id, and the other may not"),
        (
            facts_like_a(id="", keys=()),
            facts_like_a(id="", keys=(), hosts=("d:27017",)),
            "DocumentDB: rs0 is the name of all of them",
        ),
        (facts_like_a(id=""), facts_like_a(id="", name="rs1"), "another name"),
        (facts_like_a(id="", keys=()), facts_like_a(id="", keys=(), name="", hosts=()), "a replica set and a sharded cluster"),
    ],
)
def test_different_clusters_are_distinguished(one: Cluster, other: Cluster, why: str) -> None:
    """By any fact that is known of both."""
    assert not one.is_the_same_as(other), why
    assert not other.is_the_same_as(one), why


def test_known_facts_of_a_cluster_are_kept() -> None:
    """Its id when another user may not read it, and its last few keys, but only the current members."""
    now = A
    for number in range(72, 80):
        now = now.updated(facts_like_a(id="", keys=(str(number),), hosts=(f"new{number}:27017",)))
        assert now.is_the_same_as(facts_like_a(id="", keys=(str(number),), hosts=("x:1",)))
    assert (now.id, now.keys, now.hosts) == ("6b0a", ("76", "77", "78", "79"), ("new79:27017",))


def test_cluster_is_printed_with_its_distinctive_facts() -> None:
    """Two clusters may appear in one message."""
    assert str(A) == "replica set rs0 at a:27017, b:27017, c:27017 (id 6b0a)"
    assert str(facts_like_a(id="", hosts=tuple("abcd"))) == "replica set rs0 at a, b, c, … (signing key 71)"
    assert str(Cluster(kind="sharded cluster", id="5f")) == "sharded cluster (id 5f)"
