"""Makes detection_loss.json: the loss that RetinaFace is trained with, its parts and its gradient by the network's
outputs, computed by PyTorch from the formulas: matching by IoU, hard negatives, cross-entropy, smooth L1.

    pip install torch numpy
    python make_detection_loss.py detection_loss.json

The outputs are functions of their names (formula.py).
"""
import itertools
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

import formula

WIDTH, HEIGHT = 80, 64
SCALES = [(8, (16, 32)), (16, (64, 128)), (32, (256, 512))]
THRESHOLD, LEAST, RATIO = 0.35, 0.2, 7
# Boxes of each picture; the third of the first is too small for any anchor, the second picture's overlap.
BOXES = [
    [[10, 12, 26, 30], [30, 8, 70, 60], [72, 3, 76, 7]],
    [[20, 20, 44, 52], [26, 22, 52, 50]],
    [[-4, 2, 90, 63]],
]
# Faces without landmarks: (picture, face).
UNMARKED = {(1, 1)}


def anchors():
    rows = []
    for stride, sizes in SCALES:
        for row, column, size in itertools.product(
                range(-(-HEIGHT // stride)), range(-(-WIDTH // stride)), sizes):
            rows.append([(column + 0.5) * stride, (row + 0.5) * stride, size])
    return torch.tensor(rows, dtype=torch.float64)


def overlaps(boxes, priors):
    x, y, half = priors[:, 0], priors[:, 1], priors[:, 2] / 2
    width = torch.minimum(boxes[:, 2:3], x + half) - torch.maximum(boxes[:, 0:1], x - half)
    height = torch.minimum(boxes[:, 3:4], y + half) - torch.maximum(boxes[:, 1:2], y - half)
    shared = width.clamp(min=0) * height.clamp(min=0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return shared / (area[:, None] + 4 * half * half - shared)


def landmarks(picture, face, box):
    u = formula.uniform(f"landmarks.{picture}.{face}", 10).reshape(5, 2)
    return [[box[0] + a * (box[2] - box[0]), box[1] + b * (box[3] - box[1])] for a, b in u]


def main():
    priors = anchors()
    count = len(priors)

    def outputs(name, width, scale):
        values = (formula.uniform(name, len(BOXES) * count * width) - 0.5) * scale
        return torch.tensor(values.astype(np.float32).astype(np.float64)).reshape(
            len(BOXES), count, width).requires_grad_()

    logits, offsets, points = outputs("logits", 2, 6), outputs("boxes", 4, 8), outputs("landmarks", 10, 8)
    classes, box_loss, point_loss, positives, marked = 0, 0, 0, 0, 0
    for picture, boxes in enumerate(BOXES):
        truth = torch.tensor(boxes, dtype=torch.float64)
        shared = overlaps(truth, priors)
        best, face = shared.max(0)
        assigned = torch.where(best >= THRESHOLD, face, -1)
        for number in range(len(boxes)):
            overlap, prior = shared[number].max(0)
            if overlap >= LEAST:
                assigned[prior] = number
        positive = assigned >= 0
        losses = F.cross_entropy(logits[picture], positive.long(), reduction="none")
        background = torch.where(positive, torch.tensor(-1.0, dtype=torch.float64), losses.detach())
        hardest = background.argsort(descending=True)[:min(RATIO * int(positive.sum()), count - 1)]
        chosen = positive.clone()
        chosen[hardest] = True
        classes = classes + losses[chosen].sum()
        for prior in positive.nonzero()[:, 0].tolist():
            number = int(assigned[prior])
            x, y, size = priors[prior]
            x1, y1, x2, y2 = truth[number]
            target = torch.stack([
                ((x1 + x2) / 2 - x) / (0.1 * size), ((y1 + y2) / 2 - y) / (0.1 * size),
                torch.log((x2 - x1) / size) / 0.2, torch.log((y2 - y1) / size) / 0.2])
            box_loss = box_loss + F.smooth_l1_loss(offsets[picture, prior], target, reduction="sum")
            positives += 1
            if (picture, number) in UNMARKED:
                continue
            marks = torch.tensor(landmarks(picture, number, boxes[number]), dtype=torch.float64)
            target = ((marks - priors[prior, :2]) / (0.1 * size)).reshape(-1)
            point_loss = point_loss + F.smooth_l1_loss(points[picture, prior], target, reduction="sum")
            marked += 1
    parts = [classes / positives, box_loss / positives, point_loss / marked]
    loss = parts[0] + 2 * parts[1] + parts[2]
    loss.backward()
    sample = lambda tensor: {
        "sum": float(tensor.grad.abs().sum()), "at": (at := tensor.grad.flatten().abs().argsort(
            descending=True)[:40]).tolist(), "values": tensor.grad.flatten()[at].tolist()}
    with open(sys.argv[1], "w") as file:
        json.dump({
            "width": WIDTH, "height": HEIGHT, "anchors": count, "positives": positives,
            "faces": [[{"box": box, "landmarks": None if (p, f) in UNMARKED else landmarks(p, f, box)}
                       for f, box in enumerate(boxes)] for p, boxes in enumerate(BOXES)],
            "loss": loss.item(), "parts": [part.item() for part in parts],
            "gradients": {"logits": sample(logits), "boxes": sample(offsets), "landmarks": sample(points)},
        }, file)


main()
