#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guest.py LIBFINDLR FILE: in a process that uses the same libtorch itself, training steps of a session leave
its generator, its number of threads and autograd's mode as they were."""
import ctypes
import struct
import sys

import torch

findlr = ctypes.CDLL(sys.argv[1])
err = ctypes.create_string_buffer(struct.pack("Ii", 520, 0) + bytes(512), 520)


def require(status):
    if status != 0:
        sys.exit(err.raw[8:].split(b"\0")[0].decode())


options = ctypes.create_string_buffer(144)
findlr.findlr_session_options_init.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
findlr.findlr_session_options_init(options, len(options))
model = ctypes.c_char_p(f'torch:file="{sys.argv[2]}",shape=1x8x8,optimizer=adam'.encode())
struct.pack_into("P", options, 16, ctypes.cast(model, ctypes.c_void_p).value)

torch.manual_seed(3)
torch.set_num_threads(2)
before = torch.get_rng_state()
context, session = ctypes.c_void_p(), ctypes.c_void_p()
require(findlr.findlr_context_create(None, ctypes.byref(context), err))
require(findlr.findlr_session_create(context, options, ctypes.byref(session), err))
rate, loss = ctypes.c_double(1e-3), ctypes.c_double()
for _ in range(5):
    require(findlr.findlr_session_step(session, ctypes.byref(rate), 1, ctypes.byref(loss), err))
assert torch.equal(before, torch.get_rng_state()), "the generator was moved"
assert torch.get_num_threads() == 2 and torch.is_grad_enabled()
findlr.findlr_session_destroy(session)
findlr.findlr_context_destroy(context)
