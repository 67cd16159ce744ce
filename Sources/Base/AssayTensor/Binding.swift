import AssayBase

/// The tensors that a user gave by name, in the order and types of a model's inputs.
///
/// A lone tensor may be given to a lone input under any name. Floats of any width are converted;
/// floats for an integer input are quantized with its scale; anything else must have the input's
/// type. An extent of -1 accepts any.
///
/// - Throws: `Diagnostics` with every fault: EVL001 an input is missing, EVL002 a name is unknown,
///   EVL003 a shape does not fit, EVL004 an element type does not fit.
public func bind(
  _ given: [String: Tensor],
  to inputs: [(name: String, type: TensorType)]
) throws -> [Tensor] {
  var given = given
  if inputs.count == 1, given.count == 1, let only = given.first {
    given = [inputs[0].name: only.value]
  }
  let names = inputs.map(\.name)
  var faults = Diagnostics()
  for name in given.keys.sorted() where !names.contains(name) {
    faults.all.append(
      Diagnostic(
        "EVL002",
        "the model has no input '\(name)'",
        remedy: "its inputs are " + names.map { "'\($0)'" }.joined(separator: ", ")
      )
    )
  }
  var bound: [Tensor] = []
  for (name, type) in inputs {
    guard let tensor = given[name] else {
      faults.all.append(
        Diagnostic("EVL001", "input '\(name)' is missing", remedy: "give an array \(type)")
      )
      continue
    }
    do throws(Diagnostic) {
      bound.append(try fit(tensor, to: type))
    } catch {
      faults.all.append(error.inside("input '\(name)'"))
    }
  }
  try faults.throwIfErrors()
  return bound
}

private func fit(_ tensor: Tensor, to type: TensorType) throws(Diagnostic) -> Tensor {
  let (have, want) = (tensor.shape.dims, type.shape.dims)
  guard have.count == want.count, zip(have, want).allSatisfy({ $0 == $1 || $1 < 0 }) else {
    throw Diagnostic("EVL003", "the array is \(tensor.type), the input takes \(type)")
  }
  let isQuantizable = type.quantization != nil && type.dtype.integerRange != nil
  if tensor.dtype == type.dtype { return tensor.with(quantization: type.quantization) }
  if tensor.dtype.isFloat, type.dtype.isFloat || isQuantizable,
    let fitted = tensor.converted(to: type.dtype, quantization: type.quantization)
  {
    return fitted
  }
  throw Diagnostic(
    "EVL004",
    "the array is \(tensor.type), the input takes \(type)",
    remedy: "give elements of type \(type.dtype.rawValue)"
      + (isQuantizable ? " or floats, which are quantized with its scale" : "")
  )
}
