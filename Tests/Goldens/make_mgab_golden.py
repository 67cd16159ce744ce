"""Small series of the Mackey-Glass anomaly benchmark, by NumPy's legacy generator and gradients.

Version: numpy 2.

usage: make_mgab_golden.py Tests/Fixtures/series/mgab.json
"""

import json
import math
import sys

import numpy as np

LENGTH, COUNT, DISTANCE, SEARCH, CUT = 6000, 3, 600, 100, 100
base = np.array([1 + 0.4 * math.sin(i / 7) + 0.2 * math.sin(i / 17.3) for i in range(9000)])
cases = []
for seed in range(6):
    random = np.random.RandomState(seed)
    while True:
        steps = random.randint((LENGTH - COUNT * DISTANCE) // COUNT, size=COUNT) + DISTANCE
        positions = np.sort(int(0.95 * LENGTH) - np.cumsum(steps))
        if np.all(positions > 0):
            break
    series, cuts, removed = base, [], []
    for position in positions:
        features = [series]
        for _ in range(3):
            features.append(np.gradient(features[-1]))
        features = np.stack(features, axis=1)
        first = features[position : position + SEARCH]
        start = position + SEARCH + CUT
        second = features[start : start + SEARCH]
        distances = np.sqrt(((first[:, None] - second[None]) ** 2).sum(axis=2))
        a, b = np.unravel_index(distances.argmin(), distances.shape)
        a, b = int(position + a), int(start + b)
        series = np.concatenate([series[:a], series[b:]])
        cuts.append(a)
        removed.append(b - a)
    series = (series + random.uniform(-0.01, 0.01, size=series.shape))[:LENGTH]
    at = [0, 1, 2, 1777, 4000, 5999]
    cases.append(
        {"seed": seed, "cuts": cuts, "removed": removed, "at": at, "values": [float(series[i]) for i in at]}
    )
with open(sys.argv[1], "w") as file:
    json.dump({"cases": cases}, file, indent=1)
    file.write("\n")
