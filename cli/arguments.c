/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum { FLAG, TEXT, TEXTS, INTEGER, REAL, CHOICE };

typedef struct option {
  const char *name;
  char letter; /* 0: none */
  uint8_t type;
  uint32_t commands;
  size_t offset;         /* in arguments */
  const char *value;     /* how --help calls the value; CHOICE: the words, "a|b" */
  const char *initial;   /* the default, read as if it were typed; NULL: nothing */
  double least, most;    /* INTEGER */
  const char *help;      /* ends with the default in words where there is no initial */
} option;

#define AT(member) offsetof(arguments, member)
#define SECTION(title) { NULL, 0, 0, 0, 0, title, NULL, 0, 0, NULL }
enum {
  RUN = COMMAND_RUN,
  SUGGEST = COMMAND_SUGGEST,
  PLOT = COMMAND_PLOT,
  PLUGINS = COMMAND_PLUGINS,
  SCHEDULE = COMMAND_SCHEDULE,
  CURVES = SUGGEST | PLOT,
  EVERY = RUN | SUGGEST | PLOT | PLUGINS | SCHEDULE,
  SESSION = 1 << 16 | RUN /* of a run that trains a session */
};

static const option options[] = {
  SECTION("Data"),
  { "data", 0, TEXT, SESSION, AT(data), "SPEC", "digits", 0, 0,
    "where the rows come from: digits (built in), FILE.csv, idx:IMAGES,LABELS, npy:..." },
  { "target", 0, TEXT, SESSION, AT(target), "NAME|INDEX", NULL, 0, 0,
    "column to predict, by name or by index from 0 (default: the last)" },
  { "standardize", 0, FLAG, SESSION, AT(standardize), NULL, NULL, 0, 0,
    "shift and scale every feature to mean 0, deviation 1 (of the training part)" },
  { "validation", 0, REAL, SESSION, AT(validation), "FRACTION", "0", 0, 0,
    "part of the rows to hold out, drawn by the seed, each class in proportion" },
  SECTION("Training"),
  { "model", 0, TEXT, SESSION, AT(model), "SPEC", "mlp:hidden=128", 0, 0,
    "what is trained: mlp:hidden=128x64,activation=tanh, linear, ..." },
  { "optimizer", 0, TEXT, SESSION, AT(optimizer), "SPEC", NULL, 0, 0,
    "sgd:momentum=0.9, adam, adamw, rmsprop, adagrad; none for a model that trains by itself "
    "(default: adam)" },
  { "loss", 0, TEXT, SESSION, AT(loss), "SPEC", NULL, 0, 0,
    "cross_entropy, bce_with_logits, mse, l1, huber (default: cross_entropy for classes, mse for "
    "numbers)" },
  { "batch-size", 0, INTEGER, SESSION, AT(batch_size), "N", NULL, 1, 1e9,
    "rows a batch (default: 64, or every row if there are fewer)" },
  { "accumulate", 0, INTEGER, SESSION, AT(accumulate), "N", "1", 1, 1e9, "batches an optimizer step" },
  { "sampling", 0, CHOICE, SESSION, AT(sampling), "shuffle|replacement|sequential", "shuffle", 0, 0,
    "order of the rows" },
  { "drop-last", 0, FLAG, SESSION, AT(drop_last), NULL, NULL, 0, 0,
    "leave out an epoch's last batch if it is not full" },
  { "group", 0, TEXTS, RUN, AT(groups), "PATTERN=FACTOR", NULL, 0, 0,
    "train the parameters whose names fit PATTERN ('*' and '?') at FACTOR times the rate; may be "
    "repeated. With --trainer: INDEX=FACTOR, groups counted from 0" },
  { "dtype", 0, CHOICE, SESSION, AT(dtype), "float32|float64", "float32", 0, 0, "precision" },
  { "threads", 0, INTEGER, RUN, AT(threads), "N", "1", 1, 1024, "threads that a model may use" },
  /* Whole numbers above 2^53 do not survive most readers of JSON. */
  { "seed", 0, INTEGER, RUN, AT(seed), "N", "0", 0, 9007199254740991.0,
    "of everything random; the same seed gives the same curve, bit for bit" },
  { "slots", 0, TEXT, SESSION, AT(slots), "DIR", NULL, 0, 0,
    "keep the saved state in unnamed files there (default: in memory)" },
  { "isolate", 0, FLAG, SESSION, AT(isolate), NULL, NULL, 0, 0,
    "train in a program of its own: a model that crashes costs a sentence and not this program" },
  { "step-limit", 0, REAL, SESSION, AT(step_limit), "SECONDS", "0", 0, 0,
    "with --isolate: end a step that takes longer; 0 lets it" },
  SECTION("Training something else"),
  { "trainer", 0, TEXT, RUN, AT(trainer), "SPEC", NULL, 0, 0,
    "train by this instead of data, model, optimizer and loss. \"-- PROGRAM ARGUMENT...\" at the end is "
    "short for exec:command=\"PROGRAM ARGUMENT...\"" },
  SECTION("Range test"),
  { "start-lr", 0, REAL, RUN, AT(start_lr), "RATE", "1e-7", 0, 0, "the first learning rate" },
  { "end-lr", 0, REAL, RUN, AT(end_lr), "RATE", "10", 0, 0, "the last learning rate" },
  { "num-iter", 0, INTEGER, RUN, AT(num_iter), "N", "100", 2, 1e7, "steps from first to last" },
  { "num-iter", 0, INTEGER, CURVES, AT(num_iter), "N", NULL, 2, 1e7,
    "steps that the test was asked for, for rules that need it (default: as the file says, else its "
    "rows)" },
  { "mode", 0, CHOICE, RUN, AT(mode), "exponential|linear", "exponential", 0, 0,
    "how the rate rises" },
  { "stop", 0, TEXT, RUN, AT(stop), "SPEC", "rise", 0, 0,
    "when to end early: rise:factor=4, factor:factor=4, not_finite, none" },
  { "follow", 0, TEXT, RUN, AT(follow), "WHAT", "train", 0, 0,
    "loss to record: train, validation, or validation:batches=K for always the same K batches" },
  SECTION("Schedule"),
  { "lr", 0, REAL, SCHEDULE, AT(lr), "RATE", "1", 0, 0,
    "the rate that the schedule starts from, or its peak, where SPEC does not say" },
  { "steps", 0, INTEGER, SCHEDULE, AT(steps), "N", "1000", 1, 1e7, "steps to show, warm-up included" },
  SECTION("Reading the curve"),
  { "method", 0, TEXT, RUN, AT(method), "NAME", "auto", 0, 0,
    "rule that picks the rate: auto, valley, slide, minimum, steep, steepest, ignite, lightning, "
    "lightning_2.5.2, keras" },
  { "method", 0, TEXT, CURVES, AT(method), "NAME", NULL, 0, 0,
    "rule that picks the rate: auto, valley, slide, minimum, steep, steepest, ignite, lightning, "
    "lightning_2.5.2, keras (default: as in the file, else auto)" },
  { "smoothing", 0, TEXT, RUN | CURVES, AT(smoothing), "SPEC", "gaussian:sigma=3", 0, 0,
    "of the curve that is shown: gaussian:sigma=3, ema:beta=0.98, seeded_ema:weight=0.05, none" },
  SECTION("Results"),
  { "plot", 0, TEXT, RUN, AT(plot), "FILE", NULL, 0, 0, "draw the curve: .svg, .png or .pdf" },
  { "plot", 0, TEXT, SCHEDULE, AT(plot), "FILE", NULL, 0, 0, "draw a picture: .svg, .png or .pdf" },
  { "output", 'o', TEXT, PLOT, AT(output), "FILE", NULL, 0, 0,
    "the picture: .svg, .png or .pdf; - is SVG on standard output" },
  { "title", 0, TEXT, RUN | PLOT, AT(title), "TEXT", NULL, 0, 0,
    "above the picture (default: model and data)" },
  { "title", 0, TEXT, SCHEDULE, AT(title), "TEXT", NULL, 0, 0, "above the picture (default: SPEC)" },
  { "json", 0, TEXT, RUN | SUGGEST, AT(json), "FILE", NULL, 0, 0,
    "write everything as one JSON object; - is standard output" },
  { "json", 0, TEXT, SCHEDULE, AT(json), "FILE", NULL, 0, 0,
    "write the rates and the momentum as one JSON object; - is standard output" },
  { "csv", 0, TEXT, RUN, AT(csv), "FILE", NULL, 0, 0,
    "write the curve as a table; - is standard output" },
  { "quiet", 0, FLAG, RUN | CURVES, AT(quiet), NULL, NULL, 0, 0,
    "print nothing but the learning rate" },
  { "quiet", 0, FLAG, SCHEDULE, AT(quiet), NULL, NULL, 0, 0, "print nothing" },
  SECTION("Plugins"),
  { "plugin", 0, TEXTS, RUN | PLOT | PLUGINS, AT(plugins), "FILE.so", NULL, 0, 0,
    "load this plugin; may be repeated" },
  { "plugin-path", 0, TEXTS, RUN | PLOT | PLUGINS, AT(plugin_path), "DIR", NULL, 0, 0,
    "look for plugins here first, before FINDLR_PLUGIN_PATH; may be repeated" },
  SECTION("Help"),
  { "help", 'h', FLAG, EVERY, AT(help), NULL, NULL, 0, 0, "this text" },
  { "version", 0, FLAG, EVERY, AT(version), NULL, NULL, 0, 0, "the version" },
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

/* The i-th name that the commands of *ud, a uint32_t of bits, know. */
static const char *name_at(const void *ud, uint32_t i) {
  const uint32_t *bits = ud;
  for (size_t k = 0; k < OPTION_COUNT; k++)
    if (options[k].name && options[k].commands & *bits && i-- == 0)
      return options[k].name;
  return NULL;
}

static const option *find(uint32_t bits, const char *name, size_t length) {
  for (size_t i = 0; i < OPTION_COUNT; i++)
    if (options[i].name && options[i].commands & bits &&
        strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
      return &options[i];
  return NULL;
}

static int32_t unknown(const command *c, const char *name, size_t length, findlr_error *err) {
  char typed[64];
  snprintf(typed, sizeof typed, "%.*s", (int)length, name);
  for (const command *other = commands; other->name; other++)
    if (other != c && find(other->bit, name, length))
      return fail(err, FINDLR_ERR_ARGUMENT, "option --%s belongs to findlr %s, not to findlr %s",
                  typed, other->name, c->name);
  const char *near = nearest(typed, name_at, &c->bit), *known;
  for (uint32_t i = 0; !near && length > 1 && (known = name_at(&c->bit, i)) != NULL; i++)
    if (strncmp(known, typed, strlen(typed)) == 0)
      near = known;
  return fail(err, FINDLR_ERR_ARGUMENT, near ? "unknown option --%s, did you mean --%s?"
                                             : "unknown option --%s, see findlr %s --help",
              typed, near ? near : c->name);
}

static int32_t take_real(const option *o, const char *text, double *to, findlr_error *err) {
  double value;
  size_t length = strlen(text);
  if (length == 0 || findlr_text_parse(text, length, &value) != length)
    return fail(err, FINDLR_ERR_ARGUMENT, "--%s needs a number, not \"%s\"", o->name, text);
  *to = value;
  return FINDLR_OK;
}

static int32_t take_integer(const option *o, const char *text, int64_t *to, findlr_error *err) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  bool digits = *text && strspn(text, "-0123456789") == strlen(text) && *end == 0;
  if (!digits || errno || (double)value < o->least || (double)value > o->most) {
    char least[FINDLR_TEXT_SIZE], most[FINDLR_TEXT_SIZE];
    return fail(err, FINDLR_ERR_ARGUMENT, "--%s needs a whole number from %s to %s, not \"%s\"",
                o->name, counted((int64_t)o->least, least), counted((int64_t)o->most, most), text);
  }
  *to = value;
  return FINDLR_OK;
}

static bool is_choice(const char *words, const char *text) {
  size_t length = strlen(text);
  for (const char *word = words; word; word = strchr(word, '|')) {
    word += *word == '|';
    if (strcspn(word, "|") == length && memcmp(word, text, length) == 0)
      return true;
  }
  return false;
}

static void add(texts *list, const char *text) {
  list->at = enlarge(list->at, (list->count + 1) * sizeof *list->at);
  list->at[list->count++] = text;
}

static int32_t take(const option *o, const char *text, arguments *args, findlr_error *err) {
  void *to = (char *)args + o->offset;
  switch (o->type) {
  case INTEGER:
    return take_integer(o, text, to, err);
  case REAL:
    return take_real(o, text, to, err);
  case TEXTS:
    add(to, text);
    return FINDLR_OK;
  case CHOICE:
    if (!is_choice(o->value, text))
      return fail(err, FINDLR_ERR_ARGUMENT, "--%s must be one of %s, not \"%s\"", o->name, o->value,
                  text);
    break;
  default:
    if (*text == 0)
      return fail(err, FINDLR_ERR_ARGUMENT, "--%s needs a value, not nothing", o->name);
  }
  *(const char **)to = text;
  return FINDLR_OK;
}

/* Reads the option at argv[*at], and moves *at to the last argument that belongs to it. */
static int32_t parse_option(const command *c, int argc, char **argv, int *at, arguments *args,
                            findlr_error *err) {
  const char *given = argv[*at], *value = NULL;
  const option *o = NULL;
  if (given[1] == '-') {
    size_t length = strcspn(given + 2, "=");
    if ((o = find(c->bit, given + 2, length)) == NULL)
      return unknown(c, given + 2, length, err);
    if (given[2 + length] == '=')
      value = given + 2 + length + 1;
  } else {
    for (size_t i = 0; i < OPTION_COUNT && !o; i++)
      if (options[i].letter && options[i].letter == given[1] && options[i].commands & c->bit)
        o = &options[i];
    if (!o || (o->type == FLAG && given[2]))
      return fail(err, FINDLR_ERR_ARGUMENT, "unknown option %s, see findlr %s --help", given,
                  c->name);
    if (given[2])
      value = given + 2;
  }
  if ((o->commands & SESSION) == SESSION && !args->of_session)
    args->of_session = o->name;
  if (o->type == FLAG) {
    if (value)
      return fail(err, FINDLR_ERR_ARGUMENT, "--%s takes no value, \"%s\" was given", o->name, value);
    *(bool *)((char *)args + o->offset) = true;
    return FINDLR_OK;
  }
  if (!value) {
    if (*at + 1 >= argc || (argv[*at + 1][0] == '-' && argv[*at + 1][1] == '-'))
      return fail(err, FINDLR_ERR_ARGUMENT, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    value = argv[++*at];
  }
  return take(o, value, args, err);
}

int32_t arguments_parse(const command *c, int argc, char **argv, int first, arguments *args,
                        findlr_error *err) {
  memset(args, 0, sizeof *args);
  int32_t status = FINDLR_OK;
  for (size_t i = 0; i < OPTION_COUNT && status == FINDLR_OK; i++)
    if (options[i].commands & c->bit && options[i].initial)
      status = take(&options[i], options[i].initial, args, err);
  bool only_files = false;
  for (int i = first; i < argc && status == FINDLR_OK; i++) {
    if (only_files || argv[i][0] != '-' || argv[i][1] == 0)
      add(only_files && c->bit == RUN ? &args->program : &args->files, argv[i]);
    else if (strcmp(argv[i], "--") == 0)
      only_files = true;
    else
      status = parse_option(c, argc, argv, &i, args, err);
    if (args->help || args->version)
      return FINDLR_OK;
  }
  if (status == FINDLR_OK && only_files && c->bit == RUN && args->program.count == 0)
    status = fail(err, FINDLR_ERR_ARGUMENT, "a program is wanted behind --");
  if (status != FINDLR_OK)
    return status;
  if (args->files.count < c->least_files)
    return fail(err, FINDLR_ERR_ARGUMENT, "%s needs a file with a curve, or - for standard input: "
                "findlr %s %s", c->name, c->name, c->usage);
  if (args->files.count > c->most_files) {
    const char *extra = args->files.at[c->most_files];
    return fail(err, FINDLR_ERR_ARGUMENT, c->bit == RUN ? "\"%s\" stands alone, did you mean --data %s?"
                : c->bit == SCHEDULE ? "\"%s\" is one SPEC too many: findlr %s"
                                     : "\"%s\" is one file too many: findlr %s",
                extra, c->bit == RUN ? extra : c->name);
  }
  return FINDLR_OK;
}

void arguments_free(arguments *args) {
  free(args->groups.at);
  free(args->plugins.at);
  free(args->plugin_path.at);
  free(args->files.at);
  free(args->program.at);
}

/* --- help ------------------------------------------------------------------------------------- */

void wrap(FILE *stream, const char *text, int column, int indent) {
  enum { WIDTH = 80 };
  bool first = true;
  while (*text) {
    if (*text == '\n') {
      fprintf(stream, "\n%*s", text[1] && text[1] != '\n' ? indent : 0, "");
      column = indent;
      first = true;
      text++;
      continue;
    }
    size_t word = strcspn(text, " \n");
    if (!first && column + 1 + (int)word > WIDTH) {
      fprintf(stream, "\n%*s", indent, "");
      column = indent;
      first = true;
    }
    fprintf(stream, first ? "%.*s" : " %.*s", (int)word, text);
    column += (int)word + !first;
    first = false;
    text += word;
    text += *text == ' ';
  }
  fputc('\n', stream);
}

static void help_option(FILE *stream, const option *o) {
  enum { COLUMN = 26 };
  char left[80], right[512];
  const char *value = o->type == CHOICE ? "WORD" : o->value;
  snprintf(left, sizeof left, "  %s%s%s%s", o->letter == 'o' ? "-o, --" : o->letter ? "-h, --" : "--",
           o->name, value ? " " : "", value ? value : "");
  snprintf(right, sizeof right, "%s%s%s%s%s%s", o->type == CHOICE ? o->value : "",
           o->type == CHOICE ? ": " : "", o->help, o->initial ? " (default: " : "",
           o->initial ? o->initial : "", o->initial ? ")" : "");
  int column = fprintf(stream, "%-*s", COLUMN - 1, left);
  if (column >= COLUMN)
    fprintf(stream, "\n%*s", COLUMN - 1, "");
  fputc(' ', stream);
  wrap(stream, right, COLUMN, COLUMN);
}

static void help_examples(FILE *stream, const char *text) {
  fputs("\nExamples:\n", stream);
  while (*text) {
    size_t line = strcspn(text, "\t"), remark = strcspn(text + line, "\n");
    fprintf(stream, "  %.*s\n      %.*s\n", (int)line, text, (int)remark - 1, text + line + 1);
    text += line + remark;
    text += *text == '\n';
  }
}

void arguments_help(FILE *stream, const command *about) {
  if (!about) {
    fputs("Usage: findlr COMMAND [OPTION...]\n\n", stream);
    wrap(stream, "Finds the learning rate at which a model should start training: the rate rises at "
         "every step of a short trial, the loss is recorded, and the curve shows where training is "
         "fastest and where it breaks.", 0, 0);
    fputs("\nCommands:\n", stream);
    for (const command *c = commands; c->name; c++)
      fprintf(stream, "  %-9s %s\n", c->name, c->summary);
    fputs("\nfindlr COMMAND --help explains a command; findlr --version tells the version.\n", stream);
    help_examples(stream,
                  "findlr run\tthe built-in digits and a small network: try this first\n"
                  "findlr run --data train.csv --plot curve.svg\tyour table, the last column as target\n"
                  "findlr suggest curve.csv\ta curve that you recorded with something else\n");
    return;
  }
  fprintf(stream, "Usage: findlr %s %s\n\n", about->name, about->usage);
  wrap(stream, about->about, 0, 0);
  const char *section = NULL;
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const option *o = &options[i];
    if (!o->name)
      section = o->value;
    else if (o->commands & about->bit) {
      if (section)
        fprintf(stream, "\n%s:\n", section);
      section = NULL;
      help_option(stream, o);
    }
  }
  help_examples(stream, about->examples);
}
