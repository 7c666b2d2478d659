"""Writes gradients.json: PyTorch's gradients, in double precision, of make_operations.py's cases and of
operations that have none there.

    pip install torch torchvision numpy opencv-python-headless
    python make_gradients.py

The loss is the sum of the output times values of its own: those named "NAME.g", where NAME.0, NAME.1, ...
are the inputs (make_operations.py). Losses and fused operations carry their outputs too.
"""
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from make_operations import gradient, gradients, listed, nchw, nhwc, numbers, values, write

cases = []


def add(op, name, shapes, settings, found, output=None):
    cases.append({
        "op": op, "name": name, "inputs": [list(s) for s in shapes], "settings": listed(settings),
        "gradients": [None if g is None else numbers(g) for g in found],
    })
    if output is not None:
        cases[-1] |= {"shape": list(output.shape), "values": numbers(output.detach())}


def case(op, shapes, compute, **settings):
    """`rounded` inputs are whole numbers, so that many are equal."""
    name = f"gradient{len(cases)}"
    inputs = [values(f"{name}.{i}", s) for i, s in enumerate(shapes)]
    if settings.get("rounded"):
        inputs = [x.round() for x in inputs]
    add(op, name, shapes, settings, gradient(name, inputs, compute), compute(*[x.double() for x in inputs]))


for op, name, shapes, settings, found in gradients:
    add(op, name, shapes, settings, found)

# Where derivatives jump.
for op, function in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
    case(op, [(4, 9), (9,)], function, rounded=1)
for op, function in {"abs": torch.abs, "relu": torch.relu, "leakyReLU": lambda x: F.leaky_relu(x, 0.1)}.items():
    case(op, [(4, 9)], function, rounded=1, slope=0.1)
case("prelu", [(4, 9), (9,)], F.prelu, rounded=1)
case("clamp", [(4, 9)], lambda x: x.clamp(-1, 1), range=(-1, 1), rounded=1)
for axes in [(0,), (1, 2), (0, 2), (0, 1, 2)]:
    case("max", [(3, 4, 5)], lambda x: x.amax(axes), axes=axes, rounded=1)
    case("min", [(3, 4, 5)], lambda x: x.amin(axes, keepdim=True), axes=axes, keep=1, rounded=1)
case("maxPool", [(2, 7, 6, 5)], lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 1)), kernel=3, stride=2, padding=1, rounded=1)

# Dropout and numbers.
case("fixedProduct", [(3, 2, 2, 4)], lambda x: x * torch.tensor([0.0, 2.0, 4.0], dtype=x.dtype).view(3, 1, 1, 1))
case("scale", [(3, 4)], lambda x: x * -1.5)

# Norms: the batch's own statistics; an activation after the norm.
activations = [lambda x: x, torch.relu, lambda x: F.leaky_relu(x, 0.1), F.silu]
for code, activation in enumerate(activations):
    for shape in [(2, 3, 4, 5), (9, 24)]:
        channels = shape[-1:]
        case("measuredBatchNorm", [shape, channels, channels],
             lambda x, w, b: activation(F.batch_norm(x.flatten(0, -2), None, None, w, b, True, 0, 1e-3)).reshape(shape),
             activation=code, epsilon=1e-3)
    for groups, shape in [(1, (2, 3, 5, 8)), (4, (2, 3, 5, 8)), (8, (3, 1, 1, 24)), (3, (2, 4, 4, 18))]:
        channels = shape[-1:]
        case("activatedGroupNorm", [shape, channels, channels],
             lambda x, w, b: nhwc(activation(F.group_norm(nchw(x), groups, w, b, 1e-5))),
             groups=groups, activation=code, epsilon=1e-5)
case("channelScale", [(2, 3, 4, 5), (2, 5)], lambda x, s: x * s[:, None, None, :])

# Losses. Targets are (x + 2) / 4; the second input of regressions is as it is.
def target(x):
    return x / 4 + 0.5


reductions = ["none", "mean", "sum"]
for code, reduction in enumerate(reductions):
    case("binaryCrossEntropy", [(7,), (7,)],
         lambda x, t: F.binary_cross_entropy_with_logits(20 * x, target(t), reduction=reduction),
         reduction=code, scale=20)
    weights = values("weights", (7,)).abs()
    case("binaryCrossEntropy", [(7,), (7,)],
         lambda x, t: F.binary_cross_entropy_with_logits(
             x, target(t) * 0.9 + 0.05, weights.to(x.dtype), reduction=reduction,
             pos_weight=torch.tensor(3.0, dtype=x.dtype)),
         reduction=code, scale=1, smoothing=0.1, positive=3, weighted=1)
    case("focalLoss", [(7,), (7,)], lambda x, t: sigmoid_focal_loss(x, target(t), 0.25, 2, reduction),
         reduction=code, alpha=0.25, gamma=2)
    case("focalLoss", [(7,), (7,)], lambda x, t: sigmoid_focal_loss(3 * x, target(t).round(), -1, 1.5, reduction),
         reduction=code, gamma=1.5, hard=1)
    case("squaredError", [(3, 5), (3, 5)], lambda a, b: F.mse_loss(a, b, reduction=reduction), reduction=code)
    for beta in (1, 0.3, 0):
        case("smoothL1", [(3, 5), (3, 5)], lambda a, b: F.smooth_l1_loss(a, b, reduction=reduction, beta=beta),
             reduction=code, beta=beta)
    classes = [1, 0, 2, 2, 3, 1]
    for smoothing in (0, 0.1):
        for weighted in (0, 1):
            per_class = [0.5, 2, 1, 3] if weighted else None

            def weight(x):
                return torch.tensor(per_class, dtype=x.dtype) if weighted else None

            settings = dict(reduction=code, smoothing=smoothing, **({"classWeights": per_class} if weighted else {}))
            case("crossEntropy", [(6, 4)],
                 lambda x: F.cross_entropy(5 * x, torch.tensor(classes), weight(x), reduction=reduction,
                                           label_smoothing=smoothing), classes=classes, **settings)
            case("crossEntropy", [(6, 4), (6, 4)],
                 lambda x, t: F.cross_entropy(5 * x, torch.softmax(t, -1), weight(x), reduction=reduction,
                                              label_smoothing=smoothing), **settings)

write("gradients.json", cases)
