import AssayBase
import AssayGraph
import AssayTensor

// What functions of `keras.ops` are called with: tensors, numbers and lists, by place or by name.
extension KerasContext {
  /// The argument at a place or under a name; `nil` when it is absent or `None`.
  func argument(_ place: Int, _ name: String) -> KerasArgument? {
    let given =
      call.arguments.indices.contains(place)
      ? call.arguments[place] : call.named.first { $0.name == name }?.value
    if case .value(.null) = given { return nil }
    return given
  }

  /// An operand that must be there.
  mutating func operand(_ place: Int, _ name: String) throws -> ValueID {
    guard let given = argument(place, name) else {
      throw Diagnostic("KER006", "the operand '\(name)' is missing")
    }
    return try value(of: given, name)
  }

  /// The tensors of a list that is one argument, or of all arguments.
  mutating func operandList(_ name: String) throws -> [ValueID] {
    guard call.arguments.count <= 1, case .list(let elements)? = argument(0, name) else {
      return try call.arguments.map { try value(of: $0, name) }
    }
    return try elements.map { try value(of: $0, name) }
  }

  private mutating func value(of argument: KerasArgument, _ name: String) throws -> ValueID {
    switch argument {
    case .tensor(let reference):
      guard let id = values[reference] else {
        throw Diagnostic("KER006", "the operand '\(name)' is not known")
      }
      return id
    case .value(let json): return try constant(json, name)
    case .list: throw Diagnostic("KER006", "the operand '\(name)' is a list of tensors")
    }
  }

  /// A constant that a call holds: a number, nested lists, or an array with its element type.
  mutating func constant(_ json: JSON, _ name: String) throws -> ValueID {
    let className = json["class_name"]?.string
    let isWrapped = className == "__tensor__" || className == "__numpy__"
    let body = isWrapped ? json["config"]?["value"] ?? .null : json
    var numbers: [Double] = []
    var isWhole = true
    var dims: [Int] = []
    func flatten(_ json: JSON, _ depth: Int) throws {
      if let elements = json.array, depth < 8 {
        if dims.count == depth { dims.append(elements.count) }
        guard dims[depth] == elements.count else {
          throw Diagnostic("KER006", "the operand '\(name)' has rows of several lengths")
        }
        for element in elements { try flatten(element, depth + 1) }
        return
      }
      guard depth == dims.count || numbers.isEmpty else {
        throw Diagnostic("KER006", "the operand '\(name)' has rows of several lengths")
      }
      if let truth = json.bool {
        numbers.append(truth ? 1 : 0)
      } else if let number = json.double {
        if case .integer = json {} else { isWhole = false }
        numbers.append(number)
      } else {
        throw Diagnostic("KER006", "the operand '\(name)' is no number")
      }
    }
    try flatten(body, 0)
    guard let count = Shape(dims).elementCount, count == numbers.count else {
      throw Diagnostic("KER006", "the operand '\(name)' has rows of several lengths")
    }
    let given = json["config"]?["dtype"]?.string
    var dtype = given.flatMap { DType(rawValue: $0) } ?? (isWhole ? .int32 : .float32)
    if [.float64, .float16, .bfloat16].contains(dtype) { dtype = .float32 }
    let floats = Tensor(numbers.map { Float($0) }, Shape(dims))
    guard let tensor = dtype == .float32 ? floats : floats.converted(to: dtype) else {
      throw Diagnostic("KER006", "the operand '\(name)' is of type '\(dtype.rawValue)'")
    }
    if dims.isEmpty { return constant("\(numbers[0])/\(dtype.rawValue)") { tensor } }
    return graph.addConstant(unique(callName + "/" + name), tensor)
  }

  /// Operands brought to one element type: floats where any is one, else whole numbers.
  ///
  /// - Parameter isFloat: whether they become floats in any case.
  mutating func promoted(_ operands: [ValueID], isFloat: Bool = false) throws -> [ValueID] {
    let types = operands.map { type($0).dtype }
    guard !types.isEmpty else { throw Diagnostic("KER006", "the function has no operands") }
    let target: DType
    if isFloat || types.contains(where: \.isFloat) {
      target = .float32
    } else if types.allSatisfy({ $0 == types[0] }) {
      target = types[0]
    } else {
      target = types.contains(.int64) ? .int64 : .int32
    }
    return try operands.map { try converted($0, to: target) }
  }

  /// A value in another element type; constants are converted now.
  mutating func converted(_ x: ValueID, to dtype: DType) throws -> ValueID {
    guard type(x).dtype != dtype else { return x }
    if let tensor = graph[x].constant, let other = tensor.converted(to: dtype) {
      return graph.addConstant(unique(graph[x].name + "/" + dtype.rawValue), other)
    }
    return try node("cast", Cast(dtype), [x])
  }

  /// Two operands of one element type.
  mutating func pair(_ first: String = "x1", _ second: String = "x2") throws -> [ValueID] {
    try promoted([operand(0, first), operand(1, second)])
  }

  /// The axes that an attribute names, all when it is absent.
  func axes(of x: ValueID, _ key: String = "axis") throws -> [Int] {
    let shape = shape(x)
    guard layer[key] != nil else { return Array(0..<shape.rank) }
    let given = try layer.ints(key)
    let axes = given.compactMap(shape.normalized(axis:))
    guard axes.count == given.count, Set(axes).count == axes.count else {
      throw layer.unsupported(key, "axes \(given) of \(shape)")
    }
    return axes
  }

  /// The axis that an attribute names.
  func axis(
    of x: ValueID,
    _ key: String = "axis",
    default fallback: Int = -1
  ) throws -> Int {
    let given = try layer.int(key, default: fallback)
    guard let axis = shape(x).normalized(axis: given) else {
      throw layer.unsupported(key, "axis \(given) of \(shape(x))")
    }
    return axis
  }
}
