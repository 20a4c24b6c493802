"""Models in ONNX: what training makes of a scikit-learn model, or anything logged as such."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_service.models.memory_limit import at_most, loading_bytes
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import inside
from model_service.records.features import FEATURES, MADE, Column, Features, text_of
from streams.errors import brief

if TYPE_CHECKING:
    import onnxruntime

# ONNX Runtime reads this when it is imported (its Privacy.md, "Disabling Telemetry"). Without it, a
# thread sends Microsoft what is loaded, under an ID that is kept in the user's home; and a process
# forked from one with that thread aborts at its end.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# What each type of input is made of. A number may be asked for in single precision.
_NUMPY_TYPES: Mapping[str, tuple[type, Any]] = {
    "tensor(string)": (str, np.object_),
    "tensor(double)": (float, np.float64),
    "tensor(float)": (float, np.float32),
}
# A classifier gives names or whole numbers.
_OUTPUT_TYPES = ("tensor(double)", "tensor(float)")


class OnnxModel:
    """A model that takes each feature as a tensor of its name, one value a ride."""

    def __init__(
        self,
        session: "onnxruntime.InferenceSession",
        inputs: Mapping[str, Callable[[Column], Any]],
    ) -> None:
        self._session = session
        self._inputs = inputs

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        tensors = {name: tensor(features[name]) for name, tensor in self._inputs.items()}
        (answer,) = self._session.run(None, tensors)
        values: list[float] = np.asarray(answer).ravel().tolist()
        return values


def load_onnx(folder: Path, flavor: Mapping[str, Any]) -> OnnxModel:
    """Load the ONNX flavour of a model.

    Raises:
        ModelRefused: It takes features that are not made here, gives more than one value, or
            classes.
    """
    # Late: a model of another flavour does not need it.
    import onnxruntime

    path = inside(folder, flavor.get("data"))
    with at_most(loading_bytes(folder)):
        session = onnxruntime.InferenceSession(path, _options(), providers=["CPUExecutionProvider"])
    inputs = {entry.name: _tensor(path, entry) for entry in session.get_inputs()}
    outputs = session.get_outputs()
    if len(outputs) != 1:
        names = brief(", ".join(output.name for output in outputs))
        raise ModelRefused(f"{path} gives {names}; it must give one output")
    if outputs[0].type not in _OUTPUT_TYPES:
        raise ModelRefused(
            f"{path} gives {brief(outputs[0].type)}; it must give {' or '.join(_OUTPUT_TYPES)}"
        )
    return OnnxModel(session, inputs)


def _options() -> "onnxruntime.SessionOptions":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A thread pool costs more than it gives on batches of a stream, and Lambda has few cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # What can be computed ahead was, when the model was made; a crafted model makes gigabytes so.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Its warnings are about graphs; what matters is raised.
    options.log_severity_level = 3
    return options


def _tensor(path: Path, entry: Any) -> Callable[[Column], Any]:
    """How a feature's column becomes the tensor that an input takes."""
    python_type, numpy_type = _NUMPY_TYPES.get(entry.type, (None, None))
    if python_type is None or FEATURES.get(entry.name) is not python_type:
        raise ModelRefused(f"{path} takes {brief(repr(entry.name))} as {entry.type}, which {MADE}")
    # As a column of one value a row, as some converters have it.
    shape = (-1,) if len(entry.shape) == 1 else (-1, 1)
    if python_type is str:
        return lambda column: np.array(list(map(text_of, column)), dtype=numpy_type).reshape(shape)
    return lambda column: np.asarray(column, dtype=numpy_type).reshape(shape)
