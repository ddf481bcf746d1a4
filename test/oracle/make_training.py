#!/usr/bin/env python3
"""Whole training runs with torch -> training.json.

    python make_training.py [--out training.json]

Each run trains a small network on a few uneven batches, in order, and records the loss of every step and the weights at
the end. Torch runs in float64 on the float32 numbers written here; results are rounded once to float32.

run = {
  "name":      unique string,
  "layers":    [{"type": "dense" | "conv", "units", "activation": null | "tanh" | "logSoftmax" | "softmax"}],
               TensorFlow's layout: channels last; dense acts on the last axis, conv is 3x3 with padding "same". What
               ends in a softmax is trained on the logits before it (NLLLoss on their log-softmax), as PyTorch would,
  "axis":      class axis of the output as the loss sees it: -1, or 1 (the output is then permuted to torch's layout),
  "criterion": "CrossEntropyLoss" | "NLLLoss",
  "options":   {"weight"?, "ignoreIndex"?, "reduction"?, "labelSmoothing"?},
  "optimizer": {"name": "sgd" | "momentum" | "adam", "learningRate"},
  "batchSize", "epochs",
  "x", "y":    {"shape", "data"}; y holds int32 indices, or probabilities if it has the output's shape,
  "weights":   [kernel, bias, ...] at the start, in TensorFlow's layout: dense [in, out], conv [3, 3, in, out],
  "expect":    {"losses": [one a step], "weights": [...]}
}
"""
import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F

from make_golden import Draw, pack

SEED = 20260314
MOMENTUM, EPSILON = 0.9, 1e-7

#          x without N, layers, classes
NETWORKS = {
    "classes": ([4], ["dense", "dense"], 3),
    "tokens": ([5, 3], ["dense", "dense"], 7),
    "pixels": ([3, 4, 2], ["dense", "dense"], 4),
    "convolution": ([4, 4, 2], ["conv", "conv"], 3),
}
HIDDEN, EXAMPLES, BATCH, EPOCHS = 5, 10, 4, 3       # batches of 4, 4 and 2
LEARNING_RATE = {"sgd": 0.2, "momentum": 0.05, "adam": 0.01}
ALL = {"weight": True, "ignoreIndex": -100, "labelSmoothing": 0.1}


def network(layers, weights, x):
    for (kind, activation), kernel, bias in zip(layers, weights[::2], weights[1::2]):
        if kind == "dense":
            x = x @ kernel + bias
        else:
            y = F.conv2d(x.movedim(-1, 1), kernel.permute(3, 2, 0, 1), bias, padding=1)
            x = y.movedim(1, -1)
        x = {None: lambda v: v, "softmax": lambda v: v, "tanh": torch.tanh,
             "logSoftmax": lambda v: F.log_softmax(v, -1)}[activation](x)
    return x


def run(name, net, criterion="CrossEntropyLoss", options=None, optimizer="sgd", target="index", axis=-1, ignored_batch=False,
        softmax=False):
    d = Draw(SEED, name)
    shape, kinds, classes = NETWORKS[net]
    options = dict(options or {})
    if options.get("weight"):
        options["weight"] = [float(w) for w in d._short(d.g.uniform(0.2, 3, classes))]
    last = "softmax" if softmax else "logSoftmax" if criterion == "NLLLoss" else None
    layers = [(kinds[0], "tanh"), (kinds[1], last)]

    x = d._short(d.g.normal(0, 1, (EXAMPLES, *shape)))
    weights, width = [], shape[-1]
    for kind, units in zip(kinds, (HIDDEN, classes)):
        size = (width, units) if kind == "dense" else (3, 3, width, units)
        weights += [d._short(d.g.normal(0, 0.5, size)), d._short(d.g.normal(0, 0.2, units))]
        width = units
    rows = [EXAMPLES, *shape[:-1]]
    if target == "prob":
        y = d._short(torch.softmax(torch.tensor(d.g.normal(0, 1.5, (*rows, classes))), -1).numpy(), 4)
    else:
        y = d.index(rows, classes, options.get("ignoreIndex", -100), 0.3 if "ignoreIndex" in options else 0)
        if ignored_batch:
            y[BATCH:2 * BATCH] = options["ignoreIndex"]
        if target == "one-hot":
            y = np.eye(classes)[y]

    lr = LEARNING_RATE[optimizer] * (0.1 if options.get("reduction") == "sum" else 1)
    leaves = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights]
    step = {"sgd": lambda p: torch.optim.SGD(p, lr), "momentum": lambda p: torch.optim.SGD(p, lr, momentum=MOMENTUM),
            "adam": lambda p: torch.optim.Adam(p, lr, eps=EPSILON)}[optimizer](leaves)
    module = getattr(torch.nn, criterion)(**{
        {"ignoreIndex": "ignore_index", "labelSmoothing": "label_smoothing"}.get(k, k):
            torch.tensor(v, dtype=torch.float64) if k == "weight" else v for k, v in options.items()})
    inputs, targets = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    targets = targets if target == "index" else targets.double()
    losses = []
    for _ in range(EPOCHS):
        for at in range(0, EXAMPLES, BATCH):
            out = network(layers, leaves, inputs[at:at + BATCH])
            if softmax and criterion == "NLLLoss":
                out = F.log_softmax(out, -1)
            t = targets[at:at + BATCH]
            loss = module(out.movedim(-1, 1).contiguous(), t if target == "index" else t.movedim(-1, 1))
            step.zero_grad()
            loss.backward()
            step.step()
            losses.append(loss.detach())
    return {
        "name": name, "layers": [{"type": k, "units": u, "activation": a} for (k, a), u in zip(layers, (HIDDEN, classes))],
        "axis": axis, "criterion": criterion, "options": options, "optimizer": {"name": optimizer, "learningRate": round(lr, 6)},
        "batchSize": BATCH, "epochs": EPOCHS, "x": pack(x), "y": pack(y if axis == -1 or target == "index" else np.moveaxis(y, -1, 1)),
        "weights": [pack(w) for w in weights],
        "expect": {"losses": pack(torch.stack(losses))["data"], "weights": [pack(w) for w in leaves]},
    }


def runs():
    for net in NETWORKS:
        for optimizer in ("sgd", "adam"):
            yield run(f"{net}/{optimizer}", net, optimizer=optimizer)
            yield run(f"{net}/{optimizer}/weight-ignore-smoothing", net, options=ALL, optimizer=optimizer)
        yield run(f"{net}/sgd/sum", net, options={"reduction": "sum", "weight": True, "ignoreIndex": -100})
        yield run(f"{net}/adam/probabilities", net, options={"labelSmoothing": 0.1, "weight": True}, optimizer="adam", target="prob")
        yield run(f"{net}/momentum/nll", net, "NLLLoss", {"weight": True, "ignoreIndex": -100}, "momentum")
    yield run("pixels/adam/void-255", "pixels", options={"ignoreIndex": 255}, optimizer="adam")
    yield run("tokens/adam/padding-0", "tokens", options={"ignoreIndex": 0}, optimizer="adam")
    yield run("tokens/adam/classes-first", "tokens", options=ALL, optimizer="adam", axis=1)
    yield run("pixels/sgd/classes-first/probabilities", "pixels", optimizer="sgd", target="prob", axis=1)
    for optimizer in ("sgd", "adam"):
        yield run(f"tokens/{optimizer}/a-batch-all-ignored", "tokens", options={"ignoreIndex": -100}, optimizer=optimizer, ignored_batch=True)
    for net in NETWORKS:
        for optimizer in ("sgd", "adam"):
            yield run(f"softmax/{net}/{optimizer}", net, optimizer=optimizer, softmax=True)
        yield run(f"softmax/{net}/adam/weight-ignore-smoothing", net, options=ALL, optimizer="adam", softmax=True)
        yield run(f"softmax/{net}/sgd/one-hot", net, optimizer="sgd", target="one-hot", softmax=True)
        yield run(f"softmax/{net}/momentum/nll", net, "NLLLoss", {"weight": True, "ignoreIndex": -100}, "momentum", softmax=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", default="training.json")
    out = ap.parse_args().out
    all_runs = list(runs())
    meta = {"torch": torch.__version__, "seed": SEED, "generator": "make_training.py", "momentum": MOMENTUM, "epsilon": EPSILON}
    with open(out, "w") as f:
        f.write('{"meta":' + json.dumps(meta) + ',\n"runs":[\n')
        f.write(",\n".join(json.dumps(r, separators=(",", ":"), allow_nan=False) for r in all_runs))
        f.write("\n]}\n")


if __name__ == "__main__":
    main()
