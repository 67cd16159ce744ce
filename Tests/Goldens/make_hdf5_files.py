"""Writes files with the real h5py, for the tests of the HDF5 reader.

    python make_hdf5_files.py OUT_DIR

The same content twice, as the oldest and as the newest form of the format: earliest.h5, latest.h5.
Made with h5py 3.14.0 on HDF5 1.14.6; OUT_DIR is Tests/Fixtures/codec.
"""

import os
import sys

import h5py
import numpy as np


def fill(file, newest):
    count = np.arange(24)
    numbers = file.create_group("numbers")
    for code in ["<f2", "<f4", "<f8", ">f4", ">f8", "<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", ">i4"]:
        numbers[code] = count.astype(code).reshape(2, 3, 4)
    numbers["scalar"] = np.float32(2.5)
    numbers["truth"] = count % 3 == 0
    numbers["nothing"] = h5py.Empty("f")
    numbers["no_elements"] = np.zeros((0, 3), "f4")
    numbers.create_dataset("unwritten", (2, 2), "f4", fillvalue=1.5)

    chunks = file.create_group("chunks")
    grid = np.arange(7 * 10, dtype="f4").reshape(7, 10)
    chunks.create_dataset("plain", data=grid, chunks=(3, 4))
    chunks.create_dataset("one", data=grid, chunks=(7, 10), compression="gzip")
    chunks.create_dataset("deflated", data=grid, chunks=(3, 4), compression="gzip")
    chunks.create_dataset("all", data=grid, chunks=(2, 10), compression="gzip", shuffle=True, fletcher32=True)
    if newest:
        many = np.arange(1500, dtype="i2")
        chunks.create_dataset("many", data=many, chunks=(1,), compression="gzip")
    part = chunks.create_dataset("part", (40,), "i4", chunks=(4,), fillvalue=-7)
    part[8:12] = [1, 2, 3, 4]
    chunks.create_dataset("growable", data=grid, chunks=(3, 4), maxshape=(None, None))
    chunks.create_dataset("lzf", data=grid, chunks=(3, 4), compression="lzf")

    text = file.create_group("text")
    text["variable"] = "größer"
    text["list"] = np.array(["a", "", "ccc"], dtype=h5py.string_dtype())
    text["fixed"] = np.array([b"a", b"", b"ccc"], dtype="S5")

    few = file.create_group("few")
    few.attrs["variable"] = '{"config": [1, 2]}'
    few.attrs["bytes"] = np.bytes_(b"channels_last")
    few.attrs["list"] = [b"kernel:0", b"bias:0"]
    few.attrs["objects"] = np.array(["x", "yy"], dtype=object)
    few.attrs["empty_list"] = []
    few.attrs["number"] = 1e-3
    few.attrs["numbers"] = np.arange(3)
    few.attrs["nothing"] = h5py.Empty("f")
    few.attrs["record"] = np.zeros(1, dtype=[("a", "f4"), ("b", "i4")])

    dense = file.create_group("dense")
    for i in range(60):
        dense.attrs[f"attribute{i}"] = f"value {i}"
    dense.attrs["long"] = np.array([b"weight_%06d" % i for i in range(600)])

    members = file.create_group("members")
    target = members.create_group("target")
    for i in range(300):
        members[f"member{i:03}"] = target
    tree = file
    for name in ["layers", "conv2d", "vars"]:
        tree = tree.create_group(name)
    tree["0"] = count.astype("f4").reshape(2, 3, 4)
    file["soft"] = h5py.SoftLink("/layers/conv2d")
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["outside"] = h5py.ExternalLink("other.h5", "/x")
    file["committed"] = np.dtype("<f4")
    numbers.create_dataset("of_committed", data=count.astype("f4"), dtype=file["committed"])
    members["cycle"] = members


out = sys.argv[1]
for libver in ["earliest", "latest"]:
    # The newest file also has a user block.
    userblock = 512 if libver == "latest" else 0
    with h5py.File(os.path.join(out, libver + ".h5"), "w", libver=libver, userblock_size=userblock) as file:
        fill(file, newest=libver == "latest")
