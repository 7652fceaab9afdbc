"""Servers that tests of the guarded client call: scripted ones, and TLS under an authority of their own."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    """A server on loopback: what it was sent, on how many connections, under which names."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    server: asyncio.Server | None = None

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Read a request, and remember it."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: "))
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request

    async def stop(self) -> None:
        assert self.server
        self.server.close()
        for writer in self.writers:
            writer.close()


async def serve(
    script: Callable[[Server], Script], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> Server:
    """Start a server; it plays its script on each connection."""
    found = Server()
    if tls:
        tls.sni_callback = lambda _socket, name, _context: found.names.append(name)
    play = script(found)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        found.writers.append(writer)
        try:
            await play(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    found.server = await asyncio.start_server(connected, host, port, ssl=tls)
    found.port = found.server.sockets[0].getsockname()[1]
    return found


def answering(answer: bytes, *, then_close: bool = False) -> Callable[[Server], Script]:
    """Answer every request with the same bytes."""

    def script(server: Server) -> Script:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await server.read(reader)
                writer.write(answer)
                await writer.drain()
                if then_close:
                    writer.close()
                    return

        return play

    return script


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority {folder.name}")])
        builder = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    def client(self) -> ssl.SSLContext:
        """Return what a client that believes this authority alone checks with."""
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def server(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """Return a server's side, with a certificate of these names that is valid for so many days yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = self._builder(subject, key, days=days).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self.folder / f"{names[0]}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int = 2
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(identifier, critical=False)
        )


class Names:
    """A resolver whose every answer is the next one that was laid out for the name; the last one stays."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, list[list[str]]] = {}
        self._real = socket.getaddrinfo

    def lay_out(self, name: str, *answers: list[str]) -> None:
        self._answers[name] = list(answers)

    def getaddrinfo(self, host: Any, port: Any, *rest: Any, **options: Any) -> list[Any]:
        """Stand for `socket.getaddrinfo`; addresses and names nobody laid out go to the real one."""
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self._answers:
            return self._real(host, port, *rest, **options)
        self.asked.append(name)
        answers = self._answers[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        kinds = [(socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in found]
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port or 0)) for kind, address in kinds]
