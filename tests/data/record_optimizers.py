#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records what PyTorch's optimizers do, for tests/test_optimizers.c:

    python3 record_optimizers.py > optimizers.txt

A parameter "weight" of 4 numbers in group 0 and "bias" of 2 in group 1, each with its own rate; 50
steps, of which step 7 is skipped. The problem is problem() below, in the parameters' own type, and
the test computes the same. One block a case: the spec string as libfindlr writes it, the type, the
rates of the first step, then the parameters after the steps RECORDED, as shortest decimal numbers
that read back equal.
"""
import sys

import torch

STEPS = 50
SKIPPED = 7
RECORDED = [1, 2, 3, 6, 7, 8, 10, 15, 20, 30, 40, 50]

# spec, class, its options, rates of the two groups
CASES = [
    ("sgd", torch.optim.SGD, {}, (0.1, 0.02)),
    ("sgd:weight_decay=0.1", torch.optim.SGD, {"weight_decay": 0.1}, (0.1, 0.02)),
    ("sgd:momentum=0.9", torch.optim.SGD, {"momentum": 0.9}, (0.02, 0.005)),
    ("sgd:momentum=0.8,dampening=0.3,weight_decay=0.05", torch.optim.SGD,
     {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.05}, (0.02, 0.005)),
    ("sgd:momentum=0.7,weight_decay=0.02,nesterov=true", torch.optim.SGD,
     {"momentum": 0.7, "weight_decay": 0.02, "nesterov": True}, (0.02, 0.005)),
    ("adam", torch.optim.Adam, {}, (0.05, 0.01)),
    ("adam:beta1=0.8,beta2=0.95", torch.optim.Adam, {"betas": (0.8, 0.95)}, (0.05, 0.01)),
    ("adam:eps=0.01,weight_decay=0.1", torch.optim.Adam,
     {"eps": 0.01, "weight_decay": 0.1}, (0.05, 0.01)),
    ("adam:beta2=0.6,amsgrad=true", torch.optim.Adam,
     {"betas": (0.9, 0.6), "amsgrad": True}, (0.05, 0.01)),
    ("adamw", torch.optim.AdamW, {}, (0.05, 0.01)),
    ("adamw:beta1=0.7,beta2=0.9,eps=1e-4,weight_decay=0.3", torch.optim.AdamW,
     {"betas": (0.7, 0.9), "eps": 1e-4, "weight_decay": 0.3}, (0.05, 0.01)),
    ("adamw:beta2=0.6,amsgrad=true", torch.optim.AdamW,
     {"betas": (0.9, 0.6), "amsgrad": True}, (0.05, 0.01)),
    ("rmsprop", torch.optim.RMSprop, {}, (0.02, 0.005)),
    ("rmsprop:alpha=0.9,eps=0.01,weight_decay=0.1", torch.optim.RMSprop,
     {"alpha": 0.9, "eps": 0.01, "weight_decay": 0.1}, (0.02, 0.005)),
    ("rmsprop:momentum=0.6", torch.optim.RMSprop, {"momentum": 0.6}, (0.01, 0.002)),
    ("rmsprop:alpha=0.8,centered=true", torch.optim.RMSprop,
     {"alpha": 0.8, "centered": True}, (0.02, 0.005)),
    ("rmsprop:alpha=0.95,momentum=0.5,centered=true", torch.optim.RMSprop,
     {"alpha": 0.95, "momentum": 0.5, "centered": True}, (0.01, 0.002)),
    ("adagrad", torch.optim.Adagrad, {}, (0.3, 0.1)),
    ("adagrad:lr_decay=0.05,weight_decay=0.1", torch.optim.Adagrad,
     {"lr_decay": 0.05, "weight_decay": 0.1}, (0.3, 0.1)),
    ("adagrad:initial_accumulator_value=0.5,eps=0.1", torch.optim.Adagrad,
     {"initial_accumulator_value": 0.5, "eps": 0.1}, (0.3, 0.1)),
]


def problem(theta, step):
    """The gradient at step 1, 2, ...: a bowl whose numbers pull at their neighbours, and a jitter."""
    gradient = []
    for i in range(6):
        jitter = ((7 * step + 3 * i) % 11 - 5) / 8
        gradient.append((0.5 + 0.25 * i) * (theta[i] - (3 + i)) + 0.125 * theta[(i + 1) % 6] + jitter)
    return gradient


def trajectory(kind, options, rates, dtype):
    weight = torch.tensor([1.0, -1.5, 2.0, 0.5], dtype=dtype)
    bias = torch.tensor([-0.75, 1.25], dtype=dtype)
    optimizer = kind([{"params": [weight], "lr": rates[0]}, {"params": [bias], "lr": rates[1]}],
                     lr=1.0, **options)
    for step in range(1, STEPS + 1):
        theta = torch.cat([weight, bias])
        gradient = torch.stack(problem(theta, step))
        assert gradient.dtype == dtype
        weight.grad, bias.grad = gradient[:4].clone(), gradient[4:].clone()
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * (0.5 + step / STEPS)  # a ramp, as in a range test
        if step != SKIPPED:
            optimizer.step()
        if step in RECORDED:
            yield step, torch.cat([weight, bias])


def text(number, dtype):
    if dtype == torch.float64:
        return repr(number)
    return next(t for t in ("%.*g" % (n, number) for n in range(1, 10))
                if torch.tensor(float(t), dtype=dtype).item() == number)


def main():
    print("# Written by record_optimizers.py with PyTorch", torch.__version__)
    for spec, kind, options, rates in CASES:
        for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
            print("case", spec, name, *rates)
            for step, theta in trajectory(kind, options, rates, dtype):
                print(step, *(text(x, dtype) for x in theta.tolist()))


if __name__ == "__main__":
    sys.exit(main())
