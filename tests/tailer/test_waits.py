"""What a process waits for."""

import threading

from tailer.waits import NO_REQUEST, Waits


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_longest_wait_is_reported() -> None:
    """Of several threads, and of waits that consist of many requests."""
    clock = Clock()
    waits = Waits(clock)
    clock.seconds += 3
    assert (waits.longest().what, waits.longest().seconds) == (NO_REQUEST, 3.0)
    with waits.on("the lease"):
        clock.seconds += 1
        waits.begin("MongoDB")
        other = threading.Thread(target=waits.begin, args=("AWS",))
        other.start()
        other.join()
        clock.seconds += 1
        assert (waits.longest().what, waits.longest().seconds) == ("the lease", 2.0)
    waits.end()
    assert waits.longest().what == "AWS"
    waits.end(other.ident)
    clock.seconds += 2
    assert (waits.longest().what, waits.longest().seconds) == (NO_REQUEST, 2.0)


def test_new_request_of_a_thread_replaces_its_last() -> None:
    """A library that does not report the end of a request causes no endless wait."""
    clock = Clock()
    waits = Waits(clock)
    waits.begin("one")
    clock.seconds += 5
    waits.begin("two")
    clock.seconds += 1
    assert (waits.longest().what, waits.longest().seconds) == ("two", 1.0)
