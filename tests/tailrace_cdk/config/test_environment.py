"""The file of an environment, and its problems, which are all reported at once."""

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from tailer.settings.settings import Settings as TailerSettings
from tailer.settings.table import Section, sections
from tailrace_cdk.config import Bus, Environment, Misconfigured, Network, Stream, Tailer, load
from tests.tailrace_cdk.template import EXISTING_VPC, SECRET, STREAMS

STREAM = '[[streams]]\nname = "a"\ndatabase = "b"'
TABLE = '{stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/1"}'
KEY = "arn:aws:kms:eu-west-1:000000000000:key/theirs"
ONE_ZONE = 'private_subnet_ids = ["subnet-0a1b2c3d"]\navailability_zones = ["eu-west-1a"]'


def problems(folder: Path, text: str) -> str:
    """Return the error for a file with this text."""
    file = folder / "mine.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured) as error:
        load(file)
    return str(error.value)


def test_every_wrong_field_is_named_with_its_remedy(tmp_path: Path) -> None:
    """All at once, by the names of the file."""
    told = problems(
        tmp_path,
        """
        removel = "destroy"
        [forwarder]
        timeout = 4000
        log_days = 31
        [bus]
        kind = "fast"
        allowed_accounts = ["12"]
        [[bus.consumers]]
        name = "theirs"
        [[streams]]
        name = "payments"
        """,
    )
    first, *lines = told.splitlines()
    assert first == "mine.toml: 7 settings need attention:"
    named = {line.strip().split(": ")[0] for line in lines}
    assert named == {
        "a key is not a setting; did you mean removal?",
        "forwarder.timeout",
        "forwarder.log_days",
        "bus.kind",
        "bus.allowed_accounts.0",
        "bus.consumers.0.bus_arn",
        "streams.0.database",
    }
    assert "removel" not in told
    assert "seconds, 5 to 900" in told
    assert "1, 3, 5, 7, 14, 30" in told
    assert "streams.0.database: it is missing; database to watch" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[nonsense]\na = 1", "  a key is not a setting; there are name, removal"),
        ('[network]\nprivate_subnet_ids = ["subnet-0a1b2c3d"]', "belong to an existing VPC: set vpc_id"),
        (
            '[network]\navailability_zones = ["us-east-1b"]',
            "network: availability_zones must name 2 different zones, the number in zones",
        ),
        (
            '[network]\nzones = 3\navailability_zones = ["us-east-1b", "us-east-1b", "us-east-1c"]',
            "network: availability_zones must name 3 different zones",
        ),
        (
            f'[network]\navailability_zones = ["use1-az1", "use1-az3"]\n[database]\n{STREAM}',
            "network.availability_zones: use1-az3 has no Fargate for arm64: choose another zone",
        ),
        ('[network]\navailability_zones = ["usw1-az1", "usw1-az2"]', "usw1-az2 has no Fargate: choose another zone"),
        ('[network]\navailability_zones = ["us-east-1a", "use1-az1"]', "name all zones by name, or all by id"),
        ('[network]\navailability_zones = ["a", "b"]', "a is neither a zone name, like eu-west-1a, nor a zone id"),
        (
            f'[network]\nvpc_id = "vpc-0a1b2c3d"\n{ONE_ZONE.replace("eu-west-1a", "euw1-az1")}',
            "availability_zones of an existing VPC are given by name, like eu-west-1a",
        ),
        (
            '[database]\nengine_version = "4.0.0"',
            "database.engine_version: the value does not have the right form; DocumentDB version",
        ),
        (f'[database]\nsecret_key_arn = "{KEY}"', "secret_key_arn is the key of secret_arn: set that too"),
        (f'[database]\nadmin_secret_key_arn = "{KEY}"', "admin_secret_key_arn is the key of admin_secret_arn: set that too"),
        (f'[tailer]\nsecret_key_arn = "{KEY}"', "secret_key_arn is the key of secret_arn: set that too"),
        ('name = "a--b"', "name: the value does not have the right form; its name: lowercase"),
        ('name = "mine-"', "name: the value does not have the right form"),
        ('[bus]\nname = "default"', "bus.name: default is the bus of every account"),
        ('[bus]\nname = "-mine"\nkind = "ordered"', "bus.name: the name of an ordered bus begins with a letter or a digit"),
        ('[network]\nvpc_id = "vpc-1"', "network.vpc_id: the value does not have the right form; id of an existing VPC"),
        ('[database]\nhost = "h"', "database: an existing cluster needs security_group_id"),
        ('[database]\nauthentication = "secret"', "go together"),
        ("[database]", "streams: the tailer has nothing to watch; add a table [[streams]]"),
        ('[tailer]\nmongodb_uri = "mongodb://me:secret@host"', "the URI contains credentials"),
        ("[tailer]\ncpu = 512\nmemory = 512", "tailer: memory: a task with cpu 512 can have 1024, 2048, 3072 or 4096"),
        ("[tailer]\ncpu = 256\nmemory = 1536", "tailer: memory: a task with cpu 256 can have 512, 1024 or 2048"),
        ('[streams]\nname = "a"', "streams: write [[streams]], with two brackets, for each"),
        ('[bus.consumers]\nname = "a"', "bus.consumers: write [[bus.consumers]], with two brackets, for each"),
        ("[[forwarder]]\ntimeout = 30", "forwarder: there is one: write [forwarder], with one bracket"),
        (f"{STREAM}\ncollections = 3", "streams.0.collections: it is a list of names: "),
        ('[bus]\nallowed_accounts = ["12"]', "bus.allowed_accounts.0: the value does not have the right form; "),
        (f'[tailer]\nsecret_arn = "{SECRET}"', "secret_arn belongs to mongodb_uri"),
        (
            '[[forwarder.dynamodb_streams]]\nkey_arn = "alias/theirs"',
            "dynamodb_streams.0.key_arn: the value does not have the right form; ",
        ),
        ('[database]\nhost = "a.eu-west-1.docdb-elastic.amazonaws.com"', "elastic cluster of Amazon DocumentDB has no change"),
        ('[tailer]\nmongodb_uri = "mongodb://a.docdb-elastic.amazonaws.com"', "tailer.mongodb_uri: an elastic cluster"),
        ('[bus]\nkind = "ordered"\narchive_days = 0', "bus.archive_days: an ordered bus keeps its events"),
        ('[forwarder]\nsource = "app.shop"', "bus.schemas: the schemas name the source of each event; set schemas to false"),
        (f"[forwarder]\ndynamodb_streams = [{TABLE}, {TABLE}]", "two entries name the same table"),
        (
            f'[network]\nvpc_id = "vpc-0a1b2c3d"\n{ONE_ZONE}\n[database]\n{STREAM}',
            "needs subnets in two zones; add a subnet of another",
        ),
        (f'[tailer]\nmongodb_uri = "mongodb://host"\n{STREAM}', 'do not lead to a MongoDB elsewhere; set egress = "nat"'),
        (f'[database]\n[tailer]\nimage = "tailer@sha256:{64 * "a"}"\n{STREAM}', "endpoints lead to images in ECR only"),
        ('[[streams]]\nname = "events"\ndatabase = "a"', "its claims would be below events/"),
        ('[[streams]]\nname = "parked"\ndatabase = "a"', "its claims would be below parked/"),
        ('[[streams]]\nname = "a"\ndatabase = "tailrace"', "no stream may watch tailrace, the database of the checkpoints"),
        ('[[streams]]\nname = "a"\ndatabase = "b"\npipeline = "[{\\"$group\\": 1}]"', "a stage is an object with one of"),
        ('[[streams]]\nname = "a"\ndatabase = "b"\n[[streams]]\nname = "a"\ndatabase = "c"', "two streams have the same name"),
        ("[", "mine.toml cannot be read"),
    ],
)
def test_contradictory_settings_are_explained(tmp_path: Path, text: str, told: str) -> None:
    """With the remedy."""
    assert told in problems(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[[streams]]\nname = "a"\ndatabse = "b"', ["streams.0: a key is not a setting; did you mean database?"]),
        (
            '[[streams]]\nname = "a"\nhost = "b"',
            [
                "streams.0.database: it is missing; database to watch, or * for the whole cluster",
                "streams.0: a key is not a setting; there are name, database",
            ],
        ),
        (
            f'{STREAM}\nstart = "yesterday"\npipeline = "["',
            ["streams.0.pipeline: it is a list in [ ]", "streams.0.start: Invalid isoformat string"],
        ),
    ],
)
def test_problems_are_counted_as_a_person_would(tmp_path: Path, text: str, lines: list[str]) -> None:
    """A misspelt name is one problem, without another that is missing. One check may find several."""
    first, *told = problems(tmp_path, text).splitlines()
    assert first == f"mine.toml: {'1 setting needs' if len(lines) == 1 else f'{len(lines)} settings need'} attention:"
    assert [line.strip().startswith(begin) for line, begin in zip(told, lines, strict=True)] == [True] * len(lines)


PASTED = "AKIAIOSFODNN7EXAMPLE"
URI = "mongodb://host/?tls=true"
OF_A_URI = [
    f"mongodb://me:{PASTED}@host/?tls=true",
    f"mongodb+srv://me:{PASTED}@host/?tls=true",
    f"mongodb://me:{PASTED}%40host/?tls=true",
    f"mongodb://me:{PASTED}",
    f"{URI}&authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:{PASTED}",
    f"{URI}&authmechanismproperties=SERVICE_NAME:a,aws_session_token:{PASTED}",
    f"{URI}&authMechanismProperties=AWS%5FSESSION%5FTOKEN%3A{PASTED}",
    f"{URI}&authMechanismProperties={PASTED}",
    f"{URI}&tlsCertificateKeyFilePassword={PASTED}",
    f"{URI};tlscertificatekeyfilepassword={PASTED}",
    f"{URI}&proxyPassword={PASTED}",
    f"{URI}&AWS_SECRET_ACCESS_KEY={PASTED}",
]
MISPLACED = [
    f'{PASTED} = "x"',
    f'[tailer]\n{PASTED} = "x"',
    f'[tailer]\nAWS_SESSION_TOKEN = "{PASTED}"',
    f'[tailer]\nmongodb_password = "{PASTED}"',
    f'[tailer]\ntlsCertificateKeyFilePassword = "{PASTED}"',
    f'[tailer.{PASTED}]\na = "x"',
    f'[{PASTED}]\na = "x"',
    f'{STREAM}\nmongodb_uri = "mongodb://me:{PASTED}@host"',
    f'[[streams]]\n"database {PASTED}" = "x"',
    f'[database]\nhost = "me:{PASTED}@host"',
    f"[tailer]\n{PASTED} = 1\n{PASTED} = 2",
    f"[tailer.{PASTED}]\n[tailer.{PASTED}]",
    f"[tailer]\n{PASTED}",
]


@pytest.mark.parametrize("text", [*MISPLACED, *(f'[tailer]\nmongodb_uri = "{uri}"' for uri in OF_A_URI)])
def test_secret_is_refused_and_in_no_error(tmp_path: Path, text: str) -> None:
    """As a key, a value, a URI's user or an option: each would be a plain variable of the task."""
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured) as caught:
        load(file)
    assert PASTED not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "options",
    [
        "replicaSet=rs0&readPreference=secondaryPreferred&tls=true&tlsCAFile=/ca.pem",
        "authSource=$external&authMechanism=MONGODB-AWS",
        "authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure,TOKEN_RESOURCE:api://a",
        "appName=a%40b",
    ],
)
def test_uri_without_secrets_is_accepted(options: str) -> None:
    """With ports, several hosts, and every option that holds no credentials."""
    for hosts in ("host", "a.example:27017,b.example:27018", "[::1]:27017"):
        assert Tailer(mongodb_uri=f"mongodb://{hosts}/?{options}").mongodb_uri


def test_unknown_keys_are_reported_once_per_table(tmp_path: Path) -> None:
    """With their number and similar names."""
    told = problems(tmp_path, 'removel = "x"\n[tailer]\nstandby_task = 1\nmemry = 2\nAWS_SESSION_TOKEN = "x"')
    assert told.splitlines()[1:] == [
        "  tailer: 3 keys are not settings; did you mean standby_tasks, memory?; a secret does not belong in this file",
        "  a key is not a setting; did you mean removal?",
    ]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.toml cannot be read"):
        load(tmp_path / "none.toml")


def test_smallest_environment_is_only_a_name() -> None:
    """It is safe: nothing is deleted with the stack. Without a database only the messaging part is created."""
    smallest = Environment(name="x")
    assert smallest.removal == "retain"
    assert not smallest.watches
    assert smallest.bus_name == "tailrace-x"
    assert smallest.namespace == "Tailrace/x"


def test_stream_has_the_tailers_settings_and_defaults() -> None:
    """Other settings belong to the task or the stack."""
    theirs = {name: repr(field) for name, field in TailerSettings.model_fields.items()}
    mine = {name: repr(field) for name, field in Stream.model_fields.items() if name != "name"}
    assert {name: theirs.get(name) for name in mine} == mine


def test_settings_that_the_tailer_refuses_are_refused() -> None:
    """Whatever the environment of this process."""
    with pytest.raises(ValidationError, match="Invalid isoformat"):
        Stream(name="a", database="b", start="yesterday")


@pytest.mark.parametrize("database", ["a.b", "a b", "shop,other", "*"])
def test_setting_of_a_stream_is_named_as_in_the_file(tmp_path: Path, database: str) -> None:
    """Not by a task's variable."""
    assert "TAILER_" not in problems(tmp_path, f'[[streams]]\nname = "a"\ndatabase = "{database}"\ncollections = ["$a"]')


def test_order_by_a_field_needs_pre_images(tmp_path: Path) -> None:
    """A deployment refuses it as a task would, by the names of its file."""
    told = problems(tmp_path, f'{STREAM}\norder_by = "customer.id"')
    assert "streams.0.order_by: to order by a field, " in told
    assert ": set full_document_before_change=required " in told


def numbers(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    for name, field in model.model_fields.items():
        if field.annotation in (int, float):
            yield model, name
        for section in sections(field.annotation):
            yield from numbers(section)


@pytest.mark.parametrize(("model", "name"), list(numbers(Environment)))
def test_true_is_no_number(model: type[BaseModel], name: str) -> None:
    """``lanes = true`` would be one lane."""
    with pytest.raises(ValidationError, match=rf"(?s){name}.*true and false are not possible values"):
        model.model_validate({name: True})


def test_tailers_own_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer may also run a tailer."""
    monkeypatch.setenv("TAILER_LANES", "none")
    assert Stream(name="a", database="b").lanes == 128


def test_every_field_has_a_description() -> None:
    """It is the remedy in an error, and the documentation."""

    def silent(section: type[BaseModel]) -> list[str]:
        return [f"{section.__name__}.{name}" for name, field in section.model_fields.items() if not field.description]

    sections: list[type[BaseModel]] = [Environment, Stream, *Section.__subclasses__()]
    assert len(sections) > 9
    assert [name for section in sections for name in silent(section)] == []


def test_account_sees_the_events_of_all_its_consumers() -> None:
    """And every event if one consumer gets all or the account makes its own rules."""

    def of(account: str, *events: str) -> dict[str, object]:
        return {"name": "x", "bus_arn": f"arn:aws:events:eu-west-1:{account}:event-bus/x", "events": events}

    one, two, three = 12 * "1", 12 * "2", 12 * "3"
    consumers = [of(one, "B"), of(one, "A", "B"), of(two, "A"), of(two), of(three, "A")]
    bus = Bus.model_validate({"consumers": consumers, "allowed_accounts": [three]})
    assert bus.readers == {one: ["A", "B"], two: (), three: ()}


def test_environment_is_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Tailer().standby_tasks = 3  # type: ignore[misc]


def test_existing_vpc_names_a_zone_for_each_subnet() -> None:
    """No account is read."""
    with pytest.raises(ValidationError, match="one zone for each"):
        Network.model_validate({**EXISTING_VPC, "availability_zones": ["eu-west-1a"]})
    assert Environment.model_validate({"name": "x", "network": EXISTING_VPC, "streams": STREAMS}).network.vpc_id


def test_uri_with_a_wrong_option_is_refused() -> None:
    """Files that the URI names are in the image and not checked here."""
    assert Tailer(mongodb_uri="mongodb://host/?tls=true&tlsCAFile=/in/the/image.pem").mongodb_uri
    for options in ("tls=maybe", "tlsCAFile=", "retryWrite=true", "tls=true&tls=true"):
        with pytest.raises(ValueError, match="mongodb_uri"):
            Tailer(mongodb_uri=f"mongodb://host/?{options}")
