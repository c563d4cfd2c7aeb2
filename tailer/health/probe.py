"""
The container's health check: ``python -P -m tailer.health.probe``. It requests ``/healthz`` of the tailer in the container.

It runs every few seconds on a fraction of a CPU, so it imports only ``socket``: to import an HTTP client takes longer than the
request.
"""

import os
import socket
import sys

_TIMEOUT = 2.0  # seconds; the health check's own timeout is longer
_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - what a server may listen on, and nobody can connect to


def main() -> int:
    """Return 0 if the tailer is healthy or its port is 0; else return 1 and write the reason to standard error."""
    host, port = os.environ.get("TAILER_HTTP_HOST", ""), int(os.environ.get("TAILER_HTTP_PORT") or 8080)
    if port == 0:
        return 0
    try:
        response = _get("127.0.0.1" if host in _EVERYWHERE else host, port)
    except OSError as error:
        response = f"no response on port {port}: {error}"
    if response.split(" ", 2)[1:2] == ["200"]:
        return 0
    head, _, body = response.partition("\n\n")
    reason = " ".join((body.strip() or head).split())
    sys.stderr.write("".join(letter if letter.isprintable() else "?" for letter in reason) + "\n")  # another program may listen
    return 1


def _get(host: str, port: int) -> str:
    with socket.create_connection((host, port), _TIMEOUT) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        with connection.makefile("r", encoding="utf-8", errors="replace") as response:
            return response.read(4096)


if __name__ == "__main__":
    sys.exit(main())
