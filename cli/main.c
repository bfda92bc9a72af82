/* SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "findlr/findlr.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "terminal.h"

/* 0: a learning rate was found. 1: none, or something failed. 2: the command line makes no sense.
 * 128 + signal: cancelled. */
enum { EXIT_NONE = 1, EXIT_USAGE = 2, EXIT_SIGNAL = 128 };

const command commands[] = {
  { "run", COMMAND_RUN, "[OPTION...] [-- PROGRAM [ARGUMENT...]]", "train a little at rising rates and suggest one",
    "Trains a model for --num-iter steps while the learning rate rises from --start-lr to --end-lr, and "
    "records the loss. The curve has three parts: a plateau, where the rate is too small to learn "
    "anything; a fall; and a rise, where the steps are so large that training breaks. A good rate lies "
    "in the fall, where it is steepest. Afterwards the model is as it was before.\n"
    "\n"
    "A SPEC is a name, or NAME:OPTION=VALUE,... as in sgd:momentum=0.9; findlr plugins lists the names, "
    "findlr plugins NAME their options.\n"
    "\n"
    "A program behind -- is a training script of your own, in any language: it is told a rate, takes one "
    "step and answers with the loss, by lines of text.\n"
    "\n"
    "Exit status: 0 with a rate, 1 without one or if something failed, 2 for a command line that makes "
    "no sense, 130 after Ctrl-C.",
    "findlr run\tthe built-in digits, a network with one hidden layer, adam\n"
    "findlr run --data train.csv --target price --standardize --plot curve.svg\t"
    "a table of your own, and a picture\n"
    "findlr run --optimizer sgd:momentum=0.9 --batch-size 128 --json - | jq .suggestion.lr\t"
    "only the rate, for a script; --quiet does the same\n"
    "findlr run --plot curve.svg -- python3 train.py\ta script that trains by itself\n",
    0, 0, run_command },
  { "suggest", COMMAND_SUGGEST, "[OPTION...] FILE|-", "read a recorded curve and suggest a rate",
    "Reads a curve that findlr run --json or --csv wrote, or that any other tool recorded as a table "
    "with the columns lr and loss, or as JSON with the arrays \"lr\" and \"loss\".\n"
    "\n"
    "Exit status: 0 with a rate, 1 without one or if the file cannot be read.",
    "findlr suggest curve.csv\ta curve from your own training loop\n"
    "findlr suggest --method valley curve.json\twhat fastai would have said\n"
    "findlr suggest --json - curve.csv\tevery method's answer, as JSON\n",
    1, 1, suggest_command },
  { "plot", COMMAND_PLOT, "[OPTION...] FILE|- -o OUT", "draw a recorded curve",
    "Draws a curve (see findlr suggest --help) with its suggestion and the interval for cyclical "
    "schedules.",
    "findlr plot curve.json -o curve.svg\ta picture that scales\n"
    "findlr run --json - | findlr plot - -o curve.png\twithout a file between\n",
    1, 1, plot_command },
  { "schedule", COMMAND_SCHEDULE, "[OPTION...] [SPEC]", "draw a learning-rate schedule",
    "Shows the rate, and the momentum, of every step of a schedule, without training. Without SPEC: the "
    "schedules there are.\n"
    "\n"
    "A SPEC is a name, or NAME:OPTION=VALUE,... What it does not say comes from --lr and --steps; findlr "
    "plugins NAME shows the options of a schedule. A warm-up may stand in front of any: warmup=100.\n"
    "\n"
    "Exit status: 0, 1 if something failed, 2 for a command line that makes no sense.",
    "findlr schedule\twhat there is\n"
    "findlr schedule cosine:warmup=100 --lr 0.1\thalf a cosine after 100 steps of warm-up\n"
    "findlr schedule one_cycle --steps 500 --plot one_cycle.svg\ta picture\n"
    "findlr schedule step:every=30,gamma=0.5 --json - | jq .rates[42]\tfor a script\n",
    0, 1, schedule_command },
  { "plugins", COMMAND_PLUGINS, "[OPTION...] [NAME]", "list models, optimizers, losses, data sources",
    "Without NAME: every plugin that is found and what is built in. With the name of a plugin or of a "
    "model, optimizer, loss, data source or schedule: its options with types, bounds and defaults, as a SPEC takes "
    "them.",
    "findlr plugins\twhat there is\n"
    "findlr plugins mlp\tthe options of --model mlp:...\n"
    "findlr plugins --plugin ./mine.so mine\ta plugin that you are writing\n",
    0, 1, plugins_command },
  { NULL, 0, NULL, NULL, NULL, NULL, 0, 0, NULL },
};

static const char *command_at(const void *ud, uint32_t i) {
  (void)ud;
  return commands[i].name;
}

static const command *find_command(const char *name) {
  for (const command *c = commands; c->name; c++)
    if (strcmp(c->name, name) == 0)
      return c;
  return NULL;
}

static void tell_version(void) {
  fprintf(output_text(), "findlr %s (libfindlr %s, plugin ABI %d.%d)\n", FINDLR_VERSION, findlr_version(),
          FINDLR_ABI_MAJOR, FINDLR_ABI_MINOR);
}

static int32_t run_one(const command *c, int argc, char **argv, findlr_error *err) {
  arguments args;
  int32_t status = arguments_parse(c, argc, argv, 2, &args, err);
  if (status == FINDLR_OK) {
    if (args.help)
      arguments_help(output_text(), c);
    else if (args.version)
      tell_version();
    else
      status = c->run(&args, err);
  }
  arguments_free(&args);
  return status;
}

/* findlr --help, findlr help [COMMAND], findlr --version. Anything else is no command. */
static int32_t run_none(int argc, char **argv, findlr_error *err) {
  const char *word = argc > 1 ? argv[1] : NULL;
  if (!word) {
    arguments_help(stderr, NULL);
    return fail(err, FINDLR_ERR_ARGUMENT, "a command is wanted; findlr run is the one to try first");
  }
  if (strcmp(word, "--version") == 0) {
    tell_version();
    return FINDLR_OK;
  }
  bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
  const char *name = help && argc > 2 ? argv[2] : help ? NULL : word;
  const command *about = name ? find_command(name) : NULL;
  if (help && (about || !name)) {
    arguments_help(output_text(), about);
    return FINDLR_OK;
  }
  const char *near = nearest(name, command_at, NULL);
  return fail(err, FINDLR_ERR_ARGUMENT, near ? "unknown command \"%s\", did you mean %s?"
                                             : "unknown command \"%s\", see findlr --help",
              name, near);
}

int main(int argc, char **argv) {
  findlr_error err = FINDLR_ERROR_INIT;
  output_claim_stdout();
  interrupt_install();
  cJSON_InitHooks(&(cJSON_Hooks){ allocate, free });
  const command *c = argc > 1 ? find_command(argv[1]) : NULL;
  int32_t status = c ? run_one(c, argc, argv, &err) : run_none(argc, argv, &err);
  progress_end();
  if (status < 0 && status != FINDLR_ERR_CANCELLED)
    complain("%s", err.message);
  if (output_finish(&err) != FINDLR_OK) {
    complain("%s", err.message);
    return EXIT_NONE;
  }
  return status == FINDLR_OK              ? EXIT_SUCCESS
         : status == FINDLR_ERR_CANCELLED ? EXIT_SIGNAL + interrupt_signal()
         : status == FINDLR_ERR_ARGUMENT  ? EXIT_USAGE
                                          : EXIT_NONE;
}
