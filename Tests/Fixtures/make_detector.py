"""Golden values of RetinaFace: python make_detector.py, in this folder. Needs torch and numpy.

The two networks are written down here a second time, on PyTorch's functions, and run with weights
computed from the parameters' names; anchors, decoding and suppression follow the paper in NumPy.
Writes detector.json.
"""

import itertools
import json

import numpy as np
import torch
import torch.nn.functional as F

import formula

torch.set_grad_enabled(False)
MEANS = np.float32([104, 117, 123])  # blue, green, red
SCALES = [(8, (16, 32)), (16, (64, 128)), (32, (256, 512))]


class Network:
    """Layers whose parameters come from their keys when they are first called."""

    def __init__(self, backbone, variance_scale):
        self.backbone, self.variance_scale, self.shapes = backbone, variance_scale, {}

    def parameter(self, key, *shape):
        self.shapes[key] = list(shape)
        return torch.from_numpy(formula.values(key, shape, self.variance_scale))

    def block(self, conv, norm, x, out, kernel, stride=1, groups=1, slope=None):
        """Convolution, batch norm, and a leaky ReLU if a slope is given."""
        weight = self.parameter(conv + ".weight", out, x.shape[1] // groups, kernel, kernel)
        x = F.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=groups)
        mean, var = (self.parameter(f"{norm}.running_{s}", out) for s in ("mean", "var"))
        scale, shift = (self.parameter(f"{norm}.{s}", out) for s in ("weight", "bias"))
        self.shapes[norm + ".num_batches_tracked"] = []
        x = F.batch_norm(x, mean, var, scale, shift, eps=1e-5)
        return x if slope is None else F.leaky_relu(x, slope)

    def pair(self, scope, x, out, kernel, first=0, **settings):
        return self.block(f"{scope}.{first}", f"{scope}.{first + 1}", x, out, kernel, **settings)

    def mobilenet(self, x):
        stages = [[(16, 1), (32, 2), (32, 1), (64, 2), (64, 1)],
                  [(128, 2)] + [(128, 1)] * 5, [(256, 2), (256, 1)]]
        x = self.pair("body.stage1.0", x, 8, 3, stride=2, slope=0.1)
        for s, stage in enumerate(stages):
            for i, (out, stride) in enumerate(stage):
                scope, c = f"body.stage{s + 1}.{i + (s == 0)}", x.shape[1]
                x = self.pair(scope, x, c, 3, stride=stride, groups=c, slope=0.1)
                x = self.pair(scope, x, out, 1, first=3, slope=0.1)
            yield x

    def resnet(self, x):
        x = F.max_pool2d(self.block("body.conv1", "body.bn1", x, 64, 7, stride=2, slope=0), 3, 2, 1)
        for layer, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 1):
            for i in range(count):
                scope, stride = f"body.layer{layer}.{i}", 2 if layer > 1 and i == 0 else 1
                step = lambda n, *a, **k: self.block(f"{scope}.conv{n}", f"{scope}.bn{n}", *a, **k)
                y = step(1, x, width, 1, slope=0)
                y = step(2, y, width, 3, stride=stride, slope=0)
                y = step(3, y, 4 * width, 1)
                if i == 0:
                    x = self.pair(scope + ".downsample", x, 4 * width, 1, stride=stride)
                x = F.relu(x + y)
            if layer > 1:
                yield x

    def head(self, name, level, x, per_anchor):
        key, out = f"{name}.{level}.conv1x1", 2 * per_anchor
        weight = self.parameter(key + ".weight", out, x.shape[1], 1, 1)
        y = F.conv2d(x, weight, self.parameter(key + ".bias", out))
        return y.permute(0, 2, 3, 1).reshape(len(x), -1, per_anchor)

    def __call__(self, x):
        width = 64 if self.backbone == "mobilenet0.25" else 256
        slope = 0.1 if width <= 64 else 0.0
        body = self.mobilenet if self.backbone == "mobilenet0.25" else self.resnet
        maps = [self.pair(f"fpn.output{i + 1}", f, width, 1, slope=slope)
                for i, f in enumerate(body(x))]
        for i in (1, 0):
            coarse = F.interpolate(maps[i + 1], size=maps[i].shape[2:], mode="nearest")
            maps[i] = self.pair(f"fpn.merge{i + 1}", maps[i] + coarse, width, 3, slope=slope)
        heads = []
        for i, x in enumerate(maps):
            part = lambda n, x, share, **k: self.pair(f"ssh{i + 1}.{n}", x, width // share, 3, **k)
            near, shared = part("conv3X3", x, 2), part("conv5X5_1", x, 4, slope=slope)
            middle, far = part("conv5X5_2", shared, 4), part("conv7X7_2", shared, 4, slope=slope)
            x = F.relu(torch.cat([near, middle, part("conv7x7_3", far, 4)], 1))
            heads.append([self.head(name, i, x, n) for name, n in
                          [("ClassHead", 2), ("BboxHead", 4), ("LandmarkHead", 10)]])
        return [torch.cat(parts, 1).numpy() for parts in zip(*heads)]


def anchors(width, height):
    """Centre x, centre y and side, in pixels."""
    rows = []
    for stride, sizes in SCALES:
        cells = itertools.product(range(-(-height // stride)), range(-(-width // stride)))
        rows += [((c + 0.5) * stride, (r + 0.5) * stride, s) for r, c in cells for s in sizes]
    return np.float64(rows)


def decode(priors, boxes, landmarks):
    side = priors[:, 2:]
    center = priors[:, :2] + 0.1 * boxes[:, :2] * side
    half = side * np.exp(0.2 * boxes[:, 2:]) / 2
    points = priors[:, None, :2] + 0.1 * landmarks.reshape(-1, 5, 2) * side[:, None]
    return np.hstack([center - half, center + half]), points.reshape(-1, 10)


def overlap(a, b):
    """Intersection over union of a with each of b, corners counted as pixels of the box."""
    side = lambda low, high: np.maximum(0, high - low + 1)
    shared = side(np.maximum(a[0], b[:, 0]), np.minimum(a[2], b[:, 2])) * side(
        np.maximum(a[1], b[:, 1]), np.minimum(a[3], b[:, 3]))
    area = lambda x: (x[..., 2] - x[..., 0] + 1) * (x[..., 3] - x[..., 1] + 1)
    return shared / (area(a) + area(b) - shared)


def suppress(boxes, scores, threshold):
    """Indices that stay, and how near the closest decision was to falling the other way."""
    order, kept, margin = list(np.argsort(-scores, kind="stable")), [], 1.0
    while order:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        shares = overlap(boxes[first], boxes[rest])
        margin = min([margin, *np.abs(shares - threshold)])
        order = [i for i, share in zip(rest, shares) if share <= threshold]
    return kept, margin


def sample(values, step):
    return dict(shape=list(values.shape), step=step,
                values=[round(float(v), 6) for v in values.reshape(-1)[::step]])


def faces(width, height, logits, boxes, landmarks, threshold):
    """Each frame's faces, or None where one hangs on rounding, or they are too few or too many."""
    frames = []
    for i in range(len(logits)):
        scores = 1 / (1 + np.exp(np.float64(logits[i, :, 0]) - logits[i, :, 1]))
        corners, points = decode(anchors(width, height), boxes[i], landmarks[i])
        chosen = np.flatnonzero(scores > threshold)
        kept, margin = suppress(corners[chosen], scores[chosen], 0.4)
        if min(margin, np.abs(scores - threshold).min()) < 1e-4 or not 4 <= len(kept) <= 30:
            return None
        kept = chosen[kept]
        frames.append([dict(box=np.round(corners[k], 3).tolist(), score=round(float(scores[k]), 6),
                            landmarks=np.round(points[k], 3).tolist()) for k in kept])
    return frames


def network_golden(backbone, variance_scale, width, height):
    net = Network(backbone, variance_scale)
    name = f"input:{backbone}:{width}x{height}"
    pixels = np.floor(formula.uniform(name, 2 * height * width * 3) * 256)
    pixels = pixels.astype(np.float32).reshape(2, height, width, 3)  # two RGB frames
    x = torch.from_numpy((pixels[..., ::-1] - MEANS).transpose(0, 3, 1, 2).copy())
    logits, boxes, landmarks = net(x)
    threshold, frames = next(
        (t, found) for t in np.arange(0.5, 0.99, 0.01).round(2)
        if (found := faces(width, height, logits, boxes, landmarks, t)))
    print(backbone, len(net.shapes), "keys; mean logit", np.abs(logits).mean(),
          "threshold", threshold, "faces", [len(f) for f in frames])
    return dict(backbone=backbone, varianceScale=variance_scale, width=width, height=height,
                input=name, threshold=float(threshold), keys=net.shapes, logits=sample(logits, 7),
                boxes=sample(boxes, 13), landmarks=sample(landmarks, 31), frames=frames)


def anchor_golden(width, height):
    priors = anchors(width, height)
    chosen = np.linspace(0, len(priors) - 1, 12).round().astype(int)
    name = f"offsets:{width}x{height}"
    offsets = np.round(formula.uniform(name, len(chosen) * 14).reshape(-1, 14) * 8 - 4, 3)
    boxes, points = decode(priors[chosen], offsets[:, :4], offsets[:, 4:])
    rows = [dict(index=int(i), anchor=priors[i].tolist(), offsets=o.tolist(),
                 box=np.round(b, 4).tolist(), landmarks=np.round(p, 4).tolist())
            for i, o, b, p in zip(chosen, offsets, boxes, points)]
    return dict(width=width, height=height, count=len(priors), anchors=rows)


def suppression_golden(name, count, threshold):
    u = formula.uniform(name, count * 5).reshape(-1, 5)
    corner, size = np.round(u[:, :2] * 60, 1), np.round(4 + u[:, 2:4] * 30, 1)
    boxes = np.round(np.hstack([corner, corner + size]), 1)
    scores = np.round(u[:, 4], 1)  # one decimal: many ties
    kept, margin = suppress(boxes, scores, threshold)
    assert margin > 1e-5, margin
    return dict(threshold=threshold, boxes=boxes.tolist(), scores=scores.tolist(), kept=kept)


golden = dict(
    networks=[network_golden("mobilenet0.25", 0.75, 96, 71),
              network_golden("resnet50", 2.1, 71, 50)],
    anchors=[anchor_golden(*size) for size in [(1024, 624), (333, 517), (96, 71), (1, 1)]],
    suppression=[suppression_golden("boxes:a", 150, 0.4), suppression_golden("boxes:b", 40, 0.1)])
with open("detector.json", "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
