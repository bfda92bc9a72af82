/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <torch/csrc/jit/passes/inliner.h>

#include "failure.h"

/* --- tensors and bytes ----------------------------------------------------------------------- */

static uint8_t dtype_code(at::ScalarType type) {
  if (type == at::kBFloat16)
    return 4;
  if (at::isFloatingType(type))
    return 2;
  if (at::isComplexType(type))
    return 5;
  return type == at::kByte || type == at::kBool ? 1 : 0;
}

findlr_tensor view_of(const at::Tensor &t, int64_t *shape) {
  findlr_tensor view = {};
  view.device_type = t.is_cpu() ? FINDLR_DEVICE_CPU : 2; /* DLPack's CUDA */
  view.data = t.data_ptr();
  view.ndim = static_cast<int32_t>(t.dim());
  view.dtype_code = dtype_code(t.scalar_type());
  view.dtype_bits = static_cast<uint8_t>(8 * t.element_size());
  view.dtype_lanes = 1;
  view.shape = shape;
  return view;
}

findlr_tensor named_tensor::view() {
  return view_of(tensor, shape.data());
}

void append(std::string &out, const void *bytes, size_t size) {
  out.append(static_cast<const char *>(bytes), size);
}

void append(std::string &out, const at::Tensor &t) {
  const at::Tensor c = t.detach().cpu().contiguous();
  append(out, c.data_ptr(), c.nbytes());
}

const char *reader::take(size_t size) {
  if (size > left)
    throw failure(FINDLR_ERR_ARGUMENT, "the saved state is shorter than this network's");
  const char *taken = at;
  at += size;
  left -= size;
  return taken;
}

void reader::into(const at::Tensor &t) {
  const char *bytes = take(t.nbytes());
  if (!apply || t.nbytes() == 0)
    return;
  if (t.is_cpu()) {
    std::memcpy(t.data_ptr(), bytes, t.nbytes());
  } else {
    at::Tensor copy = at::empty(t.sizes(), t.options().device(at::kCPU));
    std::memcpy(copy.data_ptr(), bytes, copy.nbytes());
    at::NoGradGuard no_gradients;
    t.detach().copy_(copy);
  }
}

void reader::end() const {
  if (left)
    throw failure(FINDLR_ERR_ARGUMENT, "the saved state is longer than this network's");
}

/* --- what a module consists of --------------------------------------------------------------- */

static bool is_number(const c10::TypePtr &type) {
  const c10::TypeKind kind = type->kind();
  return kind == c10::TypeKind::IntType || kind == c10::TypeKind::FloatType ||
         kind == c10::TypeKind::BoolType;
}

static bool is_tensor(const c10::TypePtr &type) {
  return type->kind() == c10::TypeKind::TensorType;
}

static bool holds(const std::vector<named_tensor> &list, const at::Tensor &t) {
  for (const named_tensor &n : list)
    if (n.tensor.unsafeGetTensorImpl() == t.unsafeGetTensorImpl())
      return true;
  return false;
}

void network::add_tensor(const std::string &name, const at::Tensor &t, bool is_parameter) {
  if (!t.defined() || holds(parameters, t) || holds(frozen, t) || holds(buffers, t))
    return;
  if (t.layout() != at::kStrided)
    throw failure(FINDLR_ERR_UNSUPPORTED, "\"" + name + "\" is a sparse tensor");
  (!is_parameter ? buffers : t.requires_grad() ? parameters : frozen).emplace_back(name, t);
}

/* Lists such as an LSTM's _flat_weights mostly hold tensors that are parameters already. */
void network::add_tensors_within(const std::string &name, const at::IValue &v) {
  size_t i = 0;
  if (v.isTensor()) {
    add_tensor(name, v.toTensor(), false);
  } else if (v.isList()) {
    for (const at::IValue &element : v.toListRef())
      add_tensors_within(name + "." + std::to_string(i++), element);
  } else if (v.isTuple()) {
    for (const at::IValue &element : v.toTupleRef().elements())
      add_tensors_within(name + "." + std::to_string(i++), element);
  } else if (v.isGenericDict()) {
    for (const auto &entry : v.toGenericDict())
      add_tensors_within(name + "." + std::to_string(i++), entry.value());
  } else if (v.isObject()) {
    walk(v.toObject(), name);
  }
}

void network::walk(const object &o, const std::string &prefix) {
  for (const object &other : seen)
    if (other.get() == o.get())
      return;
  seen.push_back(o);
  const c10::ClassTypePtr type = o->type();
  for (size_t i = 0; i < type->numAttributes(); i++) {
    const std::string own = type->getAttributeName(i);
    const std::string name = prefix.empty() ? own : prefix + "." + own;
    const at::IValue value = o->getSlot(i);
    const c10::TypePtr kind = type->getAttribute(i);
    if (is_number(kind)) {
      if (own != "training" || !type->is_module())
        numbers.push_back({ o, i, name, at::Tensor() });
    } else if (is_tensor(kind) && value.isTensor()) {
      add_tensor(name, value.toTensor(), type->is_parameter(i));
      if (!type->is_parameter(i))
        holders.push_back({ o, i, name, value.toTensor() });
    } else {
      add_tensors_within(name, value);
    }
  }
}

/* Attributes that the code of the module assigns. */
void network::find_assignments(const torch::jit::Block &block) {
  for (const torch::jit::Node *node : block.nodes()) {
    for (const torch::jit::Block *inner : node->blocks())
      find_assignments(*inner);
    if (node->kind() != c10::prim::SetAttr)
      continue;
    const std::string name = node->s(c10::attr::name);
    const c10::ClassTypePtr type = node->inputs()[0]->type()->cast<c10::ClassType>();
    const c10::TypePtr kind = type ? type->findAttribute(name) : nullptr;
    if (!kind || (!is_number(kind) && !is_tensor(kind)))
      throw failure(FINDLR_ERR_UNSUPPORTED,
                    "the module assigns its attribute \"" + name + "\"" +
                        (kind ? " (" + kind->repr_str() + ")" : "") +
                        " while it runs, and only tensors and numbers can be kept as state");
    for (const attribute &holder : holders) {
      bool known = holder.owner->type()->getAttributeName(holder.slot) != name ||
                   *holder.owner->type() != *type;
      for (const attribute &a : assigned)
        known = known || (a.owner.get() == holder.owner.get() && a.slot == holder.slot);
      if (!known)
        assigned.push_back(holder);
    }
  }
}

static std::unique_ptr<torch::jit::Method> find_method(const torch::jit::Module &module,
                                                       const char *name, size_t wanted,
                                                       const std::string &file) {
  const auto method = module.find_method(name);
  if (!method)
    return nullptr;
  const std::vector<c10::Argument> &arguments = method->function().getSchema().arguments();
  bool fits = arguments.size() > wanted; /* self comes first */
  for (size_t i = wanted + 1; i < arguments.size(); i++)
    fits = fits && arguments[i].default_value();
  if (!fits)
    throw failure(FINDLR_ERR_ARGUMENT,
                  "the method " + std::string(name) + " of " + file + " takes " +
                      std::to_string(arguments.size() - 1) + " arguments, wanted " +
                      (wanted == 1 ? "1: the inputs" : "2: inputs and targets"));
  return std::make_unique<torch::jit::Method>(*method);
}

static torch::jit::Module load(const std::string &file) {
  try {
    return torch::jit::load(file, at::Device(at::kCPU));
  } catch (const std::exception &e) {
    throw failure(FINDLR_ERR_FORMAT, file + " is no TorchScript file, as torch.jit.script(module).save("
                                            "file) writes it: " + one_sentence(e.what()));
  }
}

network::network(const std::string &file, const at::Device &device, at::ScalarType dtype)
    : module(load(file)) {
  forward = find_method(module, "forward", 1, file);
  loss = find_method(module, "loss", 2, file);
  if (!forward && !loss)
    throw failure(FINDLR_ERR_FORMAT, "the module in " + file + " has no method forward");
  walk(module._ivalue(), "");
  for (torch::jit::Method *method : { forward.get(), loss.get() })
    if (method) {
      const std::shared_ptr<torch::jit::Graph> graph = method->graph()->copy();
      torch::jit::Inline(*graph);
      find_assignments(*graph->block());
    }
  if (parameters.empty())
    throw failure(FINDLR_ERR_FORMAT, "the module in " + file +
                                         " has no parameter that wants gradients (requires_grad)");
  at::NoGradGuard no_gradients;
  for (std::vector<named_tensor> *list : { &parameters, &frozen, &buffers })
    for (named_tensor &n : *list) {
      const at::ScalarType kept = n.tensor.scalar_type();
      const at::Tensor fit =
          n.tensor.detach().to(device, n.tensor.is_floating_point() ? dtype : kept).contiguous();
      if (fit.data_ptr() != n.tensor.data_ptr())
        n.tensor.set_data(fit); /* the same tensor for whoever holds it */
    }
}

void network::set_training(bool on) {
  if (training != on)
    module.train(on);
  training = on;
}

/* --- running it ------------------------------------------------------------------------------ */

/* The code of a module may give an attribute a new tensor. It gets to see a copy, which autograd may keep,
 * and what it leaves there is copied to where the host knows it. */
at::Tensor network::run(torch::jit::Method &method, std::vector<at::IValue> arguments) {
  at::Tensor result;
  {
    at::NoGradGuard no_gradients;
    for (const attribute &a : assigned)
      a.owner->setSlot(a.slot, a.tensor.clone());
  }
  const at::IValue value = method(std::move(arguments));
  for (const attribute &a : assigned) {
    const at::IValue left = a.owner->getSlot(a.slot);
    if (!left.isTensor() || left.toTensor().sizes() != a.tensor.sizes() ||
        left.toTensor().scalar_type() != a.tensor.scalar_type())
      throw failure(FINDLR_ERR_UNSUPPORTED,
                    "the module gave its attribute \"" + a.name +
                        "\" another shape or dtype, and state must keep both");
    at::NoGradGuard no_gradients;
    a.tensor.copy_(left.toTensor());
  }
  if (!value.isTensor())
    throw failure(FINDLR_ERR_UNSUPPORTED,
                  "the method " + method.name() + " returned a " + value.type()->repr_str() +
                      ", wanted one tensor");
  return value.toTensor();
}

at::Tensor network::run_forward(const at::Tensor &inputs) {
  if (!forward)
    throw failure(FINDLR_ERR_UNSUPPORTED, "the module has no method forward, only loss");
  return run(*forward, { inputs });
}

at::Tensor network::run_loss(const at::Tensor &inputs, const at::Tensor &targets) {
  const at::Tensor value = run(*loss, { inputs, targets });
  if (value.numel() != 1 || !value.is_floating_point())
    throw failure(FINDLR_ERR_UNSUPPORTED, "the method loss returned " + std::to_string(value.numel()) +
                                              " numbers, wanted one: the mean over the batch");
  return value;
}

network::rehearsal::rehearsal(network &n) : n(n) {
  for (const named_tensor &b : n.buffers)
    tensors.push_back(b.tensor.clone());
  for (const attribute &a : n.numbers)
    values.push_back(a.owner->getSlot(a.slot));
}

network::rehearsal::~rehearsal() {
  for (size_t i = 0; i < tensors.size(); i++)
    n.buffers[i].tensor.copy_(tensors[i]);
  for (size_t i = 0; i < values.size(); i++)
    n.numbers[i].owner->setSlot(n.numbers[i].slot, values[i]);
}

/* Each number as eight bytes. */
void network::append_numbers(std::string &out) const {
  for (const attribute &a : numbers) {
    const at::IValue value = a.owner->getSlot(a.slot);
    const double real = value.isDouble() ? value.toDouble() : 0;
    const int64_t integer = value.isInt() ? value.toInt() : value.isBool() ? value.toBool() : 0;
    append(out, value.isDouble() ? static_cast<const void *>(&real) : &integer, 8);
  }
}

void network::read_numbers(reader &from) {
  for (const attribute &a : numbers) {
    const at::IValue value = a.owner->getSlot(a.slot);
    double real = 0;
    int64_t integer = 0;
    value.isDouble() ? from.number(real) : from.number(integer);
    if (from.apply)
      a.owner->setSlot(a.slot, value.isDouble() ? at::IValue(real)
                               : value.isInt()  ? at::IValue(integer)
                                                : at::IValue(integer != 0));
  }
}
