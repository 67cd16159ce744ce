import AssayHost
import AssayRuntime

extension TimedLoop {
  /// Blocks of a window each, until latencies have settled and the minimum is reached.
  ///
  /// The runner on devices compiles this very file, so that a device is warmed up as the host is.
  ///
  /// - Parameter further: other sessions of the same model, each of which runs a few times.
  /// - Returns: the latencies of all blocks.
  func warmUp(
    _ session: any Session,
    further: [any Session],
    _ limits: BlockLimits
  ) throws(RunFailure) -> [Int64] {
    var samples: [Int64] = []
    let start = Host.monotonicNanoseconds()
    let one = BlockLimits(
      minimumCount: Steadiness.window,
      minimumNanoseconds: 0,
      maximumCount: Steadiness.window,
      maximumNanoseconds: limits.maximumNanoseconds
    )
    for session in further { for _ in 0..<3 { try session.run() } }
    var next = 0
    while true {
      try run(session, one)
      samples += self.samples
      let elapsed = Host.monotonicNanoseconds() - start
      if samples.count >= limits.maximumCount || elapsed >= limits.maximumNanoseconds { break }
      guard limits.isOver(count: samples.count, elapsed: elapsed), samples.count >= next else {
        continue
      }
      if Steadiness.isSettled(samples) { break }
      next = samples.count + samples.count / 8
    }
    return samples
  }
}
