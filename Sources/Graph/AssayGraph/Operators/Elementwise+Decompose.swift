import AssayBase
import AssayTensor

extension Unary: DecomposableOperator {
  /// Functions that follow from others, for floats: inverse trigonometric ones from the angle of a
  /// point, hyperbolic ones from the exponential function, the error function from GELU.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let type = graph.type(x)
    func number(_ value: Float) throws -> ValueID {
      guard let tensor = Tensor([value], []).converted(to: type.dtype) else { throw refused(type) }
      return graph.addConstant("number", tensor)
    }
    func unary(_ kind: Kind, _ x: ValueID) throws -> ValueID {
      try graph.add(Unary(kind), [x])
    }
    func binary(_ kind: Binary.Kind, _ a: ValueID, _ b: ValueID) throws -> ValueID {
      try graph.add(Binary(kind), [a, b])
    }
    func finish(_ kind: Binary.Kind, _ a: ValueID, _ b: ValueID) throws {
      try graph.finish(Binary(kind), [a, b], node)
    }
    if kind == .bitwiseNot {
      guard let ones = ones(type.dtype) else { throw refused(type) }
      return try finish(.bitwiseXor, x, graph.addConstant("ones", ones))
    }
    if kind.isTest, !type.dtype.isFloat { throw refused(type) }
    switch kind {
    case .isNaN: return try finish(.notEqual, x, x)
    case .isInfinite: return try finish(.equal, try unary(.abs, x), try number(.infinity))
    default: break
    }
    guard type.dtype == .float32, type.quantization == nil else { throw refused(type) }
    switch kind {
    case .tan: try finish(.divide, try unary(.sin, x), try unary(.cos, x))
    case .atan: try finish(.atan2, x, try number(1))
    case .asin, .acos:
      // sqrt((1 - x)(1 + x)) is exact near one, where sqrt(1 - x²) is not.
      let a = try binary(.subtract, try number(1), x)
      let b = try binary(.add, x, try number(1))
      let side = try unary(.sqrt, try binary(.multiply, a, b))
      if kind == .asin { try finish(.atan2, x, side) } else { try finish(.atan2, side, x) }
    case .sinh, .cosh:
      let up = try unary(.exp, x)
      let down = try unary(.exp, try unary(.negative, x))
      let both = try binary(kind == .sinh ? .subtract : .add, up, down)
      try finish(.multiply, both, try number(0.5))
    case .asinh:
      let size = try unary(.abs, x)
      let square = try binary(.add, try unary(.square, x), try number(1))
      let sum = try binary(.add, size, try unary(.sqrt, square))
      try finish(.multiply, try unary(.sign, x), try unary(.log, sum))
    case .acosh:
      let a = try binary(.subtract, x, try number(1))
      let b = try binary(.add, x, try number(1))
      let root = try unary(.sqrt, try binary(.multiply, a, b))
      try graph.finish(Unary(.log), [try binary(.add, x, root)], node)
    case .atanh:
      let up = try binary(.add, x, try number(1))
      let down = try binary(.subtract, try number(1), x)
      let ratio = try unary(.log, try binary(.divide, up, down))
      try finish(.multiply, ratio, try number(0.5))
    case .erf:
      // gelu(x) = x (1 + erf(x / sqrt 2)) / 2, so that erf(z) = 2 gelu(y) / y - 1 with y = z sqrt 2.
      let scaled = try binary(.multiply, x, try number(Float(2).squareRoot()))
      let ratio = try binary(.divide, try unary(.gelu, scaled), scaled)
      let double = try binary(.multiply, ratio, try number(2))
      let result = try binary(.subtract, double, try number(1))
      let isZero = try binary(.equal, x, try number(0))
      try graph.finish(Select(), [isZero, x, result], node)
    case .sign:
      let zero = try number(0)
      let above = try graph.add(Cast(type.dtype), [try binary(.greater, x, zero)], like: type)
      let below = try graph.add(Cast(type.dtype), [try binary(.less, x, zero)], like: type)
      try finish(.subtract, above, below)
    default: throw refused(type)
    }
  }

  private func refused(_ type: TensorType) -> Diagnostic {
    Diagnostic("GRF003", "\(name) of \(type) has no counterpart")
  }

  /// A scalar of which every bit is set.
  private func ones(_ dtype: DType) -> Tensor? {
    guard dtype.isInteger, dtype.bitWidth >= 8 else { return nil }
    let bytes = [UInt8](repeating: 0xFF, count: dtype.bitWidth / 8)
    return try? Tensor(TensorType(dtype, []), bytes: ByteView(bytes))
  }
}

extension Binary: DecomposableOperator {
  /// Exclusive or as inequality, the remainder towards zero by way of the one towards the floor.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let (a, b) = (try graph.input(0, of: node), try graph.input(1, of: node))
    let type = graph.type(a)
    switch kind {
    case .logicalXor: try graph.finish(Binary(.notEqual), [a, b], node)
    case .truncatedModulo where type.dtype == .float32 || type.dtype == .int32:
      // The remainder of the magnitudes, with the sign of the dividend.
      let sizes = try [a, b].map { try graph.add(Unary(.abs), [$0]) }
      let rest = try graph.add(Binary(.floorModulo), sizes)
      let zero = type.dtype == .int32 ? Tensor([Int32(0)], []) : Tensor([Float(0)], [])
      let isNegative = try graph.add(Binary(.less), [a, graph.addConstant("zero", zero)])
      let negated = try graph.add(Unary(.negative), [rest])
      try graph.finish(Select(), [isNegative, negated, rest], node)
    default: throw Diagnostic("GRF003", "\(name) of \(type) has no counterpart")
    }
  }
}
