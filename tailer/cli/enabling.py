"""
``tailer change-streams``: what DocumentDB keeps for the configured streams, shown, enabled or disabled, and who may read it.

It is done by hand or by a deployment, as a user who may; ``tailer run`` never does it.
"""

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient

from tailer.mongodb import iam_users
from tailer.mongodb.change_streams import ENABLE, by, enabled, switch
from tailer.mongodb.watch import OWN_DATABASE, Scope
from tailer.output import Say, as_json, as_text
from tailer.parts import Parts

_NOT_NEEDED = "this is MongoDB, where change streams are always enabled: nothing to do"


def show(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """What each stream needs, and whether it is enabled."""
    kept = {parts.settings.stream: enabled(parts.client) for parts in streams}
    states = {parts.settings.stream: _states(parts.scopes_to_enable, kept[parts.settings.stream]) for parts in streams}
    if options.json:
        say(as_json({"needed": any(one is not None for one in kept.values()), "streams": states}))
        return
    for stream, state in states.items():
        say(as_text(stream, state))


def enable(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Enable what each stream needs and is not enabled; let the reader in."""
    _switch(options, streams, say, on=True)


def disable(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Disable exactly what ``enable`` would enable, whoever else reads it; let the reader in no more."""
    _switch(options, streams, say, on=False)


def _switch(options: Namespace, streams: Sequence[Parts], say: Say, *, on: bool) -> None:
    principal = iam_users.checked(options.reader) if options.reader else ""
    clusters: dict[MongoClient[Any], list[Parts]] = {}
    for parts in streams:
        clusters.setdefault(parts.client, []).append(parts)
    done: dict[str, str] = {}
    for client, watched in clusters.items():
        if (kept := enabled(client)) is None:
            done |= dict.fromkeys((parts.settings.stream for parts in watched), _NOT_NEEDED)
            continue
        wanted = sorted({scope for parts in watched for scope in parts.scopes_to_enable})
        done |= {str(scope): _switched(options, client, scope, kept, on=on) for scope in wanted}
        if principal:
            done[principal] = _read(options, client, principal, watched, on=on)
    say(as_json({"dryRun": options.dry_run, "done": done}) if options.json else as_text(_title(options), done))


def _switched(options: Namespace, client: "MongoClient[Any]", scope: Scope, kept: list[Scope], *, on: bool) -> str:
    """What became of one scope; ``kept`` is what is enabled, and then what is enabled after it."""
    wider = by(scope, [one for one in kept if one != scope])
    if on and (scope in kept or wider):
        return "enabled already" if scope in kept else f"enabled already, by {wider}"
    if not on and scope not in kept:
        return f"enabled by {wider}, which is left as it is" if wider else "not enabled"
    if not options.dry_run:
        switch(client, scope, on=on)
    (kept.append if on else kept.remove)(scope)
    return "enabled" if on else f"disabled; still enabled by {wider}" if wider else "disabled"


def _read(options: Namespace, client: "MongoClient[Any]", principal: str, streams: Sequence[Parts], *, on: bool) -> str:
    users = iam_users.IamUsers(client)
    has = users.roles(principal)
    if not on:
        if not options.dry_run:
            users.drop(principal)
        return "no user" if has is None else "dropped"
    keeps = any(parts.settings.checkpoints.get_secret_value() == "mongodb:" for parts in streams)
    wants = iam_users.roles([scope for parts in streams for scope in parts.scopes_to_enable], OWN_DATABASE if keeps else "")
    told = ", ".join(f"{role['role']} on {role['db']}" for role in wants)
    if has is not None and sorted(has, key=str) == sorted(wants, key=str):
        return f"may {told} already"
    if not options.dry_run:
        users.set(principal, wants)
    return f"may {told} and no more" if has is not None else f"created; may {told}"


def _states(wanted: Sequence[Scope], kept: Sequence[Scope] | None) -> dict[str, Any]:
    if kept is None:
        return {str(scope): _NOT_NEEDED for scope in wanted}
    found = {scope: by(scope, kept) for scope in wanted}
    return {
        str(scope): (f"enabled by {one}" if one != scope else "enabled") if one else f"not enabled: {ENABLE}"
        for scope, one in found.items()
    }


def _title(options: Namespace) -> str:
    return "would be" if options.dry_run else "now"
