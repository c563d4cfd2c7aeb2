"""Where the stories happen: the dev stack with the whole project on it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from devstack.stack import DevStack, forwarder_zip
from examples.razors import functions
from examples.razors.account import NOTES, ORDERS, STOCK, SUBSCRIPTIONS, Account, provision
from examples.razors.hops import Hops
from examples.razors.inbox import Inbox
from examples.razors.orders import OrderStore
from examples.razors.outage import Gate
from examples.razors.payments import Payments
from examples.razors.stock import Stock
from examples.razors.subscriptions import Subscriptions
from tailrace.dev.aws import arn
from tailrace.dev.resources import QUEUE
from tailrace.dev.screen import Screen


class Stage:
    """The parts that a story needs. ``with stage(...)`` makes one, with everything running."""

    def __init__(self, stack: DevStack, account: Account, gate: Gate, store: OrderStore, hops: Hops) -> None:
        dynamodb = stack.aws("dynamodb")
        self.stack, self.account, self.gate, self.store, self.hops = stack, account, gate, store, hops
        self.subscriptions = Subscriptions(dynamodb, SUBSCRIPTIONS, NOTES)
        self.heard: dict[str, str] = {}  # the ids of events, by name, as they were first published
        self.stock = Stock(dynamodb, STOCK)
        self.payments = Payments(stack.mongo)
        handlers = {"subscriptions": self.subscriptions.handle, "stock": self.stock.handle, "payments": self.payments.handle}
        self.inboxes = {name: Inbox(stack.aws("sqs"), account.inboxes[name], handle) for name, handle in handlers.items()}


@contextmanager
def stage(screen: Screen) -> Iterator[Stage]:
    """Start everything."""
    screen.step("starting MongoDB, an AWS account, three domains and an order store on 127.0.0.1")
    with DevStack(forwarder=False, report=lambda part: screen.step(f"  {part}", "dim")) as stack, ExitStack() as undo:
        account = provision(stack.aws)
        screen.step("  buses with archives, rules and dead letters, queues, tables with streams", "dim")
        gate = undo.enter_context(Gate(stack.aws.endpoint_url))
        zipped = forwarder_zip(stack.workspace.folder, lambda part: screen.step(f"  {part}", "dim"))
        code = functions.package(zipped, stack.workspace.folder / "razors.zip")
        functions.deploy(stack.aws, account, code, arn("sqs", QUEUE), gate.url)
        screen.step("  three forwarders with our own mappers, and the redrive on its schedule", "dim")
        store = undo.enter_context(OrderStore(stack.aws("dynamodb"), ORDERS))
        stack.start_tailer().wait_ready()
        here = Stage(stack, account, gate, store, Hops(screen, stack.aws("sqs"), account.witnesses))
        for inbox in here.inboxes.values():
            undo.enter_context(inbox)
        yield here
