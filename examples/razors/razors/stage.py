"""Where the stories happen: this project on one machine, with its account, its domains and its order store."""

from pathlib import Path
from types import TracebackType
from typing import Self

from razors import account
from razors.hops import Hops
from razors.orders import Gate, OrderStore
from razors.payments import Payments
from razors.stock import Stock
from razors.subscriptions import Subscriptions
from razors.worker import Handle, Worker
from tailrace.dev.project_system import ProjectSystem
from tailrace.dev.screen import Screen
from tailrace.dev.system import Report
from tailrace.project import Project, load


class System(ProjectSystem):
    """MongoDB, an AWS account, the tailer, and the forwarder of this project, which publishes to the bus of the payments."""

    def __init__(self, report: Report) -> None:
        self.gate = Gate()  # the order store's way to its bus
        project = load(Path(__file__).parent)
        super().__init__(project, project.streams, report=report)

    def _provision(self, package: Path | None) -> None:
        if package:
            self.gate.endpoint = self.aws.endpoint_url
            account.deploy(self.aws, package, self.gate.url)
        super()._provision(package)

    def forwarder_settings(self, project: Project) -> dict[str, str]:
        return super().forwarder_settings(project) | {"FORWARDER_EVENT_BUS": "razors-payments"}


class Stage:
    """The parts that a story needs. ``with Stage(...)`` runs them until the block ends."""

    def __init__(self, system: System, screen: Screen) -> None:
        self.system, self.aws = system, system.aws
        dynamodb, sqs = self.aws("dynamodb"), self.aws("sqs")
        self.subscriptions = Subscriptions(dynamodb)
        self.stock, self.payments = Stock(dynamodb), Payments(system.mongo)
        self.store = OrderStore(dynamodb)
        handlers: dict[str, Handle] = {
            "subscriptions": self.subscriptions.handle,
            "stock": self.stock.handle,
            "payments": self.payments.handle,
        }
        inboxes = {domain: account.queue_url(self.aws, f"razors-{domain}") for domain in handlers}
        witnesses = {domain: account.queue_url(self.aws, f"razors-{domain}-witness") for domain in (*handlers, "orders")}
        self.workers = {domain: Worker(sqs, inboxes[domain], handle) for domain, handle in handlers.items()}
        self.hops = Hops(screen, sqs, witnesses)

    def __enter__(self) -> Self:
        self.system.start_tailers()
        for worker in self.workers.values():
            worker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        for worker in self.workers.values():
            worker.shutdown()
        self.store.shutdown()
