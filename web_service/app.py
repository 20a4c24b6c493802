"""The Flask application: what each address answers."""

import functools
import json
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import msgspec
from flask import Flask, Response, abort, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from model_service.records.features import ride_features
from model_service.records.ride_events import SAMPLE
from web_service.answers import answer_name, predict
from web_service.openapi import document
from web_service.problems import handle_problems
from web_service.ride_requests import decode_rides
from web_service.serving import Serving

PAGE = Path(__file__).parent / "page"
# The page brings all that it needs, and calls nobody else.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# A client that sends its whole body first sees no answer if the connection is closed meanwhile.
_THROWN_AWAY_BYTES = 16 * 2**20
_PART_BYTES = 2**16
_UNITS = {"ride_duration": "minutes", "ride_tip": "dollars"}


def create_app(serving: Serving, max_body_bytes: int) -> Flask:
    """Make the application.

    Args:
        serving: Holds the model to predict with.
        max_body_bytes: The longest body that is read.
    """
    app = Flask(__name__, static_folder=PAGE / "static", template_folder=PAGE)
    # One more than may be: Werkzeug cuts a chunked body off at its limit without a word.
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes + 1
    views = _Views(serving)
    app.add_url_rule("/predict", view_func=views.predict, methods=["POST"])
    for name in ("health", "ready", "version"):
        app.add_url_rule(f"/{name}", view_func=getattr(views, name))
    app.add_url_rule("/openapi.json", view_func=views.openapi)
    app.add_url_rule("/", view_func=views.page)
    handle_problems(app)
    app.before_request(lambda: _read_body(max_body_bytes))
    app.after_request(_add_headers)
    return app


class _Views:
    """What the addresses answer; each is a method of its name."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def predict(self) -> Response:
        """Predict the ride or the rides of the body."""
        _require_json()
        asked = decode_rides(request.get_data())
        answers = predict(self._serving.current, asked.items)
        return _json(answers if asked.is_list else answers[0])

    def health(self) -> Response:
        """The process answers."""
        return _json({"status": "up"})

    def ready(self) -> Response:
        """There is a model, and it predicts."""
        served = self._serving.current
        try:
            served.model.predictor.predict(ride_features([SAMPLE]))
        except Exception:
            abort(HTTPStatus.SERVICE_UNAVAILABLE, "the model does not predict; its log says more")
        return _json({"status": "ready", "model_version": served.model.version})

    def version(self) -> Response:
        """What is served, since when, and what went wrong since."""
        served, failure = self._serving.current, self._serving.failure
        return _json(
            {
                "model": served.model.name,
                "model_version": served.model.version,
                "source": served.source,
                "registered_version": served.number,
                "loaded_at": served.loaded_at,
                "failure": failure and {"detail": failure.detail, "at": failure.at},
            }
        )

    def openapi(self) -> Response:
        """The description of all this, for machines."""
        return _json(document(self._serving.current.model.field))

    def page(self) -> str:
        """The page for people."""
        field = self._serving.current.model.field
        name = answer_name(field)
        return render_template("page.html", name=name, unit=_UNITS.get(field, ""), zones=_zones())


def _require_json() -> None:
    if request.mimetype != "application/json":
        abort(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the Content-Type is {request.content_type or 'missing'}; it must be application/json",
        )


def _read_body(most: int) -> None:
    """Read every request's body, before it is looked at whether anybody wants it.

    A connection on which gunicorn 26.2 has to throw a body away answers the next request no more.
    """
    try:
        is_too_large = len(request.get_data()) > most
    except RequestEntityTooLarge:
        is_too_large = True
    if is_too_large:
        _throw_away(request.environ["wsgi.input"])
        raise RequestEntityTooLarge(f"the body must have at most {most} bytes")


def _throw_away(body: IO[bytes]) -> None:
    """Read on, some way: what is longer than that has its connection closed."""
    left = _THROWN_AWAY_BYTES
    with suppress(OSError, ValueError):  # the rest does not come, or is none
        while left > 0 and (part := body.read(_PART_BYTES)):
            left -= len(part)


def _json(answer: Any) -> Response:
    return Response(msgspec.json.encode(answer), content_type="application/json")


def _add_headers(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    return response


@functools.cache
def _zones() -> dict[str, dict[str, str]]:
    """TLC's taxi zones: ID and name, by borough."""
    zones: dict[str, dict[str, str]] = json.loads((PAGE.parent / "zones.json").read_text())
    return zones
