/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TORCH_ENGINE_H
#define FINDLR_TORCH_ENGINE_H

#include "network.h"

/* libtorch's own optimizers, for FINDLR_EXT_TRAIN. */

enum optimizer_kind { NO_OPTIMIZER, SGD, ADAM, ADAMW, RMSPROP, ADAGRAD };

/* What the user wrote of the options; unset: libtorch's default. */
struct hyperparameter {
  bool given;
  double value;
};
enum {
  MOMENTUM, DAMPENING, NESTEROV, WEIGHT_DECAY, BETA1, BETA2, ALPHA, EPS, AMSGRAD, CENTERED,
  HYPERPARAMETER_COUNT
};
typedef hyperparameter hyperparameters[HYPERPARAMETER_COUNT];

/* Which of them an optimizer has, as bits. */
uint32_t optimizer_takes(optimizer_kind kind);

class engine {
 public:
  static std::unique_ptr<engine> make(optimizer_kind kind, const std::vector<named_tensor> &parameters,
                                      const std::vector<uint32_t> &groups,
                                      const hyperparameters &values);
  virtual ~engine() = default;
  virtual void step(const double *rates, uint32_t n) = 0;
  virtual void set(int which, double value) = 0;
  /* Moments and counters of each parameter in turn. */
  virtual void append_state(std::string &out) const = 0;
  virtual void read_state(reader &from) = 0;
};

#endif
