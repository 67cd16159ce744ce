import AssayBase

/// How a variant is made from a network, as data: which constants and values become integers, and
/// what the user feeds and gets.
public struct Recipe: Sendable, Hashable {
  /// What happens to constants and values.
  public enum Scheme: String, Sendable, Hashable, CaseIterable {
    case float32, float16
    case dynamicInt8 = "dynamic_int8"
    case staticInt8 = "static_int8"
  }

  /// The element type of the model's inputs and outputs.
  public enum Boundary: String, Sendable, Hashable, CaseIterable {
    /// That of the scheme: float32, or int8 for `static_int8`.
    case native = ""
    case float = "_floatio"
    case uint8 = "_uint8io"
  }

  /// What happens to constants and values.
  public let scheme: Scheme
  /// The element type of the model's inputs and outputs.
  public let boundary: Boundary

  private init(_ scheme: Scheme, _ boundary: Boundary = .native) {
    self.scheme = scheme
    self.boundary = boundary
  }

  /// Constants and values as they are trained.
  public static let float32 = Recipe(.float32)
  /// Constants in half precision, computed with in float32.
  public static let float16 = Recipe(.float16)
  /// Weights in 8 bits, values in float32.
  public static let dynamicInt8 = Recipe(.dynamicInt8)
  /// All in 8 bits, inputs and outputs too.
  public static let staticInt8 = Recipe(.staticInt8)
  /// All in 8 bits but for the inputs and outputs.
  public static let staticInt8FloatIO = Recipe(.staticInt8, .float)
  /// All in 8 bits; inputs and outputs unsigned.
  public static let staticInt8UInt8IO = Recipe(.staticInt8, .uint8)

  /// Every recipe, in the order in which tables show them.
  public static let all: [Recipe] = [
    .float32, .float16, .dynamicInt8, .staticInt8, .staticInt8FloatIO, .staticInt8UInt8IO,
  ]

  /// The name, such as `static_int8_floatio`.
  public var name: String { scheme.rawValue + boundary.rawValue }

  /// Whether making the variant takes representative data.
  public var needsCalibration: Bool { scheme == .staticInt8 }

  /// The recipe with this name.
  ///
  /// - Throws: `Diagnostic` QNT002 for a step that trains, QNT001 for a name that is unknown.
  public static func parse(_ name: String) throws -> Recipe {
    if let known = all.first(where: { $0.name == name }) { return known }
    let steps = name.split(separator: "+").map(String.init)
    if let step = steps.first(where: trains) {
      throw Diagnostic(
        "QNT002",
        "'\(step)' changes weights by training, which convert does not do",
        at: ["recipe '\(name)'"],
        remedy: "use assay optimize with training data for '\(step)'"
      )
    }
    // Several steps that need no training would each replace what the one before has made.
    if steps.count > 1, steps.allSatisfy({ step in all.contains { $0.name == step } }) {
      throw Diagnostic(
        "QNT001",
        "'\(name)' joins recipes that exclude each other",
        remedy: "choose one of \(steps.joined(separator: ", "))"
      )
    }
    let names = all.map(\.name)
    let suggestion = nearest(to: name, among: names).map { "did you mean '\($0)'? " } ?? ""
    throw Diagnostic(
      "QNT001",
      "there is no recipe '\(name)'",
      remedy: suggestion + "recipes are \(names.joined(separator: ", "))"
    )
  }

  /// Whether a step's name is one of training: pruning, clustering or quantization-aware training.
  private static func trains(_ step: String) -> Bool {
    if step == "qat" { return true }
    return ["prune", "cluster"].contains { prefix in
      step.hasPrefix(prefix) && step.dropFirst(prefix.count).allSatisfy(\.isNumber)
    }
  }

  /// What the recipe does, in one sentence.
  public var summary: String {
    let outside =
      switch boundary {
      case .native: scheme == .staticInt8 ? "; inputs and outputs are int8" : ""
      case .float: "; inputs and outputs are float32"
      case .uint8: "; inputs and outputs are uint8"
      }
    let inside =
      switch scheme {
      case .float32: "weights and values in float32"
      case .float16: "weights in float16, computed with in float32"
      case .dynamicInt8: "large weights in int8 for each channel, values in float32"
      case .staticInt8: "weights in int8 for each channel, values in int8, biases in int32"
      }
    return inside + outside
  }

  /// The recipe's parameters.
  public var json: JSON {
    func element(_ dtype: String) -> JSON { .object(["dtype": .string(dtype)]) }
    let weights: JSON
    let values: JSON
    switch scheme {
    case .float32: (weights, values) = (element("float32"), element("float32"))
    case .float16: (weights, values) = (element("float16"), element("float32"))
    case .dynamicInt8:
      weights = .object([
        "dtype": "int8", "granularity": "perChannel", "symmetric": true,
        "minimumElements": JSON(Quantizer.defaultMinimumWeightElements),
        "operators": ["Conv2D", "DepthwiseConv2D", "FullyConnected"],
      ])
      values = element("float32")
    case .staticInt8:
      weights = .object(["dtype": "int8", "granularity": "perChannel", "symmetric": true])
      values = .object([
        "dtype": "int8", "granularity": "perTensor", "symmetric": false, "calibration": "minMax",
      ])
    }
    let edge: JSON =
      switch boundary {
      case .native: scheme == .staticInt8 ? "int8" : "float32"
      case .float: "float32"
      case .uint8: "uint8"
      }
    return .object([
      "name": .string(name), "summary": .string(summary), "weights": weights, "values": values,
      "inputsAndOutputs": edge, "needsCalibration": .bool(needsCalibration),
    ])
  }
}
