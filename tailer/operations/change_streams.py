"""
What DocumentDB keeps change streams for: shown, enabled or disabled, with the access of the IAM role that reads them.

A user with the right to do so calls it, or a deployment. ``tailer run`` never does.
"""

from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient

from tailer.mongodb import iam_users
from tailer.mongodb.change_streams import ENABLE, by, enabled, switch
from tailer.mongodb.scopes import OWN_DATABASE, Scope
from tailer.output import Result
from tailer.parts import Parts

_NOT_NEEDED = "this is MongoDB, where change streams are always enabled: nothing to do"


def show(streams: Sequence[Parts]) -> Result:
    """Read for each stream whether change streams are enabled for each scope that it needs. MongoDB does not need this."""
    found = {parts: enabled(parts.client) for parts in streams}
    states = {parts.settings.stream: _states(parts.scopes_to_enable, kept) for parts, kept in found.items()}
    return Result(values={"needed": any(kept is not None for kept in found.values()), "streams": states}, shown=states)


def enable(streams: Sequence[Parts], reader: str = "", *, dry_run: bool = False) -> Result:
    """Enable what the streams need and is not enabled, and give the ``reader``, an ARN, access to it."""
    return _switch(streams, reader, on=True, dry_run=dry_run)


def disable(streams: Sequence[Parts], reader: str = "", *, dry_run: bool = False) -> Result:
    """Disable exactly what ``enable`` enables, even if others read it, and remove the user of the ``reader``."""
    return _switch(streams, reader, on=False, dry_run=dry_run)


def _switch(streams: Sequence[Parts], reader: str, *, on: bool, dry_run: bool) -> Result:
    principal = iam_users.checked(reader) if reader else ""
    clusters: dict[MongoClient[Any], list[Parts]] = {}
    for parts in streams:
        clusters.setdefault(parts.client, []).append(parts)
    done: dict[str, str] = {}
    for client, watched in clusters.items():
        if (kept := enabled(client)) is None:
            done |= {parts.settings.stream: _NOT_NEEDED for parts in watched}
            continue
        for scope in sorted({scope for parts in watched for scope in parts.scopes_to_enable}):
            done[str(scope)], changes = _outcome(scope, kept, on=on)
            if changes:
                if not dry_run:
                    switch(client, scope, on=on)
                (kept.append if on else kept.remove)(scope)
        if principal:
            done[principal] = _access(iam_users.IamUsers(client), principal, watched, on=on, dry_run=dry_run)
    return Result(values={"dryRun": dry_run, "done": done}, shown={"would be" if dry_run else "now": done})


def _outcome(scope: Scope, kept: Sequence[Scope], *, on: bool) -> tuple[str, bool]:
    """What becomes of a scope, where ``kept`` is what is enabled; and whether that changes anything."""
    wider = by(scope, [other for other in kept if other != scope])
    if on:
        already = "" if scope in kept else f", by {wider}"
        return (f"enabled already{already}", False) if scope in kept or wider else ("enabled", True)
    if scope in kept:
        return f"disabled; still enabled by {wider}" if wider else "disabled", True
    return f"enabled by {wider}, which is left as it is" if wider else "not enabled", False


def _access(users: iam_users.IamUsers, principal: str, streams: Sequence[Parts], *, on: bool, dry_run: bool) -> str:
    """Give the principal access to what the streams read, or remove its user; in words."""
    has = users.roles(principal)
    if not on:
        if not dry_run:
            users.drop(principal)
        return "no user" if has is None else "dropped"
    writes = any(parts.settings.checkpoints.get_secret_value() == "mongodb:" for parts in streams)
    wants = iam_users.roles([scope for parts in streams for scope in parts.scopes_to_enable], OWN_DATABASE if writes else "")
    access = ", ".join(f"{role['role']} on {role['db']}" for role in wants)
    if has is not None and sorted(has, key=str) == sorted(wants, key=str):
        return f"may {access} already"
    if not dry_run:
        users.set(principal, wants)
    return f"may {access} and no more" if has is not None else f"created; may {access}"


def _states(wanted: Sequence[Scope], kept: Sequence[Scope] | None) -> dict[str, str]:
    if kept is None:
        return {str(scope): _NOT_NEEDED for scope in wanted}
    states = {}
    for scope in wanted:
        wider = by(scope, kept)
        states[str(scope)] = "enabled" if wider == scope else f"enabled by {wider}" if wider else f"not enabled: {ENABLE}"
    return states
