#!/usr/bin/env python3
"""Makes a short clip of every container and codec that the ffmpeg program writes, and a picture of every format that
Pillow and ffmpeg write, and compares what dfkit reads (sizes, numbers of frames, times, colours) with what ffprobe and
Pillow say of them.

    pip install pillow pillow-heif
    Scripts/format-sweep.py [--dfkit .build/release/dfkit] [--folder FOLDER] [--only TEXT] [--all]

Needs the programs ffmpeg and ffprobe. Each container is tried with a few common codecs and each codec in a few
containers; with --all, every codec in every container. Prints a line for each file that is not read or read otherwise,
then a summary.
The exit status is 1 where something is read otherwise.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from fractions import Fraction

CONTAINERS = ["mp4", "mov", "3gp", "3g2", "m4v", "mkv", "webm", "avi", "ts", "m2ts", "mpg", "vob", "flv", "asf", "wmv",
              "ogv", "mxf", "gxf", "dv", "nut", "rm", "wtv", "ivf", "y4m", "h264", "hevc", "m1v", "m2v", "h263", "vc1",
              "mjpeg", "obu", "gif", "apng", "avif"]
# Options without which an encoder does not open; all write 128x96 but those that cannot.
CODECS = {
    "libx264": [], "libx264rgb": [], "libx265": ["-x265-params", "log-level=none"], "mpeg4": [], "libxvid": [],
    "mpeg1video": [], "mpeg2video": [], "h263": ["-s", "128x96"], "h263p": [], "flv": [], "mjpeg": [], "ljpeg": [],
    "libvpx": [], "libvpx-vp9": [], "libaom-av1": ["-cpu-used", "8"],
    "libtheora": [], "msmpeg4v2": [], "msmpeg4": [], "wmv1": [], "wmv2": [], "rv10": [], "rv20": [], "svq1": [],
    "prores_ks": [], "dnxhd": ["-s", "256x128", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"], "cfhd": [],
    "dvvideo": ["-s", "720x576", "-pix_fmt", "yuv420p"], "ffv1": [], "huffyuv": [], "ffvhuff": [], "utvideo": [],
    "magicyuv": [], "rawvideo": ["-pix_fmt", "yuv420p"], "v210": [], "qtrle": [], "cinepak": [], "png": [],
    "tiff": [], "gif": [],
    "apng": [], "libwebp": [], "jpeg2000": [], "libopenjpeg": [], "snow": ["-strict", "-2"], "vc2": ["-s", "256x192"],
    "flashsv": [], "flashsv2": [], "zmbv": [], "msvideo1": [], "asv1": [], "asv2": [], "hap": [],
    "speedhq": [], "wrapped_avframe": [],
}
COMMON = ["libx264", "libx265", "mpeg4", "mpeg2video", "mjpeg", "libvpx", "rawvideo"]
ANY = ["mkv", "avi", "mov", "nut"]
SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=0.6"]
SOUND = ["-f", "lavfi", "-i", "sine=duration=1"]
TURN = ["-metadata:s:v", "rotate=90"]
# What odd files are made of: name, codec, options.
ODD = [
    ("sar2-1.mp4", "libx264", ["-vf", "setsar=2/1"]),
    ("sar1-2.mp4", "libx264", ["-vf", "setsar=1/2"]),
    ("sar64-45.mkv", "libx264", ["-vf", "setsar=64/45"]),
    ("sar-stream.ts", "mpeg2video", ["-vf", "setsar=4/3"]),
    ("sar1-1000.mp4", "libx264", ["-vf", "setsar=1/1000"]),
    ("turned.mp4", "libx264", TURN),
    ("turned.mov", "mpeg4", ["-metadata:s:v", "rotate=180"]),
    ("turned-sar.mp4", "libx264", ["-vf", "setsar=2/1"] + TURN),
    ("late.ts", "libx264", ["-output_ts_offset", "40000"]),
    ("late.mkv", "libx264", ["-output_ts_offset", "100"]),
    ("late.mp4", "libx264", ["-output_ts_offset", "100", "-movflags", "frag_keyframe+empty_moov"]),
    ("late.flv", "flv", ["-output_ts_offset", "3000"]),
    ("wrapped.ts", "libx264", ["-output_ts_offset", "95443"]),
    ("variable.mkv", "libx264", ["-vf", "setpts=N*N*0.02/TB", "-vsync", "vfr", "-enc_time_base", "0.001"]),
    ("two-fields.avi", "libx264", ["-bf", "0"]),
]


def run(*command):
    """What a program did; one that takes more than a minute has failed, as some encoders of odd settings do."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", "it took more than a minute")


def make_clips(folder, only, everything):
    """Paths of the clips that ffmpeg wrote."""
    made = []

    def make(name, codec, options, sound=()):
        path = folder / name
        if only not in name:
            return
        if not path.exists():
            done = run("ffmpeg", "-v", "error", "-y", *SOURCE, *sound, "-c:v", codec, "-threads", "1", *options,
                       str(path))
            if done.returncode != 0 or not path.exists() or path.stat().st_size == 0:
                path.unlink(missing_ok=True)
                return
        made.append(path)

    for container in CONTAINERS:
        for codec, options in CODECS.items():
            if not everything and codec not in COMMON and container not in ANY and not codec.endswith(container):
                continue
            make(f"{codec}.{container}", codec, options + ["-vf", "setsar=16/11"])
    for name, codec, options in ODD:
        make(name, codec, options)
    for name in ["sound.mp4", "sound.mkv", "sound.ts", "sound.avi", "sound.webm"]:
        make(name, "libvpx" if name.endswith("webm") else "libx264", ["-shortest"], SOUND)
    return made


def join_streams(folder, only):
    """A transport stream twice in one file; ffprobe has its frames' times go back, so it is judged apart."""
    path = folder / "joined.ts"
    if only not in path.name or not (folder / "late.ts").exists():
        return []
    path.write_bytes((folder / "late.ts").read_bytes() * 2)
    return [path]


def probed(path):
    """What ffprobe says: size as shown, and the frames' times; None where it knows no video stream or no frame."""
    done = run("ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", "-show_frames",
               "-select_streams", "v:0", str(path))
    try:
        found = json.loads(done.stdout)
        stream, frames = found["streams"][0], found["frames"]
        width, height = int(frames[0]["width"]), int(frames[0]["height"])
    except (KeyError, IndexError, ValueError):
        return None

    def ratio(of):
        text = of.get("sample_aspect_ratio", "0:1").replace(":", "/")
        return Fraction(text) if not text.endswith("/0") else Fraction(0)

    sar = ratio(stream) or ratio(frames[0]) or Fraction(1)
    if max(sar, 1 / sar) <= 10:
        if sar > 1:
            width = int(width * sar + Fraction(1, 2))
        else:
            height = int(height / sar + Fraction(1, 2))
    sides = stream.get("side_data_list", []) + frames[0].get("side_data_list", [])
    turn = next((int(s["rotation"]) for s in sides if "rotation" in s), 0)
    if turn % 180:
        width, height = height, width
    times = [f.get("pts_time", f.get("best_effort_timestamp_time")) for f in frames]
    times = None if None in times else [float(t) for t in times]
    first = float(stream.get("start_time", 0))
    file = float(found["format"].get("start_time", first))
    origin = first if first - file < 0.1 else file
    if times and "pts_time" not in frames[0]:
        origin = times[0]
    return dict(size=(width, height), frames=len(frames), times=times and [t - origin for t in times])


def read_all(dfkit, paths):
    """What dfkit says of each file: entries of `dfkit detect --json`."""
    entries = {}
    for start in range(0, len(paths), 40):
        done = run(dfkit, "detect", "--json", "--frames", "all", *map(str, paths[start:start + 40]))
        for entry in json.loads(done.stdout):
            entries.setdefault(entry["file"], []).append(entry)
    return entries


def differences(path, entries):
    """How dfkit's frames differ from ffprobe's, in words; None where neither reads the file."""
    error = next((e["error"] for e in entries if "error" in e), None)
    expected = probed(path)
    if expected is None:
        return None if error else ["ffprobe does not read it and dfkit does"]
    if error:
        return [error.split(": ", 1)[-1]]
    found = []
    sizes = {(e["width"], e["height"]) for e in entries}
    if sizes != {expected["size"]}:
        found.append(f"sizes {sizes}, ffprobe {expected['size']}")
    if len(entries) != expected["frames"]:
        found.append(f"{len(entries)} frames, ffprobe {expected['frames']}")
    times = [e.get("time") for e in entries]
    if expected["times"] and None not in times and len(times) == len(expected["times"]):
        if any(abs(a - b) > 0.0015 for a, b in zip(times, expected["times"])):
            wanted = expected["times"]
            found.append(f"times {times[0]:.3f} to {times[-1]:.3f}, ffprobe {wanted[0]:.3f} to {wanted[-1]:.3f}")
    found += [w for e in entries for w in e.get("warnings", [])]
    return found


def check_joined(entries):
    times = [e.get("time", 0) for e in entries]
    steps = [b - a for a, b in zip(times, times[1:])]
    good = times and abs(times[0]) < 0.1 and all(0 < s < 0.2 for s in steps)
    good = good and not any(e.get("warnings") for e in entries)
    return [] if good else [f"times {times}, {[e.get('warnings') or e.get('error') for e in entries if len(e) > 5]}"]


def make_pictures(folder, only):
    """Paths of the pictures that Pillow or ffmpeg wrote, with the size that they are shown with."""
    from PIL import Image, ImageOps
    try:
        import pillow_heif
        pillow_heif.register_heif_opener()
    except ImportError:
        print("no pillow_heif: HEIC and AVIF are left out")
    Image.init()
    picture = Image.linear_gradient("L").resize((130, 70))
    picture = Image.merge("RGB", (picture, picture.transpose(0), picture.rotate(180)))
    made = []

    def save(name, format=None, mode="RGB", **options):
        path = folder / name
        if only not in name:
            return
        try:
            picture.convert(mode).save(path, format, **options)
            made.append((path, ImageOps.exif_transpose(Image.open(path)).size))
        except (OSError, ValueError, KeyError) as error:
            path.unlink(missing_ok=True)
            print(f"{name}: Pillow does not write it: {error}")

    for extension, format in sorted(Image.registered_extensions().items()):
        if format in Image.SAVE and format not in ("PDF", "MPEG", "HDF5", "GRIB", "BUFR", "WMF", "EPS", "PALM"):
            for mode in ("RGB", "L", "RGBA", "CMYK", "1", "P", "I;16"):
                if (mode == "RGB") or extension in (".png", ".tif", ".webp", ".bmp", ".jp2", ".tga", ".pcx"):
                    save(f"{mode.replace(';', '')}{extension}", format, mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    for extension in ("jpg", "png", "webp", "tif", "avif", "heic"):
        save(f"exif6.{extension}", exif=exif)
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        save(f"{compression}.tif", compression=compression)
    save("lossless.webp", lossless=True)
    save("webp-named.jpg", "WEBP")
    for name in ("exr", "dpx", "jxl", "pam", "pgm", "phm", "pfm", "qoi", "sgi", "ras", "jls", "j2k", "webp", "xwd",
                 "tga", "pcx", "bmp"):
        path = folder / f"ffmpeg.{name}"
        if only not in path.name:
            continue
        if run("ffmpeg", "-v", "error", "-y", *SOURCE, "-frames:v", "1", str(path)).returncode == 0:
            made.append((path, (128, 96)))
    return made


def picture_differences(entries, size):
    error = next((e["error"] for e in entries if "error" in e), None)
    if error:
        return [error.split(": ", 1)[-1]]
    found = (entries[0]["width"], entries[0]["height"])
    return [] if found == size and len(entries) == 1 else [f"{found} in {len(entries)} frames and not {size}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dfkit", default=".build/release/dfkit")
    parser.add_argument("--folder", type=pathlib.Path, help="where files are made and kept")
    parser.add_argument("--only", default="", help="only files with this text in their names")
    parser.add_argument("--all", action="store_true", help="every codec in every container")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or pathlib.Path(temporary)
        (folder / "clips").mkdir(parents=True, exist_ok=True)
        (folder / "pictures").mkdir(exist_ok=True)
        clips = make_clips(folder / "clips", options.only, options.all)
        joined = join_streams(folder / "clips", options.only)
        pictures = make_pictures(folder / "pictures", options.only)
        entries = read_all(options.dfkit, clips + joined + [p for p, _ in pictures])
        rows = [(path, differences(path, entries.get(str(path), []))) for path in clips]
        rows += [(path, check_joined(entries.get(str(path), []))) for path in joined]
        rows += [(path, picture_differences(entries.get(str(path), []), size)) for path, size in pictures]
    for path, found in rows:
        if found:
            print(f"{path.name}: {'; '.join(found)}")
    same = sum(1 for _, found in rows if found == [])
    neither = sum(1 for _, found in rows if found is None)
    print(f"{same} of {len(rows)} files as ffprobe and Pillow have them; {neither} that neither reads")
    return 0 if same + neither == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
