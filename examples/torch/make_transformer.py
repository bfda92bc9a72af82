#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_transformer.py FILE: a small transformer encoder that reads a digit as eight rows of eight
pixels, as TorchScript.

    findlr run --model torch:file=FILE,shape=8x8 --data digits
"""
import sys

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attention = (q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5).softmax(-1)
        x = x + self.dropout(self.out((attention @ v).transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.mlp(self.norm2(x)))


class Transformer(nn.Module):
    def __init__(self, length: int = 8, features: int = 8, width: int = 32):
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(Block(width, 4, 0.1), Block(width, 4, 0.1))
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, 10)

    def forward(self, x):
        x = self.blocks(self.embed(x / 16) + self.position)
        return self.classifier(self.norm(x).mean(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.jit.script(Transformer()).save(sys.argv[1])
