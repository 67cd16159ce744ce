import AssayBase
import AssayCodec
import AssayTensor

extension TimeSeries {
  /// Reads a series from a file: comma-separated values (or another delimiter, with a header or
  /// without), `.npy` (samples, or samples by channels) or `.npz`.
  ///
  /// - Throws: `Diagnostic` or `Diagnostics` DTC00x, located in the file; what the array formats throw.
  public static func read(
    _ path: String,
    _ options: SeriesOptions = SeriesOptions()
  ) throws
    -> TimeSeries
  {
    let bytes = try MappedFile(path: path).view
    return try locating(path) { try read(bytes, options) }
  }

  /// Reads a series from a file's bytes.
  ///
  /// - Throws: as `read(_:_:)`, without the path.
  public static func read(
    _ bytes: ByteView,
    _ options: SeriesOptions = SeriesOptions()
  ) throws
    -> TimeSeries
  {
    if NPY.sniff(bytes) {
      return try series(of: [("value", try NPY.read(bytes))], options)
    }
    if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
      return try series(of: try NPZ.read(bytes), options)
    }
    return try SeriesTable(bytes, options).series(options)
  }

  // MARK: Arrays

  private static func series(
    of arrays: [(name: String, tensor: Tensor)],
    _ options: SeriesOptions
  ) throws -> TimeSeries {
    func isRole(_ name: String) -> Bool {
      SeriesRole.labels(options).contains(name) || SeriesRole.ignored(options).contains(name)
    }
    let chosen = arrays.filter {
      options.columns.isEmpty ? !isRole($0.name) : options.columns.contains($0.name)
    }
    if let missing = options.columns.first(where: { name in
      !arrays.contains { $0.name == name }
    }) {
      throw SeriesRole.missing(missing, among: arrays.map(\.name))
    }
    guard let first = chosen.first else {
      throw Diagnostic("DTC001", "the file holds no array of samples")
    }
    guard chosen.count == 1 || chosen.allSatisfy({ flatCount($0.tensor) != nil }) else {
      throw Diagnostic(
        "DTC001",
        "the file holds several arrays: \(chosen.map(\.name).joined(separator: ", "))",
        remedy: "name the one to read with --columns"
      )
    }
    var names: [String] = []
    var values: [[Double]] = []
    if chosen.count == 1, flatCount(first.tensor) == nil {
      (names, values) = try channels(of: first.tensor, named: first.name)
    } else {
      for (name, tensor) in chosen {
        names.append(name)
        values.append(try doubles(tensor))
      }
    }
    var columns: [(name: String, values: [Double])] = Array(zip(names, values))
    for array in arrays where isRole(array.name) && !options.columns.contains(array.name) {
      columns.append((array.name, try doubles(array.tensor)))
    }
    return try assembled(columns, options) { "sample \($0)" }
  }

  /// The number of samples of an array of one channel, whatever axes of extent 1 it has.
  private static func flatCount(_ tensor: Tensor) -> Int? {
    let long = tensor.shape.dims.filter { $0 != 1 }
    return long.count <= 1 ? tensor.count : nil
  }

  private static func channels(
    of tensor: Tensor,
    named name: String
  ) throws -> ([String], [[Double]]) {
    var dims = tensor.shape.dims
    if dims.count == 3, dims[0] == 1 { dims.removeFirst() }
    guard dims.count == 2 else {
      throw Diagnostic(
        "DTC001",
        "an array of \(tensor.shape) is no series",
        remedy: "a series has samples, or samples by channels"
      )
    }
    guard dims[1] <= SeriesTable.greatestColumnCount else {
      throw Diagnostic(
        "DTC001",
        "an array of \(tensor.shape) has \(dims[1]) channels",
        remedy: "the first axis is that of the samples; transpose the array"
      )
    }
    let all = try doubles(tensor)
    let (count, width) = (dims[0], dims[1])
    return (
      (0..<width).map { "\(name)[\($0)]" },
      (0..<width).map { channel in (0..<count).map { all[$0 * width + channel] } }
    )
  }

  private static func doubles(_ tensor: Tensor) throws -> [Double] {
    switch tensor.dtype {
    case .float64: return tensor.elements(as: Double.self)
    case .float32, .float16, .bfloat16: return tensor.floats().map { Double($0) }
    case .bool: return tensor.elements(as: UInt8.self).map { $0 == 0 ? 0 : 1 }
    case let dtype where dtype.isInteger: return tensor.integers().map { Double($0) }
    default:
      throw Diagnostic("DTC001", "an array of \(tensor.dtype.rawValue) is no series of numbers")
    }
  }

  // MARK: Columns

  /// A series of columns: what their names make of them, with gaps treated.
  ///
  /// - Parameter place: says where a sample stands in the file.
  static func assembled(
    _ columns: [(name: String, values: [Double])],
    _ options: SeriesOptions,
    place: (Int) -> String
  ) throws -> TimeSeries {
    var channels: [String] = []
    var values: [[Double]] = []
    var isAnomaly: [Bool]?
    var isIgnored: [Bool]?
    let count = columns.first?.values.count ?? 0
    guard count > 0 else { throw Diagnostic("DTC001", "the file holds no samples") }
    var faults: [Diagnostic] = []
    for (name, column) in columns {
      guard column.count == count else {
        throw Diagnostic(
          "DTC001",
          "'\(name)' has \(column.count) samples and '\(columns[0].name)' has \(count)"
        )
      }
      let isLabel = SeriesRole.labels(options).contains(name)
      if !options.columns.contains(name),
        isLabel || SeriesRole.ignored(options).contains(name)
      {
        if let index = column.firstIndex(where: { $0 != 0 && $0 != 1 }) {
          faults.append(
            Diagnostic(
              "DTC002",
              "a label is \(column[index]), and must be 0 or 1",
              at: [place(index), "column '\(name)'"]
            )
          )
        }
        let flags = column.map { $0 == 1 }
        if isLabel { isAnomaly = flags } else { isIgnored = flags }
        continue
      }
      channels.append(name)
      switch options.gaps {
      case .refuse:
        let missing = column.indices.filter { !column[$0].isFinite }
        if let first = missing.first {
          faults.append(
            Diagnostic(
              "DTC002",
              missing.count == 1
                ? "a sample is missing or no finite number"
                : "\(missing.count) samples are missing or no finite numbers; the first is this",
              at: [place(first), "column '\(name)'"],
              remedy: "mend the file, or fill them with --gaps interpolate"
            )
          )
        }
        values.append(column)
      case .interpolate:
        guard let filled = interpolated(column) else {
          throw Diagnostic("DTC002", "column '\(name)' has no sample that is a finite number")
        }
        values.append(filled)
      }
    }
    try Diagnostics(faults).throwIfErrors()
    guard !channels.isEmpty else {
      throw Diagnostic(
        "DTC001",
        "the file has labels and no samples",
        remedy: "name the columns to read with --columns"
      )
    }
    return TimeSeries(
      channels: channels,
      values: values,
      isAnomaly: isAnomaly,
      isIgnored: isIgnored
    )
  }

  /// The samples with those that are not finite put between their neighbours; `nil` where none is
  /// finite.
  private static func interpolated(_ column: [Double]) -> [Double]? {
    var result = column
    var last: Int?
    for index in column.indices where column[index].isFinite {
      let from = last.map { $0 + 1 } ?? 0
      for gap in from..<index {
        guard let last else {
          result[gap] = column[index]
          continue
        }
        let part = Double(gap - last) / Double(index - last)
        result[gap] = column[last] + part * (column[index] - column[last])
      }
      last = index
    }
    guard let last else { return nil }
    for gap in last + 1..<max(column.count, last + 1) { result[gap] = column[last] }
    return result
  }
}

/// What columns are by their names.
enum SeriesRole {
  static func labels(_ options: SeriesOptions) -> [String] {
    options.labelColumn.map { [$0] } ?? ["is_anomaly", "anomaly", "label", "labels"]
  }

  static func ignored(_ options: SeriesOptions) -> [String] {
    options.ignoredColumn.map { [$0] } ?? ["is_ignored", "ignored"]
  }

  /// Names of columns that tell the time and hold no samples.
  static let times: Set<String> = ["", "time", "timestamp", "t", "index", "date", "datetime"]

  static func missing(_ name: String, among known: [String]) -> Diagnostic {
    let guess = nearest(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
    return Diagnostic(
      "DTC005",
      "there is no column '\(name)'",
      remedy: "columns: \(known.map { $0.isEmpty ? "(unnamed)" : $0 }.joined(separator: ", "))"
        + guess
    )
  }
}
