import AssayBase
import AssayGraph
import AssayTensor

/// A network that treats all times alike, such as a convolutional autoencoder: it can be run on a
/// series of any length, and what one output depends on is known.
///
/// The network has one input `[1, T, C]` (or with a further axis of extent 1) and one output of as many
/// samples. Its operators work along time by sliding windows, or on each time for itself.
public struct TemporalNetwork: Sendable {
  /// The network.
  public let graph: Graph
  /// Channels of the series.
  public let channelCount: Int
  /// The samples that the network is made for.
  public let length: Int
  /// Samples that go together: pooling makes one of them, and output comes in whole ones.
  public let period: Int
  /// Samples before its own that an output depends on.
  public let lookback: Int
  /// Samples after its own that an output depends on.
  public let lookahead: Int
  private let tracks: [ValueID: Track]

  /// How a value lies in time.
  private struct Track: Equatable {
    /// The axis of time.
    var axis: Int
    /// Samples between two elements along it.
    var rate: Int
    /// The first and the last sample that element 0 depends on.
    var low: Int, high: Int
    /// Elements beyond those of the series: what was padded and no window has taken up yet.
    var extra = 0

    /// The same in time, along another axis.
    func on(_ axis: Int) -> Track {
      var copy = self
      copy.axis = axis
      return copy
    }
  }

  /// Analyzes a network.
  ///
  /// - Throws: `Diagnostic` DTC030 for one whose output at one time does not depend on the times around
  ///   it alone, located at the node.
  public init(_ graph: Graph) throws {
    guard graph.inputs.count == 1, graph.outputs.count == 1 else {
      throw Self.fault("it has \(graph.inputs.count) inputs and \(graph.outputs.count) outputs")
    }
    let shape = graph[graph.inputs[0]].type.shape
    let dims = shape.dims
    guard shape.isStatic, dims.count == 3 || dims.count == 4, dims.first == 1 else {
      throw Self.fault("its input is \(shape), and a series is [1, samples, channels]")
    }
    var axis = 1
    if dims.count == 4 {
      guard let long = [1, 2].first(where: { dims[3 - $0] == 1 }) else {
        throw Self.fault("its input is \(shape), and a series is [1, 1, samples, channels]")
      }
      axis = long
    }
    self.graph = graph
    channelCount = dims[dims.count - 1]
    length = dims[axis]
    tracks = try Self.tracks(graph, axis: axis)
    let period = graph.nodes.flatMap(\.outputs).reduce(1) { [tracks] in
      max($0, tracks[$1]?.rate ?? 1)
    }
    guard let result = tracks[graph.outputs[0]], result.rate == 1, result.extra == 0 else {
      throw Self.fault("its output does not have the samples of its input")
    }
    let made = graph[graph.outputs[0]].type.shape
    guard made.dims[result.axis] == length / period * period, made.dims.last == channelCount else {
      throw Self.fault("its output is \(made) for an input of \(shape)")
    }
    self.period = period
    lookback = max(0, -result.low)
    lookahead = max(0, result.high)
  }

  /// The samples of the output for an input of `length`.
  public func outputLength(_ length: Int) -> Int { length / period * period }

  /// The network for an input of another length; weights are shared.
  ///
  /// - Throws: `Diagnostic` DTC031 for a length that it cannot have.
  public func graph(length: Int) throws -> Graph {
    guard length >= period else {
      throw Diagnostic(
        "DTC031",
        "the network needs at least \(period) samples, there are \(length)"
      )
    }
    var result = graph
    let input = graph.inputs[0]
    result[input].type.shape.dims[tracks[input]?.axis ?? 1] = length
    for index in result.nodes.indices {
      var node = result.nodes[index]
      if let source = node.inputs.first ?? nil, let track = tracks[source] {
        let extent = result[source].type.shape.dims[track.axis]
        if var reshape = node.op as? Reshape, let own = tracks[node.outputs[0]] {
          reshape.shape = graph[node.outputs[0]].type.shape.dims
          reshape.shape[own.axis] = extent
          node.op = reshape
        }
        if var resize = node.op as? Resize2D, let own = tracks[node.outputs[0]] {
          let factor = track.rate / own.rate
          if own.axis == 1 {
            resize.size.height = extent * factor
          } else {
            resize.size.width = extent * factor
          }
          node.op = resize
        }
      }
      result.nodes[index] = node
      let types = try locating("node '\(node.name)' (\(node.op.name))") {
        try node.op.inferTypes(node.inputs.map { $0.map { result[$0].type } })
      }
      for (id, type) in zip(node.outputs, types) { result[id].type.shape = type.shape }
    }
    return result
  }

  // MARK: Analysis

  private static func fault(_ summary: String) -> Diagnostic {
    Diagnostic(
      "DTC030",
      "this network does not treat all times alike: \(summary)",
      remedy: "a convolutional autoencoder can be run on a whole series at once"
    )
  }

  private static func tracks(_ graph: Graph, axis: Int) throws -> [ValueID: Track] {
    var tracks = [graph.inputs[0]: Track(axis: axis, rate: 1, low: 0, high: 0)]
    for node in graph.nodes {
      let found = try locating("node '\(node.name)' (\(node.op.name))") {
        try Self.track(node, graph, tracks)
      }
      guard let found else { continue }
      for output in node.outputs { tracks[output] = found }
    }
    return tracks
  }

  /// How the outputs of a node lie in time; `nil` for one that does not depend on the input.
  private static func track(
    _ node: Node,
    _ graph: Graph,
    _ tracks: [ValueID: Track]
  ) throws
    -> Track?
  {
    let sources = node.inputs.compactMap { $0.flatMap { tracks[$0] } }
    guard let source = sources.first, let first = node.inputs.first ?? nil else { return nil }
    let (shape, made) = (graph[first].type.shape, graph[node.outputs[0]].type.shape)
    switch node.op {
    case is Unary, is LeakyReLU, is Quantize, is Dequantize, is BatchNorm, is PReLU:
      return source
    case is Binary:
      for (id, input) in zip(node.inputs, node.inputs.map { $0.map { graph[$0].type.shape } }) {
        guard let id, let input, tracks[id] == nil else { continue }
        // A constant that changes along time would tell times apart.
        let fromEnd = made.rank - source.axis
        guard input.rank < fromEnd || input.dims[input.rank - fromEnd] == 1 else {
          throw fault("a constant changes along time")
        }
      }
      return try merged(sources)
    case let op as Concat:
      guard (op.axis + made.rank) % made.rank != source.axis else {
        throw fault("it joins values one after the other in time")
      }
      return try merged(sources)
    case let op as Conv2D:
      guard let filter = node.inputs[1].map({ graph[$0].type.shape }) else { return nil }
      return try slid(
        source,
        shape,
        Size2D(filter[1], filter[2]),
        op.strides,
        op.dilations,
        op.padding
      )
    case let op as DepthwiseConv2D:
      guard let filter = node.inputs[1].map({ graph[$0].type.shape }) else { return nil }
      return try slid(
        source,
        shape,
        Size2D(filter[1], filter[2]),
        op.strides,
        op.dilations,
        op.padding
      )
    case let op as Pool2D:
      return try slid(source, shape, op.window, op.strides, .one, op.padding)
    case is FullyConnected:
      guard made.rank == shape.rank, source.axis < shape.rank - 1 else {
        throw fault("it mixes all times")
      }
      return source
    case let op as Resize2D:
      guard op.kind == .nearest, !op.alignsCorners else {
        throw fault("a resize is not by repeating elements")
      }
      let (from, to) = (shape.dims[source.axis], made.dims[source.axis])
      guard from > 0, to % from == 0, source.extra == 0, source.rate % (to / from) == 0,
        shape.dims[3 - source.axis] == made.dims[3 - source.axis]
      else { throw fault("it resizes from \(shape) to \(made)") }
      let rate = source.rate / (to / from)
      return Track(
        axis: source.axis,
        rate: rate,
        low: source.low - (source.rate - rate),
        high: source.high
      )
    case is Reshape:
      let before = shape.dims[..<source.axis].reduce(1, *)
      var product = 1
      for (axis, extent) in made.dims.enumerated() {
        if product == before, extent == shape.dims[source.axis] {
          return source.on(axis)
        }
        product *= extent
      }
      throw fault("it makes \(made) of \(shape)")
    case let op as Transpose:
      guard let axis = op.permutation.firstIndex(of: source.axis) else { return nil }
      return source.on(axis)
    case let op as Pad:
      guard op.mode == .constant else { throw fault("it is padded with what lies inside") }
      let (before, after) = (op.before[source.axis], op.after[source.axis])
      return Track(
        axis: source.axis,
        rate: source.rate,
        low: source.low - before * source.rate,
        high: source.high - before * source.rate,
        extra: source.extra + before + after
      )
    default:
      throw fault("of \(node.op.name) it is not known what it does along time")
    }
  }

  private static func merged(_ tracks: [Track]) throws -> Track {
    guard var result = tracks.first else { throw fault("it has no input") }
    for track in tracks.dropFirst() {
      guard track.axis == result.axis, track.rate == result.rate, track.extra == result.extra else {
        throw fault("values of different rates meet")
      }
      result.low = min(result.low, track.low)
      result.high = max(result.high, track.high)
    }
    return result
  }

  private static func slid(
    _ source: Track,
    _ shape: Shape,
    _ window: Size2D,
    _ strides: Size2D,
    _ dilations: Size2D,
    _ padding: Padding
  ) throws -> Track {
    guard source.axis == 1 || source.axis == 2 else { throw fault("time is no axis of an image") }
    let isHeight = source.axis == 1
    func along(_ size: Size2D) -> Int { isHeight ? size.height : size.width }
    let (extent, reach) = (shape.dims[source.axis], (along(window) - 1) * along(dilations))
    let pads = padding.amounts(
      extent: extent,
      window: along(window),
      stride: along(strides),
      dilation: along(dilations),
      isHeight: isHeight
    )
    let extra = source.extra + pads.before + pads.after - reach
    guard along(strides) == 1 || source.extra == 0 && pads == (0, 0) && along(strides) == reach + 1
    else { throw fault("windows do not follow one another without a gap") }
    return Track(
      axis: source.axis,
      rate: source.rate * along(strides),
      low: source.low - pads.before * source.rate,
      high: source.high + (reach - pads.before) * source.rate,
      extra: along(strides) == 1 ? extra : 0
    )
  }
}
