# SPDX-License-Identifier: MIT
"""A PyTorch step of about a millisecond: a network 784-256-10, batches of 128, SGD with momentum. A step answers
with the microseconds it took; "evaluate" with the median of 50 steps in a row that nobody asked for."""
import os
import sys
import time

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "exec"))
import findlr_exec

torch.manual_seed(0)
torch.set_num_threads(1)
rows, label = torch.randn(1280, 784), torch.randint(10, (1280,))
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
at = 0


def step(lr):
    global at
    begin = time.perf_counter()
    optimizer.param_groups[0]["lr"] = lr
    at = (at + 128) % 1280
    loss = nn.functional.cross_entropy(model(rows[at:at + 128]), label[at:at + 128])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()
    return (time.perf_counter() - begin) * 1e6


def alone():
    return sorted(step(1e-3) for _ in range(50))[25]


findlr_exec.serve(step, alone)
