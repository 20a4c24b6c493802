"""`make image`, as far as it goes without a container engine: its user, and which engine builds."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import finished
from tests.conftest import PROJECT

NEEDED = ("sh", "env", "dirname", "sed", "make", "touch", "echo")


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PATH of its own, with the programs that a shell script needs and no engine."""
    folder = tmp_path_factory.mktemp("bin")
    for name in NEEDED:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return folder


def engine(programs: Path, name: str, *, answers: bool = True) -> None:
    """Put an engine into that PATH, which says with what words it was called."""
    path = programs / name
    path.write_text(f'#!/bin/sh\n{"" if answers else "exit 1"}\necho "{name} $*"\n')
    path.chmod(0o755)


def image(checkout: Path, programs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return finished(["scripts/image"], cwd=checkout, env={"PATH": os.fspath(programs), **variables})


def test_images_run_as_an_ordinary_user_unless_told() -> None:
    """Neither the function's image, which is the last stage, nor the web service's runs as root."""
    stages = re.split(r"^FROM ", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE)
    (web,) = [stage for stage in stages if re.match(r"\S+ AS web\n", stage)]

    for stage in (web, stages[-1]):
        assert re.findall(r"^USER (\d+):(\d+)$", stage, re.MULTILINE) == [("65534", "65534")]
    assert 'CMD ["lambda_function.lambda_handler"]' in stages[-1]


def test_web_image_is_a_target_of_its_own(checkout: Path, programs: Path) -> None:
    """`make web-image` builds that target, on the base that is given."""
    engine(programs, "docker")

    done = finished(
        ["make", "web-image"],
        cwd=checkout,
        env={"PATH": os.fspath(programs), "WEB_BASE_IMAGE": "base:1"},
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "docker build --target web --build-arg WEB_BASE_IMAGE=base:1 "
        "--tag ride-predictions-web:latest ."
    )


def test_image_without_an_engine_says_what_is_missing(checkout: Path, programs: Path) -> None:
    """Without docker, podman and buildah, one line says so and how to get one."""
    done = image(checkout, programs)

    assert done.returncode == 1
    assert done.stderr == (
        "no container engine answers: start docker, or install podman or buildah\n"
    )


@pytest.mark.parametrize(
    ("engines", "command"),
    [
        (["docker", "podman", "buildah"], "docker build"),
        (["podman", "buildah"], "podman build"),
        (["buildah"], "buildah build --layers"),
    ],
)
def test_image_is_built_with_the_engine_that_is_there(
    checkout: Path, programs: Path, engines: list[str], command: str
) -> None:
    """Docker comes first, then podman, then buildah; base, name and flags are handed on."""
    for name in engines:
        engine(programs, name)

    done = image(checkout, programs, BASE_IMAGE="base:1", IMAGE="mine:2", IMAGE_FLAGS="--a --b")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        f"{command} --build-arg BASE_IMAGE=base:1 --a --b --tag mine:2 ."
    )


def test_image_of_batch_scoring_is_a_target_of_its_own(checkout: Path, programs: Path) -> None:
    """TARGET=batch builds the stage that has Parquet; without it, the stream's comes last."""
    engine(programs, "podman")

    done = image(checkout, programs, TARGET="batch", IMAGE="batch:1")

    assert done.stdout == "podman build --target batch --tag batch:1 .\n"
    stages = re.findall(r"^FROM .*", (checkout / "Dockerfile").read_text(), re.MULTILINE)
    assert "FROM ${BASE_IMAGE} AS batch" in stages[:-1]


def test_image_docker_client_without_its_engine_is_passed_over(
    checkout: Path, programs: Path
) -> None:
    """A docker client whose engine does not answer is as good as none."""
    engine(programs, "docker", answers=False)
    engine(programs, "podman")

    done = image(checkout, programs)

    assert done.stdout == "podman build --tag ride-predictions:latest .\n"
