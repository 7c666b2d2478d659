"""Makes Tests/Fixtures/media: small pictures and videos of every kind that MediaIO reads, and
expected.json with what other people's decoders (Pillow, OpenCV, PyAV) make of them.

usage: python make_media.py            (pip install numpy pillow opencv-python-headless av)
"""

import base64
import io
import json
import os
import struct
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
from PIL import Image, ImageChops, ImageOps

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "media")
images, videos = [], []


def scene(width, height, t=0.0, block=True):
    """A smooth picture with a bright block that moves with t, uint8 RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    r = 40 + 170 * x / width
    g = 60 + 120 * y / height
    b = 128 + 80 * np.sin(6 * (x + y) / (width + height) + t)
    a = np.stack([r, g, b], -1)
    left = int((width * 0.6) * ((t / 6.0) % 1.0))
    if block:
        a[height // 4 : height // 2, left : left + width // 4] = [220, 200, 60]
    return a.round().astype(np.uint8)


def save(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)


def add_image(name, data, expected, tolerance):
    save(name, data)
    h, w, _ = expected.shape
    images.append(dict(
        file=name, width=w, height=h, tolerance=tolerance,
        pixels=base64.b64encode(np.ascontiguousarray(expected).tobytes()).decode()))


# JPEG. Every decoder here is libjpeg-turbo; one level is left for its versions.

def jpeg(picture, **options):
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def add_jpeg(name, data, expected=None, opencv=True):
    pillow = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    if opencv:
        other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        if expected is None:
            assert np.abs(other.astype(int) - pillow).max() <= 1, name
    add_image(name, data, pillow if expected is None else expected, 1)


def tiff_orientation(value, big):
    e = ">" if big else "<"
    head = (b"MM" if big else b"II") + struct.pack(e + "HI", 42, 8)
    return head + struct.pack(e + "H", 2) \
        + struct.pack(e + "HHIHH", 0x0100, 3, 1, 7, 0) \
        + struct.pack(e + "HHIHH", 0x0112, 3, 1, value, 0) + struct.pack(e + "I", 0)


def without_segment(data, marker):
    at = data.index(bytes([0xFF, marker]))
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def make_jpegs():
    rgb = scene(37, 23)
    picture = Image.fromarray(rgb)
    add_jpeg("baseline-420.jpg", jpeg(picture, quality=90, subsampling=2))
    add_jpeg("baseline-422.jpg", jpeg(picture, quality=90, subsampling=1))
    add_jpeg("baseline-444.jpg", jpeg(picture, quality=90, subsampling=0))
    add_jpeg("progressive.jpg", jpeg(picture, quality=90, progressive=True))
    add_jpeg("restart.jpg", jpeg(picture, quality=90, restart_marker_rows=1))
    add_jpeg("rgb.jpg", jpeg(picture, quality=90, keep_rgb=True))
    add_jpeg("grey.jpg", jpeg(picture.convert("L"), quality=90))
    inks = picture.convert("CMYK")
    cmyk = jpeg(inks, quality=95)
    add_jpeg("cmyk-adobe.jpg", cmyk, opencv=False)
    # Without Adobe's marker the inks are not inverted; Pillow inverts them all the same.
    plain = without_segment(cmyk, 0xEE)
    inverted = Image.open(io.BytesIO(plain))
    inverted.load()
    add_jpeg("cmyk-plain.jpg", plain,
             np.array(ImageChops.invert(inverted).convert("RGB")), opencv=False)
    # The same data called YCCK: odd colours, but the colours that it then has.
    at = cmyk.index(b"Adobe")
    assert cmyk[at + 11] == 0
    add_jpeg("ycck.jpg", cmyk[: at + 11] + b"\x02" + cmyk[at + 12 :], opencv=False)
    small = Image.fromarray(scene(24, 16))
    for value in range(1, 9):
        block = b"Exif\0\0" + tiff_orientation(value, big=value % 2 == 0)
        data = jpeg(small, quality=90, exif=block)
        shown = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        add_jpeg(f"exif-{value}.jpg", data, shown)


# PNG, written here so that every colour type, depth and interlacing can be had.

def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(
        ">I", zlib.crc32(kind + body))


def pack_row(samples, depth):
    if depth == 16:
        return samples.astype(">u2").tobytes()
    if depth == 8:
        return samples.astype(np.uint8).tobytes()
    bits = "".join(format(int(v), f"0{depth}b") for v in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def png(samples, depth, colour, interlaced=False, before=b"", after=b""):
    """samples: height x width x channels, of `depth` bits."""
    h, w, _ = samples.shape
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size == 0:
            continue
        for row in part:
            raw += b"\0" + pack_row(row.reshape(-1), depth)
    return b"\x89PNG\r\n\x1a\n" \
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlaced)) + before \
        + chunk(b"IDAT", zlib.compress(raw, 9)) + after + chunk(b"IEND", b"")


def add_png(name, data, expected, pillow=True):
    if pillow:
        found = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.array_equal(found, expected), name
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    other = None if other is None else other[:, :, ::-1]
    if other is None or not np.array_equal(other, expected):
        print("OpenCV disagrees:", name)
    add_image(name, data, expected, 0)


def make_pngs():
    rgb = scene(29, 19)
    h, w, _ = rgb.shape
    grey = rgb[:, :, 1:2]
    alpha = np.broadcast_to((np.arange(w) * 8 % 256).astype(np.uint8)[None, :, None], (h, w, 1))
    as_rgb = lambda g: np.repeat(g, 3, axis=2).astype(np.uint8)
    add_png("rgb8.png", png(rgb, 8, 2), rgb)
    add_png("rgb8-interlaced.png", png(rgb, 8, 2, True), rgb)
    add_png("rgba8.png", png(np.concatenate([rgb, alpha], 2), 8, 6), rgb)
    add_png("grey-alpha8.png", png(np.concatenate([grey, alpha], 2), 8, 4), as_rgb(grey))
    for depth in (1, 2, 4, 8):
        v = grey >> (8 - depth)
        scaled = (v.astype(int) * 255 // ((1 << depth) - 1)).astype(np.uint8)
        add_png(f"grey{depth}.png", png(v, depth, 0), as_rgb(scaled))
    v = grey >> 6
    add_png("grey2-interlaced.png", png(v, 2, 0, True), as_rgb(v.astype(int) * 85))
    deep = rgb.astype(int) * 256 + (255 - rgb.astype(int))
    add_png("rgb16.png", png(deep, 16, 2), rgb)
    add_png("rgba16.png", png(np.concatenate([deep, alpha.astype(int) * 257], 2), 16, 6), rgb)
    add_png("grey16.png", png(deep[:, :, 1:2], 16, 0), as_rgb(grey), pillow=False)
    add_png("grey-transparent.png", png(grey, 8, 0, before=chunk(b"tRNS", b"\0\x80")), as_rgb(grey))
    add_png("rgb-transparent.png",
            png(rgb, 8, 2, before=chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[0, 0])))), rgb)
    for depth in (1, 2, 4, 8):
        count = min(1 << depth, 200)
        palette = scene(count, 1)[0]
        index = (np.mgrid[0:h, 0:w].sum(0) % count)[:, :, None]
        before = chunk(b"PLTE", palette.tobytes())
        expected = palette[index[:, :, 0]]
        add_png(f"palette{depth}.png", png(index, depth, 3, before=before), expected)
        if depth == 4:
            before += chunk(b"tRNS", bytes(range(0, 256, 20))[:count])
            add_png("palette-transparent.png", png(index, depth, 3, before=before), expected)
    turned = np.rot90(rgb, -1)  # EXIF 6: shown after a quarter turn clockwise
    exif = chunk(b"eXIf", tiff_orientation(6, big=True))
    add_png("exif-before.png", png(rgb, 8, 2, before=exif), turned, pillow=False)
    add_png("exif-after.png", png(rgb, 8, 2, after=exif), turned, pillow=False)


# Videos.

def encode(name, width=64, height=48, frames=15, codec="libx264", pix="yuv420p", rate=25,
           container=None, options=None, pts=None, tags=None, muxer=None, audio=False, first=None,
           block=True):
    """Writes a video; `first` is the size of another stream before it; `pts` are in milliseconds."""
    path = os.path.join(HERE, name)
    with av.open(path, "w", format=container, options=muxer or {}) as c:
        streams = []
        sizes = ([first] if first else []) + [(width, height)]
        for w, h in sizes:
            s = c.add_stream(codec, rate=rate, options=options or {})
            s.width, s.height, s.pix_fmt = w, h, pix
            s.codec_context.thread_count = 1
            if pts:
                s.codec_context.time_base = Fraction(1, 1000)
            for key, value in (tags or {}).items():
                setattr(s.codec_context, key, value)
            streams.append((s, w, h))
        sound = c.add_stream("aac", rate=16000, layout="mono") if audio else None
        for i in range(frames):
            for s, w, h in streams:
                f = av.VideoFrame.from_ndarray(scene(w, h, i * 0.4, block), format="rgb24")
                if tags and pix != "rgb24":
                    f = f.reformat(format=pix, dst_colorspace=tags.get("_matrix"),
                                   dst_color_range=tags.get("_range"))
                else:
                    f = f.reformat(format=pix)
                if pts:
                    f.pts, f.time_base = pts[i], Fraction(1, 1000)
                else:
                    f.pts, f.time_base = i, Fraction(1, rate)
                for packet in s.encode(f):
                    c.mux(packet)
        for s, _, _ in streams:
            for packet in s.encode(None):
                c.mux(packet)
        if sound:
            samples = (np.sin(np.arange(8000) * 0.1) * 8000).astype(np.int16)[None]
            f = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            f.sample_rate = 16000
            for packet in list(sound.encode(f)) + list(sound.encode(None)):
                c.mux(packet)
    with open(path, "rb") as f:
        return f.read()


X264 = {"crf": "26", "preset": "medium", "x264-params": "keyint=8:bframes=3:threads=1:info=0"}


def grid(a):
    """Mean colours of 4 x 3 cells."""
    h, w, _ = a.shape
    return [[round(float(v), 2) for v in
             a[h * j // 3 : h * (j + 1) // 3, w * i // 4 : w * (i + 1) // 4].reshape(-1, 3).mean(0)]
            for j in range(3) for i in range(4)]


def add_video(name, turn=lambda a: a, rotation=0, **facts):
    with av.open(os.path.join(HERE, name)) as c:
        best = c.streams.best("video")
        # A player's clock begins with the picture, or with sound that begins a tenth of a second before.
        origin, file = float((best.start_time or 0) * best.time_base), (c.start_time or 0) / 1e6
        origin = origin if origin - file < 0.1 else file
        frames = []
        for f in c.decode(best):
            time = None if f.pts is None else round(float(f.pts * best.time_base) - origin, 6)
            frames.append((time, turn(f.to_ndarray(format="rgb24"))))
        rows = []
        for i in sorted({0, len(frames) // 2, len(frames) - 1}):
            rows.append(dict(index=i, cells=grid(frames[i][1]),
                             width=frames[i][1].shape[1], height=frames[i][1].shape[0]))
        h, w, _ = frames[0][1].shape
        videos.append(dict(
            file=name, width=w, height=h, rotation=rotation, codec=best.codec_context.name,
            frames=len(frames), times=[t for t, _ in frames],
            containerFrames=facts.get("containerFrames", best.frames or None),
            audio=len(c.streams.audio) > 0, levels=facts.get("levels", 2), samples=rows))


def with_matrix(data, a, b, c, d):
    """An MP4 whose first track's display matrix is a b / c d."""
    at = data.index(b"tkhd") + 4 + 40
    m = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return data[:at] + m + data[at + 36 :]


def make_videos():
    plain = encode("plain.mp4", options=X264)
    add_video("plain.mp4")
    for name, m, turn, rotation in [
        ("rotated-90.mp4", (0, 1, -1, 0), lambda a: np.rot90(a, -1), 90),
        ("rotated-180.mp4", (-1, 0, 0, -1), lambda a: np.rot90(a, 2), 180),
        ("rotated-270.mp4", (0, -1, 1, 0), lambda a: np.rot90(a, 1), 270),
        ("mirrored.mp4", (-1, 0, 0, 1), lambda a: a[:, ::-1], 0),
    ]:
        save(name, with_matrix(plain, *m))
        add_video(name, turn, rotation)
    for name, matrix, tag, full in [("bt709.mp4", "ITU709", 1, 1), ("bt709-full.mp4", "ITU709", 1, 2),
                                    ("bt2020.mp4", "BT2020", 9, 1), ("bt601.mp4", "ITU601", 6, 1)]:
        encode_tagged(name, matrix, tag, full)
        add_video(name)
    encode("fragmented.mp4", options=X264, muxer={"movflags": "frag_keyframe+empty_moov"})
    add_video("fragmented.mp4")
    encode("sound.mp4", options=X264, audio=True, muxer={"movflags": "faststart"})
    add_video("sound.mp4")
    encode("two-streams.mp4", options=X264, first=(32, 24))
    add_video("two-streams.mp4")
    encode("variable-rate.mkv", options=X264,
           pts=[0, 40, 80, 200, 210, 260, 500, 540, 580, 900, 1000, 1010, 1400, 1500, 1600])
    add_video("variable-rate.mkv")
    encode("stream.ts", options=X264, container="mpegts")
    add_video("stream.ts")
    raw = encode("raw.h264", options=X264, container="h264")
    add_video("raw.h264")
    small = encode("changing.h264", 48, 64, options=X264, container="h264", frames=8)
    save("changing.h264", raw + small)
    add_video("changing.h264")
    avi = encode("mpeg4.avi", codec="mpeg4", options={"qscale": "4"})
    add_video("mpeg4.avi")
    at = avi.index(b"strh") + 8 + 32
    save("wrong-count.avi", avi[:at] + struct.pack("<I", 999) + avi[at + 4 :])
    add_video("wrong-count.avi", containerFrames=15)
    encode("mpeg2.mpg", codec="mpeg2video", options={"qscale": "4"}, container="mpeg")
    add_video("mpeg2.mpg")
    encode("vp8.webm", codec="libvpx", options={"b:v": "60k"})
    add_video("vp8.webm")
    make_late_start("late-start.mkv")
    add_video("late-start.mkv")
    encode("odd.webm", 63, 47, codec="libvpx-vp9", options={"crf": "30", "b:v": "0"})
    add_video("odd.webm")
    encode("odd-444.mkv", 61, 43, pix="yuv444p", options=X264)
    add_video("odd-444.mkv")
    # Versions of FFmpeg differ in how they spread the chroma of sharp edges in such formats.
    encode("ten-bit.mkv", pix="yuv420p10le", options=X264, frames=8, block=False)
    add_video("ten-bit.mkv", levels=4)
    encode("alpha.mkv", 32, 24, codec="ffv1", pix="yuva420p", frames=3)
    add_video("alpha.mkv")
    encode("rgb.mkv", 32, 24, codec="libx264rgb", pix="rgb24", options={"crf": "18"}, frames=3)
    add_video("rgb.mkv")
    encode("grey.mkv", 32, 24, codec="ffv1", pix="gray", frames=3)
    add_video("grey.mkv")
    encode("motion-jpeg.avi", codec="mjpeg", pix="yuvj420p", frames=4)
    add_video("motion-jpeg.avi")
    encode("animation.gif", 32, 24, codec="gif", pix="rgb8", frames=6)
    add_video("animation.gif")
    make_sound()


def make_late_start(name):
    """H.264 from which the first packets were cut: none before the next key frame yields a frame."""
    with av.open(os.path.join(HERE, "plain.mp4")) as source:
        with av.open(os.path.join(HERE, name), "w") as c:
            s = c.add_stream_from_template(source.streams.video[0])
            for i, packet in enumerate(source.demux(video=0)):
                if i >= 3 and packet.dts is not None:
                    packet.stream = s
                    c.mux(packet)


def encode_tagged(name, matrix, tag, full):
    path = os.path.join(HERE, name)
    with av.open(path, "w") as c:
        s = c.add_stream("libx264", rate=25, options=X264)
        s.width, s.height, s.pix_fmt = 64, 48, "yuv420p"
        s.codec_context.thread_count = 1
        s.codec_context.colorspace, s.codec_context.color_range = tag, full
        s.codec_context.color_primaries, s.codec_context.color_trc = tag, tag if tag != 9 else 14
        for i in range(8):
            f = av.VideoFrame.from_ndarray(scene(64, 48, i * 0.4), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=matrix, dst_color_range="JPEG" if full == 2 else "MPEG")
            f.colorspace, f.color_range = tag, full
            f.pts, f.time_base = i, Fraction(1, 25)
            for packet in s.encode(f):
                c.mux(packet)
        for packet in s.encode(None):
            c.mux(packet)


def make_sound():
    samples = (np.sin(np.arange(8000) * 0.1) * 8000).astype(np.int16)[None]

    def frame():
        f = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        f.sample_rate = 16000
        return f

    with av.open(os.path.join(HERE, "sound-only.m4a"), "w", format="mp4") as c:
        s = c.add_stream("aac", rate=16000, layout="mono")
        for packet in list(s.encode(frame())) + list(s.encode(None)):
            c.mux(packet)
    with av.open(os.path.join(HERE, "cover.mp3"), "w", format="mp3") as c:
        s = c.add_stream("libmp3lame", rate=16000, layout="mono")
        cover = c.add_stream("png")
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(scene(16, 16), format="rgb24")
        for packet in list(cover.encode(picture)) + list(cover.encode(None)):
            c.mux(packet)
        for packet in list(s.encode(frame())) + list(s.encode(None)):
            c.mux(packet)


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    make_jpegs()
    make_pngs()
    make_videos()
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump(dict(images=images, videos=videos), f, separators=(",", ":"))
        f.write("\n")
