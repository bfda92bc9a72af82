/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <algorithm>
#include <sstream>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include "failure.h"

namespace optim = torch::optim;

/* --- the options of each --------------------------------------------------------------------- */

uint32_t optimizer_takes(optimizer_kind kind) {
  const uint32_t adam = 1u << WEIGHT_DECAY | 1u << BETA1 | 1u << BETA2 | 1u << EPS | 1u << AMSGRAD;
  switch (kind) {
  case SGD:
    return 1u << MOMENTUM | 1u << DAMPENING | 1u << NESTEROV | 1u << WEIGHT_DECAY;
  case ADAM:
  case ADAMW:
    return adam;
  case RMSPROP:
    return 1u << MOMENTUM | 1u << WEIGHT_DECAY | 1u << ALPHA | 1u << EPS | 1u << CENTERED;
  case ADAGRAD:
    return 1u << WEIGHT_DECAY | 1u << EPS;
  default:
    return 0;
  }
}

static void set_option(optim::SGDOptions &o, int which, double value) {
  which == MOMENTUM    ? (void)o.momentum(value)
  : which == DAMPENING ? (void)o.dampening(value)
  : which == NESTEROV  ? (void)o.nesterov(value != 0)
                       : (void)o.weight_decay(value);
}

template <class Options> static void set_adam_option(Options &o, int which, double value) {
  const auto betas = o.betas();
  which == BETA1     ? (void)o.betas(std::make_tuple(value, std::get<1>(betas)))
  : which == BETA2   ? (void)o.betas(std::make_tuple(std::get<0>(betas), value))
  : which == EPS     ? (void)o.eps(value)
  : which == AMSGRAD ? (void)o.amsgrad(value != 0)
                     : (void)o.weight_decay(value);
}

static void set_option(optim::AdamOptions &o, int which, double value) {
  set_adam_option(o, which == MOMENTUM ? BETA1 : which, value);
}

static void set_option(optim::AdamWOptions &o, int which, double value) {
  set_adam_option(o, which == MOMENTUM ? BETA1 : which, value);
}

static void set_option(optim::RMSpropOptions &o, int which, double value) {
  which == MOMENTUM   ? (void)o.momentum(value)
  : which == ALPHA    ? (void)o.alpha(value)
  : which == EPS      ? (void)o.eps(value)
  : which == CENTERED ? (void)o.centered(value != 0)
                      : (void)o.weight_decay(value);
}

static void set_option(optim::AdagradOptions &o, int which, double value) {
  which == EPS ? (void)o.eps(value) : (void)o.weight_decay(value);
}

/* --- the state of each ----------------------------------------------------------------------- */

/* All that an optimizer keeps for one parameter, for whoever writes or reads it. */
template <class Visitor> static void visit(optim::SGDParamState &s, Visitor &v) {
  v(s.momentum_buffer());
}

template <class Visitor> static void visit(optim::AdamParamState &s, Visitor &v) {
  v(s.step()), v(s.exp_avg()), v(s.exp_avg_sq()), v(s.max_exp_avg_sq());
}

template <class Visitor> static void visit(optim::AdamWParamState &s, Visitor &v) {
  v(s.step()), v(s.exp_avg()), v(s.exp_avg_sq()), v(s.max_exp_avg_sq());
}

template <class Visitor> static void visit(optim::RMSpropParamState &s, Visitor &v) {
  v(s.step()), v(s.square_avg()), v(s.momentum_buffer()), v(s.grad_avg());
}

template <class Visitor> static void visit(optim::AdagradParamState &s, Visitor &v) {
  v(s.step()), v(s.sum());
}

struct writing {
  std::string &out;

  void operator()(const int64_t &number) { append(out, &number, sizeof number); }
  void operator()(const at::Tensor &t) {
    out.push_back(t.defined());
    if (t.defined())
      append(out, t);
  }
};

struct reading {
  reader &from;
  const at::Tensor &like; /* the parameter: its moments have its shape and dtype */

  void operator()(int64_t &number) { from.number(number); }
  void operator()(at::Tensor &t) {
    if (*from.take(1) == 0) {
      if (from.apply)
        t = at::Tensor();
      return;
    }
    if (from.apply && !(t.defined() && t.is_contiguous() && t.sizes() == like.sizes()))
      t = at::empty_like(like.detach());
    from.into(from.apply ? t : like);
  }
};

/* The state's key is the parameter's address, until 2.0 as text. */
template <class Key> static Key key_of(const at::Tensor &parameter) {
  if constexpr (std::is_same<Key, std::string>::value) {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return text.str();
  } else {
    return parameter.unsafeGetTensorImpl();
  }
}

/* --- any of them ----------------------------------------------------------------------------- */

namespace {

template <class Optimizer, class Options, class State> class engine_of : public engine {
 public:
  engine_of(const std::vector<named_tensor> &parameters, const std::vector<uint32_t> &groups,
            Options options)
      : parameters(parameters), optimizer(grouped(parameters, groups, options), options) {}

  void step(const double *rates, uint32_t n) override {
    std::vector<optim::OptimizerParamGroup> &groups = optimizer.param_groups();
    for (size_t g = 0; g < groups.size(); g++)
      static_cast<Options &>(groups[g].options()).lr(rates[g < n ? g : 0]);
    optimizer.step();
  }

  void set(int which, double value) override {
    for (optim::OptimizerParamGroup &group : optimizer.param_groups())
      set_option(static_cast<Options &>(group.options()), which, value);
  }

  void append_state(std::string &out) const override {
    auto &states = const_cast<Optimizer &>(optimizer).state();
    writing writer = { out };
    for (const named_tensor &p : parameters) {
      const auto found = states.find(key(p));
      out.push_back(found != states.end());
      if (found != states.end())
        visit(static_cast<State &>(*found->second), writer);
    }
  }

  void read_state(reader &from) override {
    auto &states = optimizer.state();
    for (const named_tensor &p : parameters) {
      const bool present = *from.take(1) != 0;
      State scratch;
      if (from.apply && !present)
        states.erase(key(p));
      else if (from.apply && states.find(key(p)) == states.end())
        states[key(p)] = std::make_unique<State>();
      reading reads = { from, p.tensor };
      if (present)
        visit(from.apply ? static_cast<State &>(*states[key(p)]) : scratch, reads);
    }
  }

 private:
  typedef typename std::decay<decltype(std::declval<Optimizer &>().state())>::type::key_type key_type;

  static key_type key(const named_tensor &p) { return key_of<key_type>(p.tensor); }

  static std::vector<optim::OptimizerParamGroup> grouped(const std::vector<named_tensor> &parameters,
                                                         const std::vector<uint32_t> &groups,
                                                         const Options &options) {
    const uint32_t last = *std::max_element(groups.begin(), groups.end());
    std::vector<std::vector<at::Tensor>> tensors(last + 1);
    for (size_t i = 0; i < parameters.size(); i++)
      tensors[groups[i]].push_back(parameters[i].tensor);
    std::vector<optim::OptimizerParamGroup> made;
    for (const std::vector<at::Tensor> &group : tensors)
      made.emplace_back(group, std::make_unique<Options>(options));
    return made;
  }

  const std::vector<named_tensor> &parameters;
  Optimizer optimizer;
};

template <class Optimizer, class Options, class State>
std::unique_ptr<engine> make_engine(const std::vector<named_tensor> &parameters,
                                    const std::vector<uint32_t> &groups,
                                    const hyperparameters &values) {
  Options options(0.);
  for (int i = 0; i < HYPERPARAMETER_COUNT; i++)
    if (values[i].given)
      set_option(options, i, values[i].value);
  return std::make_unique<engine_of<Optimizer, Options, State>>(parameters, groups, options);
}

} // namespace

std::unique_ptr<engine> engine::make(optimizer_kind kind, const std::vector<named_tensor> &parameters,
                                     const std::vector<uint32_t> &groups,
                                     const hyperparameters &values) {
  switch (kind) {
  case SGD:
    return make_engine<optim::SGD, optim::SGDOptions, optim::SGDParamState>(parameters, groups, values);
  case ADAM:
    return make_engine<optim::Adam, optim::AdamOptions, optim::AdamParamState>(parameters, groups, values);
  case ADAMW:
    return make_engine<optim::AdamW, optim::AdamWOptions, optim::AdamWParamState>(parameters, groups,
                                                                                 values);
  case RMSPROP:
    return make_engine<optim::RMSprop, optim::RMSpropOptions, optim::RMSpropParamState>(parameters,
                                                                                       groups, values);
  case ADAGRAD:
    return make_engine<optim::Adagrad, optim::AdagradOptions, optim::AdagradParamState>(parameters,
                                                                                       groups, values);
  default:
    return nullptr;
  }
}
