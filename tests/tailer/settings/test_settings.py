"""Every missing or wrong setting is reported at once by its name, with the remedy."""

import threading
import traceback
from pathlib import Path

import pytest

from tailer.aws.lanes import RULE
from tailer.checkpoints.recognition import difference
from tailer.cli.command_line import command_line
from tailer.errors import Misconfigured
from tailer.settings.settings import Settings, as_set_in, load, misspelt
from tailer.settings.task import ProcessSettings

GOOD = {
    "TAILER_MONGODB_URI": "mongodb://user:secret@db.example:27017/?replicaSet=rs0",
    "TAILER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/changes.fifo",
    "TAILER_CHECKPOINTS": "dynamodb://tailrace-state",
    "TAILER_STREAM": "payments",
    "TAILER_DATABASE": "payments",
}


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_required_settings_are_enough() -> None:
    [settings] = load()
    assert (settings.lanes, settings.full_document, settings.start, settings.collections) == (128, "updateLookup", "now", ())


def test_lists_stages_and_times_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma list, Extended JSON, a time."""
    monkeypatch.setenv("TAILER_COLLECTIONS", "payments, refunds,")
    monkeypatch.setenv("TAILER_PIPELINE", '[{"$match": {"documentKey._id": {"$oid": "65f000000000000000000001"}}}]')
    monkeypatch.setenv("TAILER_START", "2026-11-22T08:23:46+01:00")
    [settings] = load()
    assert settings.collections == ("payments", "refunds")
    assert str(settings.pipeline[0]["$match"]["documentKey._id"]) == "65f000000000000000000001"
    assert settings.start == "1795332226.1"


def test_dotenv_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment wins."""
    monkeypatch.delenv("TAILER_STREAM")
    (tmp_path / ".env").write_text("TAILER_STREAM=from-file\nOTHER=1\n")
    assert load()[0].stream == "from-file"


def test_all_problems_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each. A likely misspelling is named."""
    monkeypatch.delenv("TAILER_STREAM")
    monkeypatch.delenv("TAILER_DATABASE")
    monkeypatch.setenv("TAILER_LANES", "many")
    monkeypatch.setenv("TAILER_COLLECTION", "payments")
    with pytest.raises(Misconfigured) as caught:
        load()
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 settings need attention (environment or .env):"
    assert [line.split()[0] for line in lines[1:]] == [
        "TAILER_STREAM",
        "TAILER_DATABASE",
        "TAILER_LANES",
        "TAILER_COLLECTION",
    ]
    assert "1 to 100000" in lines[3]
    assert "did you mean TAILER_COLLECTIONS?" in lines[4]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/standard"),
        ("QUEUE_URL", "changes.fifo"),
        ("QUEUE_URL", "https:changes.fifo"),
        ("QUEUE_URL", "httpx://host/changes.fifo"),
        ("MONGODB_URI", "mongo://host"),
        ("MONGODB_URI", "127.0.0.1:27017"),
        ("CHECKPOINTS", "redis://localhost"),
        ("CHECKPOINTS", "dynamodb://"),
        ("CHECKPOINTS", "file://relative"),
        ("STREAM", "with space"),
        ("STREAM", "x" * 81),
        ("DATABASE", ""),
        ("DATABASE", "tailrace"),
        ("PIPELINE", '{"$match": {}}'),
        ("PIPELINE", '[{"$group": {}}]'),
        ("PIPELINE", "[{"),
        ("FULL_DOCUMENT", "sometimes"),
        ("LANES", "0"),
        ("START", "yesterday"),
        ("START", "2026-01-31T12:00:00"),
        ("START", "3000-01-01T00:00:00Z"),
        ("START", "4294967296.1"),
        ("START", "1760000000.4294967296"),
        ("LEASE_SECONDS", "0.5"),
        ("HTTP_PORT", "70000"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Each of these would lose, reorder or stop later."""
    monkeypatch.setenv(f"TAILER_{name}", value)
    with pytest.raises(Misconfigured, match=f"TAILER_{name}"):
        load()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in an error nor in a dump of the settings."""
    assert "secret" not in repr(load()[0])
    assert "secret" not in load()[0].model_dump_json()
    for name in ("CHECKPOINTS", "MONGODB_URI"):
        monkeypatch.setenv(f"TAILER_{name}", "postgres://user:secret@host")
    with pytest.raises(Misconfigured, match=r"must begin with mongodb:// or mongodb\+srv://") as caught:
        load()
    assert "secret" not in str(caught.value)


def test_only_similar_names_are_misspelt_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an orchestrator's own variables."""
    monkeypatch.setenv("TAILER_SERVICE_HOST_QUITE_ANOTHER_THING", "10.0.0.1")
    monkeypatch.setenv("TAILER_LANE", "4")
    assert misspelt() == {"TAILER_LANE": "TAILER_LANES"}


def test_identity_is_what_changes_the_meaning_of_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is watched and its lanes, but not where it is sent."""
    before = load()[0].identity
    monkeypatch.setenv("TAILER_LEASE_SECONDS", "30")
    assert load()[0].identity == before
    for name, value in {"LANES": "4", "ORDER_BY": "stream", "COLLECTIONS": "a", "DATABASE": "b"}.items():
        monkeypatch.setenv(f"TAILER_{name}", value)
        assert load()[0].identity != before
        before = load()[0].identity


def test_another_lane_rule_changes_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is then refused until a person accepts it. A stream of one lane has no rule."""
    before = load()[0].identity
    monkeypatch.setattr("tailer.settings.settings.RULE", RULE + 1)
    after = load()[0].identity
    assert difference(before, after) == "this release of the tailer computes the lane of a document by another rule"
    assert difference('{"lanes":4}', '{"laneRule":2,"lanes":8}') == (
        "lanes was 4 and is now 8; this release of the tailer computes the lane of a document by another rule"
    )
    monkeypatch.setenv("TAILER_ORDER_BY", "stream")
    assert "laneRule" not in load()[0].identity


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, True),
        ({"FULL_DOCUMENT_BEFORE_CHANGE": "whenAvailable"}, True),
        ({"PIPELINE": '[{"$match": {"operationType": {"$in": ["insert", "delete"]}}}]'}, True),
        ({"FULL_DOCUMENT_BEFORE_CHANGE": "required"}, False),
        ({"PIPELINE": '[{"$match": {"operationType": "insert"}}, {"$match": {"fullDocument.x": 1}}]'}, False),
    ],
)
def test_order_by_a_field_needs_pre_images_or_only_inserts(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], refused: bool
) -> None:
    """The error names the setting that helps."""
    for name, value in {"ORDER_BY": "customer.id", **given}.items():
        monkeypatch.setenv(f"TAILER_{name}", value)
    if not refused:
        assert load()[0].order_by == "customer.id"
        return
    with pytest.raises(Misconfigured, match=r"TAILER_ORDER_BY .*TAILER_FULL_DOCUMENT_BEFORE_CHANGE=required"):
        load()


STREAMS = """
[payments]
database = "payments"
collections = ["payments", "refunds"]
lanes = 32

[orders]
database = "orders"
pipeline = [{"$match" = {"operationType" = "insert"}}]
"""


def test_file_may_define_several_streams(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One table each. Missing keys are read from the environment."""
    monkeypatch.delenv("TAILER_STREAM")
    monkeypatch.delenv("TAILER_DATABASE")
    (tmp_path / "streams.toml").write_text(STREAMS)
    monkeypatch.setenv("TAILER_CONFIG", "streams.toml")
    payments, orders = load()
    assert (payments.stream, payments.collections, payments.lanes) == ("payments", ("payments", "refunds"), 32)
    assert (orders.stream, orders.database, orders.pipeline) == ("orders", "orders", ({"$match": {"operationType": "insert"}},))
    assert payments.queue_url == orders.queue_url == GOOD["TAILER_QUEUE_URL"]


OF_A_STREAM = sorted(Settings.model_fields.keys() - ProcessSettings.model_fields.keys())
NUMBERS = [name for name in OF_A_STREAM if Settings.model_fields[name].annotation in (int, float)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[payments", "cannot be read: Expected ']' at the end of a table declaration .at"),
        ("", "names no stream"),
        ('database = "x"', "database is outside of every table: write a table for each stream"),
        ('[[streams]]\nname = "payments"', r"a key is outside of every table: .*one pair of brackets, e.g. \[payments\]"),
        ("[payments]\ncollection = []", r"a key in \[payments\] is not a setting; did you mean collections\?"),
        ("[payments]\nlane = 4", r"a key in \[payments\] is not a setting; did you mean lanes\?"),
        ("[payments]\nhttp_port = 4", r"a key in \[payments\] is not a setting; there are checkpoints, "),
        ("[payments]\nlanes = 0\n[orders]\nlanes = 0", r"(?s)lanes in \[payments\] .*lanes in \[orders\] "),
        ('["with space"]', r"\[with space\] .*letters, digits"),
        ('[""]', r"a table has no name: .*e.g. \[payments\]"),
        ("[shop.orders]\nlanes = 4", r"\[shop\] has a table in it; no stream has a dot in its name"),
        ("[payments]\nLANES = 4", r"a key in \[payments\] is not a setting; did you mean lanes\?"),
        ("[payments]\nTAILER_LANES = 4", r"a key in \[payments\] .*did you mean lanes\?"),
        *((f"[payments]\n{name} = true", rf"{name} in \[payments\] +true and false are not possible") for name in NUMBERS),
    ],
)
def test_wrong_file_is_named_with_table_and_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "streams.toml").write_text(text)
    monkeypatch.setenv("TAILER_CONFIG", str(tmp_path / "streams.toml"))
    with pytest.raises(Misconfigured, match=words):
        load()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PIPELINE", '{"$match": {"operationType": "insert"}}', "it is a list in [ ]: [{"),
        ("PIPELINE", '{"$match": {"operationType": "insert"}}', "put [ and ] around the stage"),
        ("PIPELINE", "[{'$match': {}}]", "put names and strings in double quotes"),
        ("PIPELINE", "[{$match: {}}]", "put names and strings in double quotes"),
        ("PIPELINE", "$match", "it is a list in [ ]"),
        ("PIPELINE", "3", "it is a list in [ ]"),
        ("PIPELINE", "[3]", "a stage is an object with one of $addFields"),
        ("PIPELINE", '["$match"]', "a stage is an object with one of $addFields"),
        ("PIPELINE", '[{"$match": {}, "$set": {}}]', "a stage is an object with one of $addFields"),
        ("PIPELINE", '[[{"$match": {}}]]', "a stage is an object with one of $addFields"),
        ("PIPELINE", '[{"$match": {"_id": {"$oid": 5}}}]', "not Extended JSON"),
        ("PIPELINE", '[{"$match": {"_id": {"$oid": "5"}}}]', "not Extended JSON"),
        ("PIPELINE", '[{"$match": {"at": {"$date": "yesterday"}}}]', "not Extended JSON"),
        ("PIPELINE", '[{"$match": {"n": {"$numberInt": "x"}}}]', "not Extended JSON"),
        ("PIPELINE", "[" * 100_000, "it is a list in [ ]"),
        ("COLLECTIONS", '["payments", "refunds"]', "payments,refunds in a variable"),
        ("COLLECTIONS", "[payments]", "without brackets and quotes"),
        ("COLLECTIONS", '"payments","refunds"', "without brackets and quotes"),
        ("COLLECTIONS", '{"payments": 1}', "it is a list of names"),
        ("CONFIG", "[payments]\ndatabase = 'payments'", "the text itself goes into TAILER_CONFIG_TOML"),
        ("CONFIG_TOML", "/etc/streams.toml", "a path goes into TAILER_CONFIG"),
        ("CONFIG_TOML", '{"payments": {}}', "a table for each stream, named after it"),
        ("CONFIG_TOML", "payments,refunds", "a table for each stream, named after it"),
    ],
)
def test_list_in_another_form_is_reported_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """As people write lists in JSON, JavaScript, TOML or a shell."""
    monkeypatch.setenv(f"TAILER_{name}", value)
    with pytest.raises(Misconfigured) as caught:
        load()
    [line] = [line for line in str(caught.value).splitlines() if f"TAILER_{name}" in line]
    assert words in line


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('pipeline = {"$match" = {}}', "it is a list in [ ]"),
        ("pipeline = '{\"$match\": {}}'", "it is a list in [ ]"),
        ("pipeline = 3", "it is a list in [ ]"),
        ("pipeline = [3]", "a stage is an object"),
        ("collections = 3", 'it is a list of names: payments,refunds in a variable, ["payments", "refunds"] in TOML'),
        ('collections = ["payments", 3]', "it is a list of names"),
        ("collections = {payments = 1}", "it is a list of names"),
        ("collections = '[\"payments\"]'", "it is a list of names"),
    ],
)
def test_list_of_a_table_in_another_form_is_reported(monkeypatch: pytest.MonkeyPatch, setting: str, words: str) -> None:
    """By its key and table."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", f"[payments]\n{setting}")
    with pytest.raises(Misconfigured) as caught:
        load()
    _, line = str(caught.value).splitlines()
    assert line.startswith(f"  {setting.partition(' ')[0]} in [payments] ")
    assert words in line


def test_lists_are_accepted_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table may hold the text of a variable, and a TOML time. An empty text is an empty list."""
    stages = """collections = "a, b"\npipeline = '[{"$match": {}}]'\nstart = 2026-11-22T08:23:46+01:00"""
    monkeypatch.setenv("TAILER_PIPELINE", "")
    assert load()[0].pipeline == ()
    monkeypatch.setenv("TAILER_CONFIG_TOML", f"[payments]\n{stages}")
    [settings] = load()
    assert (settings.collections, settings.pipeline, settings.start) == (("a", "b"), ({"$match": {}},), "1795332226.1")


def test_setting_is_named_as_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """By key and table, or by variable, in every message about its stream."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", '[payments]\nlanes = 4\n[orders]\nlanes = 5\ndatabase = "orders"')
    payments, orders = load()
    text = "TAILER_LANES, TAILER_DATABASE or TAILER_PIPELINE"
    assert as_set_in([payments])(text) == "lanes in [payments], TAILER_DATABASE or TAILER_PIPELINE"
    assert as_set_in([orders])(text) == "lanes in [orders], database in [orders] or TAILER_PIPELINE"
    assert as_set_in([payments, orders])(text) == (
        "lanes in [payments] or [orders], database in [orders], or TAILER_DATABASE or TAILER_PIPELINE"
    )
    monkeypatch.setenv("TAILER_QUEUE_URL", "nowhere")
    monkeypatch.setenv("TAILER_CONFIG_TOML", '[payments]\ndatabase = "a,b"\n[orders]\nmongodb_uri = "redis://host"')
    monkeypatch.delenv("TAILER_DATABASE")
    with pytest.raises(Misconfigured) as caught:
        load()
    lines = [line.strip().partition("  ")[0] for line in str(caught.value).splitlines()[1:]]
    assert lines == ["TAILER_QUEUE_URL", "database in [payments]", "mongodb_uri in [orders]", "TAILER_DATABASE"]
    assert "set database in [payments] to *" in str(caught.value)
    assert "missing, also in [orders]" in str(caught.value)
    monkeypatch.delenv("TAILER_CONFIG_TOML")
    assert as_set_in(())(text) == text


def test_equivalent_names_have_the_same_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints of earlier releases stay valid."""
    identities = []
    for collections in ("payments,refunds", "payments.payments,refunds", "payments.refunds, payments.payments"):
        monkeypatch.setenv("TAILER_COLLECTIONS", collections)
        identities.append(load()[0].identity)
    [identity] = set(identities)
    assert '"collections":["payments","refunds"],"database":"payments"' in identity
    monkeypatch.setenv("TAILER_COLLECTIONS", "")
    everything = load()[0].identity
    monkeypatch.setenv("TAILER_COLLECTIONS", "*")
    assert load()[0].identity == everything


@pytest.mark.parametrize(
    ("database", "collections", "words"),
    [
        ("payments,orders", "", "TAILER_DATABASE .*set TAILER_DATABASE to "),
        ("payments.payments", "", "TAILER_DATABASE .*'.' cannot be in one"),
        ("*", "tailrace.checkpoints", "TAILER_COLLECTIONS .*no stream may watch tailrace, "),
        ("admin", "", "TAILER_DATABASE .*the server's own database"),
        ("payments", "system.views", "TAILER_COLLECTIONS .*the server's own collection"),
    ],
)
def test_unwatchable_name_is_reported_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, database: str, collections: str, words: str
) -> None:
    monkeypatch.setenv("TAILER_DATABASE", database)
    monkeypatch.setenv("TAILER_COLLECTIONS", collections)
    with pytest.raises(Misconfigured, match=words):
        load()


@pytest.mark.parametrize("name", ["events", "parked"])
def test_stream_may_not_be_named_like_a_prefix_of_the_claim_bucket(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Its claims would lie among the forwarder's: a task refuses the name as a deployment does."""
    monkeypatch.setenv("TAILER_STREAM", name)
    with pytest.raises(Misconfigured, match=rf"TAILER_STREAM +rename the stream: its claims would be below {name}/ of"):
        load()


def test_streams_may_be_defined_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a task without files. Invalid text is reported, and not shown in a dump."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", STREAMS)
    assert [settings.stream for settings in load()] == ["payments", "orders"]
    assert "refunds" not in repr(load()[1].config_toml)
    monkeypatch.setenv("TAILER_CONFIG_TOML", "[payments")
    with pytest.raises(Misconfigured, match="TAILER_CONFIG_TOML cannot be read"):
        load()


PASTED = "AKIAIOSFODNN7EXAMPLE"
MISPLACED = [
    f'[payments]\n{PASTED} = "x"',
    f'[payments]\n"{PASTED}" = {{a = 1}}',
    f'[payments]\nAWS_SESSION_TOKEN = "{PASTED}"',
    f'[payments]\ntlsCertificateKeyFilePassword = "{PASTED}"',
    f'[payments]\ncollection{PASTED} = "x"\nlane = "{PASTED}"',
    f'{PASTED} = "x"',
    f"[[{PASTED}]]\na = 1",
    f"[payments.{PASTED}]\nlanes = 4",
    f"[payments]\n{PASTED} = 1\n{PASTED} = 2",
    f"[payments]\na = {{'{PASTED}' = 1, '{PASTED}' = 2}}",
    f"[payments.{PASTED}]\n[payments.{PASTED}]",
    f'[payments."x)\\" {PASTED}"]\n[payments."x)\\" {PASTED}"]',
    f"[payments]\na = {{}}\n[payments.a.'({PASTED}']",
    f"[payments]\n{PASTED}",
    f"[payments]\nlanes = {PASTED}",
    f'[payments]\nlanes = "{PASTED}',
]


@pytest.mark.parametrize("text", MISPLACED)
@pytest.mark.parametrize("of_a_file", [False, True])
def test_unknown_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, of_a_file: bool) -> None:
    """It may be a misplaced secret. The message names the table or the place."""
    (tmp_path / "streams.toml").write_text(text)
    monkeypatch.setenv("TAILER_CONFIG" if of_a_file else "TAILER_CONFIG_TOML", "streams.toml" if of_a_file else text)
    with pytest.raises(Misconfigured, match="TAILER_CONFIG") as caught:
        load()
    assert PASTED not in "".join(traceback.format_exception(caught.value))
    assert any(
        place in str(caught.value) for place in ("[payments]", "(at line ", "(at end of document)", "is outside of every table")
    )


def test_unknown_keys_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With similar settings, and a hint if a key resembles a secret."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", "[payments]\nlane = 4\nDATABSE = 1\nAWS_SESSION_TOKEN = 2")
    with pytest.raises(Misconfigured) as caught:
        load()
    assert str(caught.value) == (
        "TAILER_CONFIG_TOML: 3 keys in [payments] are not settings; did you mean database, lanes?; "
        "a secret does not belong in this file"
    )


def test_streams_are_defined_in_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file and a variable could contradict each other."""
    (tmp_path / "streams.toml").write_text(STREAMS)
    monkeypatch.setenv("TAILER_CONFIG", "streams.toml")
    monkeypatch.setenv("TAILER_CONFIG_TOML", STREAMS)
    with pytest.raises(Misconfigured, match="set only one of them"):
        load()


@pytest.mark.parametrize(
    ("uri", "username", "password", "words"),
    [
        ("mongodb://db.example/", "tailer", "", "belong together"),
        ("mongodb://db.example/", "", "hunter2", "belong together"),
        ("mongodb://user:secret@db.example/", "tailer", "hunter2", "set the user in one place only"),
        ("mongodb://db.example/?authMechanism=MONGODB-AWS", "tailer", "hunter2", "set the user in one place only"),
    ],
)
def test_credentials_are_defined_in_one_place(
    monkeypatch: pytest.MonkeyPatch, uri: str, username: str, password: str, words: str
) -> None:
    """Beside the URI or in it. No password is repeated."""
    for name, value in {"URI": uri, "USERNAME": username, "PASSWORD": password}.items():
        monkeypatch.setenv(f"TAILER_MONGODB_{name}", value)
    with pytest.raises(Misconfigured, match=words) as caught:
        load()
    assert "TAILER_MONGODB_PASSWORD" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_password_setting_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"URI": "mongodb://db.example/", "USERNAME": "tailer", "PASSWORD": "hunter2"}.items():
        monkeypatch.setenv(f"TAILER_MONGODB_{name}", value)
    [settings] = load()
    assert settings.mongodb_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings) + settings.model_dump_json()


def test_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILER_CONFIG", "nowhere.toml")
    with pytest.raises(Misconfigured, match=r"TAILER_CONFIG: nowhere.toml cannot be read"):
        load()


@pytest.mark.parametrize("command", ["run", "checkpoint show", "status"])
def test_command_names_a_setting_of_a_table_by_its_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Whichever part of the code reports it: here the driver refuses the port."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", '[payments]\ncheckpoints = "mongodb://localhost:99999/"')
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert command_line(command.split(), threading.Event()) == 2
    told = capsys.readouterr().err
    assert "checkpoints in [payments] is not a usable MongoDB URI" in told
    assert "TAILER_CHECKPOINTS" not in told
