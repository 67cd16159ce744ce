import AssayGraph
import AssayTensor

extension Pad: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let strides = x.shape.strides
    let axes = x.shape.dims.enumerated().map { axis, extent in
      AxisSelection(
        coordinates: (-before[axis]..<extent + after[axis]).map { source($0, extent) },
        stride: strides[axis]
      )
    }
    let fill = try tensor([Double(value)], TensorType(x.dtype, [1], quantization: x.quantization))
    return [try select(x, positions(axes), arguments.output, fill: fill)]
  }

  /// The coordinate that stands at `index` of the padded axis, or -1.
  private func source(_ index: Int, _ extent: Int) -> Int {
    if (0..<extent).contains(index) { return index }
    switch mode {
    case .constant: return -1
    case .edge: return extent == 0 ? -1 : min(max(index, 0), extent - 1)
    case .reflect: return index < 0 ? -index : 2 * (extent - 1) - index
    case .symmetric: return index < 0 ? -index - 1 : 2 * extent - 1 - index
    }
  }
}
