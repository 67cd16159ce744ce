#!/usr/bin/env python3
"""Makes Tests/Goldens/store-0.sqlite: a store in layout 0 with three records, to migrate from.

Made with Python 3.11's sqlite3 (SQLite 3.40):

    python3 Tests/Goldens/make_store.py
"""

import json
import pathlib
import sqlite3

HERE = pathlib.Path(__file__).resolve().parent
record = json.loads((HERE.parents[1] / "docs/schema/record-1.json").read_text())
path = HERE / "store-0.sqlite"
path.unlink(missing_ok=True)
store = sqlite3.connect(path)
store.execute("CREATE TABLE records (id TEXT PRIMARY KEY, json TEXT NOT NULL)")
for number, variant in enumerate(["float32", "static_int8", "float16"]):
    record["id"] = f"old-{number}"
    record["variant"] = variant
    store.execute("INSERT INTO records VALUES (?, ?)", (record["id"], json.dumps(record)))
store.commit()
