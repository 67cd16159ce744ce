import AssayBase

extension BenchmarkModelRun {
  /// Reads the one run that a text holds.
  ///
  /// - Parameter text: standard output and standard error together, or lines of Android's log.
  /// - Throws: `Diagnostic` BMK001 when there is none, BMK002 when there are several.
  public init(parsing text: String) throws {
    let runs = BenchmarkModelRun.all(in: text)
    guard let run = runs.first else {
      throw Diagnostic(
        "BMK001",
        "this is no output of benchmark_model",
        remedy: "give what the tool printed, standard output and standard error, or the lines of "
          + "logcat with the tag tflite"
      )
    }
    guard runs.count == 1 else {
      throw Diagnostic(
        "BMK002",
        "the text holds \(runs.count) runs of benchmark_model",
        remedy: "give each run by itself; for the app, clear the log before each start: logcat -c"
      )
    }
    self = run
  }

  /// Every run of a text, in order.
  public static func all(in text: String) -> [BenchmarkModelRun] {
    // Other processes write with the same tag: only those that began a run are listened to.
    let lines = LogLine.lines(text)
    let starters = Set(lines.filter { isStart($0.text) }.compactMap(\.process))
    let own = lines.filter { line in
      guard let process = line.process else { return starters.isEmpty }
      return starters.isEmpty || starters.contains(process)
    }
    var chunks: [[LogLine]] = [[]]
    var hasStart = false
    for line in own {
      if isStart(line.text) {
        // The app's own line comes right before the tool's.
        let isContinued = hasStart && chunks.last?.count == 1 && line.text == "STARTING!"
        if hasStart, !isContinued { chunks.append([]) }
        hasStart = true
      }
      chunks[chunks.count - 1].append(line)
    }
    return chunks.map { BenchmarkModelRun(lines: $0) }.filter(\.isAnything)
  }

  private static func isStart(_ text: String) -> Bool {
    text == "STARTING!" || text.hasPrefix(started)
  }

  private static let started = "Running TensorFlow Lite benchmark with args: "

  /// Whether a line of the tool was among what was read.
  private var isAnything: Bool {
    timings != nil || measured != nil || warmup != nil || model != nil || isFailed
      || !parameters.isEmpty || arguments != nil
  }

  private init(lines: [LogLine]) {
    var reader = RunReader()
    for line in lines { reader.read(line) }
    self = reader.run
    profile = OperatorProfile(lines: lines.map(\.text))
    contradictions = BenchmarkModelRun.contradictions(self)
  }

  /// What cannot be true together.
  private static func contradictions(_ run: BenchmarkModelRun) -> [String] {
    var found: [String] = []
    for (name, series) in [("warm-up", run.warmup), ("measured", run.measured)] {
      guard let series else { continue }
      let figures = [
        series.first, series.last, series.minimum, series.maximum, series.mean, series.median,
        series.p5, series.p95,
      ].compactMap(\.self)
      if figures.contains(where: { $0.value < 0 }) { found.append("\(name): a time is negative") }
      if let low = series.minimum, let high = series.maximum {
        // The mean has six digits, extremes have all of theirs.
        let slack = max(abs(high.value) * 1e-4, 1)
        if figures.contains(where: { $0.value < low.value - slack || $0.value > high.value + slack }
        ) {
          found.append("\(name): a time lies outside of minimum and maximum")
        }
      }
    }
    for (name, series, mean) in [
      ("warm-up", run.warmup, run.timings?.warmup),
      ("measured", run.measured, run.timings?.inference),
    ] {
      guard let mean, let told = series?.mean ?? (series?.count == 0 ? nil : series?.last) else {
        continue
      }
      if abs(told.value - mean.value) > max(abs(mean.value) * 1e-4, 1) {
        found.append("\(name): the mean is told as \(told) and as \(mean)")
      }
    }
    return found
  }
}

/// Takes a run's lines one by one.
private struct RunReader {
  var run = BenchmarkModelRun()
  /// How many times the tool said that it begins a series; figures belong to the last.
  private var seriesBegun = 0

  mutating func read(_ line: LogLine) {
    let text = line.text
    if line.level == .error { run.errors.append(String(text.trimmed)) }
    if line.level == .warning { run.warnings.append(String(text.trimmed)) }
    if readStart(text) || readSeries(text) || readMemory(text) || readDelegate(text) { return }
    readParameter(text)
  }

  private mutating func readStart(_ text: String) -> Bool {
    if let arguments = text.after("Running TensorFlow Lite benchmark with args: ") {
      run.arguments = String(arguments)
    } else if let flags = text.after("Unconsumed cmdline flags: ") {
      run.unknownFlags += flags.split(separator: " ").map { String($0) }
    } else if let path = text.after("Loaded model ") {
      run.model = String(path.trimmed)
    } else if let size = text.after("The input model file size (MB): ") {
      run.modelMegabytes = Printed(size.trimmed)
    } else if let time = text.after("Initialized session in ") {
      let number = time.between("", "ms.") ?? time.between("", "ms")
      run.sessionMilliseconds = number.flatMap { Printed($0) }
    } else if text.trimmed == "Benchmarking failed." {
      run.isFailed = true
    } else {
      return false
    }
    return true
  }

  private mutating func readSeries(_ text: String) -> Bool {
    if text.hasPrefix("Running benchmark for at least ") {
      seriesBegun += 1
      return true
    }
    if text.hasPrefix("count=") {
      let series = RunReader.series(text)
      switch seriesBegun {
      case 1 where run.warmup == nil: run.warmup = series
      case 2 where run.measured == nil: run.measured = series
      default: break
      }
      return true
    }
    for start in ["Inference timings in us: ", "Average inference timings in us: "] {
      guard let rest = text.after(start) else { continue }
      // A second line of averages would be another run's.
      if run.timings == nil { run.timings = RunReader.timings(rest) }
      return true
    }
    return false
  }

  private mutating func readMemory(_ text: String) -> Bool {
    for (start, isPeak) in [
      ("Memory footprint delta from the start of the tool (MB): ", false),
      ("Peak memory footprint (MB): ", true),
    ] {
      guard let rest = text.after(start) else { continue }
      let pairs = RunReader.pairs(rest, separator: " ", sign: "=")
      run.memory.initialization = pairs["init"].flatMap { Printed($0) }
      run.memory.overall = pairs["overall"].flatMap { Printed($0) }
      run.memory.isPeak = isPeak
      return true
    }
    if let rest = text.after("Overall peak memory footprint (MB) via periodic monitoring: ") {
      run.memory.monitoredPeak = Printed(rest.trimmed)
      return true
    }
    if let rest = text.trimmed.after("- VmRSS") {
      let number = rest.trimmed.after(":")?.trimmed.between("", " MB")
      run.memory.resident = number.flatMap { Printed($0.trimmed) }
      return true
    }
    return false
  }

  private mutating func readDelegate(_ text: String) -> Bool {
    if let name = text.between("", " delegate created."), isName(name) {
      note(name, .created)
    } else if let rest = text.after("Explicitly applied ") ?? text.after("Applied "),
      let end = rest.range(" delegate, and the model graph will be ")
    {
      let words = rest[end.upperBound...]
      let name = rest[..<end.lowerBound]
      if words.hasPrefix("completely executed") {
        note(name, .whole)
      } else if words.hasPrefix("partially executed") {
        let kernels = words.range(" w/ ").flatMap { range in
          words[range.upperBound...].between("", " delegate kernels.").flatMap { Int($0) }
        }
        note(name, .part(kernels: kernels))
      }
    } else if let name = text.between(
      "Though ",
      " delegate is explicitly applied, the model graph will not be executed by the delegate."
    ) {
      note(name, .nothing)
    } else if let name = text.trimmed.between("Failed to apply ", " delegate.") {
      note(name, .failed)
    } else if let list = text.between("NNAPI accelerators available: [", "]") {
      run.accelerators = list.split(separator: ",").map { String($0.trimmed) }
    } else if let rest = text.after("Replacing "), let replaced = RunReader.replaced(rest) {
      let index = delegate(replaced.name)
      run.delegates[index].placed = (run.delegates[index].placed ?? 0) &+ replaced.placed
      run.delegates[index].total = replaced.total
    } else if let operations = RunReader.operations(text) {
      let index = delegate("GPU")
      run.delegates[index].placed = operations.placed
      run.delegates[index].total = operations.placed &+ operations.rest
    } else {
      return false
    }
    return true
  }

  private mutating func readParameter(_ text: String) {
    guard seriesBegun == 0, text.hasSuffix("]"), let range = text.range(": [") else { return }
    let name = String(text[..<range.lowerBound].trimmed)
    let value = String(text[range.upperBound...].dropLast())
    run.parameters.append((name, value))
    if name == "Run w/o invoking kernels" { run.isDry = value == "1" }
  }

  private mutating func note(
    _ name: Substring,
    _ coverage: BenchmarkModelRun.Delegate.Coverage
  ) {
    guard isName(name) else { return }
    let index = delegate(String(name))
    run.delegates[index].coverage = coverage
  }

  /// The place of a delegate in the list; it is added where it is missing.
  private mutating func delegate(_ name: String) -> Int {
    if let index = run.delegates.firstIndex(where: { $0.name == name }) { return index }
    run.delegates.append(BenchmarkModelRun.Delegate(name: name, coverage: .created))
    return run.delegates.count - 1
  }

  private func isName(_ text: Substring) -> Bool { !text.isEmpty && text.count < 64 }

  // MARK: - Lines

  /// `count=50 first=26389 curr=27910 min=25528 max=41010 avg=32739.6 std=5287`.
  private static func series(_ text: String) -> BenchmarkModelRun.Series? {
    let isUniform = text.hasSuffix("(all same)")
    let plain = isUniform ? text.dropLast("(all same)".count) : text[...]
    let pairs = pairs(plain, separator: " ", sign: "=")
    guard let count = pairs["count"].flatMap({ Int($0) }), count >= 0 else { return nil }
    var series = BenchmarkModelRun.Series(count: count)
    func figure(_ name: String) -> Printed? { pairs[name].flatMap { Printed($0) } }
    series.first = figure("first")
    series.last = figure("curr")
    series.minimum = figure("min")
    series.maximum = figure("max")
    series.mean = figure("avg")
    series.deviation = figure("std")
    series.p5 = figure("p5")
    series.median = figure("median")
    series.p95 = figure("p95")
    series.isUniform = isUniform
    return series
  }

  /// `Init: 2008, First inference: 83209, Warmup (avg): 76364.7, Inference (avg): 54848.6`.
  private static func timings(_ text: Substring) -> BenchmarkModelRun.Timings {
    let pairs = pairs(text, separator: ",", sign: ":")
    func figure(_ names: String...) -> Printed? {
      names.compactMap { pairs[$0] }.first.flatMap { Printed($0) }
    }
    var timings = BenchmarkModelRun.Timings()
    timings.initialization = figure("Init")
    timings.first = figure("First inference")
    timings.warmup = figure("Warmup (avg)", "Warmup")
    timings.inference = figure("Inference (avg)", "Inference", "no stats")
    return timings
  }

  /// `66 out of 66 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 1 partitions …`.
  private static func replaced(_ text: Substring) -> (placed: Int, total: Int, name: String)? {
    let words = text.split(separator: " ")
    guard words.count >= 7, words[1] == "out", words[2] == "of", words[4].hasPrefix("node"),
      words[5] == "with", words[6] == "delegate", let placed = Int(words[0]),
      let total = Int(words[3]), 0...total ~= placed, total < 1 << 30
    else { return nil }
    let name = words.count > 7 ? words[7].filter { $0 != "(" && $0 != ")" } : "delegate"
    // The runtime's names and the tool's differ for the same delegate.
    let known = ["GPU", "XNNPACK", "NNAPI", "Hexagon"].first {
      name.lowercased().contains($0.lowercased())
    }
    return (placed, total, known ?? String(name))
  }

  /// Reads `87 operations will run on the GPU, and the remaining 12 operations will run on the CPU.`.
  private static func operations(_ text: String) -> (placed: Int, rest: Int)? {
    guard let middle = text.range(" operations will run on the GPU, and the remaining "),
      let placed = Int(text[..<middle.lowerBound].trimmed),
      let rest = text[middle.upperBound...].between("", " operations will run on the CPU.")
        .flatMap({ Int($0) }), placed >= 0, rest >= 0, placed < 1 << 30, rest < 1 << 30
    else { return nil }
    return (placed, rest)
  }

  /// Names with values; the first of a name counts.
  private static func pairs(
    _ text: Substring,
    separator: Character,
    sign: Character
  ) -> [String: String] {
    var pairs: [String: String] = [:]
    for part in text.split(separator: separator) {
      guard let index = part.firstIndex(of: sign) else { continue }
      let name = String(part[..<index].trimmed)
      if pairs[name] == nil { pairs[name] = String(part[part.index(after: index)...].trimmed) }
    }
    return pairs
  }
}
