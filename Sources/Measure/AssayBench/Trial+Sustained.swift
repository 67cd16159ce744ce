import AssayBase
import AssayRecord

/// A long load without a pause.
public struct SustainedLoad: Sendable, Equatable {
  /// How long, nanoseconds.
  public var duration: UInt64
  /// How long the stretches are whose throughput is told, nanoseconds.
  public var window: UInt64

  /// A load of this duration, in windows of a tenth of a second to a second: hundreds of them.
  public init(duration: UInt64) {
    self.duration = duration
    window = min(max(duration / 600, 100_000_000), 1_000_000_000)
  }
}

extension Trial {
  /// Samples of all windows together that the record keeps; each window gives its first ones.
  private static let keptSamples = 200_000

  /// Runs the load, window after window.
  ///
  /// - Parameters:
  ///   - isStopped: asked between windows whether to end with those that there are.
  ///   - progress: called between windows with the part that is done.
  func sustain(_ load: SustainedLoad, isStopped: () -> Bool, progress: (Double) -> Void) {
    let count = max(1, Int(clamping: load.duration / max(load.window, 1)))
    let kept = max(20, Trial.keptSamples / count)
    let perSample = record.scenario?.samplesPerQuery ?? 1
    var origin: Int64?
    var windows: [Record.Sustained.Window] = []
    var elapsed: UInt64 = 0
    let turn = Preset(
      name: "sustained",
      rounds: 1,
      block: BlockLimits(
        minimumCount: 1,
        minimumNanoseconds: load.window,
        maximumNanoseconds: load.window
      ),
      warmup: Preset.quick.warmup,
      // The load has no pause in which others could take the caches.
      rewarmNanoseconds: 0
    )
    while isAlive, elapsed < load.duration, !isStopped() {
      let before = record.samples.count
      self.turn(turn)
      guard record.windows.count == record.rounds.count, let window = record.windows.last,
        let taken = record.rounds.last, taken > 0
      else { break }
      let start = origin ?? window.begin
      origin = start
      windows.append(
        Record.Sustained.Window(
          begin: window.begin - start,
          duration: window.end - window.begin,
          count: taken * perSample
        )
      )
      if taken > kept {
        record.samples.removeLast(taken - kept)
        record.rounds[record.rounds.count - 1] = kept
      }
      elapsed = UInt64(max(window.end - start, 0))
      progress(Double(elapsed) / Double(max(load.duration, 1)))
      if record.samples.count == before { break }
    }
    record.sustained = Record.Sustained(windows: windows)
  }
}

/// What a long load says of a record: BEN144 throughput fell.
func sustainedFindings(_ record: Record) -> [Diagnostic] {
  guard let throttling = record.sustained?.throttling else { return [] }
  let seconds = { (nanoseconds: Int64) in "\(Words.fixed(Double(nanoseconds) / 1e9, 1)) s" }
  let end =
    throttling.recovery.map { "came back after \(seconds($0))" } ?? "did not come back"
  return [
    Diagnostic(
      "BEN144",
      "throughput fell by up to \(Words.percent(throttling.loss)) after "
        + "\(seconds(throttling.onset)) of load and \(end)",
      remedy:
        "the first minute does not tell of the thirtieth: look at temperature and clock, or at "
        + "what else ran",
      severity: .warning
    )
  ]
}
