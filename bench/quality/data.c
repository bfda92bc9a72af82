/* SPDX-License-Identifier: MIT */
#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <findlr/plugin.h>

typedef struct source {
  const findlr_host_random *random;
  uint64_t state[4];
} source;

typedef void generator(source *s, dataset *d);

struct data_kind {
  const char *name, *family;
  const char *file; /* a spec, in which %s is the directory; or NULL */
  generator *draw;  /* or NULL */
  int64_t rows, features, classes;
  int hard, standardize;
  int pool;         /* images: squares of so many pixels are averaged */
  int scale_target; /* real targets: to mean 0 and deviation 1 */
};

/* --- chance ---------------------------------------------------------------------------------- */

static const double PI = 3.14159265358979323846;

static double uniform(source *s) {
  return s->random->uniform(s->state);
}

static double between(source *s, double low, double high) {
  return low + (high - low) * uniform(s);
}

static int64_t below(source *s, int64_t n) {
  return (int64_t)(uniform(s) * (double)n);
}

static double normal(source *s) { /* Box and Muller */
  double r = sqrt(-2 * log(1 - uniform(s)));
  return r * cos(2 * PI * uniform(s));
}

/* Student's t with so many degrees of freedom (Bailey's polar method). */
static double student(source *s, double freedom) {
  double u = 1 - uniform(s);
  return sqrt(freedom * (pow(u, -2 / freedom) - 1)) * cos(2 * PI * uniform(s));
}

static void normals(source *s, double *x, int64_t n, double deviation) {
  for (int64_t i = 0; i < n; i++)
    x[i] = deviation * normal(s);
}

static double dot(const double *w, const float *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += w[i] * x[i];
  return sum;
}

static float *row(dataset *d, int64_t i) {
  return d->inputs + i * d->features;
}

static void fill_normal(source *s, dataset *d) {
  for (int64_t i = 0; i < d->rows * d->features; i++)
    d->inputs[i] = (float)normal(s);
}

/* --- the synthetic data sets: the comment is the definition ---------------------------------- */

enum { MOST_FEATURES = 64 };

/* Friedman #1 (1991): ten inputs in [0, 1], five of them without effect; brought to about mean 0
 * and deviation 1. */
static double friedman_target(const float *x) {
  double y = 10 * sin(PI * x[0] * x[1]) + 20 * (x[2] - .5) * (x[2] - .5) + 10 * x[3] + 5 * x[4];
  return (y - 14.4) / 4.9;
}

static void friedman_with(source *s, dataset *d, double freedom) {
  for (int64_t i = 0; i < d->rows; i++) {
    float *x = row(d, i);
    for (int64_t j = 0; j < d->features; j++)
      x[j] = (float)uniform(s);
    double noise = freedom > 0 ? student(s, freedom) : normal(s);
    d->numbers[i] = (float)(friedman_target(x) + noise / 4.9 * (freedom > 0 ? 3 : 1));
  }
}

static void friedman(source *s, dataset *d) { /* noise N(0, 1) before the scaling */
  friedman_with(s, d, 0);
}

static void friedman_t3(source *s, dataset *d) { /* noise three times Student's t with 3 degrees */
  friedman_with(s, d, 3);
}

static void linear_with(source *s, dataset *d, double noise, double freedom) {
  double w[MOST_FEATURES];
  normals(s, w, d->features, 1 / sqrt((double)d->features));
  fill_normal(s, d);
  for (int64_t i = 0; i < d->rows; i++)
    d->numbers[i] = (float)(dot(w, row(d, i), d->features) +
                            noise * (freedom > 0 ? student(s, freedom) : normal(s)));
}

static void linear(source *s, dataset *d) { /* y = w x + 0.3 N(0, 1), x and w normal, |w| about 1 */
  linear_with(s, d, 0.3, 0);
}

static void heavy(source *s, dataset *d) { /* the same with noise 0.5 t, 2.2 degrees of freedom */
  linear_with(s, d, 0.5, 2.2);
}

static void exponential(source *s, dataset *d) { /* y = exp(1.5 w x): long-tailed, not scaled */
  linear_with(s, d, 0.05, 0);
  for (int64_t i = 0; i < d->rows; i++)
    d->numbers[i] = (float)exp(1.5 * d->numbers[i]);
}

static void moons(source *s, dataset *d) { /* two half circles, noise 0.2 */
  for (int64_t i = 0; i < d->rows; i++) {
    double t = PI * uniform(s);
    int64_t c = d->labels[i] = i % 2;
    row(d, i)[0] = (float)((c ? 1 - cos(t) : cos(t)) + 0.2 * normal(s));
    row(d, i)[1] = (float)((c ? 0.5 - sin(t) : sin(t)) + 0.2 * normal(s));
  }
}

static void blobs(source *s,
                  dataset *d) { /* 5 classes of 3 normal clouds each, centres N(0, 0.6) */
  enum { CLOUDS = 3 };
  double centre[5 * CLOUDS * MOST_FEATURES];
  normals(s, centre, 5 * CLOUDS * d->features, 0.6);
  for (int64_t i = 0; i < d->rows; i++) {
    int64_t c = d->labels[i] = i % 5, cloud = c * CLOUDS + below(s, CLOUDS);
    for (int64_t j = 0; j < d->features; j++)
      row(d, i)[j] = (float)(centre[cloud * d->features + j] + normal(s));
  }
}

static void spirals(source *s, dataset *d) { /* two arms of 1.5 turns, noise 0.03 */
  for (int64_t i = 0; i < d->rows; i++) {
    double t = sqrt(uniform(s)), angle = 3 * PI * t + PI * (double)(i % 2);
    d->labels[i] = i % 2;
    row(d, i)[0] = (float)(t * cos(angle) + 0.03 * normal(s));
    row(d, i)[1] = (float)(t * sin(angle) + 0.03 * normal(s));
  }
}

static void parity(source *s,
                   dataset *d) { /* inputs -1 or 1; the class is the parity of the first 4 */
  for (int64_t i = 0; i < d->rows; i++) {
    int64_t odd = 0;
    for (int64_t j = 0; j < d->features; j++) {
      int64_t bit = below(s, 2);
      row(d, i)[j] = (float)(2 * bit - 1);
      odd ^= j < 4 ? bit : 0;
    }
    d->labels[i] = odd;
  }
}

static void checkers(source *s, dataset *d) { /* a 4 x 4 board on [-1, 1]^2 */
  for (int64_t i = 0; i < d->rows; i++) {
    double x = between(s, -1, 1), y = between(s, -1, 1);
    row(d, i)[0] = (float)x;
    row(d, i)[1] = (float)y;
    d->labels[i] = ((int64_t)floor(2 * (x + 1)) + (int64_t)floor(2 * (y + 1))) % 2;
  }
}

static void wave(source *s, dataset *d) { /* y = sin(10 x) + 0.05 N(0, 1), x in [-1, 1] */
  for (int64_t i = 0; i < d->rows; i++) {
    double x = between(s, -1, 1);
    row(d, i)[0] = (float)x;
    d->numbers[i] = (float)(sin(10 * x) + 0.05 * normal(s));
  }
}

/* Classes by the sign of w x + 0.5 N(0, 1), and then each input times 10^u, u in [-2, 1.5]: what a
 * sweep cannot see is how far the slow directions have to go. */
static void scales(source *s, dataset *d) {
  double w[MOST_FEATURES], factor[MOST_FEATURES];
  normals(s, w, d->features, 1);
  for (int64_t j = 0; j < d->features; j++)
    factor[j] = pow(10, between(s, -2, 1.5));
  fill_normal(s, d);
  for (int64_t i = 0; i < d->rows; i++) {
    d->labels[i] = dot(w, row(d, i), d->features) + 0.5 * normal(s) > 0;
    for (int64_t j = 0; j < d->features; j++)
      row(d, i)[j] = (float)(row(d, i)[j] * factor[j]);
  }
}

static void rare(source *s,
                 dataset *d) { /* 3 % of the rows: their first three inputs are 1.5 higher */
  for (int64_t i = 0; i < d->rows; i++) {
    d->labels[i] = uniform(s) < 0.03;
    for (int64_t j = 0; j < d->features; j++)
      row(d, i)[j] = (float)(normal(s) + (d->labels[i] && j < 3 ? 1.5 : 0));
  }
}

/* Three features of 20 values each as 0 and 1; the class is the largest of four sums of the values'
 * own weights, and a weight of the first pair. */
static void onehot(source *s, dataset *d) {
  enum { VALUES = 20, CLASSES = 4 };
  double w[3 * VALUES * CLASSES], pair[5 * 5 * CLASSES];
  normals(s, w, 3 * VALUES * CLASSES, 1);
  normals(s, pair, 5 * 5 * CLASSES, 1.5);
  for (int64_t i = 0; i < d->rows; i++) {
    double score[CLASSES] = { 0 };
    int64_t value[3];
    for (int64_t f = 0; f < 3; f++) {
      value[f] = below(s, VALUES);
      row(d, i)[f * VALUES + value[f]] = 1;
      for (int64_t c = 0; c < CLASSES; c++)
        score[c] += w[(f * VALUES + value[f]) * CLASSES + c];
    }
    int64_t best = 0;
    for (int64_t c = 0; c < CLASSES; c++) {
      score[c] += pair[(value[0] % 5 * 5 + value[1] % 5) * CLASSES + c] + 0.3 * normal(s);
      best = score[c] > score[best] ? c : best;
    }
    d->labels[i] = best;
  }
}

/* Mackey and Glass' equation with a delay of 17, in steps of 1: from the last 16 values, every
 * other of 32, the value 6 steps on. Inputs and targets as they are, around 0.9. */
static void series(source *s, dataset *d) {
  enum { DELAY = 17, WINDOW = 32, AHEAD = 6, WARM = 300 };
  int64_t n = d->rows + WARM + WINDOW + AHEAD + 1;
  double *x = calloc((size_t)n, sizeof *x);
  if (!x)
    abort();
  for (int64_t t = 0; t < n - 1; t++) {
    double now = t ? x[t] : 1.2, then = t >= DELAY ? x[t - DELAY] : 0;
    x[t] = now;
    x[t + 1] = now;
    for (int k = 0; k < 10; k++)
      x[t + 1] += 0.1 * (0.2 * then / (1 + pow(then, 10)) - 0.1 * x[t + 1]);
  }
  for (int64_t i = 0; i < d->rows; i++) {
    for (int64_t j = 0; j < d->features; j++)
      row(d, i)[j] = (float)(x[WARM + i + 2 * j] + 0.01 * normal(s));
    d->numbers[i] = (float)x[WARM + i + WINDOW + AHEAD];
  }
  free(x);
}

/* Two sines of unlike periods and a trend, with noise that doubles every 500 rows: from the last 12
 * values the next one. */
static void trend(source *s, dataset *d) {
  double *x = calloc((size_t)(d->rows + d->features), sizeof *x);
  if (!x)
    abort();
  for (int64_t t = 0; t < d->rows + d->features; t++)
    x[t] = sin((double)t / 4) + 0.7 * sin((double)t / 23) + (double)t / 500 +
           0.05 * pow(2, (double)t / 500) * normal(s);
  for (int64_t i = 0; i < d->rows; i++) {
    for (int64_t j = 0; j < d->features; j++)
      row(d, i)[j] = (float)x[i + j];
    d->numbers[i] = (float)x[i + d->features];
  }
  free(x);
}

/* --- the list -------------------------------------------------------------------------------- */

#define FASHION                                                      \
  "idx:/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz," \
  "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"

/* rows: at most so many of a file, in its order; 0: all. */
static const data_kind kinds[] = {
  /* name, family, file, generator, rows, features, classes, hard, standardize, pool, scale_target
   */
  { "digits", "digits", "digits", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "fashion", "fashion", FASHION, NULL, 4000, 0, 0, 0, 1, 2, 0 },
  { "letter", "letter", "csv:%s/letter.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "segment", "segment", "csv:%s/segment.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "ionosphere", "ionosphere", "csv:%s/ionosphere.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "iris", "iris", "csv:%s/iris.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "wine", "wine", "csv:%s/wine.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "breast_cancer", "breast_cancer", "csv:%s/breast_cancer.csv", NULL, 0, 0, 0, 0, 1, 0, 0 },
  { "diabetes", "diabetes", "csv:%s/diabetes.csv,kind=real", NULL, 0, 0, 0, 0, 1, 0, 1 },
  { "friedman", "friedman", NULL, friedman, 1500, 10, 0, 0, 1, 0, 0 },
  { "linear", "linear", NULL, linear, 1500, 20, 0, 0, 1, 0, 0 },
  { "moons", "moons", NULL, moons, 1200, 2, 2, 0, 1, 0, 0 },
  { "blobs", "blobs", NULL, blobs, 2000, 20, 5, 0, 1, 0, 0 },
  /* hard: not standardised, long tails, or a loss that falls late */
  { "wine_raw", "wine", "csv:%s/wine.csv", NULL, 0, 0, 0, 1, 0, 0, 0 },
  { "breast_raw", "breast_cancer", "csv:%s/breast_cancer.csv", NULL, 0, 0, 0, 1, 0, 0, 0 },
  { "diabetes_raw", "diabetes", "csv:%s/diabetes.csv,kind=real", NULL, 0, 0, 0, 1, 1, 0, 0 },
  { "segment_raw", "segment", "csv:%s/segment.csv", NULL, 0, 0, 0, 1, 0, 0, 0 },
  { "friedman_t3", "friedman", NULL, friedman_t3, 1500, 10, 0, 1, 1, 0, 0 },
  { "heavy", "heavy", NULL, heavy, 1500, 10, 0, 1, 1, 0, 0 },
  { "exponential", "exponential", NULL, exponential, 1500, 8, 0, 1, 1, 0, 0 },
  { "spirals", "spirals", NULL, spirals, 1500, 2, 2, 1, 1, 0, 0 },
  { "parity", "parity", NULL, parity, 3000, 8, 2, 1, 0, 0, 0 },
  { "checkers", "checkers", NULL, checkers, 2000, 2, 2, 1, 1, 0, 0 },
  { "wave", "wave", NULL, wave, 1000, 1, 0, 1, 0, 0, 0 },
  { "scales", "scales", NULL, scales, 1500, 12, 2, 1, 0, 0, 0 },
  { "rare", "rare", NULL, rare, 3000, 10, 2, 1, 1, 0, 0 },
  { "onehot", "onehot", NULL, onehot, 2000, 60, 4, 1, 0, 0, 0 },
  { "series", "series", NULL, series, 1500, 16, 0, 1, 0, 0, 0 },
  { "trend", "trend", NULL, trend, 1500, 12, 0, 1, 1, 0, 0 },
};

static const data_kind *find(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(kinds[i].name, name))
      return &kinds[i];
  return NULL;
}

int data_is_hard(const char *name) {
  const data_kind *kind = find(name);
  return kind ? kind->hard : -1;
}

int data_is_standardized(const char *name) {
  const data_kind *kind = find(name);
  return kind && kind->standardize;
}

const char *data_family(const char *name) {
  const data_kind *kind = find(name);
  return kind ? kind->family : name;
}

/* --- making ---------------------------------------------------------------------------------- */

static void *array(int64_t n, size_t size) {
  void *memory = calloc((size_t)n, size);
  if (!memory)
    abort();
  return memory;
}

static void allocate(dataset *d) {
  d->inputs = array(d->rows * d->features, sizeof *d->inputs);
  if (d->classes)
    d->labels = array(d->rows, sizeof *d->labels);
  else
    d->numbers = array(d->rows, sizeof *d->numbers);
}

static findlr_tensor tensor(void *memory, uint32_t dtype, int64_t *shape, int32_t ndim) {
  return (findlr_tensor){
    .data = memory,
    .device_type = FINDLR_DEVICE_CPU,
    .ndim = ndim,
    .dtype_code = (uint8_t)dtype,
    .dtype_bits = (uint8_t)(dtype >> 8),
    .dtype_lanes = 1,
    .shape = shape,
  };
}

/* Averages squares of side x side pixels. */
static void pool(dataset *d, int64_t height, int64_t width, int64_t side) {
  int64_t h = height / side, w = width / side;
  float *small = array(d->rows * h * w, sizeof *small);
  for (int64_t i = 0; i < d->rows; i++)
    for (int64_t y = 0; y < h * side; y++)
      for (int64_t x = 0; x < w * side; x++)
        small[(i * h + y / side) * w + x / side] +=
            d->inputs[(i * height + y) * width + x] / (float)(side * side);
  free(d->inputs);
  d->inputs = small;
  d->features = h * w;
}

/* Through the library's own readers. */
static int read_rows(findlr_context *context, const data_kind *kind, const char *directory,
                     dataset *d, findlr_error *err) {
  char text[4096];
  snprintf(text, sizeof text, kind->file, directory);
  findlr_spec *spec;
  int32_t status = findlr_spec_parse(context, FINDLR_KIND_DATA, text, &spec, err);
  if (status)
    return -1;
  const findlr_component *component = findlr_spec_component(spec);
  const findlr_data_vtable *v = component->vtable;
  void *ctx, *self = NULL;
  const findlr_host *host = findlr_context_host(context, &ctx);
  findlr_data_spec wanted = { .struct_size = sizeof wanted, .threads = 1, .user = component->user };
  wanted.options = findlr_spec_values(spec, &wanted.option_count);
  findlr_data_info info = { .struct_size = sizeof info };
  status = v->create(host, ctx, &wanted, &self);
  if (!status)
    status = v->describe(self, &info);
  if (!status) {
    d->rows = kind->rows && kind->rows < info.rows ? kind->rows : info.rows;
    d->classes = info.classes;
    d->features = 1;
    for (int32_t i = 0; i < info.input_ndim; i++)
      d->features *= info.input_shape[i];
    allocate(d);
    int64_t *order = array(d->rows, sizeof *order);
    for (int64_t i = 0; i < d->rows; i++)
      order[i] = i;
    int64_t shape[8] = { d->rows }, target_shape[2] = { d->rows, 1 };
    memcpy(shape + 1, info.input_shape, (size_t)info.input_ndim * sizeof *shape);
    findlr_tensor inputs = tensor(d->inputs, FINDLR_DTYPE_FLOAT32, shape, info.input_ndim + 1);
    findlr_tensor targets = d->classes ? tensor(d->labels, FINDLR_DTYPE_INT64, target_shape, 1)
                                       : tensor(d->numbers, FINDLR_DTYPE_FLOAT32, target_shape, 2);
    status = v->gather(self, order, d->rows, &inputs, &targets);
    free(order);
    if (!status && kind->pool)
      pool(d, info.input_shape[info.input_ndim - 2], info.input_shape[info.input_ndim - 1],
           kind->pool);
  }
  if (status)
    snprintf(err->message, sizeof err->message, "%s", findlr_context_host_error(context));
  if (self)
    v->destroy(self);
  findlr_spec_destroy(spec);
  return status ? -1 : 0;
}

static void scale_targets(dataset *d) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < d->rows; i++)
    mean += d->numbers[i] / (double)d->rows;
  for (int64_t i = 0; i < d->rows; i++)
    variance += (d->numbers[i] - mean) * (d->numbers[i] - mean) / (double)d->rows;
  for (int64_t i = 0; i < d->rows; i++)
    d->numbers[i] = (float)((d->numbers[i] - mean) / sqrt(variance));
}

/* A third of the features, but at least two, move on by one place. */
static void make_sibling(source *s, dataset *d) {
  int64_t moved[4096], count = 0;
  int64_t wanted = d->features / 3 < 2 ? 2 : d->features / 3;
  for (int64_t j = 0; j < d->features && count < wanted; j++)
    if (uniform(s) * (double)(d->features - j) < (double)(wanted - count))
      moved[count++] = j;
  for (int64_t i = 0; i < d->rows && count > 1; i++) {
    float *x = row(d, i), first = x[moved[0]];
    for (int64_t k = 0; k + 1 < count; k++)
      x[moved[k]] = x[moved[k + 1]];
    x[moved[count - 1]] = first;
  }
}

int dataset_make(findlr_context *context, const char *name, int sibling, const char *directory,
                 dataset *out) {
  findlr_error err = FINDLR_ERROR_INIT;
  const data_kind *kind = find(name);
  if (!kind) {
    fprintf(stderr, "quality: there is no data set \"%s\"\n", name);
    return -1;
  }
  dataset d = {
    .kind = kind, .rows = kind->rows, .features = kind->features, .classes = kind->classes
  };
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  source s = { .random = host->get_extension(ctx, FINDLR_EXT_RANDOM) };
  uint64_t seed = 1469598103934665603u; /* FNV-1a of the family's name */
  for (const char *c = kind->family; *c; c++)
    seed = (seed ^ (unsigned char)*c) * 1099511628211u;
  s.random->seed(s.state, seed);
  if (kind->file) {
    if (read_rows(context, kind, directory, &d, &err)) {
      fprintf(stderr, "quality: MISSING DATA SET %s: %s\n", name, err.message);
      dataset_free(&d);
      return -1;
    }
  } else {
    allocate(&d);
    kind->draw(&s, &d);
  }
  if (kind->scale_target)
    scale_targets(&d);
  if (sibling)
    make_sibling(&s, &d);
  *out = d;
  out->shape[0] = d.rows;
  out->shape[1] = d.features;
  findlr_tensor inputs = tensor(d.inputs, FINDLR_DTYPE_FLOAT32, out->shape, 2);
  findlr_tensor targets = d.classes ? tensor(d.labels, FINDLR_DTYPE_INT64, out->shape, 1)
                                    : tensor(d.numbers, FINDLR_DTYPE_FLOAT32, out->shape, 1);
  if (findlr_memory_data_create(NULL, &inputs, &targets, d.classes, &out->data, &err)) {
    fprintf(stderr, "quality: data set %s: %s\n", name, err.message);
    dataset_free(&d);
    return -1;
  }
  return 0;
}

void dataset_free(dataset *d) {
  if (d->data.vtable)
    findlr_memory_data_destroy(&d->data);
  free(d->inputs);
  free(d->numbers);
  free(d->labels);
  *d = (dataset){ 0 };
}
