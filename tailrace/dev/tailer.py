"""The tailer as a process that is configured by its environment, as in production."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tailrace.dev.loopback import free_port, get, wait_until
from tailrace.dev.workspace import Child, Workspace

READY_SECONDS = 30.0
STOP_SECONDS = 25.0  # the tailer guarantees 20


class TailerProcess:
    """
    ``tailer run``, started at once. ``stop``, ``kill`` and the end of the workspace end it. ``source`` is a folder whose
    code it runs, by default the installed code. ``within`` changes the command, to run it in a cgroup for example.
    """

    def __init__(
        self,
        workspace: Workspace,
        environment: Mapping[str, str],
        name: str = "tailer",
        *,
        source: Path | None = None,
        within: Callable[[list[str]], list[str]] = list,
    ) -> None:
        self.port = int(environment.get("TAILER_HTTP_PORT", "0")) or free_port()
        # The workspace has no .env file, so that only this environment counts.
        self.settings = {**environment, "TAILER_HTTP_PORT": str(self.port)}
        own = {"PYTHONUNBUFFERED": "1"} | ({"PYTHONPATH": str(source)} if source else {})
        self.process: Child = workspace.spawn(name, within([sys.executable, "-P", "-m", "tailer", "run"]), self.settings | own)

    @property
    def log(self) -> Path:
        return self.process.log

    @property
    def running(self) -> bool:
        return self.process.running

    def ready(self) -> bool:
        return get(self.port, "/readyz")[0] == 200

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """
        Return once /readyz responds 200.

        Raises:
            StartFailed: it ended first, or was not ready in time. The message has the end of its log.
        """
        wait_until(self.ready, self.process, seconds)

    def metrics(self) -> str:
        """Return the text of /metrics."""
        return get(self.port, "/metrics")[1]

    def kill(self) -> None:
        """Send SIGKILL, as if the machine was lost."""
        self.process.kill()

    def stop(self) -> int:
        """Send SIGTERM, as ECS does. Return the exit code, -9 if the tailer did not end in time."""
        return self.process.stop(STOP_SECONDS)
