"""
Finds mistakes in the options of a MongoDB URI, by the driver's own rules.

The driver only warns and ignores the option: with ``tls=maybe`` it connects without TLS.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from importlib.util import find_spec

from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

NAMES = (
    "appName", "authMechanism", "authMechanismProperties", "authSource", "compressors", "connect", "connectTimeoutMS",
    "datetime_conversion", "directConnection", "enableOverloadRetargeting", "fsync", "heartbeatFrequencyMS", "journal",
    "loadBalanced", "localThresholdMS", "maxAdaptiveRetries", "maxConnecting", "maxIdleTimeMS", "maxPoolSize",
    "maxStalenessSeconds", "minPoolSize", "readConcernLevel", "readPreference", "readPreferenceTags", "replicaSet",
    "retryReads", "retryWrites", "serverMonitoringMode", "serverSelectionTimeoutMS", "socketTimeoutMS",
    "srvAllowedHostsSuffix", "srvMaxHosts", "srvServiceName", "ssl", "timeoutMS", "tls", "tlsAllowInvalidCertificates",
    "tlsAllowInvalidHostnames", "tlsCAFile", "tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "tlsCRLFile",
    "tlsDisableOCSPEndpointCheck", "tlsInsecure", "tz_aware", "unicode_decode_error_handler", "uuidRepresentation", "w",
    "waitQueueMultiple", "waitQueueTimeoutMS", "wTimeoutMS", "zlibCompressionLevel",
)  # fmt: skip
"""The options that the driver accepts in a URI, as its documentation writes them. Their case does not matter."""

_NAMES = {name.lower(): name for name in NAMES}
_SECRET = {"authmechanismproperties", "tlscertificatekeyfilepassword"}
_FILES = {"tlscafile", "tlscertificatekeyfile", "tlscrlfile"}
_REPEATABLE = "readpreferencetags"
_COMPRESSORS = {"zlib": "zlib", "snappy": "snappy", "zstd": "zstandard"}  # the module that each needs
_FORMS = dict.fromkeys(_FILES, "the path of a file that can be read here") | {
    "appname": "at most 128 bytes",
    "authmechanism": "DEFAULT, SCRAM-SHA-256, SCRAM-SHA-1, MONGODB-AWS, MONGODB-OIDC, MONGODB-X509, GSSAPI or PLAIN",
    "authmechanismproperties": "NAME:VALUE pairs with commas between them, each name one of the driver's, in capital letters",
    "authsource": "the name of a database",
    "compressors": "zlib, snappy or zstd, with commas between them; snappy and zstd need python-snappy and zstandard installed",
    "datetime_conversion": "DATETIME, DATETIME_AUTO, DATETIME_CLAMP or DATETIME_MS",
    "maxstalenessseconds": "a whole number above 0, or -1 for no limit",
    "readpreference": "primary, primaryPreferred, secondary, secondaryPreferred or nearest",
    _REPEATABLE: "NAME:VALUE pairs with commas between them",
    "servermonitoringmode": "auto, poll or stream",
    "unicode_decode_error_handler": "strict, replace, ignore, backslashreplace or surrogateescape",
    "uuidrepresentation": "unspecified, standard, pythonLegacy, javaLegacy or csharpLegacy",
    "w": "a whole number from 0 on, or majority",
    "zlibcompressionlevel": "a whole number from -1 to 9",
}


def wrong_options(uri: str, *, files: bool = True) -> list[str]:
    """
    The mistakes in the options of the URI, each with the remedy. Without ``files`` the files that it names are not opened.

    No message repeats a value, nor an unknown name after a secret or after another unknown name: it may be a part of a value.
    """
    text = uri.partition("?")[2]
    if not text:
        return []
    if "&" in text and ";" in text:
        return ["has both & and ; between its options: write & between them, and %3B for a ; in a value"]
    pairs = [pair.split("=") for pair in re.split("[&;]", text)]
    if any(len(pair) != 2 for pair in pairs):
        return ["has an option that is not NAME=VALUE: write & between two options; %26 for a & and %3D for a = in a value"]
    problems = [*_repeated(name.lower() for name, _ in pairs), *_each(pairs, files=files)]
    return problems or _together([f"{name}={value}" for name, value in pairs if files or name.lower() not in _FILES])


def _repeated(names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1 and name in _NAMES and name != _REPEATABLE:
            yield f"has {_NAMES[name]} {count} times: remove all but one"


def _each(pairs: Iterable[Sequence[str]], *, files: bool) -> Iterator[str]:
    previous = ""  # an option whose value may continue in the next name
    for name, value in pairs:
        known = _NAMES.get(name.lower())
        if known and not _is_valid(name.lower(), value, files=files):
            yield f"has an invalid value for {known}: write {_form(name.lower())}"
        elif not known and not _accepted(f"{name}={value}"):
            yield _unknown(name, previous)
            previous = previous or (name if _is_legible(name) else "an unknown one")
        if name.lower() in _SECRET:
            previous = previous or str(known)


def _unknown(name: str, previous: str) -> str:
    if previous:
        return f"has an unknown option after {previous}: correct its name; if it is a part of the value before, write %26 for &"
    if not _is_legible(name):
        return "has an option whose name does not consist of letters: correct the name, or remove the option"
    like = get_close_matches(name.lower(), _NAMES, n=1)
    meant = f"did you mean {_NAMES[like[0]]}?" if like else "correct its name, or remove it"
    return f"has the option {name}, which the driver does not know: {meant}"


def _is_legible(name: str) -> bool:
    return bool(re.fullmatch(r"\w{1,40}", name, re.ASCII))


def _is_valid(name: str, value: str, *, files: bool) -> bool:
    if name in _FILES and not files:
        return bool(value)
    if name == "compressors" and not all(one in _COMPRESSORS and find_spec(_COMPRESSORS[one]) for one in value.split(",")):
        return False
    return _accepted(f"{name}={value}")


def _accepted(options: str) -> bool:
    try:
        split_options(options)
    except (PyMongoError, ValueError, TypeError, KeyError, OSError):
        return False
    return True


def _form(name: str) -> str:
    """The form of an option's value. For booleans and numbers the driver decides."""
    if name in _FORMS:
        return _FORMS[name]
    if _accepted(f"{name}=true"):
        return "true or false"
    return f"a number {'from 0 on' if _accepted(f'{name}=0') else 'above 0'}"


def _together(options: Sequence[str]) -> list[str]:
    """Find options that exclude each other. Each alone is valid, so the driver's message has their names and no value."""
    try:
        split_options("&".join(options) or "connect=true")
    except PyMongoError as error:
        return [f"has options that exclude each other: remove one ({error})"]
    return []
