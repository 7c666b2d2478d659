"""Makes the ONNX fixtures:

- checkpoints/kinds.onnx, tensors of every element type, as raw bytes and as lists of numbers, and
  checkpoints/expected-onnx.json, their values; checkpoints/refuse-external.onnx and refuse-strings.onnx.
- onnx.json: the graph of RetinaFace with the mobilenet0.25 backbone as PyTorch exports it, batch norm folded in
  (nodes, and the shapes of tensors, whose values are computed from their names as formula.py says), one of its
  context modules with a convolution written twice, as some exports have it; and what ONNX Runtime gives for
  a frame.

usage: pip install numpy onnx onnxruntime; python Tests/Fixtures/make_onnx.py
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import formula

HERE = pathlib.Path(__file__).resolve().parent
generator = np.random.default_rng(5)


def model(nodes, tensors, inputs, outputs):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, tensors)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6, producer_name="pytorch")


def information(name, shape=None):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def make_kinds():
    kinds = {
        "FLOAT": generator.normal(size=(2, 3)), "DOUBLE": generator.normal(size=(2, 2)),
        "FLOAT16": generator.normal(size=(3,)), "BFLOAT16": generator.normal(size=(2,)),
        "INT64": np.array([-(2**40), 7]), "INT32": np.array([[-70000], [5]]), "INT16": np.array([-300, 2]),
        "INT8": np.array([-7, 8, 9]), "UINT8": np.array([200]), "UINT16": np.array([60000]),
        "UINT32": np.array([3000000000, 1]), "UINT64": np.array([2**40, 1]), "BOOL": np.array([True, False]),
    }
    tensors, expected = [], {}
    for name, values in kinds.items():
        kind = getattr(TensorProto, name)
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        array = np.asarray(values).astype(dtype)
        for form, raw in [("raw", True), ("list", False)]:
            key = f"{name.lower()}.{form}"
            values = array.tobytes() if raw else array.flatten().tolist()
            tensors.append(helper.make_tensor(key, kind, array.shape, values, raw=raw))
            expected[key] = {
                "shape": list(array.shape),
                "values": [float(np.float32(x)) for x in array.astype(np.float64).flatten()],
            }
    tensors.append(helper.make_tensor("scalar", TensorProto.FLOAT, (), [2.5]))
    tensors.append(helper.make_tensor("nothing", TensorProto.FLOAT, (0, 3), b"", raw=True))
    expected["scalar"] = {"shape": [], "values": [2.5]}
    expected["nothing"] = {"shape": [0, 3], "values": []}
    node = helper.make_node(
        "LeakyRelu", ["float.raw"], ["y"], name="leaky", alpha=0.5, text="t", numbers=[3, 4], count=2)
    other = helper.make_node("Add", ["y", "scalar"], ["z"], name="add")
    out = HERE / "checkpoints"
    (out / "kinds.onnx").write_bytes(
        model([node, other], tensors, [], [information("z")]).SerializeToString())
    (out / "expected-onnx.json").write_text(json.dumps(expected) + "\n")

    external = helper.make_tensor("far", TensorProto.FLOAT, (2,), [1, 2])
    external.ClearField("float_data")
    external.data_location = TensorProto.EXTERNAL
    external.external_data.add(key="location", value="weights.bin")
    (out / "refuse-external.onnx").write_bytes(
        model([other], [external], [], [information("z")]).SerializeToString())
    strings = helper.make_tensor("words", TensorProto.STRING, (1,), [b"word"])
    (out / "refuse-strings.onnx").write_bytes(
        model([other], [strings], [], [information("z")]).SerializeToString())


class Export:
    """The graph of RetinaFace, written down in the order in which PyTorch runs it."""

    def __init__(self):
        self.nodes, self.shapes, self.number = [], {}, 100

    def node(self, kind, inputs, output=None, **attributes):
        self.number += 1
        output = output or f"/value_{self.number}"
        self.nodes.append({"kind": kind, "inputs": inputs, "outputs": [output], "attributes": attributes})
        return output

    def conv(self, x, inputs, outputs, kernel, stride=1, groups=1, names=None):
        if names is None:
            names = (f"onnx::Conv_{self.number}.weight", f"onnx::Conv_{self.number}.bias")
            self.shapes[names[0]] = [outputs, inputs // groups, kernel, kernel]
            self.shapes[names[1]] = [outputs]
        return self.node(
            "Conv", [x, *names], dilations=[1, 1], group=groups, kernel_shape=[kernel] * 2,
            pads=[kernel // 2] * 4, strides=[stride] * 2)

    def leaky(self, x):
        return self.node("LeakyRelu", [x], alpha=0.1)

    def resized(self, coarse, fine):
        shape = self.node("Shape", [fine])
        whole = self.node("Shape", [coarse])
        size = self.node("Slice", [shape, "two", "four"])
        head = self.node("Slice", [whole, "zero", "two"])
        joined = self.node("Concat", [head, size], axis=0)
        return self.node(
            "Resize", [coarse, "none", "none", joined], mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric")

    def context(self, x, twice):
        near = self.conv(x, 64, 32, 3)
        shared = self.leaky(self.conv(x, 64, 16, 3))
        names = self.nodes[-2]["inputs"][1:]
        middle = self.conv(shared, 16, 16, 3)
        if twice:
            copies = [self.node("Identity", [name], f"{name}_copy") for name in names]
            shared = self.leaky(self.conv(x, 64, 16, 3, names=copies))
        far = self.leaky(self.conv(shared, 16, 16, 3))
        farther = self.conv(far, 16, 16, 3)
        return self.node("Relu", [self.node("Concat", [near, middle, farther], axis=1)])

    def build(self):
        x = self.leaky(self.conv("input", 3, 8, 3, stride=2))
        channels, features = 8, []
        stages = [[(16, 1), (32, 2), (32, 1), (64, 2), (64, 1)], [(128, 2)] + [(128, 1)] * 5, [(256, 2), (256, 1)]]
        for stage in stages:
            for outputs, stride in stage:
                x = self.leaky(self.conv(x, channels, channels, 3, stride=stride, groups=channels))
                x = self.leaky(self.conv(x, channels, outputs, 1))
                channels = outputs
            features.append(x)
        one, two, three = [self.leaky(self.conv(f, c, 64, 1)) for f, c in zip(features, (64, 128, 256))]
        two = self.leaky(self.conv(self.node("Add", [two, self.resized(three, two)]), 64, 64, 3))
        one = self.leaky(self.conv(self.node("Add", [one, self.resized(two, one)]), 64, 64, 3))
        contexts = [self.context(map, twice=level == 1) for level, map in enumerate((one, two, three))]
        for name, per_anchor in [("conf", 2), ("loc", 4), ("landmarks", 10)]:
            parts = []
            for context in contexts:
                map = self.node("Transpose", [self.conv(context, 64, 2 * per_anchor, 1)], perm=[0, 2, 3, 1])
                parts.append(self.node("Reshape", [map, f"rows_{per_anchor}"]))
            # The reference file of raw values has logits, before the softmax of published exports.
            self.node("Concat", parts, name, axis=1)


def make_retinaface():
    export = Export()
    export.build()
    constants = {
        "zero": [0], "two": [2], "four": [4], "rows_2": [1, -1, 2], "rows_4": [1, -1, 4], "rows_10": [1, -1, 10],
    }
    tensors = [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in constants.items()]
    tensors.append(numpy_helper.from_array(np.zeros(0, np.float32), "none"))
    tensors += [
        numpy_helper.from_array(formula.values(key, shape, 1), key) for key, shape in export.shapes.items()]
    nodes = [helper.make_node(n["kind"], n["inputs"], n["outputs"], **n["attributes"]) for n in export.nodes]
    outputs = ["conf", "loc", "landmarks"]
    whole = model(
        nodes, tensors, [information("input", [1, 3, "h", "w"])], [information(name, None) for name in outputs])
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    height, width = 72, 104
    frame = ((formula.uniform("onnx.input", height * width * 3) - 0.5) * 200).astype(np.float32)
    frame = frame.reshape(1, height, width, 3)
    found = session.run(outputs, {"input": frame.transpose(0, 3, 1, 2)})

    def sample(values):
        step = max(1, values.size // 120)
        return {
            "shape": list(values.shape), "step": step,
            "values": [float(x) for x in values.flatten()[::step]],
        }

    for node in export.nodes:
        # What the reader is to know of a node, without what only ONNX Runtime needs.
        node["attributes"] = {
            k: v for k, v in node["attributes"].items() if not isinstance(v, str) and k not in ("perm", "axis")}
    (HERE / "onnx.json").write_text(json.dumps({
        "width": width, "height": height, "input": "onnx.input", "nodes": export.nodes, "tensors": export.shapes,
        **{name: sample(values) for name, values in zip(("logits", "boxes", "landmarks"), found)},
    }) + "\n")


make_kinds()
make_retinaface()
