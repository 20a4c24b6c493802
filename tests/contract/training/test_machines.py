"""The same rides give the same model on every processor and with any number of threads."""

import json
import os
import sys
from typing import Any

import numpy as np
import pytest

from tests.commands import finished
from training.examples import Target
from training.kinds import Kind

# An old processor: numpy, OpenBLAS and glibc leave out every instruction that came after SSE, and
# with it fused multiply-add, so that sums and logarithms differ in their last bit.
SIMD = np.show_config(mode="dicts")["SIMD Extensions"]
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(SIMD.get("found", ())),
    "OPENBLAS_CORETYPE": "Prescott",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4",
}
# On a busy machine, threads that wait for others would keep these from running.
THREADS = {"GOMP_SPINCOUNT": "0"}

MACHINES = {
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "three threads": {**THREADS, "OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"},
    "old processor": {**OLD_PROCESSOR, **THREADS},
}


def train(variables: dict[str, str]) -> dict[str, Any]:
    done = finished(
        [sys.executable, "-m", "tests.contract.training.train_every_kind"],
        env={**os.environ, **variables},
        check=True,
    )
    trained: dict[str, Any] = json.loads(done.stdout)
    return trained


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """Rides and predictions of this machine as it is."""
    return train(THREADS)


@pytest.fixture(scope="module", params=MACHINES)
def there(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Rides and predictions of a machine that is simulated."""
    return train(MACHINES[request.param])


def test_synthetic_rides_are_the_same_on_every_machine(
    here: dict[str, Any], there: dict[str, Any]
) -> None:
    """A seed makes the same rides on every processor, to the last bit."""
    assert there["rides"] == here["rides"]


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("kind", Kind)
def test_training_predicts_the_same_on_every_machine(
    here: dict[str, Any], there: dict[str, Any], kind: Kind, target: Target
) -> None:
    """Models of the same rides predict the same to 1e-6, however each machine rounds its sums."""
    expected = here["predictions"][f"{kind} {target}"]

    assert there["predictions"][f"{kind} {target}"] == pytest.approx(expected, rel=1e-6, abs=0)
