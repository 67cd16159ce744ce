import AssayBase
import AssayGraph
import AssayTensor

/// How layers of one class become nodes.
struct KerasLayerKind: Sendable {
  /// The names of the layer's weights.
  var weights: @Sendable (KerasLayer) throws -> KerasWeightNames = { _ in KerasWeightNames() }
  /// Throws when the layer's configuration asks for what cannot be imported; run for every layer
  /// before the first becomes nodes, so that a user sees all of them.
  var check: @Sendable (KerasLayer) throws -> Void = { _ in }
  /// The layers that it holds, unless it is a model.
  var parts: @Sendable (KerasLayer) throws -> [KerasLayer] = { _ in [] }
  /// Adds the layer's nodes; returns the layer's results.
  var emit: @Sendable (inout KerasContext, [ValueID]) throws -> [ValueID]
  /// Whether a mask of the first input is one of the first result too.
  var passesMask = false

  /// A kind of layers with one result.
  init(
    weights: @escaping @Sendable (KerasLayer) throws -> KerasWeightNames = { _ in .init() },
    parts: @escaping @Sendable (KerasLayer) throws -> [KerasLayer] = { _ in [] },
    check: @escaping @Sendable (KerasLayer) throws -> Void = { _ in },
    passesMask: Bool = false,
    emit: @escaping @Sendable (inout KerasContext, [ValueID]) throws -> ValueID
  ) {
    self.weights = weights
    self.parts = parts
    self.check = check
    self.passesMask = passesMask
    self.emit = { context, inputs in [try emit(&context, inputs)] }
  }

  /// A kind of layers with several results.
  init(
    weights: @escaping @Sendable (KerasLayer) throws -> KerasWeightNames = { _ in .init() },
    parts: @escaping @Sendable (KerasLayer) throws -> [KerasLayer] = { _ in [] },
    check: @escaping @Sendable (KerasLayer) throws -> Void = { _ in },
    passesMask: Bool = false,
    emitAll: @escaping @Sendable (inout KerasContext, [ValueID]) throws -> [ValueID]
  ) {
    self.weights = weights
    self.parts = parts
    self.check = check
    self.passesMask = passesMask
    emit = emitAll
  }

  /// The same kind, whose results have the mask of their first input.
  var maskPassing: KerasLayerKind {
    var kind = self
    kind.passesMask = true
    return kind
  }

  /// The kind of a layer; `nil` when its class is not known.
  static func of(_ layer: KerasLayer) -> KerasLayerKind? {
    if layer.isOperation { return operations[layer.className] }
    let name = layer.baseClassName
    if let kind = table[name] { return kind }
    guard let function = activation(of: layer), let apply = KerasContext.functions[function] else {
      return nil
    }
    return KerasLayerKind(passesMask: true) { context, inputs in
      try apply(&context, context.image(inputs))
    }
  }

  /// The activation that a layer of the user's own is named after: `Custom>HardSwish`.
  static func activation(of layer: KerasLayer) -> String? {
    guard !layer.isOperation, table[layer.baseClassName] == nil else { return nil }
    let name = KerasArchiveNames.snakeCase(layer.baseClassName)
    return activationNames.contains(name) ? name : nil
  }

  /// Functions whose names say what a layer of the user's own does.
  private static let activationNames: Set<String> = [
    "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "leaky_relu", "mish", "relu", "relu6",
    "selu",
    "sigmoid", "silu", "softplus", "softsign", "swish", "tanh",
  ]

  /// The names of a layer's weights; none for an unknown class.
  static func weightNames(of layer: KerasLayer) throws -> KerasWeightNames {
    try of(layer)?.weights(layer) ?? KerasWeightNames()
  }

  /// Every class of layers, by name.
  static let table: [String: KerasLayerKind] = {
    var table: [String: KerasLayerKind] = [:]
    let groups = [
      convolutions, depthwiseConvolutions, transposedConvolutions, volumes, dense, einsum,
      normalizations, groupNormalizations, pooling, globalPooling, adaptivePooling, padding,
      cropping, resizing, shapes, activations, merging, dots, preprocessing, encoding, embedding,
      masking, recurrent, cells, wrappers, attention, trainingOnly, functions,
    ]
    for group in groups { table.merge(group) { first, _ in first } }
    table["AttentionProjection"] = projection
    for name in maskPassing { table[name]?.passesMask = true }
    return table
  }()

  /// Classes that hand the mask of their input on.
  private static let maskPassing: Set<String> = [
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense",
    "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity",
    "LayerNormalization", "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "Softmax",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "TimeDistributed",
    "UnitNormalization",
  ]

  /// The classes of layers that a user may add to a model, for messages and docs/operators.md.
  static let layerClasses: [String] = {
    table.keys.filter { cells[$0] == nil && $0 != "AttentionProjection" }.sorted()
  }()

  /// Layers that do something only while a network is trained.
  private static let trainingOnly: [String: KerasLayerKind] = {
    let names = [
      "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
      "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Identity", "RandomBrightness",
      "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom",
      "RandomHue", "RandomSaturation", "RandomErasing", "RandomShear", "RandomSharpness",
      "RandomColorJitter", "RandomGrayscale", "RandomGaussianBlur", "RandomInvert",
      "RandomPerspective", "RandomPosterization", "RandomElasticTransform", "FixedDropout",
      "DropConnect", "StochasticDepth",
    ]
    return Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, KerasLayerKind(emit: { context, inputs in try context.only(inputs) }))
      }
    )
  }()
}
