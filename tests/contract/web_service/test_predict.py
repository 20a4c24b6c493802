"""POST /predict: what it answers, and what it refuses."""

import http.client
import json
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.web import EVENT, RIDE, Web, serving

NUMBER = "a finite number >= 0, in miles"


def test_predict_ride_answers_minutes_and_version(web: Web, duration_model: dict[str, Any]) -> None:
    """A ride answers its duration and the run that predicted it, and nothing else."""
    answer = web.post(RIDE)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json.keys() == {"duration", "model_version"}
    assert 1 < answer.json["duration"] < 300
    assert answer.json["model_version"] == duration_model["run_id"]


def test_predict_list_answers_a_list_in_order(web: Web) -> None:
    """Each ride of a list is answered at its place, with what it is answered alone."""
    rides = [{**RIDE, "trip_distance": miles} for miles in (40, 0, 3.66)]

    assert web.post(rides).json == [web.post(ride).json for ride in rides]
    assert web.post([]).json == []


def test_predict_event_answers_the_prediction_event(
    web: Web, duration_model: dict[str, Any]
) -> None:
    """The stream's event answers the stream's event, with the ride ID and its type."""
    event = web.post(EVENT).json

    assert event["model"] == "ride_duration_prediction_model"
    assert event["version"] == duration_model["run_id"]
    assert event["prediction"] == {"ride_duration": web.post(RIDE).json["duration"], "ride_id": 256}


def test_predict_event_id_is_the_events_own(web: Web) -> None:
    """The same event has the same ID each time, however it is spelt, and another has another."""
    (first, again, other) = web.post(
        [EVENT, {**EVENT, "more": 1}, {**EVENT, "ride_id": "256"}]
    ).json

    assert first["event_id"] == again["event_id"] == web.post(EVENT).json["event_id"]
    assert other["event_id"] != first["event_id"]


def test_predict_list_may_hold_both_shapes(web: Web) -> None:
    """In a list, each ride and each event is answered in its own shape."""
    (ride, event) = web.post([RIDE, EVENT]).json

    assert ride == web.post(RIDE).json
    assert event == web.post(EVENT).json


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"trip_distance": "3.66"}, f'trip_distance is "3.66"; it must be {NUMBER}'),
        ({"trip_distance": None}, f"trip_distance is null; it must be {NUMBER}"),
        ({"trip_distance": True}, f"trip_distance is true; it must be {NUMBER}"),
        ({"trip_distance": -1}, f"trip_distance is -1; it must be {NUMBER}"),
        ({"trip_distance": float("nan")}, f"trip_distance is NaN; it must be {NUMBER}"),
        ({"PULocationID": "10"}, 'PULocationID is "10"; it must be an integer, a TLC zone ID'),
        ({"DOLocationID": 1.5}, "DOLocationID is 1.5; it must be an integer, a TLC zone ID"),
    ],
)
def test_predict_wrong_field_is_refused_in_the_streams_words(
    web: Web, change: dict[str, Any], detail: str
) -> None:
    """422 names the field, its value and what is allowed: alone, in a list, and in an event."""
    wrong = RIDE | change

    alone = web.post(wrong)
    assert alone.status == 422
    assert alone.headers["Content-Type"] == "application/problem+json"
    assert alone.json == {
        "status": 422,
        "title": "Unprocessable Content",
        "detail": detail,
        "reason": "invalid_event",
    }
    listed = web.post([RIDE, wrong])
    assert (listed.status, listed.json["detail"]) == (422, f"[1]: {detail}")
    assert listed.json["index"] == 1
    assert web.post({"ride": wrong, "ride_id": 1}).json["detail"] == f"ride.{detail}"


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        (5, "ride is 5; it must be a JSON object"),
        ({}, "PULocationID is missing; it must be an integer, a TLC zone ID"),
        ({"ride_id": 1}, "PULocationID is missing; it must be an integer, a TLC zone ID"),
        ({"ride": RIDE}, "ride_id is missing; it must be an integer or a non-empty string, "
         "of at most 256 characters"),
    ],
)  # fmt: skip
def test_predict_wrong_shape_is_refused_by_its_first_fault(
    web: Web, document: Any, detail: str
) -> None:
    """A body that is neither shape is told what is missing."""
    answer = web.post(document)

    assert (answer.status, answer.json["detail"]) == (422, detail)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[",
        b'{"PULocationID": 10, "DOLocationID": 50, "trip_distance": 1} {}',
        b'{"PULocationID": 10, "DOLocationID": 50, "trip_distance": 1}, "ride_id": 1',
        b'{"more": "\xff", "PULocationID": 10, "DOLocationID": 50, "trip_distance": 1}',
        b'{"more": NaN, "PULocationID": 10, "DOLocationID": 50, "trip_distance": 1}',
        b"[" * 100_000,
    ],
)
def test_predict_what_is_not_json_is_refused(web: Web, body: bytes) -> None:
    """400 for what is not JSON in UTF-8; nothing is guessed of it."""
    answer = web.post(body)

    assert answer.status == 400
    assert answer.json["reason"] in ("invalid_json", "invalid_utf8")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_predict_other_content_types_are_refused(web: Web, content_type: str | None) -> None:
    """415 says what the type is and what it must be."""
    answer = web.post(RIDE, content_type)

    assert answer.status == 415
    assert answer.json["detail"] == (
        f"the Content-Type is {content_type or 'missing'}; it must be application/json"
    )


def test_predict_charset_may_be_named(web: Web) -> None:
    """A Content-Type with parameters is JSON all the same."""
    assert web.post(RIDE, "application/json; charset=utf-8").status == 200


def test_predict_body_of_the_most_bytes_is_read(web: Web) -> None:
    """A body of exactly 1 MiB is one too many for nobody."""
    ride = json.dumps(RIDE).encode()

    assert web.post(ride + b" " * (1_048_576 - len(ride))).status == 200
    assert web.post(ride + b" " * (1_048_577 - len(ride))).status == 413


def test_predict_is_only_for_post(web: Web) -> None:
    """405 in the shape of every error, with the methods that are allowed."""
    answer = web.get("/predict")

    assert (answer.status, answer.json["reason"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_body_that_nobody_wants_leaves_the_connection_usable(web: Web) -> None:
    """A refused method's body is read all the same, and the next request is answered."""
    with closing(web.connect()) as connection:
        statuses = []
        for method in ("PUT", "PUT", "POST"):
            headers = {"Content-Type": "application/json"}
            connection.request(method, "/predict", json.dumps(RIDE), headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)

    assert statuses == [405, 405, 200]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_that_is_too_large_leaves_the_connection_usable(web: Web, chunked: bool) -> None:
    """A client that sends megabytes after a ride gets 413 with the limit, and may ask again."""
    ride = json.dumps(RIDE).encode()
    with closing(web.connect()) as connection:
        answers = []
        for body in (ride + b" " * 8_000_000, ride):
            headers = {"Content-Type": "application/json"}
            pieces = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
            connection.request("POST", "/predict", pieces if chunked else body, headers)
            response = connection.getresponse()
            answers.append((response.status, json.loads(response.read()).get("detail")))

    assert answers == [(413, "the body must have at most 1048576 bytes"), (200, None)]


def test_predict_body_in_wrong_chunks_is_refused(web: Web) -> None:
    """400 at once: it is no matter of time."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
        )
        response = http.client.HTTPResponse(client)
        response.begin()

        assert response.status == 400
        assert "is not in chunks" in json.loads(response.read())["detail"]


def test_unknown_address_answers_a_problem(web: Web) -> None:
    """404 has the shape of every error, too."""
    answer = web.get("/nowhere")

    assert (answer.status, answer.json["reason"]) == (404, "not_found")


def test_silent_connections_keep_nobody_waiting(web: Web) -> None:
    """Connections that were opened ahead have no thread: by 5 seconds each, this took minutes."""
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", web.port)))

        assert web.post(RIDE).status == 200


def test_bodies_that_stop_coming_are_given_up_and_keep_nobody_waiting(
    duration_model: dict[str, Any], tmp_path: Path
) -> None:
    """Unfinished requests get 408, and other requests do not wait for them.

    Gunicorn would take 2 seconds to close each, in the thread that accepts connections.
    """
    location = duration_model["model_location"]
    with (
        serving(tmp_path, MODEL_LOCATION=location, READ_TIMEOUT="1") as web,
        ExitStack() as stack,
    ):
        for _ in range(48):
            address = ("127.0.0.1", web.port)
            client = stack.enter_context(socket.create_connection(address, timeout=60))
            client.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
        web.post(RIDE)  # answered after those before it; the next one must be accepted

        assert web.post(RIDE).status == 200  # within the minute that it waits
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == 408
        assert json.loads(response.read())["reason"] == "request_timeout"
