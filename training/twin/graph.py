"""A graph of ONNX operators in the making."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model_service.records.features import FEATURES

# "ONNX versioning": what ONNX Runtime has read since 1.20, and reads for good.
_OPSETS = {"": 18, "ai.onnx.ml": 5}
_IR_VERSION = 10

_OUTPUT = "prediction"
_TYPES = {str: TensorProto.STRING, float: TensorProto.DOUBLE}


class Graph:
    """Nodes, and the features they begin with: a tensor of one value a ride each."""

    def __init__(self) -> None:
        self._inputs: dict[str, Any] = {}
        self._constants: list[Any] = []
        self._nodes: list[Any] = []

    def feature(self, name: str) -> str:
        """The tensor of a feature: text, or numbers in double precision."""
        kind = _TYPES[FEATURES[name]]
        self._inputs[name] = helper.make_tensor_value_info(name, kind, ["rides"])
        return name

    def lookup(self, feature: str, values: Mapping[str, float], default: float) -> str:
        """A number for each text of a feature, and one for all others."""
        return self.node(
            "LabelEncoder",
            self.feature(feature),
            domain="ai.onnx.ml",
            keys_tensor=numpy_helper.from_array(np.array(list(values), dtype=object)),
            values_tensor=numpy_helper.from_array(np.array(list(values.values()), dtype=float)),
            default_tensor=numpy_helper.from_array(np.array([default], dtype=float)),
        )

    def constant(self, values: Any, kind: Any = np.float64) -> str:
        """A tensor that is the same for all rides."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The tensor that an operator makes of others."""
        name = f"{operator}_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operator, inputs, [name], name=name, domain=domain, **attributes)
        )
        return name

    def sum(self, tensors: Sequence[str]) -> str:
        """Their sum."""
        return self.node("Sum", *tensors)

    def model(self, output: str) -> onnx.ModelProto:
        """The finished model, whose one output is the tensor of the last node."""
        (last,) = self._nodes[-1].output
        if last != output:
            raise ValueError(f"{output!r} is not of the last node, which makes {last!r}")
        self._nodes[-1].output[0] = _OUTPUT
        graph = helper.make_graph(
            self._nodes,
            "twin",
            list(self._inputs.values()),
            [helper.make_tensor_value_info(_OUTPUT, TensorProto.DOUBLE, ["rides"])],
            self._constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return model
