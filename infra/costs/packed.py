"""What changes become on the queue, by how many of them the tailer has at hand when it sends."""

from dataclasses import dataclass

CHANGES = 10_000  # that the figures are for
CHUNK = 65_536  # bytes, SQS and EventBridge: what counts as one request or one event of the bill


@dataclass(frozen=True, kw_only=True)
class Packed:
    """
    What 10,000 changes become when ``batch`` of them are sent at a time, each about one document.

    ``sends`` and ``receives`` are what the calls of SQS count as on the bill, one for each begun 64 KB. The function runs once
    for a receive: ``invocations`` times. ``puts`` are the rounds of PutEvents that wait for each other, up to four calls side
    by side in one. ``size`` is all messages together, in bytes.
    """

    name: str
    batch: int
    messages: int
    calls: int
    sends: int
    receives: int
    invocations: int
    puts: int
    size: int


MEASURED = (  # by python -P -m benchmarks.packing, which a test repeats: changes of 1.6 kB of BSON, 128 lanes
    Packed(
        name="unpacked",
        batch=1,
        messages=10_000,
        calls=10_000,
        sends=10_000,
        receives=1_000,
        invocations=1_000,
        puts=10_000,
        size=20_656_943,
    ),
    Packed(
        name="quiet",
        batch=1,
        messages=10_000,
        calls=10_000,
        sends=10_000,
        receives=10_000,
        invocations=10_000,
        puts=10_000,
        size=18_792_355,
    ),
    Packed(
        name="steady",
        batch=10,
        messages=9_647,
        calls=1_000,
        sends=1_000,
        receives=1_000,
        invocations=1_000,
        puts=9_647,
        size=18_759_829,
    ),
    Packed(
        name="busy", batch=100, messages=6_959, calls=735, sends=735, receives=735, invocations=735, puts=6_959, size=18_429_636
    ),
    Packed(
        name="behind", batch=2_500, messages=512, calls=52, sends=106, receives=106, invocations=52, puts=512, size=6_038_072
    ),
)
