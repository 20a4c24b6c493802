"""What the service says of itself, and how it starts, logs and stops."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.commands import finished
from tests.conftest import PROJECT
from tests.polling import until
from tests.web import RIDE, Web, serving, start


def test_health_and_ready_answer_when_the_model_predicts(
    web: Web, duration_model: dict[str, Any]
) -> None:
    """The process is up, and a model is ready to predict."""
    assert web.get("/health").json == {"status": "up"}
    assert web.get("/ready").json == {"status": "ready", "model_version": duration_model["run_id"]}


def test_version_names_the_model_and_its_source(web: Web, duration_model: dict[str, Any]) -> None:
    """Who is on call sees which model answers, where it came from, and that nothing failed."""
    version = web.get("/version").json

    assert version.pop("loaded_at").startswith("20")
    assert version == {
        "model": "ride_duration_prediction_model",
        "model_version": duration_model["run_id"],
        "source": duration_model["model_location"],
        "registered_version": None,
        "failure": None,
    }


def test_answers_forbid_what_the_page_does_not_need(web: Web) -> None:
    """The page may load what the service has, and nothing from elsewhere."""
    policy = web.get("/").headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert web.post(RIDE).headers["X-Content-Type-Options"] == "nosniff"


def test_access_log_is_json_without_the_ride(web: Web) -> None:
    """Each request is a line of JSON that says how it went, and nothing of what it asked."""
    web.get("/version?secret=1")
    web.post({**RIDE, "PULocationID": 131313})

    def lines() -> list[str]:
        return [line for line in web.log.read_text().splitlines() if line.startswith("{")]

    until(lambda: any('"/predict"' in line for line in lines()))
    assert all(
        {"time", "method", "path", "status", "milliseconds", "bytes"} <= json.loads(line).keys()
        for line in lines()
    )
    assert "131313" not in web.log.read_text()
    assert "secret" not in web.log.read_text()


def test_stop_answers_what_was_asked(duration_model: dict[str, Any], tmp_path: Path) -> None:
    """A request that is under way when the service is told to stop is answered, and it stops."""
    with serving(tmp_path, MODEL_LOCATION=duration_model["model_location"]) as web:
        connection = web.connect()
        body = json.dumps(RIDE).encode()
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        # What was accepted after the first part is there: a worker has it.
        assert web.get("/health").status == 200
        web.process.terminate()
        until(lambda: "Handling signal: term" in web.log.read_text())
        connection.send(body[10:])
        response = connection.getresponse()

        assert response.status == 200
        assert json.loads(response.read()).keys() == {"duration", "model_version"}
        connection.close()
        assert web.process.wait(60) == 0
    assert "SIG" not in web.log.read_text()  # no process of it was killed, or crashed


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "RUN_ID is not set; set it to the MLflow run whose model is to be served"),
        ({"MODEL_LOCATION": "/nowhere"}, "there is no file /nowhere/MLmodel"),
        ({"PORT": "x"}, "PORT='x' is not allowed; it must be a whole number from 0 to 65535"),
        ({"MODEL_URI": "models:/x@y"}, "MLFLOW_TRACKING_URI='' is not allowed with MODEL_URI"),
        ({"MODEL_URI": "models:/x@y", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}, "be read"),
    ],
)  # fmt: skip
def test_start_with_a_wrong_setting_ends_with_one_line(
    variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    """What is missing or wrong is named in one line, and nothing listens."""
    log = tmp_path / "log"
    variables = {"MLFLOW_TRACKING_URI": "", **variables}

    status = start(log, **variables).wait(60)

    assert status != 0
    (line,) = [line for line in log.read_text().splitlines() if "web_service: error:" in line]
    assert said in line
    assert "Traceback" not in log.read_text()


def test_serving_process_never_imports_mlflow(duration_model: dict[str, Any]) -> None:
    """MLflow would take seconds and 200 MiB in each process."""
    script = "import sys; from web_service import wsgi; print('mlflow' in sys.modules)"
    done = finished(
        [str(PROJECT / ".venv/bin/python"), "-c", script],
        env={"MODEL_LOCATION": duration_model["model_location"]},
        check=True,
    )

    assert done.stdout == "False\n"


def test_requests_at_once_are_each_answered(web: Web) -> None:
    """Threads of one process do not mix their rides up."""
    expected = {miles: web.post({**RIDE, "trip_distance": miles}).json for miles in range(20)}
    wrong: list[int] = []

    def ask(miles: int) -> None:
        answers = [web.post({**RIDE, "trip_distance": miles}).json for _ in range(10)]
        wrong.extend(miles for answer in answers if answer != expected[miles])

    threads = [threading.Thread(target=ask, args=(miles,)) for miles in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
