/* SPDX-License-Identifier: MIT */
#include "builtin.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

#include "findlr/loss.h"

/* The losses, as PyTorch's: sum / weight is its reduction='mean'. */

typedef struct loss {
  const findlr_host *host;
  void *ctx;
  int64_t columns;
  uint32_t dtype;
  double number;   /* huber: delta; cross_entropy: label_smoothing */
  double *weights; /* cross_entropy, bce_with_logits: one a column */
} loss;

/* A call: what the slot was given, checked. */
typedef struct batch {
  const void *outputs, *targets;
  void *grad; /* NULL: not wanted */
  int64_t rows, columns;
} batch;

/* --- what all share -------------------------------------------------------------------------- */

static void destroy(void *self) {
  loss *l = self;
  findlr_allocator a = findlr__builtin_allocator(l->host, l->ctx);
  findlr__release(&a, l->weights, (size_t)l->columns * sizeof *l->weights);
  findlr__release(&a, l, sizeof *l);
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                      void **ret_self) {
  if (spec->dtype != FINDLR_DTYPE_FLOAT32 && spec->dtype != FINDLR_DTYPE_FLOAT64)
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                                "a loss wants outputs of float32 or float64");
  if (spec->outputs < 1)
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_ARGUMENT,
                                "a loss was to be made for %lld columns, wanted at least 1",
                                (long long)spec->outputs);
  findlr_allocator a = findlr__builtin_allocator(host, ctx);
  loss *l = findlr__allocate(&a, sizeof *l);
  if (!l)
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                                "there is not enough memory for a loss");
  l->host = host;
  l->ctx = ctx;
  l->columns = spec->outputs;
  l->dtype = spec->dtype;
  *ret_self = l;
  return FINDLR_OK;
}

static int32_t check(const loss *l, const findlr_tensor *outputs, const findlr_tensor *targets,
                     const findlr_tensor *grad, int classes, batch *ret_batch) {
  int64_t count = findlr_tensor_count(outputs);
  batch b = { .columns = l->columns };
  if (findlr_tensor_dtype(outputs) != l->dtype || count < 0 || count % l->columns)
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                "the outputs do not have the type or the %lld columns that the "
                                "loss was made for",
                                (long long)l->columns);
  b.rows = count / l->columns;
  if (findlr_tensor_dtype(targets) != (classes ? FINDLR_DTYPE_INT64 : l->dtype) ||
      findlr_tensor_count(targets) != (classes ? b.rows : count))
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                classes ? "the targets are not int64, one a row of the outputs"
                                        : "the targets differ from the outputs in type or size");
  if (grad && (findlr_tensor_dtype(grad) != l->dtype || findlr_tensor_count(grad) != count))
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                "the gradient differs from the outputs in type or size");
  b.outputs = findlr__builtin_data(outputs);
  b.targets = findlr__builtin_data(targets);
  b.grad = grad ? findlr__builtin_data(grad) : NULL;
  *ret_batch = b;
  return FINDLR_OK;
}

/* Reads "1x2.5x0.5" into weights of columns entries; one number alone stands for all of them if
 * `repeat`. */
static int32_t read_weights(const loss *l, const char *name, const char *text, int repeat,
                            double *weights) {
  const findlr_host_text *numbers =
      l->host->get_extension ? l->host->get_extension(l->ctx, FINDLR_EXT_TEXT) : NULL;
  if (!numbers)
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_UNSUPPORTED,
                                "%s cannot be read: the host cannot read numbers", name);
  int64_t count = 0;
  int positive = 0;
  for (const char *at = text;; at++, count++) {
    double weight;
    size_t n = numbers->parse(at, strlen(at), &weight);
    if (n == 0 || (at[n] != 'x' && at[n] != 0) || !(weight >= 0) || !isfinite(weight))
      return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                  "%s is \"%s\", wanted finite numbers of 0 or more joined by x",
                                  name, text);
    positive |= weight > 0;
    if (count < l->columns)
      weights[count] = weight;
    at += n;
    if (*at == 0)
      break;
  }
  count++;
  if (repeat && count == 1) {
    for (int64_t c = 1; c < l->columns; c++)
      weights[c] = weights[0];
    count = l->columns;
  }
  if (count != l->columns)
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                "%s has %lld numbers, wanted %lld, one a column of the outputs",
                                name, (long long)count, (long long)l->columns);
  if (!positive)
    return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                "%s is \"%s\", wanted at least one number above 0", name, text);
  return FINDLR_OK;
}

/* As create, with weights of 1 or those that the text asks for. */
static int32_t create_weighted(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                               const char *name, const char *text, int repeat, void **ret_self) {
  void *self;
  int32_t status = create(host, ctx, spec, &self);
  if (status)
    return status;
  loss *l = self;
  findlr_allocator a = findlr__builtin_allocator(host, ctx);
  l->weights = findlr__allocate(&a, findlr__size((size_t)l->columns, sizeof *l->weights, 0));
  if (!l->weights)
    status = findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                                  "there is not enough memory for a loss");
  for (int64_t c = 0; c < l->columns && !status; c++)
    l->weights[c] = 1;
  if (!status && *text)
    status = read_weights(l, name, text, repeat, l->weights);
  if (status)
    destroy(l);
  else
    *ret_self = l;
  return status;
}

/* --- number by number: mse, l1, huber, bce_with_logits --------------------------------------- */

/* Adds up VALUE and writes SLOPE over the batch; x is the output, y the target, d = x - y, c the
 * column, in double. */
#define KERNEL(name, T, VALUE, SLOPE)                                                              \
  static double name##_##T(const loss *l, const batch *b) {                                        \
    const T *outputs = b->outputs, *targets = b->targets;                                          \
    T *grad = b->grad;                                                                             \
    double sum = 0;                                                                                \
    (void)l;                                                                                       \
    for (int64_t r = 0, i = 0; r < b->rows; r++)                                                   \
      for (int64_t c = 0; c < b->columns; c++, i++) {                                              \
        double x = (double)outputs[i], y = (double)targets[i], d = x - y;                          \
        (void)d;                                                                                   \
        sum += VALUE;                                                                              \
        if (grad)                                                                                  \
          grad[i] = (T)(SLOPE);                                                                    \
      }                                                                                            \
    return sum;                                                                                    \
  }
#define KERNELS(name, VALUE, SLOPE)                                                                \
  KERNEL(name, float, VALUE, SLOPE)                                                                \
  KERNEL(name, double, VALUE, SLOPE)

static double huber_value(double d, double delta) {
  double size = fabs(d);
  return size < delta ? 0.5 * d * d : delta * (size - 0.5 * delta);
}

static double huber_slope(double d, double delta) {
  return d < -delta ? -delta : d > delta ? delta : d;
}

/* log(1 + exp(x)) and its slope, for any x. */
static double softplus(double x) {
  return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x) {
  double e = exp(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

KERNELS(mse, d *d, 2 * d)
KERNELS(l1, fabs(d), d > 0 ? 1 : d < 0 ? -1 : d)
KERNELS(huber, huber_value(d, l->number), huber_slope(d, l->number))
/* y w softplus(-x) + (1 - y) softplus(x) */
KERNELS(bce, (1 - y) * x + (1 + (l->weights[c] - 1) * y) * softplus(-x),
        (1 - y) * sigmoid(x) - l->weights[c] * y * sigmoid(-x))

typedef double kernel(const loss *l, const batch *b);

static int32_t elementwise(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                           double *ret_sum, double *ret_weight, const findlr_tensor *grad,
                           kernel *of_float, kernel *of_double) {
  loss *l = self;
  batch b;
  int32_t status = check(l, outputs, targets, grad, 0, &b);
  if (status)
    return status;
  *ret_sum = (l->dtype == FINDLR_DTYPE_FLOAT32 ? of_float : of_double)(l, &b);
  *ret_weight = (double)(b.rows * b.columns);
  return FINDLR_OK;
}

static int32_t mse(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                   double *ret_sum, double *ret_weight, const findlr_tensor *grad) {
  return elementwise(self, outputs, targets, ret_sum, ret_weight, grad, mse_float, mse_double);
}

static int32_t l1(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                  double *ret_sum, double *ret_weight, const findlr_tensor *grad) {
  return elementwise(self, outputs, targets, ret_sum, ret_weight, grad, l1_float, l1_double);
}

static int32_t huber(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                     double *ret_sum, double *ret_weight, const findlr_tensor *grad) {
  return elementwise(self, outputs, targets, ret_sum, ret_weight, grad, huber_float, huber_double);
}

static int32_t huber_create(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                            void **ret_self) {
  double delta = spec->options[0]->real;
  if (!(delta > 0))
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_ARGUMENT, "delta is %g, wanted above 0",
                                delta);
  int32_t status = create(host, ctx, spec, ret_self);
  if (!status)
    ((loss *)*ret_self)->number = delta;
  return status;
}

static int32_t bce(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                   double *ret_sum, double *ret_weight, const findlr_tensor *grad) {
  loss *l = self;
  batch b;
  int32_t status = check(l, outputs, targets, grad, 0, &b);
  if (status)
    return status;
  for (int64_t i = 0; i < b.rows * b.columns; i++) {
    double y = l->dtype == FINDLR_DTYPE_FLOAT32 ? (double)((const float *)b.targets)[i]
                                                : ((const double *)b.targets)[i];
    if (!(y >= 0 && y <= 1))
      return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                  "the target in row %lld is %g, wanted from 0 to 1",
                                  (long long)(i / b.columns), y);
  }
  return elementwise(self, outputs, targets, ret_sum, ret_weight, grad, bce_float, bce_double);
}

static int32_t bce_create(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                          void **ret_self) {
  return create_weighted(host, ctx, spec, "pos_weight", spec->options[0]->text, 1, ret_self);
}

/* --- cross_entropy --------------------------------------------------------------------------- */

/* With q = (1 - smoothing) w[y] at the target y, plus smoothing/C w[c] at every class c: a row's
 * value is the sum of q[c] (log sum exp x - x[c]), its gradient (sum q) softmax(x) - q. */
#define CROSS_ENTROPY(T)                                                                           \
  static double cross_entropy_##T(const loss *l, const batch *b) {                                 \
    int64_t columns = b->columns;                                                                  \
    const int64_t *targets = b->targets;                                                           \
    double spread = l->number / (double)columns, spread_total = 0, sum = 0;                        \
    for (int64_t c = 0; c < columns; c++)                                                          \
      spread_total += spread * l->weights[c];                                                      \
    for (int64_t r = 0; r < b->rows; r++) {                                                        \
      const T *x = (const T *)b->outputs + r * columns;                                            \
      T *grad = b->grad ? (T *)b->grad + r * columns : NULL;                                       \
      double own = (1 - l->number) * l->weights[targets[r]];                                       \
      T largest = x[0];                                                                            \
      for (int64_t c = 1; c < columns; c++)                                                        \
        largest = x[c] > largest ? x[c] : largest;                                                 \
      double total = 0;                                                                            \
      for (int64_t c = 0; c < columns; c++) {                                                      \
        T e = exp(x[c] - largest);                                                                 \
        total += (double)e;                                                                        \
        if (grad)                                                                                  \
          grad[c] = e;                                                                             \
      }                                                                                            \
      double log_total = log(total);                                                               \
      sum += own * (log_total - (double)(x[targets[r]] - largest));                                \
      if (spread > 0)                                                                              \
        for (int64_t c = 0; c < columns; c++)                                                      \
          sum += spread * l->weights[c] * (log_total - (double)(x[c] - largest));                  \
      if (grad) {                                                                                  \
        double factor = (own + spread_total) / total;                                              \
        int64_t y = targets[r]; /* here two numbers near each other are subtracted: not in T */    \
        double slope = factor * (double)grad[y] - spread * l->weights[y] - own;                    \
        for (int64_t c = 0; c < columns; c++)                                                      \
          grad[c] = (T)(factor * (double)grad[c] - spread * l->weights[c]);                        \
        grad[y] = (T)slope;                                                                        \
      }                                                                                            \
    }                                                                                              \
    return sum;                                                                                    \
  }
CROSS_ENTROPY(float)
CROSS_ENTROPY(double)

static int32_t cross_entropy(void *self, const findlr_tensor *outputs,
                             const findlr_tensor *targets, double *ret_sum, double *ret_weight,
                             const findlr_tensor *grad) {
  loss *l = self;
  batch b;
  int32_t status = check(l, outputs, targets, grad, 1, &b);
  if (status)
    return status;
  const int64_t *classes = b.targets;
  double weight = 0;
  for (int64_t r = 0; r < b.rows; r++) {
    if (classes[r] < 0 || classes[r] >= b.columns)
      return findlr__builtin_fail(l->host, l->ctx, FINDLR_ERR_ARGUMENT,
                                  "the target in row %lld is class %lld, wanted from 0 to %lld",
                                  (long long)r, (long long)classes[r], (long long)b.columns - 1);
    weight += l->weights[classes[r]];
  }
  *ret_sum = (l->dtype == FINDLR_DTYPE_FLOAT32 ? cross_entropy_float : cross_entropy_double)(l, &b);
  *ret_weight = weight;
  return FINDLR_OK;
}

enum { LABEL_SMOOTHING, CLASS_WEIGHTS };

static int32_t cross_entropy_create(const findlr_host *host, void *ctx,
                                    const findlr_loss_spec *spec, void **ret_self) {
  int32_t status = create_weighted(host, ctx, spec, "class_weights",
                                   spec->options[CLASS_WEIGHTS]->text, 0, ret_self);
  if (!status)
    ((loss *)*ret_self)->number = spec->options[LABEL_SMOOTHING]->real;
  return status;
}

/* --- the components -------------------------------------------------------------------------- */

static const findlr_option huber_options[] = {
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "delta",
    "errors are squared below this and absolute above it", "1", NULL, 0, HUGE_VAL },
};

static const findlr_option cross_entropy_options[] = {
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "label_smoothing",
    "share of the target that is spread over all classes", "0", NULL, 0, 1 },
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "class_weights",
    "weight of each class, such as 1x2x0.5; all 1 if empty", "", NULL, -HUGE_VAL, HUGE_VAL },
};

static const findlr_option bce_options[] = {
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "pos_weight",
    "weight of positive targets: one number, or one a column such as 1x2x0.5; 1 if empty", "",
    NULL, -HUGE_VAL, HUGE_VAL },
};

#define VTABLE(slot, takes, maker)                                                                 \
  static const findlr_loss_vtable slot##_vtable = {                                                \
    .struct_size = sizeof slot##_vtable,                                                           \
    .targets = takes,                                                                              \
    .create = maker,                                                                               \
    .destroy = destroy,                                                                            \
    .value_and_gradient = slot,                                                                    \
  }
VTABLE(mse, FINDLR_TARGETS_REAL, create);
VTABLE(l1, FINDLR_TARGETS_REAL, create);
VTABLE(huber, FINDLR_TARGETS_REAL, huber_create);
VTABLE(cross_entropy, FINDLR_TARGETS_CLASSES, cross_entropy_create);
VTABLE(bce, FINDLR_TARGETS_BINARY, bce_create);

const findlr_component findlr__mse = {
  .struct_size = sizeof findlr__mse,
  .kind = FINDLR_KIND_LOSS,
  .name = "mse",
  .help = "mean squared error",
  .vtable = &mse_vtable,
};

const findlr_component findlr__l1 = {
  .struct_size = sizeof findlr__l1,
  .kind = FINDLR_KIND_LOSS,
  .name = "l1",
  .help = "mean absolute error",
  .vtable = &l1_vtable,
};

const findlr_component findlr__huber = {
  .struct_size = sizeof findlr__huber,
  .kind = FINDLR_KIND_LOSS,
  .name = "huber",
  .help = "squared error for small errors, absolute for large ones",
  .vtable = &huber_vtable,
  .user = FINDLR__TABLE(huber_options),
  .option_count = sizeof huber_options / sizeof *huber_options,
  .option = findlr__builtin_option,
};

const findlr_component findlr__cross_entropy = {
  .struct_size = sizeof findlr__cross_entropy,
  .kind = FINDLR_KIND_LOSS,
  .name = "cross_entropy",
  .help = "cross entropy of classes, from outputs that are log-odds",
  .vtable = &cross_entropy_vtable,
  .user = FINDLR__TABLE(cross_entropy_options),
  .option_count = sizeof cross_entropy_options / sizeof *cross_entropy_options,
  .option = findlr__builtin_option,
};

const findlr_component findlr__bce_with_logits = {
  .struct_size = sizeof findlr__bce_with_logits,
  .kind = FINDLR_KIND_LOSS,
  .name = "bce_with_logits",
  .help = "binary cross entropy of probabilities, from outputs that are log-odds",
  .vtable = &bce_vtable,
  .user = FINDLR__TABLE(bce_options),
  .option_count = sizeof bce_options / sizeof *bce_options,
  .option = findlr__builtin_option,
};
