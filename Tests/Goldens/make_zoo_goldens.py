#!/usr/bin/env python3
"""Writes what the frameworks say about the networks of the zoo: Tests/Goldens/zoo.json.

usage: make_zoo_goldens.py keras|torch|published

Each network gets its numbers of parameters and of multiply-accumulates (of convolutions, dense layers and
matrix products), the shapes of its inputs and outputs without the axis of samples, and the SHA-256 of its
layers with weights ("name count" lines, sorted). No weights are loaded, nothing is downloaded. A run
replaces the rows that it can make and leaves the others; those of whole Keras networks that are there are kept.

Made with keras 3.15.1 on tensorflow-cpu 2.21.0; torch 2.x with torchvision, timm, transformers and
ultralytics (the versions are in the file).
"""

import hashlib
import json
import math
import os
import sys

PATH = os.path.join(os.path.dirname(__file__), "zoo.json")
KERAS = """
VGG16 VGG19 ResNet50 ResNet101 ResNet152 ResNet50V2 ResNet101V2 ResNet152V2 DenseNet121 DenseNet169
DenseNet201 Xception InceptionV3 InceptionResNetV2 MobileNet MobileNetV2 MobileNetV3Small MobileNetV3Large
NASNetMobile NASNetLarge EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4
EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2
EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L ConvNeXtTiny ConvNeXtSmall ConvNeXtBase
ConvNeXtLarge ConvNeXtXLarge
""".split()


def digest(lines):
    return hashlib.sha256("".join(line + "\n" for line in sorted(lines)).encode()).hexdigest()


# --- Keras


def keras_layers(model):
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from keras_layers(layer)
        else:
            yield layer


def keras_macs(layer):
    def count(shape):
        result = 1
        for extent in shape[1:]:
            result *= extent
        return result

    kind = type(layer).__name__
    if kind == "Conv2D":
        return count(layer.output.shape) * count((1,) + tuple(layer.kernel.shape[:3]))
    if kind == "DepthwiseConv2D":
        return count(layer.output.shape) * layer.kernel.shape[0] * layer.kernel.shape[1]
    if kind == "SeparableConv2D":
        spatial = layer.output.shape[1] * layer.output.shape[2]
        depthwise, pointwise = layer.depthwise_kernel.shape, layer.pointwise_kernel.shape
        return spatial * (count((1,) + tuple(depthwise)) + count((1,) + tuple(pointwise)))
    if kind == "Dense":
        return count(layer.output.shape) * layer.kernel.shape[0]
    return 0


def keras_row(model):
    layers = list(keras_layers(model))
    return {
        "parameters": model.count_params(),
        "trainable": sum(math.prod(w.shape) for w in model.trainable_weights),
        "macs": sum(keras_macs(layer) for layer in layers),
        "inputs": [list(x.shape[1:]) for x in model.inputs],
        "outputs": [list(x.shape[1:]) for x in model.outputs],
        "layers": digest(f"{x.name} {x.count_params()}" for x in layers if x.count_params()),
    }


def keras_rows(known):
    os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    import keras

    # Only shapes matter.
    keras.initializers.VarianceScaling.__call__ = lambda self, shape, dtype=None: keras.ops.zeros(shape)

    def row(make, *arguments, **options):
        keras.backend.clear_session()
        return keras_row(make(*arguments, weights=None, **options))

    applications = keras.applications
    for name in KERAS:
        if "macs" in known.get(name, {}):
            continue
        # Only these leave the extents open.
        shape = {"input_shape": (224, 224, 3)} if "V3" in name and "Mobile" in name else {}
        yield name, {"from": f"keras {keras.__version__}", **row(getattr(applications, name), **shape)}
    for alpha in [0.25, 0.5, 0.75]:
        yield f"MobileNet_{alpha}", row(applications.MobileNet, alpha=alpha)
    for alpha in [0.35, 0.5, 0.75, 1.3, 1.4]:
        yield f"MobileNetV2_{alpha}", row(applications.MobileNetV2, alpha=alpha)
    for name in ["VGG16", "ResNet50V2", "MobileNetV2", "EfficientNetB0", "NASNetMobile"]:
        shape = (160, 192, 3)
        made = row(getattr(applications, name), include_top=False, input_shape=shape)
        yield f"{name} --no-top --size 160x192", made
    for name in ["MobileNet", "DenseNet121", "Xception", "ConvNeXtTiny"]:
        yield f"{name} --classes 7", row(getattr(applications, name), classes=7)


# --- PyTorch


def torch_row(model, inputs, names=None, dummy=0):
    """Counts with hooks on the meta device: shapes without numbers."""
    import torch

    macs = 0

    def hook(layer, given, made):
        nonlocal macs
        if isinstance(layer, torch.nn.ConvTranspose2d):
            kernel = layer.weight.shape
            macs += given[0].numel() * kernel[1] * kernel[2] * kernel[3]
        elif isinstance(layer, torch.nn.Conv2d):
            macs += made.numel() * layer.weight[0].numel()
        elif isinstance(layer, torch.nn.Linear):
            macs += made.numel() * layer.in_features

    for layer in model.modules():
        layer.register_forward_hook(hook)
    model.eval()
    with torch.no_grad():
        made = model(*inputs) if isinstance(inputs, (list, tuple)) else model(**inputs)
    weights = {}
    for name, tensor in model.state_dict().items():
        if name.endswith(("num_batches_tracked", "position_ids", "token_type_ids")):
            continue
        layer = name.rsplit(".", 1)[0]
        weights[layer] = weights.get(layer, 0) + tensor.numel()
    return {
        "parameters": sum(weights.values()),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "macs": macs,
        "layers": digest(f"{name} {count}" for name, count in weights.items()),
    }, made


def folded(model):
    """Millions of parameters with every normalization folded: Slim's have no scale."""
    import torch

    count = 0
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            count += layer.num_features
        elif isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            count += sum(p.numel() for p in layer.parameters())
    return count / 1e6


def torch_rows(known):
    import torch

    torch.set_default_device("meta")
    image = [torch.zeros(1, 3, 224, 224)]

    def guarded(name):
        try:
            return __import__(name)
        except ImportError as fault:
            print(f"left out: {fault}", file=sys.stderr)

    if torchvision := guarded("torchvision"):
        for name in ["squeezenet1_0", "squeezenet1_1"]:
            row, _ = torch_row(getattr(torchvision.models, name)(), image)
            yield name, {"from": f"torchvision {torchvision.__version__}", **row}
    if timm := guarded("timm"):
        for name in ["vit_tiny_patch16_224", "deit_small_patch16_224"]:
            model = timm.create_model(name)
            for block in model.blocks:
                block.attn.fused_attn = False
            row, _ = torch_row(model, image)
            # The two products of attention are functions and have no hooks.
            tokens, width = 197, model.embed_dim
            row["macs"] += len(model.blocks) * 2 * tokens * tokens * width
            yield name, {"from": f"timm {timm.__version__}", **row}
        model = timm.create_model("inception_v4", num_classes=1001)
        row, _ = torch_row(model, [torch.zeros(1, 3, 299, 299)])
        kept = {"macs": row["macs"], "folded": folded(model)}
        yield "inception_v4", {"from": f"timm {timm.__version__}", **kept}
    if torchvision:
        model = torchvision.models.googlenet(num_classes=1001, aux_logits=False, init_weights=False)
        row, _ = torch_row(model, image)
        kept = {"macs": row["macs"], "folded": folded(model)}
        yield "inception_v1", {"from": f"torchvision {torchvision.__version__}", **kept}
    torch.set_default_device("cpu")
    if transformers := guarded("transformers"):
        yield from transformer_rows(transformers)
    if ultralytics := guarded("ultralytics"):
        yield from yolo_rows(ultralytics)


def transformer_rows(transformers):
    import torch

    ids = torch.zeros(1, 128, dtype=torch.long)
    note = f"transformers {transformers.__version__}"
    sizes = [("tiny", 2, 128), ("mini", 4, 256), ("small", 4, 512), ("medium", 8, 512), ("base", 12, 768)]
    for name, layers, width in sizes:
        config = transformers.BertConfig(
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=width // 64,
            intermediate_size=4 * width,
            attn_implementation="eager",
        )
        row, _ = torch_row(transformers.BertModel(config), {"input_ids": ids})
        row["macs"] += layers * 2 * 128 * 128 * width
        yield f"bert-{name}", {"from": note, **row}
    config = transformers.DistilBertConfig(attn_implementation="eager")
    row, _ = torch_row(transformers.DistilBertModel(config), {"input_ids": ids})
    row["macs"] += 6 * 2 * 128 * 128 * 768
    yield "distilbert-base", {"from": note, **row}
    config = transformers.MobileBertConfig(attn_implementation="eager", classifier_activation=False)
    row, _ = torch_row(transformers.MobileBertModel(config), {"input_ids": ids})
    row["macs"] += 24 * 2 * 128 * 128 * 128
    yield "mobilebert", {"from": note, **row}


def yolo_rows(ultralytics):
    import torch
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel

    for letter in "nsmlx":
        for suffix, kind in [("", DetectionModel), ("-seg", SegmentationModel)]:
            # Ultralytics looks at numbers on the way. All of a picture of 640 x 640 pixels is a hundred times
            # that of one of 64 x 64.
            model = kind(f"yolov8{letter}{suffix}.yaml", verbose=False)
            row, made = torch_row(model, [torch.zeros(1, 3, 64, 64)])
            row["macs"] *= 100
            while isinstance(made, (list, tuple)):
                made = made[0]
            row["outputs"] = [[made.shape[1], made.shape[2] * 100]]
            yield f"yolov8{letter}{suffix}", {"from": f"ultralytics {ultralytics.__version__}", **row}


# --- Files and tables that their authors published


def published_rows(known):
    """The .h5 files of MLPerf Tiny in $ASSAY_TEST_DATA, and tables."""
    import h5py

    folder = os.path.join(os.environ["ASSAY_TEST_DATA"], "models", "mlperf_tiny")
    files = [("vww_96", "vww_96"), ("resnet8_cifar10", "resnet8_cifar10"), ("ad_toycar", "ad01")]
    for name, stem in files:
        counts = {}
        with h5py.File(os.path.join(folder, stem + ".h5")) as file:

            def add(path, item):
                if isinstance(item, h5py.Dataset):
                    layer = path.split("/")[0]
                    counts[layer] = counts.get(layer, 0) + item.size

            file["model_weights"].visititems(add)
        digested = digest(f"{layer} {count}" for layer, count in counts.items())
        yield name, {"from": f"{stem}.h5", "parameters": sum(counts.values()), "layers": digested}
    yield "kws_dscnn", {"from": "MLPerf Tiny", "parameters": 24908}
    yield "FireDetectionNet", {"from": "prior system 002", "parameters": 2123813}
    yield "tcn-autoencoder", {"from": "prior system 000", "parameters": 148409}
    # Open Model Zoo's specifications count parameters in millions, normalizations folded.
    zoo = "Open Model Zoo"
    for name, folded in [
        ("ssd_mobilenet_v1", 6.807),
        ("ssdlite_mobilenet_v2", 4.475),
        ("inception_v1", 6.619),
    ]:
        yield name, {"from": zoo, "folded": folded}


def main():
    rows = json.load(open(PATH)) if os.path.exists(PATH) else {}
    makers = {"keras": keras_rows, "torch": torch_rows, "published": published_rows}
    for name, row in makers[sys.argv[1]](dict(rows)):
        rows[name] = {**rows.get(name, {}), **row}
        print(name, {k: v for k, v in row.items() if k != "layers"}, flush=True)
        with open(PATH, "w") as file:
            lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(rows.items())]
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
