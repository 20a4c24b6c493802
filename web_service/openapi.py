"""The OpenAPI document, from the types that requests are decoded into."""

import functools
from http import HTTPStatus
from typing import Any

import msgspec

from model_service.records.ride_events import Ride, RideEvent
from web_service.answers import answer_name
from web_service.problems import CONTENT_TYPE, Problem

_REF = "#/components/schemas/{name}"
_RIDE = {"PULocationID": 10, "DOLocationID": 50, "trip_distance": 40}


@functools.cache
def document(field: str) -> dict[str, Any]:
    """The document of a service whose prediction events call their value `field`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ride predictions",
            "version": "1",
            "description": "Predictions for taxi rides, by the model that also serves the stream.",
        },
        "paths": {
            "/predict": {"post": _predict()},
            "/health": {"get": _get("The process is up", _object(status="string"))},
            "/ready": {"get": _ready()},
            "/version": {"get": _get("What is served, and since when", _version())},
            "/openapi.json": {"get": _get("This document", {"type": "object"})},
            "/": {"get": _page()},
        },
        "components": {"schemas": _schemas(field)},
    }


def _predict() -> dict[str, Any]:
    asked, answered = [_ref("Ride"), _ref("RideEvent")], [_ref("Prediction"), _ref("Event")]
    return {
        "operationId": "predict",
        "summary": "Predict a ride, or a list of rides in one call",
        "description": "A ride answers a prediction. An event of the stream, which is an object "
        "with a field `ride`, answers a prediction event. A list answers a list.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _one_or_list(asked), "examples": _examples()}
            },
        },
        "responses": {
            "200": _content("Predictions, in the order of the rides", _one_or_list(answered)),
            **_problems(
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.REQUEST_TIMEOUT,
                HTTPStatus.CONTENT_TOO_LARGE,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                HTTPStatus.UNPROCESSABLE_CONTENT,
                HTTPStatus.INTERNAL_SERVER_ERROR,
            ),
        },
    }


def _examples() -> dict[str, Any]:
    return {
        "ride": {"value": _RIDE},
        "rides": {"value": [_RIDE, {**_RIDE, "trip_distance": 3.66}]},
        "event": {"value": {"ride": _RIDE, "ride_id": 256}},
    }


def _ready() -> dict[str, Any]:
    ready = _get("The model is loaded", _object(status="string", model_version="string"))
    ready["responses"] |= _problems(HTTPStatus.SERVICE_UNAVAILABLE)
    return ready


def _page() -> dict[str, Any]:
    content = {"text/html": {"schema": {"type": "string"}}}
    return {
        "summary": "A page that predicts",
        "responses": {"200": {"description": "HTML", "content": content}},
    }


def _version() -> dict[str, Any]:
    version = _object(model="string", model_version="string", source="string")
    version["properties"] |= {
        "registered_version": {"type": ["string", "null"]},
        "loaded_at": {"type": "string", "format": "date-time"},
        "failure": {"type": ["object", "null"]},
    }
    return version


def _schemas(field: str) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([Ride, RideEvent, Problem], ref_template=_REF)
    prediction = _object(**{answer_name(field): "number", "model_version": "string"})
    event = _object(model="string", version="string", event_id="string")
    event["properties"]["prediction"] = _object(**{field: "number"})
    event["properties"]["prediction"]["properties"]["ride_id"] = {"type": ["integer", "string"]}
    event["required"].append("prediction")
    return {**schemas, "Prediction": prediction, "Event": event}


def _get(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _content(summary, schema)}}


def _problems(*statuses: HTTPStatus) -> dict[str, Any]:
    return {
        str(status.value): _content(status.phrase, _ref("Problem"), CONTENT_TYPE)
        for status in statuses
    }


def _content(
    description: str, schema: dict[str, Any], content_type: str = "application/json"
) -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"schema": schema}}}


def _one_or_list(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return {"anyOf": [*schemas, {"type": "array", "items": {"anyOf": schemas}}]}


def _object(**types: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in types.items()},
        "required": list(types),
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(name=name)}
