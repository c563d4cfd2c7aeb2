"""However long an outage is, nothing becomes a dead letter or arrives out of order, and publishing resumes soon after."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambda_forwarder.errors import BusGone
from lambda_forwarder.redelivery.returned_messages import LONGEST, LONGEST_BLOCKED, RECEIVES, SHARE, SHORTEST, pause
from tests.lambda_forwarder.redelivery.played import MAPPERS, RETENTION, START, TIMEOUT, SimulatedQueue, throttled
from tests.lambda_forwarder.values import inserted

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("no_logs")]

HOUR, DAY = 3_600.0, 86_400.0


def hanging(played: SimulatedQueue) -> None:
    """The call takes its whole timeout."""
    played.sleep(5.0)
    raise ReadTimeoutError(endpoint_url="https://events")


def denied(_: SimulatedQueue) -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "said so"}}, "PutEvents")


def bus_gone(_: SimulatedQueue) -> None:
    """The invocation fails as a whole."""
    raise BusGone("there is no bus")


def unknown_error(_: SimulatedQueue) -> None:
    raise RuntimeError("boom")


FAULTS = (throttled, hanging, denied, bus_gone, unknown_error)


def fault_until(end: float, fault: Callable[[SimulatedQueue], None]) -> Callable[[SimulatedQueue], None]:
    def there(played: SimulatedQueue) -> None:
        if played.now < end:
            fault(played)

    return there


def send_lanes(played: SimulatedQueue, count: int, start: int = 1) -> int:
    """Send four changes of two documents in each of this many lanes, and return the next sequence."""
    for lane in range(count):
        names = [f"{lane}a", f"{lane}b", f"{lane}a", f"{lane}b"]
        played.send(*(inserted(name, number) for number, name in enumerate(names, start)), lane=lane)
        start += len(names)
    return start


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hours", [0.05, 0.5, 2])
def test_outage_of_hours_delays_everything_and_loses_nothing(fault: Callable[[SimulatedQueue], None], hours: float) -> None:
    """
    Twelve lanes with a tailer that keeps sending: everything arrives in order, within an eighth of the outage after its end.
    """
    end = START + hours * HOUR
    played = SimulatedQueue(mappers=MAPPERS, fault=fault_until(end, fault))
    number = send_lanes(played, 12)
    for part in range(1, 6):
        played.run(until=START + part / 6 * hours * HOUR)
        number = send_lanes(played, 12, number)
    played.run()
    assert (played.dead, played.forgotten, played.parking.parked) == ([], [], {})
    assert played.published == list(range(1, number))
    played.check_order()
    assert played.last_accepted < end + hours * HOUR * SHARE / (1 - SHARE) + 4 * TIMEOUT
    assert max(one.receives for one in played.finished) < 120


@pytest.mark.parametrize("fault", FAULTS)
def test_outage_of_fourteen_days_does_not_exhaust_the_receives(fault: Callable[[SimulatedQueue], None]) -> None:
    """The maximum retention of a queue."""
    end = START + RETENTION - HOUR
    played = SimulatedQueue(mappers=MAPPERS, fault=fault_until(end, fault))
    number = send_lanes(played, 3)
    played.run()
    assert (played.dead, played.forgotten, played.parking.parked) == ([], [], {})
    assert played.published == list(range(1, number))
    assert max(one.receives for one in played.finished) < 0.9 * RECEIVES
    assert played.last_accepted < end + LONGEST + 4 * TIMEOUT


def test_outage_of_the_table_delays_and_loses_nothing() -> None:
    class Away:
        def read(self, *_: object) -> None:
            throttled()

        write = advance = read

    played = SimulatedQueue(mappers=MAPPERS)
    number = send_lanes(played, 2)
    there = played.watermarks, played.attempts
    played.watermarks = played.attempts = Away()  # type: ignore[assignment]
    played.run(until=START + 2 * HOUR)
    played.watermarks, played.attempts = there
    played.run()
    assert (played.dead, played.parking.parked, played.published) == ([], {}, list(range(1, number)))
    assert max(one.receives for one in played.finished) < 120


def test_pauses_grow_with_the_failure_and_are_bounded() -> None:
    """The values in failures.md, and the number of receives that they cause."""
    assert (SHORTEST, LONGEST, LONGEST_BLOCKED) == (2.0, 25 * 60, 19 * 60)
    assert [pause(age) for age in (0, 16, 60, 7_200, 12_000, 10**9)] == [2, 2, 7.5, 900, 1_500, 1_500]
    assert _receives(RETENTION, LONGEST) < 0.9 * RECEIVES
    assert _receives(RETENTION, LONGEST_BLOCKED) > RECEIVES
    assert _receives(12 * DAY, LONGEST_BLOCKED) < RECEIVES  # It becomes a dead letter after more than twelve days.


def _receives(seconds: float, longest: float) -> int:
    age, count = 0.0, 0
    while age < seconds:
        age += pause(age, longest)
        count += 1
    return count
