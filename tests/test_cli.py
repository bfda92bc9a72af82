#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The findlr program as a user meets it: test_cli.py PROGRAM NOISY_PLUGIN SCHEMA.

Standard library only. Every case runs in an empty directory of its own; a case of bad input wants
one sentence on standard error, the right exit status, and no file left behind."""

import fcntl
import gzip
import json
import math
import os
import pty
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAM, NOISY, SCHEMA = map(os.path.abspath, sys.argv[1:4])


def environment(**more):
    env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", LSAN_OPTIONS="print_suppressions=0:suppressions=" +
               os.path.join(os.path.dirname(os.path.abspath(__file__)), "lsan.supp"))
    env.pop("NO_COLOR", None)
    env.update(more)
    return env


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def findlr(self, *args, stdin="", env=None, **more):
        options = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder.name,
                       env=env or environment(), timeout=60)
        options.update(more)
        if "stdin" not in options:
            options["input"] = stdin.encode() if isinstance(stdin, str) else stdin
        return subprocess.run([PROGRAM, *args], **options)

    def good(self, *args, code=0, **more):
        done = self.findlr(*args, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def bad(self, args, code, *fragments, **more):
        """One sentence that has all fragments, that status, nothing on stdout, no file left."""
        before = sorted(os.listdir(self.folder.name))
        done = self.findlr(*args, **more)
        self.assertEqual((done.returncode, done.stdout), (code, b""), done)
        lines = done.stderr.decode(errors="replace").splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("findlr: "), lines)
        for fragment in fragments:
            self.assertIn(fragment, lines[0])
        self.assertEqual(sorted(os.listdir(self.folder.name)), before)


def curve_csv(n=100, header="lr,loss\n"):
    """A plateau, a fall and a rise."""
    rows = []
    for i in range(n):
        lr = 1e-7 * 1e8 ** (i / (n - 1))
        x = math.log10(lr)
        rows.append("%r,%r\n" % (lr, 2.3 - 2 / (1 + math.exp(-3 * (x + 3))) + max(0.0, x + 0.3) ** 2 * 9))
    return header + "".join(rows)


# --- usage: the command line makes no sense (2) -------------------------------------------------

class Usage(Case):
    pass


def usage(name, args, *fragments):
    def test(self):
        self.write("c.csv", curve_csv())
        self.bad(args, 2, *fragments)
    setattr(Usage, "test_" + name, test)


usage("unknown_command", ["rnu"], 'unknown command "rnu"', "did you mean run?")
usage("unknown_option", ["run", "--batchsize", "3"], "unknown option --batchsize", "--batch-size?")
usage("unknown_option_with_value", ["run", "--sed=3"], "unknown option --sed", "--seed?")
usage("beginning_of_an_option", ["run", "--batch", "3"], "did you mean --batch-size?")
usage("no_abbreviation", ["run", "--valid", "0.1"], "unknown option --valid")
usage("unknown_letter", ["run", "-x"], "unknown option -x")
usage("option_of_another_command", ["suggest", "--csv", "x", "c.csv"], "belongs to findlr run")
usage("missing_value", ["run", "--seed"], "--seed needs a value")
usage("missing_value_before_option", ["run", "--data", "--quiet"], "--data needs a value")
usage("empty_value", ["run", "--model", ""], "--model needs a value")
usage("flag_with_value", ["run", "--quiet=1"], "--quiet takes no value")
usage("file_for_run", ["run", "x.csv"], "--data x.csv?")
usage("no_file_for_suggest", ["suggest"], "suggest needs a file")
usage("two_files", ["suggest", "a", "b"], "one file too many")
usage("no_output_for_plot", ["plot", "c.csv"], "-o curve.svg")
usage("number_that_is_none", ["run", "--start-lr", "fast"], "--start-lr needs a number", '"fast"')
usage("number_with_comma", ["run", "--start-lr", "0,1"], "--start-lr needs a number")
usage("number_with_rest", ["run", "--end-lr", "1x"], "--end-lr needs a number")
usage("whole_number_with_point", ["run", "--seed", "1.5"], "whole number", '"1.5"')
usage("num_iter_one", ["run", "--num-iter", "1"], "--num-iter", "from 2")
usage("num_iter_huge", ["run", "--num-iter", "99999999999999999999"], "--num-iter", "10,000,000")
usage("batch_zero", ["run", "--batch-size", "0"], "--batch-size", "from 1")
usage("accumulate_zero", ["run", "--accumulate", "0"], "--accumulate", "from 1")
usage("negative_seed", ["run", "--seed", "-1"], "--seed", "from 0")
usage("unknown_mode", ["run", "--mode", "cosine"], "exponential|linear", '"cosine"')
usage("unknown_dtype", ["run", "--dtype", "float16"], "float32|float64")
usage("start_equals_end", ["run", "--start-lr", "1", "--end-lr", "1"], "--start-lr 1 is not below --end-lr 1")
usage("start_above_end", ["run", "--start-lr", "1", "--end-lr", "0.1"], "not below")
usage("rate_zero", ["run", "--start-lr", "0"], "--start-lr 0", "positive")
usage("rate_negative", ["run", "--start-lr", "-1e-3"], "--start-lr -0.001", "positive")
usage("rate_infinite", ["run", "--end-lr", "inf"], "--end-lr inf", "finite")
usage("rate_nan", ["run", "--start-lr", "nan"], "--start-lr nan", "positive")
usage("linear_rate_infinite", ["run", "--mode", "linear", "--start-lr=-inf"], "--start-lr -inf", "finite")
usage("fraction_one", ["run", "--validation", "1"], "--validation 1", "fraction")
usage("fraction_negative", ["run", "--validation", "-0.1"], "--validation -0.1", "fraction")
usage("fraction_nan", ["run", "--validation", "nan"], "--validation nan", "fraction")
usage("follow_without_validation", ["run", "--follow", "validation"], "add --validation")
usage("follow_unknown", ["run", "--validation", "0.2", "--follow", "test"], "--follow test")
usage("follow_no_batches", ["run", "--validation", "0.2", "--follow", "validation:batches=0"], "from 1")
usage("group_without_factor", ["run", "--group", "0.*"], "PATTERN=FACTOR")
usage("group_factor_zero", ["run", "--group", "0.*=0"], "positive factor")
usage("group_twice", ["run", "--group", "0.*=2", "--group", "0.*=3"], "given before")
usage("group_that_fits_nothing", ["run", "--group", "nothing*=2"], "nothing*")
usage("unknown_model", ["run", "--model", "mlpp"], "mlpp", "mlp")
usage("unknown_model_option", ["run", "--model", "mlp:hiden=3"], "hiden", "hidden")
usage("bad_model_value", ["run", "--model", "mlp:activation=relo"], "relo", "relu")
usage("unknown_optimizer", ["run", "--optimizer", "adm"], "adm", "adam")
usage("unknown_optimizer_option", ["run", "--optimizer", "sgd:momentun=0.9"], "momentun", "momentum")
usage("unknown_loss", ["run", "--loss", "cross_entrpy"], "cross_entrpy", "cross_entropy")
usage("unknown_data", ["run", "--data", "digit"], "digit", "digits")
usage("unknown_method", ["run", "--method", "vally"], "vally", "did you mean valley?")
usage("unknown_method_for_suggest", ["suggest", "--method", "stepest", "c.csv"], "did you mean steepest?")
usage("unknown_smoothing", ["run", "--smoothing", "gausian"], "gausian", "gaussian")
usage("bad_smoothing", ["suggest", "--smoothing", "ema:beta=2", "c.csv"], "beta")
usage("unknown_stop", ["run", "--stop", "raise"], "raise", "rise")
usage("target_of_digits", ["run", "--target", "x"], "digits has no target")
usage("two_results_to_stdout", ["run", "--json", "-", "--csv", "/dev/stdout"], "--json and --csv", "standard output")
usage("two_results_to_one_file", ["run", "--json", "x.svg", "--plot", "./x.svg"], "--json and --plot")
usage("picture_without_ending", ["run", "--plot", "curve"], ".svg, .png or .pdf")
usage("picture_of_unknown_kind", ["plot", "c.csv", "-o", "curve.gif"], ".svg, .png or .pdf")
usage("batch_above_rows", ["run", "--batch-size", "5000"], "5000", "1797")


class Teaching(Case):
    def test_no_command_shows_help(self):
        done = self.findlr()
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"Usage: findlr COMMAND", done.stderr)

    def test_help_of_the_program(self):
        for args in (["--help"], ["-h"], ["help"]):
            text = self.good(*args).stdout.decode()
            for word in ("run", "suggest", "plot", "plugins", "Examples:"):
                self.assertIn(word, text)

    def test_help_of_every_command(self):
        for command in ("run", "suggest", "plot", "plugins"):
            text = self.good(command, "--help").stdout.decode()
            self.assertEqual(text, self.good("help", command).stdout.decode())
            self.assertGreaterEqual(text.split("Examples:")[1].count("  findlr "), 2)
            self.assertLessEqual(max(map(len, text.split("Examples:")[0].splitlines())), 80)

    def test_help_tells_every_default(self):
        text = " ".join(self.good("run", "--help").stdout.decode().split())
        for words in ("--start-lr RATE the first learning rate (default: 1e-7)", "(default: 10)",
                      "(default: 100)", "(default: exponential)", "(default: adam)",
                      "(default: mlp:hidden=128)", "(default: digits)", "default: 64,"):
            self.assertIn(words, text)

    def test_help_wins_over_other_mistakes(self):
        self.good("suggest", "--help")

    def test_version(self):
        for args in (["--version"], ["run", "--version"]):
            self.assertRegex(self.good(*args).stdout, rb"^findlr \d+\.\d+\.\d+ ")


# --- recorded curves ----------------------------------------------------------------------------

class Suggest(Case):
    def json_of(self, text, *args, code=0):
        done = self.good("suggest", "--json", "-", *args, "-", stdin=text, code=code)
        return json.loads(done.stdout)

    def test_csv(self):
        self.write("c.csv", curve_csv())
        text = self.good("suggest", "c.csv").stdout.decode()
        self.assertRegex(text, r"Suggested learning rate: 0\.00\d+; \S+ to \S+ for a cyclical schedule \(method auto\)")

    def test_csv_without_header_and_from_a_pipe(self):
        with_header = self.json_of(curve_csv())
        self.assertEqual(with_header["suggestion"], self.json_of(curve_csv(header=""))["suggestion"])
        self.assertEqual(len(with_header["curve"]["lr"]), 100)

    def test_csv_as_others_write_it(self):
        plain = self.json_of(curve_csv())["curve"]
        rows = [row.split(",") for row in curve_csv(header="").splitlines()]
        other = "\ufeff# recorded\r\n\"epoch\";\"Loss\";\"learning_rate\"\r\n" + "".join(
            "%d; %s; \"%s\"\r\n" % (i, loss, lr) for i, (lr, loss) in enumerate(rows))
        self.assertEqual(plain, self.json_of(other)["curve"])

    def test_numbers_round_trip(self):
        rates = [1e-7, 0.1 + 0.2, 5e-1 + 2 ** -53, 1.7976931348623157e308]
        losses = [5e-324, 2.3025850929940455, -1 / 3, 123456789.123456789]
        text = json.dumps({"lr": rates, "loss": losses})
        curve = self.json_of(text, code=1)["curve"]
        self.assertEqual((curve["lr"], curve["loss"]), (rates, losses))

    def test_python_not_finite(self):
        text = json.dumps({"lr": [1e-3, 1e-2, 1e-1], "loss": [1.0, float("nan"), float("-inf")], "NaN": "NaN"})
        self.assertIn("NaN", text)
        self.assertEqual(self.json_of(text, code=1)["curve"]["loss"], [1.0, None, None])

    def test_reads_what_it_wrote(self):
        first = self.json_of(curve_csv(), "--num-iter", "120")
        first["config"] = {"num_iter": 120, "method": "valley", "seed": 9007199254740991, "x": [0.1, None]}
        again = self.json_of(json.dumps(first))
        self.assertEqual(again["suggestion"]["method"], "valley")
        self.assertEqual(again["suggestions"], first["suggestions"])
        self.assertEqual(again["curve"], first["curve"])
        self.assertEqual(again["config"], first["config"])

    def test_num_iter_matters_to_peers(self):
        self.assertNotEqual(self.json_of(curve_csv())["suggestions"]["valley"],
                            self.json_of(curve_csv(), "--num-iter", "400")["suggestions"]["valley"])

    def test_every_method(self):
        answers = self.json_of(curve_csv())["suggestions"]
        self.assertEqual(set(answers), {"auto", "valley", "slide", "minimum", "steep", "steepest", "ignite",
                                        "lightning", "lightning_2.5.2", "keras"})
        for method, rate in answers.items():
            self.assertEqual(self.json_of(curve_csv(), "--method", method)["suggestion"]["lr"], rate)

    def test_schema(self):
        check_schema(self, self.json_of(curve_csv()))

    def test_quiet_is_the_bare_number(self):
        whole = self.json_of(curve_csv())["suggestion"]["lr"]
        done = self.good("suggest", "--quiet", "-", stdin=curve_csv())
        self.assertEqual((float(done.stdout), done.stderr), (whole, b""))

    def test_smoothing(self):
        curve = self.json_of(curve_csv(), "--smoothing", "none")["curve"]
        self.assertEqual(curve["smoothed"], curve["loss"])
        self.assertNotEqual(self.json_of(curve_csv())["curve"]["smoothed"], curve["loss"])

    def test_dashes_end_the_options(self):
        self.write("--odd", curve_csv())
        self.good("suggest", "--quiet", "--", "--odd")

    def test_all_nan(self):
        text = "lr,loss\n" + "".join("%g,nan\n" % (i + 1) for i in range(30))
        answer = self.json_of(text, code=1)
        self.assertEqual((answer["suggestion"]["lr"], answer["suggestion"]["verdict"]), (None, "not_finite"))
        self.assertIn(b"No learning rate suggested", self.good("suggest", "-", stdin=text, code=1).stdout)
        check_schema(self, answer)

    def test_one_point(self):
        answer = self.json_of("0.1,2.3\n", code=1)
        self.assertEqual(answer["suggestion"]["verdict"], "too_few_points")
        self.assertIn(b"too few", self.good("suggest", "-", stdin="0.1,2.3\n", code=1).stdout)

    def test_no_rate_and_quiet(self):
        self.bad(["suggest", "--quiet", "-"], 1, "too few", stdin="0.1,2.3\n")


class BadCurve(Case):
    pass


def bad_curve(name, text, *fragments):
    def test(self):
        self.write("bad", text)
        for args in (["suggest", "bad"], ["suggest", "--json", "out.json", "bad"],
                     ["plot", "bad", "-o", "out.svg"]):
            self.bad(args, 1, "bad", *fragments)
    setattr(BadCurve, "test_" + name, test)


bad_curve("empty", "", "is empty")
bad_curve("blank", "\n  \n", "is empty")
bad_curve("header_only", "lr,loss\n", "holds no points")
bad_curve("binary", bytes(range(256)) * 8, "zero bytes")
bad_curve("elf", b"\x7fELF\x02\x01\x01\x00", "zero bytes")
bad_curve("words", "hello world\nthis is no curve\n", "line 1", "rate and a loss")
bad_curve("wrong_header", "epoch,accuracy\n1,2\n", "without the columns lr and loss")
bad_curve("ragged", "lr,loss\n1,2\n3\n", "line 3", '"3"')
bad_curve("text_in_loss", "lr,loss\n1,2\n3,four\n", "line 3", 'loss "four"')
bad_curve("text_in_rate", "lr,loss\n1,2\nthree,4\n", "line 3", 'learning rate "three"')
bad_curve("nan_rate", "lr,loss\n1,2\nnan,4\n", "line 3", "learning rate")
bad_curve("json_cut_off", '{"lr": [1, 2], "loss": [1,', "not JSON")
bad_curve("json_array", "[1, 2, 3]", 'no array "lr"')
bad_curve("json_without_loss", '{"lr": [1, 2]}', 'no array "loss"')
bad_curve("json_ragged", '{"lr": [1, 2], "loss": [1]}', '"loss"', "1 entries", "2")
bad_curve("json_empty", '{"lr": [], "loss": []}', "holds no points")
bad_curve("json_text", '{"lr": [1, 2], "loss": [1, "x"]}', "row 2", "loss")
bad_curve("json_null_rate", '{"lr": [1, null], "loss": [1, 2]}', "row 2", "learning rate")
bad_curve("json_huge_rate", '{"lr": [1, 1e999], "loss": [1, 2]}', "row 2", "learning rate")
bad_curve("json_newer_format", '{"format": 2, "curve": {"lr": [1], "loss": [1]}}', "format")
bad_curve("json_deep", "{\"lr\":" + "[" * 100000, "not JSON")
bad_curve("json_ragged_group", '{"lr": [1, 2], "loss": [1, 2], "groups": {"*": [1]}}', "parameter group")
bad_curve("json_group_of_text", '{"lr": [1], "loss": [1], "groups": {"*": ["a"]}}', "row 1")


class BadCurveMore(Case):
    def test_unsorted(self):
        self.write("bad", "lr,loss\n1,2\n3,4\n2,5\n")
        self.bad(["suggest", "bad"], 1, "rise")
        self.bad(["plot", "bad", "-o", "out.svg"], 1, "rise")

    def test_missing(self):
        self.bad(["suggest", "missing.csv"], 1, "missing.csv", "No such file")

    def test_directory(self):
        self.bad(["suggest", "."], 1, "directory")

    def test_too_large(self):
        self.write("large", "")
        os.truncate(self.path("large"), (64 << 20) + 1)
        self.bad(["suggest", "large"], 1, "64 MiB")

    def test_control_bytes_do_not_reach_the_terminal(self):
        self.write("bad", b"lr,loss\n1,\x1b[31m\n")
        done = self.findlr("suggest", "bad")
        self.assertNotIn(b"\x1b", done.stderr)


# --- outputs ------------------------------------------------------------------------------------

class Outputs(Case):
    def test_disk_full(self):
        self.write("c.csv", curve_csv())
        self.bad(["suggest", "--quiet", "--json", "/dev/full", "c.csv"], 1, "/dev/full", "No space left")
        self.bad(["plot", "--quiet", "c.csv", "-o", "/dev/full"], 2, ".svg")

    def test_stdout_full(self):
        self.write("c.csv", curve_csv())
        for args in (["suggest", "c.csv"], ["suggest", "--json", "-", "--quiet", "c.csv"], ["run", "--help"],
                     ["plugins"], ["plot", "c.csv", "-o", "-"]):
            with open("/dev/full", "wb") as full:
                done = self.findlr(*args, stdout=full)
            self.assertEqual(done.returncode, 1, args)
            self.assertIn(b"standard output: No space left", done.stderr)

    def test_stdout_closed(self):
        self.write("c.csv", curve_csv())
        done = self.findlr("suggest", "--json", "-", "c.csv", preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"cannot write standard output", done.stderr)

    def test_reader_gone(self):
        self.write("c.csv", curve_csv())
        reader, writer = os.pipe()
        os.close(reader)
        done = self.findlr("suggest", "--json", "-", "--quiet", "c.csv", stdout=writer)
        os.close(writer)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Broken pipe", done.stderr)

    def test_unwritable(self):
        self.write("c.csv", curve_csv())
        self.bad(["suggest", "--json", "no/such/x.json", "c.csv"], 1, "no/such/x.json", "No such file")
        self.bad(["suggest", "--json", ".", "c.csv"], 1, "directory")
        self.bad(["run", "--csv", "/proc/nothing/x.csv"], 1, "/proc/nothing/x.csv")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_read_only(self):
        self.write("c.csv", curve_csv())
        self.write("x.json", "old")
        os.chmod(self.path("x.json"), 0o444)
        self.bad(["suggest", "--json", "x.json", "c.csv"], 1, "Permission denied")

    def test_keeps_what_was_there_on_failure(self):
        self.write("bad", "lr,loss\n")
        self.write("x.json", "old")
        self.bad(["suggest", "--json", "x.json", "bad"], 1, "no points")
        self.assertEqual(self.read("x.json"), b"old")

    def test_replaces_and_keeps_mode_and_link(self):
        self.write("c.csv", curve_csv())
        self.write("real.json", "old")
        os.chmod(self.path("real.json"), 0o640)
        os.symlink("real.json", self.path("link.json"))
        self.good("suggest", "--quiet", "--json", "link.json", "c.csv")
        self.assertTrue(os.path.islink(self.path("link.json")))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("real.json")).st_mode), 0o640)
        self.assertEqual(json.loads(self.read("real.json"))["format"], 1)

    def test_new_file_obeys_umask(self):
        self.write("c.csv", curve_csv())
        self.good("suggest", "--quiet", "--json", "x.json", "c.csv", preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("x.json")).st_mode), 0o640)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["c.csv", "x.json"])

    def test_dev_stdout_and_fifo(self):
        self.write("c.csv", curve_csv())
        plain = self.good("suggest", "--json", "-", "c.csv").stdout
        self.assertEqual(self.good("suggest", "--json", "/dev/stdout", "c.csv").stdout, plain)
        os.mkfifo(self.path("fifo"))
        reader = subprocess.Popen(["cat", self.path("fifo")], stdout=subprocess.PIPE)
        self.good("suggest", "--json", "fifo", "c.csv")
        self.assertEqual(reader.communicate(timeout=10)[0], plain)

    def test_plot(self):
        self.write("c.csv", curve_csv())
        done = self.good("plot", "c.csv", "-o", "x.svg", "--title", "a <title>")
        self.assertEqual(done.stdout, b"x.svg\n")
        picture = self.read("x.svg")
        self.assertIn(b"<svg", picture)
        self.assertIn(b"a &lt;title&gt;", picture)
        self.assertEqual(self.good("plot", "-", "-o", "-", "--title", "a <title>", stdin=curve_csv()).stdout, picture)

    def test_plot_with_cairo(self):
        self.write("c.csv", curve_csv())
        for ending, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
            if not os.path.exists(os.path.join(os.environ["FINDLR_PLUGIN_PATH"], "cairo.so")):
                self.bad(["plot", "c.csv", "-o", "x." + ending], 1, "cairo")
            else:
                self.good("plot", "c.csv", "-o", "x." + ending)
                self.assertTrue(self.read("x." + ending).startswith(magic))


# --- plugins ------------------------------------------------------------------------------------

class Plugins(Case):
    def test_list(self):
        text = self.good("plugins").stdout.decode()
        for words in ("built in", "adam", "cross_entropy", "digits", "mlp", "linear", "csv", "idx", "npy"):
            self.assertIn(words, text)

    def test_one_plugin(self):
        text = self.good("plugins", "mlp").stdout.decode()
        for words in ("mlp.so", "hidden", "default 128", "relu|tanh|sigmoid|gelu", "matrix products"):
            self.assertIn(words, text)

    def test_one_component(self):
        text = self.good("plugins", "sgd").stdout.decode()
        for words in ("optimizer sgd", "momentum", "nesterov", "default 0", "default false"):
            self.assertIn(words, text)

    def test_unknown(self):
        self.bad(["plugins", "adm"], 1, "adm", "did you mean adam?")

    def test_file(self):
        text = self.good("plugins", "--plugin", NOISY, "noisy").stdout.decode()
        for words in ("noisy 1", NOISY, "fail_at", "0 to 1000000"):
            self.assertIn(words, text)

    def test_path(self):
        self.good("plugins", "--plugin-path", os.path.dirname(NOISY), "noisy")

    def test_no_plugin(self):
        self.write("text.so", "this is no plugin")
        self.bad(["plugins", "--plugin", "text.so"], 1, "text.so")
        self.bad(["run", "--plugin", "text.so"], 1, "text.so")
        self.bad(["run", "--plugin", "missing.so"], 1, "missing.so")
        self.bad(["run", "--plugin-path", "missing"], 1, "missing")


# --- run ----------------------------------------------------------------------------------------

FAST = ["--model", "linear", "--num-iter", "60"]


class Run(Case):
    def json_of(self, *args, code=0, **more):
        done = self.good("run", "--json", "-", *args, code=code, **more)
        return json.loads(done.stdout)

    def test_digits(self):
        done = self.good("run")
        text = done.stdout.decode()
        self.assertIn("1,797 rows", text)
        self.assertIn("mlp:hidden=128", text)
        self.assertRegex(text, r"Suggested learning rate: \d\S*; \S+ to \S+ for a cyclical schedule")
        self.assertEqual(done.stderr, b"")
        self.assertNotIn("\x1b", text)

    def test_json(self):
        answer = self.json_of()
        check_schema(self, answer)
        curve, config = answer["curve"], answer["config"]
        n = len(curve["lr"])
        self.assertEqual(curve["lr"][0], 1e-7)
        self.assertTrue(all(len(curve[name]) == n for name in ("loss", "smoothed", "skipped")))
        self.assertEqual(curve["groups"], {"*": curve["lr"]})
        self.assertEqual((config["rows"], config["features"], config["classes"], config["num_iter"],
                          config["batch_size"], config["seed"], config["end_lr"], config["mode"]),
                         (1797, 64, 10, 100, 64, 0, 10, "exponential"))
        self.assertEqual(config["parameters"], 64 * 128 + 128 + 128 * 10 + 10)
        self.assertTrue(config["model"].startswith("mlp:hidden=128,"))
        self.assertTrue(config["optimizer"].startswith("adam:"))
        self.assertTrue(config["loss"].startswith("cross_entropy"))
        self.assertIn("matrix products", config["plugin"])

    def test_same_seed_same_bytes(self):
        args = ["run", "--json", "-", "--seed", "7", *FAST]
        first, again = self.good(*args).stdout, self.good(*args).stdout
        self.assertEqual(first, again)
        args[args.index("7")] = "8"
        self.assertNotEqual(first, self.good(*args).stdout)

    def test_options_reach_the_test(self):
        answer = self.json_of("--mode", "linear", "--start-lr", "0.1", "--end-lr", "0.4", "--num-iter", "4",
                              "--stop", "none", "--model", "linear", "--optimizer", "sgd", "--dtype", "float64",
                              "--sampling", "sequential", "--batch-size", "10", "--accumulate", "2",
                              "--standardize", "--drop-last", "--seed", "9007199254740991", code=1)
        config = answer["config"]
        self.assertEqual(answer["curve"]["lr"], [0.1, 0.1 + (0.4 - 0.1) * (1 / 3), 0.1 + (0.4 - 0.1) * (2 / 3), 0.4])
        self.assertEqual(answer["stop"], {"reason": "finished", "step": 4})
        self.assertEqual((config["stop"], config["dtype"], config["sampling"], config["batch_size"],
                          config["accumulate"], config["standardize"], config["drop_last"], config["seed"]),
                         ("none", "float64", "sequential", 10, 2, True, True, 9007199254740991))

    def test_divergence(self):
        answer = self.json_of("--end-lr", "1e6", "--optimizer", "sgd")
        self.assertIn(answer["stop"]["reason"], ("diverged", "not_finite"))
        self.assertLess(answer["stop"]["step"], 100)

    def test_validation(self):
        answer = self.json_of("--validation", "0.25", "--follow", "validation:batches=2", *FAST)
        curve, config = answer["curve"], answer["config"]
        check_schema(self, answer)
        self.assertEqual(config["training_rows"] + config["validation_rows"], 1797)
        self.assertEqual((config["follow"], config["validation_batches"]), ("validation", 2))
        self.assertEqual(len(curve["train_loss"]), len(curve["loss"]))
        self.assertNotEqual(curve["train_loss"], curve["loss"])

    def test_groups(self):
        answer = self.json_of("--group", "*bias*=0.5", *FAST)
        groups, lr = answer["curve"]["groups"], answer["curve"]["lr"]
        check_schema(self, answer)
        self.assertEqual(list(groups), ["*", "*bias*"])
        self.assertEqual(groups["*"], lr)
        for base, rate in zip(lr, groups["*bias*"]):
            self.assertAlmostEqual(rate / base, 0.5, 12)
        self.assertEqual(answer["config"]["groups"], {"*": 1, "*bias*": 0.5})
        again = json.loads(self.good("suggest", "--json", "-", "-", stdin=json.dumps(answer)).stdout)
        self.assertEqual(again["curve"], answer["curve"])

    def test_files(self):
        self.good("run", "--json", "c.json", "--csv", "c.csv", "--plot", "c.svg", "--quiet", *FAST)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["c.csv", "c.json", "c.svg"])
        answer = json.loads(self.read("c.json"))
        rows = self.read("c.csv").decode().splitlines()
        self.assertEqual(rows[0], "lr,loss,smoothed,skipped")
        self.assertEqual([float(row.split(",")[1]) for row in rows[1:]], answer["curve"]["loss"])
        for name in ("c.json", "c.csv"):
            out = self.good("suggest", "--json", "-", "--num-iter", "60", name).stdout
            self.assertEqual(json.loads(out)["suggestions"], answer["suggestions"])
        self.assertEqual(self.good("plot", "c.json", "-o", "-").stdout, self.read("c.svg"))

    def test_quiet(self):
        done = self.good("run", "--quiet", *FAST)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(float(done.stdout), self.json_of(*FAST)["suggestion"]["lr"])

    def test_csv_data(self):
        rows = "".join("%d,%s,%g\n" % (i % 7, "ab"[i % 2], math.sin(i)) for i in range(80))
        self.write("t.csv", "x,kind,y\n" + rows)
        done = self.findlr("run", "--json", "-", "--data", "t.csv", "--target", "kind", *FAST)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["config"]["rows"], answer["config"]["classes"]), (80, 2))
        self.assertIn("kind", answer["config"]["data"])

    def test_title(self):
        self.write("t.csv", "x,y\n" + "".join("%d,%g\n" % (i % 7, math.sin(i)) for i in range(80)))
        args = ["run", "--json", "-", "--data", self.path("t.csv"), *FAST]
        title = json.loads(self.findlr(*args).stdout)["config"]["title"]
        self.assertEqual(title, "linear on t.csv")
        title = json.loads(self.findlr(*args, "--title", "mine/a \xe9").stdout)["config"]["title"]
        self.assertEqual(title, "mine/a \xe9")

    def test_no_rate_still_writes(self):
        answer = self.json_of("--num-iter", "3", code=1)
        self.assertEqual((answer["suggestion"]["lr"], answer["suggestion"]["verdict"]), (None, "too_few_points"))
        check_schema(self, answer)

    def test_disk_full(self):
        done = self.findlr("run", "--quiet", "--json", "/dev/full", "--csv", "c.csv", *FAST)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/dev/full", done.stderr)
        self.assertEqual(os.listdir(self.folder.name), ["c.csv"])

    def test_network_too_large(self):
        self.bad(["run", "--model", "mlp:hidden=2147483647x2147483647", "--json", "x.json"], 1)

    def test_slots_in_a_directory(self):
        self.assertEqual(self.json_of("--slots", ".", *FAST)["curve"], self.json_of(*FAST)["curve"])
        self.assertEqual(os.listdir(self.folder.name), [])


class BadData(Case):
    pass


def bad_data(name, text, code, *fragments, more=()):
    def test(self):
        if text is not None:
            self.write("bad.csv", text)
        self.bad(["run", "--data", "bad.csv", "--json", "x.json", *more], code, *fragments)
    setattr(BadData, "test_" + name, test)


bad_data("missing", None, 1, "bad.csv")
bad_data("empty", "", 1, "bad.csv")
bad_data("header_only", "a,b\n", 1, "bad.csv")
bad_data("binary", bytes(range(256)) * 4, 1, "bad.csv")
bad_data("ragged", "a,b\n1,2\n1,2,3\n4,5\n", 1, "bad.csv")
bad_data("text_in_number_column", "a,b\n1,2\nx,3\n4,5\n", 1, "bad.csv")
bad_data("nan_feature", "a,b\n1,2\nnan,3\n4,5\n", 1, "bad.csv")
bad_data("infinite_feature", "a,b\n1,2\ninf,3\n4,5\n", 1, "bad.csv")
bad_data("one_class", "a,b\n1,x\n2,x\n3,x\n", 1, "bad.csv")
bad_data("no_such_target", "a,b\n1,2\n3,4\n", 1, "nothing", more=("--target", "nothing"))


class BadFiles(Case):
    """Other formats, and the plugins of the zoo, through the program."""

    IDX_IMAGES = struct.pack(">IIII", 0x803, 4, 2, 2) + bytes(range(16))
    IDX_LABELS = struct.pack(">II", 0x801, 4) + bytes([0, 1, 0, 1])

    def idx(self, images, labels=IDX_LABELS):
        self.write("images", images)
        self.write("labels", labels)
        return ["run", "--data", "idx:images,labels", "--json", "x.json", "--batch-size", "2"]

    def test_idx_good(self):
        self.assertIn(self.findlr(*self.idx(self.IDX_IMAGES)).returncode, (0, 1))
        self.assertEqual(json.loads(self.read("x.json"))["config"]["features"], 4)

    def test_idx_wrong_magic(self):
        self.bad(self.idx(struct.pack(">I", 0x12345678) + self.IDX_IMAGES[4:]), 1, "images")

    def test_idx_truncated(self):
        self.bad(self.idx(self.IDX_IMAGES[:-1]), 1, "images")

    def test_idx_sizes_that_overflow(self):
        self.bad(self.idx(struct.pack(">IIII", 0x803, *[0xffffffff] * 3) + bytes(64)), 1, "images")

    def test_gzip_bomb(self):
        bomb = gzip.compress(self.IDX_IMAGES + bytes(1 << 26), 1)
        self.assertLess(len(bomb), 1 << 20)
        self.bad(self.idx(bomb), 1, "images")

    def test_npy_objects(self):
        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (4, 2), }"
        header += b" " * (117 - len(header)) + b"\n"
        text = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
        self.write("x.npy", text)
        self.write("y.npy", text)
        self.bad(["run", "--data", "npy:x.npy,y.npy"], 1, "x.npy")

    def test_plugins_of_the_zoo(self):
        zoo = os.path.join(os.path.dirname(NOISY), "zoo")
        names = [name for name in sorted(os.listdir(zoo)) if name.endswith(".so")] if os.path.isdir(zoo) else []
        self.assertGreater(len(names), 3, "the zoo is built")
        for name in names:
            done = self.findlr("plugins", "--plugin", os.path.join(zoo, name))
            self.assertIn(done.returncode, (0, 1), (name, done))
            if done.returncode:
                self.assertEqual((done.stdout, len(done.stderr.splitlines())), (b"", 1), (name, done.stderr))


class Noisy(Case):
    ARGS = ["--plugin", NOISY, *FAST]

    def test_prints_nowhere_but_to_stderr(self):
        done = self.findlr("run", "--json", "-", "--data", "noisy", *self.ARGS)
        check_schema(self, json.loads(done.stdout))
        self.assertNotIn(b"NOISE", done.stdout)
        self.assertIn(b"NOISE", done.stderr)
        done = self.findlr("run", "--csv", "-", "--data", "noisy", *self.ARGS)
        self.assertNotIn(b"NOISE", done.stdout)
        done = self.findlr("run", "--data", "noisy", *self.ARGS)
        self.assertNotIn(b"NOISE", done.stdout)

    def test_failure_in_the_middle(self):
        done = self.findlr("run", "--json", "x.json", "--data", "noisy:fail_at=20", *self.ARGS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"failed on purpose", done.stderr)
        answer = json.loads(self.read("x.json"))
        self.assertEqual(answer["stop"]["reason"], "failed")
        self.assertGreater(len(answer["curve"]["loss"]), 5)

    def test_failure_at_the_first_step(self):
        done = self.findlr("run", "--json", "x.json", "--data", "noisy:fail_at=1", *self.ARGS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"failed on purpose", done.stderr)
        self.assertEqual(os.listdir(self.folder.name), [])

    def start(self, *more):
        return subprocess.Popen(
            [PROGRAM, "run", "--json", "x.json", "--csv", "x.csv", "--plugin", NOISY, "--model", "linear",
             "--num-iter", "1000000", *more], cwd=self.folder.name, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for_gathers(self, process, count):
        seen = b""
        while seen.count(b"gather") < count:
            piece = os.read(process.stderr.fileno(), 4096)
            self.assertTrue(piece, seen)
            seen += piece

    def interrupted(self, number):
        process = self.start("--data", "noisy:pause_us=2000")
        self.wait_for_gathers(process, 30)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 128 + number, err[-300:])
        answer = json.loads(self.read("x.json"))
        self.assertEqual(answer["stop"]["reason"], "cancelled")
        self.assertEqual(answer["stop"]["step"], len(answer["curve"]["lr"]))
        self.assertGreaterEqual(answer["stop"]["step"], 20)
        self.assertIn(b"cancelled", out)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["x.csv", "x.json"])

    def test_ctrl_c(self):
        self.interrupted(signal.SIGINT)

    def test_terminate(self):
        self.interrupted(signal.SIGTERM)

    def test_hang_up(self):
        self.interrupted(signal.SIGHUP)

    def test_second_ctrl_c_ends_at_once(self):
        process = self.start("--data", "noisy:pause_us=1000000", "--validation", "0.1")
        self.wait_for_gathers(process, 1)
        time.sleep(0.1)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_nohup_is_respected(self):
        process = subprocess.Popen(
            [PROGRAM, "run", "--plugin", NOISY, "--data", "noisy:pause_us=2000", *FAST], env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder.name,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_gathers(process, 5)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=20)
        self.assertIn(process.returncode, (0, 1))


# --- in a program of its own --------------------------------------------------------------------

class Isolated(Case):
    ZOO = os.path.join(os.path.dirname(NOISY), "zoo")

    def test_same_bytes(self):
        for more in (["--model", "linear", "--group", "bias=0.1"], ["--data", "x.csv", "--target", "a"],
                     ["--follow", "validation", "--validation", "0.2", "--optimizer", "sgd:momentum=0.9"],
                     ["--json", "-"], ["--quiet"], ["--csv", "-"]):
            self.write("x.csv", "a,b\n" + "".join("%d,%d\n" % (i % 5, i % 3) for i in range(200)))
            plain = self.findlr("run", *FAST, *more)
            other = self.findlr("run", "--isolate", "--step-limit", "60", *FAST, *more)
            self.assertEqual((other.returncode, other.stdout, other.stderr),
                             (plain.returncode, plain.stdout, plain.stderr), more)

    def broken(self, spec, *more):
        return ["run", "--isolate", "--plugin", os.path.join(self.ZOO, "broken.so"), "--model", "broken:" + spec,
                *more]

    def test_crash_in_the_middle(self):
        done = self.findlr(*self.broken("segfault,20", "--json", "x.json", "--csv", "x.csv"),
                           env=environment(ASAN_OPTIONS="handle_segv=0"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"findlr: in step 20 the worker was killed by signal 11 (SIGSEGV); its last "
                         b"words: about to touch nothing\n")
        answer = json.loads(self.read("x.json"))
        check_schema(self, answer)
        self.assertEqual((answer["stop"]["reason"], len(answer["curve"]["loss"])), ("failed", 19))

    def test_hang(self):
        self.bad(self.broken("loop,1", "--step-limit", "0.3", "--json", "x.json", "--quiet"), 1,
                 "in step 1 the worker gave no answer within 0.3 seconds")

    def test_crash_at_the_start(self):
        self.bad(self.broken("abort,0", "--json", "x.json"), 1, "while making the session the worker was killed")

    def test_what_it_prints_does_not_reach_stdout(self):
        answer = json.loads(self.good(*self.broken("print,3", "--json", "-")).stdout)
        check_schema(self, answer)

    def test_mistakes(self):
        self.bad(["run", "--isolate", "--model", "mpl"], 2, "mpl", "mlp")
        self.bad(["run", "--isolate", "--model", "mlp:hiden=3"], 2, "hiden", "hidden")
        self.bad(["run", "--isolate", "--model", "mlp:hidden=x"], 2, "hidden")
        self.bad(["run", "--isolate", "--data", "nowhere.csv"], 1, "nowhere.csv")
        self.bad(["run", "--isolate", "--plugin", "nowhere.so"], 1, "nowhere.so")
        self.bad(["run", "--step-limit", "3"], 2, "--isolate")
        self.bad(["run", "--isolate", "--step-limit", "-3"], 2, "--step-limit -3")
        self.bad(["run", "--isolate"], 1, "/nowhere/worker", env=environment(FINDLR_WORKER="/nowhere/worker"))

    def test_ctrl_c(self):
        """A terminal sends it to the whole process group of the program: the worker must not hear it."""
        process = subprocess.Popen(
            [PROGRAM, *self.broken("nothing", "--num-iter", "1000000", "--json", "x.json")], cwd=self.folder.name,
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        seen = b""
        while b"training" not in seen:
            piece = os.read(process.stdout.fileno(), 4096)
            self.assertTrue(piece, seen)
            seen += piece
        time.sleep(0.2)
        children = "/proc/%d/task/%d/children" % (process.pid, process.pid)
        workers = open(children).read().split() if os.path.exists(children) else []
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err[-300:])
        answer = json.loads(self.read("x.json"))
        self.assertEqual(answer["stop"]["reason"], "cancelled")
        self.assertGreater(len(answer["curve"]["loss"]), 10)
        for worker in workers:
            self.assertFalse(os.path.exists("/proc/" + worker))


# --- a locale with a decimal comma --------------------------------------------------------------

class CommaLocale(Case):
    def test_same_bytes(self):
        made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", self.path("de_DE.UTF-8")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) \
            if shutil.which("localedef") else None
        if made is None or made.returncode not in (0, 1) or not os.path.isdir(self.path("de_DE.UTF-8")):
            self.skipTest("no comma locale can be made (Debian package: locales)")
        comma = environment(LOCPATH=self.folder.name, LC_ALL="de_DE.UTF-8")
        point = subprocess.run(["locale", "decimal_point"], env=comma, stdout=subprocess.PIPE)
        self.assertEqual(point.stdout.strip(), b",")
        # The plugin calls setlocale(LC_ALL, ""), so that printf itself writes commas.
        args = ["run", "--data", "noisy", "--plugin", NOISY, "--start-lr", "0.0000015", *FAST]
        for more in ([], ["--json", "-"], ["--csv", "-"], ["--quiet"]):
            plain, other = self.findlr(*args, *more), self.findlr(*args, *more, env=comma)
            self.assertIn(b"0,5", other.stderr)
            self.assertEqual((other.returncode, other.stdout), (plain.returncode, plain.stdout))
        self.write("c.csv", curve_csv())
        self.assertEqual(self.good("suggest", "c.csv", env=comma).stdout, self.good("suggest", "c.csv").stdout)


# --- a terminal ---------------------------------------------------------------------------------

class Terminal(Case):
    def on_terminal(self, *args, **more):
        """Runs with a terminal of 100 columns as stdout and stderr; returns what appears there."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        process = subprocess.Popen([PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                   cwd=self.folder.name, env=environment(**more))
        os.close(slave)
        text = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(master)
        self.assertIn(process.wait(20), (0, 1))
        return text.decode()

    def test_bar_curve_and_colour(self):
        text = self.on_terminal("run", "--num-iter", "60")
        self.assertRegex(text, r"\d+/60 \[=* *\] lr \S+ loss \S+")
        self.assertIn("\x1b[1mSuggested learning rate", text)
        self.assertIn("\r\x1b[K", text)
        self.assertTrue(any("\u2800" < c <= "\u28ff" for c in text), "a curve in braille")

    def test_no_color(self):
        text = self.on_terminal("run", *FAST, NO_COLOR="1")
        self.assertNotIn("\x1b[1m", text)
        self.assertNotRegex(text, r"\x1b\[\d+m")

    def test_dumb(self):
        text = self.on_terminal("run", *FAST, TERM="dumb")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("/60 [", text)

    def test_ascii(self):
        text = self.on_terminal("run", *FAST, LC_ALL="C")
        self.assertTrue(text.isascii())

    def test_quiet(self):
        text = self.on_terminal("run", *FAST, "--quiet")
        self.assertRegex(text, r"^\S+\r\n$")

    def test_same_words_as_in_a_pipe(self):
        piped = self.good("run", *FAST).stdout.decode().splitlines()
        shown = self.on_terminal("run", *FAST, NO_COLOR="1")
        for line in piped[:4] + piped[-2:]:
            self.assertIn(line, shown)


# --- a schema, checked with what Python has -----------------------------------------------------

def check_schema(case, value):
    with open(SCHEMA) as file:
        schema = json.load(file)
    try:
        import jsonschema
    except ImportError:
        validate(case, schema, schema, value, "$")
    else:
        jsonschema.Draft202012Validator(schema).validate(value)
    lengths = {len(value["curve"][name]) for name in value["curve"] if name != "groups"}
    lengths |= {len(rates) for rates in value["curve"]["groups"].values()}
    case.assertEqual(len(lengths), 1, "parallel arrays")


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(name, value):
    if name in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return isinstance(value, (int, float)) and not isinstance(value, bool) and (name == "number" or whole)
    return isinstance(value, TYPES[name])


def validate(case, root, schema, value, where):
    """As much of JSON Schema as the schema uses; an unknown word fails."""
    for word, rule in schema.items():
        if word == "$ref":
            validate(case, root, root["$defs"][rule.rsplit("/", 1)[1]], value, where)
        elif word == "type":
            names = rule if isinstance(rule, list) else [rule]
            case.assertTrue(any(is_type(name, value) for name in names), "%s: %r is no %s" % (where, value, rule))
        elif word == "const":
            case.assertEqual(value, rule, where)
        elif word == "enum":
            case.assertIn(value, rule, where)
        elif word == "pattern":
            case.assertRegex(value, rule)
        elif word == "required":
            case.assertLessEqual(set(rule), set(value), where)
        elif word == "minProperties":
            case.assertGreaterEqual(len(value), rule, where)
        elif word == "minimum":
            case.assertGreaterEqual(value, rule, where)
        elif word == "exclusiveMinimum":
            case.assertGreater(value, rule, where)
        elif word == "exclusiveMaximum":
            case.assertLess(value, rule, where)
        elif word == "items":
            for i, item in enumerate(value):
                validate(case, root, rule, item, "%s[%d]" % (where, i))
        elif word == "properties":
            for name in set(rule) & set(value):
                validate(case, root, rule[name], value[name], where + "." + name)
        elif word == "additionalProperties":
            for name in set(value) - set(schema.get("properties", ())):
                case.assertNotEqual(rule, False, "%s: unexpected %s" % (where, name))
                validate(case, root, rule, value[name], where + "." + name)
        else:
            case.assertIn(word, ("$schema", "title", "$defs"), "the checker knows this word")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
