"""Packs the small networks that make_keras_models.py wrote, for the tests of the Keras importer.

    python pack_keras_models.py MODELS_DIR OUT_DIR

Each network becomes NAME.zip with its .keras, .h5, .k2.h5 and .npz files, if that is below 60 kB;
OUT_DIR is Tests/Fixtures/keras. Entries have no dates, so that the same files give the same bytes.
"""

import os
import sys
import zipfile

source, target = sys.argv[1:]
names = sorted({f.split(".")[0] for f in os.listdir(source) if f.endswith((".keras", ".h5"))})
for name in names:
    files = sorted(f for f in os.listdir(source) if f.split(".")[0] == name)
    if sum(os.path.getsize(os.path.join(source, f)) for f in files) > 1_000_000:
        continue
    path = os.path.join(target, name + ".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(os.path.join(source, file), "rb") as content:
                archive.writestr(entry, content.read(), compresslevel=9)
    if os.path.getsize(path) > 60_000:
        os.remove(path)
    else:
        print(name, os.path.getsize(path))
