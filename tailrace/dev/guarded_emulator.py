"""
The AWS emulator with access control. A client that can create a function runs code in the emulator, so it serves only
the clients of this run.

A script that runs in the emulator's environment: ``python -P guarded_emulator.py``. The emulator accepts the access key
``AWS_ACCESS_KEY_ID`` and the sessions of roles that it assumed. Functions send the same text as ``AWS_SESSION_TOKEN``.
``TAILRACE_HOSTS`` has further host names of the emulator, separated by commas.
"""

import os
import re
from collections import ChainMap
from collections.abc import Awaitable, Callable, Container, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

READY = "/_ministack/ready"  # says that it runs, and nothing else

Scope = Mapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


def refusal(scope: Scope, keys: Container[str], hosts: Container[str]) -> str:
    """Return why a request is refused, or an empty string. ``keys`` are the accepted access keys and session tokens."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    if "origin" in headers:
        return "a web page may not call the emulator"
    if headers.get("host", "").rpartition(":")[0] not in hosts:
        return "the emulator is not called by this host name"
    if scope["path"] == READY:
        return ""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return "" if any(key in keys for key in _keys(headers, query)) else "the access key is not the one of this run"


def _keys(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> set[str]:
    """Return every access key and session token in the headers and in the query of a presigned URL."""
    signed = query.get("X-Amz-Credential", [""])[0].partition("/")[0]
    token = query.get("X-Amz-Security-Token", [""])[0]
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    return {found[1] if found else "", headers.get("x-amz-security-token", ""), signed, token} - {""}


def guarded(app: App, keys: Container[str], hosts: Container[str]) -> App:
    """Return the app with access control: a refused request gets 403, and a refused web socket is closed."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        why = refusal(scope, keys, hosts) if scope["type"] in ("http", "websocket") else ""
        if not why:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": f"{why}\n".encode()})

    return guard


def main() -> None:
    """Serve until stopped, as ``python -m ministack`` does."""
    emulator: Any = import_module("ministack.app")  # of the emulator's own environment
    sessions = import_module("ministack.services.sts")._sessions
    keys = ChainMap({os.environ["AWS_ACCESS_KEY_ID"]: {}}, sessions)
    hosts = {"127.0.0.1", "localhost", *os.environ.get("TAILRACE_HOSTS", "").split(",")} - {""}
    emulator.app = guarded(emulator.app, keys, hosts)
    emulator.main()


if __name__ == "__main__":
    main()
