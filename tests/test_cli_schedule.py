#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""findlr schedule as a user meets it: test_cli_schedule.py with the arguments of test_cli.py."""

import json
import math
import os
import sys
import unittest
import xml.dom.minidom

from test_cli import Case, environment

KINDS = ["constant", "step", "multi_step", "exponential", "polynomial", "linear", "cosine", "cosine_restarts",
         "inverse_sqrt", "flat_anneal", "triangular", "triangular2", "exp_range", "one_cycle",
         "one_cycle_fastai", "reduce_on_plateau", "ramp"]
MOMENTUM = {"triangular", "triangular2", "exp_range", "one_cycle", "one_cycle_fastai"}


def spec_of(kind):
    return kind + ":at=300x600" if kind == "multi_step" else kind


class Schedule(Case):
    def json_of(self, *args):
        return json.loads(self.good("schedule", "--quiet", "--json", "-", *args).stdout)

    def test_list(self):
        lines = self.good("schedule").stdout.decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines[:len(KINDS)]], KINDS)

    def test_every_kind(self):
        for kind in KINDS:
            with self.subTest(kind):
                answer = self.json_of(spec_of(kind), "--steps", "700", "--lr", "0.1")
                self.assertEqual(set(answer), {"format", "findlr", "schedule", "rates", "momentum"})
                self.assertEqual((answer["format"], answer["schedule"]), (1, spec_of(kind)))
                self.assertEqual(len(answer["rates"]), 700)
                self.assertTrue(all(math.isfinite(x) and x >= 0 for x in answer["rates"]))
                if kind in MOMENTUM:
                    self.assertEqual(len(answer["momentum"]), 700)
                    self.assertTrue(all(0 <= x < 1 for x in answer["momentum"]))
                else:
                    self.assertIsNone(answer["momentum"])

    def test_numbers(self):
        self.assertEqual(self.json_of("step:every=2,gamma=0.5,lr=8", "--steps", "7")["rates"],
                         [8, 8, 4, 4, 2, 2, 1])
        self.assertEqual(self.json_of("linear:warmup=4,warmup_start=0.5", "--steps", "8", "--lr", "2")["rates"],
                         [1, 1.25, 1.5, 1.75, 2, 1.5, 1, 0.5])
        self.assertEqual(self.json_of("constant", "--steps", "3")["rates"], [1, 1, 1])
        # A metric that never gets better: the second one is the first that is no better.
        self.assertEqual(self.json_of("reduce_on_plateau:patience=1,factor=0.5", "--steps", "6")["rates"],
                         [1, 1, 1, 0.5, 0.5, 0.25])

    def test_drawn_on_a_terminal(self):
        text = self.good("schedule", "one_cycle", "--lr", "0.1").stdout.decode()
        self.assertTrue(any("\u2800" < c <= "\u28ff" for c in text), "a curve in braille")
        self.assertIn("Learning rate: first 0.004, last 4e-07, lowest 4e-07 at step 999, highest 0.1 at step 299.",
                      text)
        self.assertIn("Momentum: first 0.95", text)
        self.assertTrue(self.good("schedule", "cosine", env=environment(LC_ALL="C")).stdout.isascii())

    def test_quiet(self):
        self.assertEqual(self.good("schedule", "cosine", "--quiet").stdout, b"")

    def test_json_leaves_stdout_alone(self):
        done = self.good("schedule", "cosine", "--json", "-")
        json.loads(done.stdout)
        self.assertIn(b"Learning rate", done.stderr)

    def test_pictures(self):
        for kind in KINDS:
            self.good("schedule", spec_of(kind), "--quiet", "--plot", kind + ".svg")
            texts = [node.firstChild.data for node in
                     xml.dom.minidom.parseString(self.read(kind + ".svg")).getElementsByTagName("text")]
            self.assertIn(spec_of(kind), texts)
            self.assertIn("learning rate", texts)
            self.assertEqual("momentum" in texts, kind in MOMENTUM)
        self.assertIn("as if its metric never got better", texts if kind == "reduce_on_plateau" else
                      self.read("reduce_on_plateau.svg").decode())

    def test_title_and_standard_output(self):
        done = self.good("schedule", "cosine", "--plot", "-", "--title", "A <b> & c")
        self.assertIn(b"A &lt;b&gt; &amp; c", done.stdout)

    def test_same_bytes(self):
        for args in (["one_cycle", "--json", "-"], ["one_cycle", "--plot", "-"]):
            self.assertEqual(self.good("schedule", *args).stdout, self.good("schedule", *args).stdout)

    def test_small_and_large(self):
        for steps in ("1", "2", "3"):
            for kind in KINDS:
                if kind == "ramp" and steps == "1":
                    continue
                self.good("schedule", spec_of(kind), "--steps", steps, "--plot", "x.svg")
        for lr in ("1e-300", "1e300", "5e-324", "1e308"):
            self.good("schedule", "cosine", "--lr", lr, "--plot", "x.svg")
        self.good("schedule", "one_cycle", "--steps", "300000", "--plot", "x.svg", "--json", "x.json")
        self.assertLess(len(self.read("x.svg")), 1 << 20)

    def test_options_by_plugins(self):
        text = self.good("plugins", "one_cycle").stdout.decode()
        for word in ("schedule one_cycle", "three_phase", "warmup_start", "default 0.3"):
            self.assertIn(word, text)

    def test_help(self):
        text = self.good("schedule", "--help").stdout.decode()
        for word in ("--steps", "--lr", "--plot", "--json", "findlr schedule cosine:warmup=100"):
            self.assertIn(word, text)


class Refused(Case):
    pass


def refused(name, args, code, *fragments):
    def test(self):
        self.bad(["schedule", *args], code, *fragments)
    setattr(Refused, "test_" + name, test)


refused("unknown", ["cosin", "--json", "x.json", "--plot", "x.svg"], 2, '"cosin"', "cosine")
refused("unknown_option_of_a_schedule", ["cosine:mim=0"], 2, "mim", "min")
refused("bad_value", ["step:every=often"], 2, "every", "whole number")
refused("out_of_range", ["cosine:min=2"], 2, "min is 2, wanted 0 to 1")
refused("milestones_missing", ["multi_step"], 2, "option at must be given")
refused("milestones_falling", ["multi_step:at=3x2"], 2, "a milestone is 2")
refused("warmup_too_long", ["cosine:warmup=1000"], 2, "warmup is 1000 of a run of 1000 steps")
refused("steps_zero", ["cosine", "--steps", "0"], 2, "--steps", "from 1")
refused("steps_negative", ["cosine", "--steps", "-4"], 2, "--steps")
refused("steps_huge", ["cosine", "--steps", "99999999999"], 2, "--steps", "10,000,000")
refused("rate_zero", ["cosine", "--lr", "0"], 2, "--lr 0", "positive")
refused("rate_negative", ["cosine", "--lr=-1"], 2, "--lr -1", "positive")
refused("rate_nan", ["cosine", "--lr", "nan"], 2, "--lr nan")
refused("rate_infinite", ["cosine", "--lr", "inf"], 2, "--lr inf")
refused("two_specs", ["cosine", "linear"], 2, "one SPEC too many")
refused("nothing_to_write", ["--json", "x.json"], 2, "needs a SPEC")
refused("nothing_to_draw", ["--plot", "x.svg"], 2, "needs a SPEC")
refused("picture_format", ["cosine", "--plot", "x.gif"], 2, "x.gif", ".svg, .png or .pdf")
refused("same_file", ["cosine", "--plot", "x.svg", "--json", "./x.svg"], 2, "both write")
refused("no_such_directory", ["cosine", "--json", "no/x.json"], 1, "no/x.json")
refused("option_of_another_command", ["cosine", "--num-iter", "5"], 2, "belongs to findlr run")
refused("control_character", ["cosine:\x01"], 2, "control character")
refused("empty", [""], 2, "no name")


class Failing(Case):
    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        done = self.findlr("schedule", "cosine", "--quiet", "--json", "/dev/full", "--plot", "x.svg")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/dev/full", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
