import AssayBase

/// A text file of numbers in lines and columns.
///
/// Cells stand between delimiters and may be quoted; an empty cell and `nan` are missing numbers. The
/// first line is a header when one of its cells is no number.
struct SeriesTable {
  /// Columns that a series may have.
  static let greatestColumnCount = 4096

  /// The names of the columns; their numbers from 1 where the file has no header.
  var names: [String]
  /// Whether the names come from the file.
  var hasHeader: Bool
  /// The numbers, column by column; NaN where one is missing.
  var columns: [[Double]]
  /// Whether a column has text in it, such as dates; its numbers are NaN.
  var isText: [Bool]
  /// The line of each row, from 1.
  private var lines: [Int] = []

  init(_ bytes: ByteView, _ options: SeriesOptions) throws {
    var scanner = LineScanner(bytes.array)
    guard var first = scanner.next() else {
      throw Diagnostic("DTC001", "the file is empty")
    }
    let delimiter = try Self.delimiter(options, in: scanner.bytes[first.range])
    var cells = Self.cells(scanner.bytes[first.range], delimiter)
    hasHeader = cells.contains { !$0.isEmpty && Self.number($0) == nil }
    // A file without a header may have text in a column of dates; then no cell is a name.
    if hasHeader, cells.count > 1, cells.dropFirst().allSatisfy({ Self.number($0) != nil }),
      !cells.dropFirst().allSatisfy(\.isEmpty)
    {
      hasHeader = false
    }
    names =
      hasHeader
      ? cells.map { String(decoding: Self.unquoted($0), as: UTF8.self) }
      : cells.indices.map { "\($0 + 1)" }
    guard cells.count <= Self.greatestColumnCount else {
      throw Diagnostic("DTC001", "\(cells.count) columns are too many")
    }
    columns = [[Double]](repeating: [], count: cells.count)
    isText = [Bool](repeating: false, count: cells.count)
    if hasHeader {
      guard let second = scanner.next() else {
        throw Diagnostic("DTC001", "the file has a header and no samples")
      }
      first = second
      cells = Self.cells(scanner.bytes[first.range], delimiter)
    }
    var line = first
    while true {
      if cells.count != names.count {
        throw Diagnostic(
          "DTC006",
          "the line has \(cells.count) cells, and \(names.count) are in the first one",
          at: ["line \(line.number)"],
          remedy: "name the character between cells with --delimiter"
        )
      }
      for (column, cell) in cells.enumerated() {
        if let value = cell.isEmpty ? .nan : Self.number(cell) {
          columns[column].append(value)
          continue
        }
        // Whether text matters is told by what the column is for.
        if columns[column].isEmpty { isText[column] = true }
        guard isText[column] else { throw Self.noNumber(cell, line.number, names[column]) }
        columns[column].append(.nan)
      }
      lines.append(line.number)
      guard let next = scanner.next() else { break }
      // Where a line is one cell, an empty line between two others is a sample that is missing.
      if names.count == 1 {
        for number in line.number + 1..<next.number {
          columns[0].append(.nan)
          lines.append(number)
        }
      }
      line = next
      cells = Self.cells(scanner.bytes[line.range], delimiter)
    }
  }

  /// The series of the columns that hold samples and labels.
  func series(_ options: SeriesOptions) throws -> TimeSeries {
    if let missing =
      (options.columns + [options.labelColumn, options.ignoredColumn].compactMap(\.self))
      .first(where: { !names.contains($0) })
    {
      throw SeriesRole.missing(missing, among: names)
    }
    var chosen: [(name: String, values: [Double])] = []
    for (index, name) in names.enumerated() {
      let isRole =
        SeriesRole.labels(options).contains(name) || SeriesRole.ignored(options).contains(name)
      if options.columns.contains(name) || isRole {
        chosen.append((name, columns[index]))
      } else if isTime(index) {
        try checkTime(index, options)
      } else if options.columns.isEmpty {
        guard !isText[index] else {
          throw Diagnostic(
            "DTC006",
            "column '\(name)' holds text",
            at: ["line \(lines.first ?? 1)"],
            remedy: names.count == 1
              ? "name the character between cells with --delimiter"
              : "name the columns to read with --columns"
          )
        }
        chosen.append((name, columns[index]))
      }
    }
    guard !chosen.isEmpty else {
      throw Diagnostic(
        "DTC001",
        "the file has no column of samples",
        remedy: "columns: \(names.joined(separator: ", ")); name them with --columns"
      )
    }
    return try TimeSeries.assembled(chosen, options) { "line \(lines[$0])" }
  }

  /// Whether a column tells the time: by its name, or the first of several without names that counts.
  private func isTime(_ index: Int) -> Bool {
    if hasHeader { return SeriesRole.times.contains(names[index].lowercased()) && names.count > 1 }
    guard index == 0, names.count > 1 else { return false }
    return isText[0]
      || zip(columns[0], columns[0].dropFirst()).allSatisfy { $1 - $0 == 1 } && columns[0].count > 1
  }

  /// Throws where a time jumps: samples are missing there.
  private func checkTime(_ index: Int, _ options: SeriesOptions) throws {
    let times = columns[index]
    guard !isText[index], times.count > 2, times.allSatisfy(\.isFinite) else { return }
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }
    let usual = steps.sorted()[steps.count / 2]
    guard let jump = steps.firstIndex(where: { abs($0 - usual) > 0.5 * abs(usual) }) else { return }
    throw Diagnostic(
      "DTC002",
      "the time goes from \(times[jump]) to \(times[jump + 1]), and usually by \(usual): samples are "
        + "missing",
      at: ["line \(lines[jump + 1])", "column '\(names[index])'"],
      remedy: "put a line there for each missing sample, with an empty cell, and give --gaps "
        + "interpolate"
    )
  }

  // MARK: Cells

  /// The character between cells: the one that was asked for, or the first that stands in a line.
  static func delimiter(_ options: SeriesOptions, in line: ArraySlice<UInt8>) throws -> UInt8 {
    if let given = options.delimiter {
      guard let byte = given.asciiValue else {
        throw Diagnostic("DTC006", "the delimiter must be an ASCII character")
      }
      return byte
    }
    let candidates: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C, 0x20]
    return candidates.first { line.contains($0) } ?? 0x2C
  }

  /// The cells of a line without the spaces around them.
  static func cells(_ line: ArraySlice<UInt8>, _ delimiter: UInt8) -> [ArraySlice<UInt8>] {
    var cells: [ArraySlice<UInt8>] = []
    var start = line.startIndex
    var isQuoted = false
    for index in line.indices {
      if line[index] == 0x22 { isQuoted.toggle() }
      if line[index] == delimiter, !isQuoted {
        cells.append(trimmed(line[start..<index]))
        start = index + 1
        if cells.count > greatestColumnCount { return cells }
      }
    }
    cells.append(trimmed(line[start...]))
    return cells
  }

  private static func trimmed(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var cell = cell
    while let byte = cell.first, byte == 0x20 || byte == 0x09 { cell = cell.dropFirst() }
    while let byte = cell.last, byte == 0x20 || byte == 0x09 { cell = cell.dropLast() }
    return cell
  }

  /// A cell without the quotes around it.
  static func unquoted(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard cell.count >= 2, cell.first == 0x22, cell.last == 0x22 else { return cell }
    return cell.dropFirst().dropLast()
  }

  /// The number of a cell: decimal, `nan`, `inf`, or a truth value.
  static func number(_ cell: ArraySlice<UInt8>) -> Double? {
    let text = unquoted(cell)
    guard let first = text.first, text.count <= 64 else { return nil }
    if (0x30...0x39).contains(first) || first == 0x2D || first == 0x2B || first == 0x2E {
      return Double(String(decoding: text, as: UTF8.self))
    }
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "nan", "na", "null": return .nan
    case "inf", "infinity": return .infinity
    case "true": return 1
    case "false": return 0
    default: return nil
    }
  }

  private static func noNumber(
    _ cell: ArraySlice<UInt8>,
    _ line: Int,
    _ column: String
  )
    -> Diagnostic
  {
    let text = String(decoding: cell.prefix(40), as: UTF8.self)
    let others = [";", "\t", "|", ","].filter { text.contains($0) }
    return Diagnostic(
      "DTC006",
      "'\(text)' is no number",
      at: ["line \(line)", "column '\(column)'"],
      remedy: others.isEmpty
        ? "name the columns to read with --columns"
        : "name the character between cells with --delimiter '\(others[0])'"
    )
  }
}

/// The lines of a text that are not empty.
private struct LineScanner {
  struct Line {
    /// The number, from 1.
    var number: Int
    var range: Range<Int>
  }

  let bytes: [UInt8]
  private var offset = 0
  private var number = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    // The mark that some programs put before UTF-8.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  mutating func next() -> Line? {
    while offset < bytes.count {
      let start = offset
      while offset < bytes.count, bytes[offset] != 0x0A, bytes[offset] != 0x0D { offset += 1 }
      let range = start..<offset
      number += 1
      if offset < bytes.count {
        let isPair = bytes[offset] == 0x0D && offset + 1 < bytes.count && bytes[offset + 1] == 0x0A
        offset += isPair ? 2 : 1
      }
      guard range.contains(where: { bytes[$0] != 0x20 && bytes[$0] != 0x09 }) else { continue }
      return Line(number: number, range: range)
    }
    return nil
  }
}
