# SPDX-License-Identifier: MIT
"""quadratic.py FOLDER: two numbers that roll down a bowl, with momentum. tests/test_exec.c does the same sums in C, in
the same order, and wants the same curve. FOLDER has findlr_exec.py."""
import sys

sys.path.insert(0, sys.argv[1])
import findlr_exec

w, v = [4.0, -3.0], [0.0, 0.0]
count = 0


def loss():
    return 0.5 * (w[0] - 1) * (w[0] - 1) + 2.5 * (w[1] + 0.25) * (w[1] + 0.25)


def step(*rates):
    global count
    count += 1
    print("step", count)  # goes to the log
    if count == 5:
        return None
    before = loss()
    for i, gradient in enumerate((w[0] - 1, 5 * (w[1] + 0.25))):
        v[i] = 0.5 * v[i] + gradient
        w[i] -= rates[i] * v[i]
    return before


def load(state):
    global count
    w[:], v[:], count = state


findlr_exec.serve(step, loss, lambda: (w, v, count), load, groups=2)
