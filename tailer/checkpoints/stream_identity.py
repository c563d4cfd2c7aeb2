"""What a stream is: what it watches and how it is laned, as canonical JSON. It is kept with the checkpoint."""

import json

LANE_RULE = "laneRule"  # the one part that no setting says: a release does; 1 where it is not there


def difference(stored: str, now: str) -> str:
    """What differs between the identity that a checkpoint was made for and the one of now, in words."""
    before, after = json.loads(stored), json.loads(now)
    changed = [key for key in after | before if before.get(key) != after.get(key) and key != LANE_RULE]
    words = [f"{key} was {_text(before, key)} and is now {_text(after, key)}" for key in changed]
    if before.get(LANE_RULE, 1) != after.get(LANE_RULE, 1):
        words.append("this release of the tailer computes the lane of a document by another rule")
    return "; ".join(words)


def _text(identity: dict[str, object], key: str) -> str:
    return json.dumps(identity[key]) if key in identity else "not set"
