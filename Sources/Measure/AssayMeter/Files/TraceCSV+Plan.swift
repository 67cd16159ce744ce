import AssayBase

extension TraceCSV {
  /// How rows of a file become rows of a trace.
  struct Plan {
    /// The trace's channels.
    private(set) var channels: [MeterChannel] = []
    private var sources: [Source] = []
    private let markerColumn: Int?

    /// Where a channel's number is from.
    private enum Source {
      case column(Int, Double)
      case product(current: Int, Double, voltage: Int, Double)
      case timesVolts(current: Int, Double, Double)
    }

    /// A plan for a file's headings.
    ///
    /// - Parameters:
    ///   - volts: the voltage where the file has none.
    ///   - notes: what the file's own comments say.
    /// - Throws: `Diagnostic` MTR061 when neither power nor energy can be told.
    init(_ headings: [Heading], name: String, volts: Double?, notes: [String: String]) throws {
      markerColumn = headings.firstIndex { $0.role == .marker }
      var currents: [(index: Int, name: String, factor: Double)] = []
      var voltages: [(index: Int, name: String, factor: Double)] = []
      var tells = false
      for (index, heading) in headings.enumerated() {
        guard case .value(let quantity, let factor) = heading.role else { continue }
        if quantity == .current { currents.append((index, heading.name, factor)) }
        if quantity == .voltage { voltages.append((index, heading.name, factor)) }
        if quantity == .power || quantity == .energy { tells = true }
      }
      if !tells {
        for current in currents {
          // Main(mA) goes with Main Voltage(V); a lone voltage goes with every current.
          let word = current.name.split(separator: " ").first.map { $0.lowercased() } ?? ""
          let voltage =
            voltages.first { $0.name.lowercased().hasPrefix(word) } ?? voltages.first
          let title = current.name.lowercased() == "current" ? "main" : current.name
          if let voltage {
            add(
              title,
              .power,
              .product(
                current: current.index,
                current.factor,
                voltage: voltage.index,
                voltage.factor
              ),
              notes
            )
          } else if let volts {
            add(title, .power, .timesVolts(current: current.index, current.factor, volts), notes)
          }
        }
      }
      for (index, heading) in headings.enumerated() {
        guard case .value(let quantity, let factor) = heading.role else { continue }
        // The column from which a power was made keeps its name with its kind.
        let isTaken = channels.contains { $0.name == heading.name }
        add(
          isTaken ? "\(heading.name) \(quantity.rawValue)" : heading.name,
          quantity,
          .column(index, factor),
          notes
        )
      }
      guard channels.contains(where: \.tellsEnergy) else {
        throw Diagnostic(
          "MTR061",
          currents.isEmpty ? "no column is a power" : "the file has a current but no voltage",
          at: [name],
          remedy: currents.isEmpty
            ? "name it power_W, power [mW] or energy_J" : "give the voltage: file:\(name);volts=3.7"
        )
      }
      let primary =
        channels.firstIndex { $0.name == notes["primary"] && $0.tellsEnergy }
        ?? channels.firstIndex(where: \.tellsEnergy)
      if let primary { channels[primary].isPrimary = true }
    }

    private mutating func add(
      _ name: String,
      _ quantity: MeterChannel.Quantity,
      _ source: Source,
      _ notes: [String: String]
    ) {
      let stated = notes["accuracy \(name)"].map(Stated.init)
      channels.append(
        MeterChannel(
          name,
          quantity,
          stated?.scope ?? .supply,
          accuracy: stated?.accuracy
            ?? MeterAccuracy(gain: nil, isIntegrating: true, source: "the file says nothing of it")
        )
      )
      sources.append(source)
    }

    /// The channels' numbers from a line's.
    func row(_ numbers: [Double]) -> [Double] {
      func number(_ index: Int) -> Double {
        numbers.indices.contains(index) ? numbers[index] : .nan
      }
      return sources.map { source in
        switch source {
        case .column(let index, let factor): number(index) * factor
        case .product(let current, let a, let voltage, let b):
          number(current) * a * (number(voltage) * b)
        case .timesVolts(let current, let factor, let volts): number(current) * factor * volts
        }
      }
    }

    /// The digital inputs of a line, if it has them.
    func marker(_ numbers: [Double]) -> UInt8? {
      guard let markerColumn, numbers.indices.contains(markerColumn) else { return nil }
      return UInt8(exactly: numbers[markerColumn].rounded()) ?? 0
    }
  }

  /// An accuracy as our CSV notes it.
  private struct Stated {
    var scope: MeterScope
    var accuracy: MeterAccuracy

    init(_ text: String) {
      var values: [String: String] = [:]
      for part in text.split(separator: ";") {
        let sides = part.split(separator: "=", maxSplits: 1)
        if sides.count == 2 { values[String(sides[0])] = String(sides[1]) }
      }
      func number(_ key: String) -> Double? {
        values[key].flatMap { Double($0) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
      }
      scope = values["scope"].flatMap(MeterScope.init(rawValue:)) ?? .supply
      accuracy = MeterAccuracy(
        gain: number("gain"),
        offsetWatts: number("offset") ?? 0,
        resolution: number("resolution") ?? 0,
        latencyNanoseconds: values["latency"].flatMap { UInt64($0) }.map { min($0, 60_000_000_000) }
          ?? 0,
        isIntegrating: values["integrating"] == "true",
        isSpecified: values["specified"] == "true",
        source: values["source"] ?? "as the file says"
      )
    }
  }
}
