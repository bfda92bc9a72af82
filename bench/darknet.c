/* SPDX-License-Identifier: MIT */
/* What a step of the darknet plugin costs over libdarknet by itself: microseconds of both, and the share
 * that findlr adds (median, and the quarter below and above). What darknet says goes to standard error. */
#include "backend.h"

#include <darknet.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 1024, LARGEST = 28 * 28 };

static float x[ROWS][LARGEST], y[ROWS][10], packed[ROWS * LARGEST];
static int64_t classes[ROWS];
static network *own;

/* As darknet's train_network: copy a batch into the network, and train on it. */
static void own_step(int step) {
  const size_t first = (size_t)step % ((size_t)ROWS / (size_t)own->batch) * (size_t)own->batch;
  const size_t n = (size_t)own->batch, features = (size_t)own->inputs;
  memcpy(own->input, packed + first * features, n * features * sizeof(float));
  memcpy(own->truth, y[first], n * sizeof y[0]);
  train_network_datum(own);
}

static void bench(int side, int batch, int steps) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  findlr_session *session;
  findlr_data data;
  int64_t shape[] = { ROWS, side * side };
  findlr_tensor inputs = { .data = packed, .device_type = FINDLR_DEVICE_CPU, .ndim = 2,
                           .dtype_code = 2, .dtype_bits = 32, .dtype_lanes = 1, .shape = shape };
  findlr_tensor targets = { .data = classes, .device_type = FINDLR_DEVICE_CPU, .ndim = 1,
                            .dtype_bits = 64, .dtype_lanes = 1, .shape = shape };
  char path[] = "/tmp/findlr-bench-XXXXXX", model[64], what[64];
  FILE *cfg = fdopen(mkstemp(path), "w");
  fprintf(cfg,
          "[net]\nbatch=%d\nlearning_rate=0.001\nwidth=%d\nheight=%d\nchannels=1\n"
          "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
          "[maxpool]\nsize=2\nstride=2\n"
          "[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\npad=1\nactivation=leaky\n"
          "[maxpool]\nsize=2\nstride=2\n"
          "[connected]\noutput=10\nactivation=linear\n[softmax]\n",
          batch, side, side);
  fclose(cfg);
  for (int r = 0; r < ROWS; r++)
    memcpy(packed + r * side * side, x[r], (size_t)(side * side) * sizeof(float));
  snprintf(model, sizeof model, "darknet:%s", path);
  snprintf(what, sizeof what, "2 convolutions, %dx%d, batches of %d", side, side, batch);
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.model = model;
  o.data_object = &data;
  o.batch_size = batch;
  require(findlr_memory_data_create(NULL, &inputs, &targets, 10, &data, &err), &err);
  require(findlr_context_create(NULL, &context, &err), &err);
  require(findlr_session_create(context, &o, &session, &err), &err);
  own = parse_network_cfg(path);
  unlink(path);
  compare(what, session, 0.001, steps, own_step);
  free_network(own);
  findlr_session_destroy(session);
  findlr_context_destroy(context);
  findlr_memory_data_destroy(&data);
}

int main(void) {
  for (int r = 0; r < ROWS; r++) {
    classes[r] = r % 10;
    y[r][r % 10] = 1;
    for (int i = 0; i < LARGEST; i++)
      x[r][i] = (float)((r * 31 + i * 7 * (r % 10 + 1)) % 17) / 17;
  }
  printf("%-34s %10s %10s\n", "microseconds a step", "findlr", "libdarknet");
  bench(8, 8, 30);
  bench(8, 64, 5);
  bench(28, 64, 1);
  return EXIT_SUCCESS;
}
