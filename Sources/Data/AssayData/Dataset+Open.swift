import AssayBase
import AssayCodec
import AssayHost
import AssayTensor

extension Dataset {
  /// Opens data.
  ///
  /// - Parameters:
  ///   - path: a folder of images or arrays (if it holds only folders, each is a class), an image, a
  ///     `.npy` or `.npz` (first axis: samples; in an `.npz` the arrays are named as the inputs, or
  ///     `x`, with labels as `y`), or a text file with one path a line, relative to it.
  ///   - inputs: the network's inputs.
  ///   - labels: a CSV with the header `file,label`, or an `.npy` of indices for data in arrays.
  ///   - labelNames: a file with one class name a line, in the order of the network's output.
  ///   - classCount: the number of classes of the network's output, where it is known.
  /// - Throws: `Diagnostic` or `Diagnostics` DAT02x (data) and DAT03x (labels): every bad line at once.
  public static func open(
    path: String,
    inputs: [DataInput],
    preprocessing: Preprocessing = Preprocessing(),
    labels: String? = nil,
    labelNames: String? = nil,
    classCount: Int? = nil
  ) throws -> Dataset {
    guard !inputs.isEmpty else { throw Diagnostic("DAT023", "the network has no input") }
    let names = try labelNames.map { try lines(of: $0).map(\.text) } ?? []
    var dataset: Dataset
    switch Host.kind(of: path) {
    case .folder:
      dataset = try folder(path, inputs, preprocessing, names)
    case .file where hasEnding(path, ["npy", "npz"]):
      dataset = try arrays(path, inputs, preprocessing, names)
    case .file where ImageCodec.isImageName(path):
      let item = Item(name: Host.name(of: path), source: .image(path: path))
      dataset = Dataset(
        inputs: inputs,
        preprocessing: preprocessing,
        labelNames: names,
        path: path,
        items: [item]
      )
    case .file where hasEnding(path, ["csv"]):
      return try labelled(
        csv: path,
        inputs: inputs,
        preprocessing: preprocessing,
        names: names,
        classCount: classCount
      )
    case .file:
      dataset = try list(path, inputs, preprocessing, names)
    default:
      throw Diagnostic(
        "DAT020",
        "there are no data at this path",
        at: [path],
        remedy: "give a folder of images, an .npy or .npz, or a text file of paths"
      )
    }
    if let labels {
      dataset = try dataset.labelled(by: labels, classCount: classCount)
    } else {
      try dataset.checkLabels(classCount: classCount)
    }
    guard dataset.count > 0 else {
      throw Diagnostic(
        "DAT021",
        "there are no samples here",
        at: [path],
        remedy:
          "give images (\(ImageCodec.allCases.map(\.title).joined(separator: ", "))) or arrays"
      )
    }
    try dataset.checkFirst()
    return dataset
  }

  /// Opens the images or arrays that a labels CSV lists, relative to it.
  ///
  /// - Throws: as `open`.
  public static func labelled(
    csv: String,
    inputs: [DataInput],
    preprocessing: Preprocessing = Preprocessing(),
    labelNames: String? = nil,
    classCount: Int? = nil
  ) throws -> Dataset {
    let names = try labelNames.map { try lines(of: $0).map(\.text) } ?? []
    return try labelled(
      csv: csv,
      inputs: inputs,
      preprocessing: preprocessing,
      names: names,
      classCount: classCount
    )
  }

  private static func labelled(
    csv: String,
    inputs: [DataInput],
    preprocessing: Preprocessing,
    names: [String],
    classCount: Int?
  ) throws -> Dataset {
    let table = try LabelTable.read(csv, names: names, classCount: classCount)
    let base = Host.folder(of: csv)
    var faults: [Diagnostic] = []
    var items: [Item] = []
    for row in table.rows {
      let path = row.file.hasPrefix("/") ? row.file : Host.join(base, row.file)
      if let item = item(path, name: row.file, label: row.label) {
        items.append(item)
      } else {
        faults.append(missingFile(row.file, csv, row.line))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    guard !items.isEmpty else {
      throw Diagnostic("DAT021", "the file lists no samples", at: [csv])
    }
    let dataset = Dataset(
      inputs: inputs,
      preprocessing: preprocessing,
      labelNames: table.names,
      path: csv,
      items: items
    )
    try dataset.checkFirst()
    return dataset
  }

  private static func folder(
    _ path: String,
    _ inputs: [DataInput],
    _ preprocessing: Preprocessing,
    _ names: [String]
  ) throws -> Dataset {
    let entries = try Host.list(path).filter { !$0.hasPrefix(".") }
    var items = entries.compactMap { item(Host.join(path, $0), name: $0, label: nil) }
    var labelNames = names
    if items.isEmpty {
      let folders = entries.filter { Host.kind(of: Host.join(path, $0)) == .folder }
      if labelNames.isEmpty { labelNames = folders }
      var faults: [Diagnostic] = []
      for folder in folders {
        let inner = Host.join(path, folder)
        guard let label = labelNames.firstIndex(of: folder) else {
          faults.append(
            Diagnostic(
              "DAT032",
              "the folder '\(folder)' is not one of the class names",
              at: [path],
              remedy: nearest(to: folder, among: labelNames).map { "did you mean '\($0)'?" }
                ?? "name the folders as the lines of the label names file"
            )
          )
          continue
        }
        for name in try Host.list(inner).filter({ !$0.hasPrefix(".") }) {
          if let item = item(Host.join(inner, name), name: folder + "/" + name, label: label) {
            items.append(item)
          }
        }
      }
      try Diagnostics(faults).throwIfErrors()
    }
    return Dataset(
      inputs: inputs,
      preprocessing: preprocessing,
      labelNames: labelNames,
      path: path,
      items: items
    )
  }

  private static func list(
    _ path: String,
    _ inputs: [DataInput],
    _ preprocessing: Preprocessing,
    _ names: [String]
  ) throws -> Dataset {
    let base = Host.folder(of: path)
    var items: [Item] = []
    var faults: [Diagnostic] = []
    for line in try lines(of: path) where !line.text.hasPrefix("#") {
      let full = line.text.hasPrefix("/") ? line.text : Host.join(base, line.text)
      if let item = item(full, name: line.text, label: nil) {
        items.append(item)
      } else {
        faults.append(missingFile(line.text, path, line.number))
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return Dataset(
      inputs: inputs,
      preprocessing: preprocessing,
      labelNames: names,
      path: path,
      items: items
    )
  }

  private static func missingFile(_ file: String, _ list: String, _ line: Int) -> Diagnostic {
    Diagnostic(
      "DAT024",
      "there is no image or array '\(file)'",
      at: [list, "line \(line)"],
      remedy: "paths are relative to the file that lists them"
    )
  }

  /// The sample of a file: an image by its name, or one array or archive.
  private static func item(_ path: String, name: String, label: Int?) -> Item? {
    guard Host.kind(of: path) == .file else { return nil }
    if ImageCodec.isImageName(path) {
      return Item(name: name, source: .image(path: path), label: label)
    }
    if hasEnding(path, ["npy", "npz"]) {
      return Item(name: name, source: .array(path: path), label: label)
    }
    return nil
  }

  private static func arrays(
    _ path: String,
    _ inputs: [DataInput],
    _ preprocessing: Preprocessing,
    _ names: [String]
  ) throws -> Dataset {
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in try namedArrays(path: path, inputs: inputs) {
      guard let input = inputs.first(where: { $0.name == name }) else { continue }
      tensors[name] = try locating(path) { try asSamples(tensor, for: input) }
    }
    let counts = Set(tensors.values.map { $0.shape[0] })
    guard counts.count == 1, let count = counts.first else {
      throw Diagnostic(
        "DAT022",
        "the arrays have different numbers of samples",
        at: [path],
        remedy: "the first axis of each is that of the samples"
      )
    }
    let labels = try labelArray(path)
    if let labels, labels.count != count {
      throw Diagnostic(
        "DAT033",
        "there are \(labels.count) labels for \(count) samples",
        at: [path, "array 'y'"]
      )
    }
    let file = Host.name(of: path)
    return Dataset(
      inputs: inputs,
      preprocessing: preprocessing,
      labelNames: names,
      path: path,
      items: (0..<count).map {
        Item(name: "\(file)[\($0)]", source: .row($0), label: labels?[$0])
      },
      arrays: tensors
    )
  }

  /// An array with the axis of the samples in front: as it is, or with one added for a single sample.
  private static func asSamples(_ tensor: Tensor, for input: DataInput) throws -> Tensor {
    let wanted = input.type.shape
    func fits(_ dims: [Int]) -> Bool {
      guard let shape = tensor.shape.elementCount.map({ _ in Shape(dims) }) else { return false }
      let type = TensorType(tensor.dtype, shape)
      guard let count = type.byteCount, let part = try? tensor.bytes.slice(0, count),
        let one = try? Tensor(type, bytes: part)
      else { return false }
      return (try? sampleShape(of: one, for: input)) != nil
    }
    if tensor.shape.rank > 0, tensor.shape[0] > 0, fits(Array(tensor.shape.dims.dropFirst())) {
      return tensor
    }
    if tensor.count > 0, fits(tensor.shape.dims) {
      return tensor.reshaped(Shape([1] + tensor.shape.dims))
    }
    throw Diagnostic(
      "DAT022",
      "an array of \(tensor.shape) does not fit the network's input '\(input.name)' of \(wanted)",
      remedy: "give arrays whose first axis is that of the samples"
    )
  }

  /// The arrays of a file by the inputs' names: a lone one feeds a lone input, as does `x`.
  static func namedArrays(path: String, inputs: [DataInput]) throws -> [String: Tensor] {
    let bytes = try MappedFile(path: path).view
    if NPY.sniff(bytes) {
      guard inputs.count == 1 else {
        throw Diagnostic(
          "DAT023",
          "one array cannot feed \(inputs.count) inputs",
          at: [path],
          remedy: "give an .npz with " + inputs.map(\.name).joined(separator: ", ")
        )
      }
      return [inputs[0].name: try locating(path) { try NPY.read(bytes) }]
    }
    let all = try locating(path) { try NPZ.read(bytes) }
    var result: [String: Tensor] = [:]
    for input in inputs {
      if let match = all.first(where: { $0.name == input.name }) {
        result[input.name] = match.tensor
      }
    }
    if inputs.count == 1, result.isEmpty {
      let others = all.filter { $0.name != "y" }
      let lone = others.first { $0.name == "x" } ?? (others.count == 1 ? others[0] : nil)
      if let lone { result[inputs[0].name] = lone.tensor }
    }
    let missing = inputs.filter { result[$0.name] == nil }
    guard missing.isEmpty else {
      throw Diagnostic(
        "DAT023",
        "there is no array for " + missing.map { "'\($0.name)'" }.joined(separator: ", "),
        at: [path],
        remedy: "name the arrays as the network's inputs; there are "
          + all.map { "'\($0.name)'" }.joined(separator: ", ")
      )
    }
    return result
  }

  /// The labels `y` of an archive; one-hot rows give their greatest.
  private static func labelArray(_ path: String) throws -> [Int]? {
    let bytes = try MappedFile(path: path).view
    guard !NPY.sniff(bytes), let y = try NPZ.read(bytes).first(where: { $0.name == "y" }) else {
      return nil
    }
    return indices(y.tensor)
  }

  static func indices(_ tensor: Tensor) -> [Int] {
    guard tensor.shape.rank == 2, tensor.shape[1] > 1 else { return tensor.integers() }
    let values = tensor.floats()
    let width = tensor.shape[1]
    return (0..<tensor.shape[0]).map { row in
      argmax(Array(values[row * width..<(row + 1) * width]))
    }
  }

  /// Decodes the first sample, so that what fits none is said at once.
  private func checkFirst() throws {
    if count > 0, case .row = items[0].source { return }
    if case .image(let path) = items[0].source {
      guard inputs.count == 1 else {
        throw Diagnostic(
          "DAT011",
          "images feed networks of one input, this one has \(inputs.count)",
          at: [path],
          remedy: "give the data as .npz with " + inputs.map(\.name).joined(separator: ", ")
        )
      }
    }
    _ = try sample(at: 0)
  }

  private func checkLabels(classCount: Int?) throws {
    guard let classCount else { return }
    let bad = items.first { item in
      item.label.map { !(0..<max(classCount, 2)).contains($0) } ?? false
    }
    guard let bad else { return }
    throw Diagnostic(
      "DAT032",
      "the label \(bad.label ?? 0) is none of the \(classCount) classes",
      at: [path, bad.name]
    )
  }
}

/// Whether a path ends in one of these, in any case.
func hasEnding(_ path: String, _ endings: [String]) -> Bool {
  let lower = path.lowercased()
  return endings.contains { lower.hasSuffix("." + $0) }
}

/// A file's lines that are not empty, without white space at their ends.
func lines(of path: String) throws -> [(number: Int, text: String)] {
  guard let text = try MappedFile(path: path).view.utf8 else {
    throw Diagnostic("DAT025", "the file is not text (UTF-8)", at: [path])
  }
  return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
    .map { ($0.offset + 1, trimmed($0.element)) }.filter { !$0.1.isEmpty }
}
