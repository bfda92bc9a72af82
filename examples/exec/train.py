# SPDX-License-Identifier: MIT
"""A classifier with nothing but Python, range-tested by: findlr run -- python3 train.py
Two parameter groups (the weights, the bias), momentum, a held-out loss."""
import math
import os
import random

import findlr_exec

rng = random.Random(int(os.environ.get("FINDLR_SEED", "0")))
rows = []
for _ in range(400):
    label = rng.randrange(2)
    rows.append(([rng.gauss(2 * label - 1, 1.5) for _ in range(5)], label))
held_out = rows[300:]

weights, bias, speed, position = [0.0] * 5, 0.0, [0.0] * 6, 0


def loss_and_gradient(batch):
    total, gradient = 0.0, [0.0] * 6
    for x, label in batch:
        z = bias + sum(w * v for w, v in zip(weights, x))
        total += max(z, 0) - z * label + math.log1p(math.exp(-abs(z)))
        error = 1 / (1 + math.exp(-z)) - label if z > -700 else -label
        for i, v in enumerate(x):
            gradient[i] += error * v
        gradient[5] += error
    return total / len(batch), [g / len(batch) for g in gradient]


def step(weight_lr, bias_lr):
    global bias, position
    loss, gradient = loss_and_gradient([rows[(position + i) % 300] for i in range(20)])
    position += 20
    for i, g in enumerate(gradient):
        speed[i] = 0.9 * speed[i] + g
    for i in range(5):
        weights[i] -= weight_lr * speed[i]
    bias -= bias_lr * speed[5]
    return loss


def evaluate():
    return loss_and_gradient(held_out)[0]


def load(state):
    global weights, bias, speed, position
    weights, bias, speed, position = state


findlr_exec.serve(step, evaluate, lambda: (weights, bias, speed, position), load, groups=2)
