"""Every command of the README, run as it is written, and what docs/reference.md says."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import finished
from tests.conftest import PROJECT
from tests.e2e.processes import Running, started
from tests.polling import until
from tests.trip_files import write_trips

README = (PROJECT / "README.md").read_text()
REFERENCE = (PROJECT / "docs/reference.md").read_text()
DECISIONS = (PROJECT / "docs/decisions.md").read_text()
BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
# The pages cut predictions off after two decimals, and the decision function rounds to two.
SHOWN_TO = 0.01


def block(marker: str) -> str:
    """The one block that holds a text."""
    (found,) = [text for text in BLOCKS if marker in text]
    return found


def run(script: str, checkout: Path, environ: dict[str, str]) -> str:
    done = finished(["bash", "-euo", "pipefail", "-c", script], cwd=checkout, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def up(checkout: Path, environ: dict[str, str]) -> Iterator[Running]:
    """`make up`, until the end of the block."""
    with started(["bash", "-c", block("make up")], checkout, environ) as running:
        until(lambda: (checkout / ".local/env").exists() or running.status is not None, 120)
        assert running.status is None, running.next_line()
        yield running


@pytest.mark.parametrize("script", [text for text in BLOCKS if ".local/env" in text])
def test_readme_commands_for_the_local_stack_do_nothing_without_it(
    script: str, tmp_path: Path
) -> None:
    """Where `make up` does not run, no line of theirs reaches a real account."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("aws", "make", "pipenv"):
        (commands / name).write_text(f"#!/bin/sh\necho {name} >>'{tmp_path}/called'\n")
        (commands / name).chmod(0o755)
    environ = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, check=False
    )

    assert done.returncode != 0
    assert not (tmp_path / "called").exists()


def test_readme_first_commands_are_the_two_that_matter() -> None:
    """The first block is `make run` and `make test`; CI runs the latter, a test the former."""
    commands = [line.split("#")[0].strip() for line in BLOCKS[0].splitlines()]

    assert commands == ["make run", "make test"]


def test_readme_make_run_prints_what_the_readme_shows(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`make run` prints predictions such as the README's, and ends with the account there."""
    done = finished(["make", "run"], cwd=checkout, env=shell_environ, check=True)

    (account,) = re.findall(r"```text\n(sent .*?)```", README, re.DOTALL)
    assert account in done.stderr
    (shown,) = re.findall(r'"prediction":{"ride_duration":([\d.]+)…,"ride_id":1},', README)
    predictions = [json.loads(line)["prediction"] for line in done.stdout.splitlines()]
    (printed,) = [each for each in predictions if each["ride_id"] == 1 and "ride_duration" in each]
    assert printed["ride_duration"] == pytest.approx(float(shown), abs=SHOWN_TO)
    assert len(predictions) == 2 * 990


def test_readme_make_decide_prints_a_decision_on_each_ride(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`make decide` prints one decision on each good ride, such as the README and the page show."""
    lines = run(block("make decide"), checkout, shell_environ).splitlines()

    (shown,) = re.findall(r'^(\{"policy":.*\})$', README, re.MULTILINE)
    (in_full,) = re.findall(r'^(\{"policy".*?\})\n```', DECISIONS, re.MULTILINE | re.DOTALL)
    events = {json.loads(line)["decision"]["ride_id"]: json.loads(line) for line in lines}
    example, example_in_full = json.loads(shown.replace("{…}", "{}")), json.loads(in_full)
    assert all(event.keys() == example.keys() for event in events.values())
    assert len(lines) == len(events)
    assert sorted(events) == [n for n in range(1, 1001) if n % 100]
    assert events[998]["decision"] == pytest.approx(example["decision"], abs=SHOWN_TO)
    assert example["decision"] == example_in_full["decision"]
    for name, prediction in example_in_full["predictions"].items():
        value = events[998]["predictions"][name]["value"]
        assert value == pytest.approx(prediction["value"], abs=SHOWN_TO)


def test_readme_put_and_read_lines_work_as_written(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """Against `make up`: a ride is put and its prediction read, a bad one is set aside."""
    with up(checkout, shell_environ) as stack:
        run(block("examples/ride.json"), checkout, shell_environ)
        printed: list[str] = []

        def read() -> bool:
            printed[:] = run(block("get-records"), checkout, shell_environ).split("\n")
            return bool(printed[0])

        until(read, 60)
        until(lambda: read() and len([line for line in printed if line]) == 2, 60)
        events = {event["model"]: event for event in map(json.loads, filter(None, printed))}
        assert events.keys() == {"ride_duration_prediction_model", "ride_tip_prediction_model"}
        assert all(event["prediction"]["ride_id"] == 256 for event in events.values())

        listing = run(block("examples/bad-ride.json"), checkout, shell_environ)
        assert "rejected/ride_duration_prediction_model/" in listing

        failed = run(block("make redrive"), checkout, shell_environ)
        assert "invalid_event" in failed

        again = finished(["make", "up"], cwd=checkout, env=shell_environ)
        assert "this checkout's stack is up already" in again.stderr
        assert (checkout / ".local/env").exists()

        trained = run(block("MODEL_BUCKET=my-models"), checkout, shell_environ)
        result = json.loads(trained.splitlines()[-1])
        assert result["model_location"].startswith("s3://my-models/1/")

        event = json.loads(run(block("lambda_handler"), checkout, shell_environ).splitlines()[-1])
        assert event["predictions"][0]["version"] == "Test123"
        assert event["predictions"][0]["prediction"]["ride_id"] == 256

        said = stack.stop(signal.SIGINT)
        assert "stopped" in said
        assert "Traceback" not in said
    assert not (checkout / ".local/env").exists()


def test_readme_web_lines_work_as_written(checkout: Path, shell_environ: dict[str, str]) -> None:
    """`make web` serves until Ctrl-C: the curl line is answered, the example's checks hold."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environ = {**shell_environ, "PORT": port}
    command = ["bash", "-c", f"exec {block('make web').strip()}"]
    with started(command, checkout, environ) as web:
        web.read_to("Booting worker")
        url = f"http://127.0.0.1:{port}"
        asked = block("/predict").replace("http://127.0.0.1:9696", url)
        answer = json.loads(run(asked, checkout, environ))
        (shown,) = re.findall(r'^\{"duration": ([\d.]+)…, "model_version": "\w+…"\}$', README, re.M)
        assert answer.keys() == {"duration", "model_version"}
        assert answer["duration"] == pytest.approx(float(shown), abs=SHOWN_TO)
        assert (
            len(run(f"python examples/test_predict.py {url}", checkout, environ).split("\n")) == 5
        )
        said = web.stop(signal.SIGINT)
    assert "stopped" in said
    assert "Traceback" not in said


def test_readme_training_line_ends_with_the_line_it_shows(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`pipenv run train` on trip files ends with one JSON line of the documented keys."""
    for month in (1, 2):
        write_trips(checkout / "data", f"green_tripdata_2021-0{month}.parquet", 500, seed=month)

    lines = run(block("if you have none"), checkout, shell_environ).splitlines()

    (shown,) = re.findall(r'^\{"run_id".*\}$', README, re.MULTILINE)
    assert len(lines) == 1
    assert json.loads(lines[0]).keys() == json.loads(shown).keys()


def test_readme_score_line_scores_the_months_it_names(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`make score` on a folder of trip files ends with the errors of each month."""
    for month in (1, 2):
        write_trips(checkout / "data", f"green_tripdata_2021-0{month}.parquet", 500, seed=month)

    said = run(block("make score"), checkout, shell_environ)

    assert re.search(
        r"^green_tripdata_2021-01\.parquet +500 +4\d\d +\d\d +[34]\d\d ", said, re.MULTILINE
    )
    assert (checkout / "scored/taxi_type=green/year=2021/month=1").is_dir()


def test_reference_digest_line_prints_the_digest(duration_model: dict[str, str]) -> None:
    """The shell line for a model's digest prints what training said."""
    (line,) = re.findall(r"`(find \. .*? \| sha256sum)`", REFERENCE)

    printed = run(line, Path(duration_model["model_location"]), dict(os.environ))

    assert printed.split()[0] == duration_model["model_sha256"]


def test_readme_third_predictor_takes_one_command(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """The command writes the template's lines, and says which parameter the run ID is for."""
    said = run(block("make predictor"), checkout, shell_environ)

    assert "deploy it with SurgeRunId=" in said
    assert "  SurgeFunction:\n" in (checkout / "template.yaml").read_text()


@pytest.mark.parametrize("target", re.findall(r"`make ([\w-]+)", README))
def test_readme_targets_exist(target: str) -> None:
    """Every make target that the README names is in the Makefile."""
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)
