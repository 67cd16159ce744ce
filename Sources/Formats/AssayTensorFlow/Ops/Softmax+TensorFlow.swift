import AssayBase
import AssayGraph
import AssayTensor

let softmaxReaders: [String: TFReader] = [
  "Softmax": { call, into in try into.emit(call, Softmax(), [try into.tensor(call, 0)]) },
  "LogSoftmax": readLogSoftmax,
]

/// `x - max - log(sum(exp(x - max)))` over the last axis.
private func readLogSoftmax(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let high = try into.step(call, "max", Reduce(.max, axes: [-1], keepsAxes: true), [x])
  let shifted = try into.step(call, "shifted", Binary(.subtract), [x, high])
  let power = try into.step(call, "exp", Unary(.exp), [shifted])
  let sum = try into.step(call, "sum", Reduce(.sum, axes: [-1], keepsAxes: true), [power])
  let log = try into.step(call, "log", Unary(.log), [sum])
  return try into.emit(call, Binary(.subtract), [shifted, log])
}
