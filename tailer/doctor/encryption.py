"""TLS to the database: whether it is spoken, who vouches for the server's certificate, and until when."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.doctor.network import CONNECT, Address, Network, text
from tailer.mongodb.connection.errors import STORE
from tailer.mongodb.connection.uri import AMAZON_RDS, defaults, encrypted, hosts, option, unverified
from tailer.preflight import advice_on_tls

_ENDS_SOON = timedelta(days=30)
_AUTHORITY = (
    "set tlsCAFile to the file of its certificate authority: for a region newer than this release, Amazon's newest bundle"
)


class Encryption:
    """What the URI asks for, tried on the host that answers."""

    def __init__(self, uri: str, network: Network, *, now: Callable[[], datetime]) -> None:
        self._uri = uri
        self._network = network
        self._now = now

    def tls(self) -> Verdict:
        """One handshake, as a tailer would make it."""
        if not encrypted(self._uri):
            return _off(self._uri, "TAILER_MONGODB_URI")
        host, context = self._network.host, self._context()
        told = f"authorities: {self._whose()}"
        try:
            with (
                socket.create_connection(host, CONNECT) as plain,
                context.wrap_socket(plain, server_hostname=host[0]) as connection,
            ):
                certificate, told = connection.getpeercert() or {}, f"{connection.version()}; {told}"
        except ssl.SSLCertVerificationError as error:
            return fail(f"the certificate of {text(host)} is not valid: {error.verify_message}; {told}", _AUTHORITY)
        except OSError as error:
            return fail(f"no TLS with {text(host)}: {error}", "enable TLS on the server, or remove tls=true from the URI")
        return self._judged(str(certificate.get("notAfter", "")), told)

    def _judged(self, end: str, told: str) -> Verdict:
        if said := unverified(self._uri):
            looked_at = "the host name in the certificate is not verified" if end else "the certificate is not verified"
            return warn(f"{told}; {looked_at}", f"remove {' and '.join(said)} from TAILER_MONGODB_URI")
        day = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
        told = f"{told}; certificate until {day:%Y-%m-%d}"
        return ok(told) if day - self._now() > _ENDS_SOON else warn(told, "renew it: nothing connects after that day")

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._file())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python's default since 3.13; the driver asks for less, and decides
        said = unverified(self._uri)
        context.check_hostname = not said
        context.verify_mode = ssl.CERT_REQUIRED if set(said) <= {"tlsAllowInvalidHostnames"} else ssl.CERT_NONE
        if key := option(self._uri, "tlsCertificateKeyFile"):
            context.load_cert_chain(key, password=option(self._uri, "tlsCertificateKeyFilePassword"))
        return context

    def _file(self) -> str | None:
        return option(self._uri, "tlsCAFile") or defaults(self._uri).get("tlsCAFile")

    def _whose(self) -> str:
        file = self._file()
        return "Amazon's, as shipped" if file == str(AMAZON_RDS) else file or "the system's"


def of_a_store(uri: str) -> Verdict:
    """Of a server that only keeps checkpoints, by what its URI says; other stores have no URI of MongoDB."""
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        return ok("the store is not a separate MongoDB server")
    if advice := advice_on_tls(uri, STORE):
        found, _, remedy = advice[0].rpartition("; ")
        return warn(found, remedy)
    return ok("on, and the certificate is verified") if encrypted(uri) else _off(uri, STORE)


def _off(uri: str, setting: str) -> Verdict:
    if all(map(_here, hosts(uri))):
        return ok("off; the server is on this machine")
    return warn("off: credentials and data cross the network unencrypted", f"add tls=true to {setting}")


def _here(address: Address) -> bool:
    try:
        return ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"
