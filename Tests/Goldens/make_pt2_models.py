"""Makes the small `.pt2` archives of Tests/Fixtures/pytorch, and what PyTorch computes.

Made with torch 2.15.0, Python 3.11:  python make_pt2_models.py FOLDER

Each archive comes with NAME.npz: inputs under the program's names, outputs as `out0`, `out1`, …
"""

import io
import os
import sys
import warnings
import zipfile

import numpy
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
folder = sys.argv[1]
BATCH = torch.export.Dim("batch", min=1, max=16)


class Net(nn.Module):
    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            if isinstance(module, torch.Tensor):
                self.register_buffer(name, module)
            else:
                setattr(self, name, module)
        self.body = forward

    def forward(self, x):
        return self.body(self, x)


def convolutions(s, x):
    x = F.relu(s.norm(s.first(x)))
    y = F.relu6(s.depthwise(x)) + F.hardswish(s.same(x)) * F.silu(x)
    y = torch.cat([y, s.grouped(x)], 1)
    return s.back(F.max_pool2d(y, 3, 2, 1)), s.dilated(y).mean((2, 3))


def pools(s, x):
    a = F.max_pool2d(x, 3, 2, ceil_mode=True)
    b = F.avg_pool2d(x, 3, 2, 1)
    c = F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)
    d = F.adaptive_avg_pool2d(x, (3, 4))
    e = F.adaptive_avg_pool2d(x, 1).flatten(1)
    return a, b, c, d, e, F.adaptive_max_pool2d(x, 1)


def activations(s, x):
    return (
        F.gelu(x), F.gelu(x, approximate="tanh"), F.elu(x), F.elu(x, 0.5), F.selu(x), F.celu(x, 2.0),
        F.leaky_relu(x, 0.2), F.mish(x), F.softplus(x), F.softplus(x, 2.0), F.hardsigmoid(x),
        F.hardtanh(x, -0.5, 0.7), x.clamp(0.1), x.clamp(max=0.3), F.log_softmax(x, 1), F.softmax(x, -1),
        torch.sigmoid(x), torch.tanh(x), s.prelu(x), F.softsign(x), torch.rsqrt(x.abs() + 1),
        F.glu(x, 1), F.logsigmoid(x), torch.erf(x), F.hardshrink(x), F.softshrink(x), F.threshold(x, 0.1, 2.0),
    )


def arithmetic(s, x):
    n = (x * 10).to(torch.int64)
    return (
        x + 2, 2 - x, x * s.row, x / 3, x**2, x**0.5, x**1.7, torch.add(x, x, alpha=0.5), -x, 1 / x,
        n // 3, n % 3, n + 1.5, n / 2, (n > 3), (n == 2) | (n < 1), torch.where(x > 0.5, x, 0.0),
        x.masked_fill(x > 0.5, -1.0), torch.maximum(x, s.row), torch.lerp(x, s.row, 0.3),
        torch.addcmul(x, x, s.row, value=2.0), x.to(torch.float64) + 1, torch.trunc(x * 5), torch.round(x * 5),
        x.log1p(), torch.fmod(x * 7, 2), ~(n > 3),
    )


def shapes(s, x):
    y = x.view(x.size(0), 2, 2, -1).permute(0, 2, 1, 3)
    z = x.flatten(1).unsqueeze(1).squeeze(1).unflatten(1, (4, -1))
    a, b = x.chunk(2, 1)
    c, d, e = z.split([1, 2, 1], 1)
    return (
        y, z, torch.cat([b, a], 1), e + c, d, x[:, 1], x[:, :, 1:, ::2], x[:, -1, 0], torch.stack([a, b], 2),
        x.transpose(1, 3), x.flip(1), x.roll((1, 2), (2, 3)), a.expand(-1, -1, -1, -1).repeat(1, 2, 1, 1),
        F.pad(x, (1, 2, 0, 1)), F.pad(x, (1, 1, 1, 1), "reflect"), F.pad(x, (-1, 1)), F.pad(x, (2, 1, 1, 0), "replicate"),
        F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2), x.movedim(1, -1), F.channel_shuffle(x, 2),
        F.interpolate(x, scale_factor=2.0), F.interpolate(x, (7, 9), mode="bilinear"),
        F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), x.unbind(1)[2],
    )


def indices(s, x):
    i = torch.tensor([2, 0, -1])
    top = x.topk(2, 1)
    return (
        s.table(torch.tensor([[1, 2], [3, 0]])), x[:, i], x.index_select(2, torch.tensor([1, 0])), x.argmax(1),
        x.max(2).values, x.max(2).indices, top.values, top.indices, x.sort(2, descending=True).values,
        x.gather(1, torch.zeros(1, 2, 3, dtype=torch.int64) + 1), x[:, i, torch.tensor([0, 1, 2])], x.cumsum(1),
        torch.arange(6).reshape(2, 3).to(torch.float32) + torch.tril(torch.ones(2, 3)), F.one_hot(x.argmax(1), 4),
    )


def reductions(s, x):
    return (
        x.mean(1), x.sum((2, 3), keepdim=True), x.amax((1, 3)), x.amin(2, keepdim=True), x.prod(3), x.var(1), x.std((2, 3)),
        x.mean(), torch.norm(x, dim=1), x.logsumexp(1), (x > 0).any(1), (x > -9).all(), x.var(1, unbiased=False), x.min(), x.norm(1, 2),
    )


def dense(s, x):
    y = s.linear(x)
    q, k, v = s.qkv(x).view(x.size(0), 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
    return (
        y, F.layer_norm(x, (8,)), s.layer(x), s.group(x.transpose(1, 2)), s.attention(x, x, x)[0],
        F.scaled_dot_product_attention(q, k, v, is_causal=True), torch.einsum("bik,bjk->bij", x, x),
        torch.einsum("bij,jk->bki", x, s.linear.weight), torch.matmul(x, s.linear.weight.t()),
        torch.addmm(s.linear.bias, x[:, 0], s.linear.weight.t()), torch.bmm(x, x.transpose(1, 2)), F.rms_norm(x, (8,)),
        F.layer_norm(x, (5, 8)), s.row(x.transpose(1, 2)), s.batch(x.transpose(1, 2)), F.instance_norm(x), s.encoder(x),
    )


def inplace(s, x):
    y = x * 1
    y[:, 0] = 3
    y[:, :, 1:2] += 1
    mask = torch.zeros(4, 6)
    mask[1:3, :2] = 1
    z = torch.relu_(y + mask)
    z.mul_(2).add_(x)
    return z, y


def recurrent(s, x):
    lstm, (h, c) = s.lstm(x)
    gru, g = s.gru(x)
    rnn, r = s.rnn(x)
    return lstm, h, c, gru, g, rnn, r


def volumes(s, x):
    return s.conv(x), s.back(x), F.max_pool3d(x, 2), F.avg_pool3d(x, 2), F.adaptive_avg_pool3d(x, 1)


def make(name, body, shape, dynamic=False, decomposed=False, **modules):
    torch.manual_seed(len(name))
    net = Net(body, **modules).eval()
    for key, value in net.named_buffers():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    x = torch.rand(shape) if body is arithmetic else torch.randn(shape)
    outputs = net(x)
    program = torch.export.export(net, (x,), dynamic_shapes={"x": {0: BATCH}} if dynamic else None)
    if decomposed:
        program = program.run_decompositions()
    torch.export.save(program, os.path.join(folder, name + ".pt2"))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    arrays = {f"out{i}": o.detach().float().numpy() for i, o in enumerate(outputs)}
    numpy.savez_compressed(os.path.join(folder, name + ".npz"), x=x.numpy(), **arrays)


def layers():
    return dict(
        first=nn.Conv2d(3, 4, 3, 2, 1), norm=nn.BatchNorm2d(4), depthwise=nn.Conv2d(4, 4, 3, padding=1, groups=4),
        same=nn.Conv2d(4, 4, 2, padding="same"), grouped=nn.Conv2d(4, 6, 1, groups=2),
        back=nn.ConvTranspose2d(10, 6, 3, 2, 1, 1, groups=2), dilated=nn.Conv2d(10, 3, 3, dilation=2, padding=(2, 0)),
    )


make("convolutions", convolutions, (2, 3, 11, 12), dynamic=True, **layers())
make("convolutions_core", convolutions, (1, 3, 11, 12), decomposed=True, **layers())
make("pools", pools, (1, 3, 9, 10))
make("activations", activations, (1, 4, 2, 3), prelu=nn.PReLU(4))
make("arithmetic", arithmetic, (2, 3, 4), row=torch.rand(4))
make("shapes", shapes, (1, 4, 4, 6))
make("indices", indices, (1, 4, 3), table=nn.Embedding(4, 3))
make("reductions", reductions, (2, 3, 4, 5))


def dense_layers():
    return dict(
        linear=nn.Linear(8, 8), qkv=nn.Linear(8, 24), layer=nn.LayerNorm(8), group=nn.GroupNorm(2, 8),
        attention=nn.MultiheadAttention(8, 2, batch_first=True), row=nn.Conv1d(8, 3, 3, padding=1),
        batch=nn.BatchNorm1d(8), encoder=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    )


make("dense", dense, (2, 5, 8), dynamic=True, **dense_layers())
make("dense_core", dense, (2, 5, 8), decomposed=True, **dense_layers())
make("inplace", inplace, (1, 4, 6))
make(
    "recurrent", recurrent, (2, 5, 3), lstm=nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True),
    gru=nn.GRU(3, 4, batch_first=True), rnn=nn.RNN(3, 4, batch_first=True),
)
make("volumes", volumes, (1, 2, 4, 6, 5), conv=nn.Conv3d(2, 3, 3, padding=1), back=nn.ConvTranspose3d(2, 3, 2, 2))



def read(name):
    with zipfile.ZipFile(os.path.join(folder, name + ".pt2")) as archive:
        return {n.split("/", 1)[1]: archive.read(n) for n in archive.namelist()}


def write(name, files, root="", method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(os.path.join(folder, name + ".pt2"), "w", method) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(root + path), content, compress_type=method)


def saved(values):
    buffer = io.BytesIO()
    torch.save(values, buffer)
    return buffer.getvalue()


# The layouts of earlier versions, with tensors that share a storage or do not lie in order.
files = read("inplace")
net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3)).eval()
shared = torch.randn(20)
net[1].weight = nn.Parameter(shared[2:11].view(3, 3).t())
net[1].bias = nn.Parameter(shared[4:7])
net.register_buffer("unused", torch.zeros(1))
x = torch.randn(2, 4)
program = torch.export.export(net, (x,))
torch.export.save(program, os.path.join(folder, "layout.pt2"))
numpy.savez_compressed(os.path.join(folder, "layout.npz"), x=x.numpy(), out0=net(x).detach().numpy())
files = read("layout")
json = files["models/model.json"]
state = {k: v.detach() for k, v in program.state_dict.items()}
older = {"serialized_exported_program.json": json, "serialized_state_dict.pt": saved(state),
         "serialized_constants.pt": saved({}), "version": "8.1"}
write("layout_older", older)
pickled = {"archive_format": "pt2", "models/model.json": json, "data/weights/model.pt": saved(dict(net.state_dict(keep_vars=True))),
           "data/constants/model.pt": saved({}), "byteorder": "little"}
write("layout_pickled", pickled, "name/", zipfile.ZIP_STORED)

# Packed, without the inputs that the programs were traced with.
for name in [n[:-4] for n in sorted(os.listdir(folder)) if n.endswith(".pt2") and not n.startswith(("layout", "pools"))]:
    write(name, {k: v for k, v in read(name).items() if "sample_inputs" not in k}, name + "/")

# What is recognised and refused.
net = nn.Linear(3, 2)
torch.save(net.state_dict(), os.path.join(folder, "weights.pt"))
torch.jit.save(torch.jit.script(net), os.path.join(folder, "script.pt"))
