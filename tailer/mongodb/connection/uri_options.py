"""
The options of a MongoDB URI, each judged as the driver judges it.

The driver itself only warns, and goes on without the option: with ``tls=maybe`` it connects without TLS.
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
"""What the driver takes in a URI, as its documentation writes it. It takes them in capital and small letters alike."""

_NAMES = {name.lower(): name for name in NAMES}
_SECRET = {"authmechanismproperties", "tlscertificatekeyfilepassword"}
_FILES = {"tlscafile", "tlscertificatekeyfile", "tlscrlfile"}
_SEVERAL = "readpreferencetags"  # may stand several times
_COMPRESSORS = {"zlib": "zlib", "snappy": "snappy", "zstd": "zstandard"}  # with the module that each needs
_TAKES = dict.fromkeys(_FILES, "the path of a file that can be read here") | {
    "appname": "at most 128 bytes",
    "authmechanism": "DEFAULT, SCRAM-SHA-256, SCRAM-SHA-1, MONGODB-AWS, MONGODB-OIDC, MONGODB-X509, GSSAPI or PLAIN",
    "authmechanismproperties": "NAME:VALUE pairs with commas between them, each name one of the driver's, in capital letters",
    "authsource": "the name of a database",
    "compressors": "zlib, snappy or zstd, with commas between them; snappy and zstd need python-snappy and zstandard installed",
    "datetime_conversion": "DATETIME, DATETIME_AUTO, DATETIME_CLAMP or DATETIME_MS",
    "maxstalenessseconds": "a whole number above 0, or -1 for no limit",
    "readpreference": "primary, primaryPreferred, secondary, secondaryPreferred or nearest",
    _SEVERAL: "NAME:VALUE pairs with commas between them",
    "servermonitoringmode": "auto, poll or stream",
    "unicode_decode_error_handler": "strict, replace, ignore, backslashreplace or surrogateescape",
    "uuidrepresentation": "unspecified, standard, pythonLegacy, javaLegacy or csharpLegacy",
    "w": "a whole number from 0 on, or majority",
    "zlibcompressionlevel": "a whole number from -1 to 9",
}


def wrong_options(uri: str, *, files: bool = True) -> list[str]:
    """
    What is wrong with the options of the URI, each with the remedy. Without ``files`` those that it names are not opened.

    No value is ever repeated. Nor is an unknown name behind another unknown one or a secret: it may be the end of that value.
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
        if count > 1 and name in _NAMES and name != _SEVERAL:
            yield f"says {_NAMES[name]} {count} times: leave all but one out"


def _each(pairs: Iterable[Sequence[str]], *, files: bool) -> Iterator[str]:
    behind = ""  # an option whose value may go on
    for name, value in pairs:
        known = _NAMES.get(name.lower())
        if known and not _takes(name.lower(), value, files=files):
            yield f"has a value for {known} that it does not take: write {_form(name.lower())}"
        elif not known and not _accepted(f"{name}={value}"):
            yield _unknown(name, behind)
            behind = behind or (name if _legible(name) else "an unknown one")
        if name.lower() in _SECRET:
            behind = behind or str(known)


def _unknown(name: str, behind: str) -> str:
    if behind:
        return f"has an unknown option behind {behind}: correct its name; where it belongs to the value before, write %26 for &"
    if not _legible(name):
        return "has an option whose name is not of letters: correct it, or leave it out"
    like = get_close_matches(name.lower(), _NAMES, n=1)
    meant = f"did you mean {_NAMES[like[0]]}?" if like else "correct its name, or leave it out"
    return f"has the option {name}, which the driver does not know: {meant}"


def _legible(name: str) -> bool:
    return bool(re.fullmatch(r"\w{1,40}", name, re.ASCII))


def _takes(name: str, value: str, *, files: bool) -> bool:
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
    """What an option takes. Of truth values and numbers the driver itself tells."""
    if name in _TAKES:
        return _TAKES[name]
    if _accepted(f"{name}=true"):
        return "true or false"
    return f"a number {'from 0 on' if _accepted(f'{name}=0') else 'above 0'}"


def _together(options: Sequence[str]) -> list[str]:
    """Of options that exclude each other. Each alone is right, so that the driver's sentence has their names and no value."""
    try:
        split_options("&".join(options) or "connect=true")
    except PyMongoError as error:
        return [f"has options that exclude each other: leave one out ({error})"]
    return []
