import AssayBase

/// A meter as the command line names it: `rapl`, `rapl:rate=50`, `monsoon:volts=4.0`,
/// `command:tegrastats --interval 100`, `file:trace.csv`.
public struct MeterSpec: Sendable, Equatable {
  /// The driver's word.
  public var driver: String
  /// What is asked of it.
  public var options: MeterOptions

  /// Reads one spec.
  ///
  /// After the colon stands what the driver needs (a command, a path), then settings by `;`. What is
  /// not `name=value` with a plain name is the argument.
  ///
  /// - Throws: `Diagnostic` MTR002.
  public init(parsing text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    driver = String(parts[0])
    options = MeterOptions()
    guard !driver.isEmpty else {
      throw Diagnostic("MTR002", "'\(text)' names no meter", remedy: "see assay power list")
    }
    guard parts.count == 2 else { return }
    var arguments: [String] = []
    for piece in parts[1].split(separator: ";", omittingEmptySubsequences: true) {
      let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isSetting =
        sides.count == 2 && MeterSpec.settings.contains(String(sides[0]))
      if isSetting {
        options.values[String(sides[0])] = String(sides[1])
      } else if !MeterSpec.takingArguments.contains(driver) {
        let near = nearest(to: String(sides[0]), among: MeterSpec.settings)
        throw Diagnostic(
          "MTR002",
          "'\(piece)' is no setting of a meter",
          at: [text],
          remedy: near.map { "did you mean \($0)=?" }
            ?? "settings are \(MeterSpec.settings.sorted().joined(separator: ", ")), as rate=50"
        )
      } else {
        arguments.append(String(piece))
      }
    }
    if !arguments.isEmpty { options.values["argument"] = arguments.joined(separator: ";") }
    if let rate = options.values.removeValue(forKey: "rate") {
      guard let value = Double(rate), value > 0, value.isFinite else {
        throw Diagnostic("MTR002", "rate is readings a second, not '\(rate)'", at: [text])
      }
      options.rate = value
    }
    for (name, read) in MeterSpec.numbers {
      if let value = options.values[name], read(value) == nil {
        throw Diagnostic("MTR002", "\(name) cannot be '\(value)'", at: [text])
      }
    }
  }

  /// Several specs with commas; one whose driver takes a command or path must stand last.
  ///
  /// - Throws: `Diagnostic` MTR002.
  public static func list(_ text: String) throws -> [MeterSpec] {
    var specs: [MeterSpec] = []
    var rest = text[...]
    while !rest.isEmpty {
      if rest.hasPrefix("command:") {
        return specs + [try MeterSpec(parsing: String(rest))]
      }
      let end = rest.firstIndex(of: ",") ?? rest.endIndex
      specs.append(try MeterSpec(parsing: String(rest[..<end])))
      rest = end < rest.endIndex ? rest[rest.index(after: end)...] : ""
    }
    guard !specs.isEmpty else {
      throw Diagnostic("MTR002", "no meter is named", remedy: "see assay power list")
    }
    return specs
  }

  /// Drivers that need a command or a path.
  static let takingArguments: Set<String> = ["command", "serial", "file"]

  /// Every setting that some driver knows.
  static let settings: Set<String> = [
    "rate", "gain", "offset", "unit", "baud", "send", "volts", "amps", "serial", "channel", "seed",
    "noise", "idle", "busy", "usb",
  ]

  private static let numbers: [(String, @Sendable (String) -> Double?)] = [
    ("gain", fraction), ("offset", watts), ("volts", { Double($0) }), ("amps", { Double($0) }),
    ("baud", { Int($0).map { Double($0) } }), ("idle", watts), ("busy", watts),
  ]

  /// A part of one: `1%` or `0.01`; not negative.
  public static func fraction(_ text: String) -> Double? {
    let isPercent = text.hasSuffix("%")
    guard let value = Double(isPercent ? text.dropLast() : text[...]), value >= 0, value.isFinite
    else { return nil }
    return isPercent ? value / 100 : value
  }

  /// Watts: `6W`, `15mW`, `0.5`; not negative.
  public static func watts(_ text: String) -> Double? {
    let (number, unit) = LineParser.leadingNumber(text[...])
    guard let number, number >= 0 else { return nil }
    if unit.isEmpty { return number }
    var name = unit
    while name.first == " " { name.removeFirst() }
    guard let known = LineParser.units[String(name)], known.quantity == .power else { return nil }
    return number * known.factor
  }
}
