"""Grades: whether they stay when others come and go, and whether they come true as often as they say."""

import csv
import json
import math
import random

from support import WORK, Settings, assay, report


def rate(rows):
    path = WORK / "rating.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "dataset", "accuracy", "counted", "latency", "size"])
        writer.writerows(rows)
    properties = WORK / "rating.properties.json"
    properties.write_text(json.dumps({
        "accuracy": {"maximize": True, "count": "counted"}, "latency": {}, "size": {},
    }))
    return json.loads(assay("rate", path, "--properties", properties, "--task", "image-classification", "--json", "-").output)


def letters(row):
    return [row["compound_rating"], row["quality_rating"], row["resource_rating"]] + [
        part["rating"] for part in row["properties"].values()]


def rating():
    """1,000 random additions and removals; then models of known accuracy, counted on a few images each."""
    draw = random.Random(3)

    def model(number):
        count = draw.choice([100, 1000, 50000])
        return [f"m{number}", "imagenet", round(draw.uniform(0.4, 0.9) * count) / count, count,
                2 ** draw.uniform(-10, 0), int(2 ** draw.uniform(20, 29))]

    present, before, changes = [model(number) for number in range(20)], {}, 0
    moves = 100 if Settings.quick else 1000
    for number in range(20, 20 + moves):
        if len(present) > 2 and draw.random() < 0.5:
            present.pop(draw.randrange(len(present)))
        else:
            present.append(model(number))
        for row in rate(present)["rows"]:
            now = letters(row)
            changes += before.setdefault(row["model"], now) != now
    report(f"grades that change in {moves} additions and removals", str(changes), "", "", "0", changes == 0)

    # Jeffreys' prior, which the method has: then what it says comes true exactly as often.
    truths, rows = [], []
    for number in range(2000 if Settings.quick else 20000):
        truth = draw.betavariate(0.5, 0.5)
        count = draw.choice([20, 60, 400])
        rights = sum(draw.random() < truth for _ in range(count))
        truths.append(truth)
        rows.append([f"m{number}", "imagenet", rights / count, count, 0.01, 1e7])
    rated = rate(rows)
    limits = rated["boundaryValues"]["accuracy"]
    bins = {}
    for truth, row in zip(truths, rated["rows"]):
        actual = "ABCDE"[next((place for place, limit in enumerate(limits) if truth >= limit), 4)]
        for letter, probability in row["properties"]["accuracy"]["probabilities"].items():
            said, came, spread = bins.get(min(int(probability * 10), 9), (0, 0, 0))
            bins[min(int(probability * 10), 9)] = (
                said + probability, came + (letter == actual), spread + probability * (1 - probability))
    # Each tenth of what was said against what came true, in standard errors of as many draws: some tenths are seldom.
    worst = max(abs(came - said) / math.sqrt(spread) for said, came, spread in bins.values() if spread > 0)
    report(f"grade probabilities against what came true, {len(rows)} models", f"{worst:.1f} errors", "", "",
           "<= 3 errors", worst <= 3)
