"""The whole path, from a commit to a consumer after two buses, while tailers are killed and the Lambda fails in every way."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from msgspec.structs import replace

from devstack import DevStack
from devstack.payments import Payments
from devstack.stack import COLLECTION, DATABASE
from devstack.verdict import Verdict, judge
from tailer.model import Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.file import FileCheckpoints
from tailrace.dev.consumer import Received
from tailrace.dev.function import FUNCTION
from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess
from tests.eventually import eventually
from tests.faults import unsteady
from tests.faults.show import NeverCame

TIMEOUT = 3  # seconds, of the function
VISIBILITY = 4  # seconds, of the queue
RATE = 0.3  # the share of the function's invocations that fail, until there are enough
LEASE = 1  # second
LANES = 8
ARRIVAL_SECONDS = 120.0
READY_SECONDS = 30.0

Damage = Callable[[Path], None]
"""What is done to the function's zip before it is put in place."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The consumer's verdict, problems on the way, and how many old events arrived again after a late repeat of everything."""

    verdict: Verdict
    faults: Counter[str]
    late: int

    @property
    def holds(self) -> bool:
        return self.verdict.holds and not self.late

    def lines(self) -> list[str]:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        mark = "FAIL" if self.late else "ok  "
        return [
            *self.verdict.lines(),
            f"{mark} {self.late} events again after a former owner sent everything once more",
            f"     {counts}",
        ]


def main(screen: Screen, seed: int, payments: int, faults: int, kills: int) -> int:
    """Run it. The exit code is 0 only if every guarantee was kept."""
    screen.step(f"the whole path: {payments} payments, {kills} SIGKILLs, {faults} failures of the function")
    outcome = walk(seed, payments, faults, kills)
    for line in outcome.lines():
        screen.line(f"  {line}")
    return int(not outcome.holds)


def walk(
    seed: int,
    payments: int,
    faults: int,
    kills: int,
    *,
    kinds: Sequence[str] = unsteady.KINDS,
    rate: float = RATE,
    damage: Damage = lambda _: None,
) -> Outcome:
    """Create payments, cancel half of them, cause faults meanwhile, and return the verdict on the received events."""
    chance = random.Random(seed)
    with DevStack() as stack:
        log = _unsettle(stack, damage, FAULTS_SEED=seed, FAULTS_COUNT=faults, FAULTS_KINDS=" ".join(kinds), FAULTS_RATE=rate)
        tailers = [_tailer(stack), _tailer(stack)]
        _until(lambda: any(tailer.ready() for tailer in tailers), READY_SECONDS, "a tailer")
        beginning = _beginning(stack)
        application, received = Payments(stack.mongo[DATABASE][COLLECTION]), list[Received]()
        killed = sorted(chance.sample(range(payments), kills))
        for number in range(payments):
            payment = application.create()
            if chance.random() < 0.5:
                application.cancel(payment)
            if number in killed:
                owner = next((tailer for tailer in tailers if tailer.ready()), tailers[0])
                owner.kill()
                tailers[tailers.index(owner)] = _tailer(stack)
            time.sleep(chance.uniform(0, 0.02))
        received += _collected(stack, received, len(application.committed))
        verdict = judge(application.committed, received)
        late = _late_repeats(stack, beginning, len(application.committed))
        happened = Counter(log.read_text().split()) if log.exists() else Counter[str]()
        return Outcome(verdict=verdict, faults=happened + Counter(kill=kills), late=late)


def _unsettle(stack: DevStack, damage: Damage, **told: object) -> Path:
    """Wrap the forwarder in the unsteady handler with these settings, and return the path of its log."""
    folder = stack.workspace.folder
    package, log = Path(shutil.copy(folder / "forwarder.zip", folder / "unsteady.zip")), folder / "unsteady.txt"
    with ZipFile(package, "a") as archive:
        archive.write(unsteady.__file__, "unsteady.py")
    damage(package)
    client = stack.aws("lambda")
    settings = client.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    variables = settings | {"FAULTS_LOG": str(log)} | {name: str(value) for name, value in told.items()}
    client.update_function_code(FunctionName=FUNCTION, ZipFile=package.read_bytes())
    client.update_function_configuration(
        FunctionName=FUNCTION, Handler="unsteady.handler", Timeout=TIMEOUT, Environment={"Variables": variables}
    )
    queue = {"QueueUrl": stack.resources.queue_url}
    attributes = {
        "VisibilityTimeout": str(VISIBILITY),
        "RedrivePolicy": "",
    }  # A failed message becomes visible soon, however often it fails.
    stack.aws("sqs").set_queue_attributes(**queue, Attributes=attributes)
    return log


def _tailer(stack: DevStack) -> TailerProcess:
    return stack.start_tailer(lease_seconds=LEASE, lanes=LANES)


def _beginning(stack: DevStack) -> Record:
    """Return the stream's record before anything was written, as the first tailer left it."""
    record = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table).read("payments")
    assert record
    return record


def _collected(stack: DevStack, before: Sequence[Received], count: int) -> list[Received]:
    """Return the events until none is missing, and then any others until the queue is empty."""
    seen = {event.id for event in before}
    consumer = stack.consumer()
    received = consumer.receive_until(lambda new: len(seen | {event.id for event in new}) >= count, ARRIVAL_SECONDS)
    _until(lambda: _idle(stack), ARRIVAL_SECONDS, "an empty queue")
    while more := consumer.receive():
        received += more
    return received


def _late_repeats(stack: DevStack, beginning: Record, changes: int) -> int:
    """Run a tailer that still has the first position, and count the events that arrive at the consumer again."""
    store = stack.workspace.folder / "former-owner.json"
    FileCheckpoints(store).write(replace(beginning, version=1, owner=""))
    former = stack.start_tailer(checkpoints=f"file://{store}", lanes=LANES)
    _until(lambda: _sent(former) >= changes, ARRIVAL_SECONDS, "all of it, sent once more")
    former.kill()
    _until(lambda: _idle(stack), ARRIVAL_SECONDS, "an empty queue")
    consumer, late = stack.consumer(), 0
    while again := consumer.receive():
        late += len(again)
    return late


def _sent(tailer: TailerProcess) -> float:
    lines = [line for line in tailer.metrics().splitlines() if line.startswith("tailrace_changes_sent_total")]
    return float(lines[0].rpartition(" ")[2]) if lines else 0


def _idle(stack: DevStack) -> bool:
    """Whether the forwarder has nothing left to do."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    asked = stack.aws("sqs").get_queue_attributes(QueueUrl=stack.resources.queue_url, AttributeNames=names)
    return not any(int(count) for count in asked["Attributes"].values())


def _until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    if not eventually(happened, seconds):
        raise NeverCame(f"{what}: not within {seconds:g} s")
