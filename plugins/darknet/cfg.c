/* SPDX-License-Identifier: MIT */
#include "cfg.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/bytes.h"

enum { LARGEST_FILE = 1 << 20, MOST_LAYERS = 10000 };

/* The layers whose every bit of state this plugin knows, so that a range test can take it back. Not a
 * [batchnorm] of its own, which needs a graphics card: darknet forgets its memory elsewhere. */
enum {
  NET,
  CONVOLUTIONAL_LAYER,
  CONNECTED_LAYER,
  MAXPOOL_LAYER,
  AVGPOOL_LAYER,
  DROPOUT_LAYER,
  SHORTCUT_LAYER,
  ROUTE_LAYER,
  UPSAMPLE_LAYER,
  ACTIVATION_LAYER,
  SOFTMAX_LAYER,
  LOGISTIC_LAYER,
  COST_LAYER,
  UNKNOWN
};

static const struct {
  const char *spelling;
  uint32_t kind;
} spellings[] = {
  { "net", NET },
  { "network", NET },
  { "convolutional", CONVOLUTIONAL_LAYER },
  { "conv", CONVOLUTIONAL_LAYER },
  { "connected", CONNECTED_LAYER },
  { "conn", CONNECTED_LAYER },
  { "maxpool", MAXPOOL_LAYER },
  { "max", MAXPOOL_LAYER },
  { "avgpool", AVGPOOL_LAYER },
  { "avg", AVGPOOL_LAYER },
  { "dropout", DROPOUT_LAYER },
  { "shortcut", SHORTCUT_LAYER },
  { "route", ROUTE_LAYER },
  { "upsample", UPSAMPLE_LAYER },
  { "activation", ACTIVATION_LAYER },
  { "softmax", SOFTMAX_LAYER },
  { "soft", SOFTMAX_LAYER },
  { "logistic", LOGISTIC_LAYER },
  { "cost", COST_LAYER },
};

static int32_t no_memory(const cfg *c) {
  return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_NO_MEMORY, "no memory for %s", c->file);
}

void cfg_free(cfg *c) {
  if (c->text)
    c->host->alloc(c->ctx, c->text, c->text_size, 0, 1);
  if (c->sections)
    c->host->alloc(c->ctx, c->sections, c->section_room * sizeof *c->sections, 0, 64);
  if (c->options)
    c->host->alloc(c->ctx, c->options, c->option_room * sizeof *c->options, 0, 64);
  c->text = NULL;
  c->sections = NULL;
  c->options = NULL;
}

/* Room for one more in an array. */
static bool make_room(cfg *c, void **array, uint32_t count, uint32_t *room, size_t size) {
  if (count < *room)
    return true;
  const uint32_t wanted = *room ? 2 * *room : 32;
  void *grown = c->host->alloc(c->ctx, *array, *room * size, wanted * size, 64);
  if (!grown)
    return false;
  *array = grown;
  *room = wanted;
  return true;
}

/* --- the text -------------------------------------------------------------------------------- */

static int32_t take_section(cfg *c, char *line, int number) {
  char *end = strchr(line, ']');
  cfg_section s = { .line = number, .kind = UNKNOWN, .first = c->option_count };
  if (!end || end[1])
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT,
                            "%s, line %d: \"%.40s\" is no section, wanted [name]", c->file, number,
                            line);
  *end = 0;
  s.name = line + 1;
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
    if (strcmp(line + 1, spellings[i].spelling) == 0)
      s.kind = spellings[i].kind;
  if (s.kind == UNKNOWN)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_UNSUPPORTED,
                            "%s, line %d: a [%.40s] is none of the sections that can be taken back "
                            "after a range test: convolutional, connected, maxpool, avgpool, "
                            "dropout, shortcut, route, upsample, activation, softmax, "
                            "logistic, cost",
                            c->file, number, s.name);
  if ((s.kind == NET) != (c->section_count == 0))
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT,
                            "%s, line %d: the section is [%s], wanted %s", c->file, number, s.name,
                            s.kind == NET ? "one [net] only, the first" : "[net] before all others");
  if (c->section_count > MOST_LAYERS)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_LIMIT, "%s has more than %d layers", c->file,
                            MOST_LAYERS);
  void *array = c->sections;
  const bool fits = make_room(c, &array, c->section_count, &c->section_room, sizeof s);
  c->sections = array;
  if (!fits)
    return no_memory(c);
  c->sections[c->section_count++] = s;
  return FINDLR_OK;
}

static int32_t take_option(cfg *c, char *line, int number) {
  char *equals = strchr(line, '=');
  if (!equals || equals == line || !equals[1])
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT,
                            "%s, line %d: \"%.40s\" is neither [section] nor key=value", c->file,
                            number, line);
  if (!c->section_count)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT,
                            "%s, line %d: \"%.40s\" comes before any section, wanted [net]", c->file,
                            number, line);
  void *array = c->options;
  const bool fits =
      make_room(c, &array, c->option_count, &c->option_room, sizeof *c->options);
  c->options = array;
  if (!fits)
    return no_memory(c);
  *equals = 0;
  c->options[c->option_count++] = (cfg_option){ line, equals + 1, number };
  c->sections[c->section_count - 1].count++;
  return FINDLR_OK;
}

/* Cuts the text up as darknet does: blanks count nowhere, # and ; begin a comment line. */
static int32_t cut(cfg *c) {
  int number = 0;
  char *at = c->text;
  while (at) {
    char *next = strchr(at, '\n'), *to = at;
    if (next)
      *next++ = 0;
    number++;
    for (const char *from = at; *from; from++)
      if (*from != ' ' && *from != '\t' && *from != '\r')
        *to++ = *from;
    *to = 0;
    int32_t status = FINDLR_OK;
    if (*at == '[')
      status = take_section(c, at, number);
    else if (*at && *at != '#' && *at != ';')
      status = take_option(c, at, number);
    if (status)
      return status;
    at = next;
  }
  if (!c->section_count)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT, "%s has no section, wanted [net]",
                            c->file);
  if (c->section_count == 1)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT, "%s has no layer after [net]",
                            c->file);
  return FINDLR_OK;
}

/* --- options --------------------------------------------------------------------------------- */

/* The first of that name, which is the one that darknet takes. */
static const cfg_option *find(const cfg *c, const cfg_section *s, const char *key) {
  for (uint32_t i = s->first; i < s->first + s->count; i++)
    if (strcmp(c->options[i].key, key) == 0)
      return &c->options[i];
  return NULL;
}

static int32_t bad_value(const cfg *c, const cfg_section *s, const cfg_option *o,
                         const char *wanted) {
  return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT,
                          "%s, line %d: %s of the [%s] is %.40s, wanted %s", c->file, o->line,
                          o->key, s->name, o->value, wanted);
}

/* A whole number, read strictly: darknet's atoi would make 0 of a word. */
static bool whole(const char *text, const char **ret_end, int64_t *ret_value) {
  const int64_t sign = *text == '-' ? -1 : 1;
  int64_t value = 0;
  text += *text == '-' || *text == '+';
  const char *first = text;
  while (*text >= '0' && *text <= '9' && value < INT_MAX)
    value = 10 * value + (*text++ - '0');
  *ret_end = text;
  *ret_value = sign * value;
  return text != first && value <= INT_MAX;
}

static int32_t integer(const cfg *c, const cfg_section *s, const char *key, int64_t missing,
                       int64_t least, int64_t most, int64_t *ret_value) {
  const cfg_option *o = find(c, s, key);
  const char *end;
  char wanted[80];
  *ret_value = missing;
  if (!o)
    return FINDLR_OK;
  if (whole(o->value, &end, ret_value) && !*end && *ret_value >= least && *ret_value <= most)
    return FINDLR_OK;
  snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)least,
           (long long)most);
  return bad_value(c, s, o, wanted);
}

static int32_t real(const cfg *c, const cfg_section *s, const char *key, double missing,
                    double least, double most, double *ret_value) {
  const findlr_host_text *text = c->host->get_extension(c->ctx, FINDLR_EXT_TEXT);
  const cfg_option *o = find(c, s, key);
  char wanted[80];
  *ret_value = missing;
  if (!o)
    return FINDLR_OK;
  const size_t n = text->parse(o->value, strlen(o->value), ret_value);
  if (n && !o->value[n] && *ret_value >= least && *ret_value <= most)
    return FINDLR_OK;
  snprintf(wanted, sizeof wanted, "a number from %g to %g", least, most);
  return bad_value(c, s, o, wanted);
}

static int32_t one_of(const cfg *c, const cfg_section *s, const char *key, const char *choices) {
  const cfg_option *o = find(c, s, key);
  if (!o)
    return FINDLR_OK;
  const size_t n = strlen(o->value);
  for (const char *at = choices; *at;) {
    const size_t length = strcspn(at, " ");
    if (length == n && memcmp(at, o->value, n) == 0)
      return FINDLR_OK;
    at += length + (at[length] != 0);
  }
  return bad_value(c, s, o, choices);
}

static int32_t refuse(const cfg *c, const cfg_section *s, const char *key, const char *why) {
  const cfg_option *o = find(c, s, key);
  if (!o || strcmp(o->value, "0") == 0)
    return FINDLR_OK;
  return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_UNSUPPORTED, "%s, line %d: %s of the [%s]: %s",
                          c->file, o->line, key, s->name, why);
}

#define TRY(call)                                                                                  \
  do {                                                                                             \
    const int32_t try_status = (call);                                                             \
    if (try_status)                                                                                \
      return try_status;                                                                           \
  } while (0)

/* --- layers ---------------------------------------------------------------------------------- */

static int32_t unfit(const cfg *c, const cfg_section *s, const char *what) {
  return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_FORMAT, "%s, line %d: the [%s] %s", c->file,
                          s->line, s->name, what);
}

static int32_t check_activation(const cfg *c, const cfg_section *s) {
  return one_of(c, s, "activation",
                "linear logistic loggy relu elu selu relie plse hardtan lhtan ramp leaky tanh "
                "stair");
}

/* Numbers that darknet keeps for each row, for each layer, and its weights: all counted in int. */
static int32_t count(cfg *c, const cfg_section *s, double a_row, double weights, int64_t batch) {
  if (a_row * (double)batch > INT_MAX || weights > INT_MAX)
    return findlr_host_fail(c->host, c->ctx, FINDLR_ERR_LIMIT,
                            "%s, line %d: the [%s] has %.0f numbers for %lld rows and %.0f weights: too "
                            "large for darknet",
                            c->file, s->line, s->name, a_row * (double)batch, (long long)batch,
                            weights);
  c->bytes += 4 * (a_row * (double)batch + 2 * weights);
  return FINDLR_OK;
}

static int32_t check_convolutional(cfg *c, cfg_section *s, const cfg_section *in, int64_t batch) {
  int64_t filters, size, stride, pad, padding, groups, normalize;
  TRY(integer(c, s, "filters", 1, 1, INT_MAX, &filters));
  TRY(integer(c, s, "size", 1, 1, 1000, &size));
  TRY(integer(c, s, "stride", 1, 1, 1000, &stride));
  TRY(integer(c, s, "pad", 0, 0, 1, &pad));
  TRY(integer(c, s, "padding", 0, 0, 1000, &padding));
  TRY(integer(c, s, "groups", 1, 1, INT_MAX, &groups));
  TRY(integer(c, s, "batch_normalize", 0, 0, 1, &normalize));
  TRY(refuse(c, s, "binary", "darknet crashes when it trains binary weights"));
  TRY(refuse(c, s, "xnor", "darknet crashes when it trains binary weights"));
  TRY(check_activation(c, s));
  if (pad)
    padding = size / 2;
  if (!in->w)
    return unfit(c, s, "needs an image from the layer before");
  /* Where the size is 1 darknet takes the image for its own patches, padding or not. */
  if (size == 1 && padding)
    return unfit(c, s, "has size 1 and padding, with which darknet writes beyond its memory");
  if (in->c % groups || filters % groups)
    return unfit(c, s, "has groups that do not divide its channels and filters");
  if (in->w + 2 * padding < size || in->h + 2 * padding < size)
    return unfit(c, s, "is larger than its image");
  s->w = (in->w + 2 * padding - size) / stride + 1;
  s->h = (in->h + 2 * padding - size) / stride + 1;
  s->c = filters;
  const double patch = (double)(size * size) * (double)in->c / (double)groups;
  const double workspace = (double)(s->w * s->h) * patch * 4;
  if (workspace > INT_MAX)
    return unfit(c, s, "needs more than 2 GiB for its patches");
  c->bytes += workspace;
  return count(c, s, (double)(s->w * s->h) * (double)filters * (normalize ? 4 : 2),
               patch * (double)filters, batch);
}

static int32_t check_connected(cfg *c, cfg_section *s, const cfg_section *in, int64_t batch) {
  int64_t output, normalize;
  TRY(integer(c, s, "output", 1, 1, INT_MAX, &output));
  TRY(integer(c, s, "batch_normalize", 0, 0, 1, &normalize));
  TRY(check_activation(c, s));
  s->w = s->h = 1;
  s->c = output;
  return count(c, s, (double)output * (normalize ? 4 : 2), (double)output * (double)in->outputs, batch);
}

static int32_t check_maxpool(const cfg *c, cfg_section *s, const cfg_section *in) {
  int64_t stride, size, padding;
  TRY(integer(c, s, "stride", 1, 1, 1000, &stride));
  TRY(integer(c, s, "size", stride, 1, 1000, &size));
  TRY(integer(c, s, "padding", size - 1, 0, 1000, &padding));
  if (!in->w)
    return unfit(c, s, "needs an image from the layer before");
  /* A window wholly outside of the image would make darknet write before its memory. */
  if (padding > 2 * size - 2)
    return unfit(c, s, "has so much padding that a window may lie outside of the image");
  if (in->w + padding < size || in->h + padding < size)
    return unfit(c, s, "is larger than its image");
  s->w = (in->w + padding - size) / stride + 1;
  s->h = (in->h + padding - size) / stride + 1;
  s->c = in->c;
  return FINDLR_OK;
}

/* "-1" and "3": a layer before this one; darknet does not look. */
static int32_t earlier_layer(const cfg *c, const cfg_section *s, const cfg_option *o,
                             const char **at, const cfg_section **ret_layer) {
  const int64_t own = s - c->sections - 1; /* without [net] */
  int64_t index;
  if (!whole(*at, at, &index) || (**at && **at != ','))
    return bad_value(c, s, o, "layers by number");
  if (index < 0)
    index += own;
  if (index < 0 || index >= own)
    return bad_value(c, s, o, "layers before this one");
  *ret_layer = &c->sections[index + 1];
  return FINDLR_OK;
}

static int32_t check_shortcut(const cfg *c, cfg_section *s, const cfg_section *in) {
  const cfg_option *o = find(c, s, "from");
  const cfg_section *from;
  double ignored;
  if (!o)
    return unfit(c, s, "has no line from=");
  const char *at = o->value;
  TRY(earlier_layer(c, s, o, &at, &from));
  TRY(check_activation(c, s));
  TRY(real(c, s, "alpha", 1, -1e6, 1e6, &ignored));
  TRY(real(c, s, "beta", 1, -1e6, 1e6, &ignored));
  if (*at || !in->w || from->w != in->w || from->h != in->h || from->c != in->c)
    return bad_value(c, s, o, "one layer with an image of the same size");
  s->w = in->w;
  s->h = in->h;
  s->c = in->c;
  return FINDLR_OK;
}

static int32_t check_route(const cfg *c, cfg_section *s) {
  const cfg_option *o = find(c, s, "layers");
  double outputs = 0;
  if (!o)
    return unfit(c, s, "has no line layers=");
  for (const char *at = o->value;; at++) {
    const cfg_section *from;
    TRY(earlier_layer(c, s, o, &at, &from));
    if (outputs == 0) {
      s->w = from->w;
      s->h = from->h;
      s->c = from->c;
    } else if (s->w == from->w && s->h == from->h) {
      s->c += from->c;
    } else {
      s->w = s->h = s->c = 0;
    }
    outputs += (double)from->outputs;
    if (outputs > INT_MAX)
      return unfit(c, s, "joins more than darknet can count");
    if (!*at)
      break;
  }
  s->outputs = (int64_t)outputs;
  return FINDLR_OK;
}

static int32_t check_layer(cfg *c, cfg_section *s, const cfg_section *in, int64_t batch) {
  double ignored;
  int64_t number;
  switch (s->kind) {
  case CONVOLUTIONAL_LAYER:
    TRY(check_convolutional(c, s, in, batch));
    break;
  case CONNECTED_LAYER:
    TRY(check_connected(c, s, in, batch));
    break;
  case MAXPOOL_LAYER:
    TRY(check_maxpool(c, s, in));
    break;
  case AVGPOOL_LAYER:
    if (!in->w)
      return unfit(c, s, "needs an image from the layer before");
    s->w = s->h = 1;
    s->c = in->c;
    break;
  case UPSAMPLE_LAYER:
    TRY(integer(c, s, "stride", 2, 1, 1000, &number));
    TRY(real(c, s, "scale", 1, -1e6, 1e6, &ignored));
    if (!in->w)
      return unfit(c, s, "needs an image from the layer before");
    s->w = in->w * number;
    s->h = in->h * number;
    s->c = in->c;
    break;
  case SHORTCUT_LAYER:
    TRY(check_shortcut(c, s, in));
    break;
  case ROUTE_LAYER:
    TRY(check_route(c, s));
    break;
  case DROPOUT_LAYER:
    TRY(real(c, s, "probability", 0.5, 0, 0.999, &ignored));
    s->w = in->w;
    s->h = in->h;
    s->c = in->c;
    break;
  case ACTIVATION_LAYER:
    TRY(check_activation(c, s));
    s->w = in->w;
    s->h = in->h;
    s->c = in->c;
    break;
  case LOGISTIC_LAYER:
    s->w = in->w;
    s->h = in->h;
    s->c = in->c;
    break;
  case SOFTMAX_LAYER:
    TRY(integer(c, s, "groups", 1, 1, INT_MAX, &number));
    TRY(real(c, s, "temperature", 1, 1e-6, 1e6, &ignored));
    TRY(refuse(c, s, "tree", "trees of classes are not supported"));
    TRY(refuse(c, s, "noloss", "a network needs its loss here"));
    if (in->outputs % number)
      return unfit(c, s, "has groups that do not divide its inputs");
    break;
  default: /* COST_LAYER */
    TRY(one_of(c, s, "type", "sse smooth L1 seg masked wgan"));
    TRY(real(c, s, "scale", 1, -1e6, 1e6, &ignored));
  }
  TRY(real(c, s, "learning_rate", 1, 0, 1e6, &ignored));
  TRY(refuse(c, s, "truth", "targets come from the data"));
  if (s->w) {
    const double outputs = (double)s->w * (double)s->h * (double)s->c;
    s->outputs = outputs > INT_MAX ? INT_MAX : (int64_t)outputs;
  } else if (s->kind != ROUTE_LAYER) {
    s->outputs = in->outputs;
  }
  /* Most layers keep outputs and their gradient; those with weights were counted above. */
  return count(c, s, 3 * (double)s->outputs, 0, batch);
}

static bool has_loss(const cfg_section *s) {
  return s->kind >= SOFTMAX_LAYER;
}

static int32_t check_net(cfg *c, int64_t batch) {
  cfg_section *net = &c->sections[0];
  int64_t inputs;
  TRY(integer(c, net, "width", 0, 1, INT_MAX, &net->w));
  TRY(integer(c, net, "height", 0, 1, INT_MAX, &net->h));
  TRY(integer(c, net, "channels", 0, 1, INT_MAX, &net->c));
  if (!net->w || !net->h || !net->c)
    net->w = net->h = net->c = 0;
  const double image = (double)net->w * (double)net->h * (double)net->c;
  TRY(integer(c, net, "inputs", 0, 1, INT_MAX, &inputs));
  TRY(real(c, net, "momentum", 0.9, 0, 1, &c->momentum));
  TRY(real(c, net, "decay", 0.0001, 0, 1, &c->decay));
  TRY(refuse(c, net, "adam", "darknet has Adam for graphics cards only, and would use SGD"));
  if (!inputs && image == 0)
    return unfit(c, net, "says neither inputs nor width, height and channels");
  if (image > INT_MAX || (inputs && image != 0 && (double)inputs != image))
    return unfit(c, net, "says inputs that are not width x height x channels");
  net->outputs = c->inputs = inputs ? inputs : (int64_t)image;
  return count(c, net, (double)c->inputs, 0, batch);
}

static int32_t check(cfg *c, int64_t batch) {
  TRY(check_net(c, batch));
  for (uint32_t i = 1; i < c->section_count; i++) {
    cfg_section *s = &c->sections[i];
    const cfg_section *in = &c->sections[i - 1];
    /* The gradient of a first layer goes nowhere, which only these two look at. */
    if (i == 1 && s->kind != CONVOLUTIONAL_LAYER && s->kind != CONNECTED_LAYER)
      return unfit(c, s, "is the first layer, wanted [convolutional] or [connected]");
    if (i > 1 && has_loss(in) && !has_loss(s))
      return unfit(c, s, "follows a layer that compares with the targets, which must come last");
    TRY(check_layer(c, s, in, batch));
  }
  const cfg_section *last = &c->sections[c->section_count - 1];
  if (!has_loss(last))
    return unfit(c, last, "is the last layer, wanted [softmax], [logistic] or [cost]");
  return FINDLR_OK;
}

int32_t cfg_read(cfg *c, const findlr_host *host, void *ctx, const char *path, int64_t batch) {
  memset(c, 0, sizeof *c);
  c->host = host;
  c->ctx = ctx;
  c->file = bytes_name(path);
  bytes file;
  int32_t status = bytes_read(&file, host, ctx, path);
  if (status)
    return status;
  if (file.size > LARGEST_FILE || memchr(file.data, 0, file.size)) {
    status = findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                              "%s is no darknet cfg: wanted a text of at most 1 MiB", c->file);
  } else {
    c->text_size = file.size + 1;
    c->text = host->alloc(ctx, NULL, 0, c->text_size, 1);
    if (c->text) {
      memcpy(c->text, file.data, file.size);
      c->text[file.size] = 0;
    } else {
      status = no_memory(c);
    }
  }
  bytes_free(&file);
  if (!status)
    status = cut(c);
  if (!status)
    status = check(c, batch);
  if (status)
    cfg_free(c);
  return status;
}

/* --- for darknet ----------------------------------------------------------------------------- */

size_t cfg_write(const cfg *c, int64_t batch, char *buffer, size_t size) {
  const cfg_section *net = &c->sections[0];
  size_t n = 0;
#define ADD(...)                                                                                   \
  do {                                                                                             \
    const int added = snprintf(buffer + (n < size ? n : 0), n < size ? size - n : 0, __VA_ARGS__); \
    n += added > 0 ? (size_t)added : 0;                                                            \
  } while (0)
  ADD("[net]\nbatch=%lld\nsubdivisions=1\npolicy=constant\nlearning_rate=0\nmax_batches=0\n",
      (long long)batch);
  ADD("momentum=0\ndecay=0\ninputs=%lld\n", (long long)c->inputs);
  if (net->w)
    ADD("width=%lld\nheight=%lld\nchannels=%lld\n", (long long)net->w, (long long)net->h,
        (long long)net->c);
  for (uint32_t i = 1; i < c->section_count; i++) {
    const cfg_section *s = &c->sections[i];
    ADD("[%s]\n", s->name);
    for (uint32_t k = s->first; k < s->first + s->count; k++)
      ADD("%s=%s\n", c->options[k].key, c->options[k].value);
  }
#undef ADD
  return n;
}
