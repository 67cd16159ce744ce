import AssayBase
import AssayGraph
import AssayTensor

/// Collects the layers of one network; see `Network.build`.
///
/// A layer that does not fit is remembered and told at the end, once: what is built on it meanwhile is
/// ignored, so that definitions read without error handling.
public final class NetworkBuilder {
  /// The seed of the first weights.
  public let seed: UInt64
  /// Where weights come from.
  let weights: WeightSource
  /// Samples that the inputs take.
  let batch: Int
  private(set) var graph: Graph
  private var layers: [Network.Layer] = []
  private var dropouts: [String: Float] = [:]
  private var momenta: [String: Float] = [:]
  private var fault: (any Error)?
  private var scope = ""
  private var counts: [String: Int] = [:]

  init(name: String, seed: UInt64, weights: WeightSource = .initializers, batch: Int = 1) {
    graph = Graph(name: name)
    self.seed = seed
    self.weights = weights
    self.batch = batch
  }

  /// Adds an input of one sample: its extents behind the axis of samples.
  public func input(_ name: String, _ extents: [Int], dtype: DType = .float32) -> Signal {
    let id = graph.addInput(name, TensorType(dtype, Shape([batch] + extents)))
    layers.append(
      Network.Layer(
        name: name,
        kind: "Input",
        output: graph[id].type.shape,
        parameterCount: 0,
        trainableCount: 0
      )
    )
    return Signal(network: self, id: id)
  }

  /// Makes a signal an output of the network.
  ///
  /// - Parameter name: what users of the network call it, where that is not the layer's name.
  public func output(_ signal: Signal, name: String? = nil) {
    graph.outputs.append(signal.id)
    if let name, graph[signal.id].name != name { graph.outputNames[signal.id] = name }
  }

  /// Puts the names of the layers that `body` adds below a name: `block1/conv`.
  public func block<R>(_ name: String, _ body: () -> R) -> R {
    let outer = scope
    scope += name + "/"
    defer { scope = outer }
    return body()
  }

  func finish() throws -> Network {
    if let fault { throw fault }
    guard !graph.inputs.isEmpty, !graph.outputs.isEmpty else {
      throw Diagnostic("MDL001", "the network '\(graph.name)' has no input or no output")
    }
    return Network(graph: graph, layers: layers, dropouts: dropouts, momenta: momenta)
  }

  // MARK: What layers are made of

  /// One layer: `body` adds its nodes and weights under its name and gives what it makes.
  ///
  /// - Parameters:
  ///   - kind: what it is, as Keras calls it; without a name the layer is called after it in snake
  ///     case, with a number from the second on.
  func layer(
    _ kind: String,
    name: String?,
    on input: Signal,
    _ body: (LayerScope) throws -> ValueID
  ) -> Signal {
    guard fault == nil else { return input }
    let layer = LayerScope(network: self, name: unique(scope + (name ?? Self.snake(kind))))
    do {
      let id = try locating("layer '\(layer.name)'") { try body(layer) }
      layers.append(
        Network.Layer(
          name: layer.name,
          kind: kind,
          output: graph[id].type.shape,
          parameterCount: layer.parameterCount,
          trainableCount: layer.trainableCount
        )
      )
      return Signal(network: self, id: id)
    } catch {
      fault = error
      return input
    }
  }

  func addNode(_ name: String, _ op: any Operator, _ inputs: [ValueID?]) throws -> ValueID {
    let ids = try graph.addNode(name, op, inputs)
    return ids[0]
  }

  func addConstant(_ name: String, _ tensor: Tensor) -> ValueID { graph.addConstant(name, tensor) }

  /// A weight of which only the type is wanted.
  func addUnknown(_ name: String, _ type: TensorType) -> ValueID {
    graph.add(Value(name: name, type: type))
  }

  func drop(_ rate: Float, of id: ValueID) { dropouts[graph[id].name] = rate }

  func setMomentum(_ momentum: Float, of node: String) { momenta[node] = momentum }

  private func unique(_ name: String) -> String {
    let count = counts[name, default: 0]
    counts[name] = count + 1
    return count == 0 ? name : "\(name)_\(count)"
  }

  /// `SeparableConv2D` as `separable_conv2d`, `Conv2DTranspose` as `conv2d_transpose`: as Keras names
  /// layers of a class.
  public static func snake(_ kind: String) -> String {
    let letters = Array(kind)
    var result = ""
    for (index, letter) in letters.enumerated() {
      if index > 0, letter.isUppercase {
        let begins = letters.indices.contains(index + 1) && letters[index + 1].isLowercase
        if begins || letters[index - 1].isLowercase { result += "_" }
      }
      result += letter.lowercased()
    }
    return result
  }
}

/// A layer while it is made: its name, and the weights it has so far.
final class LayerScope {
  let network: NetworkBuilder
  let name: String
  private(set) var parameterCount = 0
  private(set) var trainableCount = 0

  init(network: NetworkBuilder, name: String) {
    self.network = network
    self.name = name
  }

  /// Adds a weight of the layer.
  func weight(
    _ part: String,
    _ shape: Shape,
    _ initializer: Initializer,
    fans: Initializer.Fans = Initializer.Fans(input: 1, output: 1),
    isTrainable: Bool = true
  ) -> ValueID {
    let full = name + "/" + part
    parameterCount += shape.count
    if isTrainable { trainableCount += shape.count }
    let tensor = network.weights.tensor(
      full,
      part,
      shape,
      initializer,
      fans: fans,
      seed: network.seed ^ Self.hash(full)
    )
    guard let tensor else { return network.addUnknown(full, TensorType(.float32, shape)) }
    return network.addConstant(full, tensor)
  }

  /// Adds numbers that belong to the definition of the layer and are no weights of it.
  func fixed(_ part: String, _ values: [Float], _ shape: Shape? = nil) -> ValueID {
    network.addConstant(name + "/" + part, Tensor(values, shape ?? [values.count]))
  }

  /// Counts elements that a framework keeps with the layer and that nothing computes with.
  func countUnused(_ count: Int) { parameterCount += count }

  /// Adds a node of the layer: under the layer's name, or under a part of it.
  func node(_ op: any Operator, _ inputs: [ValueID?], part: String? = nil) throws -> ValueID {
    try network.addNode(part.map { name + "/" + $0 } ?? name, op, inputs)
  }

  /// Adds a bias where one is wanted.
  func bias(_ count: Int, _ isWanted: Bool) -> ValueID? {
    isWanted ? weight("bias", [count], .zeros) : nil
  }

  /// FNV-1a of a name.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
