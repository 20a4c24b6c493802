"""The registry's REST API, and files behind it, by a server that answers as a test wants."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from model_service.models.model_errors import ModelNotFound, ModelRefused
from model_service.models.workspace import workspace
from streams.errors import SettingsError
from tests import http_server
from tests.http_server import running
from web_service.registry import ModelName, Registry, is_same_server
from web_service.registry_files import download, plain_location


@dataclass(frozen=True)
class Redirect:
    """An answer that leads to another URL."""

    target: str


class Server(ThreadingHTTPServer):
    """Answers each path and query with what is put into `answers`; anything else with 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], Any] = {}
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http_server.Handler):
    server: Server

    def respond(self) -> None:
        self.server.authorizations.append(self.headers["Authorization"])
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        argument = ",".join(query[name][0] for name in sorted(query))
        path = split.path.removeprefix("/api/2.0/")
        found = self.server.answers.get((path, argument))
        if isinstance(found, Redirect):
            self.answer(302, Location=found.target)
        elif found is None:
            self.answer(404, b'{"message": "there is none"}')
        else:
            self.answer(200, found if isinstance(found, bytes) else json.dumps(found).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


def registry(server: Server, **variables: str) -> Registry:
    return Registry.from_environ({"MLFLOW_TRACKING_URI": server.url, **variables})


ALIAS = ModelName.parse("models:/ride-duration@production")
VERSION = {"model_version": {"version": "3", "run_id": "abc"}}


def test_find_alias_gives_version_run_and_location(server: Server) -> None:
    """Two calls: what the alias stands for, and where its files are."""
    server.answers = {
        ("mlflow/registered-models/alias", "production,ride-duration"): VERSION,
        ("mlflow/model-versions/get-download-uri", "ride-duration,3"): {"artifact_uri": "s3://x/y"},
    }

    found = registry(server).find(ALIAS)

    assert (found.number, found.run_id, found.location) == ("3", "abc", "s3://x/y")


def test_find_number_gives_that_version(server: Server) -> None:
    """A name with a number needs no alias."""
    server.answers = {
        ("mlflow/model-versions/get", "ride-duration,3"): VERSION,
        ("mlflow/model-versions/get-download-uri", "ride-duration,3"): {"artifact_uri": "/folder"},
    }

    assert registry(server).find(ModelName.parse("models:/ride-duration/3")).location == "/folder"


def test_find_unknown_alias_says_what_the_server_says(server: Server) -> None:
    """The URL, the server's own words and a remedy are in the message."""
    with pytest.raises(ModelNotFound, match=r"/alias\?.*there is none\); check MODEL_URI"):
        registry(server).find(ALIAS)


@pytest.mark.parametrize("answer", [b"<html>", b"[]", {}, {"model_version": 5}])
def test_find_other_server_is_no_registry(server: Server, answer: Any) -> None:
    """Something else that listens there is told from MLflow."""
    server.answers = {("mlflow/registered-models/alias", "production,ride-duration"): answer}

    with pytest.raises(ModelNotFound, match=r"does not answer (JSON|as MLflow does)"):
        registry(server).find(ALIAS)


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({}, None),
        ({"MLFLOW_TRACKING_TOKEN": "t"}, "Bearer t"),
        ({"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}, "Basic dTpw"),
    ],
)
def test_find_sends_who_asks(server: Server, variables: dict[str, str], sent: str | None) -> None:
    """MLflow's own variables for tokens and passwords count; no message shows them."""
    asking = registry(server, **variables)

    with pytest.raises(ModelNotFound):
        asking.find(ALIAS)

    assert server.authorizations == [sent]
    assert sent is None or sent not in repr(asking)


@pytest.mark.parametrize(
    ("url", "target", "same"),
    [
        ("https://mlflow.example/api", "https://mlflow.example/other", True),
        ("https://mlflow.example/api", "https://MLflow.example:443/api", True),
        ("http://mlflow.example/api", "https://mlflow.example/api", True),
        ("http://mlflow.example:5000/api", "https://mlflow.example:5000/api", True),
        ("https://mlflow.example/api", "http://mlflow.example/api", False),
        ("https://mlflow.example/api", "https://mlflow.example:8443/api", False),
        ("http://mlflow.example/api", "https://mlflow.example:80/api", False),
        ("https://mlflow.example/api", "https://mlflow.example.org/api", False),
        ("https://mlflow.example/api", "https://other.example/api", False),
        ("https://mlflow.example/api", "https://mlflow.example@other.example/api", False),
        ("https://mlflow.example/api", "ftp://mlflow.example/api", False),
    ],
)
def test_redirect_stays_at_its_server_or_leaves_it(url: str, target: str, same: bool) -> None:
    """Another host, port or a scheme without encryption is another server; HTTPS is an upgrade."""
    assert is_same_server(url, target) is same


def test_redirect_within_the_server_is_followed_with_the_credentials(server: Server) -> None:
    """After a redirect within the server the request still carries the credentials."""
    server.answers = {("moved", ""): Redirect("/api/2.0/here"), ("here", ""): {}}

    assert registry(server, MLFLOW_TRACKING_TOKEN="secret").ask("moved", {}) == {}
    assert server.authorizations == ["Bearer secret"] * 2


def test_redirect_to_another_server_is_refused_before_it_is_followed(server: Server) -> None:
    """The other server gets no request, and the message names it."""
    with running(Server()) as other:
        server.answers = {("moved", ""): Redirect(f"{other.url}/api/2.0/here")}

        with pytest.raises(ModelNotFound, match=f"it redirects to another server, {other.url}\\)"):
            registry(server).ask("moved", {})
    assert other.authorizations == []


@pytest.mark.parametrize(
    "target", ["http://[", "http://127.0.0.1:port/", "ftp://127.0.0.1/x", "//"]
)
def test_redirect_to_an_invalid_url_fails_with_the_usual_message(
    server: Server, target: str
) -> None:
    """A broken redirect raises ModelNotFound with the URL and a remedy."""
    server.answers = {("moved", ""): Redirect(target)}

    with pytest.raises(ModelNotFound, match=r"/moved cannot be read \(.*\); check MODEL_URI"):
        registry(server).ask("moved", {})


@pytest.mark.parametrize("uri", ["models:/x", "runs:/x/model", "models:/x@", "models:/x/y", "x@y"])
def test_parse_other_uris_are_refused(uri: str) -> None:
    """The message has the variable, its value and what is allowed."""
    with pytest.raises(SettingsError, match=f"MODEL_URI='{uri}' is not allowed; it must be models"):
        ModelName.parse(uri)


def files(server: Server, **folders: list[dict[str, Any]]) -> None:
    for path, listed in folders.items():
        server.answers["mlflow-artifacts/artifacts", path.replace("__", "/")] = {"files": listed}


def test_download_brings_files_of_folders_in_folders(server: Server) -> None:
    """The server lists folder by folder, and gives each file under its whole path."""
    files(
        server,
        model=[{"path": "MLmodel", "file_size": 1}, {"path": "data", "is_dir": True}],
        model__data=[{"path": "a b.onnx", "file_size": 2}],
    )
    server.answers["mlflow-artifacts/artifacts/model/MLmodel", ""] = b"1"
    server.answers["mlflow-artifacts/artifacts/model/data/a%20b.onnx", ""] = b"22"

    folder = download(registry(server), "mlflow-artifacts:/model")

    assert (folder / "MLmodel").read_bytes() == b"1"
    assert (folder / "data/a b.onnx").read_bytes() == b"22"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "..", "", "a/../../x", "a\\b"])
def test_download_name_that_leads_out_is_refused(server: Server, name: str) -> None:
    """Nothing is written outside of the folder, and the folder is gone."""
    before = set(workspace().iterdir())
    files(server, model=[{"path": name, "file_size": 1}])

    with pytest.raises(ModelRefused, match="would be written outside of its place"):
        download(registry(server), "mlflow-artifacts:/model")

    assert set(workspace().iterdir()) == before


def test_download_that_breaks_off_leaves_no_copy(server: Server) -> None:
    """The files that came before one that is missing are removed."""
    before = set(workspace().iterdir())
    files(server, model=[{"path": name, "file_size": 1} for name in ("MLmodel", "model.skops")])
    server.answers["mlflow-artifacts/artifacts/model/MLmodel", ""] = b"1"

    with pytest.raises(ModelNotFound):
        download(registry(server), "mlflow-artifacts:/model")

    assert set(workspace().iterdir()) == before


def test_download_without_mlmodel_asks_for_no_file(server: Server) -> None:
    """A listing without an MLmodel file is enough to refuse the files, at each look at an alias."""
    files(server, model=[{"path": "model.skops", "file_size": 1}])

    with pytest.raises(ModelNotFound, match="mlflow-artifacts:/model holds no MLmodel file"):
        download(registry(server), "mlflow-artifacts:/model")

    assert len(server.authorizations) == 1


@pytest.mark.parametrize(
    "listed",
    [
        [{"path": f"f{number}", "file_size": 1} for number in range(201)],
        [{"path": "f", "file_size": 500_000_001}],
    ],
    ids=["files", "bytes"],
)
def test_download_too_much_is_refused(server: Server, listed: list[dict[str, Any]]) -> None:
    """A model has the bounds that it has in S3, before any of it is brought."""
    files(server, model=listed)

    with pytest.raises(ModelRefused, match="holds more than 200 files or 500000000 bytes"):
        download(registry(server), "mlflow-artifacts:/model")


def test_download_folder_that_holds_itself_ends(server: Server) -> None:
    """A server that lists folders without end is given up."""
    server.answers = EndlessFolders()

    with pytest.raises(ModelRefused, match="more than 10 folders in one another"):
        download(registry(server), "mlflow-artifacts:/model")


class EndlessFolders(dict[tuple[str, str], Any]):
    """Every folder has a folder."""

    def get(self, key: Any, default: Any = None) -> Any:
        return {"files": [{"path": "a", "is_dir": True}]}


@pytest.mark.parametrize("uri", ["gs://bucket/model", "mlflow-artifacts://host/model", "http://x"])
def test_location_elsewhere_is_refused(uri: str) -> None:
    """What cannot be brought is named, with what can."""
    with pytest.raises(ModelRefused, match=f"the registry has the model at {uri}; it must be at"):
        plain_location(uri)


def test_location_here_is_a_plain_one() -> None:
    """A folder may come as a URI; S3 stays as it is."""
    assert plain_location("file:///models/a%20b") == "/models/a b"
    assert plain_location("s3://bucket/model") == "s3://bucket/model"
