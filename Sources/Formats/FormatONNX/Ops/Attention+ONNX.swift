import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Attention (operator set 23) and RotaryEmbedding, composed of products of matrices.
let attentionReaders: [String: ONNXReader] = [
  "Attention": readAttention, "RotaryEmbedding": readRotaryEmbedding,
]

/// Attention: heads lie on axis 1, or side by side in the last axis of three.
///
/// As ONNX defines it since 1.20: heads of a group share a key (the first key belongs to the first
/// heads), the soft cap comes before the mask.
private func readAttention(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let isFlat = try into.type(call.input(0)).shape.rank == 3
  let queryHeads = call.int("q_num_heads", default: 0)
  let keyHeads = call.int("kv_num_heads", default: 0)
  func heads(_ index: Int, _ count: Int) throws -> ValueID {
    let x = try into.plain(call.input(index))
    let shape = into.shape(x)
    guard isFlat else {
      guard shape.rank == 4 else { throw call.unsupported("\(shape)") }
      return x
    }
    guard shape.rank == 3, count > 0, shape[2] % count == 0 else {
      throw call.unsupported("\(count) heads in \(shape)")
    }
    let split = try into.reshaped(call, x, [shape[0], shape[1], count, shape[2] / count])
    return try into.turned(call, split, [0, 2, 1, 3])
  }
  guard !call.has(6) else { throw call.unsupported("nonpad_kv_seqlen") }
  let query = try heads(0, queryHeads)
  var (key, value) = (try heads(1, keyHeads), try heads(2, keyHeads))
  if call.has(4) {
    key = try into.joined(call, [into.plain(call.input(4)), key], axis: 2)
    value = try into.joined(call, [into.plain(call.input(5)), value], axis: 2)
  }
  into.conclude(call, key, output: 1)
  into.conclude(call, value, output: 2)
  let past = call.has(4) ? try into.type(call.input(4)).shape[2] : 0
  let (q, k) = (into.shape(query), into.shape(key))
  guard k[1] > 0, q[1] % k[1] == 0 else { throw call.unsupported("\(q[1]) heads for \(k[1])") }
  if q[1] != k[1] {
    let positions = (0..<q[1]).map { $0 / (q[1] / k[1]) }
    key = try into.gathered(call, key, axis: 1, positions)
    value = try into.gathered(call, value, axis: 1, positions)
  }
  let scale = call.float("scale").map { Double($0) } ?? 1 / Double(q[3]).squareRoot()
  guard scale >= 0 else { throw call.unsupported("scale \(scale)") }
  let scaledQuery = try into.binary(call, .multiply, query, scale.squareRoot())
  let scaledKey = try into.binary(call, .multiply, key, scale.squareRoot())
  var scores = try into.product(call, scaledQuery, scaledKey, transposesB: true)
  let mode = call.int("qk_matmul_output_mode", default: 0)
  if mode == 0 { into.conclude(call, scores, output: 3) }
  let cap = Double(call.float("softcap") ?? 0)
  if cap > 0 {
    let bounded = try into.unary(call, .tanh, into.binary(call, .divide, scores, cap))
    scores = try into.binary(call, .multiply, bounded, cap)
  }
  if mode == 1 { into.conclude(call, scores, output: 3) }
  if call.int("is_causal", default: 0) != 0 {
    // Each step sees itself and those before it, the ones of the cache included.
    let table = (0..<q[2]).flatMap { row in
      (0..<k[2]).map { $0 <= row + past ? 0 : -Double.infinity }
    }
    let mask = into.constant(call, table, [q[2], k[2]], into.dtype(scores))
    scores = try into.binary(call, .add, scores, mask)
  }
  if call.has(3) {
    var mask = try into.plain(call.input(3))
    if into.dtype(mask) == .bool {
      let (zero, never) = (
        into.scalar(0, into.dtype(scores)), into.scalar(-.infinity, into.dtype(scores))
      )
      mask = try into.choice(call, mask, zero, never)
    }
    scores = try into.binary(call, .add, scores, mask)
  }
  if mode == 2 { into.conclude(call, scores, output: 3) }
  let dtype = into.dtype(scores)
  if let precision = call.int("softmax_precision"),
    let wanted = DType(onnx: Int32(truncatingIfNeeded: precision))
  {
    scores = try into.cast(call, scores, wanted)
  }
  var weights = try into.step(call, "weights", Softmax(), [scores])
  weights = try into.cast(call, weights, dtype)
  if mode == 3 { into.conclude(call, weights, output: 3) }
  let result = try into.product(call, weights, value)
  guard isFlat else {
    into.conclude(call, result)
    return
  }
  let turned = try into.turned(call, result, [0, 2, 1, 3])
  let shape = into.shape(turned)
  into.conclude(call, try into.reshaped(call, turned, [shape[0], shape[1], shape[2] * shape[3]]))
}

/// RotaryEmbedding: pairs of elements of each head turned by the angles of their position.
private func readRotaryEmbedding(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let source = try into.plain(call.input(0))
  let given = into.shape(source)
  // Batch, steps, heads, elements.
  var x = source
  if given.rank == 4 {
    x = try into.turned(call, x, [0, 2, 1, 3])
  } else {
    let heads = call.int("num_heads", default: 0)
    guard given.rank == 3, heads > 0, given[2] % heads == 0 else {
      throw call.unsupported("\(heads) heads in \(given)")
    }
    x = try into.reshaped(call, x, [given[0], given[1], heads, given[2] / heads])
  }
  let shape = into.shape(x)
  let dim = call.int("rotary_embedding_dim", default: 0)
  let width = dim == 0 ? shape[3] : dim
  guard width > 0, width <= shape[3], width % 2 == 0 else {
    throw call.unsupported("rotary_embedding_dim \(width)")
  }
  func angles(_ index: Int) throws -> ValueID {
    var table = try into.plain(call.input(index))
    if call.has(3) {
      let positions = try into.plain(call.input(3))
      table = try into.step(call, "angles", Gather(axis: 0), [table, positions])
    }
    let angles = into.shape(table)
    guard angles.rank == 3, angles[2] >= width / 2 else { throw call.unsupported("\(angles)") }
    let part = try into.sliced(call, table, axis: 2, 0..<width / 2)
    return try into.reshaped(call, part, [angles[0], angles[1], 1, width / 2])
  }
  let (cosine, sine) = (try angles(1), try angles(2))
  let turning = width == shape[3] ? x : try into.sliced(call, x, axis: 3, 0..<width)
  let isInterleaved = call.int("interleaved", default: 0) != 0
  let first: ValueID
  let second: ValueID
  if isInterleaved {
    first = try into.sliced(call, turning, axis: 3, 0..<width, step: 2)
    second = try into.sliced(call, turning, axis: 3, 1..<width, step: 2)
  } else {
    first = try into.sliced(call, turning, axis: 3, 0..<width / 2)
    second = try into.sliced(call, turning, axis: 3, width / 2..<width)
  }
  let real = try into.binary(
    call,
    .subtract,
    into.binary(call, .multiply, first, cosine),
    into.binary(call, .multiply, second, sine)
  )
  let imaginary = try into.binary(
    call,
    .add,
    into.binary(call, .multiply, first, sine),
    into.binary(call, .multiply, second, cosine)
  )
  var result: ValueID
  if isInterleaved {
    let dims = Array(shape.dims.dropLast()) + [width / 2, 1]
    let pair = [
      try into.reshaped(call, real, dims), try into.reshaped(call, imaginary, dims),
    ]
    let joined = try into.joined(call, pair, axis: 4)
    result = try into.reshaped(call, joined, Array(shape.dims.dropLast()) + [width])
  } else {
    result = try into.joined(call, [real, imaginary], axis: 3)
  }
  if width < shape[3] {
    let rest = try into.sliced(call, x, axis: 3, width..<shape[3])
    result = try into.joined(call, [result, rest], axis: 3)
  }
  into.conclude(
    call,
    given.rank == 4
      ? try into.turned(call, result, [0, 2, 1, 3])
      : try into.reshaped(call, result, given.dims)
  )
}
