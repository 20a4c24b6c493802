"""`make web` in a shell with settings of another model, and on a port that is taken."""

import json
import re
import socket
import urllib.request
from pathlib import Path

from tests.commands import finished
from tests.e2e.processes import started

RIDE = {"PULocationID": 10, "DOLocationID": 50, "trip_distance": 40}


def test_make_web_serves_its_sample_whatever_other_model_the_shell_describes(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """Digest, bucket and names of a user's own model do not apply to the sample, and it says so."""
    other = {
        "PORT": "0",
        "MODEL_SHA256": "0" * 64,
        "MODEL_BUCKET": "my-models",
        "MODEL_NAME": "mine",
        "MLFLOW_EXPERIMENT_ID": "7",
        "PREDICTION_FIELD": "mine",
    }
    with started(["make", "web"], checkout, {**shell_environ, **other}) as web:
        said = web.read_to("Booting worker")
        (url,) = re.findall(r"Listening at: (\S+)", said)
        request = urllib.request.Request(
            f"{url}/predict", json.dumps(RIDE).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)

    assert answer["duration"] > 0
    assert (
        "not used for the sample model: MODEL_BUCKET, MODEL_SHA256, MODEL_NAME, "
        "MLFLOW_EXPERIMENT_ID, PREDICTION_FIELD\n"
    ) in said


def test_make_web_on_a_port_that_is_taken_is_refused_before_it_trains(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """One line names the port and says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finished(["make", "web", f"PORT={port}"], cwd=checkout, env=shell_environ)

    assert done.returncode != 0
    assert re.fullmatch(
        f"web_service: error: cannot listen at PORT={port} of BIND_ADDRESS=127.0.0.1: .*; "
        r"choose another port, as in 'make web PORT=9697', or address\nmake: .*\n",
        done.stderr,
    )
