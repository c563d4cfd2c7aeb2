"""Which function plays which behaviour. They run in this order."""

from collections.abc import Callable, Mapping

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange
from devstack.documentdb.profiles import Value
from devstack.documentdb.rules import commands, enabling, events, greeting, reading, streams, tokens, users

RequestRule = Callable[[Exchange, Value], Document | None]
ReplyRule = Callable[[Exchange, Value], None]

REQUESTS: Mapping[str, RequestRule] = {
    "external_hello": greeting.external_hello,
    "engine_version": greeting.engine_version,
    "iam_sign_in": users.iam_sign_in,
    "external_users": users.external_users,
    "get_parameter": commands.refusing("getParameter"),
    "replica_set_commands": commands.refusing("replSetGetStatus", "replSetGetConfig"),
    "end_sessions": commands.refusing("endSessions", "refreshSessions"),
    "natural_order": commands.natural_order,
    "txn_number": commands.txn_number,
    "local_database": commands.no_local_documents,
    "enabling": enabling.enabling,
    "cursor_limit": reading.cursor_limit,
    "start_after": streams.unknown_option("startAfter"),
    "pre_image_option": streams.unknown_option("fullDocumentBeforeChange"),
    "full_document_images": streams.full_document_images,
    "show_expanded_events": streams.unknown_option("showExpandedEvents"),
    "stages": streams.stages,
    "add_fields": streams.add_fields,
    "split_large_event": streams.split_large_event,
    "not_enabled": enabling.not_enabled,
    "database_cursor": enabling.database_cursor,
    "lost_token": tokens.lost_token,
    "upgraded_tokens": tokens.upgraded_tokens,
    "retention": tokens.retention,
    "foreign_token": tokens.foreign_token,
    "idle_cursor": reading.idle_cursor,
    "stall": reading.stall,
    "scanning": reading.scanning,
}

REPLIES: Mapping[str, ReplyRule] = {
    "enablement_after_drop": enabling.enablement_after_drop,
    "enabling": enabling.only_enabled,
    "database_cursor": enabling.only_whole,
    "foreign_token": tokens.refused_token,
    "lost_token": tokens.expired_token,
    "resume_token": tokens.resume_token,
    "post_batch_token": tokens.post_batch_token,
    "first_post_batch_token": tokens.first_post_batch_token,
    "event_fields": events.event_fields,
    "update_description": events.update_description,
    "nested_updates": events.nested_updates,
    "hello_fields": greeting.hello_fields,
    "local_time": greeting.local_time,
    "wire_version": greeting.wire_version,
    "server_version": greeting.server_version,
    "local_database": commands.no_local_databases,
    "error_labels": commands.error_labels,
    "cluster_time": greeting.cluster_time,
    "operation_time": greeting.operation_time,
}

READ_BY_OTHERS = {"retention_seconds", "lost_time", "too_many_cursors"}
"""Behaviours that the functions of others read."""

OF_MONGOD = {"unchanged_fields"}
"""Behaviours that mongod has too."""
