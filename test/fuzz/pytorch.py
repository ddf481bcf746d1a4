#!/usr/bin/env python3
"""What PyTorch says of fuzz cases, in float64: a line of JSON a batch, on stdin and stdout.

Arrays are base64 of float64. Three inputs may come with a case: for the value and its derivatives by the input, by the
target and by the weight. They differ where this package decides otherwise than PyTorch on purpose (`pytorch.ts`).
"""
import base64
import json
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F

warnings.simplefilter("ignore")
torch.set_num_threads(1)


def unpack(text, shape):
    array = np.frombuffer(base64.b64decode(text), dtype=np.float64)
    return torch.from_numpy(array.copy()).reshape(shape)


def pack(tensor):
    return base64.b64encode(tensor.detach().contiguous().numpy().astype(np.float64).tobytes()).decode()


def leaf(text, shape):
    return unpack(text, shape).requires_grad_()


def solve_linear(case):
    """The value and its gradients, of logits that a linear layer makes."""
    shape, features = case["shape"], case["features"]
    x = leaf(case["input"], [shape[0], features])
    w = leaf(case["linearWeight"], [-1, features])
    b = leaf(case["linearBias"], [-1]) if "linearBias" in case else None
    target = leaf(case["probabilities"], shape) if "probabilities" in case else None
    weight = unpack(case["weight"], [-1]) if "weight" in case else None
    if weight is not None and target is not None:
        weight.requires_grad_()
    t = target
    if target is None:
        t = torch.tensor(case["indices"], dtype=torch.int64).reshape(shape[:1] + shape[2:])
    options = dict(ignore_index=case["ignoreIndex"], reduction=case["reduction"], label_smoothing=case["labelSmoothing"])
    value = F.cross_entropy(F.linear(x, w, b).reshape(shape), t, weight=weight, **options)
    leaves = {"Input": x, "LinearWeight": w, "LinearBias": b, "Target": target, "Weight": weight if target is not None else None}
    leaves = {name: tensor for name, tensor in leaves.items() if tensor is not None}
    grads = torch.autograd.grad(value, list(leaves.values()), unpack(case["upstream"], value.shape), allow_unused=True)
    results = {"value": value}
    for name, grad in zip(leaves, grads):
        results["grad" + name] = torch.zeros_like(leaves[name]) if grad is None else grad
    return results


def function_of(case):
    kind, dim, shape = case["kind"], case["dim"], case["shape"]
    if kind in ("softmax", "logSoftmax"):
        f = F.softmax if kind == "softmax" else F.log_softmax
        return lambda x, target, weight: f(x, dim)

    def to_pytorch(x):
        return x.movedim(dim, 1).contiguous() if len(shape) > 1 else x

    indices = None
    if "indices" in case:
        row_shape = shape[:dim] + shape[dim + 1 :]
        indices = torch.tensor(case["indices"], dtype=torch.int64).reshape(row_shape)
    options = dict(ignore_index=case["ignoreIndex"], reduction=case["reduction"])
    if kind == "nllLoss":
        return lambda x, target, weight: F.nll_loss(to_pytorch(x), indices, weight=weight, **options)
    options["label_smoothing"] = case["labelSmoothing"]

    def cross_entropy(x, target, weight):
        t = indices if target is None else to_pytorch(target)
        return F.cross_entropy(to_pytorch(x), t, weight=weight, **options)

    return cross_entropy


def derivatives(case, text):
    """The value, its gradients, and those of <the gradient by the input, direction>."""
    shape = case["shape"]
    x = leaf(text, shape)
    target = leaf(case["probabilities"], shape) if "probabilities" in case else None
    weight = None
    if "weight" in case:
        weight = unpack(case["weight"], [-1])
        if target is not None:
            weight.requires_grad_()
    value = function_of(case)(x, target, weight)
    dy = leaf(case["upstream"], value.shape)
    leaves = {"Input": x, "Target": target, "Weight": weight if target is not None else None}
    leaves = {name: tensor for name, tensor in leaves.items() if tensor is not None}
    results = {"value": value}
    grads = torch.autograd.grad(value, list(leaves.values()), dy, create_graph=True, allow_unused=True)
    for name, grad in zip(leaves, grads):
        results["grad" + name] = torch.zeros_like(leaves[name]) if grad is None else grad
    leaves["Upstream"] = dy
    direction = unpack(case["direction"], shape)
    seconds = torch.autograd.grad(grads[0], list(leaves.values()), direction, allow_unused=True)
    for name, grad in zip(leaves, seconds):
        results["second" + name] = torch.zeros_like(leaves[name]) if grad is None else grad
    return results


def solve(case):
    try:
        if case["kind"] == "linearCrossEntropy":
            return {"results": {name: pack(x) for name, x in solve_linear(case).items()}}
        results = derivatives(case, case["input"])
        for name in ("Target", "Weight"):
            if "inputFor" + name in case:
                others = derivatives(case, case["inputFor" + name])
                results.update({key: x for key, x in others.items() if key.endswith(name)})
        return {"results": {name: pack(x) for name, x in results.items()}}
    except Exception as error:  # what PyTorch refuses is an answer too
        return {"error": str(error), "type": type(error).__name__}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps([solve(case) for case in json.loads(line)]), flush=True)
