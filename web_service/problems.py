"""Errors in one shape: RFC 9457, Problem Details for HTTP APIs."""

import logging
import socket
import traceback
from contextlib import suppress
from http import HTTPStatus

import msgspec
from flask import Flask, Response, request
from msgspec import UNSET, Struct, UnsetType
from werkzeug.exceptions import ClientDisconnected, HTTPException

from streams.errors import Reason
from web_service.answers import ModelFailed
from web_service.ride_requests import RideRefused

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class Problem(Struct, frozen=True, omit_defaults=True):
    """What every error answers.

    Attributes:
        status: The HTTP status, once more.
        title: What that status is called.
        detail: One line for a person: the field, its value, what is allowed.
        reason: A code to count by; that of the stream's rejections where one of them fits.
        index: The place of the ride in a list, from 0; only where it is one ride's fault.
    """

    status: int
    title: str
    detail: str
    reason: str
    index: int | UnsetType = UNSET


def handle_problems(app: Flask) -> None:
    """Have an application answer each of its errors with a `Problem`."""
    app.register_error_handler(RideRefused, _refused)
    app.register_error_handler(ModelFailed, _model_failed)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: RideRefused) -> Response:
    understood = error.reason is Reason.INVALID_EVENT
    status = HTTPStatus.UNPROCESSABLE_CONTENT if understood else HTTPStatus.BAD_REQUEST
    if error.index is None:
        return _response(status, error.detail, error.reason)
    return _response(status, f"[{error.index}]: {error.detail}", error.reason, error.index)


def _model_failed(error: ModelFailed) -> Response:
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, error.detail, error.reason)


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = error.description or status.phrase
    if isinstance(error, ClientDisconnected):
        status, detail = _broken_off(error)
    response = _response(status, detail, status.name.lower())
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _broken_off(error: ClientDisconnected) -> tuple[HTTPStatus, str]:
    """What Werkzeug calls by one name: a read that the kernel gave up, or anything else."""
    if isinstance(error.__context__, BlockingIOError):
        _stop_reading()
        return HTTPStatus.REQUEST_TIMEOUT, "the rest of the body did not come in time"
    return HTTPStatus.BAD_REQUEST, "the body broke off, or is not in chunks as HTTP/1.1 has them"


def _stop_reading() -> None:
    """Have gunicorn wait no more for the rest; it would for seconds, in the thread that accepts."""
    connection = request.environ.get("gunicorn.socket")
    with suppress(OSError):  # the client is gone
        if connection is not None:
            connection.shutdown(socket.SHUT_RD)


def _unexpected(error: Exception) -> Response:
    # Without its message, which may hold a ride.
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    logger.error("%s\n%s", type(error).__name__, frames)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _response(status, "the service failed; its log says where", status.name.lower())


def _response(status: HTTPStatus, detail: str, reason: str, index: int | None = None) -> Response:
    problem = Problem(
        status.value, status.phrase, detail, reason, UNSET if index is None else index
    )
    return Response(msgspec.json.encode(problem), status.value, content_type=CONTENT_TYPE)
