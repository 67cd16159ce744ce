import AssayBase
import AssayTensor

/// The sum, product, maximum or minimum of all slices that have the same number (TensorFlow's
/// UnsortedSegmentSum and its kin).
///
/// Inputs: data `[I…, D…]` and integers `[I…]`. Output: `[count, D…]`. Slices with a negative number
/// are left out; a number that no slice has gives 0, 1, or the least or greatest element of the type.
public struct SegmentReduce: Operator {
  /// What is taken.
  public enum Kind: String, Sendable { case sum, product, max, min }

  /// What is taken.
  public var kind: Kind
  /// How many numbers there are.
  public var count: Int

  /// Makes a reduction.
  public init(_ kind: Kind, count: Int) {
    self.kind = kind
    self.count = count
  }

  public var name: String {
    switch kind {
    case .sum: "SegmentSum"
    case .product: "SegmentProduct"
    case .max: "SegmentMax"
    case .min: "SegmentMin"
    }
  }
  public var tolerance: Tolerance { kind == .max || kind == .min ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] { [("count", "\(count)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (data, numbers) = (types[0].shape, types[1].shape)
    guard types[1].dtype.isInteger, numbers.rank <= data.rank, (0..<1 << 31).contains(count),
      Array(data.dims.prefix(numbers.rank)) == numbers.dims
    else { throw shapeFault(name, "numbers \(numbers) of \(data)") }
    return [TensorType(types[0].dtype, Shape([count] + data.dims.dropFirst(numbers.rank)))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[0]?.shape.count ?? 0)
  }
}

extension SegmentReduce: DecomposableOperator {
  /// A ScatterND onto what a number without slices gives; slices with a negative number go to a row
  /// behind, which is cut off.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    var x = try graph.input(0, of: node)
    let numbers = try graph.input(1, of: node)
    let (type, places) = (graph.type(x), graph.type(numbers).shape)
    guard type.dtype == .float32, type.quantization == nil, type.shape.isStatic else {
      throw Diagnostic("GRF003", "\(name) of \(type) cannot be written out")
    }
    let tail = Array(type.shape.dims.dropFirst(places.rank))
    let (start, reduction): (Float, ScatterReduction) =
      switch kind {
      case .sum: (0, .add)
      case .product: (1, .multiply)
      case .max: (-Float.greatestFiniteMagnitude, .maximum)
      case .min: (Float.greatestFiniteMagnitude, .minimum)
      }
    var rows = try graph.add(Reshape([places.count]), [numbers])
    if graph.type(rows).dtype != .int32 {
      rows = try graph.add(Cast(.int32), [rows], like: TensorType(.int32, [places.count]))
    }
    let zero = graph.addConstant("zero", Tensor([Int32(0)], []))
    let behind = graph.addConstant("behind", Tensor([Int32(clamping: count)], []))
    let isNegative = try graph.add(Binary(.less), [rows, zero])
    rows = try graph.add(Select(), [isNegative, behind, rows])
    rows = try graph.add(Reshape([places.count, 1]), [rows])
    x = try graph.add(Reshape([places.count] + tail), [x])
    let whole = Shape([count + 1] + tail)
    guard let elements = whole.elementCount, elements < 1 << 26 else {
      throw Diagnostic("GRF003", "\(name) of \(type) cannot be written out")
    }
    let blank = graph.addConstant(
      "start",
      Tensor([Float](repeating: start, count: elements), whole)
    )
    let all = try graph.add(ScatterND(reduction), [blank, rows, x])
    let cut = Slice(begin: whole.dims.map { _ in 0 }, sizes: [count] + tail)
    try graph.finish(cut, [all], node)
  }
}
