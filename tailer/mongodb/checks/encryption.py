"""TLS to a server: whether the connection uses it, who signed the server's certificate, and when the certificate expires."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tailer.checks import Finding, State, fail, ok, warn
from tailer.mongodb.checks.network import CONNECT, Network, text
from tailer.mongodb.connection.errors import WATCHED
from tailer.mongodb.connection.uri import AMAZON_RDS, defaults, encrypted, hosts, of_documentdb, option, unverified

_EXPIRES_SOON = timedelta(days=30)
_AUTHORITIES = {str(AMAZON_RDS): "Amazon's, as shipped", None: "the system's"}  # by the file of their certificates
_AUTHORITY = (
    "set tlsCAFile to the file of its certificate authority: for a region newer than this release, Amazon's newest bundle"
)


class Encryption:
    """What the URI of the watched cluster asks for, tried on a host that accepts connections."""

    def __init__(self, uri: str, network: Network, *, now: Callable[[], datetime]) -> None:
        self._uri = uri
        self._network = network
        self._now = now

    def tls(self) -> Finding:
        """Check that one handshake, made as a tailer makes it, succeeds."""
        if not encrypted(self._uri):
            return tls_of(self._uri, WATCHED)
        host, context, file = self._network.host, self._context(), self._file()
        found = f"authorities: {_AUTHORITIES.get(file, file)}"
        try:
            with (
                socket.create_connection(host, CONNECT) as plain,
                context.wrap_socket(plain, server_hostname=host[0]) as connection,
            ):
                certificate, found = connection.getpeercert() or {}, f"{connection.version()}; {found}"
        except ssl.SSLCertVerificationError as error:
            return fail(f"the certificate of {text(host)} is not valid: {error.verify_message}; {found}", _AUTHORITY)
        except OSError as error:
            return fail(f"no TLS with {text(host)}: {error}", "enable TLS on the server, or remove tls=true from the URI")
        return self._judged(str(certificate.get("notAfter", "")), found)

    def _judged(self, end: str, found: str) -> Finding:
        if (unsafe := tls_at_start(self._uri, WATCHED)).state is State.WARN:
            return replace(unsafe, found=f"{found}; {unsafe.found}")
        day = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
        found = f"{found}; certificate until {day:%Y-%m-%d}"
        return ok(found) if day - self._now() > _EXPIRES_SOON else warn(found, "renew it: nothing connects after that day")

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._file())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python's default since 3.13; pymongo does not set it
        options = unverified(self._uri)
        context.check_hostname = not options
        context.verify_mode = ssl.CERT_REQUIRED if set(options) <= {"tlsAllowInvalidHostnames"} else ssl.CERT_NONE
        if key := option(self._uri, "tlsCertificateKeyFile"):
            context.load_cert_chain(key, password=option(self._uri, "tlsCertificateKeyFilePassword"))
        return context

    def _file(self) -> str | None:
        return option(self._uri, "tlsCAFile") or defaults(self._uri).get("tlsCAFile")


def tls_at_start(uri: str, setting: str) -> Finding:
    """Warn of a URI, the value of ``setting``, that turns TLS or its verification off. No connection is made."""
    if of_documentdb(uri) and not encrypted(uri):
        return warn(f"{setting} turns TLS off: credentials and documents cross the network unencrypted", "remove tls=false")
    if not (names := unverified(uri)):
        return ok("the URI turns no verification off")
    what = "the host name in the server's certificate" if names == ["tlsAllowInvalidHostnames"] else "the server's certificate"
    risk = "an attacker on the network can read and change credentials and documents"
    options = " and ".join(f"{name}=true" for name in names)
    remedy = f"remove {options}, and set tlsCAFile to the file of the certificate authority"
    return warn(f"{setting} has {options}: {what} is not verified, so {risk}", remedy)


def tls_of(uri: str, setting: str) -> Finding:
    """Check the TLS that a URI asks for. No connection is made."""
    if (unsafe := tls_at_start(uri, setting)).state is State.WARN:
        return unsafe
    if encrypted(uri):
        return ok("on, and the certificate is verified")
    if all(_is_here(name) for name, _ in hosts(uri)):
        return ok("off; the server is on this machine")
    return warn("off: credentials and data cross the network unencrypted", f"add tls=true to {setting}")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
