import AssayFormat
import AssayGraph
import AssayTensor

extension GraphExporter {
  /// An operand of a broadcasting operator as floats (or in its own type when it is not quantized),
  /// in the layout of the node.
  mutating func operand(_ view: NodeView, _ index: Int) -> String {
    let type = view.input(index)
    guard view.isParameter[index], view.outputs[0].shape.rank == 4, type.shape.rank < 4,
      plan.outputs[view.index] == .channelsFirst, let id = view.node.inputs[index],
      type.shape.count != 1
    else { return real(view, index) }
    let dims = [Int](repeating: 1, count: 4 - type.shape.rank) + type.shape.dims
    let arranged = Layout.channelsFirst.arrange(dims)
    // The axes of the operand as they follow one another in the new order.
    let order = Layout.channelsFirst.permutation.filter { $0 >= 4 - type.shape.rank }
    return parameter(
      id,
      permutation: order.map { $0 - (4 - type.shape.rank) },
      shape: Array(arranged.drop { $0 == 1 }),
      isDequantized: type.isQuantizedInteger
    )
  }
}
