import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor

extension Worker {
  /// Runs the self-tests of the measured session.
  ///
  /// A second session, made for this, computes the outputs of a few samples. Then the measured session
  /// gets blocks of one sample again and again and of different samples, in random order; each
  /// inference is timed alone, samples are written before it either way, and outputs are compared
  /// after it.
  func audit(_ request: JSON) throws -> JSON {
    let session = try loaded()
    guard let source else { throw Diagnostic("BEN002", "nothing is loaded") }
    var random = SeededRNG(seed: UInt64(max(request["seed"]?.int ?? 1, 0)))
    let bound = try bind(fed, to: session.inputs.map { ($0.name, $0.type) })
    let samples = AuditSamples.make(8, session.inputs, measured: bound.map(\.bytes), &random)
    let judge = try source.runtime.load(path: source.path, options: source.options)
    let expected = try samples.map { sample in
      try Worker.write(sample, to: judge)
      try judge.runOnce()
      return try judge.outputs.indices.map { try judge.readOutput($0) }
    }
    let rounds = min(max(request["rounds"]?.int ?? 12, 1), 100)
    let limit = UInt64(max(request["blockNs"]?.int ?? 10_000_000, 1))
    var times: [[JSON]] = [[], []]
    var compared = 0
    var differing = 0
    for _ in 0..<rounds {
      for kind in [0, 1].shuffled(using: &random) {
        var block: [Int64] = []
        var spent: UInt64 = 0
        while block.count < 8 || spent < limit, block.count < 4096 {
          let index = kind == 0 ? 0 : Int.random(in: 0..<samples.count, using: &random)
          try Worker.write(samples[index], to: session)
          let time = try session.timedRun()
          block.append(Int64(clamping: time))
          spent &+= time
          // One in eight is looked at; the first always.
          guard block.count % 8 == 1 else { continue }
          compared += 1
          for (port, output) in session.outputs.indices.enumerated() {
            let found = try session.readOutput(output)
            if !Worker.agree(found, expected[index][port], session.outputs[output].type) {
              differing += 1
              break
            }
          }
        }
        // The first of a block pays for the change of what ran before.
        times[kind].append(.array(block.dropFirst(2).map { .integer($0) }))
      }
    }
    return .object([
      "compared": JSON(compared), "differing": JSON(differing), "samples": JSON(samples.count),
      "repeated": .array(times[0]), "varied": .array(times[1]),
    ])
  }

  private static func write(_ sample: [ByteView], to session: any Session) throws {
    for (index, bytes) in sample.enumerated() { try session.write(bytes, toInput: index) }
  }

  /// Whether outputs agree up to the order in which threads add: a thousandth of the largest value for
  /// floats, one step for integers.
  static func agree(_ a: ByteView, _ b: ByteView, _ type: TensorType) -> Bool {
    guard a.count == b.count else { return false }
    if a.array == b.array { return true }
    guard let x = try? Tensor(type, bytes: a), let y = try? Tensor(type, bytes: b) else {
      return false
    }
    switch type.dtype {
    case .float32, .float16, .float64:
      let (x, y) = (x.floats(), y.floats())
      let scale = y.reduce(Float(0)) { max($0, abs($1)) }
      return zip(x, y).allSatisfy { pair in
        (pair.0.isNaN && pair.1.isNaN) || abs(pair.0 - pair.1) <= 1e-3 * scale
      }
    case .int8, .uint8:
      return zip(a.array, b.array).allSatisfy { x, y in
        abs(Int(Int8(bitPattern: x &- y))) <= 1
      }
    default: return false
    }
  }
}

/// What a model is given in self-tests.
public enum AuditSamples {
  /// Samples of the kind that the model takes: uniform in [0, 1) for floats, every value for small
  /// integers.
  ///
  /// Wide integers may be indices into a table of the model: they stay as they were fed.
  ///
  /// - Parameter measured: the inputs that were measured: the first sample.
  /// - Returns: for each sample the bytes of every port.
  public static func make(
    _ count: Int,
    _ ports: [Port],
    measured: [ByteView],
    _ random: inout SeededRNG
  ) -> [[ByteView]] {
    (0..<count).map { sample in
      zip(ports, measured).map { port, given in
        if sample == 0 { return given }
        switch port.type.dtype {
        case .float32, .float16, .float64:
          let values = (0..<port.type.shape.count).map { _ in random.uniform() }
          let tensor = Tensor(values, port.type.shape)
          return tensor.converted(to: port.type.dtype, quantization: nil)?.bytes ?? given
        case .int8, .uint8:
          return ByteView(
            (0..<(port.type.byteCount ?? 0)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
          )
        default: return given
        }
      }
    }
  }
}
