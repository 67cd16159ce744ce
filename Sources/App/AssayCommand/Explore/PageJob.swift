import AssayBase
import AssayBench
import AssayCatalog
import AssayData
import AssayRuntime

/// What a page asks to be done, with everything in it known to exist.
enum PageJob {
  struct Bench {
    var model: String, runtime: String, provider: String, preset: String, preprocess: String
    var threads: Int, top: Int
    var threshold: Double
    var pictures: String?, labels: String?
    /// Where it runs; `local` for this machine.
    var device = "local"
  }

  struct Detect {
    var detector: String, series: String
    var runtime: String?
  }

  case bench(Bench)
  case detect(Detect)

  /// - Throws: `Diagnostic` EXP012 for what is missing, unknown or out of range.
  init(_ json: JSON, _ folder: ModelsFolder) throws {
    let content = folder.content()
    func known(_ key: String, among words: [String]) throws -> String {
      guard let word = json[key]?.string, words.contains(word) else {
        throw Diagnostic(
          "EXP012",
          "'\(key)' is none of those that there are",
          at: [Words.printable(json[key]?.string ?? "nothing")],
          remedy: words.isEmpty ? nil : words.prefix(12).joined(separator: ", ")
        )
      }
      return word
    }
    func number(_ key: String, _ range: ClosedRange<Double>, usual: Double) throws -> Double {
      guard let given = json[key], !given.isNull else { return usual }
      guard let value = given.double, range.contains(value) else {
        throw Diagnostic(
          "EXP012",
          "'\(key)' is \(given.text())",
          remedy: "from \(Words.short(range.lowerBound)) to \(Words.short(range.upperBound))"
        )
      }
      return value
    }
    func isGiven(_ key: String) -> Bool { !(json[key]?.string ?? "").isEmpty }
    let runtimes = Catalog.runtimes.map(\.id).filter { $0 != "null" }
    switch json["kind"]?.string {
    case "bench":
      var job = Bench(
        model: try known("model", among: content.models.map(\.name)),
        runtime: try known("runtime", among: runtimes),
        provider: json["provider"] == nil
          ? "cpu" : try known("provider", among: Provider.allCases.map(\.rawValue)),
        preset: json["preset"] == nil
          ? "quick" : try known("preset", among: Preset.all.map(\.name)),
        preprocess: json["preprocess"]?.string ?? "",
        threads: Int(try number("threads", 1...1024, usual: 1)),
        top: Int(try number("top", 1...100, usual: 3)),
        threshold: try number("threshold", 0...1, usual: 0)
      )
      if json["pictures"]?.string != nil {
        job.pictures = try known("pictures", among: content.pictures.map(\.folder))
      }
      if isGiven("device"), json["device"] != "local" {
        job.device = try known("device", among: PageBench.devices().map(\.word))
      }
      if isGiven("labels") { job.labels = try known("labels", among: content.labels) }
      _ = try Preprocessing.parse(job.preprocess)
      let format = content.models.first { $0.name == job.model }?.format ?? ""
      let runtime = try Catalog.runtime(job.runtime)
      guard runtime.formats.contains(format) else {
        throw Diagnostic(
          "EXP012",
          "\(job.runtime) does not read \(format) files",
          remedy: "it reads \(runtime.formats.joined(separator: ", "))"
        )
      }
      if job.device == "local", case .unavailable(let reason, let remedy) = runtime.probe() {
        throw Diagnostic("HST030", "\(job.runtime) cannot be used: \(reason)", remedy: remedy)
      }
      self = .bench(job)
    case "detect":
      self = .detect(
        Detect(
          detector: try known("detector", among: content.detectors + content.models.map(\.name)),
          series: try known("series", among: content.series),
          runtime: isGiven("runtime") ? try known("runtime", among: runtimes) : nil
        )
      )
    default:
      throw Diagnostic("EXP012", "'kind' is bench or detect")
    }
  }
}
