"""Whether this process can serve its health, or a tailer already serves it here."""

import os
import socket
from errno import EADDRINUSE
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from tailer.checks import Check, Finding, fail, ok, warn
from tailer.health.health import CONDITION, GAVE_UP, STANDING_BY, TAILING

_TIMEOUT = 2.0  # seconds


def port_check(host: str, number: int) -> Check:
    return Check(
        name="http.port",
        run=partial(port, host, number),
        outage="run the doctor again; if it fails again, find out which process listens there",
        mistake="choose another TAILER_HTTP_PORT",
    )


def port(host: str, number: int) -> Finding:
    """Check that the port is free, or used by a tailer that tails or is on standby."""
    if number == 0:
        return ok("none: TAILER_HTTP_PORT is 0")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except OSError as error:
        status, condition, text = _health(host, number)
        if condition:
            return _running(f"a tailer answers on {host}:{number}: {text}", condition, healthy=status == HTTPStatus.OK)
        found = f"cannot listen on {host}:{number}: {error.strerror}"
        return _not_free(found, taken=error.errno == EADDRINUSE, responds=bool(status))
    return ok(f"{host}:{number} is free")


def _not_free(found: str, *, taken: bool, responds: bool) -> Finding:
    other = "choose another TAILER_HTTP_PORT, or 0 for none"
    if not taken:
        return fail(found, other)
    if responds:
        return fail(f"{found}: used by a program that is not a tailer", other)
    return fail(
        f"{found}: used by a process that does not respond: a hung tailer, or another program",
        f"end a hung tailer (ss -ltnp shows its process; a standby takes over), or {other}",
    )


def _running(found: str, condition: str, *, healthy: bool) -> Finding:
    if not healthy:
        return warn(found, "it makes no progress: see its log, and the checks below for the server that it waits for")
    if condition == GAVE_UP:
        return warn(found, "run tailer status for the reason, fix it, then start the tailer again")
    if condition in (TAILING, STANDING_BY):
        return ok(found)
    return warn(
        found,
        "run the doctor again in a minute; if nothing changed, see its log, and the checks below for what it waits for",
    )


def _health(host: str, number: int) -> tuple[int, str, str]:
    """Return status, condition and text of the program that listens there; without a condition it is no tailer."""
    connection = HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, number, timeout=_TIMEOUT)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, response.getheader(CONDITION, ""), response.read(10_000).decode(errors="replace").strip()
    except (OSError, HTTPException):
        return 0, "", ""
    finally:
        connection.close()
