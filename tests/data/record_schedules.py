#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records what other projects' schedules answer, for tests/test_schedule.c:

    python3 record_schedules.py > schedules.txt

PyTorch's schedulers run for 1,001 steps as in training: rates 0 to 1,000, and the momentum where they
set one. Projects that are not installed (bckenstler's CLR, fastai, Keras, fairseq, Transformers) stand
as their published formulas, in double precision.

One block a case: "case SPEC", the spec string as libfindlr writes it for a rate of 0.1 and 1,000 steps;
then a line a step: the step, the rate, and the momentum. Every 7th step, and those round every
kink. Numbers are the shortest decimals that read back equal.
"""
import math
import sys
import warnings

import torch
from torch.optim import lr_scheduler as lrs

LR, STEPS = 0.1, 1000


def plateau_metric(i, sign=1):
    """What reduce_on_plateau is told after step i; tests/test_schedule.c has the same."""
    if i % 97 == 96:
        return math.nan
    return sign * ((1000 - min(i, 300)) + (i * 7919 % 997) / 997 * 3) / 1000


def run(make, metric=None, momentum=False):
    """A scheduler in a training loop: [(rate, momentum or None)], step by step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR, momentum=0.5)
    scheduler = make(optimizer)
    seen = []
    for i in range(STEPS + 1):
        group = optimizer.param_groups[0]
        seen.append((group["lr"], group["momentum"] if momentum else None))
        optimizer.step()
        if i < STEPS:
            scheduler.step(*([metric(i)] if metric else []))
    return seen


def run_one_cycle(**options):
    """Of total_steps rates the last is number total_steps - 1; findlr keeps it."""
    def make(optimizer):
        return lrs.OneCycleLR(optimizer, max_lr=LR, total_steps=STEPS + 1, **options)
    return run(make, momentum=options.get("cycle_momentum", True))


def after(warmup, first, schedule):
    def make(optimizer):
        return lrs.SequentialLR(optimizer, [first(optimizer), schedule(optimizer)], milestones=[warmup])
    return run(make)


def of(formula):
    return [(formula(i), None) for i in range(STEPS + 1)]


# bckenstler/CLR: cycle = floor(1 + i/(2 step_size)), x = |i/step_size - 2 cycle + 1|,
# rate = base + (max - base) max(0, 1 - x) scale
def clr(base, step_size, scale, by_cycle=True):
    def rate(i):
        cycle = math.floor(1 + i / (2 * step_size))
        x = abs(i / step_size - 2 * cycle + 1)
        return base + (LR - base) * max(0, 1 - x) * scale(cycle if by_cycle else i)
    return of(rate)


# fastai: sched_cos(start, end, pos), joined by combine_scheds at part
def fastai_cos(start, end, pos):
    return start + (1 + math.cos(math.pi * (1 - pos))) * (end - start) / 2


def fastai_joined(part, start, middle, end):
    def at(i):
        pos = i / STEPS
        if pos < part:
            return fastai_cos(start, middle, pos / part)
        return fastai_cos(middle, end, (pos - part) / (1 - part))
    return at


def fastai_one_cycle():
    rate = fastai_joined(0.25, LR / 25, LR, LR / 1e5)
    momentum = fastai_joined(0.25, 0.95, 0.85, 0.95)
    return [(rate(i), momentum(i)) for i in range(STEPS + 1)]


def keras_polynomial(i, end=0.003, power=1.7):
    return (LR - end) * (1 - min(i, STEPS) / STEPS) ** power + end


def fairseq_inverse_sqrt(i, warmup=100, start=0.001):
    if i < warmup:
        return start + i * (LR - start) / warmup
    return LR * warmup ** 0.5 * i ** -0.5


def transformers_inverse_sqrt(i, timescale=250):
    return LR / math.sqrt((i + timescale) / timescale)


# spec, steps with kinks, how
CASES = [
    ("constant", [], lambda: of(lambda i: LR)),
    # A warm-up in front of nothing is what ConstantLR and LinearLR are.
    ("constant:warmup=200,warmup_mode=constant,warmup_start=0.25", [200],
     lambda: run(lambda o: lrs.ConstantLR(o, factor=0.25, total_iters=200))),
    ("constant:warmup=200,warmup_start=0.1", [200],
     lambda: run(lambda o: lrs.LinearLR(o, start_factor=0.1, total_iters=200))),
    ("constant:warmup=200,warmup_mode=exponential,warmup_start=0.01", [200],
     lambda: of(lambda i: LR * 0.01 ** (1 - min(i, 200) / 200))),
    ("step:every=30,gamma=0.8", range(30, 1000, 30), lambda: run(lambda o: lrs.StepLR(o, 30, 0.8))),
    ("multi_step:at=1x300x600x601x1000,gamma=0.3", [1, 300, 600, 1000],
     lambda: run(lambda o: lrs.MultiStepLR(o, [1, 300, 600, 601, 1000], 0.3))),
    ("exponential:gamma=0.993", [], lambda: run(lambda o: lrs.ExponentialLR(o, 0.993))),
    ("exponential:gamma=0.1,every=300", [], lambda: of(lambda i: LR * 0.1 ** (i / 300))),
    ("polynomial:power=1", [], lambda: run(lambda o: lrs.PolynomialLR(o, STEPS, 1.0))),
    ("polynomial:power=2.5,steps=800", [800], lambda: run(lambda o: lrs.PolynomialLR(o, 800, 2.5))),
    ("polynomial:power=1.7,min=0.003", [], lambda: of(keras_polynomial)),
    ("linear:start=0.3,end=0.9,steps=700", [700],
     lambda: run(lambda o: lrs.LinearLR(o, 0.3, 0.9, 700))),
    ("linear:start=1,end=0.001", [], lambda: run(lambda o: lrs.LinearLR(o, 1.0, 0.001, STEPS))),
    ("cosine", [], lambda: run(lambda o: lrs.CosineAnnealingLR(o, STEPS))),
    ("cosine:min=0.001", [], lambda: run(lambda o: lrs.CosineAnnealingLR(o, STEPS, 0.001))),
    ("cosine:min=0.001,warmup=100,warmup_start=0.01", [100],
     lambda: after(100, lambda o: lrs.LinearLR(o, 0.01, 1.0, 100),
                   lambda o: lrs.CosineAnnealingLR(o, STEPS - 100, 0.001))),
    ("cosine_restarts:first=90", range(90, 1000, 90),
     lambda: run(lambda o: lrs.CosineAnnealingWarmRestarts(o, 90))),
    ("cosine_restarts:first=30,mult=3,min=0.002", [30, 120, 390],
     lambda: run(lambda o: lrs.CosineAnnealingWarmRestarts(o, 30, 3, 0.002))),
    ("inverse_sqrt:warmup=100,warmup_start=0.01", [100], lambda: of(fairseq_inverse_sqrt)),
    ("inverse_sqrt:timescale=250", [], lambda: of(transformers_inverse_sqrt)),
    ("flat_anneal:flat=0.75,min=1e-6", [750], lambda: of(fastai_joined(0.75, LR, LR, LR / 1e5))),
    ("triangular:min=0.01,up=75,cycle_momentum=false", range(75, 1000, 75),
     lambda: clr(0.01, 75, lambda x: 1.0)),
    ("triangular2:min=0.01,up=75,cycle_momentum=false", range(75, 1000, 75),
     lambda: clr(0.01, 75, lambda x: 1 / (2.0 ** (x - 1)))),
    ("exp_range:min=0.01,up=75,gamma=0.997,cycle_momentum=false", range(75, 1000, 75),
     lambda: clr(0.01, 75, lambda x: 0.997 ** x, by_cycle=False)),
    ("triangular:min=0.004,up=37,down=81", [37, 118, 155, 236],
     lambda: run(lambda o: lrs.CyclicLR(o, 0.004, LR, 37, 81), momentum=True)),
    ("triangular2:min=0.004,up=100", range(100, 1000, 100),
     lambda: run(lambda o: lrs.CyclicLR(o, 0.004, LR, 100, mode="triangular2"), momentum=True)),
    ("exp_range:min=0.004,up=64,gamma=0.999,low_momentum=0.7,high_momentum=0.99", [64, 128],
     lambda: run(lambda o: lrs.CyclicLR(o, 0.004, LR, 64, mode="exp_range", gamma=0.999,
                                        base_momentum=0.7, max_momentum=0.99), momentum=True)),
    ("one_cycle:steps=1001", [300], run_one_cycle),
    ("one_cycle:steps=1001,anneal=linear,cycle_momentum=false", [300],
     lambda: run_one_cycle(anneal_strategy="linear", cycle_momentum=False)),
    ("one_cycle:steps=1001,three_phase=true", [300, 600], lambda: run_one_cycle(three_phase=True)),
    ("one_cycle:steps=1001,part=0.45,div=10,final_div=100,anneal=linear,three_phase=true,"
     "low_momentum=0.7,high_momentum=0.9", [449, 899],
     lambda: run_one_cycle(pct_start=0.45, div_factor=10.0, final_div_factor=100.0, anneal_strategy="linear",
                           three_phase=True, base_momentum=0.7, max_momentum=0.9)),
    ("one_cycle_fastai", [250], fastai_one_cycle),
    ("reduce_on_plateau", [], lambda: run(lambda o: lrs.ReduceLROnPlateau(o), plateau_metric)),
    ("reduce_on_plateau:factor=0.7,patience=5,threshold=0.002,threshold_mode=abs,cooldown=20,min=0.001",
     [], lambda: run(lambda o: lrs.ReduceLROnPlateau(
         o, factor=0.7, patience=5, threshold=0.002, threshold_mode="abs", cooldown=20, min_lr=0.001),
         plateau_metric)),
    ("reduce_on_plateau:mode=max,factor=0.9,patience=20", [],
     lambda: run(lambda o: lrs.ReduceLROnPlateau(o, mode="max", factor=0.9, patience=20),
                 lambda i: plateau_metric(i, -1))),
    ("reduce_on_plateau:mode=max,factor=0.5,patience=3,threshold=0.01,threshold_mode=abs,cooldown=3", [],
     lambda: run(lambda o: lrs.ReduceLROnPlateau(
         o, mode="max", factor=0.5, patience=3, threshold=0.01, threshold_mode="abs", cooldown=3),
         lambda i: plateau_metric(i, -1))),
]


def main():
    warnings.simplefilter("ignore")
    print("# Written by record_schedules.py with PyTorch", torch.__version__)
    for spec, kinks, how in CASES:
        seen = how()
        if spec.startswith("reduce"):
            kinks = [i for i in range(1, STEPS + 1) if seen[i] != seen[i - 1]]
        print("case", spec)
        near = {k + d for k in kinks for d in (-1, 0, 1)}
        for i, (rate, momentum) in enumerate(seen):
            if i % 7 == 0 or i in near or i < 3 or i > STEPS - 3:
                print(i, repr(float(rate)), *([] if momentum is None else [repr(float(momentum))]))


if __name__ == "__main__":
    sys.exit(main())
