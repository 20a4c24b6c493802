"""Credentials of the tracking server, which a redirect must not take elsewhere."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model_service.models.model_errors import ModelNotFound
from web_service.registry import Registry

TOKEN = {"MLFLOW_TRACKING_TOKEN": "secret"}


class Server(ThreadingHTTPServer):
    """Redirects `/api/2.0/moved` to `target`, and answers every other path with an empty object."""

    scheme = "http"
    target = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def registry(self) -> Registry:
        return Registry.from_environ({"MLFLOW_TRACKING_URI": self.url, **TOKEN})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Authorization"]))
        if self.path == "/api/2.0/moved":
            self.send_response(302)
            self.send_header("Location", self.server.target)
        else:
            self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def start() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def certificate(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that it signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_redirect_within_the_server_is_followed_with_the_credentials(start: ExitStack) -> None:
    """After a redirect within the server the request still carries the credentials."""
    server = start.enter_context(running(Server()))
    server.target = "/api/2.0/here"

    assert server.registry().ask("moved", {}) == {}
    assert server.seen == [
        ("/api/2.0/moved", "Bearer secret"),
        ("/api/2.0/here", "Bearer secret"),
    ]


def test_redirect_to_another_port_is_refused_before_it_is_followed(start: ExitStack) -> None:
    """Another port is another server: it gets no request, and the message names it."""
    server, other = (start.enter_context(running(Server())) for _ in range(2))
    server.target = f"{other.url}/api/2.0/here"

    with pytest.raises(ModelNotFound, match=f"it redirects to another server, {other.url}\\)"):
        server.registry().ask("moved", {})
    assert other.seen == []


def test_redirect_to_another_host_is_refused_before_it_is_followed(start: ExitStack) -> None:
    """Another name of the same machine is another host."""
    server = start.enter_context(running(Server()))
    server.target = f"http://localhost:{server.server_port}/api/2.0/here"

    with pytest.raises(ModelNotFound, match="it redirects to another server, http://localhost:"):
        server.registry().ask("moved", {})
    assert len(server.seen) == 1


def test_redirect_from_https_to_http_is_refused_before_it_is_followed(
    start: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that were sent encrypted are not sent in the clear, even to the same port."""
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    start.enter_context(running(server))
    plain = f"http://127.0.0.1:{server.server_port}"
    server.target = f"{plain}/api/2.0/here"

    assert server.registry().ask("here", {}) == {}
    with pytest.raises(ModelNotFound, match=f"it redirects to another server, {plain}\\)"):
        server.registry().ask("moved", {})


@pytest.mark.parametrize(
    "target", ["http://[", "http://127.0.0.1:port/", "ftp://127.0.0.1/x", "//"]
)
def test_redirect_to_an_invalid_url_fails_with_the_usual_message(
    start: ExitStack, target: str
) -> None:
    """A broken redirect raises ModelNotFound with the URL and a remedy."""
    server = start.enter_context(running(Server()))
    server.target = target

    with pytest.raises(ModelNotFound, match=r"/moved cannot be read \(.*\); check MODEL_URI"):
        server.registry().ask("moved", {})
