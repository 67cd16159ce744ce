import AssayBase

/// What happens to the constants and values of an operator.
public enum Scheme: Sendable, Hashable {
  /// Constants and values as they are trained.
  case float32
  /// Constants in half precision, computed with in float32.
  case float16
  /// Large weights of convolutions and dense layers in 8 bits, values in float32: the kernels round
  /// the values to 8 bits while the model runs.
  case dynamicInt8
  /// Weights and values in 8 bits, biases in 32.
  case staticInt8
  /// Weights in 8 bits, values in 16 bits without a zero point, biases in 64.
  case int16x8
  /// Weights in 8 or 4 bits, made floats again before they are computed with.
  ///
  /// With a block, every `block` weights of a dense layer's row have a scale of their own; weights of
  /// convolutions then have 8 bits and a scale for each channel.
  case weightOnly(bits: Int, block: Int?)

  /// The schemes without parameters, in the order in which tables show them.
  static let simple: [(name: String, scheme: Scheme)] = [
    ("float32", .float32), ("float16", .float16), ("dynamic_int8", .dynamicInt8),
    ("static_int8", .staticInt8), ("int16x8", .int16x8),
  ]

  /// The sizes of block that the runtimes' kernels take.
  public static let blocks = [16, 32, 64, 128, 256]

  /// The name, such as `static_int8` or `weight_int4_b32`.
  public var name: String {
    if case .weightOnly(let bits, let block) = self {
      return "weight_int\(bits)" + (block.map { "_b\($0)" } ?? "")
    }
    return Self.simple.first { $0.scheme == self }?.name ?? ""
  }

  /// The scheme with this name; `nil` when there is none.
  public init?(name: String) {
    if let known = Self.simple.first(where: { $0.name == name }) {
      self = known.scheme
      return
    }
    for bits in [4, 8] {
      guard name.hasPrefix("weight_int\(bits)") else { continue }
      let rest = name.dropFirst("weight_int\(bits)".count)
      if rest.isEmpty {
        self = .weightOnly(bits: bits, block: nil)
        return
      }
      guard bits == 4, rest.hasPrefix("_b"), let block = Int(rest.dropFirst(2)),
        Self.blocks.contains(block)
      else { return nil }
      self = .weightOnly(bits: bits, block: block)
      return
    }
    return nil
  }

  /// Whether values become integers, whose scales come from representative data.
  public var isStatic: Bool { self == .staticInt8 || self == .int16x8 }

  /// What it does, as part of a sentence.
  var summary: String {
    switch self {
    case .float32: "weights and values in float32"
    case .float16: "weights in float16, computed with in float32"
    case .dynamicInt8: "large weights in int8 for each channel, values in float32"
    case .staticInt8: "weights in int8 for each channel, values in int8, biases in int32"
    case .int16x8: "weights in int8 for each channel, values in int16, biases in int64"
    case .weightOnly(let bits, let block):
      if let block {
        "dense weights in int\(bits) with a scale for every \(block), other large weights in int8 for "
          + "each channel, values in float32"
      } else {
        "large weights in int\(bits) for each channel, computed with in float32"
      }
    }
  }
}

/// Which part of a network a change to a recipe concerns.
public struct Override: Sendable, Hashable {
  /// What decides whether a node is meant.
  public enum Selector: Sendable, Hashable {
    /// Nodes with this name, in which `*` stands for any characters and `?` for one.
    case nodes(String)
    /// Nodes with this operator, such as `Softmax`.
    case op(String)
  }

  /// Which nodes are meant.
  public var selector: Selector
  /// What happens to them.
  public var scheme: Scheme

  /// An override.
  public init(_ selector: Selector, _ scheme: Scheme) {
    self.selector = selector
    self.scheme = scheme
  }

  /// Whether it concerns a node of this name and operator.
  func matches(name: String, op: String) -> Bool {
    switch selector {
    case .nodes(let pattern): namePattern(pattern, matches: name)
    case .op(let word): word.lowercased() == op.lowercased()
    }
  }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters and `?` for one.
///
/// Takes time proportional to the product of both lengths at most.
func namePattern(_ pattern: String, matches name: String) -> Bool {
  let (pattern, name) = (Array(pattern.utf8), Array(name.utf8))
  let (star, any) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
  var (p, n) = (0, 0)
  // Where to go on after the last star when what follows does not fit.
  var retry: (pattern: Int, name: Int)?
  while n < name.count {
    if p < pattern.count, pattern[p] == star {
      p += 1
      retry = (p, n)
    } else if p < pattern.count, pattern[p] == any || pattern[p] == name[n] {
      p += 1
      n += 1
    } else if let place = retry {
      retry = (place.pattern, place.name + 1)
      (p, n) = (place.pattern, place.name + 1)
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == star }
}
