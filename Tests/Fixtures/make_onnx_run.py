"""Makes the fixtures of the ONNX interpreter:

- onnx_run/*.onnx: small graphs that together hold every operation that dfkit runs, each in its usual and unusual
  forms; and onnx_run/expected.json, what ONNX Runtime gives for inputs computed from their names as formula.py says.
- onnx_run/external/: a model whose tensors are in other files.
- With the path of a folder that holds mobilefacenet.onnx and retinaface-mobilenet0.25.onnx as an argument:
  onnx_run/reference.json, samples of what ONNX Runtime gives for these.

usage: pip install numpy onnx onnxruntime; python Tests/Fixtures/make_onnx_run.py [FOLDER]
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_graph import Graph, OUT, numbers, run, sample


def convolutions():
    g = Graph("convolutions", {"x": [2, 4, 9, 11]})
    w = g.floats("w", [6, 4, 3, 3])
    b = g.floats("b", [6])
    g.node("Conv", ["x", w], "plain")
    g.node("Conv", ["x", w, b], "padded", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    g.node("Conv", ["x", w, b], "uneven", pads=[0, 1, 2, 0])
    g.node("Conv", ["x", w, b], "oblong", strides=[2, 1], pads=[1, 1, 1, 1])
    g.node("Conv", ["x", w, b], "dilated", dilations=[2, 2], pads=[2, 2, 2, 2])
    g.node("Conv", ["x", w, b], "same", auto_pad="SAME_UPPER", strides=[2, 2])
    g.node("Conv", ["x", w, b], "valid", auto_pad="VALID")
    g.node("Conv", ["x", g.floats("one", [5, 4, 1, 1]), g.floats("b5", [5])], "pointwise")
    g.node("Conv", ["x", g.floats("depth", [4, 1, 3, 3])], "depthwise", group=4, pads=[1, 1, 1, 1])
    g.node("Conv", ["x", g.floats("pair", [6, 2, 3, 3])], "grouped", group=2)
    # Weights that the graph computes.
    scaled = g.node("Mul", [w, g.node("ReduceMean", ["x"], hidden=True, keepdims=0)], hidden=True)
    g.node("Conv", ["x", scaled, b], "computed")
    # Weights behind nodes that never change.
    g.node("Conv", ["x", g.node("Identity", [w], hidden=True), b], "copied")
    # A norm and activations that are computed with the convolution.
    parts = [g.floats(f"norm.{n}", [6]) for n in ("scale", "shift", "mean")]
    parts.append(g.tensor("norm.variance", np.abs(numbers("norm.variance", [6])) + 0.5))
    for strides in ([1, 1], [1, 2]):
        y = g.node("Conv", ["x", w, b], hidden=True, strides=strides)
        y = g.node("BatchNormalization", [y, *parts], hidden=True, epsilon=1e-3)
        g.node("Relu", [y], f"norm_relu_{strides[1]}")
    conv = lambda: g.node("Conv", ["x", w, b], hidden=True)
    g.node("LeakyRelu", [conv()], "leaky", alpha=0.2)
    g.node("Clip", [conv(), g.scalar(0), g.scalar(6)], "relu6")
    g.node("Clip", [conv(), g.scalar(-1), g.scalar(1)], "clipped")
    g.node("Sigmoid", [conv()], "sigmoid")
    y = conv()
    g.node("Mul", [y, g.node("Sigmoid", [y], hidden=True)], "silu")
    y = conv()
    g.node("Add", [y, g.node("Relu", [y], hidden=True)], "read_twice")
    return run(g)


def pooling():
    g = Graph("pooling", {"x": [2, 3, 9, 10]}, opset=19)
    # dfkit refuses files without weights.
    g.node("Add", ["x", g.floats("c", [3, 1, 1])], "sum")
    for kind, extra in (("MaxPool", [{}]), ("AveragePool", [{}, {"count_include_pad": 1}])):
        for more in extra:
            tag = f"{kind}{'_all' if more else ''}"
            g.node(kind, ["x"], f"{tag}.plain", kernel_shape=[2, 2], strides=[2, 2], **more)
            g.node(kind, ["x"], f"{tag}.dense", kernel_shape=[3, 2], **more)
            g.node(kind, ["x"], f"{tag}.padded", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], **more)
            g.node(
                kind, ["x"], f"{tag}.ceil", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, **more)
            g.node(kind, ["x"], f"{tag}.uneven", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 2], **more)
            g.node(
                kind, ["x"], f"{tag}.uneven_ceil", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 2, 1, 0], ceil_mode=1,
                **more)
            g.node(kind, ["x"], f"{tag}.same", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER", **more)
    g.node("GlobalAveragePool", ["x"], "average")
    g.node("GlobalMaxPool", ["x"], "largest")
    g.node("Flatten", ["average"], "features")
    return run(g)


def elementwise():
    g = Graph("elementwise", {"x": [2, 3, 4, 5], "y": [2, 3, 4, 5], "v": [2, 7]}, opset=20)
    positive = g.node("Abs", ["x"], "abs")
    for kind in ("Relu", "Sigmoid", "Tanh", "HardSwish", "Exp", "Neg", "Floor", "Ceil", "Erf", "Gelu", "Reciprocal"):
        g.node(kind, ["x"], kind)
    for kind in ("Log", "Sqrt"):
        g.node(kind, [positive], kind)
    g.node("LeakyRelu", ["x"], "leaky")
    g.node("LeakyRelu", ["x"], "leaky2", alpha=0.3)
    g.node("Elu", ["x"], "elu", alpha=1.5)
    g.node("HardSigmoid", ["x"], "hard")
    g.node("HardSigmoid", ["x"], "hard2", alpha=0.4, beta=0.3)
    g.node("Gelu", ["x"], "gelu_tanh", approximate="tanh")
    g.node("PRelu", ["x", g.floats("slope3", [3, 1, 1])], "prelu")
    g.node("PRelu", ["x", g.floats("slope1", [1])], "prelu1")
    g.node("Clip", ["x", g.scalar(-0.5), g.scalar(1.25)], "clip")
    g.node("Clip", ["x", "", g.scalar(0.5)], "clip_high")
    g.node("Clip", ["x"], "clip_none")
    g.node("Dropout", ["x"], "dropout")
    g.node("Dropout", ["x"], outputs=["dropout2", ""])
    g.node("Pow", [positive, g.scalar(1.5)], "pow")
    g.node("Pow", ["x", g.ints(2)], "square")
    g.node("Pow", [positive, "y"], "pow_each")
    g.node("Max", ["x", "y", g.scalar(0)], "max")
    g.node("Min", ["x", "y"], "min")
    g.node("Min", ["x"], "min_one")
    g.node("Sum", ["x", "y", "x"], "sum")
    # An image in this library's order of axes, beside others.
    image = g.node("Conv", ["x", g.floats("w", [3, 3, 1, 1])], "image")
    gate = g.node("GlobalAveragePool", [image], "gate")
    for kind in ("Add", "Sub", "Mul", "Div"):
        g.node(kind, ["x", "y"], kind)
        g.node(kind, [image, "y"], f"{kind}.mixed")
        g.node(kind, [image, gate], f"{kind}.gate")
        g.node(kind, [image, g.floats("c", [3, 1, 1])], f"{kind}.channels")
        g.node(kind, [image, g.floats("r", [5])], f"{kind}.row")
        g.node(kind, [g.scalar(1.5), image], f"{kind}.scalar")
        g.node(kind, ["v", g.floats("v7", [7])], f"{kind}.vector")
    g.node("Mul", [image, g.floats("five", [2, 1, 3, 1, 1])], "five_axes")
    return run(g)


def norms():
    g = Graph("norms", {"x": [2, 6, 4, 5], "m": [3, 6], "s": [2, 6, 7]})
    parts = [g.floats(n, [6]) for n in ("scale", "shift", "mean")]
    parts.append(g.tensor("variance", np.abs(numbers("variance", [6])) + 0.5))
    for x in ("x", "m", "s"):
        g.node("BatchNormalization", [x, *parts], f"batch.{x}")
    for x in ("x", "s"):
        g.node("InstanceNormalization", [x, *parts[:2]], f"instance.{x}", epsilon=1e-3)
    g.node("LayerNormalization", ["m", *parts[:2]], "layer", axis=-1)
    g.node("LayerNormalization", ["x", g.floats("ls", [4, 5]), g.floats("lb", [4, 5])], "layer2", axis=2)
    rows = g.node("Transpose", ["x"], "rows", perm=[0, 2, 3, 1])
    g.node("Transpose", [g.node("LayerNormalization", [rows, *parts[:2]], "layer3")], "back", perm=[0, 3, 1, 2])
    image = g.node("Conv", ["x", g.floats("w", [6, 6, 1, 1])], "image")
    for kind in ("Softmax", "LogSoftmax"):
        g.node(kind, ["m"], kind)
        for axis in (1, -1):
            g.node(kind, [image], f"{kind}.{axis}", axis=axis)
    return run(g)


def reductions():
    g = Graph("reductions", {"x": [2, 3, 4, 5]}, opset=18)
    image = g.node("Conv", ["x", g.floats("w", [3, 3, 1, 1])], "image")
    for kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"):
        for x in ("x", "image"):
            for axes in ((2, 3), (1,), (-1,), (0, 2)):
                g.node(kind, [x, g.ints(*axes)], f"{kind}.{x}.{axes}")
            g.node(kind, [x, g.ints(3)], f"{kind}.{x}.removed", keepdims=0)
        g.node(kind, ["x"], f"{kind}.all", keepdims=0)
        g.node(kind, ["x"], f"{kind}.none", noop_with_empty_axes=1)
    return run(g)


def matrices():
    g = Graph("matrices", {"a": [3, 4], "b": [4, 5], "h": [2, 2, 3, 4], "k": [2, 1, 4, 3], "v": [4]})
    for ta, tb in ((0, 0), (0, 1), (1, 0), (1, 1)):
        rows = 3 if ta else 4
        w = g.floats(f"w{ta}{tb}", [5, rows] if tb else [rows, 5])
        g.node("Gemm", ["a", w, g.floats("bias", [5])], f"gemm{ta}{tb}", transA=ta, transB=tb)
    g.node("Gemm", ["a", "b"], "no_bias", alpha=0.5)
    g.node("Gemm", ["a", "b", g.floats("column", [3, 1])], "column_bias", alpha=0.5, beta=2.0)
    g.node("Gemm", ["a", g.floats("w00", [4, 5]), g.floats("row", [1, 5])], "row_bias", alpha=0.5, beta=2.0)
    g.node("Gemm", ["a", g.floats("w00", [4, 5]), g.scalar(3.0)], "scalar_bias")
    g.node("MatMul", ["a", "b"], "product")
    g.node("MatMul", ["h", g.floats("wide", [4, 6])], "weights")
    g.node("MatMul", ["h", "k"], "stack")
    g.node("MatMul", ["v", "b"], "row_vector")
    g.node("MatMul", ["h", "v"], "vector")
    turned = g.node("Transpose", [g.floats("turned", [6, 4])], hidden=True, perm=[1, 0])
    g.node("MatMul", ["a", turned], "turned_weights")
    return run(g)


def shapes():
    g = Graph("shapes", {"x": [2, 6, 4, 5]}, opset=19)
    image = g.node("Conv", ["x", g.floats("w", [6, 6, 1, 1])], "image")
    for x in ("x", "image"):
        g.node("Reshape", [x, g.ints(0, -1)], f"reshape.{x}")
        five = g.node("Reshape", [x, g.ints(2, 2, 3, 4, 5)], f"groups.{x}")
        g.node("Reshape", [g.node("Transpose", [five], f"shuffled.{x}", perm=[0, 2, 1, 3, 4]), g.ints(0, 6, 4, 5)])
        g.node("Flatten", [x], f"flat.{x}")
        g.node("Flatten", [x], f"flat3.{x}", axis=3)
        g.node("Flatten", [x], f"flat0.{x}", axis=0)
        g.node("Transpose", [x], f"reversed.{x}")
        g.node("Transpose", [x], f"last.{x}", perm=[0, 2, 3, 1])
        g.node("Transpose", [x], f"swapped.{x}", perm=[0, 1, 3, 2])
        g.node("Transpose", [f"last.{x}"], f"first.{x}", perm=[0, 3, 1, 2])
        g.node("Unsqueeze", [x, g.ints(0, -1)], f"unsqueezed.{x}")
        g.node("Squeeze", [f"unsqueezed.{x}", g.ints(0)], f"squeezed.{x}")
        g.node("Squeeze", [f"unsqueezed.{x}"], f"squeezed_all.{x}")
    g.node("Reshape", ["x", g.ints(6, 40)], "zero", allowzero=1)
    g.node("Identity", ["x"], "identity")
    # Arithmetic on shapes, as exporters write it.
    shape = g.node("Shape", ["x"], "shape")
    g.node("Shape", ["x"], "tail", start=-2)
    g.node("Shape", ["x"], "head", start=0, end=2)
    size = g.node("Size", ["x"], "size")
    at = lambda i: g.node("Gather", [shape, g.tensor(f"at{i}", np.array(i, np.int64))], hidden=True)
    n, c, h, w = map(at, range(4))
    half = g.node("Div", [c, g.tensor("two", np.array(2, np.int64))], "half")
    less = g.node("Sub", [half, g.tensor("one", np.array(1, np.int64))], "less")
    more = g.node("Add", [less, g.tensor("one", np.array(1, np.int64))], "more")
    pixels = g.node("Mul", [h, w], "pixels")
    one = lambda v: g.node("Unsqueeze", [v, g.ints(0)], hidden=True)
    target = g.node("Concat", [one(n), g.ints(2), one(more), one(pixels)], "target", axis=0)
    g.node("Reshape", ["x", target], "by_shape")
    g.node("Max", [target, g.ints(3)], "max")
    g.node("Min", [target, g.ints(3)], "min")
    g.node("Clip", [target, g.tensor("low", np.array(3, np.int64))], "clip")
    floats = g.node("Cast", [target], "floats", to=TensorProto.FLOAT)
    scaled = g.node("Floor", [g.node("Mul", [floats, g.scalar(0.4)], hidden=True)], "scaled")
    g.node("Cast", [scaled], "ints", to=TensorProto.INT64)
    g.node("Cast", ["x"], "truncated", to=TensorProto.INT32)
    g.node("Cast", ["x"], "half_precision", to=TensorProto.FLOAT)
    ones = g.node(
        "ConstantOfShape", [g.ints(4)], "ones", value=helper.make_tensor("v", TensorProto.INT64, [1], [1]))
    equal = g.node("Equal", [ones, g.ints(1, 2, 1, 2)], hidden=True)
    g.node("Where", [equal, target, ones], "where")
    g.node("ConstantOfShape", [target], "zeros")
    g.node("ConstantOfShape", [g.ints(2, 2)], "halves", value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5]))
    g.node("Constant", [], "constant", value=helper.make_tensor("v", TensorProto.FLOAT, [2, 2], [1, 2, 3, 4]))
    g.node("Constant", [], "constant_float", value_float=2.5)
    g.node("Constant", [], "constant_floats", value_floats=[2.5, -1])
    g.node("Constant", [], "constant_int", value_int=7)
    g.node("Constant", [], "constant_ints", value_ints=[7, -1])
    return run(g)


def selection():
    g = Graph("selection", {"x": [2, 6, 4, 5], "t": [7, 3]}, opset=18)
    image = g.node("Conv", ["x", g.floats("w", [6, 6, 1, 1])], "image")
    for x in ("x", "image"):
        g.node("Slice", [x, g.ints(1), g.ints(3), g.ints(1)], f"slice.{x}")
        g.node("Slice", [x, g.ints(0, 0), g.ints(9, 9), g.ints(2, 3), g.ints(2, 2)], f"steps.{x}")
        g.node("Slice", [x, g.ints(-1), g.ints(-(2**62)), g.ints(3), g.ints(-2)], f"back.{x}")
        g.node("Slice", [x, g.ints(-3, 1), g.ints(-1, 2**62), g.ints(-3, -1)], f"from_end.{x}")
        for axis in (1, 3):
            parts = [f"split{axis}{i}.{x}" for i in range(3 if axis == 1 else 2)]
            g.node("Split", [x], outputs=parts, axis=axis, num_outputs=len(parts))
            g.node("Concat", parts[::-1], f"concat{axis}.{x}", axis=axis)
        g.node("Split", [x, g.ints(1, 5)], outputs=[f"one.{x}", f"five.{x}"], axis=1)
        g.node("Gather", [x, g.ints(3, -1, 0)], f"gather.{x}", axis=1)
        g.node("Gather", [x, g.tensor("two", np.array(2, np.int64))], f"row.{x}", axis=2)
        g.node("Gather", [x, g.tensor("grid", np.array([[0, 1], [2, 3]], np.int64))], f"grid.{x}", axis=3)
        g.node("Expand", [g.node("GlobalAveragePool", [x], hidden=True), g.ints(2, 6, 3, 2)], f"expand.{x}")
        g.node("Expand", [x, g.ints(2, 1, 1, 1, 1)], f"expand5.{x}")
        g.node("Pad", [x, g.ints(0, 1, 2, 0, 0, 0, 1, 3)], f"pad.{x}")
        g.node("Pad", [x, g.ints(1, 2, 0, 1), g.scalar(0.5), g.ints(2, 3)], f"pad_axes.{x}")
    g.node("Concat", ["x", image], "mixed", axis=1)
    g.node("Concat", ["t", "t"], "rows", axis=-2)
    g.node("Gather", ["t", g.ints(6, 0)], "lookup")
    return run(g)


def resize():
    g = Graph("resize", {"x": [2, 3, 5, 7]}, opset=18)
    factors = g.tensor("factors", np.array([1, 1, 2, 2], np.float32))
    uneven = g.tensor("uneven", np.array([1, 1, 1.5, 0.6], np.float32))
    for mode in ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"):
        for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
            g.node(
                "Resize", ["x", "", factors], f"nearest.{mode}.{rounding}", nearest_mode=rounding,
                coordinate_transformation_mode=mode)
            g.node(
                "Resize", ["x", "", uneven], f"nearest.{mode}.{rounding}.uneven", nearest_mode=rounding,
                coordinate_transformation_mode=mode)
        for name, rest in (
                ("twice", [factors]), ("uneven", [uneven]), ("size", ["", g.ints(2, 3, 9, 4)]),
                ("one", ["", g.ints(2, 3, 1, 1)])):
            g.node(
                "Resize", ["x", "", *rest], f"linear.{mode}.{name}", mode="linear",
                coordinate_transformation_mode=mode)
    g.node("Resize", ["x", "", "", g.ints(9, 4)], "axes", mode="linear", axes=[2, 3])
    return run(g)


def old(opset):
    """The forms of older versions."""
    g = Graph(f"opset{opset}", {"x": [2, 6, 4, 5], "m": [3, 6]}, opset=opset)
    image = g.node("Conv", ["x", g.floats("w", [6, 6, 1, 1])], "image")
    parts = [g.floats(n, [6]) for n in ("scale", "shift", "mean")]
    parts.append(g.tensor("variance", np.abs(numbers("variance", [6])) + 0.5))
    g.node("BatchNormalization", ["x", *parts], "batch")
    g.node("Clip", ["x"], "clip", min=-0.5, max=1.0)
    g.node("Clip", ["x"], "clip_low", min=-0.5)
    relu6 = g.node("Conv", ["x", g.floats("w", [6, 6, 1, 1])], hidden=True)
    g.node("Clip", [relu6], "relu6", min=0.0, max=6.0)
    g.node("Dropout", ["x"], "dropout", ratio=0.3)
    for kind in ("Softmax", "LogSoftmax"):
        g.node(kind, ["m"], kind)
        for axis in (1, 2, 3):
            g.node(kind, [image], f"{kind}.{axis}", axis=axis)
    for kind in ("ReduceMean", "ReduceSum", "ReduceL2"):
        g.node(kind, [image], kind, axes=[2, 3], keepdims=0)
    g.node("Unsqueeze", ["m"], "unsqueezed", axes=[0, 3])
    g.node("Squeeze", ["unsqueezed"], "squeezed", axes=[0])
    g.node("Split", [image], outputs=["one", "two"], axis=1, split=[2, 4])
    g.node("Pad", [image], "pad", pads=[0, 0, 1, 2, 0, 0, 0, 1], value=0.5)
    g.node("Gemm", ["m", g.floats("g", [6, 2]), g.floats("gb", [2])], "gemm")
    factors = np.array([1, 1, 2, 3], np.float32)
    if opset < 10:
        g.node("Slice", ["x"], "slice", axes=[1, 3], starts=[1, -2], ends=[100, 100])
        for mode in ("nearest", "linear"):
            if opset < 9:
                g.node("Upsample", ["x"], f"upsample.{mode}", mode=mode, scales=[float(f) for f in factors])
            else:
                g.node("Upsample", ["x", g.tensor("factors", factors)], f"upsample.{mode}", mode=mode)
    else:
        g.node("Slice", ["x", g.ints(1), g.ints(100), g.ints(1)], "slice")
        for mode in ("nearest", "linear"):
            g.node("Resize", ["x", g.tensor("factors", factors)], f"resize.{mode}", mode=mode)
            g.node(
                "Resize", ["x", g.tensor("smaller", np.array([1, 1, 0.5, 0.7], np.float32))], f"smaller.{mode}",
                mode=mode)
    return run(g)


def network():
    """A small classifier with an open number of images of open size, all of whose weights are in constants."""
    g = Graph("network", {"images": ["n", 3, "h", "w"]}, opset=17)

    def constant(name, shape):
        array = numbers(name, shape, 2 / np.sqrt(np.prod(shape[1:]) or 1))
        return g.node(
            "Constant", [], name, hidden=True, value=numpy_helper.from_array(array, name))

    def conv(x, inputs, outputs, kernel, stride=1, groups=1):
        name = f"conv{len(g.nodes)}"
        return g.node(
            "Conv", [x, constant(f"{name}.w", [outputs, inputs // groups, kernel, kernel]),
                     constant(f"{name}.b", [outputs])], hidden=True, group=groups, strides=[stride, stride],
            pads=[kernel // 2] * 4)

    def silu(x):
        return g.node("Mul", [x, g.node("Sigmoid", [x], hidden=True)], hidden=True)

    x = silu(conv("images", 3, 8, 3, stride=2))
    y = silu(conv(silu(conv(x, 8, 24, 1)), 24, 24, 3, groups=24))
    gate = g.node("GlobalAveragePool", [y], hidden=True)
    gate = g.node("Sigmoid", [conv(silu(conv(gate, 24, 4, 1)), 4, 24, 1)], hidden=True)
    y = g.node("Mul", [y, gate], hidden=True)
    x = g.node("Add", [conv(y, 24, 8, 1), x], hidden=True)
    x = g.node("MaxPool", [x], hidden=True, kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x], hidden=True)], "features")
    x = g.node("Gemm", [x, constant("head.w", [2, 8]), constant("head.b", [2])], "logits", transB=1)
    g.node("Softmax", [x], "probabilities", axis=1)
    return run(g, {"n": 3, "h": 20, "w": 28})


def recurrence():
    """LSTMs: steps, batch, features. Every form of direction, state, bias and lengths."""
    g = Graph("recurrence", {"x": [6, 3, 5], "h": [2, 3, 4], "c": [2, 3, 4]}, opset=17)
    lengths = g.tensor("lengths", np.array([6, 2, 5], np.int32))

    def weights(tag, directions, hidden=4):
        return [
            g.floats(f"{tag}.w", [directions, 4 * hidden, 5], 1.5), g.floats(f"{tag}.r", [directions, 4 * hidden, hidden], 1.5),
            g.floats(f"{tag}.b", [directions, 8 * hidden], 1.5)]

    def names(tag):
        return [f"{tag}.{part}" for part in ("y", "h", "c")]

    one, two = weights("one", 1), weights("two", 2)
    g.node("LSTM", ["x", *one], outputs=names("forward"), hidden_size=4)
    g.node("LSTM", ["x", *one[:2]], outputs=names("reverse"), hidden_size=4, direction="reverse")
    g.node(
        "LSTM", ["x", *two, "", "h", "c"], outputs=names("both"), hidden_size=4, direction="bidirectional",
        activations=["Sigmoid", "Tanh", "Tanh"] * 2)
    g.node(
        "LSTM", ["x", *two, lengths, "h", "c"], outputs=names("lengths"), hidden_size=4, direction="bidirectional")
    g.node("LSTM", ["x", *one, lengths], outputs=names("short"), hidden_size=4, direction="reverse")
    g.node("LSTM", ["x", *weights("wide", 1, 19)], outputs=["", "wide.h", ""], hidden_size=19)
    g.node("LSTM", ["x", *two, "", "h"], outputs=["only_hidden"], hidden_size=4, direction="bidirectional")
    # Weights that the graph computes.
    scaled = g.node("Mul", [one[0], g.node("ReduceMean", ["x"], hidden=True, keepdims=0)], hidden=True)
    g.node("LSTM", ["x", scaled, *one[1:]], outputs=names("computed"), hidden_size=4)
    return run(g)


def make_external():
    """A model with two tensors in another file, one of them after an offset."""
    folder = OUT / "external"
    folder.mkdir(exist_ok=True)
    g = Graph("external", {"x": [1, 4]})
    w, b = numbers("external.w", [4, 3], 2), numbers("external.b", [3], 2)
    data, tensors = w.tobytes() + bytes(8) + b.tobytes(), []
    for name, array, offset in (("w", w, 0), ("b", b, w.nbytes + 8)):
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        places = [("location", "weights.bin"), ("offset", str(offset)), ("length", str(array.nbytes))]
        for key, value in places[:1] if name == "w" else places:
            tensor.external_data.add(key=key, value=value)
        tensors.append(tensor)
    g.tensors = tensors
    g.node("Gemm", ["x", "w", "b"], "y")
    graph = helper.make_graph(
        g.nodes, "external", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "weights.bin").write_bytes(data)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    return {
        "file": "external/model.onnx", "inputs": {"x": [1, 4]},
        "outputs": {"y": sample(session.run(["y"], {"x": numbers("x", [1, 4])})[0])},
    }


def make_reference(folder):
    cases = []
    for name, shape, scale in (
            ("mobilefacenet", [1, 3, 112, 112], 2.0), ("retinaface-mobilenet0.25", [1, 3, 88, 120], 200.0)):
        session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"))
        feed = session.get_inputs()[0].name
        outputs = [o.name for o in session.get_outputs()]
        found = session.run(outputs, {feed: numbers(feed, shape, scale)})
        cases.append({
            "file": f"{name}.onnx", "inputs": {feed: shape}, "scale": scale,
            "outputs": {n: sample(v, 100) for n, v in zip(outputs, found)},
        })
    (OUT / "reference.json").write_text(json.dumps(cases) + "\n")


OUT.mkdir(exist_ok=True)
made = [
    convolutions(), pooling(), elementwise(), norms(), reductions(), matrices(), shapes(), selection(), resize(),
    old(8), old(9), old(10), network(), make_external(), recurrence(),
]
(OUT / "expected.json").write_text(json.dumps(made) + "\n")
if len(sys.argv) > 1:
    make_reference(pathlib.Path(sys.argv[1]))
