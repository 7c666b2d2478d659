"""Writes mtcnn.json: what facenet-pytorch computes, stage by stage, with weights made from names.

Needs: pip install facenet-pytorch==2.6.0 torch torchvision numpy pillow
"""

import json

import formula
import numpy as np
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from facenet_pytorch.models.utils import detect_face
from torchvision.ops import nms

torch.set_grad_enabled(False)
torch.set_num_threads(1)


def parameter(key, shape):
    """Slopes and the last layers' values are made small, so that boxes stay near their windows."""
    scale = 0.25 if "prelu" in key else 0.1 if "_" in key else 1.0
    return torch.from_numpy(np.float32(scale) * formula.values(key, shape, 1.0))


def networks():
    nets = dict(pnet=PNet(pretrained=False), rnet=RNet(pretrained=False),
                onet=ONet(pretrained=False))
    keys = {}
    for name, net in nets.items():
        state = {}
        for key, value in net.state_dict().items():
            keys[f"{name}.{key}"] = list(value.shape)
            state[key] = parameter(f"{name}.{key}", value.shape)
        net.load_state_dict(state)
        net.eval()
    return nets, keys


NETS, KEYS = networks()


def picture(name, width, height):
    """Blocks of noise, so that shrinking leaves something of it."""
    blocks = (-(-height // 5), -(-width // 5), 3)
    values = np.floor(formula.uniform(name, int(np.prod(blocks))) * 256).reshape(blocks)
    return np.repeat(np.repeat(values, 5, 0), 5, 1)[:height, :width].astype(np.uint8)


def rounded(values, digits=6):
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()


def seen(pixels, width, height):
    x = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    return (detect_face.imresample(x, (height, width)) - 127.5) * 0.0078125


def proposal_golden(name, width, height, to_width, to_height):
    boxes, scores = NETS["pnet"](seen(picture(name, width, height), to_width, to_height))
    return dict(picture=name, width=width, height=height, toWidth=to_width, toHeight=to_height,
                rows=scores.shape[2], columns=scores.shape[3],
                scores=rounded(scores[0, 1].reshape(-1)),
                offsets=rounded(boxes[0].permute(1, 2, 0).reshape(-1)))


def crop_golden(net, side, name, width, height, rectangles):
    pixels, rows = picture(name, width, height), []
    for x, y, w, h in rectangles:
        *values, scores = NETS[net](seen(pixels[y:y + h, x:x + w], side, side))
        rows.append(dict(rectangle=[x, y, w, h], score=rounded(scores[0, 1]),
                         values=rounded(torch.cat(values, 1)[0])))
    return dict(network=net, picture=name, width=width, height=height, crops=rows)


def pyramid_golden(width, height, smallest, factor):
    """The scales and sizes as detect_face's loop has them, taken from the calls that it makes."""
    seen_sizes = []
    original = detect_face.imresample
    detect_face.imresample = lambda x, size: (seen_sizes.append(size), original(x, size))[1]
    scales = []
    generate = detect_face.generateBoundingBox
    detect_face.generateBoundingBox = lambda r, p, s, t: (scales.append(s), generate(r, p, s, t))[1]
    thresholds = [1.1, 1, 1]  # nothing passes
    detect_face.detect_face(np.zeros((height, width, 3), np.uint8), smallest, *NETS.values(),
                            thresholds, factor, "cpu")
    detect_face.imresample, detect_face.generateBoundingBox = original, generate
    levels = [dict(scale=s, width=w, height=h) for s, (h, w) in zip(scales, seen_sizes)]
    return dict(width=width, height=height, smallest=smallest, factor=factor, levels=levels)


def box_golden(name, count, width, height):
    u = formula.uniform(name, count * 8).reshape(-1, 8)
    corner = (u[:, :2] * 1.6 - 0.4) * [width, height]
    boxes = np.hstack([corner, corner + 2 + u[:, 2:4] * 60]).astype(np.float32)
    offsets = ((u[:, 4:] - 0.5) * 0.6).astype(np.float32)
    moved = detect_face.bbreg(torch.from_numpy(boxes.copy()), torch.from_numpy(offsets))
    squared = detect_face.rerec(moved.clone())
    y, ey, x, ex = detect_face.pad(squared.clone(), width, height)
    pixels = [[int(a - 1), int(b - 1), int(c - a + 1), int(d - b + 1)]
              if c > a - 1 and d > b - 1 else [] for x0, a, b, c, d in zip(u, x, y, ex, ey)]
    return dict(width=width, height=height,
                boxes=[dict(box=b.tolist(), offsets=o.tolist(), moved=m.tolist(),
                            squared=s.tolist(), pixels=p)
                       for b, o, m, s, p in zip(boxes, offsets, moved.numpy(), squared.numpy(),
                                                pixels)])


def suppression_golden(name, count, threshold, measure):
    u = formula.uniform(name, count * 5).reshape(-1, 5)
    corner = np.round(u[:, :2] * 60, 1)
    boxes = np.hstack([corner, corner + np.round(8 + u[:, 2:4] * 30, 1)]).astype(np.float32)
    scores = u[:, 4].astype(np.float32)
    if measure == "smaller":
        kept = detect_face.nms_numpy(boxes, scores, threshold, "Min")
    else:
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold)
    return dict(threshold=threshold, measure=measure, boxes=boxes.tolist(),
                scores=scores.tolist(), kept=[int(k) for k in kept])


def detections(name, width, height, smallest, factor, thresholds):
    detector = MTCNN.__new__(MTCNN)  # its own __init__ would load published weights
    torch.nn.Module.__init__(detector)
    detector.min_face_size, detector.factor, detector.thresholds = smallest, factor, thresholds
    detector.pnet, detector.rnet, detector.onet = NETS["pnet"], NETS["rnet"], NETS["onet"]
    detector.device, detector.select_largest = torch.device("cpu"), False
    return detector.detect(picture(name, width, height), landmarks=True)


def detection_golden(name, width, height, smallest, factor, thresholds):
    """On the first picture of that name in which a few faces are found, none on the verge. (Where a
    proposal lies outside of the picture, the published code fails.)"""
    for attempt in range(200):
        given = f"{name}:{attempt}"
        settings = width, height, smallest, factor
        try:
            boxes, scores, points = detections(given, *settings, thresholds)
            near = [detections(given, *settings, [t + d for t in thresholds])[1]
                    for d in (-1e-5, 1e-5)]
        except IndexError:
            continue
        if boxes is None or not 2 <= len(boxes) <= 24 or len(set(scores)) < len(scores):
            continue
        if any(len(n) != len(scores) or list(n) != list(scores) for n in near):
            continue
        print(given, len(boxes), "faces", rounded(scores, 3))
        faces = [dict(box=rounded(b, 3), score=float(s), landmarks=rounded(np.reshape(p, -1), 3))
                 for b, s, p in zip(boxes, scores, points)]
        return dict(picture=given, width=width, height=height, smallest=smallest, factor=factor,
                    thresholds=thresholds, faces=faces)
    raise SystemExit(f"{name}: no picture will do")


RECTANGLES = [(0, 0, 47, 39), (5, 7, 24, 24), (40, 30, 7, 9), (10, 3, 1, 1), (3, 2, 29, 30),
              (0, 20, 47, 3)]
golden = dict(
    keys=KEYS,
    proposals=[proposal_golden("p:a", 47, 39, 31, 26), proposal_golden("p:b", 20, 20, 13, 13),
               proposal_golden("p:c", 61, 14, 74, 17), proposal_golden("p:d", 12, 12, 12, 12)],
    crops=[crop_golden("rnet", 24, "crops", 47, 39, RECTANGLES),
           crop_golden("onet", 48, "crops", 47, 39, RECTANGLES)],
    pyramids=[pyramid_golden(*p) for p in [
        (960, 540, 20, 0.709), (1024, 624, 20, 0.709), (333, 517, 33.3, 0.8), (100, 20, 12, 0.5),
        (64, 48, 7, 0.9), (33, 25, 20, 0.709)]],
    boxes=box_golden("boxes", 24, 60, 44),
    suppression=[suppression_golden("s:a", 120, 0.5, "union"),
                 suppression_golden("s:b", 120, 0.7, "union"),
                 suppression_golden("s:c", 120, 0.7, "smaller"),
                 suppression_golden("s:d", 30, 0.2, "smaller")],
    detections=[
        detection_golden("d:a", 90, 71, 20, 0.709, [0.5, 0.5, 0.5]),
        detection_golden("d:b", 47, 120, 15, 0.8, [0.53, 0.46, 0.55]),
        detection_golden("d:c", 64, 48, 20, 0.709, [0.52, 0.45, 0.5]),
        detection_golden("d:d", 80, 60, 9, 0.5, [0.54, 0.47, 0.56])])
with open("mtcnn.json", "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
