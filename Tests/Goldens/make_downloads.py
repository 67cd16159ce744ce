"""Makes Sources/Data/AssayFetch/Resources/downloads.json: what `assay zoo fetch` knows.

Made with keras 3 (its sources, which are not run) and a clone of google-coral/test_data, Python 3.11:

    python make_downloads.py CLONE > downloads.json

SHA-256 is written only of files whose bytes were seen: those in the clone (which may lack large ones), and
those whose SHA-256 Keras itself pins. Of other files of Keras's the MD5 is written that Keras pins.
"""

import ast
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys

clone = sys.argv[1]


def git(*words):
    return subprocess.run(["git", "-C", clone, *words], check=True, capture_output=True).stdout


commit = git("rev-parse", "HEAD").decode().strip()
listing = git("ls-tree", "-r", "-l", "HEAD").decode().splitlines()
sizes, objects = {}, {}
for line in listing:
    meta, name = line.split("\t")
    _, _, identity, size = meta.split()
    objects[name] = identity
    sizes[name] = int(size) if size.isdigit() else None


def coral_file(name):
    row = {"url": name}
    if sizes[name] is not None:
        content = git("cat-file", "blob", objects[name])
        row["sha256"] = hashlib.sha256(content).hexdigest()
        row["bytes"] = len(content)
    return row


downloads = []
names = [n for n in objects if n.endswith(".tflite") and "/" not in n or n.startswith("posenet/")]
for name in sorted(names):
    if not name.endswith(".tflite") or name.endswith("_edgetpu.tflite"):
        continue
    stem = os.path.basename(name)[: -len(".tflite")]
    files = [coral_file(name)]
    twin = name[: -len(".tflite")] + "_edgetpu.tflite"
    if twin in objects:
        files.append(coral_file(twin))
    downloads.append({"name": f"coral/{stem}", "group": "coral", "files": files})
labels = [n for n in sorted(objects) if n.endswith("_labels.txt") and "/" not in n]
downloads.append(
    {
        "name": "coral/labels",
        "group": "coral",
        "summary": "names of the classes of Coral's models",
        "files": [coral_file(n) for n in labels],
    }
)


# Keras's own tables, read out of its sources without running them.
applications = os.path.join(
    importlib.util.find_spec("keras").submodule_search_locations[0], "src", "applications"
)


def source(module):
    with open(os.path.join(applications, module + ".py")) as file:
        return file.read()


def constants(module):
    """The constants of a module: texts and tables, also those made of earlier ones."""
    known = {}
    for node in ast.parse(source(module)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                code = compile(ast.Expression(node.value), module, "eval")
                known[node.targets[0].id] = eval(code, {"__builtins__": {}}, known)
            except Exception:
                pass
    return known


def inline(module):
    """The hashes that stand in the calls of a module, in their order."""
    return re.findall(r'file_hash="([0-9a-f]+)"', source(module))


LICENSES = {
    "VGG": "CC BY 4.0 (Visual Geometry Group, Oxford)",
    "ResNet": "MIT (Kaiming He)",
    "DenseNet": "BSD-3-Clause (Facebook)",
    "ConvNeXt": "MIT (Meta)",
    "Xception": "MIT (Keras)",
}


def keras_row(name, network, url, digest=None, options=""):
    row = {"url": url}
    if digest:
        row["sha256" if len(digest) == 64 else "md5"] = digest
    entry = {"name": f"keras/{name}", "group": "keras", "network": network, "files": [row]}
    options = f"{options} --no-top".strip() if name.endswith("-notop") else options
    if options:
        entry["options"] = options
    for prefix, text in LICENSES.items():
        if network.startswith(prefix):
            entry["license"] = text
    return entry


def keras_rows():
    def pair(name, stem, ends, digests=(None, None), network=None, options=""):
        for suffix, end, digest in zip(("", "-notop"), ends, digests):
            yield keras_row(name + suffix, network or name, stem + end, digest, options)

    kernels = "_weights_tf_dim_ordering_tf_kernels"
    for name in ["vgg16", "vgg19", "xception", "inception_v3"]:
        known = constants(name)
        title = {"xception": "Xception", "inception_v3": "InceptionV3"}.get(name, name.upper())
        urls = (known["WEIGHTS_PATH"], known["WEIGHTS_PATH_NO_TOP"])
        yield from pair(title, "", urls, inline(name))
    known = constants("inception_resnet_v2")
    stem = known["BASE_WEIGHT_URL"] + "inception_resnet_v2" + kernels
    ends = (".h5", "_notop.h5")
    yield from pair("InceptionResNetV2", stem, ends, inline("inception_resnet_v2"))
    known = constants("resnet")
    for name, digests in known["WEIGHTS_HASHES"].items():
        if name.startswith("resnext"):
            continue
        title = "ResNet" + name[len("resnet") :].replace("v", "V")
        yield from pair(title, known["BASE_WEIGHTS_PATH"] + name + kernels, ends, digests)
    known, digests = constants("densenet"), inline("densenet")
    for index, size in enumerate([121, 169, 201]):
        stem = f"{known['BASE_WEIGHTS_PATH']}densenet{size}{kernels}"
        yield from pair(f"DenseNet{size}", stem, ends, (digests[index], digests[index + 3]))
    known, digests = constants("nasnet"), inline("nasnet")
    for index, size in enumerate(["Mobile", "Large"]):
        stem = f"{known['BASE_WEIGHTS_PATH']}NASNet-{size.lower()}"
        pairs = digests[2 * index : 2 * index + 2]
        yield from pair(f"NASNet{size}", stem, (".h5", "-no-top.h5"), pairs)
    base = constants("mobilenet")["BASE_WEIGHT_PATH"]
    for alpha, word in [(1.0, "1_0"), (0.75, "7_5"), (0.5, "5_0"), (0.25, "2_5")]:
        for side in (224, 192, 160, 128):
            name = "MobileNet" if (alpha, side) == (1.0, 224) else f"MobileNet-{alpha}-{side}"
            stem = f"{base}mobilenet_{word}_{side}_tf"
            network = "MobileNet" if alpha == 1 else f"MobileNet_{alpha}"
            options = "" if side == 224 else f"--size {side}"
            yield from pair(name, stem, (".h5", "_no_top.h5"), network=network, options=options)
    base = constants("mobilenet_v2")["BASE_WEIGHT_PATH"] + "mobilenet_v2" + kernels
    for alpha in (1.0, 0.35, 0.5, 0.75, 1.3, 1.4):
        for side in (224, 192, 160, 128, 96):
            if alpha > 1 and side != 224:
                continue
            name = "MobileNetV2" if (alpha, side) == (1.0, 224) else f"MobileNetV2-{alpha}-{side}"
            stem = f"{base}_{alpha}_{side}"
            network = "MobileNetV2" if alpha == 1 else f"MobileNetV2_{alpha}"
            options = "" if side == 224 else f"--size {side}"
            yield from pair(name, stem, (".h5", "_no_top.h5"), network=network, options=options)
    known = constants("mobilenet_v3")
    for model, digests in known["WEIGHTS_HASHES"].items():
        if "minimalistic" in model:
            continue
        size, rest = model.split("_", 1)
        network = "MobileNetV3" + size.capitalize()
        suffix = "" if rest == "224_1.0_float" else "-" + rest.split("_")[-2]
        stem = f"{known['BASE_WEIGHT_PATH']}weights_mobilenet_v3_{model}"
        options = "--alpha 0.75" if suffix else ""
        yield from pair(
            network + suffix, stem, (".h5", "_no_top_v2.h5"), digests, network=network, options=options
        )
    for module, title, prefix in [
        ("efficientnet", "EfficientNet", "efficientnet"),
        ("efficientnet_v2", "EfficientNetV2", "efficientnetv2-"),
    ]:
        known = constants(module)
        for size, digests in known["WEIGHTS_HASHES"].items():
            name = prefix + size.lstrip("-") if title.endswith("V2") else prefix + size
            if title.endswith("V2"):
                name = prefix.rstrip("-") + "-" + size.lstrip("-")
            stem = known["BASE_WEIGHTS_PATH"] + name
            word = size.lstrip("-").upper()
            yield from pair(f"{title}{word}", stem, ends, digests)
    known = constants("convnext")
    for name, digests in known["WEIGHTS_HASHES"].items():
        title = "ConvNeXt" + {"xlarge": "XLarge"}.get(name[9:], name[9:].capitalize())
        yield from pair(title, known["BASE_WEIGHTS_PATH"] + name, ends, digests)


downloads += list(keras_rows())

releases = "https://github.com/ultralytics/assets/releases/download/v8.3.0/"
for size in "nsmlx":
    for suffix in ("", "-seg"):
        downloads.append(
            {
                "name": f"ultralytics/yolov8{size}{suffix}",
                "group": "ultralytics",
                "network": f"yolov8{size}{suffix}",
                "files": [{"url": f"{releases}yolov8{size}{suffix}.pt"}],
            }
        )

groups = {
    "coral": {
        "summary": "quantized model, with its twin compiled for the Edge TPU",
        "license": "Apache-2.0",
        "source": "https://github.com/google-coral/test_data",
        "base": f"https://raw.githubusercontent.com/google-coral/test_data/{commit}/",
    },
    "keras": {
        "summary": "weights trained on ImageNet",
        "license": "Apache-2.0",
        "source": "https://keras.io/api/applications/",
    },
    "ultralytics": {
        "summary": "weights trained on COCO",
        "license": "AGPL-3.0, or Ultralytics's commercial licence",
        "source": "https://github.com/ultralytics/assets",
    },
}
text = json.dumps(
    {"schema": "assay.downloads/1", "groups": groups, "downloads": downloads}, indent=1
)
# One row a line.
text = re.sub(r"\n {3,}", " ", text)
text = re.sub(r"\n  (?=[\]}])", " ", text)
print(text)
