"""A checkpoint belongs to one cluster: its position is meaningless in the history of another cluster."""

from msgspec.structs import replace

from tailer.cluster import Cluster
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.times import rfc3339

ACCEPT_CLUSTER = "tailer checkpoint accept-cluster"


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
