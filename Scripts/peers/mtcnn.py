#!/usr/bin/env python3
"""What facenet-pytorch's MTCNN takes for frames of a video: what `dfkit bench detect --detector mtcnn` is
measured against.

    pip install facenet-pytorch==2.6.0 opencv-python-headless av
    python3 Scripts/peers/mtcnn.py VIDEO --size 960x540 --batch 25

25 frames spread evenly over the video, scaled as OpenCV's INTER_AREA does; from pixels to boxes and
landmarks. Milliseconds a frame of all runs that count, as JSON.
"""
import argparse
import json
import os
import time

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("video")
parser.add_argument("--size", default="960x540")
parser.add_argument("--batch", type=int, default=25)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--warm-up", type=int, default=1)
parser.add_argument("--repeats", type=int, default=5)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import av
import cv2
import numpy
import torch
from facenet_pytorch import MTCNN

FRAMES = 25


def frames():
    width, height = map(int, options.size.split("x"))
    with av.open(options.video) as container:
        count = sum(1 for _ in container.decode(video=0))
    wanted = set(numpy.linspace(0, count - 1, FRAMES).round().astype(int).tolist())
    with av.open(options.video) as container:
        return [
            cv2.resize(frame.to_ndarray(format="rgb24"), (width, height),
                       interpolation=cv2.INTER_AREA)
            for index, frame in enumerate(container.decode(video=0)) if index in wanted]


torch.set_num_threads(options.threads)
detector = MTCNN(keep_all=True, device="cpu")
pictures = frames()
times = []
for _ in range(options.warm_up + options.repeats):
    started = time.perf_counter()
    for start in range(0, len(pictures), options.batch):
        detector.detect(pictures[start:start + options.batch], landmarks=True)
    times.append(round((time.perf_counter() - started) * 1000 / len(pictures), 4))
print(json.dumps({
    "work": "detect", "network": "mtcnn", "size": options.size, "batch": options.batch,
    "threads": options.threads,
    "millisecondsPerImage": {"facenet-pytorch": times[options.warm_up:]}}))
