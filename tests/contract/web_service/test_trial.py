"""A model that is loaded while requests are answered is tried in another process first."""

import pickle
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
from sklearn.pipeline import make_pipeline

from model_service.models.model_errors import ModelRefused
from web_service.trial import require_loadable


def in_a_thread(folder: Path, *, trusted: bool = False) -> None:
    with ThreadPoolExecutor(1) as follower:
        follower.submit(require_loadable, folder, trusted=trusted).result()


def test_model_that_can_be_loaded_passes(duration_model: dict[str, Any]) -> None:
    """What training made is loaded by the other process, too."""
    in_a_thread(Path(duration_model["model_location"]))


def test_model_that_unfolds_in_memory_is_refused(tmp_path: Path) -> None:
    """The other process limits its memory, and its one line is the reason."""
    miles = helper.make_tensor_value_info("trip_distance", TensorProto.DOUBLE, ["n"])
    answer = helper.make_tensor_value_info("answer", TensorProto.DOUBLE, ["n"])
    value = helper.make_tensor("weights", TensorProto.DOUBLE, [1], [1.0])
    place = helper.make_tensor("places", TensorProto.INT64, [1], [0])
    nodes = [helper.make_node("Identity", ["trip_distance"], ["answer"])]
    graph = helper.make_graph(nodes, "bomb", [miles], [answer])
    graph.sparse_initializer.append(helper.make_sparse_tensor(value, place, [10**8]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save_model(model, tmp_path / "model.onnx")
    flavors = {"onnx": {"data": "model.onnx"}}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))

    with pytest.raises(ModelRefused, match=f"^the model in {tmp_path} cannot be loaded: .*bad_all"):
        in_a_thread(tmp_path)


class KillsReader:
    """Kills the process that unpickles it."""

    def __reduce__(self) -> Any:
        return eval, ("__import__('os').kill(__import__('os').getpid(), 9)",)


def test_model_that_crashes_its_process_is_refused(tmp_path: Path) -> None:
    """A crash while a model is loaded ends the other process, and no request."""
    folder = tmp_path / "model"
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit([{"trip_distance": 1.0}], [4])
    mlflow.sklearn.save_model(model, folder, pip_requirements=[], serialization_format="pickle")
    (folder / "model.pkl").write_bytes(pickle.dumps(KillsReader()))

    with pytest.raises(ModelRefused, match="cannot be loaded: its process ended with -9"):
        in_a_thread(folder, trusted=True)


def test_main_thread_needs_no_trial(tmp_path: Path) -> None:
    """At startup a model is loaded once, because it cannot harm requests yet."""
    assert threading.current_thread() is threading.main_thread()

    require_loadable(tmp_path / "nowhere", trusted=False)
