"""What a MongoDB URI says, and what it leaves to us. No name is looked up, and nothing before its last ``@`` is repeated."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tailer.mongodb.connection.uri_options import wrong_options

AMAZON_RDS = Path(__file__).with_name("amazon-rds.pem")
"""The authorities that sign DocumentDB's certificates: Amazon's own bundle, without those that ended before 2027."""

_ESCAPED = re.compile(r"[^@/?#%]*(%[0-9A-Fa-f]{2}[^@/?#%]*)*")
_DOCUMENTDB = re.compile(r"\.docdb(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$")  # the region is before docdb, in China behind it
_ELASTIC = re.compile(r"\.docdb-elastic\.amazonaws\.com(\.cn)?$")
UNVERIFIED = ("tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames")
"""
The options that take somebody else for the server. ``tlsDisableOCSPEndpointCheck`` is none: the certificate is verified all the
same, and a network without a way out needs it.
"""

_NO_SECRETS = {  # of authMechanismProperties; any other may be one, as AWS_SESSION_TOKEN is
    "service_name", "service_realm", "service_host", "canonicalize_host_name", "environment", "token_resource", "allowed_hosts",
}  # fmt: skip
_SECRET = re.compile(r"(?i)pass(word|phrase)?|pwd|secret|token|credential")
_NAMES_A_USER = {"MONGODB-AWS", "MONGODB-OIDC", "MONGODB-X509"}  # without a password


def mistake(uri: str, *, files: bool = True) -> str:
    """
    What is wrong with the URI, and the remedy; empty where nothing is. Without ``files`` those that it names are not opened:
    they are where the tailer runs.

    Of a password with unescaped characters a parser takes a part for the name of a host, a database or an option, and repeats
    it in an error. So everything before the last ``@`` is a secret, and has to be escaped.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in ("mongodb", "mongodb+srv"):
        return "must begin with mongodb:// or mongodb+srv://"
    user, _, password = rest.rpartition("@")[0].partition(":")
    if not _ESCAPED.fullmatch(user) or not _ESCAPED.fullmatch(password) or ":" in password:
        return (
            "has a character before the last @ that must be escaped: in the user and the password write %40 for @, %3A for :, "
            "%2F for /, %3F for ?, %23 for # and %25 for %; and %40 for an @ in an option"
        )
    if not _names_hosts(uri):
        return "has a host that is not NAME, NAME:PORT or [ADDRESS]:PORT: correct it; a password stands before an @"
    return "; it ".join(wrong_options(uri, files=files))


def elastic(uri: str) -> bool:
    """Whether a host is of an elastic cluster of Amazon DocumentDB, by its name: it has no change streams."""
    return any(_ELASTIC.search(name.lower()) for name, _ in hosts(uri))


def hosts(uri: str) -> list[tuple[str, int]]:
    """Name and port of each host; of ``mongodb+srv://`` the name that DNS is asked about, with port 0."""
    port = 0 if uri.startswith("mongodb+srv://") else 27017
    return [_host(host, port) for host in _authority(uri).split(",") if host]


def _authority(uri: str) -> str:
    """Its hosts as they are written, without who signs in."""
    return re.split(r"[/?]", uri.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


def option(uri: str, *names: str) -> str | None:
    """What the URI says of the option, by the first of its names that it uses."""
    said = options(uri)
    return next((said[name.lower()] for name in names if name.lower() in said), None)


def options(uri: str) -> dict[str, str]:
    """Every option that the URI says, its name in small letters. A driver takes ``;`` between two of them as it takes ``&``."""
    return {name.lower(): value for name, value in parse_qsl(uri.partition("?")[2].replace(";", "&"))}


def unverified(uri: str) -> list[str]:
    """Those of ``UNVERIFIED`` that the URI says."""
    said = options(uri)
    return [name for name in UNVERIFIED if said.get(name.lower()) == "true"]


def carries_a_secret(uri: str) -> bool:
    """Whether the URI holds a user, or in an option a password, a session token or the like."""
    if "@" in uri or not _names_hosts(uri):
        return True
    said = options(uri)
    properties = [one.partition(":")[0].strip().lower() for one in said.pop("authmechanismproperties", "").split(",") if one]
    return any(map(_SECRET.search, said)) or not _NO_SECRETS.issuperset(properties)


def _names_hosts(uri: str) -> bool:
    """Whether all that stands where the hosts do has their form, with a number where the port is."""
    return all(re.fullmatch(r"[^:@]*(:\d+)?|\[[^]@]*\](:\d+)?", one) for one in unquote(_authority(uri)).split(","))


def names_a_user(uri: str) -> bool:
    """Whether the URI itself says who signs in: with a user name, a certificate or an IAM role."""
    return "@" in uri.partition("://")[2].partition("/")[0] or (option(uri, "authMechanism") or "").upper() in _NAMES_A_USER


def of_documentdb(uri: str) -> bool:
    """Whether every host is of Amazon DocumentDB, by its name."""
    names = [name.lower() for name, _ in hosts(uri)]
    return bool(names) and all(map(_DOCUMENTDB.search, names))


def encrypted(uri: str) -> bool:
    """Whether the connection uses TLS: as the URI says; where it does not, with ``mongodb+srv`` and to DocumentDB."""
    said = option(uri, "tls", "ssl")
    return said == "true" if said else uri.startswith("mongodb+srv://") or of_documentdb(uri)


def defaults(uri: str) -> dict[str, Any]:
    """The options that DocumentDB's certificates need and the URI leaves open."""
    if not of_documentdb(uri) or not encrypted(uri):
        return {}
    return {"tls": True} | ({} if option(uri, "tlsCAFile") else {"tlsCAFile": str(AMAZON_RDS)})


def _host(text: str, port: int) -> tuple[str, int]:
    """IPv6 addresses stand in brackets."""
    found = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d+))?", text)
    return (found[1].strip("[]"), int(found[2] or port)) if found else (text, port)
