import AssayBase

/// Measured models: a row for each model and environment, a value for each property where there is one.
public struct MeasurementTable: Sendable, Equatable {
  /// One model in one environment.
  public struct Row: Sendable, Equatable {
    /// Who was measured.
    public var model: String
    /// Where it ran: machine and hardware.
    public var environment: String
    /// What it was asked to do, and on which data; models are compared only within both.
    public var task: String, dataset: String
    /// A value for each property of the table, or `nil`.
    public var values: [Double?]

    /// Makes a row.
    public init(
      model: String,
      environment: String,
      task: String,
      dataset: String,
      values: [Double?]
    ) {
      self.model = model
      self.environment = environment
      self.task = task
      self.dataset = dataset
      self.values = values
    }
  }

  /// What was measured.
  public var properties: [PropertyMeta]
  /// The measurements.
  public var rows: [Row]

  /// Makes a table.
  public init(properties: [PropertyMeta], rows: [Row]) {
    self.properties = properties
    self.rows = rows
  }

  /// The table of CSV records with a header: the column `model`, perhaps `environment`, `task` and
  /// `dataset` (`unknown` where absent), and those properties that are columns.
  ///
  /// Rows of one model, environment, task and data set are repetitions, and become their mean. Cells
  /// that are empty or `nan` are missing values.
  ///
  /// - Throws: `Diagnostic` RAT002 for columns that are missing, RAT003 for a cell that is no number.
  public init(
    _ records: [(line: Int, fields: [String])],
    properties described: [PropertyMeta]
  ) throws {
    guard let header = records.first?.fields else {
      throw Diagnostic("RAT002", "the table is empty")
    }
    func column(_ name: String) -> Int? { header.firstIndex(of: name) }
    guard let model = column("model") else {
      throw Diagnostic(
        "RAT002",
        "no column 'model'",
        at: ["columns: \(header.prefix(8).joined(separator: ", "))"],
        remedy: "name the column of the models' names 'model'"
      )
    }
    var described = described
    for key in described.compactMap(\.countColumn)
    where !described.contains(where: { $0.key == key }) {
      described.append(PropertyMeta(key, group: "Counts", weight: 0, isMaximized: true))
    }
    properties = described.filter { column($0.key) != nil }
    guard !properties.isEmpty else {
      throw Diagnostic(
        "RAT002",
        "no column is one of the properties \(described.map(\.key).joined(separator: ", "))",
        at: ["columns: \(header.prefix(8).joined(separator: ", "))"]
      )
    }
    let places = properties.compactMap { column($0.key) }
    var order: [[String]] = []
    var sums: [[String]: [(sum: Double, count: Int)]] = [:]
    for (line, fields) in records.dropFirst() {
      func text(_ name: String) -> String {
        column(name).flatMap { fields.indices.contains($0) ? fields[$0] : nil } ?? "unknown"
      }
      guard fields.count == header.count else {
        throw Diagnostic(
          "RAT002",
          "\(fields.count) cells under \(header.count) columns",
          at: ["line \(line)"]
        )
      }
      let key = [fields[model], text("environment"), text("task"), text("dataset")]
      var row = sums[key] ?? places.map { _ in (0, 0) }
      if sums[key] == nil { order.append(key) }
      for (index, place) in places.enumerated() {
        guard let value = try Self.number(fields[place], line, header[place]) else { continue }
        row[index].sum += value
        row[index].count += 1
      }
      sums[key] = row
    }
    rows = order.map { key in
      let values = (sums[key] ?? []).map { $0.count > 0 ? $0.sum / Double($0.count) : nil }
      return Row(model: key[0], environment: key[1], task: key[2], dataset: key[3], values: values)
    }
  }

  private static func number(_ text: String, _ line: Int, _ column: String) throws -> Double? {
    let word = text.lowercased()
    if word.isEmpty || word == "nan" || word == "na" || word == "null" || word == "none" {
      return nil
    }
    guard let value = Double(text) else {
      throw Diagnostic(
        "RAT003",
        "'\(text)' is no number",
        at: ["line \(line)", "column '\(column)'"]
      )
    }
    return value
  }
}
