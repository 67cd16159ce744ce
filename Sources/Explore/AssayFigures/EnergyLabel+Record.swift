import AssayBase
import AssayRate
import AssayRecord
import AssayStatistics

extension EnergyLabel {
  /// Makes the label of a record.
  ///
  /// - Parameter address: what the record's id is appended to in the QR code, such as
  ///   `https://example.org/records/`; without one the code names the record and its file's hash.
  public init(_ record: Record, rating: Rating, scale: Scale, address: String? = nil) {
    let names = [
      "litert": "LiteRT", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
      "reference": "Reference",
    ]
    let name = names[record.runtime] ?? record.runtime
    let version = record.version.split(separator: "-").first.map(String.init) ?? record.version
    let threads = record.threads == 1 ? "1 thread" : "\(record.threads) threads"
    let provider = record.provider == "cpu" ? "" : ", \(record.provider)"
    let subject = rating.subject
    let detail = [
      subject.variant == "original" ? "" : subject.variant,
      subject.task == "unknown" ? "" : subject.task,
    ].filter { !$0.isEmpty }
    let day = Words.moment(record.finishedAt).split(separator: " ").first.map(String.init) ?? ""
    self.init(
      model: subject.model,
      detail: detail.isEmpty ? "as it came" : detail.joined(separator: " · "),
      device: record.environment["processor"]?.string ?? record.environment["cpu"]?.string
        ?? (record.device == "local" ? "unknown processor" : Self.kind(record.device)),
      runtime: "\(name) \(version)\(provider), \(threads)",
      letter: rating.compound?.letter,
      certainty: Self.certainty(rating),
      figures: ["latency", "energy", "accuracy", "size"].map { Figure($0, rating, scale) },
      lines: [
        "measured \(day)", "scale \(scale.name) \(scale.version)", "method \(Scale.method)",
        "record \(subject.id)",
      ],
      measuredAt: record.finishedAt,
      link: address.map { $0 + record.id }
        ?? "assay:\(record.id)?sha256=\(record.model.sha256)"
    )
  }

  /// How sure the grade is; without a grade why there is none.
  private static func certainty(_ rating: Rating) -> String {
    guard let grade = rating.compound else {
      let summary = rating.notes.first { $0.severity == .error }?.summary ?? ""
      return summary.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
    }
    return grade.probabilities == nil
      ? "how sure: not known" : grade.text.split(separator: ",").prefix(3).joined(separator: ",")
  }
}

extension EnergyLabel.Figure {
  /// A property of a rating; agreement or memory stand in for an accuracy that nobody knows.
  fileprivate init(_ wanted: String, _ rating: Rating, _ scale: Scale) {
    var key = wanted
    if key == "accuracy", rating.subject.values[key] == nil {
      key = rating.subject.values["agreement"] == nil ? "memory" : "agreement"
    }
    let property =
      (scale.properties + Scale.Property.known).first { $0.key == key }
      ?? Scale.Property(key, group: "", unit: .number, comparison: .more)
    let names = [
      "energy": "energy per inference", "agreement": "as the original", "size": "file size",
    ]
    let name = names[key] ?? property.name
    guard let value = rating.subject.values[key] else {
      self.init(name, value: nil, note: "not measured")
      return
    }
    self.init(
      name,
      value: property.rounded(value),
      letter: rating[key]?.grade?.letter,
      isMeasured: value.provenance == .measured,
      note: value.provenance.rawValue + property.reachText(value)
    )
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
