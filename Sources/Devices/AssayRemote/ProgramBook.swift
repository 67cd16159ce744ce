import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime

/// Programs of the user's that stand for runtimes and importers, from `programs.json` in Assay's home.
///
/// They speak the runner's lines: a JSON request each on their standard input, an answer on their output.
///
/// `{"runtimes": {"ncnn": {"program": ["/opt/ncnn-runner"], "formats": ["onnx"]}},
///   "importers": {"caffe": {"program": ["/opt/caffe2onnx"], "extensions": ["caffemodel"]}}}`
public struct ProgramBook: Sendable {
  /// The file's name below Assay's home.
  public static let fileName = "programs.json"

  /// The runtimes, in the file's order.
  public private(set) var runtimes: [ProgramRuntime] = []
  /// The importers, in the file's order.
  public private(set) var importers: [ProgramImporter] = []
  /// The file.
  public let path: String

  /// Reads the book of a home; a home without one has an empty book.
  ///
  /// - Throws: `Diagnostic` PRG001 for a file that is none.
  public init(home: String = AssayHome.path) throws {
    let path = Host.join(home, ProgramBook.fileName)
    let text = Host.smallText(path) ?? "{}"
    self = try locating(path) { try ProgramBook(text: text, path: path) }
  }

  /// Reads a book's text.
  ///
  /// - Throws: `Diagnostic` PRG001.
  public init(text: String, path: String = "") throws {
    self.path = path
    let json = try JSON(parsing: text)
    guard let members = json.pairs else { throw ProgramBook.fault("it is no object") }
    for (key, _) in members where !["runtimes", "importers"].contains(key) {
      throw ProgramBook.fault("'\(key)' is not known; it has 'runtimes' and 'importers'")
    }
    for (name, value) in json["runtimes"]?.pairs ?? [] {
      let program = try ProgramBook.program(name, value)
      let formats = (value["formats"]?.array ?? []).compactMap(\.string)
      guard !formats.isEmpty else { throw ProgramBook.fault("'\(name)' reads no formats") }
      runtimes.append(ProgramRuntime(id: name, formats: formats, program: program))
    }
    for (name, value) in json["importers"]?.pairs ?? [] {
      let program = try ProgramBook.program(name, value)
      let extensions = (value["extensions"]?.array ?? []).compactMap(\.string)
      guard !extensions.isEmpty, !extensions.contains(where: { $0.hasPrefix(".") }) else {
        throw ProgramBook.fault("'\(name)' names no extensions, such as \"caffemodel\"")
      }
      importers.append(
        ProgramImporter(id: name, extensions: extensions, program: program)
      )
    }
  }

  private static func program(_ name: String, _ json: JSON) throws -> [String] {
    guard !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
    else {
      throw fault("a name is letters, digits, dots and dashes, not '\(name)'")
    }
    let words = json["program"]?.array?.compactMap(\.string) ?? []
    guard !words.isEmpty, words.count == json["program"]?.array?.count else {
      throw fault("'program' of '\(name)' is a list of words")
    }
    return words
  }

  private static func fault(_ what: String) -> Diagnostic {
    Diagnostic(
      "PRG001",
      "the file of programs cannot be used: \(what)",
      remedy: #"{"runtimes": {"NAME": {"program": ["/path"], "formats": ["onnx"]}}}, see "#
        + "docs/devices.md"
    )
  }

  /// Whether a program can be started, as far as can be told without doing so.
  static func availability(_ program: [String], _ what: String) -> Availability {
    if let first = program.first, first.contains("/"), !Host.exists(first) {
      return .unavailable(
        reason: "its program is not there: \(first)",
        remedy: "mend \(fileName) in \(AssayHome.path)"
      )
    }
    return .available(version: what)
  }
}

/// A runtime that a program stands for: it loads, runs and times by itself.
public struct ProgramRuntime: InferenceRuntime {
  /// Its name in the file of programs.
  public let id: String
  /// The formats that it reads, by Assay's ids.
  public let formats: [String]
  /// The program with its arguments.
  public let program: [String]

  /// Whether the program is there.
  public func probe() -> Availability {
    ProgramBook.availability(program, "a program of yours: " + Words.shell(program))
  }

  /// Starts the program and loads the model there.
  ///
  /// - Throws: what the program answers, or `Diagnostic` when it ends or hangs.
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let runtime = WorkerRuntime(id: id, formats: formats) { [self] in try makeWorker() }
    return try runtime.load(path: path, options: options)
  }

  /// Starts the program as a worker, whose own loop tells the times.
  public func makeWorker() throws -> any WorkerLink {
    try RemoteWorker(
      try ProcessStream("/usr/bin/env", program),
      LocalFiles(),
      .program(name: id)
    )
  }
}

/// An importer that a program stands for: it makes a file in a format that Assay reads.
public struct ProgramImporter: Sendable {
  /// Its name in the file of programs.
  public let id: String
  /// Suffixes of the files that it reads.
  public let extensions: [String]
  /// The program with its arguments.
  public let program: [String]

  /// Whether the program is there.
  public func probe() -> Availability {
    let suffixes = extensions.map { "." + $0 }.joined(separator: " ")
    return ProgramBook.availability(program, "reads \(suffixes) by " + Words.shell(program))
  }

  /// Lets the program make a file that can be read.
  ///
  /// - Parameters:
  ///   - folder: where it may write.
  ///   - seconds: how long it may take.
  /// - Returns: the file that it made.
  /// - Throws: the program's own diagnostic, PRG002 when it ends, hangs or makes nothing.
  public func convert(_ path: String, in folder: String, seconds: Double = 600) throws -> String {
    let stream = try ProcessStream("/usr/bin/env", program)
    defer { if stream.end(seconds: 2) == nil { stream.kill() } }
    func fault(_ what: String, _ cause: String? = nil) -> Diagnostic {
      Diagnostic(
        "PRG002",
        "the importer '\(id)' \(what)",
        at: [path],
        remedy: "run \(Words.shell(program)) by hand; docs/devices.md has its lines",
        cause: cause ?? stream.errorTail()
      )
    }
    let request = JSON.object([
      "do": "import", "path": .string(Host.realPath(path) ?? path), "folder": .string(folder),
    ])
    guard stream.write(request.text()) else { throw fault("took no request") }
    let deadline = Host.monotonicNanoseconds() &+ UInt64(seconds * 1e9)
    switch stream.readLine(until: deadline) {
    case .line(let line):
      let answer: JSON
      do {
        answer = try JSON(parsing: line)
      } catch {
        throw fault("answered with something else than JSON", String(line.prefix(200)))
      }
      if let error = answer["error"].flatMap(Diagnostic.init(json:)) { throw error.inside(path) }
      guard let made = answer["model"]?.string, Host.exists(made) else {
        throw fault("made no file", String(line.prefix(200)))
      }
      return made
    case .timeout:
      stream.kill()
      throw fault("gave no answer within \(Int(seconds)) s")
    case .end, .tooLong: throw fault("ended without an answer")
    }
  }
}
