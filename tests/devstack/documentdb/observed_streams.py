"""For each behaviour of change streams: the value that a client observes."""

import re
import threading
import time
from functools import partial

from bson.timestamp import Timestamp

from devstack.documentdb.cluster import OpenCursor
from devstack.documentdb.rules.reading import IDLE_SECONDS
from tests.devstack.documentdb.server import Document, Server, outcome, shows
from tests.eventually import eventually

Observed = str | int


def enabling(server: Server) -> Observed:
    """An event from before is never shown, and one after it is."""
    stream, admin = server.open(first=True), server.client.admin
    assert list(admin.aggregate([{"$listChangeStreams": 1}])) == []
    server.collection().insert_one({"_id": 1})
    admin.command({"modifyChangeStreams": 1, "database": server.name, "collection": "c", "enable": True})
    assert list(admin.aggregate([{"$listChangeStreams": 1}])) == [{"database": server.name, "collection": "c"}]
    server.collection().insert_one({"_id": 2})
    keys = [event["documentKey"]["_id"] for event in stream.events()]
    return "needed" if keys == [2] else "not needed"


def not_enabled(server: Server) -> Observed:
    return _delivered(server, "c")


def database_cursor(server: Server) -> Observed:
    server.dialect.enabled = {(server.name, "c")}
    return _delivered(server, 1)


def _delivered(server: Server, target: str | int) -> Observed:
    """Return whether a stream delivers an event, or the code with which it is refused."""
    if (found := outcome(lambda: server.open(target=target, first=True))) != "accepted":
        return found
    stream = server.open(target=target, first=True)
    server.collection().insert_one({})
    return "delivers" if stream.read()["nextBatch"] + stream.read()["nextBatch"] else "silent"


def enablement_after_drop(server: Server) -> Observed:
    server.collection().insert_one({})
    server.dialect.enabled = {(server.name, "c"), (server.name, "")}
    server.client[server.name].drop_collection("c")
    return "kept" if (server.name, "c") in server.dialect.enabled else "lost"


def start_after(server: Server) -> Observed:
    return outcome(lambda: server.open(startAfter=server.open().opened.get("postBatchResumeToken", {"_data": "01"})))


def pre_image_option(server: Server) -> Observed:
    return outcome(lambda: server.open(fullDocumentBeforeChange="whenAvailable"))


def full_document_images(server: Server) -> Observed:
    codes = {outcome(partial(server.open, fullDocument=one)) for one in ("whenAvailable", "required")}
    assert outcome(lambda: server.open(fullDocument="updateLookup")) == "accepted"
    [code] = codes
    return code


def show_expanded_events(server: Server) -> Observed:
    return outcome(lambda: server.open(showExpandedEvents=True))


def split_large_event(server: Server) -> Observed:
    return outcome(lambda: server.open([{"$changeStreamSplitLargeEvent": {}}]))


def stages(server: Server) -> Observed:
    assert outcome(lambda: server.open([{"$match": {"a": 1}}, {"$project": {"a": 1}}, {"$redact": "$$KEEP"}])) == "accepted"
    refused: list[Document] = [{"$set": {"a": 1}}, {"$unset": "a"}]
    codes = {outcome(partial(server.open, [one])) for one in refused}
    [code] = codes
    return code


def add_fields(server: Server) -> Observed:
    return outcome(lambda: server.open([{"$addFields": {"a": 1}}]))


def resume_token(server: Server) -> Observed:
    """Both kinds of token can be resumed after, in a stream of another connection."""
    stream = server.open()
    server.collection().insert_many([{"_id": number} for number in (1, 2.5)])
    [first, second] = stream.events(2)
    for event, following in ((first, [2.5]), (second, [])):
        seconds, increment = event["clusterTime"].time, event["clusterTime"].inc
        assert event["_id"]["_data"].startswith(f"01{seconds:08X}{increment:08X}01")
        again = server.open(resumeAfter=event["_id"]).events(1)
        assert [one["documentKey"]["_id"] for one in again] == following
    token = stream.read()["postBatchResumeToken"]
    server.collection().insert_one({"_id": 3})
    assert [one["documentKey"]["_id"] for one in server.open(resumeAfter=token).events(1)] == [3]
    return "documentdb" if re.match(r"01[0-9A-F]{8}0{8}04", token["_data"]) else "another"


def foreign_token(server: Server) -> Observed:
    with server.collection().watch() as stream:
        mongods = stream.resume_token
    ours = _token(server)["_data"][:20]
    tokens = (mongods, {"_data": f"{ours}zz"}, {"_data": f"{ours}0000FFFF"})
    codes = {outcome(partial(server.open, resumeAfter=one)) for one in tokens}
    [code] = codes
    return code


def post_batch_token(server: Server) -> Observed:
    return shows(server.open().read(), "postBatchResumeToken")


def first_post_batch_token(server: Server) -> Observed:
    return shows(server.open().opened, "postBatchResumeToken")


def lost_token(server: Server) -> Observed:
    """Whether the test says that it is lost, or mongod does."""
    token = _token(server)
    assert outcome(lambda: server.open(resumeAfter=token)) == "accepted"
    server.dialect.values["retention"] = "size"
    unknown = {"_data": f"01{1_700_000_000:08X}{token['_data'][10:]}"}
    by_mongod = outcome(lambda: server.open(resumeAfter=unknown).events())
    server.dialect.lost = True
    [code] = {by_mongod, outcome(lambda: server.open(resumeAfter=token))}
    return code


def lost_time(server: Server) -> Observed:
    return outcome(lambda: server.open(startAtOperationTime=Timestamp(1_700_000_000, 1)), "oldest")


def retention(server: Server) -> Observed:
    server.dialect.values["lost_time"] = 136
    return {136: "clock", "oldest": "size"}[lost_time(server)]


def retention_seconds(server: Server) -> Observed:
    server.dialect.values |= {"retention": "clock", "lost_time": 136}
    now = int(time.time())
    kept = [hours * 3600 for hours in range(1, 9) if _opens(server, now - hours * 3600 + 60)]
    assert not _opens(server, now - kept[-1] - 60)
    return kept[-1]


def _opens(server: Server, seconds: int) -> bool:
    return outcome(lambda: server.open(startAtOperationTime=Timestamp(seconds, 1))) == "accepted"


def upgraded_tokens(server: Server) -> Observed:
    token = _token(server)
    server.dialect.upgraded = int(token["_data"][2:10], 16) + 1
    return outcome(lambda: server.open(resumeAfter=token), "valid")


def stall(server: Server) -> Observed:
    """Another client's write of many documents takes a second. What was committed before it arrives after it."""
    stream = server.open()
    server.collection().insert_one({"_id": 1})
    slow = {"$where": "sleep(1000) || true"}
    write = threading.Thread(target=lambda: server.client[server.name].c.update_many(slow, {"$set": {"n": 1}}), daemon=True)
    write.start()
    assert eventually(lambda: bool(server.dialect.writes), 10)
    during = [stream.read()["nextBatch"] for _ in range(3)]
    assert write.is_alive()
    write.join()
    after = [event["operationType"] for event in stream.events(2)]
    return "until the write ends" if (during, after) == ([[], [], []], ["insert", "update"]) else "another"


def scanning(server: Server) -> Observed:
    token = _token(server)
    server.collection().insert_one({"_id": 2})
    stream = server.open(resumeAfter=token)
    return next(number for number in range(20) if stream.read()["nextBatch"])


def event_fields(server: Server) -> Observed:
    stream = server.open()
    with server.mongod.start_session() as session, session.start_transaction():
        server.mongod[server.name].c.insert_one({"_id": 1}, session=session)
    [event] = stream.events()
    return "documented" if not {"wallTime", "lsid", "txnNumber"} & event.keys() else "more"


def update_description(server: Server) -> Observed:
    return shows(_updated(server, {"n": 2}), "updateDescription")


def nested_updates(server: Server) -> Observed:
    updated = _updated(server, {"a.b": 2, "l.0": 3})["updateDescription"]["updatedFields"]
    return (
        "path" if updated == {"a.b": 2, "l.0": 3} else "field" if updated == {"a": {"b": 2, "c": 1}, "l": [3, 2]} else "other"
    )


def unchanged_fields(server: Server) -> Observed:
    updated = _updated(server, {"n": 2, "same": 1})["updateDescription"]["updatedFields"]
    return "omitted" if updated == {"n": 2} else "sent"


def cursor_limit(server: Server) -> Observed:
    """All cursors but one are in use. The next is the last, until one is closed."""
    limit = int(server.dialect.values["cursor_limit"])
    server.dialect.cursors |= {-number: OpenCursor(None, server.dialect.clock()) for number in range(1, limit)}
    stream = server.open()
    refused = outcome(server.open)
    server.client[server.name].command("killCursors", "c", cursors=[stream.opened["id"]])
    assert outcome(server.open) == "accepted"
    return limit if refused == server.dialect.values["too_many_cursors"] else "none"


def too_many_cursors(server: Server) -> Observed:
    server.dialect.values["cursor_limit"] = 0
    return outcome(server.open)


def idle_cursor(server: Server) -> Observed:
    stream, opened = server.open(), server.dialect.clock()
    server.dialect.clock = lambda: opened + IDLE_SECONDS + 1
    return outcome(stream.read)


def _token(server: Server) -> Document:
    """Return the token of an event."""
    stream = server.open()
    server.collection().insert_one({})
    token: Document = stream.events()[0]["_id"]
    return token


def _updated(server: Server, fields: Document) -> Document:
    server.collection().insert_one({"_id": 1, "n": 1, "same": 1, "a": {"b": 1, "c": 1}, "l": [1, 2]})
    stream = server.open(fullDocument="updateLookup")
    server.collection().update_one({"_id": 1}, {"$set": fields})
    return stream.events()[0]


OBSERVED = {
    rule.__name__: rule
    for rule in (
        enabling, not_enabled, database_cursor, enablement_after_drop, start_after, pre_image_option, full_document_images,
        show_expanded_events, split_large_event, stages, add_fields, resume_token, foreign_token, post_batch_token,
        first_post_batch_token, lost_token, lost_time, retention, retention_seconds, upgraded_tokens, stall, scanning,
        event_fields, update_description, nested_updates, unchanged_fields, cursor_limit, too_many_cursors, idle_cursor,
    )
}  # fmt: skip
