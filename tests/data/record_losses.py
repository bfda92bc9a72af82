#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records what PyTorch's losses answer, for tests/test_losses.c:

    python3 record_losses.py > losses.txt

One block a case: the spec string as libfindlr writes it, the type, rows and columns, the value with
reduction='sum' and with reduction='mean'; then for each row its outputs, its target or targets, and
the gradient of the mean. Numbers are the shortest decimals that read back equal.
"""
import sys

import torch
from torch.nn import functional

ROWS, COLUMNS = 7, 4

# Small and large numbers of either sign; row 5 is of equal ones, row 6 of extreme ones.
OUTPUTS = [[((17 * r + 29 * c) % 23 - 11) / 4 for c in range(COLUMNS)] for r in range(ROWS - 2)]
OUTPUTS += [[0.3] * COLUMNS, [150.0, -1000.0, 90.5, -80.25]]
REAL = [[((13 * r + 7 * c) % 19 - 9) / 5 for c in range(COLUMNS)] for r in range(ROWS - 2)]
REAL += [[0.3, 0.8, -0.7, 1.3], [149.0, -990.0, 90.5, 80.0]]
BINARY = [[float((r + c) % 2) for c in range(COLUMNS)] for r in range(ROWS - 2)]
BINARY += [[0.25, 0.5, 0.75, 0.125], [0.0, 1.0, 1.0, 0.0]]
CLASSES = [0, 3, 1, 2, 2, 0, 3]


def weights(*numbers):
    return lambda dtype: torch.tensor(numbers, dtype=dtype)


# spec, function, its options, targets
CASES = [
    ("mse", functional.mse_loss, {}, REAL),
    ("l1", functional.l1_loss, {}, REAL),
    ("huber", functional.huber_loss, {}, REAL),
    ("huber:delta=0.35", functional.huber_loss, {"delta": 0.35}, REAL),
    ("cross_entropy", functional.cross_entropy, {}, CLASSES),
    ("cross_entropy:label_smoothing=0.1", functional.cross_entropy, {"label_smoothing": 0.1}, CLASSES),
    ("cross_entropy:class_weights=1x2.5x0x0.3", functional.cross_entropy,
     {"weight": weights(1, 2.5, 0, 0.3)}, CLASSES),
    ("cross_entropy:label_smoothing=0.25,class_weights=1x2.5x0x0.3", functional.cross_entropy,
     {"label_smoothing": 0.25, "weight": weights(1, 2.5, 0, 0.3)}, CLASSES),
    ("bce_with_logits", functional.binary_cross_entropy_with_logits, {}, BINARY),
    ("bce_with_logits:pos_weight=3", functional.binary_cross_entropy_with_logits,
     {"pos_weight": weights(3)}, BINARY),
    ("bce_with_logits:pos_weight=1x2.5x0x0.3", functional.binary_cross_entropy_with_logits,
     {"pos_weight": weights(1, 2.5, 0, 0.3)}, BINARY),
]


def text(number, dtype):
    if dtype == torch.float64:
        return repr(number)
    return next(t for t in ("%.*g" % (n, number) for n in range(1, 10))
                if torch.tensor(float(t), dtype=dtype).item() == number)


def main():
    print("# Written by record_losses.py with PyTorch", torch.__version__)
    for spec, function, options, given in CASES:
        for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
            classes = given is CLASSES
            outputs = torch.tensor(OUTPUTS, dtype=dtype, requires_grad=True)
            targets = torch.tensor(given, dtype=torch.int64 if classes else dtype)
            made = {k: v(dtype) if callable(v) else v for k, v in options.items()}
            total = function(outputs, targets, reduction="sum", **made)
            mean = function(outputs, targets, reduction="mean", **made)
            mean.backward()
            print("case", spec, name, ROWS, COLUMNS, text(total.item(), dtype), text(mean.item(), dtype))
            for r in range(ROWS):
                row = outputs[r].tolist()
                row += [targets[r].item()] if classes else targets[r].tolist()
                row += outputs.grad[r].tolist()
                print(*(str(x) if isinstance(x, int) else text(x, dtype) for x in row))


if __name__ == "__main__":
    sys.exit(main())
