"""An outage, however long: nothing becomes a dead letter, nothing is out of order, and it goes on soon after."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambda_forwarder.errors import BusGone
from lambda_forwarder.redelivery.pause import LONGEST, LONGEST_BLOCKED, RECEIVES, SHARE, SHORTEST, pause
from tests.lambda_forwarder.redelivery.played import MAPPERS, RETENTION, START, TIMEOUT, Played, throttled
from tests.lambda_forwarder.values import inserted

pytestmark = pytest.mark.heavy

HOUR, DAY = 3_600.0, 86_400.0


def hanging(played: Played) -> None:
    """Nobody answers, for as long as a call may take."""
    played.sleep(5.0)
    raise ReadTimeoutError(endpoint_url="https://events")


def denied(_: Played) -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "said so"}}, "PutEvents")


def gone(_: Played) -> None:
    """The invocation fails as a whole."""
    raise BusGone("there is no bus")


def unforeseen(_: Played) -> None:
    raise RuntimeError("boom")


FAULTS = (throttled, hanging, denied, gone, unforeseen)


def until(end: float, fault: Callable[[Played], None]) -> Callable[[Played], None]:
    def there(played: Played) -> None:
        if played.now < end:
            fault(played)

    return there


def lanes(played: Played, count: int, start: int = 1) -> int:
    """In each of so many lanes a message of four changes of two documents; the next number."""
    for lane in range(count):
        names = [f"{lane}a", f"{lane}b", f"{lane}a", f"{lane}b"]
        played.send(*(inserted(name, number) for number, name in enumerate(names, start)), lane=lane)
        start += len(names)
    return start


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hours", [0.05, 0.5, 2])
def test_an_outage_of_hours(fault: Callable[[Played], None], hours: float) -> None:
    """Twelve lanes, whose tailer goes on sending: all of it arrives, in order, within an eighth of the outage after its end."""
    end = START + hours * HOUR
    played = Played(mappers=MAPPERS, fault=until(end, fault))
    number = lanes(played, 12)
    for part in range(1, 6):
        played.run(until=START + part / 6 * hours * HOUR)
        number = lanes(played, 12, number)
    played.run()
    assert (played.dead, played.forgotten, played.parking.parked) == ([], [], {})
    assert played.published == list(range(1, number))
    played.check_order()
    assert played.last_accepted < end + hours * HOUR * SHARE / (1 - SHARE) + 4 * TIMEOUT
    assert max(one.receives for one in played.finished) < 120


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_of_fourteen_days_does_not_use_up_the_receives(fault: Callable[[Played], None]) -> None:
    """As long as a queue keeps a message at all."""
    end = START + RETENTION - HOUR
    played = Played(mappers=MAPPERS, fault=until(end, fault))
    number = lanes(played, 3)
    played.run()
    assert (played.dead, played.forgotten, played.parking.parked) == ([], [], {})
    assert played.published == list(range(1, number))
    assert max(one.receives for one in played.finished) < 0.9 * RECEIVES
    assert played.last_accepted < end + LONGEST + 4 * TIMEOUT


def test_the_table_is_away_too() -> None:
    """Nothing is known and nothing can be noted: messages wait as they do without it."""

    class Away:
        def read(self, *_: object) -> None:
            throttled()

        write = advance = read

    played = Played(mappers=MAPPERS)
    number = lanes(played, 2)
    there = played.watermarks, played.attempts
    played.watermarks = played.attempts = Away()  # type: ignore[assignment]
    played.run(until=START + 2 * HOUR)
    played.watermarks, played.attempts = there
    played.run()
    assert (played.dead, played.parking.parked, played.published) == ([], {}, list(range(1, number)))
    assert max(one.receives for one in played.finished) < 120


def test_the_pauses_grow_with_the_failure_and_are_bounded() -> None:
    """The figures that guarantees.md names, and the sums that they rest on: receives without end until the time is over."""
    assert (SHORTEST, LONGEST, LONGEST_BLOCKED) == (2.0, 25 * 60, 19 * 60)
    assert [pause(age) for age in (0, 16, 60, 7_200, 12_000, 10**9)] == [2, 2, 7.5, 900, 1_500, 1_500]
    assert _receives(RETENTION, LONGEST) < 0.9 * RECEIVES
    assert _receives(RETENTION, LONGEST_BLOCKED) > RECEIVES
    assert _receives(12 * DAY, LONGEST_BLOCKED) < RECEIVES  # so it is a dead letter after more than twelve days


def _receives(seconds: float, longest: float) -> int:
    age, count = 0.0, 0
    while age < seconds:
        age += pause(age, longest)
        count += 1
    return count
