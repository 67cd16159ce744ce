"""Holds networks of the zoo with frameworks' weights against the frameworks.

    python check_published_weights.py keras ASSAY FOLDER [NAME ...]
    python check_published_weights.py torch ASSAY FOLDER

`keras` takes NAME.keras of FOLDER, or has keras.applications make NAME with random weights, saves the weights
in both of Keras's formats, builds the network with each, and runs it in ONNX Runtime. `torch` makes YOLOv8
by Ultralytics, SqueezeNet by torchvision, ViT and DeiT by timm and BERT, DistilBERT and MobileBERT by transformers, with
random weights, saves them as those packages do, and compares in the same way. The last line of a network is
the largest difference over the largest output, which is to be at most 1e-4; the status is 1 where one is
not. Written with keras 3 (tensorflow-cpu 2.21.0), onnxruntime 1.31, torch 2.15.0, torchvision 0.29, ultralytics
8.4, timm 1.0 and transformers 5.23.
"""

import os
import subprocess
import sys

import numpy as np
import onnxruntime

stage, assay, folder = sys.argv[1:4]
scratch = os.path.join(folder, "built")
os.makedirs(scratch, exist_ok=True)
#: Networks whose outputs are not the framework's.
missed = []


def outputs(network, weights, feeds, *options):
    path = os.path.join(scratch, network + ".onnx")
    words = [assay, "zoo", "build", network, "--weights", weights, "-o", path, *options]
    run = subprocess.run(words, capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip().splitlines()[0]
    notes = [line for line in run.stderr.splitlines() if line.startswith("warning")]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    shapes = {i.name: i.shape for i in session.get_inputs()}
    types = {i.name: i.type for i in session.get_inputs()}
    given = {}
    for name, value in zip(names, feeds):
        if len(shapes[name]) == 4 and value.ndim == 4 and shapes[name][3] != value.shape[3]:
            value = value.transpose(0, 2, 3, 1)
        given[name] = value.astype("int32" if "int32" in types[name] else value.dtype)
    return session.run(None, given), "; ".join(notes)


def report(network, kind, expected, made, notes):
    candidates = [m for m in made or [] if m.size == expected.size]
    if not candidates:
        missed.append(network)
        print(f"{network:28} {kind:20} FAILED {notes}", flush=True)
        return
    scale = max(float(np.abs(expected).max()), 1e-30)
    worst = min(float(np.abs(m.reshape(expected.shape) - expected).max()) for m in candidates)
    if not worst / scale <= 1e-4:
        missed.append(network)
    print(f"{network:28} {kind:20} {worst:.2e} of {scale:.3g} = {worst / scale:.1e} {notes}", flush=True)


def keras_stage():
    import keras

    chosen = sys.argv[4:] or sorted(
        n[: -len(".keras")] for n in os.listdir(folder) if n.endswith(".keras")
    )
    for name in chosen:
        path = os.path.join(folder, name + ".keras")
        if os.path.exists(path):
            model = keras.saving.load_model(path, compile=False)
        else:
            keras.utils.set_random_seed(1)
            model = getattr(keras.applications, name)(weights=None)
            for weight in model.weights:
                # Statistics and scales that are all zeros and ones would hide a mistake.
                if "gamma" in weight.path or "variance" in weight.path:
                    weight.assign(np.random.uniform(0.5, 1.5, weight.shape))
                elif "beta" in weight.path or "mean" in weight.path or "bias" in weight.path:
                    weight.assign(np.random.uniform(-0.1, 0.1, weight.shape))
        x = np.random.default_rng(1).random((1, *model.input_shape[1:]), dtype="float32")
        new = os.path.join(scratch, name + ".weights.h5")
        old = os.path.join(scratch, name + ".h5")
        model.save_weights(new)
        model.save(old)
        if name.startswith("EfficientNetB"):
            # Keras gives the published weights a layer more, which divides by these once again.
            layer = model.get_layer("normalization")
            layer.adapt_variance.assign(layer.adapt_variance * np.array([0.229, 0.224, 0.225]))
            layer.finalize_state()
        expected = np.asarray(model(x, training=False))
        for path, kind in [(new, ".weights.h5"), (old, ".h5")]:
            report(name, kind, expected, *outputs(name, path, [x]))
            os.remove(path)


def torch_stage():
    import torch

    torch.manual_seed(1)

    def save(model, name):
        path = os.path.join(scratch, name)
        from safetensors.torch import save_file

        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
        return path

    def lively(model):
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
        return model.eval()

    from ultralytics import YOLO

    for name in ["yolov8n", "yolov8n-seg", "yolov8s", "yolov8s-seg", "yolov8m"]:
        network = YOLO(name + ".yaml")
        model = lively(network.model.float())
        x = torch.rand(1, 3, 640, 640)
        with torch.no_grad():
            expected = model(x)[0]
        while isinstance(expected, (tuple, list)):
            expected = expected[0]
        path = os.path.join(scratch, name + ".pt")
        torch.save({"model": model, "ema": None, "license": "AGPL-3.0"}, path)
        report(name, "modules (.pt)", expected.numpy(), *outputs(name, path, [x.numpy()]))

    import torchvision

    for name in ["squeezenet1_0", "squeezenet1_1"]:
        model = getattr(torchvision.models, name)().eval()
        x = torch.rand(1, 3, 224, 224)
        with torch.no_grad():
            expected = model(x).softmax(-1).numpy()
        path = os.path.join(scratch, name + ".pth")
        torch.save(model.state_dict(), path)
        report(name, "state dict (.pth)", expected, *outputs(name, path, [x.numpy()]))

    import timm

    for name in ["vit_tiny_patch16_224", "deit_small_patch16_224"]:
        model = timm.create_model(name).eval()
        for parameter in model.parameters():
            # Scores far from even, so that a wrong one is seen.
            torch.nn.init.normal_(parameter, 0, 0.05 if parameter.dim() < 2 else 0.2)
        x = torch.rand(1, 3, 224, 224)
        with torch.no_grad():
            expected = model(x).softmax(-1).numpy()
        report(name, "safetensors", expected, *outputs(name, save(model, name), [x.numpy()]))
        path = os.path.join(scratch, name + ".pth")
        torch.save({"model": model.state_dict()}, path)
        report(name, "checkpoint (.pth)", expected, *outputs(name, path, [x.numpy()]))

    import transformers

    ids = torch.randint(5, 30000, (1, 128))
    mask = torch.ones_like(ids)
    types = torch.zeros_like(ids)
    types[0, 60:] = 1
    mask[0, 100:] = 0
    configs = {
        "bert-tiny": transformers.BertConfig(
            hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512
        ),
        "bert-base": transformers.BertConfig(),
        "distilbert-base": transformers.DistilBertConfig(),
        "mobilebert": transformers.MobileBertConfig(),
    }
    for name, config in configs.items():
        model = transformers.AutoModel.from_config(config).eval()
        feeds = [ids, mask] if name.startswith("distil") else [ids, mask, types]
        keys = ["input_ids", "attention_mask", "token_type_ids"]
        with torch.no_grad():
            expected = model(**dict(zip(keys, feeds))).last_hidden_state.numpy()
        made = outputs(name, save(model, name), [f.numpy() for f in feeds])
        report(name, "safetensors", expected, *made)
        path = os.path.join(scratch, name + ".bin")
        torch.save(model.state_dict(), path)
        report(name, "pytorch_model.bin", expected, *outputs(name, path, [f.numpy() for f in feeds]))


{"keras": keras_stage, "torch": torch_stage}[stage]()
if missed:
    sys.exit("not equal: " + ", ".join(missed))
