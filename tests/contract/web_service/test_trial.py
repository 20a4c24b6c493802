"""A model that is loaded while requests are answered is tried in another process first."""

import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import onnx
import pytest
import yaml
from onnx import TensorProto, helper
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline

from model_service.models.model_errors import ModelRefused
from tests.conftest import PROJECT
from web_service import trial
from web_service.trial import TrialInterrupted

BLOCK = "__import__('threading').Event().wait()"


def in_a_thread(
    folder: Path, *, trusted: bool = False, seconds: float = trial.TRIAL_SECONDS
) -> None:
    with ThreadPoolExecutor(1) as follower:
        follower.submit(trial.require_loadable, folder, trusted=trusted, seconds=seconds).result()


def test_model_that_can_be_loaded_passes(duration_model: dict[str, Any]) -> None:
    """What training made is loaded by the other process, too."""
    in_a_thread(Path(duration_model["model_location"]))


def onnx_model(folder: Path, weight: float, place: int) -> None:
    """Write a model of `place` + 1 weights, of which all but the last are zeros and not written."""
    miles = helper.make_tensor_value_info("trip_distance", TensorProto.DOUBLE, ["n"])
    answer = helper.make_tensor_value_info("answer", TensorProto.DOUBLE, ["n"])
    value = helper.make_tensor("weights", TensorProto.DOUBLE, [1], [weight])
    index = helper.make_tensor("places", TensorProto.INT64, [1], [place])
    nodes = [helper.make_node("Mul", ["trip_distance", "weights"], ["answer"])]
    graph = helper.make_graph(nodes, "model", [miles], [answer])
    graph.sparse_initializer.append(helper.make_sparse_tensor(value, index, [place + 1]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save_model(model, folder / "model.onnx")
    flavors = {"onnx": {"data": "model.onnx"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))


def test_model_that_unfolds_in_memory_is_refused(tmp_path: Path) -> None:
    """The other process limits its memory, and its one line is the reason."""
    onnx_model(tmp_path, 1.0, 10**8)

    with pytest.raises(ModelRefused, match=f"^the model in {tmp_path} cannot be loaded: .*bad_all"):
        in_a_thread(tmp_path)


class Runs:
    """Evaluates code in the process that unpickles it."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __reduce__(self) -> Any:
        return eval, (self._code,)


def linear_model() -> Pipeline:
    return make_pipeline(DictVectorizer(), LinearRegression()).fit([{"trip_distance": 1.0}], [4])


def pickled(folder: Path, model: Any) -> Path:
    """Write what MLflow does for a model, whose pickle may hold anything."""
    mlflow.sklearn.save_model(
        linear_model(), folder / "model", pip_requirements=[], serialization_format="pickle"
    )
    (folder / "model/model.pkl").write_bytes(pickle.dumps(model))
    return folder / "model"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sys.exit(1)", 1),
        ("os._exit(1)", 1),
        ("os._exit(0)", 0),
        ("print('predicted', end='', flush=True)", 0),
    ],
)
def test_model_that_ends_its_process_is_refused(tmp_path: Path, code: str, status: int) -> None:
    """A model passes only if the other process reports a prediction, at any exit status."""
    ends = f"[os := __import__('os'), sys := __import__('sys'), {code}, os._exit({status})]"

    with pytest.raises(ModelRefused, match=f"its process ended with {status} before it predicted"):
        in_a_thread(pickled(tmp_path, Runs(ends)), trusted=True)


def test_model_that_prints_is_not_mistaken_for_its_report(tmp_path: Path) -> None:
    """The report of the other process does not contain what a model prints."""
    model = f"__import__('pickle').loads({pickle.dumps(linear_model())!r})"

    in_a_thread(pickled(tmp_path, Runs(f"[print('refused: no'), {model}][1]")), trusted=True)


def test_model_that_predicts_no_number_is_refused(tmp_path: Path) -> None:
    """A model that is loaded and then fails on a ride does not reach the process that serves."""
    onnx_model(tmp_path, float("nan"), 0)

    with pytest.raises(ModelRefused, match=f"^the model in {tmp_path} predicts nan"):
        in_a_thread(tmp_path)


def test_model_whose_process_is_killed_may_be_tried_again(tmp_path: Path) -> None:
    """A killed process does not refuse its model: the system may have run out of memory."""
    kills = Runs("__import__('os').kill(__import__('os').getpid(), 9)")

    with pytest.raises(TrialInterrupted, match="signal 9 ended its process; it will be tried"):
        in_a_thread(pickled(tmp_path, kills), trusted=True)


def test_model_that_blocks_is_given_up(tmp_path: Path) -> None:
    """A model that never finishes loading does not keep the follower waiting."""
    blocks = pickled(tmp_path, Runs(BLOCK))

    with pytest.raises(TrialInterrupted, match="it did not predict a ride within 0.5 s"):
        in_a_thread(blocks, trusted=True, seconds=0.5)


def test_trial_of_a_model_that_blocks_ends_without_its_parent(tmp_path: Path) -> None:
    """The other process limits its own time, because the one that started it may be killed."""
    blocks = pickled(tmp_path, Runs(BLOCK))
    command = [sys.executable, "-m", "web_service.trial", str(blocks), "True", "0.5"]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (-signal.SIGALRM, b"")


def test_main_thread_needs_no_trial(tmp_path: Path) -> None:
    """At startup a model is loaded once, because it cannot harm requests yet."""
    assert threading.current_thread() is threading.main_thread()

    trial.require_loadable(tmp_path / "nowhere", trusted=False)
