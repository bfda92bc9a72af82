/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TORCH_NETWORK_H
#define FINDLR_TORCH_NETWORK_H

#include <memory>
#include <string>
#include <vector>

#include <torch/script.h>

#include "findlr/plugin.h"

/* A tensor with what the host's view of it points to. */
struct named_tensor {
  std::string name;
  at::Tensor tensor;
  std::vector<int64_t> shape;

  named_tensor(std::string name, const at::Tensor &tensor)
      : name(std::move(name)), tensor(tensor), shape(tensor.sizes().vec()) {}
  findlr_tensor view(); /* data is NULL where the memory is not the CPU's */
};

findlr_tensor view_of(const at::Tensor &t, int64_t *shape);

/* A snapshot is one run of bytes. Reading it happens twice: once to look whether it fits, then to put it
 * into place, so that what is refused changes nothing. */
void append(std::string &out, const void *bytes, size_t size);
void append(std::string &out, const at::Tensor &t);

class reader {
 public:
  reader(const void *bytes, size_t size, bool apply)
      : apply(apply), at(static_cast<const char *>(bytes)), left(size) {}
  const char *take(size_t size);
  void into(const at::Tensor &t); /* sizes and dtype are the tensor's */
  template <class T> void number(T &value) {
    const char *bytes = take(sizeof value);
    if (apply)
      std::memcpy(&value, bytes, sizeof value);
  }
  void end() const;

  const bool apply;

 private:
  const char *at;
  size_t left;
};

/* A TorchScript module that trains: its tensors at addresses that never change, its attributes that are
 * numbers, its methods. */
class network {
 public:
  network(const std::string &file, const at::Device &device, at::ScalarType dtype);

  bool has_loss() const { return loss != nullptr; }
  void set_training(bool on);
  at::Tensor run_forward(const at::Tensor &inputs);
  at::Tensor run_loss(const at::Tensor &inputs, const at::Tensor &targets);

  /* Undoes on destruction what a run changes in buffers and numbers. */
  class rehearsal {
   public:
    explicit rehearsal(network &n);
    ~rehearsal();

   private:
    network &n;
    std::vector<at::Tensor> tensors;
    std::vector<at::IValue> values;
  };

  void append_numbers(std::string &out) const;
  void read_numbers(reader &from);

  std::vector<named_tensor> parameters; /* those that want gradients */
  std::vector<named_tensor> frozen;     /* those that do not */
  std::vector<named_tensor> buffers;    /* all other tensors */

 private:
  typedef c10::intrusive_ptr<c10::ivalue::Object> object;
  struct attribute {
    object owner;
    size_t slot;
    std::string name;
    at::Tensor tensor; /* of an attribute that holds a buffer */
  };

  void walk(const object &o, const std::string &prefix);
  void add_tensor(const std::string &name, const at::Tensor &t, bool is_parameter);
  void add_tensors_within(const std::string &name, const at::IValue &v);
  void find_assignments(const torch::jit::Block &block);
  at::Tensor run(torch::jit::Method &method, std::vector<at::IValue> arguments);

  torch::jit::Module module;
  std::unique_ptr<torch::jit::Method> forward, loss;
  std::vector<object> seen;
  std::vector<attribute> numbers;  /* int, float and bool attributes, but "training" */
  std::vector<attribute> holders;  /* attributes that hold a buffer */
  std::vector<attribute> assigned; /* holders that the code gives new tensors */
  int training = -1;
};

#endif
