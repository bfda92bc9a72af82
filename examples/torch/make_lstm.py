#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_lstm.py FILE: a two-layer LSTM that reads a digit row by row, with a loss of its own (label
smoothing), as TorchScript.

    findlr run --model torch:file=FILE,shape=8x8,optimizer=adam --data digits
"""
import sys

import torch
from torch import nn


class LSTM(nn.Module):
    def __init__(self, features: int = 8, width: int = 48):
        super().__init__()
        self.lstm = nn.LSTM(features, width, num_layers=2, dropout=0.2, batch_first=True)
        self.classifier = nn.Linear(width, 10)

    def forward(self, x):
        y, _ = self.lstm(x / 16)
        return self.classifier(y[:, -1])

    @torch.jit.export
    def loss(self, x, target):
        """The mean over the batch; what findlr takes with optimizer=..., if it is there."""
        return nn.functional.cross_entropy(self.forward(x), target, label_smoothing=0.1)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.jit.script(LSTM()).save(sys.argv[1])
