"""How each fault of the schedule is caused, and when it is over."""

from collections.abc import Callable, Iterable

from tailrace.dev.tailer import TailerProcess
from tests.faults import replica_set
from tests.faults.checker import Verdict
from tests.faults.schedule import CALLS, Fault
from tests.faults.show import Show
from tests.faults.stage import OWNER_SECONDS, WHOLE_SECONDS

Act = Callable[[Show, Fault], None]

EARLY = 0.25  # the share of kills before the new owner has delivered anything
IMPORT = (3_000, 12_000)  # changes


def perform(show: Show, schedule: Iterable[Fault], changes: int, *, until_broken: bool = False) -> Verdict:
    """
    Run the schedule and at least this many changes, and return the verdict. ``until_broken`` ends as soon as it is clear.
    Raises: NeverCame: a takeover or a failover exceeded its limit.
    """
    show.begin()
    for fault in schedule:
        if until_broken and show.broken:
            break
        show.wait(fault.pause)
        cause(show, fault)
    return show.conclude(changes)


def cause(show: Show, fault: Fault) -> None:
    """Cause the fault, count it, and return while its consequences continue."""
    if fault.kind in CALLS or fault.kind == "hung":
        # One at a time: a call that keeps failing is retried ever more slowly.
        show.until(lambda: show.stage.aws.recovered, OWNER_SECONDS, "a call that is accepted after the last one that was not")
        show.stage.aws.arm(fault.kind, fault.calls)
        return  # These are counted when a call is hit.
    ACTS[fault.kind](show, fault)
    show.done[fault.kind] += 1


def _owner(show: Show) -> TailerProcess:
    show.until(lambda: _awake_owner(show) is not None, OWNER_SECONDS, "a tailer that holds the lease")
    owner = _awake_owner(show)
    assert owner
    return owner


def _awake_owner(show: Show) -> TailerProcess | None:
    owner = show.stage.owner
    return owner if owner and owner not in show.stage.paused and owner.running else None


def _kill(show: Show, fault: Fault) -> None:
    """Kill the owner, mostly during its work and sometimes before it delivered anything."""
    if fault.strength > EARLY:
        _owner(show)
        heard = show.checker.heard
        show.until(lambda: show.checker.heard > heard, OWNER_SECONDS, "a change from a tailer that holds the lease")
    show.stage.kill(_owner(show))


def _kill_all(show: Show, fault: Fault) -> None:
    for tailer in [tailer for tailer in show.stage.tailers if tailer not in show.stage.paused]:
        show.stage.kill(tailer)


def _stop(show: Show, fault: Fault) -> None:
    tailer = _owner(show)
    if code := show.stage.stop(tailer):
        show.stage.deaths.append(f"{tailer.log.name} ended with {code} when asked to stop")


def _zombie(show: Show, fault: Fault) -> None:
    """Resume a paused owner after another task took the stream: it must not deliver what it still holds."""
    stage, tailer = show.stage, _owner(show)
    name = stage.aws.witness.owner
    stage.pause(tailer)
    stage.keep_two()
    show.until(lambda: stage.aws.witness.owner not in ("", name), OWNER_SECONDS, "another tailer in place of a paused one")
    show.later(fault.strength, lambda: stage.resume(tailer))


def _whole_primary(show: Show) -> int:
    show.until(lambda: replica_set.whole(show.stage.mongod), WHOLE_SECONDS, "a whole replica set")
    number = replica_set.primary(show.stage.mongod)
    return _whole_primary(show) if number is None else number


def _crash_primary(show: Show, fault: Fault) -> None:
    number = _whole_primary(show)
    show.stage.mongod.members[number].kill()
    show.later(0.2 + 2 * fault.strength, lambda: show.stage.mongod.start_member(number))


def _step_down(show: Show, fault: Fault) -> None:
    replica_set.step_down(show.stage.mongod, _whole_primary(show))


def _mongodb_cut(show: Show, fault: Fault) -> None:
    network = show.stage.mongodb_network
    network.refusing = True
    network.cut()
    show.later(2 * fault.strength, network.calm)


def _mongodb_slow(show: Show, fault: Fault) -> None:
    network = show.stage.mongodb_network
    network.delay = 0.02 + 0.2 * fault.strength
    show.later(3, network.calm)


def _mongodb_silent(show: Show, fault: Fault) -> None:
    network = show.stage.mongodb_network
    network.silent = True
    show.later(2 + 5 * fault.strength, network.calm)


def _aws_cut(show: Show, fault: Fault) -> None:
    network = show.stage.aws_network
    network.refusing = True
    network.cut()
    show.later(2 * fault.strength, network.calm)


def _aws_slow(show: Show, fault: Fault) -> None:
    network = show.stage.aws_network
    network.delay = 0.01 + 0.1 * fault.strength
    show.later(3, network.calm)


def _aws_silent(show: Show, fault: Fault) -> None:
    network = show.stage.aws_network
    network.silent = True
    show.later(1 + 3 * fault.strength, network.calm)


def _restart_aws(show: Show, fault: Fault) -> None:
    """Restart the emulator. It forgets nothing, but refuses every call for seconds."""
    with show.stage.aws.closed():
        show.stage.emulator.restart()


def _import(show: Show, fault: Fault) -> None:
    low, high = IMPORT
    show.writer.hurry(round(low + (high - low) * fault.strength))


ACTS: dict[str, Act] = {
    "kill": _kill,
    "kill_all": _kill_all,
    "stop": _stop,
    "zombie": _zombie,
    "crash_primary": _crash_primary,
    "step_down": _step_down,
    "mongodb_cut": _mongodb_cut,
    "mongodb_slow": _mongodb_slow,
    "mongodb_silent": _mongodb_silent,
    "aws_cut": _aws_cut,
    "aws_slow": _aws_slow,
    "aws_silent": _aws_silent,
    "restart_aws": _restart_aws,
    "import": _import,
}
