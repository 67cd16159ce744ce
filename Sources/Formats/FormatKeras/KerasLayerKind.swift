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
  /// Adds the layer's nodes.
  var emit: @Sendable (inout KerasContext, [ValueID]) throws -> ValueID

  /// The kind of a layer; `nil` when its class is not known.
  static func of(_ layer: KerasLayer) -> KerasLayerKind? {
    layer.isOperation ? operations[layer.className] : table[layer.className]
  }

  /// The names of a layer's weights; none for an unknown class.
  static func weightNames(of layer: KerasLayer) throws -> KerasWeightNames {
    try of(layer)?.weights(layer) ?? KerasWeightNames()
  }

  /// Every class of layers, by name.
  static let table: [String: KerasLayerKind] = {
    var table: [String: KerasLayerKind] = [:]
    let groups = [
      convolutions, depthwiseConvolutions, transposedConvolutions, dense, normalizations, pooling,
      globalPooling, padding, cropping, resizing, shapes, activations, merging, preprocessing,
      embedding, trainingOnly, functions,
    ]
    for group in groups { table.merge(group) { first, _ in first } }
    return table
  }()

  /// Layers that do something only while a network is trained.
  private static let trainingOnly: [String: KerasLayerKind] = {
    let names = [
      "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
      "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Identity", "RandomBrightness",
      "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom",
      "RandomHue", "RandomSaturation", "RandomErasing", "RandomShear", "RandomSharpness",
      "RandomColorJitter", "RandomGrayscale", "RandomGaussianBlur", "RandomInvert",
      "RandomPerspective", "RandomPosterization", "RandomElasticTransform",
    ]
    return Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, KerasLayerKind(emit: { context, inputs in try context.only(inputs) }))
      }
    )
  }()
}
