"""Writes operations.json: what PyTorch (and OpenCV, for bytes) computes for small inputs, NHWC.

    pip install torch numpy opencv-python-headless
    python make_operations.py

Inputs are not stored: input i of case n holds (u - 0.5) * 4 with u from SplitMix64 seeded by FNV-1a of
"n.i" (formula.py), as Float32; bytes are floor(u * 256).
"""
import json
import pathlib

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from formula import uniform

cases = []
gradients = []  # of each case's inputs, for make_gradients.py


def numbers(array):
    return [float(f"{v:.6g}") for v in np.asarray(array, dtype=np.float64).ravel()]


def values(name, shape):
    return torch.from_numpy(((uniform(name, int(np.prod(shape))) - 0.5) * 4).astype(np.float32).reshape(shape))


def case(op, shapes, compute, **settings):
    """compute gets torch tensors of `shapes` and returns the expected tensor."""
    name = str(len(cases))
    inputs = [values(f"{name}.{i}", s) for i, s in enumerate(shapes)]
    output = compute(*inputs)
    if op != "argmax":
        gradients.append((op, name, shapes, settings, gradient(name, inputs, compute)))
    add(op, shapes, output.shape, output.detach().numpy(), settings)


def gradient(name, inputs, compute):
    """The gradients by the inputs, in double precision, of the sum of the output times "name.g"'s values."""
    inputs = [x.double().requires_grad_() for x in inputs]
    output = compute(*inputs)
    return torch.autograd.grad(output, inputs, values(f"{name}.g", output.shape).double(), allow_unused=True)


def add(op, shapes, shape, values, settings):
    cases.append({
        "op": op, "inputs": [list(s) for s in shapes], "settings": listed(settings), "shape": list(shape), "values": numbers(values),
    })


def listed(settings):
    lists = {k: v if isinstance(v, (list, tuple)) else [v] for k, v in settings.items()}
    return {k: [float(x) for x in v] for k, v in lists.items()}


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


# Elementwise and broadcasting.
binary = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
    "maximum": torch.maximum, "minimum": torch.minimum,
}
for op, function in binary.items():
    case(op, [(2, 3, 4), (2, 3, 4)], function)
for shapes in [[(2, 3, 4), (4,)], [(2, 1, 4), (3, 1)], [(), (2, 3)], [(5, 1), (1, 3)], [(2, 3, 1, 4), (3, 5, 1)],
               [(2, 1, 1, 3), (2, 2, 4, 3)], [(3, 0), (1,)]]:
    case("subtract", shapes, torch.sub)
    case("multiply", shapes, torch.mul)
unary = {
    "exp": torch.exp, "log": lambda x: torch.log(x.abs()), "squareRoot": lambda x: torch.sqrt(x.abs()),
    "abs": torch.abs, "negate": torch.neg, "relu": torch.relu, "silu": F.silu, "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
for op, function in unary.items():
    case(op, [(3, 7)], function)
case("pow", [(3, 5)], lambda x: x.abs() ** 1.7, exponent=1.7)
case("pow", [(3, 5)], lambda x: x ** 2, exponent=2)
case("pow", [(3, 5)], lambda x: x.abs() ** -0.5, exponent=-0.5)
case("clamp", [(3, 5)], lambda x: x.clamp(-0.5, 1), range=(-0.5, 1))
case("leakyReLU", [(3, 7)], lambda x: F.leaky_relu(x, 0.1), slope=0.1)
case("prelu", [(2, 3, 4, 5), (5,)], lambda x, w: nhwc(F.prelu(nchw(x), w)))
case("prelu", [(3, 4), (4,)], F.prelu)

# Reductions and softmax.
for axes in [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), (-1,)]:
    case("sum", [(3, 4, 5)], lambda x: x.sum(axes), axes=axes)
    case("mean", [(3, 4, 5)], lambda x: x.mean(axes, keepdim=True), axes=axes, keep=1)
    case("max", [(3, 4, 5)], lambda x: x.amax(axes), axes=axes)
    case("min", [(3, 4, 5)], lambda x: x.amin(axes, keepdim=True), axes=axes, keep=1)
case("argmax", [(7, 5)], lambda x: x.argmax(-1).float())
for axis in (0, 1, 2, -1):
    case("softmax", [(3, 4, 5)], lambda x: torch.softmax(x, axis), axis=axis)
    case("logSoftmax", [(3, 4, 5)], lambda x: torch.log_softmax(30 * x, axis), axis=axis)

# Products.
case("matmul", [(3, 5), (5, 7)], torch.matmul)
case("matmul", [(2, 3, 5), (2, 5, 4)], torch.matmul)
case("matmul", [(2, 2, 3, 5), (5, 4)], torch.matmul)
case("matmul", [(3, 5), (2, 5, 4)], torch.matmul)
case("matmul", [(5, 3), (5, 7)], lambda a, b: a.T @ b, left=1)
case("matmul", [(3, 5), (7, 5)], lambda a, b: a @ b.T, right=1)
case("matmul", [(2, 5, 3), (2, 7, 5)], lambda a, b: a.mT @ b.mT, left=1, right=1)
case("matmul", [(300, 3), (3, 2)], torch.matmul)
case("matmul", [(3, 300), (3, 1)], lambda a, b: a.T @ b, left=1)


# Convolutions: weights HWIO.
def conv(x, weight, bias=None, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    top, left, bottom, right = padding
    x = F.pad(nchw(x), (left, right, top, bottom))
    return nhwc(F.conv2d(x, weight.permute(3, 2, 0, 1), bias, stride, 0, dilation, groups))


def same(size, kernel, stride, dilation=1):
    """TensorFlow's rule; the odd pixel goes last."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def conv_case(x, weight, bias=True, **settings):
    shapes = [x, weight] + ([(weight[3],)] if bias else [])
    given = dict(settings)
    if settings.get("same"):
        stride, dilation = settings.get("stride", (1, 1)), settings.get("dilation", (1, 1))
        top, bottom = same(x[1], weight[0], stride[0], dilation[0])
        left, right = same(x[2], weight[1], stride[1], dilation[1])
        settings["padding"] = (top, left, bottom, right)
        del settings["same"]
    case("conv2d", shapes, lambda *t: conv(*t, **settings), **given)


conv_case((2, 5, 4, 3), (1, 1, 3, 7))
conv_case((1, 5, 4, 3), (1, 1, 3, 17), bias=False)
conv_case((2, 6, 5, 3), (1, 1, 3, 4), stride=(2, 2))
conv_case((2, 7, 6, 3), (3, 3, 3, 5), padding=(1, 1, 1, 1))
conv_case((1, 7, 9, 3), (3, 3, 3, 8), stride=(2, 2), padding=(1, 1, 1, 1))
conv_case((1, 8, 9, 2), (3, 3, 2, 4), stride=(2, 2), padding=(0, 0, 1, 1))
conv_case((1, 8, 7, 2), (5, 3, 2, 3), stride=(1, 2), padding=(2, 0, 1, 3))
conv_case((1, 9, 8, 2), (3, 2, 2, 3), padding=(2, 1, 2, 1), dilation=(2, 3))
conv_case((1, 6, 5, 4), (3, 3, 2, 6), padding=(1, 1, 1, 1), groups=2)
conv_case((1, 6, 5, 6), (1, 1, 2, 9), groups=3)
conv_case((1, 5, 6, 4), (3, 3, 1, 8), stride=(2, 1), padding=(1, 1, 1, 1), groups=4)
conv_case((1, 2, 2, 2), (2, 2, 2, 3))
for size in [(7, 8), (8, 7), (9, 10)]:
    for kernel, stride in [(3, 2), (5, 2), (4, 1), (1, 2)]:
        conv_case((1, *size, 2), (kernel, kernel, 2, 2), bias=False, stride=(stride, stride), same=1)
conv_case((1, 9, 9, 2), (3, 3, 2, 2), stride=(2, 2), dilation=(2, 2), same=1)
# Depthwise.
for channels in (3, 17):
    conv_case((2, 6, 5, channels), (3, 3, 1, channels), padding=(1, 1, 1, 1), groups=channels)
conv_case((1, 7, 8, 5), (5, 5, 1, 5), stride=(2, 2), padding=(1, 1, 2, 2), groups=5)
conv_case((1, 7, 8, 5), (3, 3, 1, 5), padding=(2, 2, 2, 2), dilation=(2, 2), groups=5)


# Pooling.
def pool_case(op, shape, function, **settings):
    case(op, [shape], lambda x: nhwc(function(nchw(x))), **settings)


for size in [(7, 8), (5, 6)]:
    for kernel, stride, padding in [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 3, 1), (3, 3, 1)]:
        for ceil in (0, 1):
            given = dict(kernel=kernel, stride=stride, padding=padding, ceil=ceil)
            pool_case("maxPool", (1, *size, 2), lambda x: F.max_pool2d(x, kernel, stride, padding, 1, bool(ceil)), **given)
            for include in (0, 1):
                pool_case(
                    "averagePool", (1, *size, 1),
                    lambda x: F.avg_pool2d(x, kernel, stride, padding, bool(ceil), bool(include)), include=include, **given)
pool_case("globalAveragePool", (2, 5, 4, 3), lambda x: F.adaptive_avg_pool2d(x, 1))
for target in [(1, 1), (3, 2), (4, 7), (9, 8), (7, 7)]:
    pool_case("adaptiveAveragePool", (2, 7, 8, 2), lambda x: F.adaptive_avg_pool2d(x, target), size=target)

# Norms.
case("batchNorm", [(2, 3, 4, 5), (5,), (5,), (5,), (5,)],
     lambda x, m, v, w, b: nhwc(F.batch_norm(nchw(x), m.detach(), v.abs().detach(), w, b, False, 0, 1e-3)), epsilon=1e-3)
case("batchNorm", [(4, 3), (3,), (3,), (3,), (3,)],
     lambda x, m, v, w, b: F.batch_norm(x, m.detach(), v.abs().detach(), w, b, False, 0, 1e-5), epsilon=1e-5)
for groups in (1, 2, 4, 8):
    case("groupNorm", [(2, 3, 5, 8), (8,), (8,)], lambda x, w, b: nhwc(F.group_norm(nchw(x), groups, w, b, 1e-5)),
         groups=groups, epsilon=1e-5)
case("groupNorm", [(3, 6), (6,), (6,)], lambda x, w, b: F.group_norm(x, 3, w, b, 1e-3), groups=3, epsilon=1e-3)

# Resizing.
for size, target in [((5, 7), (9, 11)), ((9, 8), (4, 5)), ((6, 6), (3, 12)), ((4, 4), (4, 4)), ((1, 3), (2, 7))]:
    for mode, code in (("nearest", 0), ("bilinear", 1)):
        options = {} if mode == "nearest" else {"align_corners": False}
        pool_case("resize", (2, *size, 3), lambda x: F.interpolate(x, size=target, mode=mode, **options), size=target, method=code)
# Area: a plain box average where sizes divide, in which PyTorch, OpenCV and we agree.
for size, target in [((6, 9), (3, 3)), ((8, 4), (2, 4))]:
    pool_case("resize", (1, *size, 3), lambda x: F.interpolate(x, size=target, mode="area"), size=target, method=2)

# Shapes.
case("reshape", [(2, 3, 4)], lambda x: x.reshape(4, -1), shape=(4, -1))
for permutation in [(1, 0), ]:
    case("transpose", [(3, 5)], lambda x: x.permute(permutation), permutation=permutation)
for permutation in [(0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 0, 2, 3)]:
    case("transpose", [(2, 3, 4, 5)], lambda x: x.permute(permutation), permutation=permutation)
for axes in [(0,), (1, 2), (-1,)]:
    case("flip", [(2, 3, 4)], lambda x: x.flip(axes), axes=axes)
case("slice", [(4, 5, 6)], lambda x: x[1:3, 2:5, 0:6], low=(1, 2, 0), high=(3, 5, 6), step=(1, 1, 1))
case("slice", [(4, 5, 6)], lambda x: x[0:4:2, 1:5:3, 1:6:2], low=(0, 1, 1), high=(4, 5, 6), step=(2, 3, 2))
for axis in (0, 1, -1):
    shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    shapes[1][axis], shapes[2][axis] = 1, 5
    case("concatenate", [tuple(s) for s in shapes], lambda *t: torch.cat(t, axis), axis=axis)
case("pad", [(2, 3, 2)], lambda x: F.pad(x, (3, 0, 1, 2, 0, 1), value=0.5), before=(0, 1, 3), after=(1, 2, 0), value=0.5)

# Bytes, as OpenCV resizes them.
for size, target in [((23, 17), (9, 11)), ((12, 18), (4, 6)), ((20, 30), (7, 30)), ((5, 7), (11, 13)), ((16, 16), (15, 3))]:
    for method, flag in ((1, cv2.INTER_LINEAR), (2, cv2.INTER_AREA)):
        if method == 2 and (target[0] > size[0] or target[1] > size[1]):
            continue
        name, shape = str(len(cases)), (*size, 3)
        image = np.floor(uniform(f"{name}.0", int(np.prod(shape))) * 256).astype(np.uint8).reshape(shape)
        resized = cv2.resize(image, target[::-1], interpolation=flag)
        add("resizeBytes", [shape], resized.shape, resized, {"method": method})

def write(name, all):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in all) + "\n]\n")
    print(len(all), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    write("operations.json", cases)
