import AssayBase
import AssayTensor

extension Session {
  /// The input port at `index`, after checking that it takes exactly `count` bytes.
  ///
  /// - Throws: `Diagnostic` RTM011 when there is no such input or its size is another.
  public func checkedInput(_ index: Int, byteCount count: Int) throws -> Port {
    guard inputs.indices.contains(index) else {
      throw Diagnostic("RTM011", "the model has \(inputs.count) inputs, there is no input \(index)")
    }
    let port = inputs[index]
    guard port.type.byteCount == count else {
      throw Diagnostic(
        "RTM011",
        "input '\(port.name)' is \(port.type), \(port.type.byteCount ?? 0) bytes; \(count) were given",
        remedy: "give an array of that type and shape"
      )
    }
    return port
  }

  /// Writes a tensor to an input, converted to the input's element type (floats for an integer input
  /// are quantized with the input's scale).
  ///
  /// - Throws: `Diagnostic` RTM011 when the number of elements differs or the types do not convert.
  public func write(_ tensor: Tensor, toInput index: Int) throws {
    guard inputs.indices.contains(index) else {
      throw Diagnostic("RTM011", "the model has \(inputs.count) inputs, there is no input \(index)")
    }
    let type = inputs[index].type
    let converted =
      tensor.dtype == type.dtype
      ? tensor : tensor.converted(to: type.dtype, quantization: type.quantization)
    guard tensor.count == type.shape.count, let converted else {
      throw Diagnostic(
        "RTM011",
        "input '\(inputs[index].name)' is \(type), \(tensor.type) was given",
        remedy: "give an array of that type and shape"
      )
    }
    try write(converted.bytes, toInput: index)
  }

  /// An output as a tensor of the port's type.
  public func output(_ index: Int) throws -> Tensor {
    guard outputs.indices.contains(index) else {
      throw Diagnostic(
        "RTM011",
        "the model has \(outputs.count) outputs, there is no output \(index)"
      )
    }
    return try Tensor(outputs[index].type, bytes: readOutput(index))
  }
}

/// The diagnostic for a provider that was asked for and is not to be had.
public func unavailableProvider(
  _ provider: Provider,
  runtime: String,
  reason: String,
  remedy: String = "use --provider cpu",
  cause: String? = nil
) -> Diagnostic {
  Diagnostic(
    "RTM006",
    "\(runtime) cannot run with provider \(provider.rawValue) here: \(reason)",
    remedy: remedy,
    cause: cause
  )
}
