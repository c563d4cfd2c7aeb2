"""Where the stories happen: this project on one machine, with its account, its domains and its order store."""

import threading
from contextlib import ExitStack
from pathlib import Path

from razors import account
from razors.hops import Hops
from razors.orders import Gate, order_store
from razors.payments import Payments
from razors.stock import Stock
from razors.subscriptions import Subscriptions
from razors.worker import Handle, Worker
from tailrace.dev.consumer import Consumer
from tailrace.dev.project_system import ProjectSystem
from tailrace.dev.screen import Screen
from tailrace.project import Project, load


class System(ProjectSystem):
    """MongoDB, an AWS account, the tailer, the forwarder of the payments, and what the stories need besides."""

    def __init__(self, screen: Screen) -> None:
        project = load(Path(__file__).parent)
        super().__init__(project, project.streams, report=lambda part: screen.step(f"  {part}", "dim"))
        self.screen, self.gate = screen, Gate()  # the order store's way to its bus

    def forwarder_settings(self, project: Project) -> dict[str, str]:
        return super().forwarder_settings(project) | {"FORWARDER_EVENT_BUS": "razors-payments"}

    def _provision(self, package: Path | None) -> None:
        if package:
            self.gate.endpoint = self.aws.endpoint_url
            account.deploy(self.aws, package, self.gate.url)
        super()._provision(package)

    def _start(self, undo: ExitStack) -> None:
        super()._start(undo)
        dynamodb, sqs, stopping = self.aws("dynamodb"), self.aws("sqs"), threading.Event()
        self.subscriptions, self.stock, self.payments = Subscriptions(dynamodb), Stock(dynamodb), Payments(self.mongo)
        self.store = order_store(dynamodb)
        acts: dict[str, Handle] = {
            "subscriptions": self.subscriptions.handle,
            "stock": self.stock.handle,
            "payments": self.payments.handle,
        }
        queues = {domain: account.queue_url(self.aws, f"razors-{domain}") for domain in acts}
        witnesses = {domain: account.queue_url(self.aws, f"razors-{domain}-witness") for domain in (*acts, "orders")}
        self.hops = Hops(self.screen, {domain: Consumer(sqs, url) for domain, url in witnesses.items()})
        self.workers = {domain: Worker(sqs, queues[domain], act, stopping) for domain, act in acts.items()}
        self.start_tailers()
        for worker in self.workers.values():
            worker.start()
            undo.callback(worker.join, timeout=10)
        undo.callback(stopping.set)
