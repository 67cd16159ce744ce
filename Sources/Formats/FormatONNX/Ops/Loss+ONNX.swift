import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Losses, as inference networks that report them have them.
let lossReaders: [String: ONNXReader] = [
  "NegativeLogLikelihoodLoss": { call, into in
    let x = try into.plain(call.input(0))
    try readLoss(call, x, &into)
  },
  "SoftmaxCrossEntropyLoss": { call, into in
    let x = try into.plain(call.input(0))
    let logarithms = try into.step(call, "logarithms", LogSoftmax(axis: 1), [x])
    into.conclude(call, logarithms, output: 1)
    try readLoss(call, logarithms, &into)
  },
]

/// The negative of the target class's element along axis 1, weighted by class.
private func readLoss(
  _ call: OperatorCall,
  _ x: ValueID,
  _ into: inout GraphImporter
) throws {
  let shape = into.shape(x)
  let target = try into.cast(call, into.plain(call.input(1)), .int64)
  let dims = into.shape(target).dims
  guard shape.rank >= 2, dims == [shape[0]] + shape.dims.dropFirst(2) else {
    throw call.unsupported("targets \(into.shape(target)) for \(shape)")
  }
  let dtype = into.dtype(x)
  // An ignored target may be no class at all: class 0 stands in for it.
  var classes = target
  var isIgnored: ValueID?
  if let ignored = call.int("ignore_index") {
    let mark = try into.binary(call, .equal, target, Double(ignored))
    let zero = into.scalar(0, .int64)
    classes = try into.choice(call, mark, zero, target)
    isIgnored = mark
  }
  let row = [shape[0], 1] + Array(shape.dims.dropFirst(2))
  let indices = try into.reshaped(call, classes, row)
  let picked = try into.step(call, "picked", GatherElements(axis: 1), [x, indices])
  var loss = try into.unary(call, .negative, into.reshaped(call, picked, dims))
  var weights: ValueID?
  if call.has(2) {
    let table = try into.plain(call.input(2))
    weights = try into.step(call, "weights", Gather(axis: 0), [table, classes])
  }
  if let isIgnored {
    let zero = into.scalar(0, dtype)
    let given =
      try weights
      ?? into.step(
        call,
        "weights",
        BroadcastTo(dims),
        [into.scalar(1, dtype)]
      )
    weights = try into.choice(call, isIgnored, zero, given)
  }
  if let weights { loss = try into.binary(call, .multiply, loss, weights) }
  let axes = Array(dims.indices)
  switch call.string("reduction", default: "mean") {
  case "none": into.conclude(call, loss)
  case "sum": into.conclude(call, try into.reduced(call, .sum, loss, axes, keeps: false))
  default:
    guard let weights else {
      into.conclude(call, try into.reduced(call, .mean, loss, axes, keeps: false))
      return
    }
    let sum = try into.reduced(call, .sum, loss, axes, keeps: false)
    let count = try into.reduced(call, .sum, weights, axes, keeps: false)
    into.conclude(call, try into.binary(call, .divide, sum, count))
  }
}
