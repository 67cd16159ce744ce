import AssayBase
import AssayHost

/// Any instrument that writes lines: a command's output, or a serial line.
///
/// `command:tegrastats --interval 100` or `serial:/dev/ttyUSB0`. The first lines with figures fix the
/// channels; a row's time is when its line came.
public struct LineMeter: PowerMeter {
  /// Where lines come from.
  public enum Source: Sendable { case command, serial }

  public let id: String
  public let summary: String
  private let source: Source

  /// A driver of one kind of source.
  public init(_ source: Source) {
    self.source = source
    id = source == .command ? "command" : "serial"
    summary =
      source == .command
      ? "figures out of the lines that a command prints"
      : "figures out of the lines that come over a serial port"
  }

  public func probe() -> Availability {
    .available(version: source == .command ? "command:WORDS" : "serial:/dev/ttyUSB0;baud=115200")
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    let argument = options.values["argument"] ?? ""
    guard !argument.isEmpty else {
      throw Diagnostic(
        "MTR002",
        source == .command ? "no command is given" : "no serial port is given",
        remedy: source == .command
          ? "--meter 'command:tegrastats --interval 100'" : "--meter serial:/dev/ttyUSB0"
      )
    }
    let lines: any LineSource =
      source == .command
      ? try CommandLines(argument)
      : try SerialLines(
        path: argument,
        baud: options.values["baud"].flatMap { Int($0) } ?? 115_200,
        request: options.values["send"]
      )
    return try LineReader(
      lines,
      identity: MeterIdentity(driver: id, name: argument),
      options: options
    )
  }
}

/// Something that gives lines one by one.
protocol LineSource: AnyObject {
  /// The next line; `nil` when none came until `deadline`.
  ///
  /// - Throws: `Diagnostic` MTR010 when there will be no more.
  func next(until deadline: UInt64) throws -> String?
}

/// Lines of a command that a shell runs.
private final class CommandLines: LineSource {
  private let process: ChildProcess
  private let channel: LineChannel
  private let pipes: [Pipe]
  private let command: String

  init(_ command: String) throws {
    let output = try Pipe()
    let words = try Pipe()
    process = try ChildProcess(
      "/bin/sh",
      ["-c", command],
      descriptors: [1: output.writeEnd, 2: words.writeEnd]
    )
    output.closeWrite()
    words.closeWrite()
    channel = LineChannel(
      input: output.readEnd,
      output: -1,
      side: words.readEnd,
      limit: 1 << 16
    )
    pipes = [output, words]
    self.command = command
  }

  func next(until deadline: UInt64) throws -> String? {
    switch channel.read(until: deadline) {
    case .line(let line): return line
    case .timeout: return nil
    case .end, .tooLong:
      throw Diagnostic(
        "MTR010",
        "the meter's command ended",
        at: [command],
        remedy: "run it by itself and see what it says",
        cause: channel.sideTail()
      )
    }
  }
}

/// Lines of a serial port.
private final class SerialLines: LineSource {
  private let port: SerialPort
  private let channel: LineChannel
  private let path: String
  private let request: String?

  init(path: String, baud: Int, request: String?) throws {
    self.path = path
    self.request = request
    port = try SerialPort(path: path, baud: baud)
    channel = LineChannel(input: port.descriptor, output: -1, limit: 1 << 16)
  }

  func next(until deadline: UInt64) throws -> String? {
    // An instrument that answers only when it is asked.
    if let request { try port.write(Array(request.utf8) + [10]) }
    switch channel.read(until: deadline) {
    case .line(let line): return line
    case .timeout: return nil
    case .end, .tooLong:
      throw Diagnostic("MTR010", "the serial line is gone", at: [path])
    }
  }
}

/// Rows out of lines.
final class LineReader: MeterReader {
  let identity: MeterIdentity
  private(set) var channels: [MeterChannel]
  private(set) var period: UInt64
  let isPolled = false
  private let source: any LineSource
  private let parser: LineParser
  private let keys: [String]
  private var first: [(time: Int64, row: [Double])] = []
  private var unreadCount = 0

  /// Waits for the first two lines with figures, at most `patience` seconds each.
  ///
  /// - Throws: `Diagnostic` MTR012 when none comes.
  init(
    _ source: any LineSource,
    identity: MeterIdentity,
    options: MeterOptions,
    patience: Double = 10
  ) throws {
    self.source = source
    self.identity = identity
    parser = LineParser(bareUnit: options.values["unit"] ?? "W")
    var seen: [(time: Int64, figures: [LineParser.Figure])] = []
    var lastWords = ""
    var deadline = Host.monotonicNanoseconds() &+ UInt64(patience * 1e9)
    while seen.count < 3 {
      guard let line = try source.next(until: deadline) else {
        if seen.count == 2 { break }
        throw Diagnostic(
          "MTR012",
          "no line with power came within \(Int(patience)) s",
          at: [identity.name],
          remedy: "lines need a number with W, mW, J, or V and A; a bare number is watts",
          cause: lastWords.isEmpty ? nil : "the last line: \(lastWords)"
        )
      }
      let time = Int64(clamping: Host.monotonicNanoseconds())
      lastWords = line
      let figures = parser.figures(line)
      guard figures.contains(where: { $0.quantity == .power || $0.quantity == .energy }) else {
        continue
      }
      seen.append((time, figures))
      deadline = Host.monotonicNanoseconds() &+ UInt64(patience * 1e9)
    }
    let gain = options.values["gain"].flatMap(MeterSpec.fraction)
    let names = LineReader.keys(seen[0].figures)
    keys = names
    let accuracy = MeterAccuracy(
      gain: gain,
      offsetWatts: options.values["offset"].flatMap(MeterSpec.watts) ?? 0,
      resolution: 0,
      isSpecified: gain != nil,
      source: gain == nil ? "not stated; give gain=1%" : "as given"
    )
    var hasPrimary = false
    channels = zip(names, seen[0].figures).map { name, figure in
      let tells = figure.quantity == .power || figure.quantity == .energy
      defer { if tells { hasPrimary = true } }
      return MeterChannel(
        name,
        figure.quantity,
        .supply,
        isPrimary: tells && !hasPrimary,
        accuracy: accuracy
      )
    }
    // The first line often comes late: the span from the second to the third tells the rate.
    let times = seen.map(\.time)
    let span = times.count > 2 ? times[2] - times[1] : times[1] - times[0]
    period = options.rate.map { UInt64(max(1e9 / max($0, 1e-3), 1)) } ?? UInt64(max(span, 1))
    first = seen.map { ($0.time, row($0.figures)) }
  }

  func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
    for (time, row) in first { trace.append(time, row) }
    first = []
    while let line = try source.next(until: deadline) {
      let time = Int64(clamping: Host.monotonicNanoseconds())
      let figures = parser.figures(line)
      guard !figures.isEmpty else {
        unreadCount += 1
        continue
      }
      trace.append(time, row(figures))
    }
  }

  func finish(_ trace: inout PowerTrace) {
    if unreadCount > 0 {
      trace.notes.append(
        Diagnostic("MTR013", "\(unreadCount) lines told no power", severity: .note)
      )
    }
  }

  private func row(_ figures: [LineParser.Figure]) -> [Double] {
    let given = Dictionary(
      zip(LineReader.keys(figures), figures.map(\.value)),
      uniquingKeysWith: { first, _ in first }
    )
    return keys.map { given[$0] ?? .nan }
  }

  /// A name for each figure that tells it from the others.
  private static func keys(_ figures: [LineParser.Figure]) -> [String] {
    var seen: [String: Int] = [:]
    return figures.map { figure in
      let plain = figure.name.isEmpty ? figure.quantity.rawValue : figure.name
      let count = seen[plain, default: 0]
      seen[plain] = count + 1
      return count == 0 ? plain : "\(plain) \(count + 1)"
    }
  }
}
