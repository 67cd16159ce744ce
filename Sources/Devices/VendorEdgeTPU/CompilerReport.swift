import AssayBase

/// What `edgetpu_compiler` printed, or wrote into its log, as data.
///
/// Every number stands in the text as it is here; nothing is computed. A line that is not understood is
/// counted and otherwise left alone.
public struct CompilerReport: Sendable, Equatable {
  /// A size as the compiler writes it, such as `4.41MiB`.
  public struct Size: Sendable, Equatable {
    /// The number.
    public var value: Double
    /// `B`, `KiB`, `MiB` or `GiB`.
    public var unit: String

    /// Makes a size.
    public init(value: Double, unit: String) {
      self.value = value
      self.unit = unit
    }

    /// The size in bytes, as near as the text tells it.
    public var bytes: Double {
      switch unit {
      case "KiB": value * 1024
      case "MiB": value * 1_048_576
      case "GiB": value * 1_073_741_824
      default: value
      }
    }

    /// As JSON: the text's own number and unit.
    public var json: JSON { .object(["value": .number(value), "unit": .string(unit)]) }
  }

  /// A row of the table of operators.
  public struct Row: Sendable, Equatable {
    /// The schema's name.
    public var kind: String
    /// How many there are with this fate.
    public var count: Int
    /// The compiler's words for it.
    public var status: String

    /// Whether they run on the chip.
    public var isMapped: Bool { status == CompilerStatus.mapped }
  }

  /// What it tells of one model.
  public struct Model: Sendable, Equatable {
    /// The file that was compiled.
    public var input: String?
    /// The file that it wrote.
    public var output: String?
    /// The log that it wrote.
    public var log: String?
    /// How long compiling took, milliseconds.
    public var milliseconds: Int?
    public var inputSize: Size?
    public var outputSize: Size?
    /// Parameters that stay on the chip.
    public var cached: Size?
    /// Room that is left for parameters on the chip.
    public var remaining: Size?
    /// Parameters that are sent at each run.
    public var streamed: Size?
    /// Parts that are mapped.
    public var subgraphs: Int?
    /// Operators in all.
    public var operations: Int?
    /// Operators that run on the chip, where not all do.
    public var mapped: Int?
    /// Operators that stay on the processor.
    public var unmapped: Int?
    /// The table of operators; empty where it was not asked for.
    public var rows: [Row] = []
    /// Whether the table leaves out what is mapped.
    public var isPartialTable = false
  }

  /// The compiler's version.
  public var version: String?
  /// Models, in order.
  public var models: [Model] = []
  /// Whether it says that it was successful; `nil` when the text ends before.
  public var isSuccess: Bool?
  /// Why it failed, in its words.
  public var failure: String?
  /// Its complaints (`ERROR: …`).
  public var complaints: [String] = []
  /// The step of its own search for a part that compiles.
  public var searchStep: Int?
  /// The sizes of parts that it tried while searching, operators.
  public var attempts: [Int] = []
  /// Lines that are not understood.
  public var unknownLines = 0

  /// Reads the text.
  ///
  /// - Throws: `Diagnostic` TPU003 when no line of it is the compiler's.
  public init(_ text: String) throws {
    var reader = CompilerTextReader()
    for line in Self.lines(text) { reader.read(line) }
    self = reader.finished()
    guard reader.isCompiler else {
      throw Diagnostic(
        "TPU003",
        "this is no output of edgetpu_compiler",
        remedy: "give what it printed (with -s), or the .log file that it wrote"
      )
    }
  }

  private init() {}

  static func empty() -> CompilerReport { CompilerReport() }

  /// The lines without their ends; a carriage return counts as one.
  static func lines(_ text: String) -> [String] {
    text.utf8.split(omittingEmptySubsequences: true) { $0 == 10 || $0 == 13 }
      .map { String(Substring($0)) }
  }
}

/// Reads the compiler's lines one by one.
struct CompilerTextReader {
  private var report = CompilerReport.empty()
  private var model: CompilerReport.Model?
  private var isTable = false
  private var isInvalid = false
  private(set) var isCompiler = false

  mutating func finished() -> CompilerReport {
    endModel()
    return report
  }

  private mutating func endModel() {
    if let model { report.models.append(model) }
    model = nil
    isTable = false
  }

  mutating func read(_ raw: String) {
    let line = Self.trimmed(raw)
    if line.isEmpty { return }
    if readTable(line) || readWords(line) || readFigure(line) { return }
    if isInvalid {
      // The line behind `Invalid model:` says why.
      report.failure = report.failure ?? line
      isInvalid = false
      return
    }
    report.unknownLines += 1
  }

  static func trimmed(_ text: String) -> String {
    var part = Substring(text)
    while let last = part.last, last == " " || last == "\t" { part.removeLast() }
    while let first = part.first, first == " " || first == "\t" { part.removeFirst() }
    return String(part)
  }

  private mutating func readTable(_ line: String) -> Bool {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
    if words == ["Operator", "Count", "Status"] {
      isTable = true
      isCompiler = true
      if model == nil { model = CompilerReport.Model() }
      return true
    }
    guard isTable else { return false }
    if line.hasPrefix("... All other operators were mapped successfully") {
      model?.isPartialTable = true
      isTable = false
      return true
    }
    guard words.count >= 3, let count = Self.whole(words[1]), Self.isOperator(words[0]) else {
      isTable = false
      return false
    }
    let status = words[2...].joined(separator: " ")
    model?.rows.append(.init(kind: String(words[0]), count: count, status: status))
    return true
  }

  private static func isOperator(_ word: Substring) -> Bool {
    word.utf8.allSatisfy {
      (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
    }
  }

  /// Lines of words.
  private mutating func readWords(_ line: String) -> Bool {
    switch line {
    case let line where line.hasPrefix("Edge TPU Compiler version "):
      report.version = String(line.dropFirst("Edge TPU Compiler version ".count))
      isCompiler = true
    case "Compilation succeeded!":
      report.isSuccess = true
      isCompiler = true
    case "Compilation failed!":
      report.isSuccess = false
      isCompiler = true
    case let line where line.hasPrefix("Compilation failed: "):
      report.isSuccess = false
      report.failure = String(line.dropFirst("Compilation failed: ".count))
      isCompiler = true
    case let line where line.hasPrefix("Invalid model: "):
      report.isSuccess = false
      isInvalid = true
      if model == nil { model = CompilerReport.Model() }
      model?.input = String(line.dropFirst("Invalid model: ".count))
    case let line where line.hasPrefix("Internal compiler error"):
      report.isSuccess = false
      report.failure = line
    case let line where line.hasPrefix("ERROR: "):
      report.complaints.append(String(line.dropFirst("ERROR: ".count)))
    case let line where line.hasPrefix("Started a compilation timeout timer of"),
      let line where line.hasPrefix("Compilation child process completed within timeout"),
      let line where line.hasPrefix("Model successfully compiled but not all operations"),
      let line where line.hasPrefix("See the operation log file"):
      break
    default: return false
    }
    return true
  }

  /// Lines with a figure or a name behind a label.
  private mutating func readFigure(_ line: String) -> Bool {
    if let rest = Self.rest(line, "Model compiled successfully in ") {
      endModel()
      model = CompilerReport.Model()
      let words = rest.split(separator: " ")
      if words.count == 2, words[1].hasPrefix("ms") { model?.milliseconds = Self.whole(words[0]) }
      if report.version == nil || !Self.saysSuccess(report.version) { report.isSuccess = true }
      return true
    }
    if let rest = Self.rest(line, "Searching for valid delegate with step ") {
      report.searchStep = Self.whole(rest)
      return true
    }
    if let rest = Self.rest(line, "Try to compile segment with ") {
      let words = rest.split(separator: " ")
      if words.count == 2, let count = Self.whole(words[0]) { report.attempts.append(count) }
      return true
    }
    return readName(line) || readSize(line) || readCount(line)
  }

  /// From 16 on the compiler tells its success at the end, when its child has ended.
  private static func saysSuccess(_ version: String?) -> Bool {
    guard let major = version?.split(separator: ".").first.flatMap({ whole($0) }) else {
      return false
    }
    return major >= 16
  }

  private mutating func readName(_ line: String) -> Bool {
    let names: [(String, WritableKeyPath<CompilerReport.Model, String?>)] = [
      ("Input model: ", \.input), ("Output model: ", \.output), ("Operation log: ", \.log),
      ("Input: ", \.input), ("Output: ", \.output),
    ]
    for (label, path) in names {
      guard let rest = Self.rest(line, label) else { continue }
      if model == nil { model = CompilerReport.Model() }
      model?[keyPath: path] = String(rest)
      return true
    }
    return false
  }

  private mutating func readSize(_ line: String) -> Bool {
    let sizes: [(String, WritableKeyPath<CompilerReport.Model, CompilerReport.Size?>)] = [
      ("Input size: ", \.inputSize), ("Output size: ", \.outputSize),
      ("On-chip memory used for caching model parameters: ", \.cached),
      ("On-chip memory remaining for caching model parameters: ", \.remaining),
      ("Off-chip memory used for streaming uncached model parameters: ", \.streamed),
    ]
    for (label, path) in sizes {
      guard let rest = Self.rest(line, label) else { continue }
      model?[keyPath: path] = Self.size(rest)
      return true
    }
    return false
  }

  private mutating func readCount(_ line: String) -> Bool {
    let counts: [(String, WritableKeyPath<CompilerReport.Model, Int?>)] = [
      ("Number of Edge TPU subgraphs: ", \.subgraphs),
      ("Total number of operations: ", \.operations),
      ("Number of operations that will run on Edge TPU: ", \.mapped),
      ("Number of operations that will run on CPU: ", \.unmapped),
    ]
    for (label, path) in counts {
      guard let rest = Self.rest(line, label) else { continue }
      model?[keyPath: path] = Self.whole(rest)
      return true
    }
    return false
  }

  private static func rest(_ line: String, _ label: String) -> Substring? {
    line.hasPrefix(label) ? line.dropFirst(label.count) : nil
  }

  /// A whole number, all of the text; nothing else that Swift would take for one.
  static func whole(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(String(text))
  }

  /// A size such as `4.41MiB`, all of the text.
  static func size(_ text: some StringProtocol) -> CompilerReport.Size? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = String(text[number.endIndex...])
    guard ["B", "KiB", "MiB", "GiB"].contains(unit), number.first?.isNumber == true,
      number.last?.isNumber == true, number.utf8.count(where: { $0 == UInt8(ascii: ".") }) <= 1,
      let value = Double(String(number)), value.isFinite
    else { return nil }
    return CompilerReport.Size(value: value, unit: unit)
  }
}
