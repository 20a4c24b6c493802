"""MLflow's model registry, by its REST API: importing mlflow would take seconds and 200 MiB.

The calls are those of "MLflow REST API": Get Model Version by Alias, Get ModelVersion, Get Download
URI For ModelVersion Artifacts.
"""

import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, Self

from model_service.models.model_errors import ModelNotFound
from streams.errors import SettingsError, brief

TIMEOUT_SECONDS = 10
_MAX_ANSWER_BYTES = 1_000_000
_MODEL_URI = re.compile(r"models:/([^/@]+)(?:@([^/@]+)|/([0-9]{1,9}))")
_MAX_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ModelName:
    """One version of a registered model: what an alias points to, or a number."""

    name: str
    alias: str | None
    number: str | None

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read `models:/<name>@<alias>` or `models:/<name>/<version>`.

        Raises:
            SettingsError: It is neither.
        """
        found = _MODEL_URI.fullmatch(uri)
        if found is None:
            raise SettingsError(
                f"MODEL_URI={uri!r} is not allowed; it must be models:/<name>@<alias>, such as "
                "models:/ride-duration@production, or models:/<name>/<version>"
            )
        return cls(*found.groups())

    def __str__(self) -> str:
        return f"models:/{self.name}" + (f"@{self.alias}" if self.alias else f"/{self.number}")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a registered model.

    Attributes:
        name: The registered model's.
        number: Counts its versions.
        run_id: The run that logged it; None for a model without one.
        location: URI of its files.
    """

    name: str
    number: str
    run_id: str | None
    location: str


@dataclass(frozen=True, slots=True)
class Registry:
    """A tracking server.

    Every method raises `ModelNotFound` where it does not answer, with the URL and what to do.

    Args:
        url: The server's, without a slash at its end.
        headers: Sent with each request; they may hold a password.
        opener: Makes the requests.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(_WithinServer),
        repr=False,
        compare=False,
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """The server of MLflow's own variables.

        Raises:
            SettingsError: `MLFLOW_TRACKING_URI` is not the URL of a server.
        """
        url = environ.get("MLFLOW_TRACKING_URI", "")
        if not re.fullmatch(r"https?://\S+", url):
            raise SettingsError(
                f"MLFLOW_TRACKING_URI={url!r} is not allowed with MODEL_URI; "
                "it must be the http:// or https:// URL of MLflow's tracking server"
            )
        return cls(url.rstrip("/"), _authorization(environ))

    def find(self, name: ModelName) -> ModelVersion:
        """The version that a name stands for now."""
        if name.alias is not None:
            query = {"name": name.name, "alias": name.alias}
            found = self._ask("registered-models/alias", query)
        else:
            query = {"name": name.name, "version": str(name.number)}
            found = self._ask("model-versions/get", query)
        try:
            version = found["model_version"]
            number, run_id = str(version["version"]), version.get("run_id") or None
        except (KeyError, TypeError, AttributeError):
            raise ModelNotFound(
                f"{self.url} does not answer as MLflow does: check MLFLOW_TRACKING_URI"
            ) from None
        query = {"name": name.name, "version": number}
        location = self._ask("model-versions/get-download-uri", query).get("artifact_uri")
        return ModelVersion(name.name, number, run_id, str(location))

    def open(self, path: str, query: Mapping[str, str] | None = None) -> HTTPResponse:
        """GET something of the server's API."""
        url = f"{self.url}/api/2.0/{path}"
        if query:
            url += f"?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers=dict(self.headers))  # noqa: S310 - http(s)
        try:
            answer: HTTPResponse = self.opener.open(request, timeout=TIMEOUT_SECONDS)
            return answer
        # ValueError: the target of a redirect is not a URL.
        except (OSError, HTTPException, ValueError) as error:
            raise ModelNotFound(f"{url} cannot be read ({_reason(error)}); {_REMEDY}") from None

    def ask(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET a JSON object of the server's API."""
        with closing(self.open(path, query)) as answer:
            try:
                document = json.loads(answer.read(_MAX_ANSWER_BYTES))
            except (ValueError, OSError, HTTPException, RecursionError):
                document = None
        if not isinstance(document, dict):
            raise ModelNotFound(f"{self.url}/api/2.0/{path} does not answer JSON; {_REMEDY}")
        return document

    def _ask(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self.ask(f"mlflow/{path}", query)


class _WithinServer(urllib.request.HTTPRedirectHandler):
    """Follows redirects within the server, whose credentials go with each request."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Make the request that follows a redirect.

        Raises:
            HTTPError: The redirect leads to another server.
        """
        if not is_same_server(req.full_url, newurl):
            said = f"it redirects to another server, {_origin(newurl)}"
            raise urllib.error.HTTPError(req.full_url, code, said, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_same_server(url: str, target: str) -> bool:
    """Return whether a redirect stays at a scheme, host and port, or only goes on to HTTPS there.

    Raises:
        ValueError: The target is not a URL.
    """
    origin = _origin(url)
    return _origin(target) in (origin, re.sub("^http:", "https:", origin))


def _origin(url: str) -> str:
    split = urllib.parse.urlsplit(url)
    usual_port = {"http": ":80", "https": ":443"}.get(split.scheme, "")
    return f"{split.scheme}://{split.netloc.lower().removesuffix(usual_port)}"


_REMEDY = "check MODEL_URI, MLFLOW_TRACKING_URI, the network and the server's log"


def _reason(error: Exception) -> str:
    """What went wrong; of an answer by MLflow, its own words."""
    said = str(error)
    if isinstance(error, urllib.error.HTTPError):
        try:
            said += f": {json.loads(error.read(_MAX_ANSWER_BYTES))['message']}"
        except (ValueError, KeyError, TypeError, OSError, HTTPException):
            pass
        finally:
            error.close()
    return brief(" ".join(said.split()), _MAX_REASON_CHARACTERS)


def _authorization(environ: Mapping[str, str]) -> Mapping[str, str]:
    token = environ.get("MLFLOW_TRACKING_TOKEN")
    if token:
        return {"Authorization": f"Bearer {token}"}
    user = environ.get("MLFLOW_TRACKING_USERNAME")
    if user:
        pair = f"{user}:{environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
