import CRunner

extension Runner {
  /// The self-tests of the measured session, as the host's worker makes them.
  ///
  /// The samples come from the host, one after the other (`raw` or `inline`), the measured one first. A
  /// session of its own computes their outputs; then blocks of the first sample alone and of all in
  /// random order are timed, inference by inference, and outputs are compared.
  mutating func audit(_ request: Value) throws(Failure) -> Value {
    let session = try loaded()
    guard let source, let library else { throw Failure("BEN002", "nothing is loaded") }
    let size = session.inputs.reduce(0) { $0 + $1.byteCount }
    let all = try bytes(request, "samples")
    guard size > 0, all.count % size == 0, all.count > 0 else {
      throw Failure("BEN002", "the samples on the device are no whole number of inputs")
    }
    var random = SeededRNG(seed: UInt64(max(request["seed"]?.int ?? 1, 0)))
    let count = all.count / size
    func sample(_ index: Int) -> ArraySlice<UInt8> { all[(index * size)..<((index + 1) * size)] }
    let judge = try library.session(source, isProfiling: false)
    var expected: [[[UInt8]]] = []
    for index in 0..<count {
      try write(sample(index), to: judge)
      try once(judge)
      var outputs: [[UInt8]] = []
      for port in judge.outputs.indices { outputs.append(try judge.read(output: port)) }
      expected.append(outputs)
    }
    let rounds = min(max(request["rounds"]?.int ?? 12, 1), 100)
    let limit = UInt64(max(request["blockNs"]?.int ?? 10_000_000, 1))
    var times: [[Value]] = [[], []]
    var (compared, differing) = (0, 0)
    for _ in 0..<rounds {
      let first = Int(random.next() & 1)
      for kind in [first, 1 - first] {
        var block: [Int64] = []
        var spent: UInt64 = 0
        while block.count < 8 || spent < limit, block.count < 4096 {
          let index = kind == 0 ? 0 : Int(random.next() % UInt64(count))
          try write(sample(index), to: session)
          let start = Host.monotonicNanoseconds()
          try once(session)
          let time = Host.monotonicNanoseconds() &- start
          block.append(Int64(clamping: time))
          spent &+= time
          // One in eight is looked at; the first always.
          guard block.count % 8 == 1 else { continue }
          compared += 1
          for port in session.outputs.indices {
            let found = try session.read(output: port)
            if !Runner.agree(found, expected[index][port], session.outputs[port].dtype) {
              differing += 1
              break
            }
          }
        }
        // The first of a block pays for the change of what ran before.
        times[kind].append(.array(block.dropFirst(2).map { .integer($0) }))
      }
    }
    try write(fed[...], to: session)
    return .object([
      ("ok", .bool(true)), ("compared", .integer(Int64(compared))),
      ("differing", .integer(Int64(differing))), ("samples", .integer(Int64(count))),
      ("repeated", .array(times[0])), ("varied", .array(times[1])),
    ])
  }

  /// Whether outputs agree up to the order in which threads add: a thousandth of the largest value for
  /// floats, one step for integers.
  static func agree(_ a: [UInt8], _ b: [UInt8], _ dtype: String) -> Bool {
    guard a.count == b.count else { return false }
    var isSame = true
    for index in a.indices where a[index] != b[index] {
      isSame = false
      break
    }
    if isSame { return true }
    switch dtype {
    case "float32":
      var (x, y): ([Float], [Float]) = ([], [])
      a.withUnsafeBytes { raw in
        for index in 0..<(a.count / 4) {
          x.append(raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        }
      }
      b.withUnsafeBytes { raw in
        for index in 0..<(b.count / 4) {
          y.append(raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        }
      }
      let scale = y.reduce(Float(0)) { max($0, $1.magnitude) }
      for index in x.indices {
        if x[index].isNaN && y[index].isNaN { continue }
        if !((x[index] - y[index]).magnitude <= 1e-3 * scale) { return false }
      }
      return true
    case "int8", "uint8":
      for index in a.indices {
        let step = Int8(bitPattern: a[index] &- b[index])
        if step > 1 || step < -1 { return false }
      }
      return true
    default: return false
    }
  }

  /// Bytes that a request holds in itself, or names a file of.
  func bytes(_ request: Value, _ what: String) throws(Failure) -> [UInt8] {
    if let text = request["inline"]?.string, let bytes = Base64.decode(text) { return bytes }
    if let path = request["raw"]?.string, let bytes = Host.bytes(of: path) { return bytes }
    throw Failure("BEN002", "there are no " + what + " in the request")
  }
}
