#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training scripts as a user runs them: test_exec.py PROGRAM EXAMPLES [PYTHON], the last for PyTorch.

Standard library only (and PyTorch in the scripts that PYTHON runs)."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, EXAMPLES, *TORCH = sys.argv[1:]
PROGRAM, EXAMPLES = os.path.abspath(PROGRAM), os.path.abspath(EXAMPLES)

SHELL = "echo findlr 1 groups=%s slots=1 validate=0; n=0; while read a b; do case $a in step) n=$((n+1)); %s;; " \
        "stop) exit;; *) echo findlr ok;; esac; done"


def shell(act, groups=1):
    return ["--", "sh", "-c", SHELL % (groups, act)]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def findlr(self, *args):
        return subprocess.run([PROGRAM, "run", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.folder.name, env=dict(os.environ, LC_ALL="C.UTF-8"), timeout=100)

    def json_of(self, *args):
        done = self.findlr("--json", "-", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def bad(self, args, code, *fragments):
        done = self.findlr(*args)
        lines = done.stderr.decode().splitlines()
        self.assertEqual((done.returncode, done.stdout, len(lines)), (code, b"", 1), done)
        for fragment in fragments:
            self.assertIn(fragment, lines[0])
        self.assertEqual(os.listdir(self.folder.name), [])


class Examples(Case):
    def test_python(self):
        command = ["--", "python3", os.path.join(EXAMPLES, "train.py")]
        answer = self.json_of(*command)
        self.assertEqual(answer["suggestion"]["verdict"], "good")
        self.assertEqual(sorted(answer["curve"]["groups"]), ["0", "1"])
        config = answer["config"]
        self.assertEqual(config["title"], "python3 train.py")
        self.assertTrue(config["trainer"].startswith('exec:command="python3 /') or
                        config["trainer"].startswith("exec:command=python3 /"), config["trainer"])
        self.assertNotIn("data", config)
        self.assertEqual(answer["curve"], self.json_of(*command)["curve"])
        self.assertNotEqual(answer["curve"], self.json_of("--seed", "1", *command)["curve"])

    def test_groups_and_held_out_loss(self):
        answer = self.json_of("--follow", "validation", "--group", "1=0.1", "--", "python3",
                              os.path.join(EXAMPLES, "train.py"))
        curve = answer["curve"]
        for base, rate in zip(curve["groups"]["0"], curve["groups"]["1"]):
            self.assertAlmostEqual(rate / base, 0.1, 12)
        self.assertEqual(answer["config"]["groups"], {"0": 1, "1": 0.1})
        self.assertEqual(len(curve["train_loss"]), len(curve["loss"]))
        self.assertNotEqual(curve["train_loss"], curve["loss"])

    def test_perl(self):
        done = self.findlr("--plot", "curve.svg", "--title", "Perl", "--", "perl", os.path.join(EXAMPLES, "train.pl"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"trainer    perl ", done.stdout)
        self.assertIn(b"Suggested learning rate: 0.0", done.stdout)
        self.assertEqual(os.listdir(self.folder.name), ["curve.svg"])

    def test_the_long_form(self):
        script = os.path.join(EXAMPLES, "train.pl")
        short, long = self.json_of("--", "perl", script), self.json_of("--trainer", f'exec:command="perl {script}"')
        self.assertEqual(short["curve"], long["curve"])
        self.assertEqual(short["config"]["trainer"], long["config"]["trainer"])
        mixed = self.json_of("--trainer", "exec:timeout=7", "--", "perl", script)
        self.assertIn("timeout=7", mixed["config"]["trainer"])

    def test_the_manual(self):
        with open(os.path.join(EXAMPLES, "..", "..", "docs", "exec.md"), encoding="utf-8") as manual:
            script = re.search(r"```python\n(import .*?)```", manual.read(), re.S).group(1)
        self.assertLessEqual(len(script.strip().splitlines()), 20)
        answer = self.json_of("--", "python3", "-c", "exec(" + repr(script) + ")")
        self.assertEqual(answer["suggestion"]["verdict"], "good")

    @unittest.skipUnless(TORCH, "without PyTorch")
    def test_pytorch(self):
        command = ["--", TORCH[0] if TORCH else "", os.path.join(EXAMPLES, "train_pytorch.py")]
        answer = self.json_of(*command)
        self.assertEqual(answer["suggestion"]["verdict"], "good")
        self.assertTrue(1e-3 < answer["suggestion"]["lr"] < 1, answer["suggestion"])
        self.assertEqual(answer["curve"], self.json_of(*command)["curve"])
        held_out = self.json_of("--follow", "validation", *command)
        self.assertEqual(held_out["curve"]["train_loss"][:50], answer["curve"]["loss"][:50])


class Mistakes(Case):
    def test_words(self):
        script = shell("echo findlr loss $n")
        for option in (["--data", "x.csv"], ["--model", "mlp"], ["--batch-size", "3"], ["--standardize"],
                       ["--validation", "0.2"], ["--isolate"], ["--slots", "."]):
            self.bad([*option, *script], 2, option[0] + " makes no sense with a program of your own")
        self.bad(["--trainer", "exec:command=sh", "--loss", "mse"], 2, "--loss makes no sense with --trainer")
        self.bad(["--"], 2, "a program is wanted behind --")
        self.bad(["--trainer", "exce:command=sh"], 2, "exce", "exec")
        self.bad(["--trainer", "exec"], 2, "command")
        self.bad(["--trainer", "exec:command=sh", *script], 2, "command")
        self.bad(["--group", "1=0.1", *script], 2, "--group 1=0.1: the trainer has 1 parameter group, counted from 0")
        self.bad(["--group", "x=0.1", *shell("", 2)], 2, "the trainer has 2 parameter groups")
        self.bad(["--group", "1=0", *shell("", 2)], 2, "INDEX=FACTOR with a positive factor")
        self.bad(["--follow", "validation", *script], 2, "cannot evaluate")
        self.bad(["--follow", "validation:3", *script], 2, "a trainer chooses the batches itself")

    def test_start(self):
        self.bad(["--json", "c.json", "--", "pyhton3-not-there", "train.py"], 1,
                 "cannot start pyhton3-not-there: there is no such program in PATH")
        self.bad(["--", "sh", "-c", "echo hello >&2; exit 3"], 1, "exited with status 3; its last words: hello")
        self.bad(["--trainer", "exec:start_timeout=0.3", "--", "sleep", "100"], 1, "no hello line", "0.3 seconds")

    def test_a_crash_keeps_the_curve(self):
        done = self.findlr("--json", "c.json", *shell("[ $n = 40 ] && { echo no room >&2; kill -9 $$; }; echo findlr loss $((99-n))"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("was killed by signal 9 (SIGKILL); its last words: no room", done.stderr.decode())
        with open(os.path.join(self.folder.name, "c.json"), encoding="utf-8") as file:
            answer = json.load(file)
        self.assertEqual((answer["stop"], len(answer["curve"]["loss"])), ({"reason": "failed", "step": 39}, 39))

    def test_words_that_need_quotes(self):
        words = ['a "quoted" word', "back\\slash", "", "com,ma=x", "täxt"]
        done = self.findlr("--num-iter", "3", "--", sys.executable, "-c",
                           "import sys; print(sys.argv[1:], file=sys.stderr); sys.exit(7)", *words)
        self.assertEqual(done.returncode, 1)
        self.assertIn("its last words: " + str(words), done.stderr.decode())

    def test_ctrl_c(self):
        """The script is told, and nothing of it is left; a second signal ends the program at once."""
        for act in ("echo findlr loss $n; sleep 0.1", "[ $n -lt 3 ] || sleep 2; echo findlr loss $n"):
            mark = os.path.join(self.folder.name, "pid")
            script = shell("echo $$ > pid; " + act)
            run = subprocess.Popen([PROGRAM, "run", "--stop", "none", *script], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.folder.name, start_new_session=True)
            until = time.monotonic() + 20
            while not os.path.exists(mark) or not os.path.getsize(mark):
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)
            time.sleep(0.3)
            os.killpg(run.pid, signal.SIGINT)
            run.communicate(timeout=30)
            self.assertEqual(run.returncode, 130)
            with open(mark, encoding="utf-8") as file:
                pid = int(file.read())
            os.remove(mark)
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
