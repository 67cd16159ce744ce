import AssayBase
import AssayGraph
import AssayTensor

/// What a weight is to the operator that reads it; decides how its axes are to be turned.
enum WeightRole: Sendable, Equatable {
  /// A convolution's filter `[O, H, W, I]`.
  case filter
  /// A depthwise convolution's filter `[1, H, W, C * M]`.
  case depthwiseFilter
  /// A transposed convolution's filter `[O, H, W, I]`.
  case transposedFilter
  /// A dense layer's weights `[O, I]`; `picture` are the extents `[H, W, C]` of what was flattened in
  /// front of it.
  case dense(picture: [Int]?)
  /// The second factor of a matrix product, `[..., I, O]` or turned.
  case factor(isTransposed: Bool)
  /// Anything else: as it is.
  case plain
}

extension WeightRole {
  /// The role of a value that one node reads.
  init(of id: ValueID, in graph: Graph, _ index: GraphIndex) {
    guard let reader = index.readers(of: id).first else {
      self = .plain
      return
    }
    let node = graph.nodes[reader]
    let place = node.inputs.firstIndex { $0 == id }
    switch node.op {
    case is Conv2D where place == 1: self = .filter
    case is DepthwiseConv2D where place == 1: self = .depthwiseFilter
    case is TransposeConv2D where place == 1: self = .transposedFilter
    case is FullyConnected where place == 1:
      self = .dense(picture: WeightRole.flattened(node.inputs[0], graph, index))
    case let product as MatMul where place == 1:
      self = .factor(isTransposed: product.transposesB)
    default: self = .plain
    }
  }

  /// The extents of the picture that becomes one row in front of a dense layer, where its order
  /// matters.
  private static func flattened(_ id: ValueID?, _ graph: Graph, _ index: GraphIndex) -> [Int]? {
    guard var current = id else { return nil }
    // Activations and normalizations in between keep the order.
    for _ in 0..<8 {
      guard let maker = index.producer(of: current) else { return nil }
      let node = graph.nodes[maker]
      guard let input = node.inputs.first ?? nil else { return nil }
      let shape = graph[input].type.shape
      if node.op is Reshape {
        guard shape.rank == 4, shape[0] == 1, shape[1] * shape[2] > 1, shape[3] > 1,
          graph[current].type.shape.dims.last == shape.count
        else { return nil }
        return Array(shape.dims.dropFirst())
      }
      guard node.op is Unary || node.op is BatchNorm else { return nil }
      current = input
    }
    return nil
  }

  /// A file's tensor as the network wants it; `nil` when it cannot be that weight.
  ///
  /// - Parameters:
  ///   - tensor: as the file has it.
  ///   - convention: of the file.
  ///   - shape: what the network wants.
  func fitted(_ tensor: Tensor, _ convention: WeightFile.Convention, to shape: Shape) -> Tensor? {
    guard tensor.count == shape.count, let numbers = tensor.converted(to: .float32) else {
      return nil
    }
    guard let turned = turned(numbers, convention, shape) else { return nil }
    if turned.shape == shape { return turned }
    // Extents of one come and go: a dense layer may be a convolution of one pixel.
    guard turned.shape.dims.filter({ $0 != 1 }) == shape.dims.filter({ $0 != 1 }) else {
      return nil
    }
    return turned.reshaped(shape)
  }

  private func turned(
    _ tensor: Tensor,
    _ convention: WeightFile.Convention,
    _ wanted: Shape
  ) -> Tensor? {
    let isTorch = convention == .torch
    let rank = tensor.shape.rank
    switch self {
    case .filter, .transposedFilter, .depthwiseFilter:
      guard let square = squared(tensor, isTorch) else { return nil }
      switch (self, isTorch) {
      case (.filter, true): return square.permuted([0, 2, 3, 1])
      case (.filter, false): return square.permuted([3, 0, 1, 2])
      case (.transposedFilter, true): return square.permuted([1, 2, 3, 0])
      case (.transposedFilter, false): return square.permuted([2, 0, 1, 3])
      case (_, true): return square.permuted([1, 2, 3, 0])
      case (_, false):
        // A filter for each channel and multiplier: both axes become one.
        return square.reshaped([1, square.shape[0], square.shape[1], wanted[3]])
      }
    case .dense(let picture):
      let flat = rank == 2 ? tensor : matrix(tensor, isTorch, wanted)
      guard let flat else { return nil }
      guard isTorch else { return flat.permuted([1, 0]) }
      guard let picture else { return flat }
      // PyTorch flattens channel by channel, here pixel by pixel.
      return flat.reshaped([flat.shape[0], picture[2], picture[0], picture[1]])
        .permuted([0, 2, 3, 1])?.reshaped(flat.shape)
    case .factor(let isTransposed):
      guard rank == 2 else { return tensor }
      return isTorch != isTransposed ? tensor.permuted([1, 0]) : tensor
    case .plain: return tensor
    }
  }

  /// A filter of pictures; one of series gets a row of height 1, a matrix is a filter of one pixel.
  private func squared(_ tensor: Tensor, _ isTorch: Bool) -> Tensor? {
    let shape = tensor.shape
    switch shape.rank {
    case 4: return tensor
    case 3:
      return tensor.reshaped(
        isTorch ? [shape[0], shape[1], 1, shape[2]] : [1, shape[0], shape[1], shape[2]]
      )
    case 2:
      return tensor.reshaped(isTorch ? [shape[0], shape[1], 1, 1] : [1, 1, shape[0], shape[1]])
    default: return nil
    }
  }

  /// A dense layer's weights that the file keeps with more axes: heads, or a filter of one pixel.
  private func matrix(_ tensor: Tensor, _ isTorch: Bool, _ wanted: Shape) -> Tensor? {
    guard wanted.rank == 2 else { return nil }
    return tensor.reshaped(isTorch ? wanted : [wanted[1], wanted[0]])
  }
}
