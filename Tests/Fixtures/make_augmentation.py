"""Writes augmentation.json: what torchvision and OpenCV make of a small picture.

    pip install torch torchvision numpy opencv-python-headless
    python make_augmentation.py

Pictures are base64 of their bytes.
"""
import base64
import json
import pathlib

import cv2
import numpy as np
import torch
import torchvision.transforms.v2.functional as F

from formula import uniform

WIDTH, HEIGHT = 32, 22


def picture():
    """Waves of colour, some noise, and one pure colour each in the first row."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    red = 127 + 100 * np.sin(x / 6) * np.cos(y / 8)
    green = 110 + 90 * np.cos(x / 9 + y / 5)
    blue = 20 + 4 * x + 2 * y
    image = np.stack([red, green, blue], -1)
    image += (uniform("augmentation", HEIGHT * WIDTH * 3).reshape(image.shape) - 0.5) * 40
    image = np.floor(np.clip(image, 0, 255)).astype(np.uint8)
    image[0, :8] = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255],
                    [255, 255, 0], [128, 128, 128], [255, 254, 255]]
    return image


image = picture()
tensor = torch.from_numpy(image).permute(2, 0, 1).contiguous()
# Floats from 0 to 1, so that nothing is rounded on the way.
floats = tensor.double() / 255


def from_torch(result):
    result = (result.clamp(0, 1) * 255 + 0.5).floor() if result.is_floating_point() else result
    return result.permute(1, 2, 0).to(torch.uint8).numpy()


def shifted_hsv(hue, saturation, value):
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + 360 * hue) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] + saturation, 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] + value, 0, 1)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return np.floor(np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def jpeg(quality):
    subsampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if quality >= 90 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, subsampling]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    assert done
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


cases = []


def text(pixels):
    return base64.b64encode(np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()).decode()


def add(kind, values, expected):
    assert expected.shape == (HEIGHT, WIDTH, 3)
    cases.append({"kind": kind, "values": values, "expected": text(expected)})


for factor in (0.0, 0.6, 1.4):
    add("brightness", [factor], from_torch(F.adjust_brightness(tensor, factor)))
for factor in (0.0, 0.5, 1.7):
    add("contrast", [factor], from_torch(F.adjust_contrast(tensor, factor)))
for gamma in (0.5, 1.6):
    add("gamma", [gamma], from_torch(F.adjust_gamma(floats, gamma)))
for turn in (-0.4, 0.1, 0.5):
    add("hsv", [turn, 0, 0], from_torch(F.adjust_hue(floats.float(), turn)))
for hue, saturation, value in ((0.05, 0.2, -0.1), (-0.1, -0.3, 0.15), (0, 0, 0)):
    add("hsv", [hue, saturation, value], shifted_hsv(hue, saturation, value))
add("grey", [], cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
for sigma in (0.4, 1.0, 2.5):
    size = 2 * int(np.ceil(3 * sigma)) + 1
    add("blur", [sigma], from_torch(F.gaussian_blur(floats, [size, size], [sigma, sigma])))
for degrees in (15.0, -40.0):
    turned = F.rotate(floats, degrees, interpolation=F.InterpolationMode.BILINEAR)
    add("rotation", [degrees], from_torch(turned))
add("flip", [], from_torch(F.horizontal_flip(tensor)))
for quality in (30, 95):
    add("jpeg", [quality], jpeg(quality))

golden = {"width": WIDTH, "height": HEIGHT, "image": text(image), "cases": cases}
folder = pathlib.Path(__file__).parent
(folder / "augmentation.json").write_text(json.dumps(golden, indent=1) + "\n")
