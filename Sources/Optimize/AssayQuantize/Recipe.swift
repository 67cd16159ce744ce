import AssayBase

/// How a variant is made from a network, as data: which constants and values become integers, what
/// the user feeds and gets, and where parts of the network are treated differently.
///
/// A name is steps joined by `+`, such as `equalize+entropy+static_int8_floatio+correct_bias`. What a
/// name cannot say (overrides, the fallback) a JSON file does.
///
/// Steps that train come first and are done first; AssayCompress does them, `Quantizer` the others.
public struct Recipe: Sendable, Hashable {
  /// The element type of the model's inputs and outputs.
  public enum Boundary: String, Sendable, Hashable, CaseIterable {
    /// That of the scheme: float32, or int8 for `static_int8` and int16 for `int16x8`.
    case native = ""
    case float = "_floatio"
    case uint8 = "_uint8io"
  }

  /// What becomes of an operator that has no integer kernel in a network of integers.
  public enum Fallback: String, Sendable, Hashable, CaseIterable {
    /// It computes in float32, between conversions.
    case float
    /// The network is refused: the target computes with integers alone.
    case refuse
  }

  /// What happens to constants and values.
  public var scheme: Scheme
  /// The element type of the model's inputs and outputs.
  public var boundary: Boundary
  /// How ranges come from representative data.
  public var calibration: CalibrationMethod
  /// Whether the channels of weights that follow one another are brought to the same range first.
  public var equalizes: Bool
  /// Whether biases take up the mean error that rounding the weights makes (section 4.2).
  public var correctsBias: Bool
  /// What becomes of operators without an integer kernel.
  public var fallback: Fallback
  /// Parts of the network that are treated differently; of several that concern a node, the last one
  /// counts.
  public var overrides: [Override]
  /// The least number of elements of a weight that becomes smaller while values stay floats: smaller
  /// ones save nothing (the default of TensorFlow's converter).
  public var minimumWeightElements: Int
  /// Pruning, clustering and quantization-aware training that come before the rest, in the order in
  /// which they are done.
  public var training: [RecipeStep]
  /// The name that a file gives; `nil` for the steps' own.
  public var givenName: String?

  /// The default of `minimumWeightElements`.
  public static let defaultMinimumWeightElements = 1024

  /// A recipe.
  public init(_ scheme: Scheme, _ boundary: Boundary = .native) {
    self.scheme = scheme
    self.boundary = boundary
    calibration = .automatic
    equalizes = false
    correctsBias = false
    fallback = .float
    overrides = []
    training = []
    minimumWeightElements = Self.defaultMinimumWeightElements
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
  /// Weights in 8 bits, values in 16.
  public static let int16x8 = Recipe(.int16x8)

  /// The recipes that have a name of their own, in the order in which tables show them.
  public static let all: [Recipe] = [
    .float32, .float16, .dynamicInt8, .staticInt8, .staticInt8FloatIO, .staticInt8UInt8IO,
    .int16x8, Recipe(.int16x8, .float), Recipe(.weightOnly(bits: 8, block: nil)),
    Recipe(.weightOnly(bits: 4, block: nil)), Recipe(.weightOnly(bits: 4, block: 32)),
  ]

  /// The step's name, such as `static_int8_floatio`.
  private var schemeName: String { scheme.name + boundary.rawValue }

  /// The name: that of the file, or the steps joined by `+`.
  public var name: String {
    if let givenName { return givenName }
    var steps = training.map(\.name)
    if equalizes { steps.append("equalize") }
    if calibration != .automatic { steps.append(calibration.name) }
    if training.isEmpty || scheme != .float32 || boundary != .native { steps.append(schemeName) }
    if correctsBias { steps.append("correct_bias") }
    if !overrides.isEmpty { steps.append("overrides") }
    return steps.joined(separator: "+")
  }

  /// Whether making the variant takes representative data.
  public var needsCalibration: Bool {
    scheme.isStatic || correctsBias || overrides.contains { $0.scheme.isStatic }
  }

  /// What happens to a node of this name and operator.
  public func scheme(ofNode name: String, op: String) -> Scheme {
    overrides.last { $0.matches(name: name, op: op) }?.scheme ?? scheme
  }

  /// The element type of inputs and outputs that are float32 in the network.
  var boundaryType: String {
    switch boundary {
    case .float: "float32"
    case .uint8: "uint8"
    case .native: scheme == .staticInt8 ? "int8" : scheme == .int16x8 ? "int16" : "float32"
    }
  }

  /// What the recipe does, in one sentence.
  public var summary: String {
    var parts = training.map(\.summary) + [scheme.summary]
    if scheme.isStatic { parts.append("inputs and outputs are \(boundaryType)") }
    if equalizes { parts.append("channels of consecutive weights equalized first") }
    if calibration != .automatic { parts.append(calibration.summary) }
    if correctsBias { parts.append("biases take up the mean error of rounded weights") }
    if fallback == .refuse { parts.append("refused unless all of it is integers") }
    if !overrides.isEmpty { parts.append("\(overrides.count) overrides") }
    return parts.joined(separator: "; ")
  }
}

// MARK: - Names

extension Recipe {
  /// The recipe with this name.
  ///
  /// Quantization-aware training alone stands for that of `static_int8`.
  ///
  /// - Throws: `Diagnostic` QNT001 for a name that is unknown or whose steps exclude each other.
  public static func parse(_ name: String) throws -> Recipe {
    if let known = all.first(where: { $0.name == name }) { return known }
    let steps = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    var recipe = Recipe(.float32)
    var schemes: [String] = []
    var methods: [String] = []
    for step in steps {
      if step == "equalize" {
        recipe.equalizes = true
      } else if step == "correct_bias" {
        recipe.correctsBias = true
      } else if let method = CalibrationMethod(name: step) {
        recipe.calibration = method
        methods.append(step)
      } else if let training = RecipeStep(name: step) {
        recipe.training.append(training)
      } else if let (scheme, boundary) = schemeStep(step) {
        (recipe.scheme, recipe.boundary) = (scheme, boundary)
        schemes.append(step)
      } else {
        throw unknown(step, in: name)
      }
    }
    for several in [schemes, methods] where several.count > 1 {
      // Each would replace what the one before has made.
      throw Diagnostic(
        "QNT001",
        "'\(name)' joins steps that exclude each other",
        remedy: "choose one of \(several.joined(separator: ", "))"
      )
    }
    if schemes.isEmpty, recipe.isQuantizationAware { recipe.scheme = .staticInt8 }
    try recipe.orderTraining(at: ["recipe '\(name)'"])
    try recipe.check(at: ["recipe '\(name)'"])
    return recipe
  }

  /// Whether the network is trained with the rounding of its integers.
  public var isQuantizationAware: Bool {
    training.contains { if case .quantizationAware = $0 { true } else { false } }
  }

  /// The recipe without the steps that train.
  public var withoutTraining: Recipe {
    var rest = self
    rest.training = []
    return rest
  }

  /// Throws unless the variant can be made without training.
  ///
  /// - Throws: `Diagnostic` QNT002 that names the steps that train.
  public func refuseTraining() throws {
    guard !training.isEmpty else { return }
    let steps = training.map { "'\($0.name)'" }.joined(separator: ", ")
    throw Diagnostic(
      "QNT002",
      "\(steps) changes weights by training, which only 'assay optimize' does",
      at: ["recipe '\(name)'"],
      remedy: "assay optimize MODEL --recipe \(name) --data DIR --epochs N -o FILE"
    )
  }

  /// Puts the steps that train into the order in which they are done.
  mutating func orderTraining(at location: [String]) throws {
    training = training.enumerated().sorted { a, b in
      (a.element.order, a.offset) < (b.element.order, b.offset)
    }.map(\.element)
    for (one, next) in zip(training, training.dropFirst()) where one.order == next.order {
      throw Diagnostic(
        "QNT001",
        "'\(one.name)' and '\(next.name)' exclude each other",
        at: location,
        remedy: "choose one of them"
      )
    }
  }

  private static func schemeStep(_ step: String) -> (Scheme, Boundary)? {
    for boundary in [Boundary.float, .uint8] where step.hasSuffix(boundary.rawValue) {
      guard let scheme = Scheme(name: String(step.dropLast(boundary.rawValue.count))) else {
        return nil
      }
      return (scheme, boundary)
    }
    return Scheme(name: step).map { ($0, .native) }
  }

  private static func unknown(_ step: String, in name: String) -> Diagnostic {
    let names = all.map(\.name)
    let words =
      names + CalibrationMethod.names + ["equalize", "correct_bias"] + RecipeStep.examples
    let suggestion = nearest(to: step, among: words).map { "did you mean '\($0)'? " } ?? ""
    return Diagnostic(
      "QNT001",
      step == name ? "there is no recipe '\(name)'" : "there is no step '\(step)'",
      at: step == name ? [] : ["recipe '\(name)'"],
      remedy: suggestion + "recipes are \(names.joined(separator: ", ")); see assay recipe list"
    )
  }

  /// Throws what in the recipe contradicts itself (`Diagnostic` QNT001).
  public func check(at location: [String] = []) throws {
    if boundary != .native, !scheme.isStatic {
      throw Diagnostic(
        "QNT001",
        "'\(schemeName)': inputs and outputs of \(scheme.name) are float32 anyway",
        at: location,
        remedy: "leave out '\(boundary.rawValue)'"
      )
    }
    if boundary == .uint8, scheme == .int16x8 {
      throw Diagnostic(
        "QNT001",
        "'\(schemeName)': values of 16 bits do not come from 8-bit inputs",
        at: location,
        remedy: "int16x8 or int16x8_floatio"
      )
    }
    if fallback == .refuse, !scheme.isStatic {
      throw Diagnostic(
        "QNT001",
        "the fallback 'refuse' is for recipes of integers, which \(scheme.name) is not",
        at: location,
        remedy: "static_int8 or int16x8"
      )
    }
    if isQuantizationAware, scheme != .staticInt8 || equalizes || correctsBias {
      throw Diagnostic(
        "QNT001",
        "'qat' trains for static_int8 and for what stands in the recipe alone",
        at: location,
        remedy: "qat+static_int8, without equalize and correct_bias"
      )
    }
  }
}
