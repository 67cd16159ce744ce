import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

extension ProgramImporter {
  /// Bytes up to which results of constants are computed at import.
  private static let largestFolded = 1 << 22

  /// Adds a node, or the Constants that it makes of Constants.
  mutating func emit(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ outputNames: [String]
  ) throws -> [ValueID] {
    let constants = inputs.map { $0.flatMap { graph[$0].constant } }
    if zip(inputs, constants).allSatisfy({ $0 == nil || $1 != nil }) {
      if let turn = op as? Transpose, let tensor = constants.first ?? nil,
        turn.permutation.sorted() == Array(0..<tensor.shape.rank)
      {
        return [addConstant(outputNames[0], tensor.rearranged(turn.permutation))]
      }
      let types = try op.inferTypes(inputs.map { $0.map { graph[$0].type } })
      let size = types.reduce(0) { $0 + min($1.byteCount ?? .max / 8, .max / 8) }
      if let reshape = op as? Reshape, let tensor = constants.first ?? nil, types.count == 1 {
        _ = reshape
        return [addConstant(outputNames[0], tensor.reshaped(types[0].shape))]
      }
      if size <= Self.largestFolded, ReferenceEvaluator.canEvaluate(op) {
        let results = try ReferenceEvaluator.evaluate(op, constants)
        return zip(outputNames, results).map { addConstant($0, $1) }
      }
    }
    return try addNode(name, op, inputs, outputNames)
  }

  /// Adds the node that makes the call's outputs in the program's axes.
  mutating func define(_ call: ATenCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.outputs.map { valueName($0.isEmpty ? "\(call.output)/unused" : $0) }
    let outputs = try emit(call.output, op, inputs, names)
    for (name, id) in zip(call.outputs, outputs) where !name.isEmpty {
      twins.place(name, plain: id)
    }
  }

  /// Adds the node that makes the call's outputs as images.
  mutating func defineImage(_ call: ATenCall, _ op: any Operator, _ inputs: [ValueID?]) throws {
    let names = call.outputs.map { valueName($0, "nhwc") }
    let outputs = try emit(call.output, op, inputs, names)
    for (name, id) in zip(call.outputs, outputs) { twins.place(name, image: id) }
  }

  /// Adds the last node of a call whose operands are images or not.
  mutating func define(
    _ call: ATenCall,
    _ op: any Operator,
    _ inputs: [ValueID?],
    areImages: Bool
  ) throws {
    if areImages { try defineImage(call, op, inputs) } else { try define(call, op, inputs) }
  }

  /// Adds a node inside a call that takes several, and gives its result.
  mutating func step(
    _ call: ATenCall,
    _ suffix: String,
    _ op: any Operator,
    _ inputs: [ValueID?]
  ) throws -> ValueID {
    let name = valueName("\(call.output)/\(suffix)")
    return try emit(name, op, inputs, [name])[0]
  }

  /// Lets the call's output be another name of a value.
  mutating func alias(_ call: ATenCall, to name: String) throws {
    try twins.alias(call.output, to: name)
  }

  /// Makes the call's output a Constant.
  mutating func define(_ call: ATenCall, constant tensor: Tensor) {
    twins.place(call.output, plain: addConstant(valueName(call.output), tensor))
  }

  /// Makes the call's output a value that stands in the graph, brought to the type that the program
  /// declares.
  mutating func finish(_ call: ATenCall, _ id: ValueID, isImage: Bool = false) throws {
    if let constant = graph[id].constant {
      define(call, constant: constant)
      return
    }
    let named = isImage ? valueName(call.output, "nhwc") : valueName(call.output)
    graph[id].name = named
    twins.place(call.output, plain: isImage ? nil : id, image: isImage ? id : nil)
  }

  /// A parameter with its axes in another order.
  mutating func parameter(
    _ name: String,
    _ permutation: [Int],
    _ call: ATenCall
  ) throws -> ValueID {
    try twins.parameter(name, permutation, result: call.output)
  }

  /// A parameter that may be absent.
  mutating func optional(_ call: ATenCall, _ key: String) throws -> ValueID? {
    try call.optionalTensor(key).map { try plain($0) }
  }

  /// A scalar Constant.
  mutating func scalar(_ value: Scalar, _ dtype: DType) -> ValueID {
    if dtype.isFloat { return addConstant(Float(value.double)) }
    let number: Int =
      switch value {
      case .int(let number): number
      case .bool(let flag): flag ? 1 : 0
      case .float(let number): Int(exactly: number.rounded(.towardZero)) ?? 0
      }
    let tensor = Tensor([Int64(number)], [], dtype: .int64)
    let name = valueName("const/\(number)")
    return addConstant(name, dtype == .int64 ? tensor : tensor.converted(to: dtype) ?? tensor)
  }

  /// A value in another element type.
  mutating func cast(_ id: ValueID, to dtype: DType, _ call: ATenCall) throws -> ValueID {
    guard graph[id].type.dtype != dtype else { return id }
    return try step(call, dtype.rawValue, Cast(dtype), [id])
  }

  /// An axis of a tensor of `rank` axes, not negative.
  func axis(_ axis: Int, rank: Int, _ call: ATenCall) throws -> Int {
    let positive = axis < 0 ? axis + rank : axis
    guard (0..<max(rank, 1)).contains(positive) else { throw call.unsupported("axis \(axis)") }
    return positive
  }

  /// An axis of a tensor that is an argument.
  func axis(
    _ call: ATenCall,
    _ key: String,
    of name: String,
    default value: Int? = nil
  ) throws -> Int {
    try axis(call.int(key, default: value), rank: type(name).shape.rank, call)
  }

  /// Where an NCHW image's axis lies in NHWC.
  static func imageAxis(_ axis: Int) -> Int { [0, 3, 1, 2][axis] }

  /// The value and the axis that an operator along one axis reads: of the image, where there is one.
  mutating func alongAxis(
    _ name: String,
    _ axis: Int
  ) throws -> (id: ValueID, axis: Int, isImage: Bool) {
    if let image = knownImage(name) { return (image, Self.imageAxis(axis), true) }
    return (try plain(name), axis, false)
  }

  /// Attributes by axis, for an image where the value stands as one.
  static func arranged<T>(_ values: [T], isImage: Bool) -> [T] {
    isImage ? [values[0], values[2], values[3], values[1]] : values
  }
}

// MARK: - Elementwise operands

extension ProgramImporter {
  /// What an elementwise operator computes with.
  enum Operand {
    case tensor(String)
    case scalar(Scalar)
  }

  /// An operand of a call.
  func operand(_ call: ATenCall, _ key: String) throws -> Operand {
    switch call[key] {
    case .tensor(let name)?: return .tensor(name)
    case .scalar(let value)?: return .scalar(value)
    case .string(let text)?: return .scalar(.float(Double(text) ?? .nan))
    default: throw call.unsupported("'\(key)' that is neither tensor nor number")
    }
  }

  /// The type that operands of a comparison are brought to.
  func promoted(_ operands: [Operand]) throws -> DType {
    var best: DType?
    for case .tensor(let name) in operands {
      let dtype = try type(name).dtype
      if best.map({ Self.order($0) < Self.order(dtype) }) ?? true { best = dtype }
    }
    for case .scalar(let value) in operands {
      switch value {
      case .float where !(best?.isFloat ?? false): best = .float32
      case .int where best == nil || best == .bool: best = .int64
      default: break
      }
    }
    return best ?? .float32
  }

  private static func order(_ dtype: DType) -> Int {
    switch dtype {
    case .bool: 0
    case _ where dtype.isFloat: 100 + dtype.bitWidth
    default: dtype.bitWidth
    }
  }

  /// Operands of an operator that works element by element with broadcasting: as images when one of
  /// them stands as an image and all can be turned, otherwise in the program's axes.
  mutating func operands(
    _ call: ATenCall,
    _ operands: [Operand],
    as dtypes: [DType?]
  ) throws -> (ids: [ValueID], areImages: Bool) {
    var shapes: [Shape] = []
    var hasImage = false
    var canTurn = true
    for case .tensor(let name) in operands {
      let shape = try type(name).shape
      shapes.append(shape)
      hasImage = hasImage || isImage(name)
      canTurn = canTurn && (shape.rank == 4 || shape.rank == 0 || constant(name) != nil)
    }
    let areImages = hasImage && canTurn && shapes.allSatisfy { $0.rank <= 4 }
    var ids: [ValueID] = []
    for (operand, dtype) in zip(operands, dtypes) {
      switch operand {
      case .scalar(let value): ids.append(scalar(value, dtype ?? .float32))
      case .tensor(let name):
        var id = try areImages ? imageOperand(name) : plain(name)
        if let dtype { id = try cast(id, to: dtype, call) }
        ids.append(id)
      }
    }
    return (ids, areImages)
  }

  private mutating func imageOperand(_ name: String) throws -> ValueID {
    let shape = try type(name).shape
    if shape.rank == 4 { return try image(name) }
    let id = try plain(name)
    guard shape.count != 1, let tensor = graph[id].constant else { return id }
    let missing = [Int](repeating: 1, count: 4 - shape.rank)
    let turned = tensor.reshaped(Shape(missing + shape.dims)).rearranged([0, 2, 3, 1])
    let dims = Array(turned.shape.dims.drop { $0 == 1 })
    return addConstant(valueName(name, "nhwc"), turned.reshaped(Shape(dims)))
  }
}

// MARK: - Parts of tensors

/// A tensor that is a part of another one.
struct TensorView {
  /// The other one.
  var base: String
  /// The axis along which it is cut.
  var axis: Int
  /// The first element along the axis.
  var start: Int
  /// How many elements.
  var count: Int
  /// Their distance.
  var step: Int
  /// Whether the axis is dropped.
  var dropsAxis: Bool
}

extension ProgramImporter {
  /// The whole tensor with a part replaced by what now stands as `part`.
  ///
  /// - Returns: a name for it.
  mutating func written(_ part: String, into view: TensorView) throws -> String {
    guard view.step == 1 else {
      throw Diagnostic("PYT017", "elements that are changed in place in steps are not supported")
    }
    let whole = try type(view.base)
    var id = try plain(part)
    if view.dropsAxis {
      var dims = whole.shape.dims
      dims[view.axis] = 1
      id = try emit(valueName("\(part)/row"), Reshape(dims), [id], [valueName("\(part)/row")])[0]
    }
    let base = try plain(view.base)
    func slice(_ begin: Int, _ end: Int) -> Slice {
      var (begins, sizes) = ([Int](repeating: 0, count: whole.shape.rank), whole.shape.dims)
      begins[view.axis] = begin
      sizes[view.axis] = end - begin
      return Slice(begin: begins, sizes: sizes)
    }
    let (end, extent) = (view.start + view.count, whole.shape.dims[view.axis])
    var pieces: [ValueID] = []
    if view.start > 0 {
      let name = valueName("\(part)/before")
      pieces.append(try emit(name, slice(0, view.start), [base], [name])[0])
    }
    pieces.append(id)
    if end < extent {
      let name = valueName("\(part)/after")
      pieces.append(try emit(name, slice(end, extent), [base], [name])[0])
    }
    let name = valueName("\(view.base)/written")
    let result =
      pieces.count == 1
      ? id : try emit(name, Concat(axis: view.axis), pieces.map { $0 }, [name])[0]
    twins.open(name)
    twins.place(name, plain: result)
    return name
  }
}
