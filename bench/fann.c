/* SPDX-License-Identifier: MIT */
/* What a step of the fann plugin costs over libfann by itself: microseconds of both, and the share that
 * findlr adds (median, and the quarter below and above). */
#include "backend.h"

#include <floatfann.h>

enum { ROWS = 1792, BATCH = 64, FEATURES = 64, OUTPUTS = 10 };

static float x[ROWS][FEATURES], y[ROWS][OUTPUTS];
static struct fann *own;

/* As fann_train_epoch_batch, on the rows of one batch. */
static void own_step(int step) {
  const int first = step % (ROWS / BATCH) * BATCH;
  fann_reset_MSE(own);
  for (int r = first; r < first + BATCH; r++) {
    fann_run(own, x[r]);
    fann_compute_MSE(own, y[r]);
    fann_backpropagate_MSE(own);
    fann_update_slopes_batch(own, own->first_layer + 1, own->last_layer - 1);
  }
  fann_update_weights_batch(own, BATCH, 0, own->total_connections);
}

static void bench(unsigned int hidden, int steps) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  findlr_session *session;
  findlr_data data;
  int64_t x_shape[] = { ROWS, FEATURES }, y_shape[] = { ROWS, OUTPUTS };
  findlr_tensor inputs = { .data = x, .device_type = FINDLR_DEVICE_CPU, .ndim = 2, .dtype_code = 2,
                           .dtype_bits = 32, .dtype_lanes = 1, .shape = x_shape };
  findlr_tensor targets = inputs;
  targets.data = y;
  targets.shape = y_shape;
  char model[64], what[64];
  snprintf(model, sizeof model, "fann:hidden=%u,output_activation=sigmoid_stepwise", hidden);
  snprintf(what, sizeof what, "%d-%u-%d, batches of %d", FEATURES, hidden, OUTPUTS, BATCH);
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.model = model;
  o.data_object = &data;
  require(findlr_memory_data_create(NULL, &inputs, &targets, 0, &data, &err), &err);
  require(findlr_context_create(NULL, &context, &err), &err);
  require(findlr_session_create(context, &o, &session, &err), &err);
  own = fann_create_standard(3, FEATURES, hidden, OUTPUTS);
  fann_set_learning_rate(own, 0.1F);
  fann_clear_train_arrays(own);
  compare(what, session, 0.1, steps, own_step);
  fann_destroy(own);
  findlr_session_destroy(session);
  findlr_context_destroy(context);
  findlr_memory_data_destroy(&data);
}

int main(void) {
  for (int r = 0; r < ROWS; r++) {
    y[r][r % OUTPUTS] = 1;
    for (int i = 0; i < FEATURES; i++)
      x[r][i] = (float)((r * 31 + i * 7 * (r % OUTPUTS + 1)) % 17) / 17;
  }
  printf("%-34s %10s %10s\n", "microseconds a step", "findlr", "libfann");
  bench(32, 50);
  bench(128, 20);
  bench(512, 5);
  return EXIT_SUCCESS;
}
