#!/usr/bin/env python3
"""From a video to a verdict as a user of Python would do it: what `dfkit predict` is measured against.

The pipeline is that of the dfdc-silver recipe: 25 evenly spread frames, RetinaFace on frames of half the
size, the surest face of each cut out square, five of timm's EfficientNets with group norm, the mean of all
scores. Networks run in PyTorch (channels last) or in ONNX Runtime; the detector always in ONNX Runtime.

    pip install torch timm safetensors onnx onnxruntime opencv-python-headless av
    python3 Scripts/make-formula-weights.py WEIGHTS
    python3 Scripts/peers/predict.py prepare --weights WEIGHTS --to NETWORKS
    time python3 Scripts/peers/predict.py run --engine onnxruntime --networks NETWORKS \\
        --detector retinaface-mobilenet0.25.onnx VIDEO

`prepare` writes what an installed program would find ready: state dicts for PyTorch, graphs that ONNX
Runtime has optimised already. `run` is to be timed as a whole process; it prints its stages as JSON.
WEIGHTS can be dfkit's too, so that both give the same scores, but for the pictures' scaling.
"""
import time

STARTED = time.perf_counter()

import argparse
import json
import os
import resource

FRAMES = 25
MARGIN = 0.15
MEMBERS = {
    "b6-200": ("efficientnet_b6", 200),
    "b5-224-faces3": ("efficientnet_b5", 224),
    "b5-224-faces6": ("efficientnet_b5", 224),
    "b6-224-val": ("efficientnet_b6", 224),
    "b4-224-aug": ("efficientnet_b4", 224),
}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


# ---- Networks -----------------------------------------------------------------------------------


def network(name):
    """timm's network with every norm exchanged for a group norm of eight groups."""
    import timm
    import torch
    from timm.layers import GroupNormAct

    def exchange(module):
        for key, child in module.named_children():
            if isinstance(child, torch.nn.BatchNorm2d):
                groups = 8
                while child.num_features % groups:
                    groups //= 2
                norm = GroupNormAct(child.num_features, groups)
                norm.act = child.act
                setattr(module, key, norm)
            else:
                exchange(child)
        return module

    return exchange(timm.create_model(name, num_classes=1, pretrained=False)).eval()


def prepare(options):
    import onnxruntime
    import safetensors.torch
    import torch

    os.makedirs(options.to, exist_ok=True)
    for member, (name, size) in MEMBERS.items():
        module = network(name)
        module.load_state_dict(
            safetensors.torch.load_file(os.path.join(options.weights, member + ".safetensors")))
        base = os.path.join(options.to, member)
        torch.save(module.state_dict(), base + ".pth")
        torch.onnx.export(
            module, torch.zeros(2, 3, size, size), base + ".export.onnx", dynamo=False,
            opset_version=18, input_names=["x"], dynamic_axes={"x": {0: "n"}})
        settings = onnxruntime.SessionOptions()
        settings.optimized_model_filepath = base + ".onnx"
        onnxruntime.InferenceSession(
            base + ".export.onnx", settings, providers=["CPUExecutionProvider"])
        os.remove(base + ".export.onnx")
        print(base)


def session(path, threads, optimised=False):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.log_severity_level = 3
    if optimised:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def load(options):
    """A function from crops prepared as an array NCHW to logits, for each member."""
    if options.engine == "onnxruntime":

        def scorer(member):
            graph = session(
                os.path.join(options.networks, member + ".onnx"), options.threads, optimised=True)
            return lambda x: graph.run(None, {"x": x})[0]

        return {member: scorer(member) for member in MEMBERS}
    import torch

    torch.set_num_threads(options.threads)

    def scorer(member, name):
        with torch.device("meta"):
            module = network(name)
        state = torch.load(
            os.path.join(options.networks, member + ".pth"), mmap=True, weights_only=True)
        module.load_state_dict(state, assign=True)
        module = module.eval().to(memory_format=torch.channels_last)

        @torch.inference_mode()
        def run(x):
            x = torch.from_numpy(x).to(memory_format=torch.channels_last)
            return module(x).numpy()

        return run

    return {member: scorer(member, name) for member, (name, _) in MEMBERS.items()}


# ---- Frames and faces ---------------------------------------------------------------------------


def frames(path, options):
    """The evenly spread frames, BGR."""
    import numpy as np

    def wanted(total):
        return set(np.linspace(0, total - 1, FRAMES).round().astype(int).tolist())

    if options.decoder == "av":
        import av

        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = options.threads
            wanted = wanted(stream.frames)
            return [
                frame.to_ndarray(format="bgr24")
                for i, frame in enumerate(container.decode(stream)) if i in wanted]
    import cv2

    cv2.setNumThreads(options.threads)
    video = cv2.VideoCapture(path)
    wanted = wanted(int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    found = []
    for i in range(max(wanted) + 1):
        if not video.grab():
            break
        if i in wanted:
            found.append(video.retrieve()[1])
    return found


class Detector:
    """The surest face of a frame, by RetinaFace (mobilenet0.25)."""

    def __init__(self, path, threads):
        self.graph = session(path, threads)
        self.anchors = {}

    def anchors_of(self, height, width):
        """Centres and sizes in parts of the frame, [n, 4]."""
        import numpy as np

        if (height, width) not in self.anchors:
            levels = []
            for stride, sides in [(8, (16, 32)), (16, (64, 128)), (32, (256, 512))]:
                y, x = np.meshgrid(
                    (np.arange(-(-height // stride)) + 0.5) * stride / height,
                    (np.arange(-(-width // stride)) + 0.5) * stride / width, indexing="ij")
                parts = [
                    np.stack([x, y, x * 0 + side / width, y * 0 + side / height], axis=-1)
                    for side in sides]
                levels.append(np.stack(parts, axis=2).reshape(-1, 4))
            self.anchors[height, width] = np.concatenate(levels)
        return self.anchors[height, width]

    def surest(self, frame):
        """left, top, right, bottom in pixels; None where there is no face."""
        import numpy as np

        height, width = frame.shape[:2]
        x = (frame.astype(np.float32) - np.float32([104, 117, 123])).transpose(2, 0, 1)[None]
        boxes, scores = self.graph.run(["loc", "conf"], {"x": np.ascontiguousarray(x)})
        best = int(scores[0, :, 1].argmax())
        if scores[0, best, 1] <= 0.5:
            return None
        anchor, shift = self.anchors_of(height, width)[best], boxes[0, best]
        centre = anchor[:2] + shift[:2] * 0.1 * anchor[2:]
        half = anchor[2:] * np.exp(shift[2:] * 0.2) / 2
        return np.concatenate([centre - half, centre + half]) * [width, height, width, height]


def cut(frame, box):
    """A square around the box, its edge repeated where it leaves the frame."""
    import cv2

    left, top, right, bottom = box
    side = max(1, round(max(right - left, bottom - top) * (1 + 2 * MARGIN)))
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    height, width = frame.shape[:2]
    inside = frame[max(0, y):max(0, y + side), max(0, x):max(0, x + side)]
    return cv2.copyMakeBorder(
        inside, max(0, -y), max(0, y + side - height), max(0, -x), max(0, x + side - width),
        cv2.BORDER_REPLICATE)


def crops(found, detector):
    import cv2

    result = []
    for frame in found:
        small = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        box = detector.surest(small)
        if box is not None:
            result.append(cut(frame, box * 2))
    return result


def prepared(found, size):
    """Crops as the networks expect them, NCHW."""
    import cv2
    import numpy as np

    x = np.stack([cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) for crop in found])
    x = (x[..., ::-1] / np.float32(255) - np.float32(MEAN)) / np.float32(DEVIATION)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2), dtype=np.float32)


# ---- The whole ----------------------------------------------------------------------------------


def run(options):
    import cv2  # noqa: F401
    import numpy as np
    import onnxruntime  # noqa: F401

    if options.engine == "torch":
        import timm  # noqa: F401
    seconds, last = {}, STARTED

    def stage(name):
        nonlocal last
        now = time.perf_counter()
        seconds[name] = round(now - last, 3)
        last = now

    stage("import")
    detector = Detector(options.detector, options.threads)
    networks = load(options)
    stage("load")
    for path in options.videos:
        if path.lower().endswith((".jpg", ".png")):
            found = [cv2.imread(path)]
        else:
            found = frames(path, options)
        stage("decode")
        faces = crops(found, detector)
        stage("detect")
        scores = {}
        for member, network in networks.items():
            x = prepared(faces, MEMBERS[member][1])
            logits = [network(x[i:i + options.batch]) for i in range(0, len(x), options.batch)]
            scores[member] = float((1 / (1 + np.exp(-np.concatenate(logits)))).mean())
        stage("classify")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({
            "video": os.path.basename(path), "frames": len(found), "faces": len(faces),
            "probability": float(np.clip(np.mean(list(scores.values())), 0.01, 0.99)),
            "members": scores, "seconds": seconds, "peakMB": memory}), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(required=True)
    action = actions.add_parser("prepare", help="write the networks as each engine reads them")
    action.add_argument("--weights", required=True, help="folder of MEMBER.safetensors")
    action.add_argument("--to", required=True, help="folder for the networks")
    action.set_defaults(perform=prepare)
    action = actions.add_parser("run", help="judge videos")
    action.add_argument("--engine", required=True, choices=["torch", "onnxruntime"])
    action.add_argument("--networks", required=True, help="folder that prepare wrote")
    action.add_argument("--detector", required=True, help="RetinaFace as ONNX")
    action.add_argument("--decoder", default="opencv", choices=["opencv", "av"])
    action.add_argument("--threads", type=int, default=2)
    action.add_argument("--batch", type=int, default=FRAMES, help="crops at once")
    action.add_argument("videos", nargs="+")
    action.set_defaults(perform=run)
    options = parser.parse_args()
    options.perform(options)


if __name__ == "__main__":
    main()
