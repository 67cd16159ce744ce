import AssayBase
import AssayGraph
import AssayTensor

let reduceReaders: [String: TFReader] = [
  "Mean": { try readReduce($0, &$1, .mean) },
  "Sum": { try readReduce($0, &$1, .sum) },
  "Max": { try readReduce($0, &$1, .max) },
  "Min": { try readReduce($0, &$1, .min) },
  "Prod": { try readReduce($0, &$1, .product) },
]

private func readReduce(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Reduce.Kind
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let axes = try into.integers(call, 1)
  // No axes: every element stays by itself.
  if axes.isEmpty { return [.tensor(x)] }
  let rank = into.graph[x].type.shape.rank
  let op = Reduce(
    kind,
    axes: axes.map { $0 < 0 ? $0 &+ rank : $0 },
    keepsAxes: call.bool("keep_dims")
  )
  return try into.emit(call, op, [x])
}
