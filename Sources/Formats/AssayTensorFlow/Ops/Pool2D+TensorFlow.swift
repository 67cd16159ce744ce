import AssayBase
import AssayGraph
import AssayTensor

let poolReaders: [String: TFReader] = [
  "MaxPool": { try readPool($0, &$1, .max) },
  "MaxPoolV2": { try readPool($0, &$1, .max) },
  "AvgPool": { try readPool($0, &$1, .average) },
]

private func readPool(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Pool2D.Kind
) throws -> [TFValue] {
  var call = call
  if call.node.op == "MaxPoolV2" {
    var node = call.node
    node.attributes["ksize"] = .ints(try into.integers(call, 1).map(Int64.init))
    node.attributes["strides"] = .ints(try into.integers(call, 2).map(Int64.init))
    call = TFCall(node: node, inputs: call.inputs, name: call.name)
  }
  let image = try into.image(call, 0)
  let op = Pool2D(
    kind,
    window: try TFWindow.pair(call, "ksize"),
    strides: try TFWindow.pair(call, "strides"),
    padding: try TFWindow.padding(call)
  )
  return [try into.emitImage(call, op, [image])]
}
