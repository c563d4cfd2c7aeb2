"""This process: its settings, and the port it would listen on."""

import os
import socket
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.settings import Settings, misspelt

_PATIENCE = 2.0  # seconds


def settings(streams: Sequence[Settings]) -> Verdict:
    """They could be read, or nothing else would be looked at; a likely typo is told."""
    told = f"{'streams' if len(streams) > 1 else 'stream'} {', '.join(one.stream for one in streams)}"
    if typos := misspelt():
        wrong, right = next(iter(typos.items()))
        return warn(f"{told}; {wrong} is not a setting", f"did you mean {right}?")
    return ok(told)


def port(host: str, number: int) -> Verdict:
    """Free for a tailer, or a tailer's already."""
    if number == 0:
        return ok("none: TAILER_HTTP_PORT is 0")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except OSError as error:
        said = _healthz(host, number)
        if said:
            return ok(f"a tailer answers on {host}:{number}: {said}")
        return fail(f"cannot listen on {host}:{number}: {error.strerror}", "choose another TAILER_HTTP_PORT, or 0 for none")
    return ok(f"{host}:{number} is free")


def _healthz(host: str, number: int) -> str:
    """The first line of what a tailer says of itself there; empty where none does."""
    connection = HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, number, timeout=_PATIENCE)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        text = answer.read(1000).decode(errors="replace").strip()
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
    return text if answer.status in (200, 503) and " s behind" in text else ""
