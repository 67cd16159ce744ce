import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension NonMaxSuppression: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    guard softSigma == 0 else {
      throw Diagnostic("ONX111", "ONNX has no suppression by falling scores (Soft-NMS)")
    }
    // ONNX gives as many rows of (image, class, box) as boxes stay; here the rest is zero.
    func reshape(_ name: String, _ dims: [Int]) -> String {
      file.add("Reshape", [name, file.constant(ints: dims)], for: node)
    }
    let boxes = reshape(file.real(node, 0), [1, node.input(0).shape[0], 4])
    let scores = file.real(node, 1)
    let most = file.constant(ints: [count])
    let rows = file.add(
      "NonMaxSuppression",
      [
        boxes, reshape(scores, [1, 1, node.input(1).shape[0]]), most,
        file.constant(overlapThreshold), file.constant(scoreThreshold),
      ],
      for: node
    )
    let last = file.constant(Tensor([Int64(2)], [], dtype: .int64), hint: "const/int64_2")
    let kept = file.add("Gather", [rows, last], [.int("axis", 1)], for: node)
    let made = file.add("Shape", [kept], for: node)
    let rest = file.add("Sub", [most, made], for: node)
    let border = file.add("Concat", [file.constant(ints: [0]), rest], [.int("axis", 0)], for: node)
    let zero = file.constant(Tensor([Int64(0)], [], dtype: .int64), hint: "const/int64_0")
    let positions = file.add("Pad", [kept, border, zero], for: node)
    let int32 = [ONNXAttribute.int("to", Int(DType.int32.onnx))]
    file.finish(node, "Cast", [positions], int32)
    // A place behind the last box has no score.
    let picked = file.add("Gather", [scores, kept], for: node)
    let values = file.add(
      "Pad",
      [picked, border, file.constant(0, node.input(1).dtype)],
      for: node
    )
    file.finish(node, output: 1, "Identity", [values])
    let total = reshape(made, [])
    file.finish(node, output: 2, "Cast", [total], int32)
  }
}
