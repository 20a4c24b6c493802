"""The make targets, from the command line to their output."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands import finished
from tests.e2e.processes import started

FIELDS = {"ride_duration", "ride_tip"}


def make(checkout: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return finished(["make", *words], cwd=checkout, env=environ)


def test_make_run_accounts_for_every_ride_and_is_repeatable(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """Each prediction of a good ride is printed once, and twice with the same value."""
    runs: list[dict[tuple[str, int], float]] = []
    for _ in range(2):
        done = make(checkout, shell_environ, "run", "RIDES=250")
        assert done.returncode == 0, done.stderr
        events: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        assert all(
            event.keys() == {"model", "version", "prediction", "event_id"} for event in events
        )
        assert "sent            250 rides, 2 of them deliberately bad" in done.stderr
        assert "unaccounted       0" in done.stderr
        assert len(events) == 2 * 248
        values = [event["prediction"] for event in events]
        runs.append(
            {(field, v["ride_id"]): v[field] for v in values for field in v.keys() & FIELDS}
        )

    assert runs[0] == runs[1]
    rides = set(range(1, 251)) - {100, 200}
    assert runs[0].keys() == {(field, ride_id) for field in FIELDS for ride_id in rides}


@pytest.mark.parametrize("rides", ["0", "-5", "many", ""])
def test_make_run_wrong_number_of_rides_is_refused(
    checkout: Path, shell_environ: dict[str, str], rides: str
) -> None:
    """A number of rides that is none is refused by name, before anything starts."""
    done = make(checkout, shell_environ, "run", f"RIDES={rides}")

    assert done.returncode != 0
    assert f"RIDES={rides!r} is not a whole number above 0" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("moment", ["training", "trained", "sending"])
def test_make_run_interrupted_stops_without_a_traceback(
    checkout: Path, shell_environ: dict[str, str], moment: str
) -> None:
    """Ctrl-C ends the run at any moment, and says no more than that."""
    command = [".venv/bin/python", "-m", "local.run", "--rides", "30000"]
    with started(command, checkout, shell_environ) as run:
        run.read_to(moment)
        said = run.stop(signal.SIGINT)

    assert run.status == 130
    assert said.splitlines()[-1] == "stopped"
    assert "Traceback" not in said


def test_make_run_whose_reader_leaves_says_so(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """A pipe that is closed early ends the run without a traceback."""
    done = finished(["bash", "-c", "make run RIDES=500 | head -1"], cwd=checkout, env=shell_environ)

    assert json.loads(done.stdout)["prediction"]["ride_id"] == 1
    assert "stopped: nobody reads the predictions any more" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["0", "70000", "-1", "xyz"])
def test_make_up_wrong_port_is_refused(
    checkout: Path, shell_environ: dict[str, str], port: str
) -> None:
    """A port that is none is refused by name."""
    done = make(checkout, shell_environ, "up", f"PORT={port}")

    assert done.returncode != 0
    assert f"PORT={port!r} is not a port number from 1 to 65535" in done.stderr


def test_make_run_is_deaf_to_the_users_own_settings(
    checkout: Path, shell_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither a user's own function nor their AWS account and proxy reach the local stack."""
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text("[default]\nignore_configured_endpoint_urls = true\n")
    environ = {
        "HOME": str(home),
        "TEST_RUN": "yes",
        "RUN_ID": "mine",
        "MODEL_BUCKET": "my-models",
        "MODEL_LOCATION": "/nowhere",
        "MODEL_NAME": "mine",
        "MODEL_SHA256": "0" * 64,
        "MODEL_URI": "models:/mine@production",
        "MLFLOW_EXPERIMENT_ID": "7",
        "PREDICTION_FIELD": "mine",
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL_KINESIS": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "token",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/nowhere",
        "http_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }

    done = make(checkout, shell_environ | environ, "run", "RIDES=3")

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6  # of two predictors


def test_make_soak_runs_as_many_rides_as_it_is_told(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """A short soak of a seed is the same thing, with a progress line and a report of that many."""
    done = make(checkout, shell_environ, "soak", "RIDES=600", "SEED=5")

    assert done.returncode == 0, done.stderr
    assert done.stderr == "600 rides, 0 wrong\n"
    report = json.loads((checkout / ".local/soak.json").read_text())
    assert (report["seed"], report["rides"] + report["bad"]) == (5, 600)


@pytest.mark.parametrize(
    ("option", "least"),
    [
        *(("RIDES=" + rides, 1) for rides in ("abc", "-5", "0", "1.5", "")),
        *(("SEED=" + seed, 0) for seed in ("abc", "-1")),
    ],
)
def test_make_soak_wrong_number_is_refused(
    checkout: Path, shell_environ: dict[str, str], option: str, least: int
) -> None:
    """A number of rides or a seed that is none is refused by name, with what is allowed."""
    done = make(checkout, shell_environ, "soak", option)

    name, _, value = option.partition("=")
    assert done.returncode != 0
    assert f"{name}={value!r} is not allowed; it must be a whole number from {least}" in done.stderr
    assert not (checkout / ".local/soak.json").exists()


def test_make_soak_has_defaults_of_its_own(checkout: Path, shell_environ: dict[str, str]) -> None:
    """The 1,000 rides of `make run` and the seed of `make fuzz` are not passed on."""
    shown = make(checkout, shell_environ, "--dry-run", "soak").stdout

    assert "tests.faults.soak" in shown
    assert not {"--rides", "--seed"} & set(re.split(r"[\s=]", shown))


def test_make_integration_test_wrong_cloud_is_refused_before_anything_is_set_up(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """A new clone does not wait for its environments to be told of a slip."""
    for name in (".venv", ".tools"):
        (checkout / name).unlink()

    done = make(checkout, shell_environ, "integration-test", "CLOUD=foo")

    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "CLOUD='foo' is not allowed; it must be one of host, compose and aws"
    )
    assert not (checkout / ".venv").exists()


def test_make_bench_quick_writes_tables_and_plots(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """Every model, way and size has its row; no measured time makes the command fail."""
    done = make(checkout, shell_environ, "bench-quick", "ARGS=--output out")

    assert done.returncode == 0, done.stderr
    page = (checkout / "out/tables.md").read_text()
    assert re.findall(r"^## (.+)", page, re.MULTILINE) == [
        "Targets",
        "Linear model, puts: none",
        "Forest model, puts: none",
        "Boosting model, puts: none",
        "Linear model, puts: instant stub",
        "Linear model, puts: stub of 15 ms",
        "Cold start and memory",
        "Installed size",
    ]
    assert len(re.findall(r"^\| 1,000 \|", page, re.MULTILINE)) == 2 * 5
    assert re.findall(r"^\| (boto3 and two clients|product|reference) \|", page, re.MULTILINE) == [
        "boto3 and two clients", "product", "reference"
    ]  # fmt: skip
    assert "largest difference of a twin from scikit-learn, minutes | ≤ 0.0001 |" in page
    assert len(list((checkout / "out").glob("*.png"))) == 7


def test_make_capacity_takes_a_rate_and_options(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`RATE` is shown in full, and `ARGS` changes it; alone, the target prints a table of rates."""
    rate = make(checkout, shell_environ, "capacity", "RATE=5000", "ARGS=--mode on-demand --fill 1")
    table = make(checkout, shell_environ, "capacity")
    wrong = make(checkout, shell_environ, "capacity", "RATE=many")

    assert re.search(r"^input shards +10$", rate.stdout, re.MULTILINE)
    assert table.stdout.startswith("  RIDES/S ")
    assert "--rides-per-second: 'many' is not allowed" in wrong.stderr


def test_make_help_lists_every_target(checkout: Path, shell_environ: dict[str, str]) -> None:
    """`make help`, and make alone, say what there is."""
    listed = make(checkout, shell_environ, "help").stdout

    targets = re.findall(r"^([a-z-]+):.*## ", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert [line.split()[1] for line in listed.splitlines()] == targets
    assert make(checkout, shell_environ).stdout == listed


def other_commands(folder: Path, **scripts: str) -> str:
    """A PATH on which some commands are shell scripts."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_make_help_needs_no_gnu_sed(
    checkout: Path, shell_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The list is the same on macOS, whose sed prints a `t` for a tab in a replacement."""
    listed = make(checkout, shell_environ, "help").stdout
    bsd_sed = rf"""
for word; do
    shift
    set -- "$@" "$(printf '%s\n' "$word" | awk '{{gsub(/\\t/, "t"); print}}')"
done
exec {shutil.which("sed")} "$@"
"""
    path = other_commands(tmp_path_factory.mktemp("bsd") / "bin", sed=bsd_sed)

    assert make(checkout, {**shell_environ, "PATH": path}, "help").stdout == listed
    assert listed.startswith("  make help               list the targets\n")


@pytest.mark.parametrize(
    "words", [["fuzz"], ["test"], ["bench-quick"], ["integration-test", "CLOUD=host"]]
)
def test_make_says_in_one_line_what_needs_linux(
    checkout: Path,
    shell_environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    words: list[str],
) -> None:
    """On another system such a target sets up nothing, and the others still work."""
    path = other_commands(tmp_path_factory.mktemp("mac") / "bin", uname="echo Darwin")
    environ = {**shell_environ, "PATH": path}

    refused = make(checkout, environ, *words)
    others = make(checkout, environ, "--dry-run", "run", "up", "web", "unit")

    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"make {words[0]} needs Linux, as in a container" in refused.stderr
    assert others.returncode == 0


def test_make_python_prints_the_interpreter_alone(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """`make -s python` is for scripts: the interpreter's path, and nothing else."""
    done = make(checkout, shell_environ, "-s", "python")

    assert done.stdout == f"{checkout}/.venv/bin/python\n"
