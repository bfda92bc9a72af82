/* SPDX-License-Identifier: MIT */
#include "backend.h"

/* The plugins fann and fann_double (FANN_DOUBLE) on the real libraries, which this program also calls by
 * itself. */
#ifdef FANN_DOUBLE
#include <doublefann.h>
#define MODEL "fann_double"
#define OTHER_MODEL "fann"
enum { DTYPE = FINDLR_DTYPE_FLOAT64, BITS = 64 };
#else
#include <floatfann.h>
#define MODEL "fann"
#define OTHER_MODEL "fann_double"
enum { DTYPE = FINDLR_DTYPE_FLOAT32, BITS = 32 };
#endif

static findlr_session_options with(const char *spec) {
  findlr_session_options o = backend_defaults(spec);
  o.dtype = DTYPE;
  return o;
}

static findlr_session_options defaults(const char *options) {
  static char spec[256];
  snprintf(spec, sizeof spec, MODEL "%s", options);
  return with(spec);
}

enum { ROWS = 40, FEATURES = 5, OUTPUTS = 3 };

static fann_type inputs[ROWS][FEATURES], outputs[ROWS][OUTPUTS];
static findlr_data data;

/* Numbers on both sides of 0, without chance; targets that depend on them. */
static void make_numbers(void) {
  ERR;
  int64_t input_shape[] = { ROWS, FEATURES }, output_shape[] = { ROWS, OUTPUTS };
  for (int r = 0; r < ROWS; r++) {
    for (int i = 0; i < FEATURES; i++)
      inputs[r][i] = (fann_type)((r * 7 + i * 13) % 31 - 15) / 15;
    for (int o = 0; o < OUTPUTS; o++)
      outputs[r][o] = (fann_type)0.5 + (fann_type)0.4 * inputs[r][o] * inputs[r][o + 1];
  }
  findlr_tensor x = { .data = inputs, .device_type = FINDLR_DEVICE_CPU, .ndim = 2, .dtype_code = 2,
                      .dtype_bits = BITS, .dtype_lanes = 1, .shape = input_shape };
  findlr_tensor y = x;
  y.data = outputs;
  y.shape = output_shape;
  ck_ok(findlr_memory_data_create(NULL, &x, &y, 0, &data, &err));
}

static void forget_numbers(void) {
  findlr_memory_data_destroy(&data);
}

/* --- what every backend must do --------------------------------------------------------------- */

START_TEST(digits_give_a_curve) {
  findlr_session_options o =
      defaults(":activation=sigmoid_symmetric,output_activation=sigmoid_symmetric");
  backend_check_curve(&o, 1e-4, 1e3, true);
}
END_TEST

START_TEST(a_range_test_leaves_no_trace) {
  const char *const models[] = { "", ":momentum=0.9,error=linear", ":algorithm=quickprop" };
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    findlr_session_options o = defaults(models[i]);
    o.accumulate = 2;
    backend_check_restore(&o, 0.05);
  }
}
END_TEST

START_TEST(a_seed_gives_one_curve) {
  findlr_session_options o = defaults(":momentum=0.5");
  backend_check_seed(&o, 0.1);
}
END_TEST

START_TEST(rand_is_left_alone) {
  findlr_session_options o = defaults("");
  backend_check_rand(&o, 0.1);
}
END_TEST

/* --- what FANN by itself does ----------------------------------------------------------------- */

/* FANN's network with the session's weights. */
static struct fann *twin(findlr_session *s, unsigned int layers, const unsigned int *sizes) {
  ERR;
  struct fann *ann = fann_create_standard_array(layers, sizes);
  fann_type *to = ann->weights;
  findlr_named_tensor t = { .struct_size = sizeof t };
  for (uint32_t i = 0; i + 1 < layers; i++) {
    ck_ok(findlr_session_state(s, i, &t, &err));
    const size_t n = (size_t)findlr_tensor_count(&t.tensor);
    memcpy(to, t.tensor.data, n * sizeof(fann_type));
    to += n;
  }
  ck_assert_ptr_eq(to, ann->weights + ann->total_connections);
  return ann;
}

static struct fann_train_data *as_fann(void) {
  struct fann_train_data *rows = fann_create_train(ROWS, FEATURES, OUTPUTS);
  for (int r = 0; r < ROWS; r++) {
    memcpy(rows->input[r], inputs[r], sizeof inputs[r]);
    memcpy(rows->output[r], outputs[r], sizeof outputs[r]);
  }
  return rows;
}

/* With all rows in a batch a step is an epoch of FANN, loss and weights alike, bit for bit. */
static void compare_epochs(const char *model, enum fann_train_enum algorithm, double rate) {
  ERR;
  const unsigned int sizes[] = { FEATURES, 8, 4, OUTPUTS };
  findlr_session_options o = defaults(model);
  o.data_object = &data;
  o.batch_size = ROWS;
  o.sampling = FINDLR_SAMPLING_SEQUENTIAL;
  findlr_session *s = backend_session(&o);
  struct fann *ann = twin(s, 4, sizes);
  struct fann_train_data *rows = as_fann();
  fann_set_activation_function_output(ann, FANN_LINEAR);
  fann_set_training_algorithm(ann, algorithm);
  fann_set_learning_rate(ann, (float)rate);
  fann_clear_train_arrays(ann);
  for (int i = 0; i < 30; i++) {
    const double ours = backend_step(s, rate), theirs = (double)fann_train_epoch(ann, rows);
    ck_assert_msg((float)ours == (float)theirs, "epoch %d: %.9g, FANN %.9g", i, ours, theirs);
  }
  findlr_named_tensor t = { .struct_size = sizeof t };
  const fann_type *weights = ann->weights;
  for (uint32_t i = 0; i < 3; i++) {
    ck_ok(findlr_session_state(s, i, &t, &err));
    const size_t n = (size_t)findlr_tensor_count(&t.tensor);
    ck_assert_mem_eq(t.tensor.data, weights, n * sizeof(fann_type));
    weights += n;
  }
  fann_destroy_train(rows);
  fann_destroy(ann);
  findlr_session_destroy(s);
}

START_TEST(a_step_on_all_rows_is_an_epoch_of_fann) {
  compare_epochs(":hidden=8x4", FANN_TRAIN_BATCH, 0.7);
  compare_epochs(":hidden=8x4,algorithm=quickprop", FANN_TRAIN_QUICKPROP, 0.05);
}
END_TEST

/* With one row in a batch, what fann_train does, momentum included. */
START_TEST(a_step_on_one_row_is_fann_train) {
  const unsigned int sizes[] = { FEATURES, 6, OUTPUTS };
  findlr_session_options o = defaults(":hidden=6,momentum=0.3");
  o.data_object = &data;
  o.batch_size = 1;
  o.sampling = FINDLR_SAMPLING_SEQUENTIAL;
  findlr_session *s = backend_session(&o);
  struct fann *ann = twin(s, 3, sizes);
  fann_set_activation_function_output(ann, FANN_LINEAR);
  fann_set_learning_rate(ann, 0.25F);
  fann_set_learning_momentum(ann, 0.3F);
  for (int i = 0; i < 100; i++) {
    const double ours = backend_step(s, 0.25);
    fann_reset_MSE(ann);
    fann_train(ann, inputs[i % ROWS], outputs[i % ROWS]);
    const double theirs = (double)fann_get_MSE(ann);
    ck_assert_msg(fabs(ours - theirs) < 1e-5 * theirs + 1e-9, "row %d: %.9g, FANN %.9g", i, ours,
                  theirs);
  }
  fann_destroy(ann);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(groups_have_their_own_rates) {
  ERR;
  const char *patterns[] = { "1.*" };
  const double factors[] = { 1e-30 };
  findlr_session_options o = defaults("");
  o.group_count = 1;
  o.group_patterns = patterns;
  o.group_factors = factors;
  findlr_session *s = backend_session(&o);
  findlr_named_tensor t[2] = { { .struct_size = sizeof t[0] }, { .struct_size = sizeof t[0] } };
  fann_type before[2];
  for (uint32_t i = 0; i < 2; i++) {
    ck_ok(findlr_session_state(s, i, &t[i], &err));
    before[i] = ((fann_type *)t[i].tensor.data)[64]; /* the bias: column 64 of the first layer */
  }
  backend_step(s, 1);
  ck_assert(((fann_type *)t[0].tensor.data)[64] != before[0]);
  ck_assert(((fann_type *)t[1].tensor.data)[64] == before[1]);
  findlr_session_destroy(s);
}
END_TEST

/* --- files ------------------------------------------------------------------------------------ */

static char file_spec[256];

static const char *spec_of(const char *path, const char *more) {
  snprintf(file_spec, sizeof file_spec, MODEL ":file=\"%s\"%s", path, more);
  return file_spec;
}

/* FANN writes numbers as the locale wants them, but reads them back so only under that locale. */
static void save_net(struct fann *ann, const char *path) {
  setlocale(LC_NUMERIC, "C");
  ck_assert_int_eq(fann_save(ann, path), 0);
  setlocale(LC_NUMERIC, "");
}

/* What fann_save writes, whatever kind of network. */
START_TEST(networks_that_fann_saved_are_read) {
  ERR;
  struct fann *nets[] = { fann_create_standard(4, FEATURES, 7, 6, OUTPUTS),
                          fann_create_sparse(0.5F, 3, FEATURES, 8, OUTPUTS),
                          fann_create_shortcut(3, FEATURES, 4, OUTPUTS) };
  for (int i = 0; i < 3; i++) {
    const char *path = backend_file("", 0);
    fann_set_activation_function_hidden(nets[i], FANN_ELLIOT);
    fann_set_learning_momentum(nets[i], 0.25F);
    save_net(nets[i], path);
    findlr_session_options o = with(spec_of(path, ""));
    o.data_object = &data;
    o.batch_size = ROWS;
    findlr_session *s = backend_session(&o);
    /* The loss of the first step is that of FANN on what it read itself. */
    setlocale(LC_NUMERIC, "C");
    struct fann *read = fann_create_from_file(path);
    setlocale(LC_NUMERIC, "");
    struct fann_train_data *rows = as_fann();
    const double ours = backend_step(s, 1e-3), theirs = (double)fann_test_data(read, rows);
    ck_assert_msg(fabs(ours - theirs) < 1e-6, "network %d: %.9g, FANN %.9g", i, ours, theirs);
    backend_check_restore(&o, 0.1);
    findlr_session_destroy(s);
    fann_destroy_train(rows);
    fann_destroy(read);

    o.model = spec_of(path, ",hidden=3");
    ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "says it already");
    o = with(spec_of(path, ""));
    ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT,
             "5 inputs and 3 outputs, the data 64 and 10");
    unlink(path);
    fann_destroy(nets[i]);
  }
}
END_TEST

static char text[16384];

/* The saved network with one text replaced by another is refused with words. */
static void check_bad(const char *from, const char *to, int32_t status, const char *words) {
  ERR;
  static char changed[sizeof text + 256];
  const char *at = strstr(text, from);
  ck_assert_msg(at != NULL, "no %s in the file", from);
  snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  const char *path = backend_file(changed, strlen(changed));
  findlr_session_options o = with(spec_of(path, ""));
  findlr_session *s = NULL;
  o.data_object = &data;
  ck_fails(findlr_session_create(context, &o, &s, &err), status, words);
  unlink(path);
}

static void save_text(void) {
  struct fann *ann = fann_create_standard(3, FEATURES, 4, OUTPUTS);
  const char *path = backend_file("", 0);
  save_net(ann, path);
  FILE *file = fopen(path, "r");
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  unlink(path);
  fann_destroy(ann);
}

START_TEST(bad_files_are_one_sentence) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = defaults(":file=/nowhere/x.net");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_NOT_FOUND, "does not exist");
  save_text();
  const int32_t format = FINDLR_ERR_FORMAT;
  check_bad("FANN_FLO_2.1", "Hello", format, "no network of FANN 2");
  check_bad("FANN_FLO_2.1", "FANN_FIX_2.1", FINDLR_ERR_UNSUPPORTED, "fixed point");
  check_bad("num_layers=3", "num_layers=300000000", format, "line 2");
  check_bad("num_layers=3", "num_layers=2", format, "the line of the neurons");
  check_bad("num_layers=3", "num_layers=1", format, "2 to 64 layers");
  check_bad("num_layers=3\n", "", format, "no line num_layers=");
  check_bad("network_type=0", "network_type=7", format, "line 5");
  check_bad("network_type", "nonsense", format, "\"nonsense=0\"");
  check_bad("connection_rate=1.0", "connection_rate=1,0", format, "a decimal point");
  check_bad("learning_momentum=0", "learning_momentum=nan", format, "a number that can be");
  check_bad("layer_sizes=6 5 4", "layer_sizes=6 5000000 4", format, "too short for the 5000010 neurons");
  check_bad("layer_sizes=6 5 4", "layer_sizes=6 -5 4", format, "the size of a layer");
  check_bad("layer_sizes=6 5 4", "layer_sizes=6 5 1", format, "besides the bias");
  check_bad("(6, 4,", "(2000000000, 4,", format, "2000000000 connections, wanted 0 to 6");
  check_bad("(6, 4,", "(6, 99,", format, "of a neuron");
  check_bad("(6, 4,", "(6, 1,", FINDLR_ERR_UNSUPPORTED, "FANN_THRESHOLD");
  check_bad("(6, 4,", "(5, 4,", format, "of neuron 7");
  check_bad("weight)=(0,", "weight)=(9,", format, "comes from neuron 9");
  check_bad("weight)=(0,", "weight)=(x,", format, "of a connection");
  check_bad("connections (", "connexions (", format, "the line of the connections");
  for (size_t cut = 0; cut < strlen(text) - 2; cut += 37) {
    const char *path = backend_file(text, cut);
    o = with(spec_of(path, ""));
    o.data_object = &data;
    ck_assert_int_lt(findlr_session_create(context, &o, &s, &err), 0);
    ck_assert_uint_gt(strlen(err.message), 10);
    unlink(path);
  }
}
END_TEST

START_TEST(options_that_cannot_be_are_refused) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = defaults(":algorithm=quickprop,momentum=0.5");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "quickprop has none");
  o = defaults(":algorithm=rprop");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "batch|quickprop");
  o = defaults("");
  o.dtype = DTYPE == FINDLR_DTYPE_FLOAT32 ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_UNSUPPORTED, OTHER_MODEL);
  o = defaults(":hidden=1000000x1000000");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_LIMIT, "too large for FANN");
}
END_TEST

/* This program has one of FANN's libraries: the plugin of the other would call into it. */
START_TEST(the_other_library_is_refused) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = with(OTHER_MODEL);
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_BACKEND,
           "another build of FANN");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("fann");
  TCase *t = tcase_create("fann");
  tcase_add_checked_fixture(t, backend_open, backend_close);
  tcase_add_checked_fixture(t, make_numbers, forget_numbers);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, digits_give_a_curve);
  tcase_add_test(t, a_range_test_leaves_no_trace);
  tcase_add_test(t, a_seed_gives_one_curve);
  tcase_add_test(t, rand_is_left_alone);
  tcase_add_test(t, a_step_on_all_rows_is_an_epoch_of_fann);
  tcase_add_test(t, a_step_on_one_row_is_fann_train);
  tcase_add_test(t, groups_have_their_own_rates);
  tcase_add_test(t, networks_that_fann_saved_are_read);
  tcase_add_test(t, bad_files_are_one_sentence);
  tcase_add_test(t, options_that_cannot_be_are_refused);
  tcase_add_test(t, the_other_library_is_refused);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
