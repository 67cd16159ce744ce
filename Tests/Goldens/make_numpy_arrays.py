"""Writes arrays with the real NumPy, for the tests of the NPY, NPZ and ZIP readers.

    python make_numpy_arrays.py OUT_DIR

Made with NumPy 2.4 and Python 3.11's zipfile; OUT_DIR is Tests/Fixtures/codec.
"""

import io
import os
import sys
import zipfile

import numpy as np

out = sys.argv[1]
count = np.arange(24)
arrays = {
    "f2": (count / 8).astype("<f2").reshape(2, 3, 4),
    "f4": (count / 8).astype("<f4").reshape(2, 3, 4),
    "f8": (count / 8).astype("<f8").reshape(2, 3, 4),
    "f4_big": (count / 8).astype(">f4").reshape(4, 6),
    "f4_fortran": np.asfortranarray((count / 8).astype("<f4").reshape(2, 3, 4)),
    "f8_big_fortran": np.asfortranarray((count / 8).astype(">f8").reshape(3, 8)),
    "scalar": np.float32(2.5),
    "empty": np.zeros((0, 3), "<f4"),
    "truth": (count % 3 == 0).reshape(24),
    "in/x:0": np.arange(5, dtype="<i4"),
}
for code in ["i1", "i2", "i4", "i8"]:
    arrays[code] = (count - 12).astype(code)
for code in ["u1", "u2", "u4", "u8"]:
    arrays[code] = count.astype(code)
np.savez(os.path.join(out, "arrays.npz"), **arrays)
np.savez_compressed(os.path.join(out, "arrays_deflated.npz"), **arrays)


class Unseekable(io.RawIOBase):
    """What zipfile cannot seek in, so that it writes data descriptors after the entries."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def close(self):
        self.file.close()
        super().close()


stream = Unseekable(os.path.join(out, "descriptors.zip"))
with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
    for name in ["a.txt", "folder/b.txt"]:
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w", force_zip64=name == "a.txt") as target:
            target.write(b"text " * 40)
stream.close()
