/* SPDX-License-Identifier: MIT */
/* The darknet plugin on the real libdarknet, which this program also calls by itself. */
#define _GNU_SOURCE /* memmem */
#include "backend.h"

#include <darknet.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "findlr/isolate.h"

#define NET "[net]\nwidth=8\nheight=8\nchannels=1\nmomentum=0.9\ndecay=0.0005\n"
#define CONV "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
#define POOL "[maxpool]\nsize=2\nstride=2\n"
#define END "[connected]\noutput=10\nactivation=linear\n[softmax]\n"

static char path[64], weights_path[64], spec[256];

/* The spec of a model over a cfg of that text. */
static const char *cfg_of(const char *text, const char *more) {
  if (*path)
    unlink(path);
  snprintf(path, sizeof path, "%s", backend_file(text, strlen(text)));
  snprintf(spec, sizeof spec, "darknet:file=\"%s\"%s", path, more);
  return spec;
}

static void forget_files(void) {
  if (*path)
    unlink(path);
  if (*weights_path)
    unlink(weights_path);
  *path = *weights_path = 0;
}

/* --- what every backend must do --------------------------------------------------------------- */

START_TEST(digits_give_a_curve) {
  findlr_session_options o =
      backend_defaults(cfg_of(NET CONV POOL CONV "[dropout]\nprobability=0.1\n" END, ""));
  backend_check_curve(&o, 1e-7, 10, true);
}
END_TEST

START_TEST(fashion_gives_a_curve) {
  const char *images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  if (access(images, R_OK) != 0) {
    fprintf(stderr, "skipped: no %s (dataset-fashion-mnist)\n", images);
    return;
  }
  findlr_session_options o = backend_defaults(cfg_of(
      "[net]\nwidth=28\nheight=28\nchannels=1\n" CONV POOL CONV POOL END, ""));
  o.data = "idx:/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz,"
           "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  backend_check_curve(&o, 1e-7, 10, true);
}
END_TEST

/* Batch normalisation, dropout, shortcut, route and groups of convolutions, batches of several pieces. */
START_TEST(a_range_test_leaves_no_trace) {
  findlr_session_options o = backend_defaults(cfg_of(
      NET CONV "[convolutional]\nfilters=8\nsize=3\npad=1\ngroups=2\nactivation=relu\n"
               "[shortcut]\nfrom=-2\nactivation=leaky\n[dropout]\nprobability=0.3\n"
               "[route]\nlayers=-1,0\n" POOL
               "[upsample]\nstride=2\n[avgpool]\n" END,
      ""));
  o.accumulate = 2;
  o.validation = 0.2;
  backend_check_restore(&o, 0.01);
}
END_TEST

START_TEST(a_seed_gives_one_curve) {
  findlr_session_options o = backend_defaults(cfg_of(NET CONV "[dropout]\n" END, ""));
  backend_check_seed(&o, 0.01);
}
END_TEST

/* Although darknet draws its weights and its dropout from rand(). */
START_TEST(rand_is_left_alone) {
  findlr_session_options o = backend_defaults(cfg_of(NET CONV "[dropout]\n" END, ""));
  backend_check_rand(&o, 0.01);
}
END_TEST

/* Although darknet prints a line a layer. */
START_TEST(nothing_is_printed) {
  findlr_session_options o = backend_defaults(cfg_of(NET CONV POOL "[dropout]\n" END, ""));
  backend_session(&o); /* once, so that libraries have said what they say when they are loaded */
  const char *name = backend_file("", 0);
  const int file = open(name, O_RDWR), out = dup(1), err = dup(2);
  fflush(stdout);
  dup2(file, 1);
  dup2(file, 2);
  findlr_session *s = backend_session(&o);
  backend_step(s, 0.1);
  findlr_session_destroy(s);
  fflush(stdout);
  dup2(out, 1);
  dup2(err, 2);
  ck_assert_int_eq(lseek(file, 0, SEEK_END), 0);
  close(file);
  unlink(name);
}
END_TEST

#ifdef FINDLR_PROGRAM
/* The program's standard output is JSON and nothing else. */
START_TEST(json_on_standard_output_stays_clean) {
  char command[768], text[65536];
  cfg_of(NET CONV POOL "[dropout]\n" END, "");
  snprintf(command, sizeof command, FINDLR_PROGRAM " run --model darknet:%s --num-iter 60 --json - "
           "2>/dev/null", path);
  FILE *out = popen(command, "r");
  const size_t n = fread(text, 1, sizeof text - 1, out);
  ck_assert_int_eq(pclose(out), 0);
  ck_assert(n > 2 && text[0] == '{' && text[n - 2] == '}' && text[n - 1] == '\n');
  text[n] = 0;
  ck_assert_ptr_null(strstr(text, "conv "));
}
END_TEST
#endif

static size_t lines_logged;

static void count_line(void *ud, int32_t level, const char *text, size_t len) {
  (void)ud;
  if (level == FINDLR_LOG_DEBUG && memmem(text, len, "softmax", 7))
    lines_logged++;
}

START_TEST(what_darknet_prints_goes_to_the_log) {
  ERR;
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.log = count_line;
  options.log_level = FINDLR_LOG_DEBUG;
  findlr_context *talkative = NULL;
  ck_ok(findlr_context_create(&options, &talkative, &err));
  findlr_session_options o = backend_defaults(cfg_of(NET CONV END, ""));
  findlr_session *s = NULL;
  ck_ok(findlr_session_create(talkative, &o, &s, &err));
  ck_assert_uint_eq(lines_logged, 1);
  findlr_session_destroy(s);
  findlr_context_destroy(talkative);
}
END_TEST

/* tests/comma-locale runs this program under a locale in which "0.5" begins with 0. */
START_TEST(numbers_of_the_cfg_do_not_depend_on_the_locale) {
  double loss[2];
  const char *const locales[] = { "C", "" };
  for (int i = 0; i < 2; i++) {
    setlocale(LC_ALL, locales[i]);
    findlr_session_options o = backend_defaults(
        cfg_of(NET CONV "[dropout]\nprobability=0.5\n[connected]\noutput=10\nlearning_rate=0.25\n"
                        "activation=linear\n[softmax]\ntemperature=0.5\n",
               ""));
    findlr_session *s = backend_session(&o);
    backend_step(s, 0.1);
    loss[i] = backend_step(s, 0.1);
    findlr_session_destroy(s);
  }
  setlocale(LC_ALL, "");
  ck_assert(loss[0] == loss[1]);
}
END_TEST

/* --- what darknet by itself does -------------------------------------------------------------- */

/* darknet's own network with the session's weights, in batches of 64 digits. */
static network *twin(findlr_session *s, const char *text) {
  ERR;
  char whole[2048];
  snprintf(whole, sizeof whole, "[net]\nbatch=64\nlearning_rate=0.01\npolicy=constant\n%s",
           text + strlen("[net]\n"));
  const char *file = backend_file(whole, strlen(whole));
  char name[64];
  snprintf(name, sizeof name, "%s", file);
  setlocale(LC_NUMERIC, "C");
  network *net = parse_network_cfg(name);
  setlocale(LC_NUMERIC, "");
  unlink(file);
  findlr_named_tensor t = { .struct_size = sizeof t };
  for (uint32_t i = 0; findlr_session_state(s, i, &t, &err) == FINDLR_OK; i++) {
    int n;
    char what[32];
    if (sscanf(t.name, "parameter.%d.%31s", &n, what) != 2)
      continue;
    layer *l = &net->layers[n];
    float *to = !strcmp(what, "weights") ? l->weights : !strcmp(what, "biases") ? l->biases : l->scales;
    memcpy(to, t.tensor.data, (size_t)findlr_tensor_count(&t.tensor) * sizeof(float));
  }
  return net;
}

/* Steps of the session are darknet's train_network_datum, loss and weights alike, bit for bit. */
START_TEST(a_step_is_a_step_of_darknet) {
  ERR;
  enum { ROWS = 64, STEPS = 20 };
  static float x[ROWS * STEPS][64], y[ROWS * STEPS][10];
  static int64_t classes[ROWS * STEPS];
  int64_t shape[] = { ROWS * STEPS, 64 };
  for (int64_t r = 0; r < ROWS * STEPS; r++) {
    classes[r] = r % 10;
    y[r][classes[r]] = 1;
    for (int64_t i = 0; i < 64; i++)
      x[r][i] = (float)((r * 31 + i * 7 * (classes[r] + 1)) % 17) / 17;
  }
  findlr_tensor inputs = { .data = x, .device_type = FINDLR_DEVICE_CPU, .ndim = 2, .dtype_code = 2,
                           .dtype_bits = 32, .dtype_lanes = 1, .shape = shape };
  findlr_tensor targets = { .data = classes, .device_type = FINDLR_DEVICE_CPU, .ndim = 1,
                            .dtype_bits = 64, .dtype_lanes = 1, .shape = shape };
  findlr_data data;
  ck_ok(findlr_memory_data_create(NULL, &inputs, &targets, 10, &data, &err));
  const char *text = NET CONV POOL CONV END;
  findlr_session_options o = backend_defaults(cfg_of(text, ""));
  o.data_object = &data;
  o.sampling = FINDLR_SAMPLING_SEQUENTIAL;
  findlr_session *s = backend_session(&o);
  network *net = twin(s, text);
  for (int i = 0; i < STEPS; i++) {
    memcpy(net->input, x[i * ROWS], ROWS * sizeof x[0]);
    memcpy(net->truth, y[i * ROWS], ROWS * sizeof y[0]);
    const double ours = backend_step(s, 0.01);
    const double theirs = (double)train_network_datum(net) / ROWS;
    ck_assert_msg((float)ours == (float)theirs, "step %d: %.9g, darknet %.9g", i, ours, theirs);
  }
  free_network(net);
  findlr_session_destroy(s);
  findlr_memory_data_destroy(&data);
}
END_TEST

START_TEST(weights_that_darknet_saved_are_read) {
  ERR;
  const char *text = NET CONV POOL "[connected]\nbatch_normalize=1\noutput=12\n" END;
  findlr_session_options o = backend_defaults(cfg_of(text, ""));
  findlr_session *s = backend_session(&o);
  for (int i = 0; i < 3; i++)
    backend_step(s, 0.01);
  network *net = twin(s, text);
  findlr_session_destroy(s);
  for (int k = 0; k < 8; k++) /* what the twin does not copy */
    net->layers[0].rolling_mean[k] = net->layers[0].rolling_variance[k] = (float)k;
  snprintf(weights_path, sizeof weights_path, "%s", backend_file("", 0));
  save_weights(net, weights_path);

  char more[96];
  snprintf(more, sizeof more, ",weights=%s", weights_path);
  o.model = cfg_of(text, more);
  s = backend_session(&o);
  findlr_named_tensor t = { .struct_size = sizeof t };
  int compared = 0;
  for (uint32_t i = 0; findlr_session_state(s, i, &t, &err) == FINDLR_OK; i++) {
    const size_t size = (size_t)findlr_tensor_count(&t.tensor) * sizeof(float);
    if (!strcmp(t.name, "parameter.0.weights"))
      compared += memcmp(t.tensor.data, net->layers[0].weights, size) == 0;
    if (!strcmp(t.name, "parameter.2.biases"))
      compared += memcmp(t.tensor.data, net->layers[2].biases, size) == 0;
    if (!strcmp(t.name, "parameter.3.weights"))
      compared += memcmp(t.tensor.data, net->layers[3].weights, size) == 0;
    if (!strcmp(t.name, "model.0.rolling_variance"))
      compared += memcmp(t.tensor.data, net->layers[0].rolling_variance, size) == 0;
  }
  ck_assert_int_eq(compared, 4);
  findlr_session_destroy(s);

  o.model = cfg_of(NET CONV POOL END, more);
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_FORMAT, "of this network's weights");
  snprintf(more, sizeof more, ",weights=%s", path);
  o.model = cfg_of(text, "");
  snprintf(spec, sizeof spec, "darknet:file=%s,weights=%s", path, path);
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_FORMAT, "darknet weights");
  o.model = cfg_of(text, ",weights=/nowhere/x.weights");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_NOT_FOUND, "does not exist");
  free_network(net);
}
END_TEST

/* darknet's [maxpool] would write before its memory once a window has only NaN. */
START_TEST(a_loss_that_is_not_finite_damages_nothing) {
  findlr_session_options o = backend_defaults(cfg_of(NET CONV POOL CONV POOL END, ""));
  findlr_session *s = backend_session(&o);
  double loss = 0;
  for (int i = 0; i < 10; i++)
    loss = backend_step(s, 1e30);
  ck_assert(!isfinite(loss));
  findlr_session_destroy(s);
}
END_TEST

START_TEST(groups_are_layers) {
  ERR;
  const char *patterns[] = { "3.*" };
  const double factors[] = { 1e-30 };
  findlr_session_options o = backend_defaults(cfg_of(NET CONV POOL CONV END, ""));
  o.group_count = 1;
  o.group_patterns = patterns;
  o.group_factors = factors;
  findlr_session *s = backend_session(&o);
  findlr_named_tensor first = { .struct_size = sizeof first }, last = first;
  for (uint32_t i = 0; strcmp(first.name ? first.name : "", "parameter.0.weights"); i++)
    ck_ok(findlr_session_state(s, i, &first, &err));
  for (uint32_t i = 0; strcmp(last.name ? last.name : "", "parameter.3.weights"); i++)
    ck_ok(findlr_session_state(s, i, &last, &err));
  const float before[] = { *(float *)first.tensor.data, *(float *)last.tensor.data };
  backend_step(s, 0.1);
  ck_assert(*(float *)first.tensor.data != before[0]);
  ck_assert(*(float *)last.tensor.data == before[1]);
  findlr_session_destroy(s);
  patterns[0] = "*.biases";
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_UNSUPPORTED, "one rate a layer");
}
END_TEST

/* --- files ------------------------------------------------------------------------------------ */

static void refused(const char *text, int32_t status, const char *words) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = backend_defaults(cfg_of(text, ""));
  ck_fails(findlr_session_create(context, &o, &s, &err), status, words);
  ck_assert_msg(strchr(err.message, '\n') == NULL, "%s", err.message);
}

START_TEST(bad_files_are_one_sentence) {
  ERR;
  const int32_t format = FINDLR_ERR_FORMAT, unsupported = FINDLR_ERR_UNSUPPORTED;
  findlr_session *s = NULL;
  findlr_session_options o = backend_defaults("darknet:/nowhere/x.cfg");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_NOT_FOUND, "does not exist");
  o = backend_defaults("darknet");
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "file");
  o = backend_defaults(cfg_of(NET CONV END, ""));
  o.dtype = FINDLR_DTYPE_FLOAT64;
  ck_fails(findlr_session_create(context, &o, &s, &err), unsupported, "float32 only");
  refused("\n\n# nothing\n", format, "has no section");
  refused(NET, format, "no layer after [net]");
  refused("width=8\n", format, "before any section");
  refused("hello\n", format, "line 1: \"hello\" is neither");
  refused("[net\n", format, "is no section");
  refused(CONV NET END, format, "[net] before all others");
  refused(NET NET END, format, "one [net] only");
  refused(NET CONV "[lstm]\noutput=3\n" END, unsupported, "line 14: a [lstm] is none");
  refused("[net]\nheight=8\n" CONV END, format, "neither inputs nor width");
  refused(NET "inputs=65\n" CONV END, format, "not width x height x channels");
  refused(NET "adam=1\n" CONV END, unsupported, "would use SGD");
  refused("[net]\nwidth=9\nheight=8\nchannels=1\n" CONV END, FINDLR_ERR_ARGUMENT,
          "72 inputs and 10 outputs, the data 64 and 10");
  refused(NET CONV "[connected]\noutput=3\n[softmax]\n", FINDLR_ERR_ARGUMENT, "3 outputs");
  refused(NET CONV "[connected]\noutput=10\n", format, "is the last layer");
  refused(NET "[softmax]\n" END, format, "is the first layer");
  refused(NET CONV POOL "[softmax]\n" END, format, "must come last");
  refused(NET "[convolutional]\nsize=0\n" END, format, "size of the [convolutional] is 0");
  refused(NET "[convolutional]\nsize=three\n" END, format, "is three, wanted a whole number");
  refused(NET "[convolutional]\nstride=0\n" END, format, "stride of the [convolutional] is 0");
  refused(NET "[convolutional]\nsize=9\n" END, format, "larger than its image");
  refused(NET "[convolutional]\npadding=2\n" END, format, "size 1 and padding");
  refused(NET "[convolutional]\nfilters=6\ngroups=4\n" END, format, "groups that do not divide");
  refused(NET "[convolutional]\nactivation=swish\n" END, format, "is swish, wanted linear");
  refused(NET "[convolutional]\nbinary=1\n" END, unsupported, "binary weights");
  refused(NET "[convolutional]\nfilters=99999999999\n" END, format, "filters of the");
  refused(NET "[convolutional]\nfilters=2000000000\n" END, FINDLR_ERR_LIMIT, "too large for darknet");
  refused(NET CONV POOL "[route]\nlayers=0,1\n" POOL END, format, "needs an image");
  refused(NET CONV "[batchnorm]\n" END, unsupported, "[batchnorm] is none");
  refused(NET CONV "[maxpool]\nsize=2\npadding=9\n" END, format, "outside of the image");
  refused(NET CONV "[route]\n" END, format, "no line layers=");
  refused(NET CONV "[route]\nlayers=7\n" END, format, "layers before this one");
  refused(NET CONV "[route]\nlayers=-1,x\n" END, format, "layers by number");
  refused(NET CONV "[shortcut]\nfrom=-9\n" END, format, "layers before this one");
  refused(NET CONV POOL "[shortcut]\nfrom=0\n" END, format, "image of the same size");
  refused(NET CONV "[dropout]\nprobability=1\n" END, format, "probability of the [dropout]");
  refused(NET CONV "[connected]\noutput=10\n[softmax]\ngroups=3\n", format, "groups that do not divide");
  refused(NET CONV "[connected]\noutput=10\n[cost]\ntype=x\n", format, "type of the [cost]");
}
END_TEST

/* What nobody checked goes to darknet, which ends the process. */
START_TEST(unchecked_a_bad_file_ends_the_process) {
  const pid_t child = fork();
  if (child == 0) {
    ERR;
    findlr_session *s = NULL;
    findlr_session_options o = backend_defaults("darknet:/nowhere/x.cfg,check=false");
    findlr_session_create(context, &o, &s, &err);
    _exit(42);
  }
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* Unless it is a process of its own. */
START_TEST(isolated_it_costs_a_sentence) {
  ERR;
  findlr_isolated *isolated = NULL;
  findlr_session_options o = backend_defaults("darknet:/nowhere/x.cfg,check=false");
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_BACKEND,
           "Couldn't open file: /nowhere/x.cfg");
}
END_TEST

START_TEST(isolated_it_computes_the_same) {
  ERR;
  findlr_isolated *isolated = NULL;
  findlr_session_options o = backend_defaults(cfg_of(NET CONV POOL "[dropout]\n" END, ""));
  findlr_session *s = backend_session(&o);
  ck_ok(findlr_isolated_create(context, &o, NULL, &isolated, &err));
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  for (int i = 0; i < 10; i++) {
    const double rate = 0.01;
    double loss = 0;
    ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_OK);
    const double here = backend_step(s, rate);
    ck_assert_msg(loss == here, "step %d: %.17g isolated, %.17g here", i, loss, here);
  }
  findlr_isolated_destroy(isolated);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(unchecked_a_good_file_works) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = backend_defaults(
      cfg_of("[net]\nbatch=64\nwidth=8\nheight=8\nchannels=1\n" CONV END, ",check=false"));
  backend_check_seed(&o, 0.01);
  o.batch_size = 65;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "batches of 64 rows");
  o = backend_defaults(cfg_of("[net]\nbatch=64\ninputs=64\n[lstm]\noutput=10\n[softmax]\n", ",check=false"));
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_UNSUPPORTED, "cannot be taken back");
}
END_TEST

/* The host's allocator has the last word on memory that darknet takes without asking. */
START_TEST(no_memory_is_a_sentence) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o = backend_defaults(
      cfg_of(NET "[connected]\noutput=2000000\n" END, ""));
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  test_allocator heap;
  test_allocator_init(&heap);
  options.allocator = &heap.allocator;
  findlr_context *small = NULL;
  ck_ok(findlr_context_create(&options, &small, &err));
  o.model = cfg_of(NET CONV END, "");
  size_t n = 0;
  int32_t status;
  do {
    heap.calls = 0;
    heap.fail_at = n += 7;
    status = findlr_session_create(small, &o, &s, &err);
    ck_assert(status == FINDLR_OK || status == FINDLR_ERR_NO_MEMORY);
  } while (status);
  heap.fail_at = 0;
  findlr_session_destroy(s);
  findlr_context_destroy(small);
  test_allocator_check(&heap);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("darknet");
  TCase *t = tcase_create("darknet");
  tcase_add_checked_fixture(t, backend_open, backend_close);
  tcase_add_checked_fixture(t, NULL, forget_files);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, digits_give_a_curve);
  tcase_add_test(t, fashion_gives_a_curve);
  tcase_add_test(t, a_range_test_leaves_no_trace);
  tcase_add_test(t, a_seed_gives_one_curve);
  tcase_add_test(t, rand_is_left_alone);
  tcase_add_test(t, nothing_is_printed);
#ifdef FINDLR_PROGRAM
  tcase_add_test(t, json_on_standard_output_stays_clean);
#endif
  tcase_add_test(t, what_darknet_prints_goes_to_the_log);
  tcase_add_test(t, numbers_of_the_cfg_do_not_depend_on_the_locale);
  tcase_add_test(t, a_step_is_a_step_of_darknet);
  tcase_add_test(t, weights_that_darknet_saved_are_read);
  tcase_add_test(t, a_loss_that_is_not_finite_damages_nothing);
  tcase_add_test(t, groups_are_layers);
  tcase_add_test(t, bad_files_are_one_sentence);
  tcase_add_test(t, unchecked_a_bad_file_ends_the_process);
  tcase_add_test(t, isolated_it_costs_a_sentence);
  tcase_add_test(t, isolated_it_computes_the_same);
  tcase_add_test(t, unchecked_a_good_file_works);
  tcase_add_test(t, no_memory_is_a_sentence);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
