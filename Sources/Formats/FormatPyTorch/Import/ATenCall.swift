import AssayBase
import AssayTensor

/// A number that is known at import: Python's int, float or bool.
enum Scalar: Sendable, Equatable {
  case int(Int)
  case float(Double)
  case bool(Bool)

  /// The number as a float.
  var double: Double {
    switch self {
    case .int(let value): Double(value)
    case .float(let value): value
    case .bool(let value): value ? 1 : 0
    }
  }
}

/// An argument of a call with all symbolic numbers resolved.
enum Argument {
  case none
  case tensor(String)
  case tensors([String?])
  case scalar(Scalar)
  case scalars([Scalar])
  case string(String)
  case dtype(Int)
  case graph(ProgramGraph)
  /// What no operator here asks for: devices, memory formats, layouts.
  case other(String)
}

/// One node of a program as the operators' readers see it.
struct ATenCall {
  /// The operator without namespace and overload, such as `conv2d`.
  let name: String
  /// The overload, such as `default`.
  let overload: String
  /// The names of the values that it makes, in order; lists are flat.
  let outputs: [String]
  /// Whether the outputs are one list.
  let makesList: Bool
  private let keys: [String]
  /// The arguments in the file's order.
  let arguments: [Argument]

  init(
    name: String,
    overload: String,
    outputs: [String],
    makesList: Bool,
    arguments: [(String, Argument)]
  ) {
    self.name = name
    self.overload = overload
    self.outputs = outputs
    self.makesList = makesList
    self.arguments = arguments.map(\.1)
    keys = arguments.map(\.0)
  }

  /// The first output.
  var output: String { outputs.first ?? name }

  /// The call with another tensor as one of its arguments and other outputs.
  func with(_ changes: [String: Argument], outputs: [String]? = nil) -> ATenCall {
    var arguments = Array(zip(keys, self.arguments)).map { ($0, changes[$0] ?? $1) }
    arguments += changes.filter { !keys.contains($0.key) }.map { ($0.key, $0.value) }
    return ATenCall(
      name: name,
      overload: overload,
      outputs: outputs ?? self.outputs,
      makesList: makesList,
      arguments: arguments
    )
  }

  /// The call under another name.
  func renamed(_ name: String) -> ATenCall {
    ATenCall(
      name: name,
      overload: overload,
      outputs: outputs,
      makesList: makesList,
      arguments: Array(zip(keys, self.arguments))
    )
  }

  /// The fault of a call with something that no graph can hold.
  func unsupported(_ what: String, remedy: String? = nil) -> Diagnostic {
    Diagnostic("PYT022", "\(name): \(what) is not supported", remedy: remedy)
  }

  subscript(_ key: String) -> Argument? {
    guard let index = keys.firstIndex(of: key) else { return nil }
    if case .none = arguments[index] { return nil }
    return arguments[index]
  }

  /// Whether an optional argument is there.
  func has(_ key: String) -> Bool { self[key] != nil }

  /// A tensor.
  func tensor(_ key: String) throws -> String {
    guard case .tensor(let name)? = self[key] else {
      throw unsupported("'\(key)' that is no tensor")
    }
    return name
  }

  /// A tensor that may be absent.
  func optionalTensor(_ key: String) -> String? {
    guard case .tensor(let name)? = self[key] else { return nil }
    return name
  }

  /// A list of tensors, all there.
  func tensors(_ key: String) throws -> [String] {
    guard case .tensors(let names)? = self[key] else {
      throw unsupported("'\(key)' that is no list of tensors")
    }
    let present = names.compactMap { $0 }
    guard present.count == names.count else { throw unsupported("an absent tensor in '\(key)'") }
    return present
  }

  /// A whole number.
  func int(_ key: String, default value: Int? = nil) throws -> Int {
    switch self[key] {
    case .scalar(.int(let number)): return number
    case .scalar(.bool(let flag)): return flag ? 1 : 0
    case .scalar(.float(let number)) where number == number.rounded():
      guard let whole = Int(exactly: number) else { break }
      return whole
    case nil: if let value { return value }
    default: break
    }
    throw unsupported("'\(key)' that is no whole number")
  }

  /// A number.
  func double(_ key: String, default value: Double? = nil) throws -> Double {
    if case .scalar(let number)? = self[key] { return number.double }
    // PyTorch writes infinities as text.
    if case .string(let text)? = self[key], let number = Double(text) { return number }
    if let value, !has(key) { return value }
    throw unsupported("'\(key)' that is no number")
  }

  /// A truth value.
  func bool(_ key: String, default value: Bool = false) throws -> Bool {
    switch self[key] {
    case .scalar(.bool(let flag)): return flag
    case .scalar(.int(let number)): return number != 0
    case nil: return value
    default: throw unsupported("'\(key)' that is no truth value")
    }
  }

  /// Whole numbers; one number counts as a list.
  func ints(_ key: String) throws -> [Int]? {
    switch self[key] {
    case nil: return nil
    case .scalar: return [try int(key)]
    case .tensors(let names) where names.isEmpty: return []
    case .scalars(let numbers):
      return try numbers.map {
        guard case .int(let number) = $0 else { throw unsupported("'\(key)' of no whole numbers") }
        return number
      }
    default: throw unsupported("'\(key)' that is no list of whole numbers")
    }
  }

  /// Numbers.
  func doubles(_ key: String) throws -> [Double]? {
    switch self[key] {
    case nil: return nil
    case .scalar(let number): return [number.double]
    case .scalars(let numbers): return numbers.map(\.double)
    case .tensors(let names) where names.isEmpty: return []
    default: throw unsupported("'\(key)' that is no list of numbers")
    }
  }

  /// A text.
  func string(_ key: String) -> String? {
    guard case .string(let text)? = self[key] else { return nil }
    return text
  }
}

/// Turns one node of a program into nodes of a Graph.
typealias ATenReader = @Sendable (ATenCall, inout ProgramImporter) throws -> Void
