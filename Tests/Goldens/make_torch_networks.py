"""Makes the networks of AssayRewriteTests/TorchNetworkTests: NAME.pt2, NAME.onnx and NAME.npz.

Made with torch 2.15.0, torchvision 0.29.2, ultralytics 8.4.190, onnxscript 0.7.2, Python 3.11:

    python make_torch_networks.py FOLDER [NAME …]

Weights are random and seeded; statistics of normalizations are drawn, so that none is the identity.
The archive NAME.npz holds the input `x` and PyTorch's outputs `y0`, `y1`, …
"""

import os
import sys
import warnings

import numpy
import torch
import torchvision.models as models

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def yolo():
    from ultralytics import YOLO

    network = YOLO("yolov8n-seg.yaml", verbose=False).model
    head = network.model[-1]
    head.export, head.format, head.dynamic = True, "onnx", False
    return network


def deeplab():
    make = models.segmentation.deeplabv3_mobilenet_v3_large
    return make(weights=None, weights_backbone=None, num_classes=5)


NETWORKS = {
    "resnet18": (models.resnet18, (2, 3, 224, 224)),
    "resnet50": (models.resnet50, (2, 3, 224, 224)),
    "mobilenet_v2": (models.mobilenet_v2, (2, 3, 224, 224)),
    "mobilenet_v3_small": (models.mobilenet_v3_small, (2, 3, 224, 224)),
    "mobilenet_v3_large": (models.mobilenet_v3_large, (2, 3, 224, 224)),
    "efficientnet_b0": (models.efficientnet_b0, (2, 3, 224, 224)),
    "yolov8n-seg": (yolo, (1, 3, 320, 320)),
    "convnext_tiny": (models.convnext_tiny, (2, 3, 224, 224)),
    "swin_t": (models.swin_t, (1, 3, 224, 224)),
    "vit_b_16": (models.vit_b_16, (1, 3, 224, 224)),
    "shufflenet_v2": (models.shufflenet_v2_x1_0, (1, 3, 224, 224)),
    "regnet_y_400mf": (models.regnet_y_400mf, (1, 3, 224, 224)),
    "deeplabv3": (deeplab, (1, 3, 256, 256)),
    "squeezenet": (models.squeezenet1_1, (1, 3, 224, 224)),
    "densenet121": (models.densenet121, (1, 3, 224, 224)),
}


def prepared(network):
    network = network.eval()
    generator = torch.Generator().manual_seed(3)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn(buffer.shape, generator=generator) * 0.05)
        if name.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape, generator=generator) * 0.5 + 0.5)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        if not parameter.any():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return network


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value.numpy()]
    values = value.values() if isinstance(value, dict) else value
    return [array for item in values for array in flat(item)]


def main(folder, names):
    for name in names or NETWORKS:
        make, shape = NETWORKS[name]
        torch.manual_seed(1)
        network = prepared(make())
        x = torch.randn(shape)
        with torch.no_grad():
            outputs = flat(network(x))
        batch = ({0: torch.export.Dim("batch", min=1, max=64)},) if shape[0] > 1 else None
        path = os.path.join(folder, name)
        torch.export.save(torch.export.export(network, (x,), dynamic_shapes=batch), path + ".pt2")
        torch.onnx.export(network, (x,), path + ".onnx", opset_version=18, dynamo=True, external_data=False)
        numpy.savez(path + ".npz", x=x.numpy(), **{f"y{i}": v for i, v in enumerate(outputs)})


main(sys.argv[1], sys.argv[2:])
