import AssayBase
import AssayData
import AssayHost
import AssayTensor
import Synchronization

/// The pictures of a set, cut and resized for inputs of one size: made once, shared by all networks that
/// differ only in what they do to the values, and mapped into memory.
///
/// They lie in parts of 256 pictures; a preparation that was interrupted goes on with the next part, and
/// only `prepared.json`, which is written last, makes the folder whole.
public struct PreparedPictures: Sendable {
  /// Pictures in a part.
  static let partSize = 256
  private static let schema = "assay.prepared/1"

  /// The set's items, in order.
  public let count: Int
  private let width: Int
  private let height: Int
  private let channels: Int
  private let isByte: Bool
  private let parts: [ByteView]

  /// What decides how prepared pictures look, in words.
  static func geometry(
    _ preprocessing: Preprocessing,
    _ input: TensorType,
    _ set: LabelledSet
  )
    throws -> (text: String, width: Int, height: Int, channels: Int)
  {
    var plain = preprocessing
    plain.scale = (1, 1)
    plain.mean = [0]
    plain.std = [1]
    plain.layout = .nhwc
    if plain.color == .bgr || plain.color == .rgb { plain.color = .auto }
    let sample = try preprocessing.picture(
      Image(width: 64, height: 64, channels: 3, pixels: [UInt8](repeating: 0, count: 12288)),
      for: input
    )
    let text = "\(plain.text) \(sample.width)x\(sample.height)x\(sample.channels) \(set.sha256)"
    return (text, sample.width, sample.height, sample.channels)
  }

  /// The folder in which the pictures of a set lie for an input.
  public static func folder(
    _ setFolder: String,
    _ set: LabelledSet,
    _ preprocessing: Preprocessing,
    _ input: TensorType
  ) throws -> String {
    let geometry = try geometry(preprocessing, input, set).text
    return Host.join(setFolder, "prepared/" + String(sha256(geometry).prefix(16)))
  }

  /// Opens prepared pictures; `nil` when they are not there or not whole.
  public init?(
    setFolder: String,
    set: LabelledSet,
    preprocessing: Preprocessing,
    input: TensorType
  ) {
    guard let geometry = try? PreparedPictures.geometry(preprocessing, input, set),
      let folder = try? PreparedPictures.folder(setFolder, set, preprocessing, input),
      let text = Host.smallText(Host.join(folder, "prepared.json"), limit: 1 << 26),
      let json = try? JSON(parsing: text), json["schema"]?.string == PreparedPictures.schema,
      json["geometry"]?.string == geometry.text, json["count"]?.int == set.items.count,
      let sizes = json["parts"]?.array
    else { return nil }
    count = set.items.count
    (width, height, channels) = (geometry.width, geometry.height, geometry.channels)
    isByte = preprocessing.filter.isRounded
    let size = width * height * channels * (isByte ? 1 : 4)
    var views: [ByteView] = []
    for index in sizes.indices {
      let wanted = min(PreparedPictures.partSize, count - index * PreparedPictures.partSize) * size
      guard let file = try? MappedFile(path: Host.join(folder, PreparedPictures.name(index))),
        file.view.count == wanted
      else { return nil }
      views.append(file.view)
    }
    guard views.count == (count + PreparedPictures.partSize - 1) / PreparedPictures.partSize else {
      return nil
    }
    parts = views
  }

  static func name(_ part: Int) -> String {
    "part-" + String("\(100_000 + part)".dropFirst()) + ".bin"
  }

  /// The network's input for one picture, in the input's own type where that is of bytes.
  public func input(
    at index: Int,
    _ preprocessing: Preprocessing,
    for type: TensorType
  ) throws -> Tensor {
    guard isByte else { return try preprocessing.tensor(picture(at: index), for: type) }
    return try preprocessing.input(levels: levels(at: index), for: type)
  }

  /// The gray levels of one picture; only of a filter that rounds.
  private func levels(at index: Int) throws -> Image {
    let bytes = try bytes(at: index, width * height * channels)
    return Image(width: width, height: height, channels: channels, pixels: bytes.array)
  }

  /// One picture, before its values are changed.
  func picture(at index: Int) throws -> Picture {
    let count = width * height * channels
    let bytes = try bytes(at: index, count * (isByte ? 1 : 4))
    let values: [Float] =
      isByte
      ? bytes.array.map { Float($0) }
      : try (0..<count).map { try bytes.load(Float.self, at: $0 * 4) }
    return Picture(width: width, height: height, channels: channels, values: values)
  }

  private func bytes(at index: Int, _ size: Int) throws -> ByteView {
    try parts[index / PreparedPictures.partSize]
      .slice(index % PreparedPictures.partSize * size, size)
  }

  /// Prepares a set's pictures, or what is missing of them.
  ///
  /// - Returns: the folder and how many pictures were made now.
  /// - Throws: `Diagnostic` DAT… with a picture's name, FIL003 when the disk is full: what is there stays
  ///   unfinished, and the next run goes on.
  public static func make(
    setFolder: String,
    set: LabelledSet,
    preprocessing: Preprocessing,
    input: TensorType,
    threads: Int,
    progress: (Int) -> Void
  ) throws -> (folder: String, made: Int) {
    let geometry = try geometry(preprocessing, input, set)
    let folder = try folder(setFolder, set, preprocessing, input)
    if PreparedPictures(
      setFolder: setFolder,
      set: set,
      preprocessing: preprocessing,
      input: input
    ) != nil {
      return (folder, 0)
    }
    try Host.makeFolders(folder)
    let isByte = preprocessing.filter.isRounded
    let size = geometry.width * geometry.height * geometry.channels * (isByte ? 1 : 4)
    var made = 0
    var sizes: [JSON] = []
    for start in stride(from: 0, to: set.items.count, by: partSize) {
      let items = Array(set.items[start..<min(start + partSize, set.items.count)])
      let path = Host.join(folder, name(start / partSize))
      // A part is renamed into its place when it is whole, so that its size is a sufficient check.
      if Host.byteCount(of: path) != items.count * size {
        let slots = Mutex<[Int: Result<ByteView, any Error>]>([:])
        Host.forEach(below: items.count, threads: threads) { offset in
          let result = Result { try bytes(items[offset], preprocessing, input, isByte) }
          slots.withLock { $0[offset] = result }
        }
        let results = slots.withLock { $0 }
        let views = try items.indices.map { offset -> ByteView in
          guard let result = results[offset] else {
            throw Diagnostic("DST012", "a picture was not prepared", at: [items[offset].path])
          }
          return try result.get()
        }
        try AtomicFile.write(views, to: path, isSynced: false)
        made += items.count
      }
      sizes.append(JSON(items.count * size))
      progress(start + items.count)
    }
    let json = JSON.object([
      "schema": .string(schema), "geometry": .string(geometry.text),
      "width": JSON(geometry.width), "height": JSON(geometry.height),
      "channels": JSON(geometry.channels), "element": .string(isByte ? "uint8" : "float32"),
      "count": JSON(set.items.count), "parts": .array(sizes),
    ])
    try AtomicFile.write(json.text(pretty: true) + "\n", to: Host.join(folder, "prepared.json"))
    return (folder, made)
  }

  private static func bytes(
    _ item: LabelledSet.Item,
    _ preprocessing: Preprocessing,
    _ input: TensorType,
    _ isByte: Bool
  ) throws -> ByteView {
    let image = try item.picture(isOriented: preprocessing.isOriented)
    return try locating(item.path) {
      if isByte { return ByteView(try preprocessing.levels(image, for: input).pixels) }
      let picture = try preprocessing.picture(image, for: input)
      return Tensor(picture.values, Shape([picture.values.count])).bytes
    }
  }
}
