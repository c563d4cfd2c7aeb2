"""
How long a message that failed is hidden before the queue hands it out again.

A part of the time for which it has failed already: a short outage is over soon after the bus is back, and a long one costs few
receives. SQS counts them, and makes a dead letter of a message that was received ``RECEIVES`` times. These bounds keep an
outage from getting there: in 14 days, the longest that a queue keeps a message, there are fewer than 900.
"""

RECEIVES = 1_000  # the largest maxReceiveCount, SQS
SHARE = 1 / 8  # of the time since the first receive
SHORTEST = 2.0  # seconds
LONGEST = 1_500.0  # seconds: after an outage of any length the last lane goes on 25 minutes after the bus is back
LONGEST_BLOCKED = 1_140.0  # seconds: what nobody corrects is a dead letter after 12 days, before the queue forgets it
LONGEST_ENDED = 1_680.0  # seconds, where it ends the function at every second receive: the two together are no longer
LONGEST_MACHINE = 600.0  # seconds, for a machine that lacks something: as long as the queue hides what had no answer


def pause(age: float, longest: float = LONGEST) -> float:
    """Seconds for a message that was received first ``age`` seconds ago."""
    return min(max(SHORTEST, age * SHARE), longest)
