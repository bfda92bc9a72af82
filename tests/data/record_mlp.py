#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records what PyTorch's Sequential(Linear, activation, ...) computes, for tests/test_mlp.c:

    python3 record_mlp.py > mlp.h

Networks 5-4-3-2 on a batch of 3, one an activation and type. Weights, inputs and gradients of the
outputs are pattern() below, and the test computes the same. A case holds the outputs, then the
gradients of all parameters in order.
"""
import torch

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid,
               "gelu": torch.nn.GELU}


def pattern(n, factor, modulus, divisor):
    """n numbers on both sides of 0, without chance."""
    return torch.tensor([((i * factor) % modulus - modulus // 2) / divisor for i in range(n)],
                        dtype=torch.float64)


def case(activation, dtype):
    sizes = [5, 4, 3, 2]
    modules = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        modules += [torch.nn.Linear(inputs, outputs), activation()]
    model = torch.nn.Sequential(*modules[:-1]).to(dtype)
    parameters = list(model.parameters())
    values = pattern(sum(p.numel() for p in parameters), 37, 101, 60).to(dtype)
    with torch.no_grad():
        for p, v in zip(parameters, values.split([p.numel() for p in parameters])):
            p.copy_(v.view_as(p))
    outputs = model(pattern(15, 29, 53, 13).to(dtype).view(3, 5))
    outputs.backward(pattern(6, 17, 23, 7).to(dtype).view(3, 2))
    return torch.cat([outputs.detach().flatten()] + [p.grad.flatten() for p in parameters])


print("/* SPDX-License-Identifier: MIT */")
print(f"/* Written by record_mlp.py with PyTorch {torch.__version__}. */")
print('#include "findlr/tensor.h"\n')
print("static const struct {\n  const char *activation;\n  uint32_t dtype;\n  double values[53];")
print("} recorded[] = {")
for name, activation in ACTIVATIONS.items():
    for dtype in (torch.float32, torch.float64):
        print(f'  {{ "{name}",\n    FINDLR_DTYPE_{str(dtype)[6:].upper()},\n    {{', end="")
        numbers = [float(v).hex() for v in case(activation, dtype)]
        for i in range(0, len(numbers), 4):
            print("\n      " + ", ".join(numbers[i:i + 4]) + ",", end="")
        print(" } },")
print("};")
