"""This process: its settings, and the port it would listen on."""

import os
import socket
from collections.abc import Sequence
from errno import EADDRINUSE
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.health.health import CONDITION, GAVE_UP, STANDING_BY, TAILING
from tailer.settings.settings import Settings, misspelt

_TIMEOUT = 2.0  # seconds


def settings(streams: Sequence[Settings]) -> Verdict:
    """They could be read, or nothing else would be looked at; a likely typo is told."""
    told = f"{'streams' if len(streams) > 1 else 'stream'} {', '.join(one.stream for one in streams)}"
    if typos := misspelt():
        wrong, right = next(iter(typos.items()))
        return warn(f"{told}; {wrong} is not a setting", f"did you mean {right}?")
    return ok(told)


def port(host: str, number: int) -> Verdict:
    """Free for a tailer, or already that of one which tails or stands by."""
    if number == 0:
        return ok("none: TAILER_HTTP_PORT is 0")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except OSError as error:
        status, condition, said = _asked(host, number)
        if condition:
            return _running(f"a tailer answers on {host}:{number}: {said}", condition, healthy=status == HTTPStatus.OK)
        found = f"cannot listen on {host}:{number}: {error.strerror}"
        return _in_the_way(found, error.errno == EADDRINUSE, responses=bool(status))
    return ok(f"{host}:{number} is free")


def _in_the_way(found: str, taken: bool, *, responses: bool) -> Verdict:
    """Of a port that a tailer could not have, and no tailer answers on."""
    other = "choose another TAILER_HTTP_PORT, or 0 for none"
    if not taken:
        return fail(found, other)
    if responses:
        return fail(f"{found}: used by a program that is not a tailer", other)
    return fail(
        f"{found}: used by a process that does not respond: a hung tailer, or another program",
        f"end a hung tailer (ss -ltnp shows its process; a standby takes over), or {other}",
    )


def _running(found: str, condition: str, *, healthy: bool) -> Verdict:
    """What a tailer says of itself, and whether it is at work."""
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


def _asked(host: str, number: int) -> tuple[int, str, str]:
    """Status, condition and text of whoever answers there; without a condition it is no tailer."""
    connection = HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, number, timeout=_TIMEOUT)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, response.getheader(CONDITION, ""), response.read(10_000).decode(errors="replace").strip()
    except (OSError, HTTPException):
        return 0, "", ""
    finally:
        connection.close()
