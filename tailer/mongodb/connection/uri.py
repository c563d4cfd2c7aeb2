"""Reads a MongoDB URI. No name is looked up in DNS, and no message repeats what is before the last ``@``."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tailer.mongodb.connection.uri_options import wrong_options

AMAZON_RDS = Path(__file__).with_name("amazon-rds.pem")
"""The authorities that sign DocumentDB's certificates: Amazon's bundle without the ones that expire before 2027."""

_ESCAPED = re.compile(r"[^@/?#%]*(%[0-9A-Fa-f]{2}[^@/?#%]*)*")
_DOCUMENTDB = re.compile(r"\.docdb(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$")  # the region is before docdb, in China after it
_ELASTIC = re.compile(r"\.docdb-elastic\.amazonaws\.com(\.cn)?$")
UNVERIFIED = ("tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames")
"""
The options that accept another host as the server. ``tlsDisableOCSPEndpointCheck`` is not one of them: the certificate is still
verified, and a network without internet access needs it.
"""

_NO_SECRETS = {  # authMechanismProperties; any other may be a secret, for example AWS_SESSION_TOKEN
    "service_name", "service_realm", "service_host", "canonicalize_host_name", "environment", "token_resource", "allowed_hosts",
}  # fmt: skip
_SECRET = re.compile(r"(?i)pass(word|phrase)?|pwd|secret|token|credential")
_WITHOUT_PASSWORD = {"MONGODB-AWS", "MONGODB-OIDC", "MONGODB-X509"}  # mechanisms that name a user


def mistake(uri: str, *, files: bool = True) -> str:
    """
    The mistake in the URI, with the remedy. Empty if there is none. Without ``files`` the files that it names are not opened:
    they are on the machine of the tailer.

    If a password has unescaped characters, a parser takes a part of it for a host, a database or an option and shows it in an
    error. So everything before the last ``@`` is a secret, and must be escaped.
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
        return "has a host that is not NAME, NAME:PORT or [ADDRESS]:PORT: correct it; a password must be followed by an @"
    return "; it ".join(wrong_options(uri, files=files))


def elastic(uri: str) -> bool:
    """Whether a host belongs to an elastic cluster of Amazon DocumentDB, by its name. Such a cluster has no change streams."""
    return any(_ELASTIC.search(name.lower()) for name, _ in hosts(uri))


def hosts(uri: str) -> list[tuple[str, int]]:
    """Name and port of each host; for ``mongodb+srv://`` the name to look up in DNS, with port 0."""
    port = 0 if uri.startswith("mongodb+srv://") else 27017
    return [_host(host, port) for host in _authority(uri).split(",") if host]


def _authority(uri: str) -> str:
    """The hosts as written, without user and password."""
    return re.split(r"[/?]", uri.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


def option(uri: str, *names: str) -> str | None:
    """The value of the option in the URI, by the first of these names that it uses."""
    found = options(uri)
    return next((found[name.lower()] for name in names if name.lower() in found), None)


def options(uri: str) -> dict[str, str]:
    """Every option in the URI, by its name in small letters. A driver accepts ``;`` between two options as well as ``&``."""
    return {name.lower(): value for name, value in parse_qsl(uri.partition("?")[2].replace(";", "&"))}


def unverified(uri: str) -> list[str]:
    """The options of ``UNVERIFIED`` that the URI sets."""
    found = options(uri)
    return [name for name in UNVERIFIED if found.get(name.lower()) == "true"]


def carries_a_secret(uri: str) -> bool:
    """Whether the URI contains a user, or an option with a password, a session token or the like."""
    if "@" in uri or not _names_hosts(uri):
        return True
    found = options(uri)
    properties = [
        pair.partition(":")[0].strip().lower() for pair in found.pop("authmechanismproperties", "").split(",") if pair
    ]
    return any(map(_SECRET.search, found)) or not _NO_SECRETS.issuperset(properties)


def _names_hosts(uri: str) -> bool:
    """Whether every host has the form of a host, with a number as its port."""
    return all(re.fullmatch(r"[^:@]*(:\d+)?|\[[^]@]*\](:\d+)?", host) for host in unquote(_authority(uri)).split(","))


def names_a_user(uri: str) -> bool:
    """Whether the URI contains the user: by name, with a certificate or with an IAM role."""
    return "@" in uri.partition("://")[2].partition("/")[0] or (option(uri, "authMechanism") or "").upper() in _WITHOUT_PASSWORD


def of_documentdb(uri: str) -> bool:
    """Whether every host belongs to Amazon DocumentDB, by its name."""
    names = [name.lower() for name, _ in hosts(uri)]
    return bool(names) and all(map(_DOCUMENTDB.search, names))


def encrypted(uri: str) -> bool:
    """Whether the connection uses TLS: as the URI says, else for ``mongodb+srv`` and DocumentDB."""
    tls = option(uri, "tls", "ssl")
    return tls == "true" if tls else uri.startswith("mongodb+srv://") or of_documentdb(uri)


def defaults(uri: str) -> dict[str, Any]:
    """The options that DocumentDB's certificates need and the URI does not set."""
    if not of_documentdb(uri) or not encrypted(uri):
        return {}
    return {"tls": True} | ({} if option(uri, "tlsCAFile") else {"tlsCAFile": str(AMAZON_RDS)})


def _host(text: str, port: int) -> tuple[str, int]:
    """Name and port of a host. An IPv6 address is in brackets."""
    found = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d+))?", text)
    return (found[1].strip("[]"), int(found[2] or port)) if found else (text, port)
