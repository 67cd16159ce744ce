import AssayAccuracy
import AssayBase
import AssayData
import AssayRemote
import AssayTensor
import AssayVision

/// Options of `assay run` that read what a network saw in a picture.
let readingOptions = [
  Option(
    "--head",
    .choice(Head.allCases.map(\.rawValue)),
    "how outputs are read with --image (default: told by their shapes)"
  ),
  Option(
    "--draw",
    .value("FILE"),
    "write the picture with boxes, masks or points drawn (.png or .svg)"
  ),
  Option("--min-score", .value("PART"), "leave out what is less sure (default: 25%)"),
  Option("--label-names", .value("FILE"), "one class name a line, in the model's order"),
]

/// What a network saw in the picture of `--image`, where that can be told; draws it when asked to.
func readImage(
  _ outputs: [(name: String, tensor: Tensor)],
  _ model: LoadedModel,
  _ arguments: Arguments
) throws -> (reading: Reading, names: [String])? {
  guard let path = arguments.value("--image") else { return nil }
  let plain = outputs.map { Output(name: $0.name, tensor: $0.tensor) }
  let isWanted = arguments.has("--draw") || arguments.has("--head")
  guard let head = arguments.value("--head").flatMap(Head.init) ?? Head.guess(plain) else {
    if isWanted { throw unknownHead(plain) }
    return nil
  }
  let score = TryPlan.fraction(arguments.value("--min-score") ?? "25%")
  guard let score, score >= 0, score <= 1 else {
    throw Diagnostic("CLI006", "--min-score is a part such as 25%")
  }
  let preprocessing = try Preprocessing.parse(arguments.value("--preprocess") ?? "")
  let image = try Image.read(path: path, isOriented: preprocessing.isOriented)
  let place = try preprocessing.placement(
    width: image.width,
    height: image.height,
    for: model.inputs[0].type
  )
  let reading = try head.read(
    plain,
    framing: Framing(place, width: image.width, height: image.height),
    suppression: Suppression(score: score)
  )
  let names =
    try arguments.labelNames().map { try textLines($0) } ?? defaultNames(head, reading)
  if let file = arguments.value("--draw") {
    try draw(reading, image, path, names, score, file)
  }
  return (reading, names)
}

/// Writes the picture with what was seen in it, as the file's name asks for.
private func draw(
  _ reading: Reading,
  _ image: Image,
  _ path: String,
  _ names: [String],
  _ score: Double,
  _ file: String
) throws {
  if file.lowercased().hasSuffix(".png") {
    var overlay = Overlay(image, names: names)
    overlay.draw(reading, score: score)
    return try AtomicFile.write(try overlay.image.png(), to: file)
  }
  guard file.lowercased().hasSuffix(".svg") else {
    throw Diagnostic("CLI007", "--draw writes .png and .svg files, not '\(file)'")
  }
  let drawing = reading.svg(
    picture: try dataAddress(image, path),
    width: image.width,
    height: image.height,
    names: names,
    score: score
  )
  try AtomicFile.write(drawing, to: file)
}

/// A picture as an address that holds its content: the file itself where any program shows it as it was
/// decoded, else as PNG.
private func dataAddress(_ image: Image, _ path: String) throws -> String {
  let bytes = try MappedFile(path: path).view
  let isJPEG = bytes.starts(with: [0xFF, 0xD8, 0xFF])
  // Not all programs turn a picture as its EXIF orientation says.
  if isJPEG, try Image.decode(bytes, name: path, isOriented: false) == image {
    return "data:image/jpeg;base64," + Base64.encode([bytes])
  }
  return "data:image/png;base64," + Base64.encode(try image.png())
}

/// The names of the classes that such networks are mostly trained on.
private func defaultNames(_ head: Head, _ reading: Reading) -> [String] {
  switch (head, reading) {
  case (.yolov8, .objects(let found)) where found.allSatisfy({ $0.category < 80 }):
    return LabelMaps.coco80
  case (.ssd, .objects):
    // SSD's classes are COCO's ids from 0, with gaps.
    return (0..<90).map { id in
      LabelMaps.cocoIndex(id, of: 90).map { LabelMaps.coco80[$0] } ?? "\(id)"
    }
  case (.deeplab, .regions(_, _, let classes)) where classes.allSatisfy({ $0 < 21 }):
    return LabelMaps.voc21
  default: return []
  }
}
