import AssayBase

extension Record {
  /// An input of the measured model, as the runtime has it.
  public struct Input: Sendable, Equatable {
    /// The model's name for it.
    public var name: String
    /// The element type, such as `float32` or `int8`.
    public var dtype: String
    /// Its extents; the first is the batch where the model has one.
    public var shape: [Int]

    /// Makes an input.
    public init(name: String, dtype: String, shape: [Int]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }

    /// The input as a record keeps it.
    var json: JSON {
      .object([
        "name": .string(name), "dtype": .string(dtype), "shape": .array(shape.map { JSON($0) }),
      ])
    }

    /// Reads an input; `nil` when it is none.
    public init?(json: JSON) {
      guard let name = json["name"]?.string, let dtype = json["dtype"]?.string,
        let shape = json["shape"]?.ints
      else { return nil }
      self.init(name: name, dtype: dtype, shape: shape)
    }
  }

  /// The first extent of the inputs, when all agree; `nil` when they are not known or differ.
  public var batch: Int? {
    let extents = Set(inputs.map { $0.shape.first ?? 1 })
    return extents.count == 1 ? extents.first : nil
  }
}
