"""Makes fingerprints.json: perceptual hashes as Python's imagehash computes them, and JPEGs' quality.

    python -m venv venv && venv/bin/pip install imagehash pillow numpy
    venv/bin/python make_fingerprints.py

Pictures are computed from a formula that the tests know too, so that none is stored, apart from JPEG files'
headers, which are cut off after their quantisation tables. Pictures much taller than wide are left out: Pillow
13 scales these down before across, earlier ones the other way round, and the bytes differ by one.
"""

import base64
import io
import json
import pathlib

import imagehash
import numpy as np
from PIL import Image


def picture(width, height, seed):
    """Waves and blocks of whole numbers: the same on every computer."""
    x = np.arange(width, dtype=np.int64)[None, :]
    y = np.arange(height, dtype=np.int64)[:, None]
    planes = []
    for c in range(3):
        s = seed * 7 + c * 3
        wave = (x * x * (s % 5 + 1) + y * y * (s % 3 + 1) + x * y * (s % 7)) // (width + height)
        blocks = ((x * 5 // width) * 37 + (y * 4 // height) * 53 + s * 29) % 200
        planes.append((wave % 90 + blocks * 4 // 5) % 256)
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8), "RGB")


hashes = []
for width, height, seed in [
    (224, 224, 1), (224, 224, 2), (160, 200, 3), (97, 131, 4), (32, 32, 5), (20, 25, 6),
    (640, 361, 7), (500, 33, 8),
]:
    image = picture(width, height, seed)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    small = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    hashes.append({
        "width": width, "height": height, "seed": seed, "hash": str(imagehash.phash(image)),
        "mirrored": str(imagehash.phash(mirrored)),
        "lanczos": np.asarray(small).flatten().tolist() if width * height < 20000 else [],
    })

headers = []
for quality in [1, 5, 10, 25, 30, 49, 50, 51, 75, 80, 90, 95, 99, 100]:
    for options in [{}, {"progressive": True, "optimize": True}, {"subsampling": 0}]:
        if options and quality not in (30, 90):
            continue
        file = io.BytesIO()
        picture(40, 40, 9).save(file, "JPEG", quality=quality, **options)
        data = file.getvalue()
        end = data.index(b"\xff\xc4")
        headers.append({"quality": quality, "bytes": base64.b64encode(data[:end]).decode()})

out = pathlib.Path(__file__).parent / "fingerprints.json"
out.write_text(json.dumps({"hashes": hashes, "headers": headers}, separators=(",", ":")) + "\n")
print(out, out.stat().st_size, "bytes")
