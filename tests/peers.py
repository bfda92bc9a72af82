#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The suggestion rules of other finders, ported line by line from their Python, with NumPy and PyTorch.

Prints the rows and stops that tests/test_suggestion.c expects. Run by hand; the build does not.
Made with Python 3.11, NumPy 1.24.2, PyTorch 1.13.1.
"""
import math

import numpy as np
import torch


# --- fastai: callback/schedule.py, learner.py (AvgSmoothLoss) ---

def fastai_record(loss, n):
    val, best, out = torch.tensor(0.0), math.inf, []
    for t, x in enumerate(loss[:n], 1):
        val = torch.lerp(torch.tensor(x, dtype=torch.float32), val, 0.98)
        v = val / (1 - 0.98**t)
        out.append(v.item())
        if v < best:
            best = v
        if v > 4 * best:
            break
    return out


def fastai(lr, loss, n):
    n = max(6, n)
    out = fastai_record(loss, n)
    first = n // 10
    return torch.tensor(lr[:len(out)][first:-5]), torch.tensor(out[first:-5]), first


def valley(lr, loss, n):
    _, losses, first = fastai(lr, loss, n)
    losses = losses.tolist()
    n = len(losses)
    start = end = 0
    lds = [1] * n
    for i in range(1, n):
        for j in range(i):
            if losses[i] < losses[j] and lds[i] < lds[j] + 1:
                lds[i] = lds[j] + 1
            if lds[end] < lds[i]:
                end = i
                start = end - lds[end]
    sections = (end - start) / 3
    return first + start + int(sections) + int(sections / 2)


def slide(lr, loss, n):
    _, losses, first = fastai(lr, loss, n)
    losses = losses.numpy()
    g = np.gradient(losses)
    right, left = -1, -16
    at = left
    while left >= -len(losses) and abs(g[right] - g[left]) > 0.005:
        at = left
        right -= 1
        left -= 1
    return first + len(losses) + at


def minimum(lr, loss, n):
    _, losses, first = fastai(lr, loss, n)
    return first + losses.argmin().item()


def steep(lr, loss, n):
    lrs, losses, first = fastai(lr, loss, n)
    g = (losses[1:] - losses[:-1]) / (lrs[1:].log() - lrs[:-1].log())
    return first + g.argmin().item()


# --- pytorch-lr-finder: lr_finder.py; Ignite: handlers/lr_finder.py ---

def seeded_record(loss, n):
    out = []
    for i, x in enumerate(loss[:n]):
        if i == 0:
            best = x
        else:
            x = 0.05 * x + (1 - 0.05) * out[-1]
            if x < best:
                best = x
        out.append(x)
        if x > 5 * best:
            break
    return out


def steepest(lr, loss, n):
    return 10 + int(np.gradient(np.array(seeded_record(loss, n)[10:-5])).argmin())


def ignite(lr, loss, n):
    out = seeded_record(loss, n)
    falling = torch.tensor(out[:torch.tensor(out).argmin().item() + 1])
    g = torch.tensor([0.5 * (falling[i + 1] - falling[i - 1]) for i in range(1, len(falling) - 1)])
    return 1 + g.argmin().item()


# --- PyTorch Lightning: tuner/lr_finder.py ---

def lightning_record(loss, n):
    avg, best, out = 0.0, 0.0, []
    for step, x in enumerate(loss[:n], 1):
        avg = 0.98 * avg + (1 - 0.98) * x
        smoothed = avg / (1 - 0.98 ** (step + 1))
        out.append(smoothed)
        if step > 1 and smoothed > 4 * best:
            break
        if smoothed < best or step == 1:
            best = smoothed
    return out


def lightning(lr, loss, n, spacing=True):
    out = lightning_record(loss, n)
    losses, lrs = torch.tensor(out[10:-1]), torch.tensor(lr[:len(out)][10:-1])
    g = torch.gradient(losses, spacing=[lrs])[0] if spacing else torch.gradient(losses)[0]
    return None if g.min() >= 0 else 10 + g.argmin().item()


def lightning_2_5_2(lr, loss, n):
    return lightning(lr, loss, n, spacing=False)


# --- keras_lr_finder: lrfinder.py ---

def keras_record(loss, n):
    best, out = 1e9, []
    for batch, x in enumerate(loss[:n]):
        out.append(x)
        if batch > 5 and (math.isnan(x) or x > best * 4):
            break
        if x < best:
            best = x
    return out


def keras(lr, loss, n, sma=20):
    out = keras_record(loss, n)
    d = [0] * sma + [(out[i] - out[i - sma]) / sma for i in range(sma, len(out))]
    return 10 + int(np.argmin(d[10:-5]))


METHODS = [valley, slide, minimum, steep, steepest, ignite, lightning, lightning_2_5_2, keras]
RECORDS = [fastai_record, seeded_record, lightning_record, keras_record]


# --- the curves of tests/test_suggestion.c ---

def draws(seed):
    while True:
        seed = (1103515245 * seed + 12345) % 2**31
        yield seed / 2**31


def loss_at(x):
    return 2.3 - 1.8 / (1 + math.exp(-3 * (x + 2.5))) + 5 * max(0, x + 0.5) ** 2


def high(x):
    return 4000 + loss_at(x)


def saw(i):
    if i < 15:
        return 2.0
    if i < 35:
        return 2 - 0.02 * (i - 15)
    return 1.6 * 1.025 ** (i - 35) * (0.4 if i % 6 < 2 else 1.3)


if __name__ == "__main__":
    lr = [1e-7 * 1e8 ** (i / 100) for i in range(100)]
    for seed in (7919, 15838, 23757):
        noise = draws(seed)
        loss = [high(math.log10(r)) + 0.2 * (next(noise) - 0.5) for r in lr]
        print("high", seed, [(m.__name__, m(lr, loss, 100)) for m in METHODS])
    lr = [1e-7 * 1e8 ** (i / 200) for i in range(200)]
    loss = [saw(i) for i in range(200)]
    print("saw stops", [(r.__name__, len(r(loss, 200))) for r in RECORDS])
    print("saw", [(m.__name__, m(lr, loss, 200)) for m in METHODS])
