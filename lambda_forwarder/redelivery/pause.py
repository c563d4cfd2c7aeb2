"""
For how long a failed message is hidden before the queue delivers it again.

The pause is a share of the time for which the message has failed already: after a short outage the messages return soon, and a
long outage costs few receives. SQS moves a message that was received ``RECEIVES`` times to the dead-letter queue. With these
bounds an outage receives it fewer than 900 times in 14 days, the longest time that a queue keeps a message.
"""

RECEIVES = 1_000  # the largest maxReceiveCount, SQS
SHARE = 1 / 8  # of the time since the first receive
SHORTEST = 2.0  # seconds
LONGEST = 1_500.0  # seconds; the last lane continues 25 minutes after the end of an outage
LONGEST_BLOCKED = 1_140.0  # seconds; a message that nobody fixes is a dead letter after 12 days, before the queue deletes it
LONGEST_ENDED = 1_680.0  # seconds, if the message ends the function at every second receive; both pauses together are as long
LONGEST_MACHINE = 600.0  # seconds, if the machine lacks memory or the like: the visibility timeout of the queue


def pause(age: float, longest: float = LONGEST) -> float:
    """Return the pause in seconds for a message that was first received ``age`` seconds ago."""
    return min(max(SHORTEST, age * SHARE), longest)
