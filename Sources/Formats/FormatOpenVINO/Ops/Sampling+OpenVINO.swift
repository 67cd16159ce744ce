import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

extension LocalResponseNorm: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let rank = node.input(0).shape.rank
    guard size % 2 == 1, rank >= 2 else {
      throw Diagnostic("OVI116", "OpenVINO sums an odd number of neighbours of at least two axes")
    }
    let axis = file.constant(ints: [rank == 4 ? 1 : rank - 1])
    let whole = withUnitBias
    let op = whole?.op ?? self
    // OpenVINO divides the factor by the number of neighbours.
    let attributes = [
      (name: "alpha", value: "\(op.alpha * Float(size))"), (name: "beta", value: "\(beta)"),
      (name: "bias", value: "\(op.bias)"), (name: "size", value: "\(size)"),
    ]
    let inputs = [file.real(node, 0), axis]
    guard let whole else {
      file.finish(node, file.result("LRN", inputs, attributes, for: node))
      return
    }
    let sum = file.add("LRN", inputs, attributes, for: node)
    let factor = file.constant(whole.factor)
    file.finish(node, file.result("Multiply", [sum, factor], for: node))
  }
}

extension GridSample: OpenVINOExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule { .window }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    guard node.input(0).shape.rank == 4, let id = node.node.inputs[1] else {
      throw Diagnostic("OVI117", "OpenVINO samples images, not \(node.input(0).shape)")
    }
    let grid = file.value(of: id, in: .channelsLast)
    let mode =
      switch kind {
      case .nearest: "nearest"
      case .linear: "bilinear"
      case .cubic: "bicubic"
      }
    let result = file.result(
      "GridSample",
      set: 9,
      [file.real(node, 0), grid],
      [
        ("align_corners", "\(alignsCorners)"), ("mode", mode),
        ("padding_mode", border == .edge ? "border" : border.rawValue),
      ],
      for: node
    )
    file.finish(node, result)
  }
}

extension RoIAlign: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let inputs = (0..<3).map { file.real(node, $0) }
    var attributes: [(name: String, value: String)] = [
      ("pooled_h", "\(size.height)"), ("pooled_w", "\(size.width)"),
      ("sampling_ratio", "\(samples)"), ("spatial_scale", "\(scale)"),
      ("mode", kind == .average ? "avg" : "max"),
    ]
    if usesHalfPixels { attributes.append(("aligned_mode", "half_pixel")) }
    let result = file.result(
      "ROIAlign",
      set: usesHalfPixels ? 9 : 3,
      inputs,
      attributes,
      for: node
    )
    file.finish(node, result)
  }
}
