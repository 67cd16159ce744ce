import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Operators that move elements by indices or by rule, in the Graph's order of axes.

extension GatherND: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    // The first form of the operation joins batch axes.
    let result = file.result(
      "GatherND",
      set: batchAxes > 1 ? 8 : 5,
      [file.real(node, 0), file.real(node, 1)],
      [("batch_dims", "\(batchAxes)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension GatherElements: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let result = file.result(
      "GatherElements",
      set: 6,
      [file.real(node, 0), file.real(node, 1)],
      [("axis", "\(axis)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension ScatterND: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let inputs = (0..<3).map { file.real(node, $0) }
    let isPlain = reduction == .replace
    let result = file.result(
      "ScatterNDUpdate",
      set: isPlain ? 4 : 15,
      inputs,
      isPlain ? [] : [("reduction", reduction.irName)],
      for: node
    )
    file.finish(node, result)
  }
}

extension ScatterElements: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let axis = file.constant(int: node.input(0).shape.normalized(axis: axis) ?? 0)
    let inputs = (0..<3).map { file.real(node, $0) } + [axis]
    let isPlain = reduction == .replace
    let result = file.result(
      "ScatterElementsUpdate",
      set: isPlain ? 3 : 12,
      inputs,
      isPlain ? [] : [("reduction", reduction.irName), ("use_init_val", "true")],
      for: node
    )
    file.finish(node, result)
  }
}

extension ScatterReduction {
  fileprivate var irName: String {
    switch self {
    case .replace: "none"
    case .add: "sum"
    case .multiply: "prod"
    case .maximum: "max"
    case .minimum: "min"
    }
  }
}

extension CumulativeSum: OpenVINOExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule { .agnostic }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let axis = file.constant(int: file.axis(axis, node))
    let result = file.result(
      "CumSum",
      set: 3,
      [file.real(node, 0), axis],
      [("exclusive", "\(isExclusive)"), ("reverse", "\(isReversed)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension OneHot: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    func scalar(_ index: Int) -> IRValue {
      let value = file.real(node, index)
      return node.input(index).shape.rank == 0 ? value : file.reshaped(value, [])
    }
    let rank = node.outputs[0].shape.rank
    var indices = file.real(node, 0)
    if ![.int32, .int64].contains(node.input(0).dtype) {
      indices = file.converted(indices, to: .int64)
    }
    let result = file.result(
      "OneHot",
      [indices, file.constant(int: depth), scalar(1), scalar(2)],
      [("axis", "\(axis < 0 ? axis + rank : axis)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension Tile: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let counts = file.constant(ints: file.inputLayout(node).arrange(repeats))
    file.finish(node, file.result("Tile", [file.real(node, 0), counts], for: node))
  }
}

extension BroadcastTo: OpenVINOExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule { .ordered }

  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let inputs = [file.real(node, 0), file.constant(ints: shape)]
    let result = file.result("Broadcast", set: 3, inputs, [("mode", "numpy")], for: node)
    file.finish(node, result)
  }
}

extension DepthToSpace: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let result = file.result(
      "DepthToSpace",
      [file.real(node, 0)],
      [("mode", "blocks_first"), ("block_size", "\(blockSize)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension SpaceToDepth: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let result = file.result(
      "SpaceToDepth",
      [file.real(node, 0)],
      [("mode", "blocks_first"), ("block_size", "\(blockSize)")],
      for: node
    )
    file.finish(node, result)
  }
}

extension Reverse: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let shape = node.input(0).shape
    let reversed = Set(axes.compactMap { shape.normalized(axis: $0) })
    let slice = Slice(
      begin: shape.dims.indices.map { reversed.contains($0) ? max(shape[$0] - 1, 0) : 0 },
      sizes: shape.dims,
      steps: shape.dims.indices.map { reversed.contains($0) ? -1 : 1 }
    )
    try slice.write(node, to: &file)
  }
}

extension ReverseSequence: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let shape = node.input(0).shape
    let result = file.result(
      "ReverseSequence",
      [file.real(node, 0), file.real(node, 1)],
      [
        ("batch_axis", "\(shape.normalized(axis: batchAxis) ?? 0)"),
        ("seq_axis", "\(shape.normalized(axis: timeAxis) ?? 0)"),
      ],
      for: node
    )
    file.finish(node, result)
  }
}

extension BandPart: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let shape = node.input(0).shape
    let (rows, columns) = (shape[-2], shape[-1])
    guard rows >= 0, columns >= 0, rows * columns <= 1 << 26 else {
      throw Diagnostic("OVI115", "the band of \(shape) is too large to be written as a mask")
    }
    let stays = (0..<rows * columns).map { index -> UInt8 in
      let offset = index % columns - index / columns
      let isInside = lowest.map { offset >= $0 } ?? true && highest.map { offset <= $0 } ?? true
      return isInside ? 1 : 0
    }
    let mask = file.addConstant(
      Tensor(stays, [rows, columns], dtype: .bool),
      hint: "\(node.node.name)/band"
    )
    let x = file.real(node, 0)
    let zero = file.constant(0, file.type(of: x).dtype)
    let result = file.result(
      "Select",
      [mask, x, zero],
      [("auto_broadcast", "numpy")],
      for: node
    )
    file.finish(node, result)
  }
}
