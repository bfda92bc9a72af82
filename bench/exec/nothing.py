# SPDX-License-Identifier: MIT
"""Takes no time for a step and says so, through the helper of examples/exec."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "exec"))
import findlr_exec

findlr_exec.serve(lambda lr: 0.0)
