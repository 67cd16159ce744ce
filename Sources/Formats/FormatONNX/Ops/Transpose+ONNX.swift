import AssayFormat
import AssayGraph
import AssayTensor

extension Transpose: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let input = file.inputLayout(node)
    let output = file.outputLayout(node)
    let isImage = permutation.count == 4
    let physical =
      isImage
      ? output.permutation.map { input.position(ofAxis: permutation[$0]) } : permutation
    let source = file.real(node, 0)
    if physical == Array(physical.indices) {
      file.finish(node, "Identity", [source])
    } else {
      file.finish(node, "Transpose", [source], [.ints("perm", physical)])
    }
  }
}

// MARK: - Import

let transposeReaders: [String: ONNXReader] = ["Transpose": readTranspose]

private func readTranspose(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let rank = try into.type(call.input(0)).shape.rank
  let permutation = call.ints("perm") ?? Array((0..<rank).reversed())
  guard permutation.sorted() == Array(0..<rank) else {
    throw call.unsupported("perm \(permutation)")
  }
  if let tensor = into.constant(call.input(0)) {
    into.defineConstant(call, tensor.rearranged(permutation))
    return
  }
  // Turns between the two orders of an image name a value that is there already.
  if permutation == [0, 3, 1, 2] {
    into.alias(call, image: try into.plain(call.input(0)))
    return
  }
  if permutation == [0, 2, 3, 1], let image = into.knownImage(call.input(0)) {
    into.alias(call, plain: image)
    return
  }
  try into.define(call, Transpose(permutation), [try into.plain(call.input(0))])
}
