import AssayTensor

/// A function of each element.
public struct Unary: Operator {
  /// The function.
  public enum Kind: String, Sendable, CaseIterable {
    case relu = "ReLU"
    case relu6 = "ReLU6"
    case reluN1To1 = "ReLUN1To1"
    case sigmoid = "Sigmoid"
    case tanh = "Tanh"
    case exp = "Exp"
    case log = "Log"
    case sqrt = "Sqrt"
    case rsqrt = "Rsqrt"
    case abs = "Abs"
    case negative = "Neg"
    case square = "Square"
    case floor = "Floor"
    case ceil = "Ceil"
    case round = "Round"
    case sin = "Sin"
    case cos = "Cos"
    case elu = "ELU"
    case hardSwish = "HardSwish"
    case gelu = "GELU"
    case geluApproximate = "GELUApproximate"
    case erf = "Erf"
    case logicalNot = "LogicalNot"
    case sign = "Sign"
    case tan = "Tan"
    case asin = "Asin"
    case acos = "Acos"
    case atan = "Atan"
    case sinh = "Sinh"
    case cosh = "Cosh"
    case asinh = "Asinh"
    case acosh = "Acosh"
    case atanh = "Atanh"
    case isNaN = "IsNaN"
    /// Infinite, of either sign.
    case isInfinite = "IsInf"
    case bitwiseNot = "BitwiseNot"

    /// Whether the result is a truth value.
    public var isTest: Bool { self == .isNaN || self == .isInfinite }
  }

  /// The function.
  public var kind: Kind

  /// Makes a function.
  public init(_ kind: Kind) { self.kind = kind }

  public var name: String { kind.rawValue }
  public var tolerance: Tolerance {
    switch kind {
    case .relu, .relu6, .reluN1To1, .abs, .negative, .floor, .ceil, .round, .logicalNot, .sign,
      .isNaN, .isInfinite, .bitwiseNot:
      .exact
    case .square, .sqrt, .hardSwish: .rounding
    default: .approximate
    }
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    if kind == .bitwiseNot, !x.dtype.isInteger { throw shapeFault(name, "\(x) has no bits") }
    return [TensorType(kind.isTest ? .bool : x.dtype, x.shape)]
  }
}

/// A function of two elements; shapes broadcast as in NumPy.
public struct Binary: Operator {
  /// The function.
  public enum Kind: String, Sendable, CaseIterable {
    case add = "Add"
    case subtract = "Sub"
    case multiply = "Mul"
    case divide = "Div"
    case maximum = "Maximum"
    case minimum = "Minimum"
    case power = "Pow"
    case squaredDifference = "SquaredDifference"
    case floorDivide = "FloorDiv"
    case floorModulo = "FloorMod"
    case equal = "Equal"
    case notEqual = "NotEqual"
    case less = "Less"
    case lessEqual = "LessEqual"
    case greater = "Greater"
    case greaterEqual = "GreaterEqual"
    case logicalAnd = "LogicalAnd"
    case logicalOr = "LogicalOr"
    case logicalXor = "LogicalXor"
    case bitwiseAnd = "BitwiseAnd"
    case bitwiseOr = "BitwiseOr"
    case bitwiseXor = "BitwiseXor"
    case shiftLeft = "ShiftLeft"
    /// Towards less significant bits; the sign stays.
    case shiftRight = "ShiftRight"
    /// The remainder with the sign of the dividend (C's fmod and %).
    case truncatedModulo = "TruncatedMod"
    /// The angle of the point (input 1, input 0).
    case atan2 = "Atan2"

    /// Whether the result is a truth value.
    public var isComparison: Bool {
      switch self {
      case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .logicalAnd, .logicalOr,
        .logicalXor:
        true
      default: false
      }
    }

    /// Whether it works on the bits of integers.
    public var isBitwise: Bool {
      switch self {
      case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight: true
      default: false
      }
    }
  }

  /// The function.
  public var kind: Kind
  /// Applied to the result (add, subtract, multiply and divide only).
  public var activation: Activation

  /// Makes a function.
  public init(_ kind: Kind, activation: Activation = .none) {
    self.kind = kind
    self.activation = activation
  }

  public var name: String { kind.rawValue }
  public var tolerance: Tolerance {
    switch kind {
    case .power, .atan2: .approximate
    case .divide, .squaredDifference, .add, .subtract, .multiply: .rounding
    default: .exact
    }
  }
  public var attributes: [(name: String, value: String)] { [("activation", activation.rawValue)] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    guard let shape = types[0].shape.broadcast(with: types[1].shape) else {
      throw shapeFault(name, "\(types[0].shape) and \(types[1].shape) do not broadcast")
    }
    if kind.isBitwise, !types.allSatisfy({ $0.dtype.isInteger }) {
      throw shapeFault(name, "\(types[0]) and \(types[1]) are not both integers")
    }
    return [TensorType(kind.isComparison ? .bool : types[0].dtype, shape)]
  }
}

/// `x` where positive, `alpha * x` elsewhere.
public struct LeakyReLU: Operator {
  /// The slope for negative elements.
  public var alpha: Float

  /// Makes a leaky rectifier.
  public init(alpha: Float) { self.alpha = alpha }

  public var name: String { "LeakyReLU" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] { [("alpha", "\(alpha)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    return [TensorType(x.dtype, x.shape)]
  }
}

/// `x` where positive, `alpha * x` elsewhere, with a trained `alpha` that broadcasts (input 1).
public struct PReLU: Operator {
  /// Makes a rectifier with trained slopes.
  public init() {}

  public var name: String { "PReLU" }
  public var tolerance: Tolerance { .rounding }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    guard types[0].shape.broadcast(with: types[1].shape) == types[0].shape else {
      throw shapeFault(name, "slopes \(types[1].shape) do not fit \(types[0].shape)")
    }
    return [TensorType(types[0].dtype, types[0].shape)]
  }
}

/// Each element of input 1 or 2, as the truth value of input 0 says; shapes broadcast.
public struct Select: Operator {
  /// Makes a choice.
  public init() {}

  public var name: String { "Select" }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    guard let both = types[1].shape.broadcast(with: types[2].shape),
      let shape = both.broadcast(with: types[0].shape)
    else { throw shapeFault(name, "the shapes do not broadcast") }
    return [TensorType(types[1].dtype, shape)]
  }
}
