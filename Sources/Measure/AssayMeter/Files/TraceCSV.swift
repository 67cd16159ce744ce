import AssayBase

/// Traces as CSV: ours, Monsoon's, Nordic's Power Profiler's, and any with a time and power, or with
/// current and voltage.
///
/// Columns are known by their headings with units: `time_s`, `Time(ms)`, `Timestamp(ms)`,
/// `Main(mA)`, `Main Voltage(V)`, `Current(uA)`, `main_W`, `power [mW]`, `package-0_J`.
public enum TraceCSV {
  /// What one heading says.
  struct Heading: Equatable {
    enum Role: Equatable {
      /// Factor to nanoseconds.
      case time(Double)
      /// Quantity with the factor to base units.
      case value(MeterChannel.Quantity, Double)
      case marker
      case unknown
    }
    var name: String
    var role: Role
  }

  /// The greatest number of columns and the longest line that are read.
  static let limits = (columns: 256, line: 1 << 16)

  /// Reads a trace.
  ///
  /// - Parameters:
  ///   - text: the file.
  ///   - name: what it is called.
  ///   - volts: the voltage to multiply currents with where the file has none.
  ///   - clock: which clock its times are of.
  /// - Throws: `Diagnostic` MTR060 no heading of a time, MTR061 no power, MTR062 a broken line.
  public static func read(
    _ text: String,
    name: String,
    volts: Double? = nil,
    clock: PowerTrace.Clock = .own
  ) throws -> PowerTrace {
    var lines = text.utf8.split(separator: 10, omittingEmptySubsequences: true).lazy
      .map { $0.last == 13 ? $0.dropLast() : $0 }.makeIterator()
    var notes: [String: String] = [:]
    var first = lines.next()
    while let line = first, line.first == UInt8(ascii: "#") {
      note(String(decoding: line, as: UTF8.self), into: &notes)
      first = lines.next()
    }
    guard let head = first else { throw Diagnostic("MTR060", "the file is empty", at: [name]) }
    guard head.count <= limits.line else {
      throw Diagnostic("MTR060", "the first line is no heading of columns", at: [name])
    }
    let separator = separator(head)
    let cells = split(head, separator).map { String(decoding: $0, as: UTF8.self) }
    guard cells.count <= limits.columns else {
      throw Diagnostic("MTR060", "the file has \(cells.count) columns", at: [name])
    }
    let headings = cells.map(heading)
    guard
      let timeColumn = headings.firstIndex(where: { heading in
        if case .time = heading.role { true } else { false }
      }), case .time(let timeFactor) = headings[timeColumn].role
    else {
      throw Diagnostic(
        "MTR060",
        "no column is a time",
        at: [name],
        remedy: "name it time_s, Time(ms) or Timestamp(ms)",
        cause: cells.prefix(8).joined(separator: ", ")
      )
    }
    // Monsoon's own programs write current and power side by side in milliamperes and milliwatts; of a
    // power that stands alone nobody knows.
    let bare = cells.map { $0.lowercased().filter { !" \"".contains($0) } }
    if bare.contains("power"), !bare.contains("current") {
      throw Diagnostic(
        "MTR061",
        "the column 'power' has no unit",
        at: [name],
        remedy: "name it power_W or power_mW"
      )
    }
    let plan = try Plan(headings, name: name, volts: volts, notes: notes)
    var trace = PowerTrace(
      identity: MeterIdentity(
        driver: notes["driver"] ?? "file",
        name: notes["meter"] ?? name,
        serial: notes["serial"],
        version: notes["version"],
        isEstimate: notes["estimate"] == "true"
      ),
      channels: plan.channels,
      clock: notes["clock"].flatMap(PowerTrace.Clock.init(rawValue:)) ?? clock,
      period: 0
    )
    var number = 1
    var brokenCount = 0
    var last = -Double.infinity
    while let line = lines.next() {
      number += 1
      guard line.count <= limits.line, line.first != UInt8(ascii: "#") else { continue }
      let cells = split(line, separator)
      guard cells.count > timeColumn, let time = self.number(cells[timeColumn]),
        abs(time * timeFactor) < 9e18
      else {
        brokenCount += 1
        continue
      }
      guard time >= last else {
        throw Diagnostic(
          "MTR062",
          "time goes back",
          at: [name, "line \(number)"],
          remedy: "give one recording, in the order in which it was made"
        )
      }
      last = time
      let numbers = cells.map { self.number($0) ?? .nan }
      guard plan.row(numbers).contains(where: { !$0.isNaN }) else {
        brokenCount += 1
        continue
      }
      trace.append(
        Int64((time * timeFactor).rounded()),
        plan.row(numbers),
        marker: plan.marker(numbers)
      )
    }
    guard trace.count >= 2 else {
      throw Diagnostic("MTR062", "the file has fewer than two readings", at: [name])
    }
    guard brokenCount * 10 <= trace.count + 10 else {
      throw Diagnostic(
        "MTR062",
        "\(brokenCount) lines are no readings",
        at: [name],
        remedy: "check that this is a recording of power"
      )
    }
    trace.lostCount = brokenCount
    trace.period = UInt64(max(trace.seconds * 1e9 / Double(trace.count - 1), 1))
    return trace
  }

  /// A trace as our CSV: what is known of the meter in lines that begin with `#`, then one row a
  /// reading with times in seconds.
  public static func write(_ trace: PowerTrace) -> String {
    var text = "# assay power trace\n"
    func note(_ key: String, _ value: String?) {
      guard let value else { return }
      text += "# \(key): \(Words.printable(value))\n"
    }
    note("driver", trace.identity.driver)
    note("meter", trace.identity.name)
    note("serial", trace.identity.serial)
    note("version", trace.identity.version)
    note("clock", trace.clock.rawValue)
    if trace.identity.isEstimate { note("estimate", "true") }
    if let primary = trace.primary { note("primary", trace.channels[primary].name) }
    for channel in trace.channels where channel.tellsEnergy {
      note("accuracy \(channel.name)", accuracy(channel))
    }
    if trace.lostCount > 0 { note("lost", "\(trace.lostCount)") }
    let heads = trace.channels.map { channel in
      "\(channel.name.map { ",_\"".contains($0) ? " " : String($0) }.joined())_\(channel.quantity.unit)"
    }
    text +=
      "time_s," + heads.joined(separator: ",") + (trace.markers.isEmpty ? "" : ",marker") + "\n"
    for row in 0..<trace.count {
      text += seconds(trace.times[row])
      for values in trace.values {
        text += values[row].isFinite ? ",\(shortest(values[row]))" : ","
      }
      if !trace.markers.isEmpty {
        text += ",\(row < trace.markers.count ? trace.markers[row] : 0)"
      }
      text += "\n"
    }
    return text
  }

  /// Nanoseconds as seconds with all their digits.
  private static func seconds(_ time: Int64) -> String {
    let (whole, rest) = time.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest)
    return (time < 0 ? "-" : "") + "\(whole)."
      + String(repeating: "0", count: 9 - digits.count) + digits
  }

  private static func shortest(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }

  private static func accuracy(_ channel: MeterChannel) -> String {
    let accuracy = channel.accuracy
    return [
      "scope=\(channel.scope.rawValue)",
      accuracy.gain.map { "gain=\($0)" } ?? "",
      "offset=\(accuracy.offsetWatts)", "resolution=\(accuracy.resolution)",
      "latency=\(accuracy.latencyNanoseconds)", "integrating=\(accuracy.isIntegrating)",
      "specified=\(accuracy.isSpecified)", "source=\(accuracy.source)",
    ].filter { !$0.isEmpty }.joined(separator: ";")
  }

  private static func note(_ line: String, into notes: inout [String: String]) {
    let body = line.dropFirst().drop { $0 == " " }
    guard let colon = body.firstIndex(of: ":") else { return }
    let value = body[body.index(after: colon)...].drop { $0 == " " }
    notes[String(body[..<colon])] = String(value)
  }

  /// The character that parts the cells of the heading.
  private static func separator(_ line: Substring.UTF8View) -> UInt8 {
    [UInt8(ascii: ","), UInt8(ascii: ";"), 9].first { line.contains($0) } ?? UInt8(ascii: ",")
  }

  private static func split(_ line: Substring.UTF8View, _ separator: UInt8) -> [Substring.UTF8View]
  {
    line.split(
      separator: separator,
      maxSplits: limits.columns,
      omittingEmptySubsequences: false
    )
  }

  private static func number(_ cell: Substring.UTF8View) -> Double? {
    var cell = cell
    while let first = cell.first, first == 32 || first == 34 { cell.removeFirst() }
    while let last = cell.last, last == 32 || last == 34 { cell.removeLast() }
    guard !cell.isEmpty, cell.count < 64, let value = Double(String(decoding: cell, as: UTF8.self)),
      value.isFinite
    else { return nil }
    return value
  }

  /// What a heading says: `Main Voltage(V)`, `main_W`, `power [mW]`, `Timestamp(ms)`.
  static func heading(_ text: String) -> Heading {
    var trimmed = text[...].drop { " \"\u{FEFF}".contains($0) }
    while let last = trimmed.last, " \"".contains(last) { trimmed.removeLast() }
    let (name, unit) = parts(trimmed)
    let lowered = name.lowercased()
    if lowered.hasPrefix("time") || lowered == "t" {
      let factors = ["": 1e9, "s": 1e9, "ms": 1e6, "us": 1e3, "µs": 1e3, "ns": 1.0]
      if let factor = factors[unit] { return Heading(name: name, role: .time(factor)) }
      return Heading(name: name, role: .unknown)
    }
    if lowered == "marker" { return Heading(name: name, role: .marker) }
    if let known = LineParser.units[unit] {
      return Heading(name: name, role: .value(known.quantity, known.factor))
    }
    // Files without units: the ones that are usual for the word.
    switch lowered {
    case "current": return Heading(name: name, role: .value(.current, 1e-3))
    case "power": return Heading(name: name, role: .value(.power, 1e-3))
    case "voltage": return Heading(name: name, role: .value(.voltage, 1))
    default: return Heading(name: name, role: .unknown)
    }
  }

  private static func parts(_ text: Substring) -> (name: String, unit: String) {
    for (open, close) in [("(", ")"), ("[", "]")] where text.hasSuffix(close) {
      if let start = text.lastIndex(where: { String($0) == open }) {
        var name = text[..<start]
        while name.last == " " { name.removeLast() }
        return (String(name), String(text[text.index(after: start)...].dropLast()))
      }
    }
    if let underscore = text.lastIndex(of: "_") {
      return (String(text[..<underscore]), String(text[text.index(after: underscore)...]))
    }
    return (String(text), "")
  }
}
