"""Adds to Tests/Fixtures/media the pictures that FFmpeg's decoders read (WebP, BMP, TIFF, JPEG 2000, HEIC, AVIF, ...),
and to its expected.json what Pillow makes of them.

usage: python make_pictures.py            (after make_media.py; pip install numpy pillow pillow-heif)
"""

import base64
import io
import json
import os
import struct

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "media")
entries = []


def scene(width, height):
    """A smooth picture without edges, uint8 RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    a = np.stack([40 + 170 * x / width, 60 + 120 * y / height, 128 + 80 * np.sin(6 * (x + y) / (width + height))], -1)
    return Image.fromarray(a.round().astype(np.uint8))


def add(name, data, tolerance=0):
    """`tolerance` is how far a channel may be off: chroma is enlarged in other ways than Pillow's libraries do."""
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)
    shown = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    entries.append(dict(file=name, width=shown.shape[1], height=shown.shape[0], tolerance=tolerance,
                        pixels=base64.b64encode(shown.tobytes()).decode()))


def saved(picture, format, **options):
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind, content, version=0, flags=0):
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


def find_box(data, kind):
    """A box's content; the kind stands nowhere else in these small files."""
    at = data.index(kind) - 4
    return data[at + 8 : at + struct.unpack(">I", data[at : at + 4])[0]]


def heic_grid(tiles, columns, width, height):
    """A HEIC whose main picture is a grid of coded ones, as phones write it."""
    rows = len(tiles) // columns
    coded = [find_box(t, b"mdat") for t in tiles]
    properties = [box(b"hvcC", find_box(tiles[0], b"hvcC")),
                  full_box(b"ispe", find_box(tiles[0], b"ispe")[4:]),
                  full_box(b"ispe", struct.pack(">II", width, height))]
    ids = range(2, 2 + len(tiles))
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    kinds = [full_box(b"infe", struct.pack(">HH", 1, 0) + b"grid\0", 2)] \
        + [full_box(b"infe", struct.pack(">HH", i, 0) + b"hvc1\0", 2, 1) for i in ids]
    uses = struct.pack(">IHBB", len(tiles) + 1, 1, 1, 3) \
        + b"".join(struct.pack(">HBBB", i, 2, 0x81, 2) for i in ids)

    def meta(first):
        places = struct.pack(">HH", 0x4400, len(tiles) + 1) + struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(layout))
        offset = first
        for i, data in zip(ids, coded):
            places += struct.pack(">HHHHII", i, 0, 0, 1, offset, len(data))
            offset += len(data)
        return full_box(b"meta",
            full_box(b"hdlr", struct.pack(">I4s12x", 0, b"pict") + b"\0")
            + full_box(b"pitm", struct.pack(">H", 1))
            + full_box(b"iinf", struct.pack(">H", len(kinds)) + b"".join(kinds))
            + full_box(b"iref", box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *ids)))
            + box(b"iprp", box(b"ipco", b"".join(properties)) + full_box(b"ipma", uses))
            + box(b"idat", layout) + full_box(b"iloc", places, 1))

    head = box(b"ftyp", b"heic" + struct.pack(">I", 0) + b"mif1heic")
    first = len(head) + len(meta(0)) + 8
    return head + meta(first) + box(b"mdat", b"".join(coded))


def main():
    rgb = scene(45, 31)
    even = scene(64, 48)
    exif = Image.Exif()
    exif[0x0112] = 6
    with_alpha = rgb.convert("RGBA")
    with_alpha.putalpha(rgb.convert("L"))
    add("lossless.webp", saved(rgb, "WEBP", lossless=True))
    add("exif.webp", saved(rgb, "WEBP", lossless=True, exif=exif))
    add("alpha.webp", saved(with_alpha, "WEBP", lossless=True, exact=True))
    add("lossy.webp", saved(even, "WEBP", quality=90), 10)
    add("rgb.bmp", saved(rgb, "BMP"))
    add("palette.bmp", saved(rgb.quantize(16), "BMP"))
    add("rgb.tif", saved(rgb, "TIFF"))
    add("lzw.tif", saved(rgb, "TIFF", compression="tiff_lzw"))
    add("exif.tif", saved(rgb, "TIFF", exif=exif))
    add("rgb.jp2", saved(rgb, "JPEG2000"))
    add("rgb.ppm", saved(rgb, "PPM"))
    add("rgb.qoi", saved(rgb, "QOI"))
    add("rgb.avif", saved(even, "AVIF", subsampling="4:4:4", quality=95), 4)
    add("exif.avif", saved(even, "AVIF", subsampling="4:4:4", quality=95, exif=exif), 4)
    add("rgb.heic", saved(even, "HEIF", chroma=444, quality=95), 4)
    add("odd.heic", saved(rgb, "HEIF", chroma=444, quality=95), 4)
    whole = scene(128, 128)
    tiles = [saved(whole.crop((x, y, x + 64, y + 64)), "HEIF", chroma=444, quality=95, save_nclx_profile=False)
             for y in (0, 64) for x in (0, 64)]
    add("grid.heic", heic_grid(tiles, 2, 120, 100), 4)

    path = os.path.join(HERE, "expected.json")
    with open(path) as f:
        expected = json.load(f)
    names = {e["file"] for e in entries}
    expected["images"] = [e for e in expected["images"] if e["file"] not in names] + entries
    with open(path, "w") as f:
        json.dump(expected, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
