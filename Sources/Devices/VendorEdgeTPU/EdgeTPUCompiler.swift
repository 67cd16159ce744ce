import AssayBase
import AssayHost

/// The Edge TPU's own compiler, a closed program for x86-64 Linux that the maker gives out.
///
/// It is found by `ASSAY_EDGETPU_COMPILER` or in the search path. It can crash and it can hang, so
/// that each call is a process with a time limit, and its files appear only when they are whole.
public struct EdgeTPUCompiler: Sendable {
  /// The program.
  public var path: String

  /// What is asked of it.
  public struct Options: Sendable, Equatable {
    /// The runtime version to compile for, 10 to 14; `nil` for the compiler's own choice.
    public var runtime: Int?
    /// Whether every part is compiled.
    public var compilesAllParts = false
    /// Whether it looks for the largest part that compiles when the whole does not, and by how many
    /// operators it steps back each time.
    public var searchStep: Int?
    /// Parts for as many chips in a row; 1 for one chip.
    public var segments = 1
    /// Only as far as these tensors; empty for all.
    public var until: [String] = []
    /// Seconds that one compilation may take.
    public var seconds = 180.0

    /// The usual options.
    public init() {}
  }

  /// How a call went.
  public struct Result: Sendable {
    /// What it told; `nil` when it told nothing.
    public var report: CompilerReport?
    /// All that it printed.
    public var text: String
    /// How it ended; `nil` when it took too long and was killed.
    public var end: ProcessEnd?
    /// The files that it wrote, where they now are.
    public var files: [String]
    /// What was tried before: tensors as far as which a part did not compile.
    public var failedParts: [String] = []

    /// Whether it compiled.
    public var isSuccess: Bool { end == .exited(0) && report?.isSuccess == true && !files.isEmpty }

    /// Why it did not; `nil` when it did.
    public var fault: Diagnostic? {
      if isSuccess { return nil }
      let cause = report?.failure ?? report?.complaints.first
      guard let end else {
        return Diagnostic(
          "TPU005",
          "edgetpu_compiler took longer than it was given",
          remedy:
            "give it more time (--timeout), or let it search for a part that compiles (--search)",
          cause: cause ?? CompilerReport.lines(text).last
        )
      }
      if case .signaled = end {
        return Diagnostic(
          "TPU006",
          "edgetpu_compiler crashed: \(end.text)",
          remedy: "let it search for a part that compiles: --search",
          cause: cause ?? CompilerReport.lines(text).last
        )
      }
      return Diagnostic(
        "TPU007",
        "edgetpu_compiler refused the model",
        remedy: report?.advice ?? "assay edgetpu MODEL predicts which operators are mapped",
        cause: cause ?? CompilerReport.lines(text).last ?? end.text
      )
    }
  }

  /// A compiler at a path.
  public init(path: String) { self.path = path }

  /// The compiler of this machine.
  ///
  /// - Throws: `Diagnostic` TPU004 when there is none.
  public static func find() throws -> EdgeTPUCompiler {
    let name = "edgetpu_compiler"
    let given = Host.environment("ASSAY_EDGETPU_COMPILER")
    let folders = (Host.environment("PATH") ?? "").split(separator: ":")
    let candidates = given.map { [$0] } ?? folders.map { Host.join(String($0), name) }
    if let path = candidates.first(where: { Host.kind(of: $0) == .file }) {
      return EdgeTPUCompiler(path: path)
    }
    throw Diagnostic(
      "TPU004",
      given == nil
        ? "edgetpu_compiler is not installed" : "edgetpu_compiler is not where it was said",
      at: given.map { [$0] } ?? [],
      remedy: remedy
    )
  }

  /// How to get it.
  static let remedy =
    "install the package edgetpu-compiler from the maker's Debian archive (coral.ai/docs/edgetpu/compiler,"
    + " x86-64 only), or set ASSAY_EDGETPU_COMPILER; without it assay edgetpu predicts"

  /// Whether there is a compiler, and which.
  public static func probe() -> Availability {
    do {
      let compiler = try find()
      var options = Options()
      options.seconds = 10
      let words = try compiler.call(["--version"], options).text
      let line = CompilerReport.lines(words).first { $0.utf8Contains("version") }
      let version = line.flatMap { $0.split(separator: " ").last } ?? "of unknown version"
      return .available(version: "\(version) (\(compiler.path))")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: remedy)
    }
  }

  // MARK: Compiling

  /// Compiles a model into a folder.
  ///
  /// The files are named as the compiler names them (`X_edgetpu.tflite` and `.log`) and replace those
  /// of the same name; a failed compilation leaves the folder alone.
  ///
  /// - Throws: `Diagnostic` TPU008 when the compiler cannot be started, FIL… for the folder.
  public func compile(
    _ model: String,
    into folder: String,
    _ options: Options = Options()
  ) throws -> Result {
    guard Host.kind(of: model) == .file else {
      throw Diagnostic("TPU008", "there is no such file", at: [model])
    }
    try Host.makeFolders(folder)
    let draft = Host.join(folder, ".edgetpu-\(Host.processID)-\(Host.wallNanoseconds())")
    try Host.makeFolders(draft)
    defer { try? Host.remove(draft) }
    var result = try call(options.arguments + ["-o", draft, model], options)
    guard result.end == .exited(0), result.report?.isSuccess == true else { return result }
    for name in try Host.list(draft).sorted() {
      let place = Host.join(folder, name)
      try AtomicFile.write([MappedFile(path: Host.join(draft, name)).view], to: place)
      result.files.append(place)
    }
    return result
  }

  /// Compiles as far as it goes: when the compiler fails, crashes or hangs on the whole, the part before
  /// one of `stops` is compiled, the last that will.
  ///
  /// From version 16 on the compiler searches by itself (`-d -k`), which is tried first; one that
  /// crashes or hangs meanwhile, and an older one, is asked part by part.
  ///
  /// - Parameters:
  ///   - stops: tensors, in the order in which they are made, as far as which a part may reach.
  ///   - step: by how many of them to step back each time.
  ///   - seconds: how long all of it may take.
  ///   - progress: told before each part.
  public func search(
    _ model: String,
    into folder: String,
    _ options: Options,
    stops: [String],
    step: Int,
    seconds: Double = 3600,
    progress: (String) -> Void = { _ in }
  ) throws -> Result {
    let begin = Host.monotonicNanoseconds()
    var own = options
    own.searchStep = max(step, 1)
    var result = try compile(model, into: folder, own)
    if result.isSuccess { return result }
    var failed: [String] = []
    var place = stops.count - 1
    while place >= 0 {
      guard Double(Host.monotonicNanoseconds() - begin) < seconds * 1e9 else { break }
      var part = options
      part.searchStep = nil
      part.until = [stops[place]]
      progress("as far as \(stops[place]) (\(place + 1) of \(stops.count))")
      result = try compile(model, into: folder, part)
      if result.isSuccess { break }
      failed.append(stops[place])
      place -= max(step, 1)
    }
    result.failedParts = failed
    return result
  }

  /// One call of the compiler.
  private func call(_ arguments: [String], _ options: Options) throws -> Result {
    do {
      let call = try TimedCall(path, arguments, seconds: max(options.seconds, 1))
      let report = try? CompilerReport(call.text)
      return Result(report: report, text: call.text, end: call.end, files: [])
    } catch let error as Diagnostic {
      throw Diagnostic(
        "TPU008",
        "edgetpu_compiler cannot be started",
        at: [path],
        cause: error.cause
      )
    }
  }
}

extension EdgeTPUCompiler.Options {
  /// The compiler's own words for the options.
  var arguments: [String] {
    var words = ["-s"]
    if let runtime { words += ["-m", "\(runtime)"] }
    if compilesAllParts { words.append("-a") }
    if let searchStep { words += ["-d", "-k", "\(searchStep)"] }
    if segments > 1 { words += ["-n", "\(segments)"] }
    if !until.isEmpty { words += ["-i", until.joined(separator: ";")] }
    // Its own timer, which version 16 brought, stands at 180 s.
    if seconds > 180 { words += ["-t", "\(Int(min(seconds, 1e6)))"] }
    return words
  }
}
