import AssayBase

/// The tables of operators' times that `benchmark_model` prints with `--enable_op_profiling`, or writes
/// as CSV.
public struct OperatorProfile: Sendable, Equatable {
  /// One operator of a model, over all profiled runs.
  public struct Row: Sendable, Equatable {
    /// The kind of operator, such as `CONV_2D`.
    public var kind: String
    /// Milliseconds of the first run, and on average.
    public var first: Printed
    public var mean: Printed
    /// Part of the whole, percent.
    public var percent: Printed?
    /// Memory that it took, kilobytes.
    public var memory: Printed?
    /// How often it was called in a run.
    public var calls: Printed?
    /// The names of the tensors that it writes, with its place in the graph where that is told.
    public var name: String
    /// Its place in the graph.
    public var index: Int?
  }

  /// One table: of the initialization, of the runs, or of what a delegate does inside.
  public struct Table: Sendable, Equatable {
    /// Its heading, such as `Operator-wise Profiling Info for Regular Benchmark Runs`.
    public var title: String
    /// Operators in the order in which they ran.
    public var rows: [Row]
    /// Rows that could not be read.
    public var unreadable: Int = 0
    /// How many nodes were executed, as the tool counts.
    public var nodes: Int?

    /// Whether it is of what runs once.
    public var isInitialization: Bool { title.contains("Initialization") }
    /// Whether it looks inside a delegate, whose time is in another table already.
    public var isInsideDelegate: Bool { title.contains("Delegate internal") }
  }

  /// The tables, in order.
  public var tables: [Table] = []

  /// A profile without tables.
  public init() {}

  /// The operators of the timed runs; `nil` when there is no such table.
  public var operators: Table? {
    tables.first { !$0.isInitialization && !$0.isInsideDelegate && !$0.rows.isEmpty }
  }

  /// Every figure that was read, for checks.
  public var figures: [Printed] {
    tables.flatMap(\.rows).flatMap {
      [$0.first, $0.mean, $0.percent, $0.memory, $0.calls].compactMap(\.self)
    }
  }

  /// The operators in our schema, `[{kind, node, ns}]`; `nil` without a table of them.
  public var json: JSON? {
    operators.map { table in
      .array(
        table.rows.compactMap { row in
          guard let time = row.mean.nanoseconds(unit: 1e6) else { return nil }
          return .object([
            "kind": .string(row.kind), "node": .string(row.name), "ns": .integer(time),
          ])
        }
      )
    }
  }

  /// Reads a CSV file that `--profiling_output_csv_file` wrote.
  ///
  /// - Throws: `Diagnostic` BMK003 when it has no table.
  public init(csv text: String) throws {
    self.init(lines: LogLine.lines(text).map(\.text))
    guard !tables.isEmpty else {
      throw Diagnostic("BMK003", "this is no profile of benchmark_model")
    }
  }

  /// Finds the tables among the lines of an output, or of a CSV file.
  init(lines: [String]) {
    var title = ""
    var layout: Layout?
    var isRunOrder = false
    for line in lines {
      let text = line.trimmed
      if text.contains("Profiling Info for") || text.hasPrefix("Delegate internal") {
        title = String(text.hasSuffix(":") ? text.dropLast() : text)
        layout = nil
        continue
      }
      if text.hasPrefix("=====") {
        isRunOrder = text.contains("Run Order")
        layout = nil
        continue
      }
      if text.isEmpty {
        layout = nil
        continue
      }
      if let count = text.after("Number of nodes executed: ") {
        if tables.last?.title == title { tables[tables.count - 1].nodes = Int(count) }
        continue
      }
      guard isRunOrder else { continue }
      if let found = Layout(header: line) {
        layout = found
        tables.append(Table(title: title, rows: []))
        continue
      }
      guard let layout, !tables.isEmpty else { continue }
      if let row = layout.row(line) {
        tables[tables.count - 1].rows.append(row)
      } else {
        tables[tables.count - 1].unreadable += 1
      }
    }
  }
}

/// Which column of a table says what: it differs from version to version.
private struct Layout {
  private let columns: [String]
  private let isCSV: Bool

  /// Reads `[node type] [first] [avg ms] …` or `node type, first, avg_ms, …`; `nil` when it is none.
  init?(header: String) {
    let text = header.trimmed
    if text.hasPrefix("[node type]") {
      isCSV = false
      columns = header.split(separator: "\t").map { column in
        String(column.trimmed.filter { $0 != "[" && $0 != "]" }).lowercased()
      }
    } else if text.hasPrefix("node type,") {
      isCSV = true
      columns = text.split(separator: ",").map { String($0.trimmed).lowercased() }
    } else {
      return nil
    }
    guard columns.contains("first"), columns.last == "name", columns.count >= 4,
      columns.contains(where: { $0.hasPrefix("avg") })
    else { return nil }
  }

  func row(_ line: String) -> OperatorProfile.Row? {
    guard let cells = isCSV ? commaCells(line) : tabCells(line) else { return nil }
    func cell(_ name: String) -> Substring? {
      columns.firstIndex { $0.hasPrefix(name) }.map { cells[$0] }
    }
    func figure(_ name: String) -> Printed? {
      cell(name).flatMap { text in Printed(text.hasSuffix("%") ? text.dropLast() : text) }
    }
    guard let kind = cell("node type"), !kind.isEmpty, let first = figure("first"),
      let mean = figure("avg"), first.value >= 0, mean.value >= 0, let name = cell("name")
    else { return nil }
    // `[tensor;tensor]:12`
    var index: Int?
    var plain = name
    if name.hasPrefix("["), let end = name.range("]:"), let number = Int(name[end.upperBound...]) {
      index = number
      plain = name[..<end.lowerBound].dropFirst()
    }
    return OperatorProfile.Row(
      kind: String(kind),
      first: first,
      mean: mean,
      percent: figure("%"),
      memory: figure("mem"),
      calls: figure("times called"),
      name: String(plain),
      index: index
    )
  }

  private func tabCells(_ line: String) -> [Substring]? {
    let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(\.trimmed)
    // Each cell has its tab before it.
    let own = cells.first?.isEmpty == true ? Array(cells.dropFirst()) : cells
    return own.count == columns.count ? own : nil
  }

  /// Cells between commas; kinds and names may hold commas too, numbers may not.
  private func commaCells(_ line: String) -> [Substring]? {
    let parts = line.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = columns.count - 2
    guard parts.count >= columns.count else { return nil }
    for start in 1...(parts.count - numbers - 1) {
      let middle = parts[start..<start + numbers].map(\.trimmed)
      guard middle.allSatisfy({ Printed($0.hasSuffix("%") ? $0.dropLast() : $0) != nil }) else {
        continue
      }
      let kind = line[..<parts[start - 1].endIndex].trimmed
      let name = line[parts[start + numbers].startIndex...].trimmed
      return [kind] + middle + [name]
    }
    return nil
  }
}
