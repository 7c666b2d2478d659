"""Small ONNX graphs and what ONNX Runtime computes for them, for make_onnx_run.py."""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import formula

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "onnx_run"


def numbers(name, shape, scale=4.0):
    values = (formula.uniform(name, int(np.prod(shape))) - 0.5) * scale
    return values.astype(np.float32).reshape(shape)


class Graph:
    """A graph that grows node by node; every node's outputs are outputs of the graph."""

    def __init__(self, name, inputs, opset=17):
        self.name, self.opset = name, opset
        self.inputs = inputs
        self.nodes, self.tensors, self.outputs = [], [], []
        self.metadata = {}

    def tensor(self, name, array):
        if not any(t.name == name for t in self.tensors):
            self.tensors.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def floats(self, name, shape, scale=1.0):
        return self.tensor(name, numbers(name, shape, scale))

    def ints(self, *values):
        return self.tensor("i_" + "_".join(map(str, values)), np.array(values, np.int64))

    def scalar(self, value):
        return self.tensor(f"s_{value}", np.array(value, np.float32))

    def node(self, kind, inputs, output=None, hidden=False, outputs=None, **attributes):
        """Adds a node. A hidden one's outputs are not outputs of the graph."""
        names = outputs or [output or f"{kind.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, inputs, names, name=f"{kind}_{len(self.nodes)}", **attributes))
        if not hidden:
            self.outputs += [n for n in names if n]
        return names[0]

    def build(self):
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()],
            [helper.make_empty_tensor_value_info(n) for n in self.outputs], self.tensors)
        # Writers state a type for each output; shapes stay open.
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=4 if self.opset < 11 else 8, producer_name="dfkit")
        inferred = onnx.shape_inference.infer_shapes(model)
        for own, known in zip(model.graph.output, inferred.graph.output):
            own.type.tensor_type.elem_type = known.type.tensor_type.elem_type or TensorProto.FLOAT
        return model


def sample(values, most=48):
    values = np.asarray(values)
    step = max(1, values.size // most)
    flat = values.astype(np.float64).flatten()[::step]
    return {"shape": list(values.shape), "step": step, "values": [float(f"{x:.8g}") for x in flat]}


def run(graph, extents=None):
    """Writes the graph, and gives what ONNX Runtime computes for it."""
    model = graph.build()
    data = model.SerializeToString()
    (OUT / f"{graph.name}.onnx").write_bytes(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    shapes = {n: [extents[e] if isinstance(e, str) else e for e in s] for n, s in graph.inputs.items()}
    found = session.run(graph.outputs, {n: numbers(n, s) for n, s in shapes.items()})
    return {
        "file": f"{graph.name}.onnx", "inputs": shapes,
        "outputs": {n: sample(v) for n, v in zip(graph.outputs, found)},
    }
