"""Every option of a URI that the driver would ignore with a warning is refused at the start by its name."""

import io
import threading
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.common import URI_OPTIONS_VALIDATOR_MAP
from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

from tailer.cli.command_line import command_line
from tailer.mongodb.connection.client import client
from tailer.mongodb.connection.uri import AMAZON_RDS, mistake
from tailer.mongodb.connection.uri_options import NAMES, wrong_options
from tests.tailer.mongodb.connection.test_uri import TASK

NOT_OF_A_URI = {"driver", "server_api"}  # The driver knows them, but does not accept them as text.
GOOD = dict.fromkeys(NAMES, "1") | {
    "authMechanism": "SCRAM-SHA-256",
    "authMechanismProperties": "SERVICE_NAME:x",
    "compressors": "zlib",
    "datetime_conversion": "DATETIME_AUTO",
    "readPreference": "nearest",
    "readPreferenceTags": "zone:a",
    "serverMonitoringMode": "poll",
    "unicode_decode_error_handler": "replace",
    "uuidRepresentation": "standard",
    **dict.fromkeys(("tlsCAFile", "tlsCertificateKeyFile", "tlsCRLFile"), str(AMAZON_RDS)),
    **dict.fromkeys(
        (
            "connect", "directConnection", "enableOverloadRetargeting", "fsync", "journal", "loadBalanced", "retryReads",
            "retryWrites", "ssl", "tls", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames",
            "tlsDisableOCSPEndpointCheck", "tlsInsecure", "tz_aware",
        ),
        "true",
    ),
}  # fmt: skip
ANYTHING = {"appName", "authSource", "readConcernLevel", "replicaSet", "srvAllowedHostsSuffix", "srvServiceName", "w"}
"""Options that take any text, which the server or DNS judges; of a password nobody can say what is wrong."""
WRONG = sorted(set(NAMES) - ANYTHING - {"tlsCertificateKeyFilePassword"})
names = st.sampled_from(NAMES) | st.sampled_from(NAMES).map(str.upper) | st.text("tlsTLS", max_size=3)
values = st.sampled_from(["true", "True", "1", "-1", "0.5", "", *GOOD.values()]) | st.text(max_size=5)
SECRET = "QXZ"  # A value that no message may contain.


def test_every_option_of_the_driver_is_known() -> None:
    """A new option in a new version of the driver fails this test."""
    assert {name.lower() for name in NAMES} == URI_OPTIONS_VALIDATOR_MAP.keys() - NOT_OF_A_URI


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("name", NAMES)
def test_valid_option_is_accepted(name: str, scheme: str) -> None:
    """In any case, as the driver reads it."""
    for written in (name, name.lower(), name.upper()):
        assert mistake(f"{scheme}://host/?{written}={GOOD[name]}") == ""


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("name", WRONG)
def test_invalid_value_is_refused_without_repeating_it(name: str, scheme: str) -> None:
    """The message says which values are valid."""
    for written in (name, name.lower(), name.upper()):
        told = mistake(f"{scheme}://host/?{written}={SECRET}")
        assert told.startswith(f"has an invalid value for {name}: write ")
        assert SECRET not in told


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"readPreferenceTags"}))
def test_repeated_option_is_refused(name: str) -> None:
    """The driver would take the last one. Names ignore case."""
    told = mistake(f"mongodb://host/?{name}={GOOD[name]}&{name.upper()}={GOOD[name]}")
    assert told == f"has {name} 2 times: remove all but one"


@pytest.mark.parametrize("name", NAMES)
def test_unknown_option_is_refused_with_a_suggestion(name: str) -> None:
    told = mistake(f"mongodb://host/?{name}x={SECRET}")
    assert told == f"has the option {name}x, which the driver does not know: did you mean {name}?"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("tls=maybe", "write true or false"),
        ("tls=True", "write true or false"),
        ("tls=", "write true or false"),
        ("ssl=yes", "has an invalid value for ssl"),
        ("connectTimeoutMS=-1", "write a number from 0 on"),
        ("heartbeatFrequencyMS=0", "write a number above 0"),
        ("w=-1", "or majority"),
        ("authSource=", "write the name of a database"),
        ("compressors=zlib,lz4", "write zlib, snappy or zstd"),
        ("tlsCAFile=/no/such/file", "write the path of a file that can be read here"),
        ("maxStalenessSeconds=0", "or -1 for no limit"),
        ("tls", "not NAME=VALUE"),
        ("tls=true&", "not NAME=VALUE"),
        ("appName=a=b", "%3D for a ="),
        ("tls=true;appName=a&w=1", "both & and ;"),
        ("t%6cs=true", "whose name does not consist of letters"),
        ("safe=true", "has the option safe, which the driver does not know"),
        ("ssl=true&tls=false", "exclude each other: remove one"),
        ("tlsInsecure=true&tlsAllowInvalidHostnames=true", "tlsInsecure and tlsAllowInvalidHostnames"),
        (f"tlsCertificateKeyFilePassword=a&{SECRET}=b", "after tlsCertificateKeyFilePassword"),
        (f"authMechanismProperties=AWS_SESSION_TOKEN:a&{SECRET}=b", "after authMechanismProperties"),
        (f"tlsCertificateKeyFilePasword=a&{SECRET}=b", "did you mean tlsCertificateKeyFilePassword?"),
    ],
)
def test_wrong_option_is_refused_with_a_remedy(options: str, words: str) -> None:
    """A name that may be the end of a secret is not repeated."""
    told = mistake(f"mongodb://host/?{options}")
    assert words in told
    assert SECRET not in told


@pytest.mark.parametrize("uri", ["mongodb://tailer:QXZ", "mongodb://tailer:QXZ?QXZ=JJ", "mongodb://a:1,b:QXZ/?tls=true"])
def test_password_without_a_host_is_not_repeated(uri: str) -> None:
    """The text after the first colon is then no port, and the rest may be the end of the password."""
    assert "has a host that is not" in mistake(uri)
    assert SECRET not in mistake(uri)


@given(st.lists(st.tuples(names, values).map("=".join), min_size=1, max_size=3), st.sampled_from("&;"))
def test_no_accepted_option_makes_the_driver_warn(pairs: list[str], separator: str) -> None:
    options = separator.join(pairs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            split_options(options, warn=True)
    except (PyMongoError, Warning, ValueError, KeyError, OSError):
        assert wrong_options(f"mongodb://host/?{options}")


def test_driver_alone_would_connect_without_tls() -> None:
    """This is why options are checked: the driver only warns."""
    with pytest.warns(UserWarning, match="tls"), MongoClient[Any]("mongodb://host/?tls=maybe", connect=False) as one:
        assert not one.options.pool_options._ssl_context
    with pytest.raises(PyMongoError):
        split_options("tlsInsecure=true&tlsAllowInvalidHostnames=true")


@pytest.mark.parametrize("setting", ["TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"])
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("command", ["run", "status", "doctor", "checkpoint show"])
def test_every_command_refuses_wrong_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, scheme: str, command: str
) -> None:
    """With exit code 2 and the setting's name, before anything connects or resolves a name."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**TASK, setting: f"{scheme}://host/?tls=QXZ&retryWrite=QXZ"}.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        assert command_line(command.split(), threading.Event()) == 2
    told = out.getvalue()
    assert setting in told
    assert "has an invalid value for tls: write true or false" in told
    assert "it has the option retryWrite, which the driver does not know: did you mean retryWrites?" in told
    assert SECRET not in told


def test_all_wrong_options_are_reported_at_once() -> None:
    assert len(mistake("mongodb://host/?tls=maybe&retryReads=no&safe=true&w=1&W=1").split("; it ")) == 4


def test_no_client_is_created_for_a_wrong_uri() -> None:
    with pytest.raises(Exception, match="TAILER_MONGODB_URI has an invalid value for tls"):
        client("mongodb://host/?tls=maybe")
