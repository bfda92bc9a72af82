#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_cnn.py FILE [SIDE]: a convolutional network with batch norm and dropout for SIDE x SIDE grey
pictures of ten classes (8: the built-in digits, 28: Fashion-MNIST), as TorchScript.

    findlr run --model torch:file=FILE,shape=1x8x8 --data digits
"""
import sys

import torch
from torch import nn


class CNN(nn.Module):
    def __init__(self, side: int):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.dropout = nn.Dropout(0.25)
        self.classifier = nn.Linear(32 * (side // 4) ** 2, 10)

    def forward(self, x):
        return self.classifier(self.dropout(self.features(x).flatten(1)))


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.jit.script(CNN(int(sys.argv[2]) if len(sys.argv) > 2 else 8)).save(sys.argv[1])
