"""This process: its settings, and the port it would listen on."""

import os
import socket
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.pulse import STANDING_BY
from tailer.settings import Settings, misspelt

_PATIENCE = 2.0  # seconds
_STOPPED = "; stopped, see tailer status"  # as ``tailer.http`` says it of streams that were given up


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
        status, said = _asked(host, number, "/healthz")
        if status in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE) and " s behind" in said:
            ready = _asked(host, number, "/readyz")[0] == HTTPStatus.OK
            return _running(f"a tailer answers on {host}:{number}: {said}", said, healthy=status == HTTPStatus.OK, ready=ready)
        return fail(f"cannot listen on {host}:{number}: {error.strerror}", "choose another TAILER_HTTP_PORT, or 0 for none")
    return ok(f"{host}:{number} is free")


def _running(found: str, said: str, *, healthy: bool, ready: bool) -> Verdict:
    """What a tailer says of itself, and whether it is at work."""
    if not healthy:
        return warn(found, "it does not move: see its log, and the checks below for the neighbour that it waits for")
    if _STOPPED in said:
        return warn(found, "see why with tailer status, put that right, then start it again")
    if ready or said.startswith(STANDING_BY):
        return ok(found)
    return warn(found, "ask again in a minute; if it stays, see its log, and the checks below for what it waits for")


def _asked(host: str, number: int, path: str) -> tuple[int, str]:
    """Status and text of a page there; 0 where nobody answers."""
    connection = HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, number, timeout=_PATIENCE)  # noqa: S104
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(10_000).decode(errors="replace").strip()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()
