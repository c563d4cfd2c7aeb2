"""Whether a checkpoint belongs to this cluster, and to a stream with these settings."""

import json

from msgspec.structs import replace

from tailer.cluster import Cluster
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.times import rfc3339

ACCEPT_CLUSTER = "tailer checkpoint accept-cluster"
LANE_RULE = "laneRule"  # no setting: a release of the tailer defines it; 1 if the identity does not contain it


def recognised(record: Record, cluster: Cluster | None) -> Record:
    """
    The record with the current identity of its cluster; ``Misconfigured`` if its checkpoint belongs to another cluster. A
    record that names no cluster or has no checkpoint gets this cluster. Without a known cluster the record stays as it is.
    """
    if cluster is None:
        return record
    if record.checkpoint is None or record.cluster is None:
        return replace(record, cluster=cluster)
    if record.cluster.is_the_same_as(cluster):
        return replace(record, cluster=record.cluster.updated(cluster))
    raise Misconfigured(
        f"the checkpoint of stream {record.stream!r} belongs to the {record.cluster}, but TAILER_MONGODB_URI points to the "
        f"{cluster}. A position of one cluster is invalid in another, so nothing is sent. Correct TAILER_MONGODB_URI; or, if "
        "this is another stream, give it its own TAILER_STREAM. Only if this cluster replaced the other: stop the stream's "
        f"tasks, then {ACCEPT_CLUSTER} --stream {record.stream}. The stream then continues at "
        f"{rfc3339(record.checkpoint.reached)} in this cluster's history: changes that only the other cluster committed after "
        "that are not delivered, and changes that both have may be delivered again"
    )


def difference(stored: str, current: str) -> str:
    """A sentence about the settings that differ between the stored identity and the current one."""
    before, after = json.loads(stored), json.loads(current)
    changed = [key for key in after | before if before.get(key) != after.get(key) and key != LANE_RULE]
    sentences = [f"{key} was {_text(before, key)} and is now {_text(after, key)}" for key in changed]
    if before.get(LANE_RULE, 1) != after.get(LANE_RULE, 1):
        sentences.append("this release of the tailer computes the lane of a document by another rule")
    return "; ".join(sentences)


def _text(identity: dict[str, object], key: str) -> str:
    return json.dumps(identity[key]) if key in identity else "not set"
