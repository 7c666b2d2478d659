"""Writes small wheels that are the same bytes each time; make_wheel.py and make_literal.py use it."""
import hashlib
import zipfile

WHEEL = b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write(path, members):
    """Puts members, bytes by name, into a wheel."""
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)


def facts(data):
    """What a catalogue says of a file."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
