/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/bytes.h"

/* FANN counts neurons and connections in unsigned int. */
enum { MOST_NEURONS = 100000000, MOST_CONNECTIONS = 2000000000 };

int network_can_train(enum fann_activationfunc_enum activation) {
  return activation != FANN_THRESHOLD && activation != FANN_THRESHOLD_SYMMETRIC &&
         activation != FANN_GAUSSIAN_STEPWISE && (unsigned)activation <= FANN_COS;
}

int network_is_symmetric(enum fann_activationfunc_enum activation) {
  switch (activation) {
  case FANN_SIGMOID_SYMMETRIC:
  case FANN_SIGMOID_SYMMETRIC_STEPWISE:
  case FANN_GAUSSIAN_SYMMETRIC:
  case FANN_ELLIOT_SYMMETRIC:
  case FANN_LINEAR_PIECE_SYMMETRIC:
  case FANN_SIN_SYMMETRIC:
  case FANN_COS_SYMMETRIC:
  case FANN_THRESHOLD_SYMMETRIC:
    return 1;
  default:
    return 0;
  }
}

static int32_t no_memory(const findlr_host *host, void *ctx) {
  return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a FANN network");
}

/* The neurons of a network, still without connections. sizes count the bias neurons. */
static struct fann *make_neurons(const unsigned int *sizes, unsigned int count) {
  struct fann *ann = fann_allocate_structure(count);
  if (!ann)
    return NULL;
  fann_set_error_log((struct fann_error *)ann, NULL); /* nothing is printed */
  for (unsigned int i = 0; i < count; i++) {
    /* Only differences count until the neurons have their memory; they begin at no address. */
    ann->first_layer[i].first_neuron = NULL;
    ann->first_layer[i].last_neuron = ann->first_layer[i].first_neuron + sizes[i];
    ann->total_neurons += sizes[i];
  }
  ann->num_input = sizes[0] - 1;
  fann_allocate_neurons(ann);
  if (fann_get_errno((struct fann_error *)ann) == FANN_E_NO_ERROR)
    return ann;
  fann_destroy(ann);
  return NULL;
}

static bool make_connections(struct fann *ann) {
  fann_allocate_connections(ann);
  return fann_get_errno((struct fann_error *)ann) == FANN_E_NO_ERROR;
}

/* --- built ----------------------------------------------------------------------------------- */

static void connect_fully(struct fann *ann, const network_plan *plan,
                          const findlr_host_random *random) {
  uint64_t generator[4];
  random->seed(generator, plan->seed);
  ann->connection_rate = 1;
  ann->num_output = (unsigned int)plan->outputs;
  for (struct fann_layer *layer = ann->first_layer + 1; layer != ann->last_layer; layer++)
    for (struct fann_neuron *n = layer->first_neuron; n != layer->last_neuron - 1; n++) {
      n->activation_function =
          layer + 1 == ann->last_layer ? plan->output_activation : plan->activation;
      n->activation_steepness = (fann_type)plan->steepness;
      for (unsigned int i = n->first_con; i != n->last_con; i++) {
        ann->connections[i] = (layer - 1)->first_neuron + (i - n->first_con);
        ann->weights[i] = (fann_type)((2 * random->uniform(generator) - 1) * plan->init);
      }
    }
}

int32_t network_build(const findlr_host *host, void *ctx, const network_plan *plan,
                      struct fann **ret_ann) {
  const findlr_host_random *random = host->get_extension(ctx, FINDLR_EXT_RANDOM);
  const unsigned int layers = plan->hidden_count + 2;
  double neurons = 0, connections = 0, before = 0; /* doubles cannot overflow */
  for (unsigned int i = 0; i < layers; i++) {
    const double size = (double)(i == 0            ? plan->inputs
                                 : i < layers - 1 ? plan->hidden[i - 1]
                                                  : plan->outputs);
    connections += before * size;
    before = size + 1;
    neurons += before;
  }
  if (!random)
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "the host has no random numbers (" FINDLR_EXT_RANDOM ")");
  if (neurons > MOST_NEURONS || connections > MOST_CONNECTIONS)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                            "a network of %.0f neurons and %.0f connections is too large for FANN",
                            neurons, connections);

  unsigned int sizes[FINDLR_FANN_LAYERS];
  if (layers > FINDLR_FANN_LAYERS)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT, "%u layers, wanted at most %d", layers,
                            FINDLR_FANN_LAYERS);
  for (unsigned int i = 0; i < layers; i++)
    sizes[i] = (unsigned int)(i == 0            ? plan->inputs
                              : i < layers - 1 ? plan->hidden[i - 1]
                                               : plan->outputs) +
               1;
  struct fann *ann = make_neurons(sizes, layers);
  if (!ann)
    return no_memory(host, ctx);
  for (struct fann_layer *layer = ann->first_layer + 1; layer != ann->last_layer; layer++)
    for (struct fann_neuron *n = layer->first_neuron; n != layer->last_neuron; n++) {
      n->first_con = ann->total_connections;
      if (n != layer->last_neuron - 1)
        ann->total_connections += sizes[layer - ann->first_layer - 1];
      n->last_con = ann->total_connections;
    }
  if (!make_connections(ann)) {
    fann_destroy(ann);
    return no_memory(host, ctx);
  }
  connect_fully(ann, plan, random);
  *ret_ann = ann;
  return FINDLR_OK;
}

/* --- read from a file ------------------------------------------------------------------------ */

typedef struct reader {
  const findlr_host *host;
  void *ctx;
  const findlr_host_text *text;
  const char *name; /* the file's */
  const char *begin, *at, *end;
} reader;

/* What stands at the cursor instead of what was wanted. */
static int32_t unexpected(const reader *r, const char *wanted) {
  int line = 1, length = 0;
  for (const char *p = r->begin; p < r->at; p++)
    line += *p == '\n';
  while (r->at + length < r->end && length < 24 && (unsigned char)r->at[length] >= ' ')
    length++;
  if (r->at == r->end)
    return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT, "%s ends in line %d, wanted %s",
                            r->name, line, wanted);
  return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT, "%s, line %d: \"%.*s\", wanted %s",
                          r->name, line, length, r->at, wanted);
}

static void skip_space(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
    r->at++;
}

static void skip_line(reader *r) {
  while (r->at < r->end && *r->at != '\n')
    r->at++;
}

static bool take(reader *r, const char *word) {
  const size_t n = strlen(word);
  skip_space(r);
  if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
    return false;
  r->at += n;
  return true;
}

static bool take_number(reader *r, double *ret_value) {
  skip_space(r);
  const size_t n = r->text->parse(r->at, (size_t)(r->end - r->at), ret_value);
  if (!n || !isfinite(*ret_value))
    return false;
  r->at += n;
  return true;
}

static bool take_count(reader *r, double most, unsigned int *ret_value) {
  const char *before = r->at;
  double value;
  if (take_number(r, &value) && value >= 0 && value <= most && value == floor(value)) {
    *ret_value = (unsigned int)value;
    return true;
  }
  r->at = before;
  skip_space(r);
  return false;
}

/* The lines "key=number" that matter here; those of the cascade, of RPROP and of scaling do not. */
enum {
  NUM_LAYERS,
  CONNECTION_RATE,
  NETWORK_TYPE,
  MOMENTUM,
  ERROR_FUNCTION,
  QUICKPROP_DECAY,
  QUICKPROP_MU,
  KEY_COUNT
};

static const struct {
  const char *text;
  double least, most;
} keys[KEY_COUNT] = {
  [NUM_LAYERS] = { "num_layers=", 2, FINDLR_FANN_LAYERS },
  [CONNECTION_RATE] = { "connection_rate=", 0, HUGE_VAL },
  [NETWORK_TYPE] = { "network_type=", FANN_NETTYPE_LAYER, FANN_NETTYPE_SHORTCUT },
  [MOMENTUM] = { "learning_momentum=", 0, HUGE_VAL },
  [ERROR_FUNCTION] = { "train_error_function=", FANN_ERRORFUNC_LINEAR, FANN_ERRORFUNC_TANH },
  [QUICKPROP_DECAY] = { "quickprop_decay=", -HUGE_VAL, HUGE_VAL },
  [QUICKPROP_MU] = { "quickprop_mu=", -HUGE_VAL, HUGE_VAL },
};

static int32_t read_keys(reader *r, double values[KEY_COUNT]) {
  static const char *const others[] = { "learning_rate=", "training_algorithm=",
                                        "train_stop_function=", "bit_fail_limit=", "cascade_",
                                        "rprop_", "sarprop_" };
  unsigned int seen = 0;
  while (!take(r, "layer_sizes=")) {
    bool known = false;
    for (unsigned int k = 0; k < KEY_COUNT && !known; k++)
      if (take(r, keys[k].text)) {
        known = true;
        seen |= 1U << k;
        const char *before = r->at;
        if (!take_number(r, &values[k]) || values[k] < keys[k].least || values[k] > keys[k].most) {
          r->at = before;
          return unexpected(r, k == NUM_LAYERS ? "2 to 64 layers" : "a number that can be");
        }
      }
    for (size_t i = 0; i < sizeof others / sizeof *others && !known; i++)
      if (take(r, others[i])) {
        known = true;
        skip_line(r);
      }
    if (!known)
      return unexpected(r, r->at < r->end && *r->at == ',' ? "a decimal point: it was saved under another locale"
                                         : "a line of a FANN network");
  }
  for (unsigned int k = 0; k < KEY_COUNT; k++)
    if (!(seen >> k & 1))
      return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT, "%s has no line %s", r->name,
                              keys[k].text);
  return FINDLR_OK;
}

/* "(inputs, activation, steepness)" for each neuron. The file has at least seven bytes for each, so
 * that it cannot claim more neurons than memory was taken for. */
static int32_t read_neurons(reader *r, struct fann *ann) {
  double total = 0;
  for (struct fann_layer *layer = ann->first_layer; layer != ann->last_layer; layer++) {
    for (struct fann_neuron *n = layer->first_neuron; n != layer->last_neuron; n++) {
      unsigned int inputs, activation;
      double steepness;
      if (!take(r, "(") || !take_count(r, MOST_CONNECTIONS, &inputs) || !take(r, ",") ||
          !take_count(r, FANN_COS, &activation) || !take(r, ",") || !take_number(r, &steepness) ||
          !take(r, ")"))
        return unexpected(r, "(inputs, activation, steepness) of a neuron");
      const bool is_output = layer + 1 == ann->last_layer &&
                             n < layer->first_neuron + ann->num_output;
      /* What lies before this layer, as far as FANN takes it to be connected in a row. */
      const struct fann_layer *from = ann->network_type == FANN_NETTYPE_LAYER && layer != ann->first_layer
                                          ? layer - 1
                                          : ann->first_layer;
      const int64_t most = layer->first_neuron - from->first_neuron;
      if ((int64_t)inputs > most || (is_output && !inputs))
        return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                                "%s: neuron %lld has %u connections, wanted %d to %lld", r->name,
                                (long long)(n - ann->first_layer->first_neuron), inputs, is_output,
                                (long long)most);
      if (inputs && !network_can_train((enum fann_activationfunc_enum)activation))
        return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_UNSUPPORTED,
                                "%s: neuron %lld has the activation %s, which FANN cannot train",
                                r->name, (long long)(n - ann->first_layer->first_neuron),
                                FANN_ACTIVATIONFUNC_NAMES[activation]);
      n->activation_function = (enum fann_activationfunc_enum)activation;
      n->activation_steepness = (fann_type)steepness;
      n->first_con = ann->total_connections;
      total += inputs;
      if (total > MOST_CONNECTIONS || total * 5 > (double)(r->end - r->at))
        return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                                "%s is too short for the connections of its neurons", r->name);
      ann->total_connections += inputs;
      n->last_con = ann->total_connections;
    }
    if (layer != ann->first_layer &&
        layer->first_neuron->first_con == (layer->last_neuron - 1)->last_con)
      return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT, "%s: layer %d has no connection",
                              r->name, (int)(layer - ann->first_layer));
  }
  return FINDLR_OK;
}

/* "(neuron, weight)" for each connection. */
static int32_t read_connections(reader *r, struct fann *ann) {
  struct fann_neuron *const first = ann->first_layer->first_neuron;
  for (struct fann_layer *layer = ann->first_layer + 1; layer != ann->last_layer; layer++)
    for (struct fann_neuron *n = layer->first_neuron; n != layer->last_neuron; n++)
      for (unsigned int i = n->first_con; i != n->last_con; i++) {
        unsigned int from;
        double weight;
        if (!take(r, "(") || !take_count(r, MOST_NEURONS, &from) || !take(r, ",") ||
            !take_number(r, &weight) || !take(r, ")"))
          return unexpected(r, "(neuron, weight) of a connection");
        /* A full network's neurons are connected in a row: FANN does not look. */
        const int64_t row = (ann->network_type == FANN_NETTYPE_LAYER ? (layer - 1)->first_neuron : first) -
                            first + (i - n->first_con);
        if (from >= layer->first_neuron - first || (ann->connection_rate >= 1 && from != row))
          return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                                  "%s: connection %u of neuron %lld comes from neuron %u, which is "
                                  "not %s",
                                  r->name, i - n->first_con, (long long)(n - first), from,
                                  ann->connection_rate >= 1 ? "the next in a full network"
                                                            : "in a layer before it");
        ann->connections[i] = first + from;
        ann->weights[i] = (fann_type)weight;
      }
  return FINDLR_OK;
}

static int32_t read_network(reader *r, struct fann **ret_ann) {
  static const char version[] = "FANN_FLO_2.";
  double values[KEY_COUNT];
  unsigned int sizes[FINDLR_FANN_LAYERS];
  if (take(r, "FANN_FIX_"))
    return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_UNSUPPORTED,
                            "%s is in fixed point, which FANN cannot train; save it with fann_save",
                            r->name);
  if (!take(r, version) || !(take(r, "0") || take(r, "1")))
    return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                            "%s is no network of FANN 2: it does not begin with FANN_FLO_2.1",
                            r->name);
  int32_t status = read_keys(r, values);
  if (status)
    return status;
  const unsigned int layers = (unsigned int)values[NUM_LAYERS];
  double neurons = 0;
  for (unsigned int i = 0; i < layers; i++) {
    if (!take_count(r, MOST_NEURONS, &sizes[i]) || sizes[i] < 1)
      return unexpected(r, "the size of a layer");
    neurons += sizes[i];
  }
  const bool layered = values[NETWORK_TYPE] == FANN_NETTYPE_LAYER;
  if (sizes[0] < 2 || (layered && sizes[layers - 1] < 2))
    return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                            "%s has a layer without neurons besides the bias", r->name);
  while (take(r, "scale_"))
    skip_line(r);
  if (!take(r, "neurons (num_inputs, activation_function, activation_steepness)="))
    return unexpected(r, "the line of the neurons");
  if (neurons * 7 > (double)(r->end - r->at))
    return findlr_host_fail(r->host, r->ctx, FINDLR_ERR_FORMAT,
                            "%s is too short for the %.0f neurons that it claims", r->name, neurons);

  struct fann *ann = make_neurons(sizes, layers);
  if (!ann)
    return no_memory(r->host, r->ctx);
  ann->connection_rate = (float)values[CONNECTION_RATE];
  ann->network_type = layered ? FANN_NETTYPE_LAYER : FANN_NETTYPE_SHORTCUT;
  ann->num_output = sizes[layers - 1] - layered; /* a cascade's last layer has no bias */
  ann->learning_momentum = (float)values[MOMENTUM];
  ann->train_error_function = values[ERROR_FUNCTION] == FANN_ERRORFUNC_TANH ? FANN_ERRORFUNC_TANH
                                                                            : FANN_ERRORFUNC_LINEAR;
  ann->quickprop_decay = (float)values[QUICKPROP_DECAY];
  ann->quickprop_mu = (float)values[QUICKPROP_MU];
  status = read_neurons(r, ann);
  if (!status && !take(r, "connections (connected_to_neuron, weight)="))
    status = unexpected(r, "the line of the connections");
  if (!status && !make_connections(ann))
    status = no_memory(r->host, r->ctx);
  if (!status)
    status = read_connections(r, ann);
  skip_space(r);
  if (!status && r->at != r->end)
    status = unexpected(r, "its end");
  if (status)
    fann_destroy(ann);
  else
    *ret_ann = ann;
  return status;
}

int32_t network_read(const findlr_host *host, void *ctx, const char *path, struct fann **ret_ann) {
  const findlr_host_text *text = host->get_extension(ctx, FINDLR_EXT_TEXT);
  if (!text)
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "the host cannot read numbers (" FINDLR_EXT_TEXT ")");
  bytes file;
  int32_t status = bytes_read(&file, host, ctx, path);
  if (status)
    return status;
  const char *begin = (const char *)file.data;
  reader r = { host, ctx, text, bytes_name(path), begin, begin, begin + file.size };
  status = read_network(&r, ret_ann);
  bytes_free(&file);
  return status;
}
