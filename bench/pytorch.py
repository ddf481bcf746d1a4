"""The benchmark's PyTorch: reads one JSON request a line, writes one JSON reply a line."""

import json
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)


def forward():
    with torch.no_grad():
        return cross_entropy(logits.detach(), target)


def forward_with_gradient():
    logits.grad = None
    loss = cross_entropy(logits, target)
    loss.backward()
    return loss


def load(shape, folder):
    global logits, target
    data = np.fromfile(f"{folder}/logits.f32", np.float32).reshape(shape)
    labels = np.fromfile(f"{folder}/targets.i32", np.int32).reshape(shape[:1] + shape[2:])
    logits = torch.from_numpy(data).requires_grad_()
    target = torch.from_numpy(labels).long()
    return {}


def answer(folder):
    loss = forward_with_gradient()
    logits.grad.numpy().tofile(f"{folder}/gradient.f32")
    return {"loss": loss.item()}


def run(mode, steps):
    step = forward if mode == "forward" else forward_with_gradient
    start = time.perf_counter()
    for _ in range(steps):
        step().item()
    return {"ms": 1000 * (time.perf_counter() - start) / steps}


COMMANDS = {"load": load, "answer": answer, "run": run}

print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    command, arguments = json.loads(line)
    print(json.dumps(COMMANDS[command](**arguments)), flush=True)
