"""Both stories. The outage comes first, so that the redrive's minute passes while the other story is told."""

from examples.razors.hops import HopMissing
from examples.razors.order_story import outage, redrive
from examples.razors.stage import stage
from examples.razors.subscription_story import cancel, read_again, replay, subscribe
from tailrace.dev.screen import Screen


def run(screen: Screen, *, wait_for_schedule: bool = True) -> int:
    """Everything, from nothing. The exit code: 0 only if every hop was there."""
    with stage(screen) as here:
        try:
            outage(here)
            subscribe(here)
            cancel(here)
            read_again(here)
            replay(here)
            redrive(here, wait_for_schedule=wait_for_schedule)
        except HopMissing as missing:
            screen.line("\nA HOP IS MISSING", "red", f": {missing}")
            screen.line(here.stack.emulator.process.log_tail(40))
            return 1
        screen.line(f"\nAll {here.hops.count} hops", "green", f" ({screen.elapsed:.1f} s in all)")
        return 0
