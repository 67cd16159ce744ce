import AssayBase
import AssayCodec
import AssayData
import AssayHost
import AssayTensor

let dataMackeyGlassCommand = CommandSpec(
  name: "data mackey-glass",
  summary: "make series with hidden anomalies: the Mackey-Glass anomaly benchmark",
  discussion: """
    Cuts stretches out of a chaotic series where the ends fit, so that the seams cannot be seen, adds
    noise, and labels what was done. The smooth base is integrated afresh, or read with --base: of the
    published chunk K - 1 with seed K - 1 comes the published series K. Several series are made of one
    base by taking one chunk after the other, each with the next seed.
    """,
  options: [
    Option(
      "--output",
      short: "-o",
      .value("FILE"),
      "the CSV to write; a folder for several series (1.csv, 2.csv, …)"
    ),
    Option("--base", .value("FILE.npy"), "a smooth base series instead of a fresh one"),
    Option("--seed", .value("K"), "of positions and noise (default: 0); NumPy's, as published"),
    Option("--series", .value("N"), "how many series to make (default: 1)"),
    Option("--length", .value("N"), "samples of a series (default: 100000)"),
    Option("--anomalies", .value("N"), "anomalies of a series (default: 10)"),
    Option("--noise", .choice(AnomalyBenchmark.Noise.allCases.map(\.rawValue)), "default: uniform"),
    Option(
      "--noise-range",
      .value("A,B"),
      "the noise's bounds, or mean and deviation (default: -0.01,0.01; walk: -0.001,0.001; normal: "
        + "0,0.01)"
    ),
    Option("--min-distance", .value("N"), "least distance of two anomalies (default: 2000)"),
    Option("--min-cut", .value("N"), "least samples that a cut takes out (default: 100)"),
    Option("--search", .value("N"), "samples that each end may move to fit (default: 100)"),
    Option("--derivatives", .value("N"), "derivatives in which the ends fit (default: 3)"),
    Option("--anomaly-window", .value("N"), "samples labelled around an anomaly (default: 400)"),
    Option("--ignored", .value("N"), "samples at the start not to judge by (default: 256)"),
    Option("--tau", .value("T"), "the equation's delay (default: 18)"),
    Option("--exponent", .value("N"), "the equation's exponent (default: 10)"),
    Option("--beta", .value("B"), "the equation's rate of growth (default: 0.25)"),
    Option("--gamma", .value("G"), "the equation's rate of decay (default: 0.1)"),
    Option("--history", .value("X"), "the equation's constant past (default: 0.9)"),
    Option("--step", .value("T"), "time between samples (default: 1)"),
    Option("--base-length", .value("N"), "samples of the fresh base of each series"),
    Option("--save-base", .value("FILE.npy"), "keep the base that was integrated"),
    Option("--lyapunov", .flag, "estimate the greatest Lyapunov exponent of the equation"),
    Option("--force", .flag, "write over files of a folder that exist"),
  ],
  examples: [
    (
      "assay data mackey-glass --base mackey_glass_chunk1.npy --seed 1 -o series.csv",
      "the published series 2"
    ),
    ("assay data mackey-glass --seed 7 -o mine.csv", "a new one"),
    ("assay data mackey-glass --series 10 -o benchmark/ --noise walk", "a benchmark of ten"),
  ]
) { arguments, console in
  let job = try BenchmarkJob(arguments)
  return try job.run(console)
}

/// One call of the command, checked.
private struct BenchmarkJob {
  var benchmark = AnomalyBenchmark()
  var equation = MackeyGlass()
  var seriesCount: Int
  var seed: Int
  /// The files to write.
  var paths: [String]
  let arguments: Arguments

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    func count(_ name: String, _ value: inout Int, minimum: Int = 0) throws {
      if let given = try arguments.integer(name, minimum: minimum) { value = given }
    }
    func number(_ name: String, _ value: inout Double) throws {
      guard let text = arguments.value(name) else { return }
      guard let given = Double(text), given.isFinite else {
        throw Diagnostic("CLI006", "\(name) must be a number, not '\(text)'")
      }
      value = given
    }
    try count("--length", &benchmark.length)
    try count("--anomalies", &benchmark.anomalyCount)
    try count("--min-distance", &benchmark.leastDistance)
    try count("--min-cut", &benchmark.leastCut)
    try count("--search", &benchmark.searchLength)
    try count("--derivatives", &benchmark.derivativeCount)
    try count("--anomaly-window", &benchmark.windowLength)
    try count("--ignored", &benchmark.ignoredLength)
    try number("--tau", &equation.tau)
    try number("--exponent", &equation.exponent)
    try number("--beta", &equation.beta)
    try number("--gamma", &equation.gamma)
    try number("--history", &equation.history)
    try number("--step", &equation.step)
    if let noise = arguments.value("--noise").flatMap(AnomalyBenchmark.Noise.init) {
      benchmark.noise = noise
    }
    if let text = arguments.value("--noise-range") {
      let parts = text.split(separator: ",").compactMap { Double($0) }
      guard parts.count == 2 else {
        throw Diagnostic("CLI006", "--noise-range is two numbers with a comma, not '\(text)'")
      }
      benchmark.noiseParameters = (parts[0], parts[1])
    }
    seriesCount = try arguments.integer("--series") ?? 1
    seed = try arguments.integer("--seed", minimum: 0) ?? 0
    guard seriesCount <= 100_000, seed + seriesCount - 1 <= Int(UInt32.max) else {
      throw Diagnostic("CLI006", "--seed and --series go beyond the seeds, which have 32 bits")
    }
    try benchmark.check()
    try equation.check()
    guard let output = arguments.value("--output") else {
      guard arguments.has("--lyapunov") || arguments.has("--save-base") else {
        throw Diagnostic("CLI005", "--output is missing: the file to write", remedy: "-o mine.csv")
      }
      paths = []
      return
    }
    guard output != "-" else {
      throw Diagnostic("CLI006", "series are written to files, not to -", remedy: "-o mine.csv")
    }
    let isFolder = seriesCount > 1 || output.hasSuffix("/") || Host.kind(of: output) == .folder
    paths =
      isFolder ? (1...seriesCount).map { Host.join(output, "\($0).csv") } : [output]
    // A file that was named is written over, as by every command; those in a folder were not named.
    let there = isFolder ? paths.filter { Host.exists($0) } : []
    if let first = there.first, !arguments.has("--force") {
      throw Diagnostic(
        "CLI011",
        there.count == 1 ? "the file exists" : "\(there.count) of the files exist",
        at: [first],
        remedy: "choose another name, or write over with --force"
      )
    }
  }

  func run(_ console: Console) throws -> ExitStatus {
    let start = Host.monotonicNanoseconds()
    var result: JSON = .object(["schema": "assay.data.mackey-glass/1"])
    var text = ""
    if arguments.has("--lyapunov") {
      console.progress("following two neighbouring solutions")
      let exponent = try equation.lyapunovExponent()
      console.endProgress()
      result["lyapunovExponent"] = JSON(exponent.mean)
      result["lyapunovStandardError"] = JSON(exponent.standardError)
      text +=
        "greatest Lyapunov exponent: \(Text.fixed(exponent.mean, 5)) ± "
        + "\(Text.fixed(exponent.standardError, 5)) per time unit\n"
    }
    guard !paths.isEmpty || arguments.has("--save-base") else {
      try console.result(result, text: text)
      return .done
    }
    let base = try base(console)
    let chunk = seriesCount > 1 ? base.count / seriesCount : base.count
    var entries: [JSON] = []
    for (index, path) in paths.enumerated() {
      console.progress("series \(index + 1)/\(seriesCount)")
      let series = try benchmark.series(
        base: Array(base[index * chunk..<(index + 1) * chunk]),
        seed: UInt32(seed + index)
      )
      try Host.makeFolders(Host.folder(of: path))
      try AtomicFile.write([ByteView(series.csv)], to: path)
      entries.append(
        .object([
          "file": .string(path), "seed": JSON(seed + index), "samples": JSON(series.values.count),
          "anomalies": .array(series.cuts.map { JSON($0.index) }),
          "removed": .array(series.cuts.map { JSON($0.removedCount) }),
          "distances": .array(series.cuts.map { JSON($0.distance) }),
        ])
      )
      text +=
        "\(path): \(series.values.count) samples, seed \(seed + index), "
        + (series.cuts.isEmpty
          ? "no anomalies\n"
          : "\(series.cuts.count) anomalies at "
            + series.cuts.map { "\($0.index)" }.joined(separator: " ") + "\n")
    }
    console.endProgress()
    result["series"] = .array(entries)
    result["seconds"] = JSON(Double(Host.monotonicNanoseconds() - start) / 1e9)
    try console.result(result, text: text)
    return .done
  }

  /// The smooth series: read, or integrated for all series at once.
  private func base(_ console: Console) throws -> [Double] {
    let fresh = max(
      try arguments.integer("--base-length") ?? benchmark.freshBaseLength,
      benchmark.baseLength
    )
    let needed = benchmark.baseLength * seriesCount
    if let path = arguments.value("--base") {
      let series = try TimeSeries.read(path)
      guard series.channels.count == 1 else {
        throw Diagnostic("DTC014", "the base has \(series.channels.count) channels", at: [path])
      }
      guard series.count >= needed else {
        throw Diagnostic(
          "DTC014",
          "the base has \(series.count) samples, and \(needed) are needed",
          at: [path],
          remedy: "give a longer base, fewer or shorter series, or let it be integrated"
        )
      }
      return series.values[0]
    }
    let (count, overflow) = fresh.multipliedReportingOverflow(by: seriesCount)
    guard !overflow, count <= 200_000_000 else {
      throw Diagnostic("DTC012", "\(seriesCount) series of \(fresh) samples are too many at once")
    }
    let samples = try equation.samples(count) {
      console.progress("integrating: \(Text.percentDone($0, of: count))")
    }
    console.endProgress()
    if let path = arguments.value("--save-base") {
      let tensor = Tensor(samples, [samples.count], dtype: .float64)
      try AtomicFile.write(try NPY.write(tensor), to: path)
    }
    return samples
  }
}
