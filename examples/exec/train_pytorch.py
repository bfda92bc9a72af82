# SPDX-License-Identifier: MIT
"""A PyTorch training loop, range-tested by: findlr run -- python3 train_pytorch.py
Two spirals, a small network with batch norm and dropout, SGD with momentum."""
import os

import torch
from torch import nn

import findlr_exec

torch.manual_seed(int(os.environ.get("FINDLR_SEED", "0")))
torch.set_num_threads(int(os.environ.get("FINDLR_THREADS", "1")))

turn = torch.rand(1000) + 0.25
label = torch.arange(1000) % 2
angle = 3 * turn + torch.pi * label
rows = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) + 0.1 * torch.randn(1000, 2)

model = nn.Sequential(nn.Linear(2, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1),
                      nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

# From here on: what findlr needs.


def step(lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    batch = torch.randint(800, (64,))
    loss = nn.functional.cross_entropy(model(rows[batch]), label[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def evaluate():
    model.eval()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(rows[800:]), label[800:])
    model.train()
    return loss.item()


def load(state):
    model.load_state_dict(state[0])
    optimizer.load_state_dict(state[1])
    torch.set_rng_state(state[2])


findlr_exec.serve(step, evaluate, lambda: (model.state_dict(), optimizer.state_dict(), torch.get_rng_state()), load)
