#!/usr/bin/env python3
"""Checks that the package's targets depend downwards only, as scripts/layers.txt lays them out.

usage: scripts/check_layers.py

layers.txt has one layer a line, lowest first: names or glob patterns between spaces, `#` starts a
comment, and a leading `~` lets the targets of that line use each other. Every target below Sources/
stands in exactly one layer and declares only what stands lower. Every target, also a test, declares
what its Swift files import; this is read from the files because the build accepts an import that is
only reachable through another dependency.
"""

import fnmatch
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ROOT / "scripts" / "layers.txt"
IMPORT = re.compile(
    r"^\s*(?:@[\w()]+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|let|var|typealias|actor)\s+)?(\w+)",
    re.MULTILINE,
)


def read_layers():
    layers = []
    for line in LAYERS.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        mutual = words[0].startswith("~")
        words[0] = words[0].removeprefix("~")
        layers.append((mutual, [word for word in words if word]))
    return layers


def main():
    described = subprocess.run(
        ["swift", "package", "--package-path", str(ROOT), "describe", "--type", "json"],
        capture_output=True, text=True,
    )
    if described.returncode != 0:
        sys.exit(described.stderr.strip() or "error: swift package describe failed")
    targets = {target["name"]: target for target in json.loads(described.stdout)["targets"]}
    layers = read_layers()
    findings = []

    def layers_of(name):
        return [i for i, (_, patterns) in enumerate(layers) if any(fnmatch.fnmatchcase(name, p) for p in patterns)]

    for name, target in sorted(targets.items()):
        declared = set(target.get("target_dependencies", [])) & set(targets)
        for source in target["sources"]:
            path = ROOT / target["path"] / source
            if path.suffix != ".swift":
                continue
            text = path.read_text(encoding="utf-8")
            for match in IMPORT.finditer(text):
                imported = match.group(1)
                if imported in targets and imported != name and imported not in declared:
                    line = text.count("\n", 0, match.start(1)) + 1
                    findings.append(
                        f"{path.relative_to(ROOT)}:{line}: error: {name} imports {imported} and does not declare it"
                        f" (declare it in Package.swift if the arrow is allowed)"
                    )
        if target["path"].startswith("Tests/"):
            continue
        mine = layers_of(name)
        if len(mine) != 1:
            what = "no layer" if not mine else "several layers"
            findings.append(f"scripts/layers.txt: error: {name} stands in {what}")
            continue
        for dependency in sorted(declared):
            theirs = layers_of(dependency)
            if not theirs:
                continue  # reported at its own turn
            mutual = layers[mine[0]][0]
            if theirs[0] > mine[0] or (theirs[0] == mine[0] and not mutual):
                findings.append(
                    f"Package.swift: error: {name} (layer {mine[0] + 1}) depends on {dependency}"
                    f" (layer {theirs[0] + 1}); arrows point down"
                )

    for finding in findings:
        print(finding)
    if findings:
        sys.exit(1)
    print(f"layers: {len(targets)} targets in {len(layers)} layers, every arrow points down")


if __name__ == "__main__":
    main()
