"""The AWS emulator (ministack): SQS, DynamoDB, EventBridge and Lambda in one process of its own environment."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from tailrace.dev import guarded_emulator
from tailrace.dev.aws import ACCOUNT, REGION
from tailrace.dev.guarded_emulator import READY
from tailrace.dev.installed import EMULATORS, emulators_python
from tailrace.dev.loopback import HOST, free_port, get, wait_until
from tailrace.dev.workspace import Child, Workspace

MESSAGES = "/_ministack/sqs/messages"  # of the emulator only: AWS shows messages to those who receive them
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class Emulator:
    """
    ``start`` starts the process and returns. ``wait_ready`` returns once it responds.

    It accepts only the access key ``key``, which is new in each run. Its state is in memory. With ``persist`` the state
    survives ``restart``. A Lambda function runs in a child process, in the same process group and with the same Python.
    """

    def __init__(self, workspace: Workspace, *, persist: bool = False) -> None:
        self._workspace = workspace
        self._persist = persist
        self._port = free_port()
        self._process: Child | None = None
        self.key = f"LOCAL{secrets.token_hex(12).upper()}"

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def process(self) -> Child:
        assert self._process, "the emulator was not started"  # noqa: S101 - a programming error, not a condition
        return self._process

    def start(self) -> None:
        script = str(Path(guarded_emulator.__file__))
        self._process = self._workspace.spawn("emulator", [str(emulators_python()), "-P", script], self._environment())

    def wait_ready(self) -> None:
        """
        Raises:
            StartFailed: it ended, or did not respond in time. The message has the end of its log.
        """
        wait_until(lambda: get(self._port, READY)[0] == 200, self.process, START_SECONDS)

    def restart(self) -> None:
        """
        Stop and start it like a service, and return once it responds again.

        Raises:
            StartFailed: as ``wait_ready``.
        """
        self.process.stop(STOP_SECONDS)
        self.start()
        self.wait_ready()

    def messages(self, queue_url: str) -> list[str]:
        """Return the bodies of all messages in a queue, without receiving them."""
        path = f"{MESSAGES}?{urlencode({'QueueUrl': queue_url})}"
        _, text = get(self._port, path, headers={"x-amz-security-token": self.key})
        regions = json.loads(text)["messages"].get(ACCOUNT, {})
        return [message["Body"] for queues in regions.values() for messages in queues.values() for message in messages]

    def _environment(self) -> dict[str, str]:
        folder = str(self._workspace.folder / "emulator")
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.key,
            "AWS_SESSION_TOKEN": self.key,  # the emulator passes it to functions, whose access key is the account number
            "BIND_HOST": HOST,  # it listens on every interface otherwise
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "STATE_DIR": folder,
            "S3_DATA_DIR": folder,
            "PERSIST_STATE": str(int(self._persist)),
            "LAMBDA_EXECUTOR": "local",
            "PYTHONUNBUFFERED": "1",
        }


def function_python() -> str:
    """
    Return the Python version of functions here ("3.11"): the emulator's, whatever their ``Runtime`` is.

    Unless TAILRACE_EMULATORS names another, the environment of the emulators is made with the Python of this process.
    """
    if not os.environ.get(EMULATORS):
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([str(emulators_python()), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
