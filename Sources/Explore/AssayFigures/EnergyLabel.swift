import AssayBase
import AssayRate
import AssayRecord
import AssayStatistics

/// The energy label of a model on a device: what it takes, how well it does, and its grade.
///
/// Every figure says whether it was measured or estimated. Nothing on it names a host, a user or a
/// serial number.
public struct EnergyLabel: Sendable {
  /// The rating that it shows.
  public var rating: Rating
  /// What it was rated by.
  public var scale: Scale
  /// The kind of processor, such as `AMD EPYC`.
  public var device: String
  /// What ran it, such as `LiteRT 2.3.0, 1 thread`.
  public var runtime: String
  /// When it was measured, nanoseconds since 1970 (UTC).
  public var measuredAt: Int64
  /// What the QR code says.
  public var link: String

  /// Makes the label of a record.
  ///
  /// - Parameter address: what the record's id is appended to in the QR code, such as
  ///   `https://example.org/records/`; without one the code names the record and its file's hash.
  public init(_ record: Record, rating: Rating, scale: Scale, address: String? = nil) {
    self.rating = rating
    self.scale = scale
    device =
      record.environment["processor"]?.string ?? record.environment["cpu"]?.string
      ?? (record.device == "local" ? "unknown processor" : Self.kind(record.device))
    let names = [
      "litert": "LiteRT", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
      "reference": "Reference",
    ]
    let name = names[record.runtime] ?? record.runtime
    let version = record.version.split(separator: "-").first.map(String.init) ?? record.version
    let threads = record.threads == 1 ? "1 thread" : "\(record.threads) threads"
    let provider = record.provider == "cpu" ? "" : ", \(record.provider)"
    runtime = "\(name) \(version)\(provider), \(threads)"
    measuredAt = record.finishedAt
    link =
      address.map { $0 + record.id }
      ?? "assay:\(record.id)?sha256=\(record.model.sha256)"
  }

  /// A device without what names one machine: `ssh:HOST` and `adb:SERIAL` become their kind.
  static func kind(_ device: String) -> String {
    switch device.split(separator: ":").first {
    case "ssh": "remote machine"
    case "adb": "Android device"
    default: device.contains(":") ? "device" : device
    }
  }

  /// The label as a file.
  ///
  /// - Parameter pixels: the width of a PNG.
  /// - Throws: `Diagnostic` FIG001 to FIG005.
  public func file(_ format: DrawingFormat, pixels: Int? = nil) throws -> [UInt8] {
    let code = try QRCode(link)
    return try Canvas.draw(
      format,
      width: Self.width,
      height: Self.height,
      pixels: pixels,
      title: "Energy label of \(rating.subject.title) on \(device)",
      madeAt: measuredAt
    ) { draw($0, code) }
  }

  private static let width = 360.0
  private static let height = 560.0

  // MARK: Drawing

  private func draw(_ canvas: Canvas, _ code: QRCode) {
    canvas.rectangle(0, 0, Self.width, Self.height)
    canvas.fill(.paper)
    canvas.card(4, 4, Self.width - 8, Self.height - 8, radius: 14)
    canvas.stroke(.text, width: 3)
    head(canvas)
    ladder(canvas)
    figures(canvas)
    foot(canvas, code)
  }

  private func head(_ canvas: Canvas) {
    canvas.write("ENERGY LABEL", 22, 34, size: 11, isBold: true, .soft)
    canvas.write("assay", Self.width - 22, 34, size: 13, isBold: true, .text, .end)
    canvas.write(rating.subject.model, 22, 64, size: 25, isBold: true, fitting: Self.width - 44)
    let variant = rating.subject.variant
    let task = rating.subject.task == "unknown" ? "" : rating.subject.task
    let line = [variant == "original" ? "" : variant, task].filter { !$0.isEmpty }
    canvas.write(
      line.isEmpty ? "as it came" : line.joined(separator: " · "),
      22,
      84,
      size: 13,
      .soft,
      fitting: Self.width - 44
    )
    canvas.write(device, 22, 104, size: 13, fitting: Self.width - 44)
    canvas.write(runtime, 22, 121, size: 11, .soft, fitting: Self.width - 44)
    canvas.path([(22, 132), (Self.width - 22, 132)])
    canvas.stroke(.line, width: 1.5)
  }

  /// Five steps, the better the longer and the darker, and the grade large beside them.
  private func ladder(_ canvas: Canvas) {
    let grade = rating.compound
    let (top, height, gap) = (146.0, 22.0, 5.0)
    for letter in Letter.allCases {
      let y = top + Double(letter.rawValue) * (height + gap)
      let length = 150 - Double(letter.rawValue) * 24
      let isOwn = grade?.letter == letter
      canvas.path(
        [
          (22, y), (22 + length, y), (22 + length + height / 2, y + height / 2),
          (22 + length, y + height), (22, y + height),
        ],
        isClosed: true
      )
      canvas.fill(letter.ink)
      canvas.write(letter.text, 31, y + 16.5, size: 15, isBold: true, letter.onInk)
      if isOwn {
        canvas.path([(22 + length + 17, y + height / 2), (209, y + height / 2)])
        canvas.stroke(.text, width: 2, dashes: [2, 3])
      }
    }
    let x = 212.0
    guard let grade else {
      canvas.card(x, 146, 126, 104, radius: 12)
      canvas.stroke(.text, width: 2)
      canvas.write("no grade", x + 63, 203, size: 18, isBold: true, .text, .middle)
      let summary = rating.notes.first { $0.severity == .error }?.summary ?? ""
      let reason = summary.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
      canvas.write(reason, x + 63, 268, size: 8, .soft, .middle, fitting: 126)
      return
    }
    canvas.card(x, 146, 126, 104, radius: 12)
    canvas.fill(grade.letter.ink)
    canvas.card(x, 146, 126, 104, radius: 12)
    canvas.stroke(.text, width: 2.5)
    canvas.write(
      grade.letter.text,
      x + 63,
      229,
      size: 88,
      isBold: true,
      grade.letter.onInk,
      .middle
    )
    let sure =
      grade.probabilities == nil
      ? "how sure: not known" : grade.text.split(separator: ",").prefix(3).joined(separator: ",")
    canvas.write(sure, x + 63, 268, size: 11, isBold: true, .text, .middle, fitting: 126)
  }

  private func figures(_ canvas: Canvas) {
    canvas.path([(22, 286), (Self.width - 22, 286)])
    canvas.stroke(.line, width: 1.5)
    let keys = ["latency", "energy", "accuracy", "size"]
    for (place, key) in shown(keys).enumerated() {
      let x = 22 + Double(place % 2) * 162
      let y = 296 + Double(place / 2) * 78
      figure(canvas, key, x, y)
    }
    canvas.path([(22, 456), (Self.width - 22, 456)])
    canvas.stroke(.line, width: 1.5)
  }

  /// The four figures: memory stands in for an accuracy that nobody knows.
  private func shown(_ keys: [String]) -> [String] {
    keys.map { key in
      key == "accuracy" && rating.subject.values[key] == nil
        ? rating.subject.values["agreement"] == nil ? "memory" : "agreement" : key
    }
  }

  private func figure(_ canvas: Canvas, _ key: String, _ x: Double, _ y: Double) {
    let property =
      (scale.properties + Scale.Property.known).first { $0.key == key }
      ?? Scale.Property(key, group: "", unit: .number, comparison: .more)
    let value = rating.subject.values[key]
    let names = [
      "energy": "energy per inference", "agreement": "as the original", "size": "file size",
    ]
    canvas.write(names[key] ?? property.name, x, y + 14, size: 11, .soft)
    guard let value else {
      canvas.write("–", x, y + 42, size: 24, isBold: true, .soft)
      canvas.write("not measured", x, y + 60, size: 10, .soft)
      return
    }
    var left = x
    if let letter = rating[key]?.grade?.letter {
      canvas.card(x, y + 24, 22, 22, radius: 5)
      canvas.fill(letter.ink)
      canvas.write(letter.text, x + 11, y + 40.5, size: 15, isBold: true, letter.onInk, .middle)
      left += 29
    }
    canvas.write(
      property.rounded(value),
      left,
      y + 43,
      size: 21,
      isBold: true,
      fitting: x + 154 - left
    )
    // A filled mark for what was measured, an open one for what was not.
    canvas.circle(x + 4, y + 57, 3.2)
    if value.provenance == .measured {
      canvas.fill(.text)
    } else {
      canvas.stroke(.text, width: 1.2)
    }
    let reach = property.reachText(value)
    canvas.write(value.provenance.rawValue + reach, x + 12, y + 60.5, size: 10, .soft)
  }

  private func foot(_ canvas: Canvas, _ code: QRCode) {
    let count = Double(code.modules.count)
    let side = 78.0
    let (x, y) = (Self.width - 22 - side, 464.0)
    let module = side / count
    for (row, modules) in code.modules.enumerated() {
      var start: Int?
      for column in 0...modules.count {
        let isDark = column < modules.count && modules[column]
        if isDark, start == nil { start = column }
        if !isDark, let begin = start {
          canvas.rectangle(
            x + Double(begin) * module,
            y + Double(row) * module,
            Double(column - begin) * module,
            // A little more, so that no light line shows between rows.
            module + 0.1
          )
          canvas.fill(Ink(0))
          start = nil
        }
      }
    }
    let day = Words.moment(measuredAt).split(separator: " ").first.map(String.init) ?? ""
    let lines = [
      "measured \(day)", "scale \(scale.name) \(scale.version)", "method \(Scale.method)",
      "record \(rating.subject.id)",
    ]
    for (place, line) in lines.enumerated() {
      canvas.write(line, 22, 478 + Double(place) * 15, size: 10, .soft, fitting: 226)
    }
    canvas.write("● measured   ○ not measured by us", 22, 541, size: 9, .soft)
  }
}

extension Scale.Property {
  /// A figure with as many digits as are known: three, two where the uncertainty is 5 % or more.
  func rounded(_ figure: Measured) -> String {
    if unit == .fraction { return text(figure.value) }
    guard let part = Self.relative(figure), part >= 0.05, unit != .bytes, unit != .count else {
      return text(figure.value)
    }
    let full = text(figure.value).split(separator: " ")
    guard full.count == 2, let number = Double(full[0]) else { return text(figure.value) }
    return "\(Words.significant(number, 2)) \(full[1])"
  }

  /// The half-width of the central 95 %, such as ` ± 1.2 %`; empty when it is not known or none.
  func reachText(_ figure: Measured) -> String {
    switch figure.uncertainty {
    case .counted(let count):
      let range = Proportion(fraction: figure.value, of: count).interval
      return " ± " + Words.fixed((range.upperBound - range.lowerBound) * 50, 1) + " points"
    case .exact, .unknown: return ""
    case .relative:
      guard let part = Self.relative(figure) else { return "" }
      return " ± " + Words.significant(part * 100, 2) + " %"
    }
  }

  private static func relative(_ figure: Measured) -> Double? {
    guard case .relative(let error, let freedom) = figure.uncertainty else { return nil }
    return error * (freedom > 1e6 ? 1.96 : StudentT.quantile(0.975, freedom: freedom))
  }
}
