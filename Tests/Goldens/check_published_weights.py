"""Holds networks of the zoo with frameworks' weights against the frameworks.

    python check_published_weights.py keras ASSAY FOLDER [NAME ...]
    python check_published_weights.py torch ASSAY FOLDER

`keras` takes NAME.keras and NAME.npz (an input and Keras's output) of FOLDER, saves the weights in both of
Keras's formats, builds the network with each, and runs it in ONNX Runtime. `torch` makes YOLOv8 (n) by
Ultralytics, ViT and DeiT by timm and BERT, DistilBERT and MobileBERT by transformers, with random weights,
saves them as those packages do, and compares in the same way. Written with keras 3 (tensorflow-cpu 2.21.0),
onnxruntime 1.31, torch 2.15.0, ultralytics 8.4, timm 1.0 and transformers.
"""

import os
import subprocess
import sys

import numpy as np
import onnxruntime

stage, assay, folder = sys.argv[1:4]
scratch = os.path.join(folder, "built")
os.makedirs(scratch, exist_ok=True)


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
    if made is None:
        print(f"{network:28} {kind:16} FAILED {notes}", flush=True)
        return
    scale = max(float(np.abs(expected).max()), 1e-30)
    candidates = [m for m in made if m.size == expected.size]
    worst = min(float(np.abs(m.reshape(expected.shape) - expected).max()) for m in candidates)
    print(f"{network:28} {kind:16} {worst:.2e} of {scale:.3g} {notes}", flush=True)


def keras_stage():
    import keras

    chosen = sys.argv[4:] or sorted(
        n[: -len(".keras")] for n in os.listdir(folder) if n.endswith(".keras")
    )
    for name in chosen:
        golden = np.load(os.path.join(folder, name + ".npz"))
        model = keras.saving.load_model(os.path.join(folder, name + ".keras"), compile=False)
        x = golden[golden.files[0]]
        expected = np.asarray(model(x, training=False))
        new = os.path.join(scratch, name + ".weights.h5")
        old = os.path.join(scratch, name + ".h5")
        model.save_weights(new)
        model.save(old)
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

    for name in ["yolov8n", "yolov8n-seg"]:
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

    import timm

    for name in ["vit_tiny_patch16_224", "deit_small_patch16_224"]:
        model = timm.create_model(name).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, 0, 0.05)
        x = torch.rand(1, 3, 224, 224)
        with torch.no_grad():
            expected = model(x).softmax(-1).numpy()
        report(name, "safetensors", expected, *outputs(name, save(model, name), [x.numpy()]))

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


{"keras": keras_stage, "torch": torch_stage}[stage]()
