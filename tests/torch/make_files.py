#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_files.py DIRECTORY EXAMPLE...: everything that test_torch.c reads. Networks (those of examples/torch and
bad ones), one table of rows, and the curves that PyTorch itself draws when it trains the same networks on
them in sequence, from the same state of its generator."""
import os
import subprocess
import sys

import torch
from torch import nn

ROWS, FEATURES, CLASSES, BATCH, STEPS, SEED = 512, 64, 10, 64, 100, 7


class Seven(nn.Module):
    """Outputs of the wrong width."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(FEATURES, 7)

    def forward(self, x):
        return self.layer(x)


class Raises(Seven):
    def forward(self, x):
        if x.size(0) > 1:
            raise ValueError("rows are not to my taste")
        return self.layer(x)


class Pair(Seven):
    def forward(self, x):
        return self.layer(x), x


class Detached(Seven):
    def forward(self, x):
        return self.layer(x).detach()[:, :1].expand(-1, 10)


class TwoInputs(Seven):
    def forward(self, x, y):
        return self.layer(x + y)


class Untrained(nn.Module):
    def forward(self, x):
        return x[:, :10]


class Remembers(nn.Module):
    """State of every kind: a buffer changed in place, one that is assigned, numbers; prints and warns."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(FEATURES, 10)
        self.frozen = nn.Linear(10, 10)
        for p in self.frozen.parameters():
            p.requires_grad_(False)
        self.register_buffer("seen", torch.zeros(3))
        self.register_buffer("mean", torch.zeros(10))
        self.calls: int = 0
        self.scale: float = 1.0

    def forward(self, x):
        self.seen += 1
        self.calls += 1
        self.scale *= 0.999
        y = self.frozen(self.layer(x)) * self.scale + self.mean
        self.mean = 0.9 * self.mean + 0.1 * y.detach().mean(0).tanh()
        if self.calls == 2:
            print("called twice")
        return y


class Grows(Seven):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(FEATURES, 10)
        self.register_buffer("last", torch.zeros(1))

    def forward(self, x):
        self.last = x[:, 0]
        return self.layer(x)


class Lists(Grows):
    def __init__(self):
        super().__init__()
        self.history = [0]

    def forward(self, x):
        self.history = [x.size(0)]
        return self.layer(x)


class Tied(nn.Module):
    """One matrix under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(FEATURES, FEATURES)
        self.second = nn.Linear(FEATURES, FEATURES)
        self.second.weight = self.first.weight
        self.last = nn.Linear(FEATURES, 10)

    def forward(self, x):
        return self.last(self.second(self.first(x).tanh()).tanh())


def make_networks(examples):
    for script in examples:  # make_cnn.py writes cnn.pt
        name = os.path.basename(script)[len("make_"):-len(".py")]
        subprocess.run([sys.executable, script, f"{name}.pt"], check=True)
    for cls in (Seven, Raises, Pair, Detached, TwoInputs, Untrained, Remembers, Grows, Lists, Tied):
        torch.manual_seed(1)
        torch.jit.script(cls()).save(cls.__name__.lower() + ".pt")
    torch.save(Seven().state_dict(), "state_dict.pt")
    with open("text.pt", "w", encoding="utf-8") as f:
        f.write("no network\n")
    with open("cnn.pt", "rb") as f:
        whole = f.read()
    for name, part in (("half.pt", whole[: len(whole) // 2]), ("empty.pt", b"")):
        with open(name, "wb") as f:
            f.write(part)


def make_table():
    """Digits-like rows; every number is exact in the file."""
    torch.manual_seed(2)
    classes = torch.arange(ROWS) * 7 % CLASSES
    centres = torch.rand(CLASSES, FEATURES) * 16
    inputs = ((centres[classes] + torch.randn(ROWS, FEATURES) * 4).clamp(0, 16) * 4).round() / 4
    with open("rows.csv", "w", encoding="utf-8") as f:
        f.write(",".join(f"p{i}" for i in range(FEATURES)) + ",class\n")
        for row, c in zip(inputs.tolist(), classes.tolist()):
            f.write(",".join(f"{v:g}" for v in row) + f",{c}\n")
    return inputs, classes


OPTIMIZERS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, weight_decay=1e-4),
    "adam": lambda p, lr: torch.optim.Adam(p, lr),
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr, weight_decay=0.01),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr, momentum=0.9, centered=True),
    "adagrad": lambda p, lr: torch.optim.Adagrad(p, lr),
}
SHAPES = {"cnn": (1, 8, 8), "transformer": (8, 8), "lstm": (8, 8), "tied": (64,), "remembers": (64,)}


def curve(name, optimizer, lr, dtype, inputs, classes, own_loss):
    module = torch.jit.load(f"{name}.pt").to(dtype)
    module.train()
    step = OPTIMIZERS[optimizer]([p for p in module.parameters() if p.requires_grad], lr)
    torch.manual_seed(SEED)
    losses = []
    for i in range(STEPS):
        at = i * BATCH % ROWS
        x = inputs[at:at + BATCH].to(dtype).reshape(-1, *SHAPES[name])
        y = classes[at:at + BATCH]
        loss = module.loss(x, y) if own_loss else nn.functional.cross_entropy(module(x), y)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    return losses


def main(directory, *examples):
    examples = [os.path.abspath(script) for script in examples]
    os.makedirs(directory, exist_ok=True)
    os.chdir(directory)
    torch.set_num_threads(1)
    make_networks(examples)
    inputs, classes = make_table()
    torch.manual_seed(SEED)
    with open("generator.bin", "wb") as f:
        f.write(bytes(torch.get_rng_state().tolist()))
    cases = [(name, optimizer, dtype, name == "lstm" and own)
             for name, own in (("cnn", 0), ("transformer", 0), ("lstm", 0), ("lstm", 1), ("tied", 0), ("remembers", 0))
             for optimizer in OPTIMIZERS
             for dtype in ("float32", "float64")
             if (optimizer in ("sgd", "adam") and (name == "cnn" or dtype == "float32"))
             or (name == "cnn" and dtype == "float64")]
    rates = {"sgd": 0.002, "adam": 0.003, "adamw": 0.003, "rmsprop": 0.0003, "adagrad": 0.01}
    with open("curves.txt", "w", encoding="utf-8") as f:
        for name, optimizer, dtype, own in cases:
            losses = curve(name, optimizer, rates[optimizer], getattr(torch, dtype), inputs, classes, own)
            f.write(f"{name} {'x'.join(map(str, SHAPES[name]))} {optimizer} {dtype} {int(bool(own))} {rates[optimizer]}")
            f.write("".join(f" {loss!r}" for loss in losses) + "\n")
    with open("../torch_files.stamp", "w", encoding="utf-8"):
        pass


main(*sys.argv[1:])
