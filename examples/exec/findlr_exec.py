# SPDX-License-Identifier: MIT
"""The exec protocol of findlr, for training scripts in Python: copy this file beside yours.

    import findlr_exec

    def step(lr):              # one training step at this rate; the loss before the update
        ...
        return loss            # None: the step did not count (a mixed-precision overflow)

    findlr_exec.serve(step)    # then: findlr run -- python3 train.py
"""
import copy
import os
import sys
import traceback


def serve(step, evaluate=None, state=None, load=None, groups=1, slots=4):
    """Does what findlr asks for, until it asks no more. step gets one rate a parameter group; evaluate()
    returns the held-out loss; state() returns everything that training changes, which is copied, and
    load(state) takes such a copy back. Without these two findlr starts the script anew instead."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed: to the log, line by line
    sys.stdout.reconfigure(line_buffering=True)
    kept = {}

    def say(text):
        answers.write("findlr " + text + "\n")
        answers.flush()

    def obey(request, *arguments):
        if request == "step":
            loss = step(*map(float, arguments))
            return "skip" if loss is None else f"loss {float(loss)!r}"
        if request == "evaluate":
            return f"loss {float(evaluate())!r}"
        if request == "save":
            kept[arguments[0]] = copy.deepcopy(state())
        elif request == "restore":
            load(copy.deepcopy(kept[arguments[0]]))
        else:
            return f"error unknown request {request}"
        return "ok"

    say(f"1 groups={groups} slots={slots if state and load else 0} validate={int(evaluate is not None)}")
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == "stop":
            break
        try:
            say(obey(*line.split()))
        except Exception as why:
            traceback.print_exc()
            say(f"error {type(why).__name__}: {why}".replace("\n", " "))
