/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

/* The plugin over libtorch, on the networks that tests/torch/make_files.py wrote with Python's PyTorch. */

enum { STEPS = 100, GENERATOR = 5056 };

static findlr_context *context;

static void setup(void) {
  ERR;
  ck_ok(findlr_context_create(NULL, &context, &err));
}

static void teardown(void) {
  findlr_context_destroy(context);
}

static const char *path(const char *name) {
  static char text[4][512];
  static int next;
  next = (next + 1) % 4;
  snprintf(text[next], sizeof text[next], TORCH_FILES "/%s", name);
  return text[next];
}

/* The session for "FILE.pt[,options]" on the table of rows. */
typedef struct wish {
  const char *model, *optimizer, *loss;
  uint32_t dtype, threads;
  double validation;
  int64_t accumulate, batch;
  const char *group;
} wish;

static int32_t open_session(wish w, findlr_session **ret_session, findlr_error *err) {
  char data[600], model[800];
  const double factor = 0.1;
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  snprintf(data, sizeof data, "csv:file=\"%s\"", path("rows.csv"));
  int length = (int)strcspn(w.model, ",");
  snprintf(model, sizeof model, "torch:file=\"%s/%.*s\"%s", TORCH_FILES, length, w.model,
           w.model + length);
  o.data = data;
  o.model = model;
  o.optimizer = w.optimizer;
  o.loss = w.loss;
  o.sampling = FINDLR_SAMPLING_SEQUENTIAL;
  o.dtype = w.dtype ? w.dtype : FINDLR_DTYPE_FLOAT32;
  o.batch_size = w.batch ? w.batch : 64;
  o.accumulate = w.accumulate ? w.accumulate : 1;
  o.validation = w.validation;
  o.threads = w.threads ? w.threads : 1;
  o.group_count = w.group != NULL;
  o.group_patterns = &w.group;
  o.group_factors = &factor;
  return findlr_session_create(context, &o, ret_session, err);
}

static findlr_session *make(wish w) {
  ERR;
  findlr_session *s;
  ck_ok(open_session(w, &s, &err));
  return s;
}

static double step(findlr_session *s, double rate) {
  ERR;
  double loss;
  ck_ok(findlr_session_step(s, &rate, 1, &loss, &err));
  return loss;
}

static uint64_t fingerprint(findlr_session *s) {
  ERR;
  uint64_t hash;
  ck_ok(findlr_session_fingerprint(s, &hash, &err));
  return hash;
}

/* The tensor of that name in the state list. */
static findlr_tensor find(findlr_session *s, const char *name) {
  ERR;
  findlr_named_tensor entry = { .struct_size = sizeof entry };
  for (uint32_t i = 0; findlr_session_state(s, i, &entry, &err) == FINDLR_OK; i++)
    if (!strcmp(entry.name, name))
      return entry.tensor;
  ck_abort_msg("no state %s", name);
  return entry.tensor;
}

static void read_generator(findlr_session *s) {
  findlr_tensor t = find(s, "model.torch.generator");
  ck_assert_int_eq(findlr_tensor_count(&t), GENERATOR);
  FILE *f = fopen(path("generator.bin"), "rb");
  ck_assert(f && fread(t.data, 1, GENERATOR, f) == GENERATOR);
  fclose(f);
}

/* --- PyTorch's own curves -------------------------------------------------------------------- */

static const char *options_of(const char *optimizer) {
  return !strcmp(optimizer, "sgd")       ? "sgd,momentum=0.9,weight_decay=1e-4"
         : !strcmp(optimizer, "adamw")   ? "adamw,weight_decay=0.01"
         : !strcmp(optimizer, "rmsprop") ? "rmsprop,momentum=0.9,centered=true"
                                         : optimizer;
}

/* One line of curves.txt, trained again: with findlr's optimizer and loss, or with libtorch's. */
static double compare(char *line, bool engine) {
  char name[32], shape[16], optimizer[16], dtype[16], model[256], own_optimizer[64];
  int own_loss, at;
  double rate, worst = 0;
  ck_assert_int_eq(sscanf(line, "%31s %15s %15s %15s %d %lf%n", name, shape, optimizer, dtype, &own_loss,
                          &rate, &at), 6);
  if (own_loss && !engine)
    return 0;
  snprintf(own_optimizer, sizeof own_optimizer, "%s", options_of(optimizer));
  char *comma = strchr(own_optimizer, ',');
  if (comma)
    *comma = ':';
  snprintf(model, sizeof model, "%s.pt,shape=%s%s%s%s", name, shape, engine ? ",optimizer=" : "",
           engine ? options_of(optimizer) : "",
           engine ? own_loss ? ",loss=module" : ",loss=cross_entropy" : "");
  findlr_session *s = make((wish){
      .model = model,
      .optimizer = engine ? NULL : own_optimizer,
      .dtype = !strcmp(dtype, "float64") ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32 });
  read_generator(s);
  char *from = line + at;
  for (int i = 0; i < STEPS; i++) {
    const double wanted = strtod(from, &from), loss = step(s, rate);
    worst = fmax(worst, fabs(loss - wanted));
    ck_quick(fabs(loss - wanted) <= 1e-5 * fmax(1, wanted), "%s %s %s: step %d has loss %.9g, PyTorch %.9g",
             model, optimizer, dtype, i, loss, wanted);
  }
  findlr_session_destroy(s);
  return worst;
}

START_TEST(the_curve_is_pytorchs) {
  FILE *f = fopen(path("curves.txt"), "r");
  char line[8192];
  int lines = 0;
  double worst = 0;
  ck_assert_ptr_nonnull(f);
  for (; fgets(line, sizeof line, f); lines++)
    worst = fmax(worst, compare(line, _i));
  fclose(f);
  ck_assert_int_ge(lines, 12);
  printf("%d curves of PyTorch with %s optimizers: largest difference %.3g\n", lines,
         _i ? "libtorch's" : "findlr's", worst);
}
END_TEST

/* --- state ----------------------------------------------------------------------------------- */

static const char *const models[] = {
  "cnn.pt,shape=1x8x8", "transformer.pt,shape=8x8", "lstm.pt,shape=8x8", "remembers.pt",
  "cnn.pt,shape=1x8x8,optimizer=sgd,momentum=0.9", "transformer.pt,shape=8x8,optimizer=adam,amsgrad=true",
  "lstm.pt,shape=8x8,optimizer=adamw", "remembers.pt,optimizer=rmsprop,momentum=0.5,centered=true",
  "cnn.pt,shape=1x8x8,optimizer=adagrad", "cnn.pt,shape=1x8x8,optimizer=adam,dtype=bfloat16",
  "transformer.pt,shape=8x8,optimizer=adam,dtype=float64",
};
enum { MODELS = sizeof models / sizeof *models };

static int32_t cancel_at_20(void *ud, const findlr_range_test *test) {
  (void)ud;
  return findlr_range_test_steps(test) == 20;
}

START_TEST(every_test_puts_it_back) {
  ERR;
  findlr_session *s = make((wish){ .model = models[_i], .validation = 0.25 });
  for (int i = 0; i < 3; i++)
    step(s, 1e-3);
  const uint64_t before = fingerprint(s);
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.num_iter = 50;
  o.start_lr = 1e-5;
  o.follow = _i % 2 ? FINDLR_FOLLOW_VALIDATION : FINDLR_FOLLOW_TRAIN;
  findlr_drive_options d;
  findlr_drive_options_init(&d, sizeof d);
  findlr_range_test *test;
  ck_ok(findlr_range_test_create(NULL, &o, &test, &err));
  const findlr_curve *curve = findlr_range_test_curve(test);
  double first[50];
  for (int run = 0; run < 3; run++) {
    d.progress = run == 1 ? cancel_at_20 : NULL;
    const int32_t status = findlr_drive(test, findlr_session_trainer(s), &d, &err);
    ck_assert_int_eq(status, run == 1 ? FINDLR_ERR_CANCELLED : FINDLR_OK);
    ck_assert_uint_eq(fingerprint(s), before);
    const double *losses = findlr_curve_loss(curve);
    for (size_t i = 0; i < findlr_curve_count(curve); i++)
      if (run == 0)
        first[i] = losses[i];
      else
        ck_quick(losses[i] == first[i] || (isnan(first[i]) && isnan(losses[i])),
                 "%s: loss %zu of run %d is %.17g, was %.17g", models[_i], i, run, losses[i], first[i]);
  }
  findlr_range_test_destroy(test);

  /* A step that fails changes the state; the slot brings it back, and what follows is the same. */
  ck_ok(findlr_session_save(s, 0, &err));
  double later[5], loss, rate = NAN;
  for (int i = 0; i < 5; i++)
    later[i] = step(s, 1e-3);
  ck_fails(findlr_session_step(s, &rate, 1, &loss, &err), FINDLR_ERR_ARGUMENT, "finite");
  ck_assert_uint_ne(fingerprint(s), before);
  ck_ok(findlr_session_restore(s, 0, &err));
  ck_assert_uint_eq(fingerprint(s), before);
  ck_ok(findlr_session_evaluate(s, &loss, &err));
  ck_assert_uint_eq(fingerprint(s), before);
  for (int i = 0; i < 5; i++)
    ck_assert_double_eq(step(s, 1e-3), later[i]);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(a_hundred_steps_learn) {
  findlr_session *s = make((wish){ .model = models[_i] });
  double first = 0, last = 0;
  for (int i = 0; i < STEPS; i++) {
    const double loss = step(s, 3e-3);
    first += i < 8 ? loss / 8 : 0;
    last += i >= STEPS - 8 ? loss / 8 : 0;
  }
  ck_assert_msg(last < first, "%s: %g, then %g", models[_i], first, last);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(generator_and_buffers_are_state) {
  ERR;
  findlr_session *s = make((wish){ .model = "cnn.pt,shape=1x8x8" });
  static const char *const names[] = { "model.torch.generator", "model.features.1.running_mean",
                                       "model.features.1.running_var", "model.features.5.num_batches_tracked",
                                       "parameter.features.0.weight", "parameter.classifier.bias" };
  step(s, 1e-3);
  const uint64_t before = fingerprint(s);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const findlr_tensor t = find(s, names[i]);
    unsigned char *byte = t.data;
    byte += i == 0 ? 1000 : 0;
    *byte ^= 1;
    ck_assert_uint_ne(fingerprint(s), before);
    *byte ^= 1;
    ck_assert_uint_eq(fingerprint(s), before);
  }
  const findlr_tensor tracked = find(s, names[3]), generator = find(s, names[0]);
  ck_assert_int_eq(*(int64_t *)tracked.data, 1);
  char drawn[GENERATOR];
  memcpy(drawn, generator.data, GENERATOR);
  step(s, 1e-3);
  ck_assert_int_eq(*(int64_t *)tracked.data, 2);
  ck_assert_int_ne(memcmp(drawn, generator.data, GENERATOR), 0); /* dropout drew from it */

  /* What is no generator's state is refused, and the state of the process is as before. */
  memset(generator.data, 0xff, GENERATOR);
  double loss, rate = 1e-3;
  int32_t status = findlr_session_step(s, &rate, 1, &loss, &err);
  ck_assert_msg(status == FINDLR_ERR_BACKEND, "%d: %s", (int)status, err.message);
  memcpy(generator.data, drawn, GENERATOR);
  step(s, 1e-3);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(what_a_module_assigns_is_state) {
  ERR;
  findlr_session *s = make((wish){ .model = "remembers.pt", .validation = 0.25 });
  const findlr_tensor seen = find(s, "model.seen"), mean = find(s, "model.mean");
  find(s, "model.frozen.weight");
  double loss;
  ck_ok(findlr_session_save(s, 0, &err));
  const uint64_t before = fingerprint(s);
  const double first = step(s, 0), second = step(s, 0);
  ck_assert(*(float *)seen.data == 2 && *(float *)mean.data != 0);
  const uint64_t after = fingerprint(s);
  ck_ok(findlr_session_evaluate(s, &loss, &err));
  ck_assert_uint_eq(fingerprint(s), after);
  ck_ok(findlr_session_restore(s, 0, &err));
  ck_assert_uint_eq(fingerprint(s), before);
  ck_assert_double_eq(step(s, 0), first);
  ck_assert_double_eq(step(s, 0), second);
  ck_assert_uint_eq(fingerprint(s), after);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(instances_do_not_disturb_each_other) {
  double alone[20];
  findlr_session *s = make((wish){ .model = models[_i] });
  for (int i = 0; i < 20; i++)
    alone[i] = step(s, 1e-3);
  findlr_session_destroy(s);
  findlr_session *a = make((wish){ .model = models[_i] }), *b = make((wish){ .model = models[_i] }),
                 *c = make((wish){ .model = "cnn.pt,shape=1x8x8", .optimizer = "sgd", .threads = 2 });
  for (int i = 0; i < 20; i++) {
    ck_assert_double_eq(step(a, 1e-3), alone[i]);
    step(c, 1e-3);
    ck_assert_double_eq(step(b, 1e-3), alone[i]);
  }
  ck_assert_uint_eq(fingerprint(a), fingerprint(b));
  findlr_session_destroy(c);
  findlr_session_destroy(b);
  findlr_session_destroy(a);
}
END_TEST

/* --- libtorch's optimizers ------------------------------------------------------------------- */

/* Two batches of 32 make the step of one of 64: the gradients are of the sum. */
START_TEST(batches_add_up) {
  const char *model = "tied.pt,optimizer=sgd,momentum=0.9";
  findlr_session *whole = make((wish){ .model = model, .dtype = FINDLR_DTYPE_FLOAT64 }),
                 *parts = make((wish){ .model = model, .dtype = FINDLR_DTYPE_FLOAT64, .batch = 16, .accumulate = 4 });
  for (int i = 0; i < 10; i++) {
    const double a = step(whole, 0.1), b = step(parts, 0.1);
    ck_assert_msg(fabs(a - b) < 1e-9, "step %d: %.17g and %.17g", i, a, b);
  }
  findlr_session_destroy(whole);
  findlr_session_destroy(parts);
}
END_TEST

START_TEST(groups_have_their_own_rates) {
  ERR;
  findlr_session *s = make((wish){ .model = "tied.pt,optimizer=sgd", .group = "last.*" });
  const findlr_tensor first = find(s, "parameter.first.bias"), last = find(s, "parameter.last.bias");
  const double rates[2] = { 0, 0.1 };
  const float a = *(float *)first.data, b = *(float *)last.data;
  double loss;
  ck_ok(findlr_session_step(s, rates, 2, &loss, &err));
  ck_assert(*(float *)first.data == a && *(float *)last.data != b);
  findlr_session_destroy(s);
}
END_TEST

/* --- what cannot be -------------------------------------------------------------------------- */

static const struct {
  const char *model;
  int32_t status;
  const char *sentence;
} refusals[] = {
  { "missing.pt", FINDLR_ERR_NOT_FOUND, "there is no file" },
  { ".", FINDLR_ERR_FORMAT, "no regular file" },
  { "text.pt", FINDLR_ERR_FORMAT, "no TorchScript file" },
  { "empty.pt", FINDLR_ERR_FORMAT, "no TorchScript file" },
  { "half.pt", FINDLR_ERR_FORMAT, "no TorchScript file" },
  { "state_dict.pt", FINDLR_ERR_FORMAT, "no TorchScript file" },
  { "untrained.pt", FINDLR_ERR_FORMAT, "no parameter that wants gradients" },
  { "twoinputs.pt", FINDLR_ERR_ARGUMENT, "takes 2 arguments, wanted 1" },
  { "lists.pt", FINDLR_ERR_UNSUPPORTED, "assigns its attribute \"history\"" },
  { "cnn.pt,shape=1x28x28", FINDLR_ERR_ARGUMENT, "shape is 1 x 28 x 28, but a row of the data is 64" },
  { "cnn.pt,device=cuda,optimizer=adam", FINDLR_ERR_UNSUPPORTED, "CUDA" },
  { "cnn.pt,dtype=bfloat16", FINDLR_ERR_ARGUMENT, "needs one of libtorch's own optimizers" },
  { "cnn.pt,momentum=0.9", FINDLR_ERR_ARGUMENT, "momentum belongs to libtorch's optimizers" },
  { "cnn.pt,loss=mse", FINDLR_ERR_ARGUMENT, "loss belongs to libtorch's optimizers" },
  { "cnn.pt,optimizer=adam,momentum=0.9", FINDLR_ERR_ARGUMENT, "no option of libtorch's adam" },
  { "cnn.pt,optimizer=adam,loss=mse", FINDLR_ERR_ARGUMENT, "loss mse wants numbers" },
  { "cnn.pt,optimizer=adam,loss=module", FINDLR_ERR_ARGUMENT, "exports no method loss" },
  { "cnn.pt,optimizer=sgd,nesterov=true", FINDLR_ERR_BACKEND, "esterov" },
};

START_TEST(refuses_with_a_sentence) {
  ERR;
  findlr_session *s = NULL;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    ck_fails(open_session((wish){ .model = refusals[i].model }, &s, &err), refusals[i].status,
             refusals[i].sentence);
    ck_assert_ptr_null(strchr(err.message, '\n'));
  }
}
END_TEST

static const struct {
  const char *model, *sentence;
} failures[] = {
  { "cnn.pt", "xpected 3D" },
  { "cnn.pt,optimizer=adam", "xpected 3D" },
  { "lstm.pt,shape=4x16", "16" },
  { "seven.pt", "the module's outputs are 64 x 7, wanted 64 x 10" },
  { "seven.pt,optimizer=sgd", "the module's outputs are 64 x 7, wanted 64 x 10" },
  { "raises.pt", "rows are not to my taste" },
  { "pair.pt", "returned a " },
  { "detached.pt", "depend on no parameter" },
  { "detached.pt,optimizer=adam", "depends on no parameter" },
  { "grows.pt", "gave its attribute \"last\" another shape" },
};

START_TEST(a_step_fails_with_a_sentence) {
  ERR;
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    findlr_session *s = make((wish){ .model = failures[i].model });
    double loss, rate = 1e-3;
    const uint64_t before = fingerprint(s);
    ck_ok(findlr_session_save(s, 0, &err));
    for (int times = 0; times < 2; times++) {
      const int32_t status = findlr_session_step(s, &rate, 1, &loss, &err);
      ck_assert_msg(status < 0 && strstr(err.message, failures[i].sentence), "%d: %s", (int)status,
                    err.message);
      ck_assert_ptr_null(strchr(err.message, '\n'));
    }
    ck_ok(findlr_session_restore(s, 0, &err));
    ck_assert_uint_eq(fingerprint(s), before);
    findlr_session_destroy(s);
  }
}
END_TEST

START_TEST(takes_no_optimizer_beside_its_own) {
  ERR;
  findlr_session *s;
  ck_fails(open_session((wish){ .model = "cnn.pt,optimizer=adam", .optimizer = "adam" }, &s, &err),
           FINDLR_ERR_ARGUMENT, "trains by itself");
}
END_TEST

/* --- the process ----------------------------------------------------------------------------- */

/* One that is only looked at: what matters is that it lies elsewhere. */
START_TEST(another_libtorch_is_refused) {
  ERR;
  char copy[64], folder[] = "/tmp/findlr-torch-XXXXXX", bytes[65536];
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(copy, sizeof copy, "%s/libc10.so", folder);
  FILE *from = fopen(LIBTORCH, "rb"), *to = fopen(copy, "wb");
  ck_assert(from && to);
  for (size_t n; (n = fread(bytes, 1, sizeof bytes, from)) > 0;)
    ck_assert_uint_eq(fwrite(bytes, 1, n, to), n);
  fclose(from);
  fclose(to);
  void *handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
  ck_assert_msg(handle != NULL, "%s", dlerror());
  ck_fails(findlr_load_plugin_named(context, "torch", &err), FINDLR_ERR_BACKEND, "two libtorches");
  ck_assert_ptr_nonnull(strstr(err.message, folder));
  unlink(copy);
  rmdir(folder);
}
END_TEST

START_TEST(exits_in_the_middle) {
  findlr_session *s = make((wish){ .model = models[_i], .threads = 2 });
  step(s, 1e-3);
  step(s, 1e-3);
  exit(0);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("torch");
  TCase *t = tcase_create("torch");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, the_curve_is_pytorchs, 0, 2);
  tcase_add_loop_test(t, every_test_puts_it_back, 0, MODELS);
  tcase_add_loop_test(t, a_hundred_steps_learn, 0, MODELS);
  tcase_add_test(t, generator_and_buffers_are_state);
  tcase_add_test(t, what_a_module_assigns_is_state);
  tcase_add_loop_test(t, instances_do_not_disturb_each_other, 0, 5);
  tcase_add_test(t, batches_add_up);
  tcase_add_test(t, groups_have_their_own_rates);
  tcase_add_test(t, refuses_with_a_sentence);
  tcase_add_test(t, a_step_fails_with_a_sentence);
  tcase_add_test(t, takes_no_optimizer_beside_its_own);
  tcase_add_test(t, another_libtorch_is_refused);
  tcase_add_loop_exit_test(t, exits_in_the_middle, 0, 0, 5);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
