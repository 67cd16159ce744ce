"""Packs the small networks that make_tensorflow_models.py wrote, for the tests of TensorFlow's formats.

    python pack_tensorflow_models.py MODELS_DIR OUT_DIR

Each case becomes NAME.zip, if that is below 60 kB; OUT_DIR is Tests/Fixtures/tensorflow. Entries have no
dates, so that the same files give the same bytes.
"""

import os
import sys
import zipfile

source, target = sys.argv[1:]
os.makedirs(target, exist_ok=True)
for name in sorted(os.listdir(source)):
    folder = os.path.join(source, name)
    path = os.path.join(target, name + ".zip")
    files = sorted(os.path.join(root, f) for root, _, names in os.walk(folder) for f in names)
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            # Keras's own description of its model, which is not read.
            if file.endswith(("keras_metadata.pb", "fingerprint.pb")):
                continue
            entry = zipfile.ZipInfo(os.path.relpath(file, folder))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(file, "rb") as content:
                archive.writestr(entry, content.read(), compresslevel=9)
    print(name, os.path.getsize(path))
    if os.path.getsize(path) > 60_000:
        os.remove(path)
