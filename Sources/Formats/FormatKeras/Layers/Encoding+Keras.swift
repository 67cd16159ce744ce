import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers that prepare categories and images without weights.
  static let encoding: [String: KerasLayerKind] = [
    "CategoryEncoding": KerasLayerKind(
      check: { layer in
        guard (1..<1 << 20).contains(try layer.int("num_tokens")),
          ["multi_hot", "one_hot", "count"].contains(
            try layer.string("output_mode", default: "multi_hot")
          )
        else { throw layer.unsupported("output_mode", "the mode is not imported") }
      },
      emit: { context, inputs in try context.categories(context.only(inputs)) }
    ),
    "CenterCrop": KerasLayerKind(
      check: { layer in
        _ = try layer.int("height")
        _ = try layer.int("width")
      },
      emit: { context, inputs in
        try context.onImage(context.image(inputs, rank: 4)) { context, x in
          let dims = context.shape(x).dims
          let sizes = [try context.layer.int("height"), try context.layer.int("width")]
          guard sizes[0] > 0, sizes[1] > 0, sizes[0] <= dims[1], sizes[1] <= dims[2] else {
            throw context.layer.unsupported("height", "an image of \(Shape(dims)) is too small")
          }
          let begin = [0, (dims[1] - sizes[0]) / 2, (dims[2] - sizes[1]) / 2, 0]
          let op = Slice(begin: begin, sizes: [dims[0], sizes[0], sizes[1], dims[3]])
          return try context.node("crop", op, [x])
        }
      }
    ),
    "Discretization": KerasLayerKind(
      check: { layer in
        guard try layer.string("output_mode", default: "int") == "int",
          try layer.floats("bin_boundaries")?.isEmpty == false
        else {
          throw layer.unsupported("bin_boundaries", "boundaries and the mode 'int' were expected")
        }
      },
      emit: { context, inputs in
        // The number of boundaries that are not above.
        let x = try context.image(inputs)
        let bounds = try context.layer.floats("bin_boundaries") ?? []
        let column = try context.node("expand", Reshape(context.shape(x).dims + [1]), [x])
        let limits = context.constant("boundaries") { Tensor(bounds, [bounds.count]) }
        let above = try context.node("above", Binary(.greaterEqual), [column, limits])
        let ones = try context.node("ones", Cast(.float32), [above])
        let sum = try context.node("count", Reduce(.sum, axes: [-1], keepsAxes: false), [ones])
        return try context.node("integers", Cast(.int32), [sum])
      }
    ),
  ]
}

extension KerasContext {
  fileprivate mutating func categories(_ x: ValueID) throws -> ValueID {
    let count = try layer.int("num_tokens")
    let mode = try layer.string("output_mode", default: "multi_hot")
    guard tensors(named: "count_weights").isEmpty else {
      throw layer.unsupported("count_weights", "weighed counts")
    }
    let dims = shape(x).dims
    let tokens = type(x).dtype == .int32 ? x : try node("tokens", Cast(.int32), [x])
    // A last extent of 1 is taken away for one category a sample.
    var lead = dims
    if mode == "one_hot", dims.last == 1 { lead.removeLast() }
    let column = try node("column", Reshape(lead + [1]), [tokens])
    let numbers = constant("numbers") { Tensor((0..<count).map { Int32($0) }, [count]) }
    let equal = try node("equal", Binary(.equal), [column, numbers])
    let ones = try node("ones", Cast(.float32), [equal])
    switch mode {
    case "one_hot": return ones
    case "count": return try node("count", Reduce(.sum, axes: [-2], keepsAxes: false), [ones])
    default: return try node("any", Reduce(.max, axes: [-2], keepsAxes: false), [ones])
    }
  }
}
