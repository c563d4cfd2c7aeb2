"""The identity of a stream: what it watches and how it is divided into lanes, as canonical JSON. Kept with the checkpoint."""

import json

LANE_RULE = "laneRule"  # no setting: a release of the tailer defines it; 1 if the identity does not contain it


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
