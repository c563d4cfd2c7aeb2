"""Every option of a URI that the driver would leave out with a warning is refused at the start, by its name."""

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
from tailer.mongodb.client import client
from tailer.mongodb.uri import AMAZON_RDS, mistake
from tailer.mongodb.uri_options import NAMES, wrong_options
from tests.tailer.mongodb.test_uri import TASK

NOT_OF_A_URI = {"driver", "server_api"}  # the driver knows them, and takes no text for them
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
SECRET = "QXZ"  # a value, of which no sentence may hold any


def test_every_option_of_the_driver_is_known() -> None:
    """A new version of the driver with a new option changes this list."""
    assert {name.lower() for name in NAMES} == URI_OPTIONS_VALIDATOR_MAP.keys() - NOT_OF_A_URI


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_taken_with_a_value_that_it_takes(name: str, scheme: str) -> None:
    """However its name is written, as the driver reads it."""
    for written in (name, name.lower(), name.upper()):
        assert mistake(f"{scheme}://host/?{written}={GOOD[name]}") == ""


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("name", WRONG)
def test_every_option_is_refused_with_a_value_that_it_does_not_take(name: str, scheme: str) -> None:
    """By its own name, however it was written, and with what to write; the value is not repeated."""
    for written in (name, name.lower(), name.upper()):
        told = mistake(f"{scheme}://host/?{written}={SECRET}")
        assert told.startswith(f"has a value for {name} that it does not take: write ")
        assert SECRET not in told


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"readPreferenceTags"}))
def test_every_option_stands_once(name: str) -> None:
    """The driver takes the last one. In capital and small letters it is the same option."""
    told = mistake(f"mongodb://host/?{name}={GOOD[name]}&{name.upper()}={GOOD[name]}")
    assert told == f"says {name} 2 times: leave all but one out"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_letter_too_many_is_unknown(name: str) -> None:
    """It is told with the name that was meant."""
    told = mistake(f"mongodb://host/?{name}x={SECRET}")
    assert told == f"has the option {name}x, which the driver does not know: did you mean {name}?"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("tls=maybe", "write true or false"),
        ("tls=True", "write true or false"),
        ("tls=", "write true or false"),
        ("ssl=yes", "has a value for ssl"),
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
        ("t%6cs=true", "whose name is not of letters"),
        ("safe=true", "has the option safe, which the driver does not know"),
        ("ssl=true&tls=false", "exclude each other: leave one out"),
        ("tlsInsecure=true&tlsAllowInvalidHostnames=true", "tlsInsecure and tlsAllowInvalidHostnames"),
        (f"tlsCertificateKeyFilePassword=a&{SECRET}=b", "behind tlsCertificateKeyFilePassword"),
        (f"authMechanismProperties=AWS_SESSION_TOKEN:a&{SECRET}=b", "behind authMechanismProperties"),
        (f"tlsCertificateKeyFilePasword=a&{SECRET}=b", "did you mean tlsCertificateKeyFilePassword?"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(options: str, words: str) -> None:
    """A name that may be the end of a secret is not repeated."""
    told = mistake(f"mongodb://host/?{options}")
    assert words in told
    assert SECRET not in told


@pytest.mark.parametrize("uri", ["mongodb://tailer:QXZ", "mongodb://tailer:QXZ?QXZ=JJ", "mongodb://a:1,b:QXZ/?tls=true"])
def test_a_password_without_its_host_is_not_repeated(uri: str) -> None:
    """What stands behind the first colon is no port then, and what looks like an option may be its end."""
    assert "has a host that is not" in mistake(uri)
    assert SECRET not in mistake(uri)


@given(st.lists(st.tuples(names, values).map("=".join), min_size=1, max_size=3), st.sampled_from("&;"))
def test_no_option_is_taken_that_the_driver_warns_of(pairs: list[str], separator: str) -> None:
    """Whatever stands there: what is not refused reads the same where the driver takes every warning for an error."""
    options = separator.join(pairs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            split_options(options, warn=True)
    except (PyMongoError, Warning, ValueError, KeyError, OSError):
        assert wrong_options(f"mongodb://host/?{options}")


def test_the_driver_alone_would_connect_without_tls() -> None:
    """Why this is looked at: it only warns. Should that change, this page of tests has one reason less."""
    with pytest.warns(UserWarning, match="tls"), MongoClient[Any]("mongodb://host/?tls=maybe", connect=False) as one:
        assert not one.options.pool_options._ssl_context
    with pytest.raises(PyMongoError):
        split_options("tlsInsecure=true&tlsAllowInvalidHostnames=true")


@pytest.mark.parametrize("setting", ["TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"])
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("command", ["run", "status", "doctor", "checkpoint show"])
def test_every_command_refuses_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, scheme: str, command: str
) -> None:
    """At the start, before anything connects or a name is looked up: exit 2, by the setting's name."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**TASK, setting: f"{scheme}://host/?tls=QXZ&retryWrite=QXZ"}.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        assert command_line(command.split(), threading.Event()) == 2
    told = out.getvalue()
    assert setting in told
    assert "has a value for tls that it does not take: write true or false" in told
    assert "it has the option retryWrite, which the driver does not know: did you mean retryWrites?" in told
    assert SECRET not in told


def test_all_that_is_wrong_is_said_at_once() -> None:
    """One option after the other would be as many starts."""
    assert len(mistake("mongodb://host/?tls=maybe&retryReads=no&safe=true&w=1&W=1").split("; it ")) == 4


def test_a_client_of_such_a_uri_is_not_made() -> None:
    """Whoever makes one."""
    with pytest.raises(Exception, match="TAILER_MONGODB_URI has a value for tls"):
        client("mongodb://host/?tls=maybe")
