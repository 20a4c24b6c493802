"""Loading models in ONNX, made here or by anybody else."""

import os
import resource
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from model_service.models.model_errors import ModelRefused
from model_service.models.onnx_models import OnnxModel
from model_service.models.predictors import load_predictor
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from tests.commands import finished

FEATURES = ride_features([Ride(1, 2, 3.0), Ride(4, 5, 0.0)])


def save(
    folder: Path,
    *,
    inputs: dict[str, int] | None = None,
    shape: tuple[Any, ...] = ("n",),
    outputs: int = 1,
    gives: int | None = None,
) -> Path:
    """A model that gives its last input, `outputs` times, as it is or as another type."""
    inputs = {"trip_distance": TensorProto.DOUBLE} if inputs is None else inputs
    (*_, (last, kind)) = inputs.items()
    gives = gives or kind
    names = [f"output_{place}" for place in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node("Cast", [last], [name], to=gives) for name in names],
        "test",
        [helper.make_tensor_value_info(name, type_, shape) for name, type_ in inputs.items()],
        [helper.make_tensor_value_info(name, gives, shape) for name in names],
    )
    opsets = [helper.make_opsetid("", 18)]
    onnx.save_model(
        helper.make_model(graph, opset_imports=opsets, ir_version=10), folder / "model.onnx"
    )
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"onnx": {"data": "model.onnx"}}}))
    return folder


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.FLOAT])
@pytest.mark.parametrize("shape", [("n",), ("n", 1), (None, 1)])
def test_load_model_takes_numbers_of_either_precision_flat_or_as_a_column(
    kind: int, shape: tuple[Any, ...], tmp_path: Path
) -> None:
    """A model that another converter made is served, if it takes features by name."""
    folder = save(tmp_path, inputs={"trip_distance": kind}, shape=shape)

    assert load_predictor(folder, trusted=False).predict(FEATURES) == [3.0, 0.0]


def test_load_prefers_onnx_to_other_flavours(tmp_path: Path) -> None:
    """Where a model has a twin in ONNX, the twin is served, and nothing else is loaded."""
    folder = save(tmp_path)
    flavors = {"onnx": {"data": "model.onnx"}, "sklearn": {"pickled_model": "missing"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))

    assert isinstance(load_predictor(folder, trusted=False), OnnxModel)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"hour": TensorProto.DOUBLE}, r"takes 'hour' as tensor\(double\), which .* makes PU_DO"),
        ({"PU": TensorProto.DOUBLE}, r"takes 'PU' as tensor\(double\)"),
        ({"trip_distance": TensorProto.STRING}, r"takes 'trip_distance' as tensor\(string\)"),
        ({"trip_distance": TensorProto.INT64}, r"takes 'trip_distance' as tensor\(int64\)"),
    ],
)
def test_load_model_of_other_inputs_is_refused_by_name(
    inputs: dict[str, int], message: str, tmp_path: Path
) -> None:
    """An input that is no feature, or of another type than the feature, is named."""
    with pytest.raises(ModelRefused, match=message):
        load_predictor(save(tmp_path, inputs=inputs), trusted=True)


def test_load_model_whose_sparse_weights_unfold_in_memory_is_refused(tmp_path: Path) -> None:
    """A hundred bytes that stand for a gigabyte are not unfolded, and the limit is gone then."""
    folder = save(tmp_path)
    model = onnx.load(folder / "model.onnx")
    value = helper.make_tensor("weights", TensorProto.DOUBLE, [1], [1.0])
    place = helper.make_tensor("places", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(value, place, [10**8]))
    (folder / "bomb.onnx").write_bytes(model.SerializeToString())
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"onnx": {"data": "bomb.onnx"}}}))
    before = resource.getrlimit(resource.RLIMIT_AS)

    with pytest.raises(ModelRefused, match="cannot be loaded: .*bad_alloc"):
        load_predictor(folder, trusted=True)

    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_load_model_of_two_outputs_is_refused(tmp_path: Path) -> None:
    """Which of several outputs is the prediction is not guessed."""
    with pytest.raises(ModelRefused, match="gives output_0, output_1; it must give one output"):
        load_predictor(save(tmp_path, outputs=2), trusted=True)


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.INT64, TensorProto.BOOL])
def test_load_model_of_classes_is_refused(kind: int, tmp_path: Path) -> None:
    """What a classifier gives, names or numbers of classes, is not served as minutes."""
    with pytest.raises(ModelRefused, match=r"gives tensor.*; it must give tensor\(double\) or"):
        load_predictor(save(tmp_path, gives=kind), trusted=True)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x0a"])
def test_load_damaged_onnx_file_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    """A file that is no model is an error with its folder."""
    folder = save(tmp_path)
    (folder / "model.onnx").write_bytes(content)

    with pytest.raises(ModelRefused, match=r"the model in .* cannot be loaded: ") as caught:
        load_predictor(folder, trusted=True)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", ["../outside.onnx", "/etc/passwd", None, "missing.onnx"])
def test_load_onnx_file_outside_of_the_folder_is_refused(data: Any, tmp_path: Path) -> None:
    """An MLmodel that points out of its folder is refused."""
    folder = save(tmp_path)
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"onnx": {"data": data}}}))

    with pytest.raises(ModelRefused, match="not a file of its folder"):
        load_predictor(folder, trusted=True)


def test_load_onnx_weights_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A model whose weights are to be read from elsewhere is refused."""
    (tmp_path / "secret").write_bytes(b"12345678")
    folder = tmp_path / "model"
    folder.mkdir()
    model = onnx.load_model(save(folder) / "model.onnx")
    weights = TensorProto(name="w", dims=[1], data_type=TensorProto.DOUBLE)
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../secret")
    model.graph.initializer.append(weights)
    model.graph.node[0].input[0] = "w"
    (folder / "model.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(ModelRefused, match="cannot be loaded"):
        load_predictor(folder, trusted=True)


@pytest.mark.parametrize("has_home", [True, False])
def test_onnx_runtime_reports_to_nobody(has_home: bool, tmp_path: Path) -> None:
    """It has no thread of its own, keeps nothing in a user's home, and does not miss one."""
    home, model = tmp_path / "home", tmp_path / "model"
    home.mkdir()
    model.mkdir()
    script = (
        "import os, sys; from pathlib import Path; "
        "from model_service.models.predictors import load_predictor; "
        "load_predictor(Path(sys.argv[1]), trusted=False); "
        "print(len(os.listdir('/proc/self/task')))"
    )

    done = finished(
        [sys.executable, "-c", script, str(save(model))],
        env={"HOME": str(home) if has_home else os.devnull, "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )

    assert (done.stdout, done.stderr) == ("1\n", "")
    assert list(home.iterdir()) == []
