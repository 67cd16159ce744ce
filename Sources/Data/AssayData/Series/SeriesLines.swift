import AssayBase

/// Reads samples from text that comes piece by piece, wherever the pieces end.
///
/// A header, if there is one, tells which columns are the channels. Without one a line has as many
/// cells as there are channels, or one more: the time, which comes first and is not read.
public struct SeriesLines {
  /// Samples so far.
  public private(set) var sampleCount = 0

  private let channels: [String]
  private let options: SeriesOptions
  private var pending: [UInt8] = []
  private var lineNumber = 0
  private var delimiter: UInt8?
  /// The empty line after a row, if one is there.
  private var emptyLine: Int?
  /// The cell of each channel; found out from the first line.
  private var cells: [Int] = []

  /// The longest line that is read, bytes.
  private static let longestLine = 1 << 20

  /// Prepares reading.
  ///
  /// - Parameter channels: the names that a header has for the channels, in the detector's order.
  public init(channels: [String], _ options: SeriesOptions = SeriesOptions()) {
    self.channels = options.columns.isEmpty ? channels : options.columns
    self.options = options
  }

  /// Takes more text.
  ///
  /// - Returns: the samples of the lines that are complete now, channel by channel.
  /// - Throws: `Diagnostic` DTC002 for a sample that is missing, DTC005 for a channel that the header has
  ///   not, DTC006 for a line that is no row of numbers.
  public mutating func append(_ bytes: [UInt8]) throws -> [[Double]] {
    pending += bytes
    guard let last = pending.lastIndex(of: 0x0A) else {
      guard pending.count <= Self.longestLine else {
        throw Diagnostic("DTC006", "a line has more than \(Self.longestLine) bytes")
      }
      return [[Double]](repeating: [], count: channels.count)
    }
    let lines = Array(pending[..<last])
    pending.removeFirst(last + 1)
    return try samples(of: lines)
  }

  /// Takes the last line, which may have no end.
  public mutating func finish() throws -> [[Double]] {
    let lines = pending
    pending = []
    return try samples(of: lines)
  }

  private mutating func samples(of lines: [UInt8]) throws -> [[Double]] {
    var samples = [[Double]](repeating: [], count: channels.count)
    for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) {
      lineNumber += 1
      var line = line
      if line.last == 0x0D { line = line.dropLast() }
      if lineNumber == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else {
        if sampleCount > 0, emptyLine == nil { emptyLine = lineNumber }
        continue
      }
      try locating("line \(lineNumber)") { try take(line, &samples) }
    }
    return samples
  }

  private mutating func take(_ line: ArraySlice<UInt8>, _ samples: inout [[Double]]) throws {
    let character = try delimiter ?? SeriesTable.delimiter(options, in: line)
    delimiter = character
    let row = SeriesTable.cells(line, character)
    if cells.isEmpty, try layOut(row) { return }
    // Where a line is one cell, an empty line between two others is a sample that is missing.
    if let emptyLine, row.count == 1 {
      throw Diagnostic("DTC002", "a sample is missing: line \(emptyLine) is empty")
    }
    for (channel, cell) in cells.enumerated() {
      guard cell < row.count else {
        throw Diagnostic("DTC006", "the line has \(row.count) cells, and too few")
      }
      guard let value = SeriesTable.number(row[cell]), value.isFinite else {
        let text = String(decoding: row[cell].prefix(40), as: UTF8.self)
        throw Diagnostic(
          row[cell].isEmpty ? "DTC002" : "DTC006",
          row[cell].isEmpty ? "a sample is missing" : "'\(text)' is no finite number",
          at: ["channel '\(channels[channel])'"]
        )
      }
      samples[channel].append(value)
    }
    sampleCount += 1
  }

  /// Finds out from the first line where the channels are.
  ///
  /// - Returns: whether the line is a header.
  private mutating func layOut(_ row: [ArraySlice<UInt8>]) throws -> Bool {
    let isName = row.map { !$0.isEmpty && SeriesTable.number($0) == nil }
    let isHeader = isName.dropFirst().contains(true) || row.count == 1 && isName[0]
    if isHeader {
      let names = row.map { String(decoding: SeriesTable.unquoted($0), as: UTF8.self) }
      cells = try channels.map { name in
        if let cell = names.firstIndex(of: name) { return cell }
        // A lone channel may be called as it likes when nothing else could be meant.
        let others = names.indices.filter { index in
          !SeriesRole.times.contains(names[index].lowercased())
            && !SeriesRole.labels(options).contains(names[index])
            && !SeriesRole.ignored(options).contains(names[index])
        }
        guard options.columns.isEmpty, channels.count == 1, others.count == 1 else {
          throw SeriesRole.missing(name, among: names)
        }
        return others[0]
      }
      return true
    }
    guard row.count == channels.count || row.count == channels.count + 1 else {
      throw Diagnostic(
        "DTC006",
        "the line has \(row.count) cells, and \(channels.count) are wanted",
        remedy: "begin with a header, or name the character between cells with --delimiter"
      )
    }
    let first = row.count - channels.count
    cells = channels.indices.map { $0 + first }
    return false
  }
}
