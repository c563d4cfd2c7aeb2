"""
The container's health check: ``python -P -m tailer.health.probe``. It asks ``/healthz`` of the tailer beside it.

It runs every few seconds on a part of a CPU, so it imports nothing but a socket: what an HTTP client takes to import costs more
than the question.
"""

import os
import socket
import sys

_TIMEOUT = 2.0  # seconds; the health check's own timeout is longer
_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - what a server may listen on, and nobody can connect to


def main() -> int:
    """0 while the tailer is healthy, or where it was told to answer nowhere; else 1, and why on standard error."""
    host, port = os.environ.get("TAILER_HTTP_HOST", ""), int(os.environ.get("TAILER_HTTP_PORT") or 8080)
    if port == 0:
        return 0
    try:
        response = _asked("127.0.0.1" if host in _EVERYWHERE else host, port)
    except OSError as error:
        response = f"no response on port {port}: {error}"
    if response.split(" ", 2)[1:2] == ["200"]:
        return 0
    head, _, said = response.partition("\n\n")
    told = " ".join((said.strip() or head).split())
    sys.stderr.write("".join(one if one.isprintable() else "?" for one in told) + "\n")  # whoever it was that answered
    return 1


def _asked(host: str, port: int) -> str:
    with socket.create_connection((host, port), _TIMEOUT) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        with connection.makefile("r", encoding="utf-8", errors="replace") as response:
            return response.read(4096)


if __name__ == "__main__":
    sys.exit(main())
