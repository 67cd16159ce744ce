import AssayBase
import AssayCodec
import AssayHost
import AssayTensor

/// One input of a network, as data are made for it.
public struct DataInput: Sendable, Equatable {
  /// The network's name for it.
  public var name: String
  /// Its type; the extent of the first axis may be that of the samples.
  public var type: TensorType

  /// Makes an input.
  public init(name: String, type: TensorType) {
    self.name = name
    self.type = type
  }
}

/// What is fed to a network once, with the label that should come out.
public struct Sample: Sendable {
  /// The file's name, or the file's and the number of the row.
  public var name: String
  /// A tensor for each input: float32, or the elements' own type where the data have it.
  public var inputs: [String: Tensor]
  /// The index of the right class.
  public var label: Int?

  /// Makes a sample.
  public init(name: String, inputs: [String: Tensor], label: Int? = nil) {
    self.name = name
    self.inputs = inputs
    self.label = label
  }
}

/// Samples for a network: pictures or arrays, labelled or not, decoded when they are asked for.
///
/// Pictures go through the preprocessing. Arrays of integers for a float input are taken for
/// pictures' values and go through its value part (scale, mean, std); arrays of floats are fed as
/// they are.
public struct Dataset: Sendable {
  /// One sample's place.
  struct Item: Sendable {
    enum Source: Sendable {
      case image(path: String)
      case array(path: String)
      /// A row of arrays that are open.
      case row(Int)
    }
    var name: String
    var source: Source
    var label: Int?
  }

  /// The inputs that samples are made for.
  public let inputs: [DataInput]
  /// How pictures become inputs.
  public let preprocessing: Preprocessing
  /// The names of the classes, where there are names.
  public let labelNames: [String]
  /// Where the data came from.
  public let path: String
  var items: [Item]
  /// Open arrays by input, their first axis being that of the samples.
  let arrays: [String: Tensor]

  /// The number of samples.
  public var count: Int { items.count }
  /// The labels, in order.
  public var labels: [Int?] { items.map(\.label) }
  /// The number of samples that have a label.
  public var labelledCount: Int { items.count { $0.label != nil } }
  /// The names of the samples, in order.
  public var names: [String] { items.map(\.name) }

  init(
    inputs: [DataInput],
    preprocessing: Preprocessing,
    labelNames: [String],
    path: String,
    items: [Item],
    arrays: [String: Tensor] = [:]
  ) {
    self.inputs = inputs
    self.preprocessing = preprocessing
    self.labelNames = labelNames
    self.path = path
    self.items = items
    self.arrays = arrays
  }

  /// Samples made by a program, as they are.
  public init(inputs: [DataInput], samples: [Sample], name: String = "memory") {
    var stacked: [String: Tensor] = [:]
    for input in inputs {
      let parts = samples.compactMap { $0.inputs[input.name] }
      guard let first = parts.first, parts.count == samples.count,
        parts.allSatisfy({ $0.shape == first.shape && $0.dtype == first.dtype })
      else { continue }
      let type = TensorType(first.dtype, Shape([parts.count] + first.shape.dims))
      let bytes = ByteView(parts.flatMap(\.bytes.array))
      stacked[input.name] = try? Tensor(type, bytes: bytes)
    }
    self.init(
      inputs: inputs,
      preprocessing: Preprocessing(),
      labelNames: [],
      path: name,
      items: samples.enumerated().map {
        Item(name: $0.element.name, source: .row($0.offset), label: $0.element.label)
      },
      arrays: stacked
    )
  }

  /// Random samples, for networks that there are no data for: uniform in `range`, the same for the
  /// same seed on every machine.
  ///
  /// Unknown extents are 1.
  public static func random(
    inputs: [DataInput],
    count: Int,
    seed: UInt64 = 0,
    range: Range<Float> = 0..<1
  ) -> Dataset {
    var rng = SeededRNG(seed: seed)
    let samples = (0..<max(count, 0)).map { index in
      var fed: [String: Tensor] = [:]
      for input in inputs {
        let shape = Shape(input.type.shape.dims.map { $0 < 0 ? 1 : $0 })
        let values = (0..<shape.count).map { _ in
          rng.uniform(range.lowerBound, range.upperBound)
        }
        fed[input.name] = Tensor(values, shape)
      }
      return Sample(name: "random[\(index)]", inputs: fed)
    }
    let name = "random values in [\(range.lowerBound), \(range.upperBound)), seed \(seed)"
    return Dataset(inputs: inputs, samples: samples, name: name)
  }

  /// The sample at `index`, decoded and preprocessed.
  ///
  /// - Throws: `Diagnostic` DAT… with the file's name.
  public func sample(at index: Int) throws -> Sample {
    let item = items[index]
    switch item.source {
    case .image(let path):
      let input = inputs[0]
      let image = try Image.read(path: path, isOriented: preprocessing.isOriented)
      let tensor = try locating(path) { try preprocessing.tensor(image, for: input.type) }
      return Sample(name: item.name, inputs: [input.name: tensor], label: item.label)
    case .array(let path):
      let tensors = try Dataset.namedArrays(path: path, inputs: inputs)
      var fed: [String: Tensor] = [:]
      for input in inputs {
        guard let tensor = tensors[input.name] else { continue }
        fed[input.name] = try locating(path) { try fit(tensor, to: input) }
      }
      return Sample(name: item.name, inputs: fed, label: item.label)
    case .row(let row):
      var fed: [String: Tensor] = [:]
      for input in inputs {
        guard let all = arrays[input.name] else { continue }
        fed[input.name] = try locating(item.name) { try fit(slice(all, row: row), to: input) }
      }
      return Sample(name: item.name, inputs: fed, label: item.label)
    }
  }

  /// All samples, decoded on several threads.
  ///
  /// - Throws: `Diagnostics` with one for every sample that cannot be read.
  public func samples(threads: Int = 1) throws -> [Sample] {
    let slots = Slots<Result<Sample, any Error>>(count: count)
    Host.forEach(below: count, threads: threads) { index in
      slots[index] = Result { try sample(at: index) }
    }
    var samples: [Sample] = []
    var faults: [Diagnostic] = []
    for result in slots.all {
      switch result {
      case .success(let sample): samples.append(sample)
      case .failure(let error as Diagnostic): faults.append(error)
      case .failure(let error as Diagnostics): faults += error.all
      case .failure(let error): throw error
      case nil: break
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return samples
  }

  /// At most `limit` samples, drawn by `seed`, each class in proportion; order is kept.
  ///
  /// A class gets its share rounded down, the rest goes to the largest remainders (ties to the lower
  /// class). Samples without a label count as one class.
  public func subset(_ limit: Int, seed: UInt64 = 0) -> Dataset {
    guard limit < count, limit >= 0 else { return self }
    var classes: [Int: [Int]] = [:]
    for (index, item) in items.enumerated() { classes[item.label ?? -1, default: []].append(index) }
    let keys = classes.keys.sorted()
    var shares = keys.map { key in
      (key: key, share: limit * classes[key, default: []].count / count)
    }
    let remainders = keys.indices.sorted { a, b in
      let x = limit * classes[keys[a], default: []].count % count
      let y = limit * classes[keys[b], default: []].count % count
      return x == y ? a < b : x > y
    }
    let rest = limit - shares.reduce(0) { $0 + $1.share }
    for index in remainders.prefix(rest) { shares[index].share += 1 }
    var rng = SeededRNG(seed: seed)
    var kept: [Int] = []
    for (key, share) in shares {
      kept += classes[key, default: []].shuffled(using: &rng).prefix(share)
    }
    var copy = self
    copy.items = kept.sorted().map { items[$0] }
    return copy
  }

  /// The samples that have a label.
  public var labelled: Dataset {
    var copy = self
    copy.items = items.filter { $0.label != nil }
    return copy
  }

  /// Two parts without a sample in common: `part` of all for validation, each class in proportion,
  /// drawn by `seed`, and the rest for training.
  ///
  /// - Throws: `Diagnostic` DAT045 when either part would be empty.
  public func split(
    validation part: Double,
    seed: UInt64
  ) throws -> (
    training: Dataset, validation: Dataset
  ) {
    let wanted = (Double(count) * part).rounded()
    guard let size = Int(exactly: wanted), size > 0, size < count else {
      throw Diagnostic(
        "DAT045",
        "\(count) samples cannot be parted so that \(Words.percent(part)) are for validation",
        at: [path],
        remedy: "give more data, or another --validation"
      )
    }
    let validation = subset(size, seed: seed)
    let taken = Set(validation.items.map(\.name))
    var training = self
    training.items = items.filter { !taken.contains($0.name) }
    return (training, validation)
  }

  /// Throws unless every class has a sample.
  ///
  /// - Throws: `Diagnostic` DAT044 with the names of those that have none.
  public func requireEveryClass() throws {
    let found = Set(items.compactMap(\.label))
    let empty = labelNames.indices.filter { !found.contains($0) }.map { labelNames[$0] }
    guard !empty.isEmpty || found.count < 2 else { return }
    guard empty.isEmpty else {
      throw Diagnostic(
        "DAT044",
        "there is no image of \(empty.map { "'\($0)'" }.joined(separator: ", "))",
        at: [path] + empty.prefix(1),
        remedy: "put images into the folder, or take it away"
      )
    }
    throw Diagnostic(
      "DAT044",
      "all samples are of one class",
      at: [path],
      remedy: "give a folder for each class, with images in it"
    )
  }

  /// The picture of a row of bytes; `nil` for other samples.
  func storedPicture(at index: Int) -> Picture? {
    guard inputs.count == 1, preprocessing.color != .bgr, preprocessing.layout != .nchw,
      case .row(let row) = items[index].source, let all = arrays[inputs[0].name],
      all.dtype == .uint8, let tensor = try? slice(all, row: row),
      let shape = try? Dataset.sampleShape(of: tensor, for: inputs[0]), shape.rank == 4,
      shape[0] == 1, shape[3] == 1 || shape[3] == 3
    else { return nil }
    return Picture(
      width: shape[2],
      height: shape[1],
      channels: shape[3],
      values: tensor.floats()
    )
  }

  private func slice(_ all: Tensor, row: Int) throws -> Tensor {
    let dims = Array(all.shape.dims.dropFirst())
    let type = TensorType(all.dtype, Shape(dims))
    guard let size = type.byteCount else { throw Diagnostic("DAT022", "an array is too large") }
    return try Tensor(type, bytes: all.bytes.slice(row * size, size))
  }

  /// A sample's tensor in the shape and, for pictures' values, the domain of an input.
  private func fit(_ tensor: Tensor, to input: DataInput) throws -> Tensor {
    let shape = try Dataset.sampleShape(of: tensor, for: input)
    var result = tensor
    if tensor.dtype == .float64 || tensor.dtype == .float16 {
      result = tensor.converted(to: .float32) ?? tensor
    }
    let isPicture = tensor.dtype.isInteger && input.type.dtype.isFloat
    if isPicture || (tensor.dtype == .uint8 && input.type.quantization != nil) {
      let channels = shape.rank > 1 ? shape[-1] : 1
      let values = tensor.floats()
      result = Tensor(
        values.indices.map { preprocessing.value(values[$0], channel: $0 % max(channels, 1)) },
        tensor.shape
      )
    } else if tensor.dtype.isInteger, input.type.dtype.isInteger, tensor.dtype != input.type.dtype {
      result = tensor.converted(to: input.type.dtype) ?? tensor
    }
    return result.reshaped(shape)
  }

  /// The shape that one sample's tensor takes as an input: the input's, unknown extents filled in.
  static func sampleShape(of tensor: Tensor, for input: DataInput) throws -> Shape {
    let wanted = input.type.shape.dims
    func fill(_ dims: [Int]) -> Shape? {
      guard dims.count == wanted.count else { return nil }
      let agrees = zip(dims, wanted).allSatisfy { $1 < 0 || $0 == $1 }
      return agrees ? Shape(dims) : nil
    }
    if let shape = fill(tensor.shape.dims) ?? fill([1] + tensor.shape.dims) { return shape }
    // A single channel is often left out.
    if let shape = fill([1] + tensor.shape.dims + [1]) ?? fill(tensor.shape.dims + [1]) {
      return shape
    }
    if input.type.shape.isStatic, wanted.first == 1 || wanted.isEmpty,
      input.type.shape.count == tensor.count, tensor.shape.rank <= 1
    {
      return input.type.shape
    }
    throw Diagnostic(
      "DAT022",
      "a sample of \(tensor.shape) does not fit the network's input '\(input.name)' of "
        + "\(input.type.shape)",
      remedy: "give arrays whose first axis is that of the samples"
    )
  }
}

// Safe because: each index is written by one thread only, and read after all have ended.
/// Results that threads leave at indices of their own.
@safe private final class Slots<Value>: @unchecked Sendable {
  private let storage: UnsafeMutableBufferPointer<Value?>

  init(count: Int) {
    unsafe storage = .allocate(capacity: count)
    unsafe storage.initialize(repeating: nil)
  }

  subscript(index: Int) -> Value? {
    get { unsafe storage[index] }
    set { unsafe storage[index] = newValue }
  }

  var all: [Value?] { unsafe Array(storage) }

  deinit {
    unsafe storage.deinitialize()
    unsafe storage.deallocate()
  }
}
