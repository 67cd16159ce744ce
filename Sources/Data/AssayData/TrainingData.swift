import AssayBase
import AssayHost
import AssayTensor

/// Labelled samples in a form that is fed to training again and again.
///
/// Pictures are decoded and resized once and kept, in memory or in mapped files; each time a sample is
/// asked for it is varied anew and brought to the network's values. What comes is a function of seed,
/// epoch and index alone, so that any number of threads may ask, and a run that goes on after a break
/// gets what it would have got.
public final class TrainingData: Sendable {
  /// Where decoded samples are kept.
  public enum Cache: Sendable, Equatable {
    /// In memory if they take no more than half of what is free, else in temporary files.
    case automatic
    /// In memory.
    case memory
    /// In files in a folder, which are gone at the end.
    case files(String)
    /// Nowhere: every epoch decodes again.
    case none
  }

  /// The samples, with their names and labels.
  public let dataset: Dataset
  /// How pictures are varied.
  public let augmentation: Augmentation
  /// The label of each sample.
  public let labels: [Int]
  /// Bytes that decoded samples take in memory or in files.
  public let cachedByteCount: Int
  /// Why samples were left out.
  public let skipped: [Diagnostic]
  private let stored: [StoredSample]
  private let table: [Float]?

  /// The number of samples.
  public var count: Int { labels.count }

  /// Decodes the samples.
  ///
  /// - Parameters:
  ///   - dataset: samples that all have a label.
  ///   - skipsBroken: leave out what cannot be read; where nothing is kept, nothing is left out.
  ///   - threads: how many decode.
  ///   - progress: is told how many of all are decoded, now and then.
  /// - Throws: `Diagnostics` with every file that cannot be read; DAT041 for samples without label,
  ///   DAT042 when arrays are to be varied, DAT043 when samples differ in shape.
  public init(
    _ dataset: Dataset,
    augmentation: Augmentation = .none,
    cache: Cache = .automatic,
    skipsBroken: Bool = false,
    threads: Int = max(Host.allowedProcessors().count, 1),
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    if let index = dataset.labels.firstIndex(where: { $0 == nil }) {
      throw Diagnostic(
        "DAT041",
        "'\(dataset.names[index])' has no label, and training needs one for each sample",
        at: [dataset.path],
        remedy: "put the samples of each class into a folder of its own, or give --labels"
      )
    }
    self.augmentation = augmentation
    table = Self.table(dataset)
    guard cache != .none, dataset.count > 0 else {
      self.dataset = dataset
      labels = dataset.labels.compactMap { $0 }
      stored = []
      skipped = []
      cachedByteCount = 0
      return
    }
    let first = (0..<dataset.count).lazy.compactMap { try? Self.decode(dataset, $0) }.first
    let size = first?.bytes.count ?? 0
    let folder = try Self.cacheFolder(cache, byteCount: size * dataset.count)
    var kept: [StoredSample] = []
    var faults: [Diagnostic] = []
    var items: [Dataset.Item] = []
    let step = 256
    for start in stride(from: 0, to: dataset.count, by: step) {
      let count = min(step, dataset.count - start)
      let decoded = Results<StoredSample>(count: count)
      Host.forEach(below: count, threads: threads) { offset in
        decoded[offset] = Result { try Self.decode(dataset, start + offset) }
      }
      var part: [StoredSample] = []
      for (offset, result) in decoded.all.enumerated() {
        do {
          part.append(try result.get())
          items.append(dataset.items[start + offset])
        } catch { faults += try Self.findings(error) }
      }
      if faults.isEmpty || skipsBroken {
        kept += try folder?.keep(part, number: start / step) ?? part
      }
      progress(start + count, dataset.count)
    }
    if !skipsBroken || kept.isEmpty { try Diagnostics(faults).throwIfErrors() }
    var readable = dataset
    readable.items = items
    self.dataset = readable
    labels = items.compactMap(\.label)
    skipped = faults.map { fault in
      var note = fault
      note.severity = .warning
      return note
    }
    stored = kept
    cachedByteCount = kept.reduce(0) { $0 + $1.bytes.count }
  }

  /// The inputs of one sample as training sees them.
  ///
  /// - Parameters:
  ///   - epoch: varies the picture; `nil` leaves it as it is.
  ///   - seed: of the variations.
  /// - Throws: `Diagnostic` DAT… with the file's name, where nothing is kept.
  public func sample(at index: Int, epoch: Int?, seed: UInt64) throws -> [String: Tensor] {
    let sample = stored.isEmpty ? try Self.decode(dataset, index) : stored[index]
    switch sample.content {
    case .tensors:
      guard augmentation == .none || epoch == nil else {
        throw Diagnostic(
          "DAT042",
          "only pictures can be varied, and '\(dataset.names[index])' is an array of numbers",
          remedy: "leave --augment out"
        )
      }
      return try sample.tensors(dataset.inputs)
    case .picture:
      var picture = sample.picture()
      if let epoch {
        var rng = SeededRNG(seed: Self.mixed(seed, UInt64(epoch), UInt64(index)))
        picture = augmentation.applied(to: picture, using: &rng)
      }
      let input = dataset.inputs[0]
      return [input.name: try dataset.preprocessing.tensor(picture, for: input.type)]
    }
  }

  /// The floats of each input for one sample, as `sample(at:epoch:seed:)` gives them.
  ///
  /// Pictures that are kept as bytes and are not varied go through a table, which is what nearly all of
  /// an unvaried training asks for.
  public func values(at index: Int, epoch: Int?, seed: UInt64) throws -> [[Float]] {
    if let table, !stored.isEmpty, augmentation == .none || epoch == nil,
      case .picture(_, _, let channels, isWhole: true) = stored[index].content,
      table.count == channels * 256
    {
      let bytes = stored[index].bytes
      return [
        unsafe [Float](unsafeUninitializedCapacity: bytes.count) { target, count in
          unsafe bytes.withUnsafeBytes { source in
            var channel = 0
            for at in 0..<source.count {
              unsafe target[at] = table[channel &* 256 &+ Int(source[at])]
              channel = channel &+ 1 == channels ? 0 : channel &+ 1
            }
          }
          count = bytes.count
        }
      ]
    }
    let sample = try sample(at: index, epoch: epoch, seed: seed)
    return try dataset.inputs.map { input in
      guard let tensor = sample[input.name] else {
        throw Diagnostic(
          "DAT023",
          "there is no array for '\(input.name)'",
          at: [dataset.names[index]]
        )
      }
      return tensor.floats()
    }
  }

  /// The network's value of each byte of each channel, where channels stay where they are.
  private static func table(_ dataset: Dataset) -> [Float]? {
    let preprocessing = dataset.preprocessing
    guard dataset.inputs.count == 1, preprocessing.color != .bgr, preprocessing.layout != .nchw,
      case let dims = dataset.inputs[0].type.shape.dims, dims.count == 4,
      dims[3] == 1 || dims[3] == 3
    else { return nil }
    return (0..<dims[3]).flatMap { channel in
      (0..<256).map { preprocessing.value(Float($0), channel: channel) }
    }
  }

  /// The samples' order in an epoch: a permutation that belongs to seed and epoch.
  public func order(epoch: Int, seed: UInt64) -> [Int] {
    var rng = SeededRNG(seed: Self.mixed(seed, UInt64(epoch), 0x5AFF_1E))
    return Array(0..<count).shuffled(using: &rng)
  }

  /// Several samples, stacked along the first axis.
  ///
  /// - Parameters:
  ///   - indices: which.
  ///   - epoch: varies pictures; `nil` leaves them as they are.
  ///   - threads: how many work.
  /// - Throws: as `sample(at:epoch:seed:)`; DAT043 when samples differ in shape.
  public func batch(
    _ indices: [Int],
    epoch: Int?,
    seed: UInt64,
    threads: Int = 1
  ) throws -> [String: Tensor] {
    let made = Results<[String: Tensor]>(count: indices.count)
    Host.forEach(below: indices.count, threads: threads) { offset in
      made[offset] = Result {
        try self.sample(at: indices[offset], epoch: epoch, seed: seed)
      }
    }
    let samples = try made.all.map { try $0.get() }
    var result: [String: Tensor] = [:]
    for input in dataset.inputs {
      let parts = samples.compactMap { $0[input.name] }
      guard let first = parts.first, parts.count == samples.count else { continue }
      if let odd = parts.firstIndex(where: { $0.shape != first.shape }) {
        throw Diagnostic(
          "DAT043",
          "the sample is of \(parts[odd].shape), another one of \(first.shape)",
          at: [dataset.names[indices[odd]]],
          remedy: "give --preprocess with resize=WxH, or arrays of one shape"
        )
      }
      result[input.name] = Self.stacked(parts, first)
    }
    return result
  }

  private static func stacked(_ parts: [Tensor], _ first: Tensor) -> Tensor {
    let dims =
      first.shape.rank > 0 && first.shape[0] == 1
      ? Array(first.shape.dims.dropFirst())
      : first.shape.dims
    let size = first.count
    return unsafe Tensor(TensorType(.float32, Shape([parts.count] + dims)), as: Float.self) {
      target in
      for (index, part) in parts.enumerated() {
        let values = part.floats()
        for offset in 0..<size { unsafe target[index * size + offset] = values[offset] }
      }
    }
  }

  // MARK: Decoding

  private static func decode(_ dataset: Dataset, _ index: Int) throws -> StoredSample {
    if case .image(let path) = dataset.items[index].source {
      let image = try Image.read(path: path, isOriented: dataset.preprocessing.isOriented)
      return try locating(path) {
        StoredSample(try dataset.preprocessing.picture(image, for: dataset.inputs[0].type))
      }
    }
    if let picture = dataset.storedPicture(at: index) { return StoredSample(picture) }
    return StoredSample(try dataset.sample(at: index).inputs, dataset.inputs)
  }

  private static func findings(_ error: any Error) throws -> [Diagnostic] {
    switch error {
    case let one as Diagnostic: [one]
    case let several as Diagnostics: several.all
    default: throw error
    }
  }

  private static func cacheFolder(_ cache: Cache, byteCount: Int) throws -> CacheFolder? {
    switch cache {
    case .none, .memory: return nil
    case .files(let path):
      try Host.makeFolders(path)
      return CacheFolder(path: path)
    case .automatic:
      let free = Host.availableMemory() ?? 1 << 30
      return byteCount <= free / 2
        ? nil : CacheFolder(path: Host.environment("TMPDIR") ?? "/tmp")
    }
  }

  private static func mixed(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    var h = a &+ 0x9E37_79B9_7F4A_7C15 &* (b &+ 1)
    h = (h ^ (h >> 30)) &* 0xBF58_476D_1CE4_E5B9 &+ c &* 0xD6E8_FEB8_6659_FD93
    return h ^ (h >> 31)
  }
}

/// A decoded sample as it is kept: bytes where values are whole numbers of 0...255, else floats.
struct StoredSample: Sendable {
  enum Content: Sendable {
    case picture(width: Int, height: Int, channels: Int, isWhole: Bool)
    /// Float tensors, one for each input, one after the other.
    case tensors([Shape])
  }

  let content: Content
  var bytes: ByteView

  init(_ picture: Picture) {
    let isWhole = picture.values.allSatisfy { $0 == $0.rounded() && $0 >= 0 && $0 <= 255 }
    content = .picture(
      width: picture.width,
      height: picture.height,
      channels: picture.channels,
      isWhole: isWhole
    )
    bytes =
      isWhole
      ? ByteView(picture.values.map { UInt8($0) })
      : Tensor(picture.values, [picture.values.count]).bytes
  }

  init(_ tensors: [String: Tensor], _ inputs: [DataInput]) {
    let parts = inputs.compactMap { tensors[$0.name] }
    content = .tensors(parts.map(\.shape))
    let values = parts.flatMap { $0.floats() }
    bytes = Tensor(values, [values.count]).bytes
  }

  func picture() -> Picture {
    guard case .picture(let width, let height, let channels, let isWhole) = content else {
      return Picture(width: 0, height: 0, channels: 1, values: [])
    }
    let values = isWhole ? unsafe bytes.withUnsafeBytes { unsafe $0.map { Float($0) } } : floats
    return Picture(width: width, height: height, channels: channels, values: values)
  }

  func tensors(_ inputs: [DataInput]) throws -> [String: Tensor] {
    guard case .tensors(let shapes) = content else { return [:] }
    var result: [String: Tensor] = [:]
    var offset = 0
    for (input, shape) in zip(inputs, shapes) {
      let part = try bytes.slice(offset, shape.count * 4)
      result[input.name] = try Tensor(TensorType(.float32, shape), bytes: part)
      offset += shape.count * 4
    }
    return result
  }

  private var floats: [Float] {
    (try? Tensor(TensorType(.float32, [bytes.count / 4]), bytes: bytes))?.floats() ?? []
  }
}

/// A folder for files that are mapped and have no name any more: they go with the process, however it
/// ends.
private struct CacheFolder {
  let path: String

  /// Writes samples to one file and gives them back as parts of it.
  func keep(_ samples: [StoredSample], number: Int) throws -> [StoredSample] {
    let file = Host.join(path, "samples-\(Host.processID)-\(number).cache")
    try AtomicFile.write(samples.map(\.bytes), to: file, isSynced: false)
    let mapped = try MappedFile(path: file).view
    try Host.remove(file)
    var offset = 0
    return try samples.map { sample in
      var copy = sample
      copy.bytes = try mapped.slice(offset, sample.bytes.count)
      offset += sample.bytes.count
      return copy
    }
  }
}

// Safe because: each index is written by one thread only, and read after all have ended.
/// Results that threads leave at indices of their own.
@safe private final class Results<Value>: @unchecked Sendable {
  private let storage: UnsafeMutableBufferPointer<Result<Value, any Error>?>

  init(count: Int) {
    unsafe storage = .allocate(capacity: count)
    unsafe storage.initialize(repeating: nil)
  }

  subscript(index: Int) -> Result<Value, any Error>? {
    get { unsafe storage[index] }
    set { unsafe storage[index] = newValue }
  }

  var all: [Result<Value, any Error>] { unsafe storage.compactMap { $0 } }

  deinit {
    unsafe storage.deinitialize()
    unsafe storage.deallocate()
  }
}
