/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

/* What the registry takes, and how it finds. */

static int32_t describe(void *user, uint32_t i, findlr_option *out) {
  const findlr_option *options = user;
  uint32_t size = out->struct_size;
  *out = options[i];
  out->struct_size = size;
  return FINDLR_OK;
}

/* Vtables whose every slot is set, to something that is never called. */
static void nothing(void) {
}

typedef struct vtable {
  uint32_t struct_size;
  uint32_t targets;
  void (*slots[10])(void);
} vtable;

static vtable full(size_t size) {
  vtable v = { (uint32_t)size, FINDLR_TARGETS_REAL, { 0 } };
  for (size_t i = 0; i < 10; i++)
    v.slots[i] = nothing;
  return v;
}

static const struct {
  const char *word;
  size_t size;
  const char *mandatory[7];
} kinds[] = {
  { NULL, 0, { NULL } },
  { "model",
    sizeof(findlr_model_vtable),
    { "create", "destroy", "forward", "backward", "parameter", "state", NULL } },
  { "optimizer", sizeof(findlr_optimizer_vtable), { "create", "destroy", "step", "set", "state" } },
  { "loss", sizeof(findlr_loss_vtable), { "create", "destroy", "value_and_gradient" } },
  { "data source", sizeof(findlr_data_vtable), { "create", "destroy", "describe", "gather" } },
  /* evaluate, between step and save, may be NULL. */
  { "trainer", sizeof(findlr_trainer_vtable), { "create", "destroy", "step", "", "save", "restore" } },
};

static findlr_context *context;

static void setup(void) {
  ERR;
  ck_ok(findlr_context_create(NULL, &context, &err));
}

static void teardown(void) {
  findlr_context_destroy(context);
}

START_TEST(every_mandatory_slot) {
  ERR;
  static vtable vtables[6];
  static findlr_component components[6];
  for (uint32_t kind = 1; kind <= 5; kind++) {
    vtable *v = &vtables[kind];
    findlr_component *c = &components[kind];
    *v = full(kinds[kind].size);
    *c = (findlr_component){ sizeof *c, kind, "mine", "mine", v, NULL, 0, 0, NULL };
    for (size_t i = 0; i < 7 && kinds[kind].mandatory[i]; i++) {
      if (!*kinds[kind].mandatory[i])
        continue;
      char wanted[100];
      snprintf(wanted, sizeof wanted, "%s mine: its mandatory slot %s is NULL", kinds[kind].word,
               kinds[kind].mandatory[i]);
      v->slots[i] = NULL;
      ck_fails(findlr_register(context, c, &err), FINDLR_ERR_ARGUMENT, wanted);
      v->slots[i] = nothing;
    }
    v->struct_size = (uint32_t)kinds[kind].size - 1;
    ck_fails(findlr_register(context, c, &err), FINDLR_ERR_ARGUMENT, "its vtable has struct_size");
    v->struct_size = 0;
    ck_fails(findlr_register(context, c, &err), FINDLR_ERR_ARGUMENT, "struct_size 0, wanted");
    v->struct_size = (uint32_t)kinds[kind].size + 8; /* a newer one */
    ck_ok(findlr_register(context, c, &err));
    const findlr_component *found = NULL;
    ck_ok(findlr_component_find(context, kind, "mine", &found, &err));
    ck_assert_ptr_eq(found, c);
    ck_fails(findlr_register(context, c, &err), FINDLR_ERR_ARGUMENT, "is taken by the program");
  }
}
END_TEST

START_TEST(slots_that_may_be_null) {
  ERR;
  for (uint32_t kind = 1; kind <= 5; kind++) {
    vtable v = full(kinds[kind].size);
    size_t n = (kinds[kind].size - offsetof(vtable, slots)) / sizeof v.slots[0];
    v.slots[n - 1] = NULL; /* get_extension */
    if (kind == FINDLR_KIND_TRAINER)
      v.slots[3] = v.slots[6] = NULL; /* evaluate, fingerprint */
    findlr_component c = { sizeof c, kind, "mine", "mine", &v, NULL, 0, 0, NULL };
    ck_ok(findlr_register(context, &c, &err));
    findlr_context_destroy(context);
    setup();
  }
}
END_TEST

START_TEST(bad_arguments) {
  ERR;
  vtable v = full(sizeof(findlr_loss_vtable));
  findlr_component c = { sizeof c, FINDLR_KIND_LOSS, "mine", "mine", &v, NULL, 0, 0, NULL };
  ck_fails(findlr_register(NULL, &c, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_register(context, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  c.struct_size = 0;
  ck_fails(findlr_register(context, &c, &err), FINDLR_ERR_ARGUMENT, "struct_size 0");
  c.struct_size = sizeof c;
  v.targets = 4;
  ck_fails(findlr_register(context, &c, &err), FINDLR_ERR_ARGUMENT, "targets of type 4");
  const findlr_component *found;
  ck_fails(findlr_component_find(NULL, 1, "a", &found, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_component_find(context, 1, NULL, &found, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_component_find(context, 1, "a", NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_component_find(context, 0, "a", &found, &err), FINDLR_ERR_ARGUMENT, "kind is 0");
  ck_fails(findlr_component_find(context, 6, "a", &found, &err), FINDLR_ERR_ARGUMENT, "kind is 6");
  ck_assert_ptr_null(findlr_component_at(context, 9, 0));
  ck_assert_ptr_null(findlr_component_at(NULL, 1, 0));
}
END_TEST

static int32_t register_option(findlr_option option, findlr_error *err) {
  static vtable v;
  static findlr_option options[1];
  static findlr_component c;
  v = full(sizeof(findlr_model_vtable));
  options[0] = option;
  c = (findlr_component){ sizeof c, FINDLR_KIND_MODEL, "mine", "mine", &v, options, 1, 0, describe };
  findlr_context *own;
  int32_t status = findlr_context_create(NULL, &own, err);
  if (status == FINDLR_OK)
    status = findlr_register(own, &c, err);
  findlr_context_destroy(own);
  return status;
}

START_TEST(option_tables) {
  ERR;
  findlr_option o = { sizeof o, FINDLR_OPTION_INTEGER, "size", "help", "3", NULL, 1, 9 };
  ck_ok(register_option(o, &err));
  o.default_value = NULL; /* must be given */
  ck_ok(register_option(o, &err));
  o.default_value = "0";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "option size is \"0\", wanted 1 to 9");
  o.default_value = "many";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "wanted a whole number (its own default)");
  o.default_value = "3";
  o.minimum = NAN;
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "minimum of nan");
  o = (findlr_option){ sizeof o, FINDLR_OPTION_SIZES, "hidden", "help", "", NULL, 1, 9 };
  ck_ok(register_option(o, &err));
  o.default_value = "3x10";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "wanted sizes of 1 to 9 each");
  o = (findlr_option){ sizeof o, FINDLR_OPTION_BOOLEAN, "bias", "help", "maybe", NULL, 0, 0 };
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "wanted true or false");
  o.default_value = "no";
  ck_ok(register_option(o, &err));
  o = (findlr_option){ sizeof o, FINDLR_OPTION_TEXT, "file", "help", "", NULL, 0, 0 };
  ck_ok(register_option(o, &err));
  o.default_value = "\xff";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "option file: its default is not UTF-8");
  o = (findlr_option){ sizeof o, FINDLR_OPTION_CHOICE, "kind", "help", "b", "a|b", 0, 0 };
  ck_ok(register_option(o, &err));
  o.default_value = "c";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "wanted a|b");
  o.choices = NULL;
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "its list of choices is NULL");
  o.default_value = "a";
  const char *wrong[] = { "", "|", "a|", "|a", "a|b|a" };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    o.choices = wrong[i];
    ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "wanted different words");
  }
  o.choices = "a";
  ck_ok(register_option(o, &err));
  o.help = "two\nlines";
  ck_fails(register_option(o, &err), FINDLR_ERR_ARGUMENT, "its help has a control character");
}
END_TEST

START_TEST(the_built_in_components_are_there) {
  ERR;
  const struct {
    uint32_t kind;
    const char *name;
  } wanted[] = {
    { FINDLR_KIND_OPTIMIZER, "sgd" },   { FINDLR_KIND_OPTIMIZER, "adam" },
    { FINDLR_KIND_OPTIMIZER, "adamw" }, { FINDLR_KIND_OPTIMIZER, "rmsprop" },
    { FINDLR_KIND_OPTIMIZER, "adagrad" }, { FINDLR_KIND_LOSS, "mse" },
    { FINDLR_KIND_LOSS, "l1" },         { FINDLR_KIND_LOSS, "huber" },
    { FINDLR_KIND_LOSS, "cross_entropy" }, { FINDLR_KIND_LOSS, "bce_with_logits" },
  };
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    const findlr_component *found = NULL;
    ck_ok(findlr_component_find(context, wanted[i].kind, wanted[i].name, &found, &err));
    ck_assert_str_eq(found->name, wanted[i].name);
  }
}
END_TEST

START_TEST(near_misses) {
  ERR;
  const findlr_component *found = NULL;
  ck_fails(findlr_component_find(context, FINDLR_KIND_OPTIMIZER, "adma", &found, &err),
           FINDLR_ERR_NOT_FOUND, "there is no optimizer named \"adma\" (did you mean \"adam\"?)");
  ck_fails(findlr_component_find(context, FINDLR_KIND_LOSS, "adam", &found, &err),
           FINDLR_ERR_NOT_FOUND, "adam is a kind of optimizer");
  ck_fails(findlr_component_find(context, FINDLR_KIND_MODEL, "../mlp", &found, &err),
           FINDLR_ERR_NOT_FOUND, "a name has lower case letters");
  ck_fails(findlr_component_find(context, FINDLR_KIND_MODEL, "", &found, &err),
           FINDLR_ERR_NOT_FOUND, "there is no model named \"\"");
  ck_fails(findlr_component_find(context, FINDLR_KIND_MODEL, "zzzzzz", &found, &err),
           FINDLR_ERR_NOT_FOUND, "looked in ");
  ck_assert_ptr_null(found);
}
END_TEST

START_TEST(a_component_is_found_in_a_plugin_of_its_name) {
  ERR;
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  o.plugin_path = TEST_ZOO;
  o.flags = FINDLR_CONTEXT_NO_ENVIRONMENT;
  findlr_context *own;
  ck_ok(findlr_context_create(&o, &own, &err));
  const findlr_component *found = NULL;
  /* good.so is there, but its model is called zoo; now it is loaded and known. */
  ck_fails(findlr_component_find(own, FINDLR_KIND_MODEL, "good", &found, &err), FINDLR_ERR_NOT_FOUND,
           "there is no model named \"good\"");
  ck_ok(findlr_component_find(own, FINDLR_KIND_MODEL, "zoo", &found, &err));
  /* A file that nobody loaded yet can be the near miss. */
  ck_fails(findlr_component_find(own, FINDLR_KIND_MODEL, "larges", &found, &err),
           FINDLR_ERR_NOT_FOUND, "(did you mean \"larger\"?)");
  /* A plugin that is there and cannot be loaded says why. */
  ck_fails(findlr_component_find(own, FINDLR_KIND_MODEL, "newer_major", &found, &err),
           FINDLR_ERR_PLUGIN_VERSION, "plugin ABI 2");
  findlr_context_destroy(own);
}
END_TEST

START_TEST(no_memory_for_a_near_miss) {
  ERR;
  for_each_failure(a) {
    findlr_context_options o;
    findlr_context_options_init(&o, sizeof o);
    o.allocator = &a.allocator;
    o.plugin_path = TEST_ZOO;
    findlr_context *own = NULL;
    const findlr_component *found = NULL;
    int32_t status = findlr_context_create(&o, &own, &err);
    if (status == FINDLR_OK)
      status = findlr_component_find(own, FINDLR_KIND_MODEL, "gooood", &found, &err);
    ck_assert_int_eq(status, a.failed ? FINDLR_ERR_NO_MEMORY : FINDLR_ERR_NOT_FOUND);
    findlr_context_destroy(own);
  }
}
END_TEST

/* --- static plugins -------------------------------------------------------------------------- */

static int inits, deinits;

static int32_t init(const findlr_host *host, void *ctx) {
  (void)host, (void)ctx;
  inits++;
  return FINDLR_OK;
}

static void deinit(void) {
  deinits++;
}

static vtable static_vtable;
static findlr_component static_component;

static const findlr_component *component(uint32_t i) {
  return i == 0 ? &static_component : NULL;
}

static const findlr_plugin *entry(void) {
  static const findlr_plugin plugin = { sizeof plugin, 0, "here", "1", "linked in", init, deinit,
                                        component, NULL };
  return &plugin;
}

static const findlr_plugin *empty_entry(void) {
  return NULL;
}

START_TEST(static_plugins) {
  ERR;
  static_vtable = full(sizeof(findlr_model_vtable));
  static_component = (findlr_component){ sizeof static_component, FINDLR_KIND_MODEL, "mine", "mine",
                                         &static_vtable, NULL, 0, 0, NULL };
  ck_ok(findlr_register_static(context, entry, &err));
  ck_ok(findlr_register_static(context, entry, &err));
  ck_assert_int_eq(inits, 1);
  findlr_plugin_info info = { .struct_size = sizeof info };
  ck_ok(findlr_plugin_at(context, 0, &info, &err));
  ck_assert_str_eq(info.file, "");
  ck_assert_str_eq(info.description, "linked in");
  ck_assert_uint_eq(info.component_count, 1);
  const findlr_component *found;
  ck_ok(findlr_component_find(context, FINDLR_KIND_MODEL, "mine", &found, &err));
  const void *extension;
  ck_fails(findlr_plugin_extension(context, "here", "x/1", &extension, &err),
           FINDLR_ERR_UNSUPPORTED, "plugin here has no extension x/1");
  ck_fails(findlr_register_static(context, empty_entry, &err), FINDLR_ERR_PLUGIN_INVALID,
           "returned NULL");
  ck_fails(findlr_register_static(context, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  findlr_context_destroy(context);
  ck_assert_int_eq(deinits, 1);
  setup();
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("registry");
  TCase *c = tcase_create("registry");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, every_mandatory_slot);
  tcase_add_test(c, slots_that_may_be_null);
  tcase_add_test(c, bad_arguments);
  tcase_add_test(c, option_tables);
  tcase_add_test(c, the_built_in_components_are_there);
  tcase_add_test(c, near_misses);
  tcase_add_test(c, a_component_is_found_in_a_plugin_of_its_name);
  tcase_add_test(c, static_plugins);
  tcase_add_test(c, no_memory_for_a_near_miss);
  tcase_set_timeout(c, 60);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
