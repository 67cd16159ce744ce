import AssayAccuracy

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The outputs of YOLOv8 for detection and instance segmentation, in the forms that its exports have:
/// one table with the middle, extents and class scores of each candidate (in pixels, or in parts of the
/// input as in TFLite files), or the maps of the three strides as the network computes them, whose box
/// edges are distributions over 16 bins; with 32 coefficients a candidate and 32 prototype masks.
struct YOLOv8Head {
  /// Bins of the distribution of an edge's distance.
  static let bins = 16
  /// Prototype masks and coefficients.
  static let prototypes = 32

  /// A map that is 32 channels deep: prototypes first, channel by channel.
  private struct Prototypes {
    var width: Int
    var height: Int
    var values: [Float]
  }

  private enum Candidates {
    case table(values: [Float], columns: Int)
    case maps([(width: Int, height: Int, channels: [Float], count: Int)], coefficients: [[Float]])
  }

  private let candidates: Candidates
  private let masks: Prototypes?
  private let classCount: Int

  init?(_ outputs: [Output]) {
    guard let head = YOLOv8Head.table(outputs) ?? YOLOv8Head.maps(outputs) else {
      return nil
    }
    self = head
  }

  private init(_ candidates: Candidates, _ masks: Prototypes?, _ classCount: Int) {
    self.candidates = candidates
    self.masks = masks
    self.classCount = classCount
  }

  private static func table(_ outputs: [Output]) -> YOLOv8Head? {
    let tables = outputs.filter { $0.extents.count == 2 }
    let maps = outputs.compactMap { prototypes($0) }
    guard tables.count == 1, outputs.count == (maps.isEmpty ? 1 : 2) else { return nil }
    // There are more candidates than columns, except in toys.
    let extents = tables[0].extents
    let columns = min(extents[0], extents[1])
    let count = max(extents[0], extents[1])
    let classCount = columns - 4 - (maps.isEmpty ? 0 : prototypes)
    guard classCount > 0, isCandidateCount(count), let values = tables[0].rows(of: columns) else {
      return nil
    }
    return YOLOv8Head(.table(values: values, columns: columns), maps.first, classCount)
  }

  /// Whether three strides of 8, 16 and 32 give that many cells: 21 for each 32 x 32 pixels.
  private static func isCandidateCount(_ count: Int) -> Bool { count % 21 == 0 && count >= 21 }

  private static func prototypes(_ output: Output) -> Prototypes? {
    let dims = output.extents
    guard dims.count == 3 else { return nil }
    if dims[0] == prototypes, dims[1] > prototypes || dims[2] != prototypes {
      return Prototypes(width: dims[2], height: dims[1], values: output.values)
    }
    guard dims[2] == prototypes else { return nil }
    return Prototypes(
      width: dims[1],
      height: dims[0],
      values: channelsFirst(output.values, count: dims[0] * dims[1], channels: prototypes)
    )
  }

  private static func channelsFirst(_ values: [Float], count: Int, channels: Int) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    for place in 0..<count {
      for channel in 0..<channels {
        result[channel * count + place] = values[place * channels + channel]
      }
    }
    return result
  }

  /// Maps of the strides: [channels, rows, columns] or [rows, columns, channels].
  private static func maps(_ outputs: [Output]) -> YOLOv8Head? {
    var found: [(width: Int, height: Int, channels: [Float], count: Int)] = []
    var deep: [Prototypes] = []
    for output in outputs {
      let dims = output.extents
      guard dims.count == 3 else { return nil }
      if let map = prototypes(output) {
        deep.append(map)
        continue
      }
      // The extents of a map are equal or near; its channels are not.
      let isFirst = dims[0] > 4 * bins && dims[0] != dims[1]
      let (count, height, width) =
        isFirst ? (dims[0], dims[1], dims[2]) : (dims[2], dims[0], dims[1])
      guard count > 4 * bins else { return nil }
      let values =
        isFirst
        ? output.values : channelsFirst(output.values, count: height * width, channels: count)
      found.append((width, height, values, count))
    }
    found.sort { $0.width > $1.width }
    deep.sort { $0.width > $1.width }
    guard found.count == 3, Set(found.map(\.count)).count == 1,
      found[0].width == found[1].width * 2, found[1].width == found[2].width * 2,
      deep.isEmpty || deep.count == 4
    else { return nil }
    let coefficients = deep.dropFirst().map(\.values)
    guard deep.isEmpty || zip(deep.dropFirst(), found).allSatisfy({ $0.width == $1.width }) else {
      return nil
    }
    return YOLOv8Head(
      .maps(found, coefficients: Array(coefficients)),
      deep.first,
      found[0].count - 4 * bins
    )
  }

  /// What is found, in the picture's pixels.
  func objects(framing: Framing, suppression: Suppression) -> [FoundObject] {
    var boxes: [Box] = []
    var scores: [Float] = []
    var categories: [Int] = []
    var sources: [Int] = []
    func add(_ box: @autoclosure () -> Box, _ source: Int, _ score: (Int) -> Float) {
      var made: Box?
      for category in 0..<classCount {
        let value = score(category)
        guard Double(value) > suppression.score else { continue }
        let place = made ?? box()
        made = place
        guard place.isFinite else { return }
        boxes.append(place)
        scores.append(value)
        categories.append(category)
        sources.append(source)
      }
    }
    switch candidates {
    case .table(let values, let columns):
      let scale = tableScale(values, columns, framing)
      for row in 0..<values.count / columns {
        let at = row * columns
        add(YOLOv8Head.box(values, at, scale), row) { values[at + 4 + $0] }
      }
    case .maps(let maps, _):
      for (index, map) in maps.enumerated() {
        let cells = map.width * map.height
        let stride = Double(framing.input.width) / Double(map.width)
        for cell in 0..<cells {
          add(
            YOLOv8Head.decoded(map.channels, cell, cells, map.width, stride),
            index << 32 | cell
          ) { sigmoid(map.channels[(4 * YOLOv8Head.bins + $0) * cells + cell]) }
        }
      }
    }
    let kept = suppression.kept(boxes: boxes, scores: scores, categories: categories)
    return kept.map { index in
      let box = framing.box(boxes[index])
      return FoundObject(
        category: categories[index],
        score: Double(scores[index]),
        box: box,
        mask: masks.map { mask(coefficients(sources[index]), $0, box, framing) }
      )
    }
  }

  /// TFLite files give boxes in parts of the input, others in pixels.
  private func tableScale(
    _ values: [Float],
    _ columns: Int,
    _ framing: Framing
  ) -> (
    x: Double, y: Double
  ) {
    var greatest: Float = 0
    for at in stride(from: 0, to: values.count, by: columns) {
      greatest = max(greatest, values[at], values[at + 1])
    }
    return greatest <= 2 ? (Double(framing.input.width), Double(framing.input.height)) : (1, 1)
  }

  private static func box(_ values: [Float], _ at: Int, _ scale: (x: Double, y: Double)) -> Box {
    let (width, height) = (Double(values[at + 2]) * scale.x, Double(values[at + 3]) * scale.y)
    return Box(
      x: Double(values[at]) * scale.x - width / 2,
      y: Double(values[at + 1]) * scale.y - height / 2,
      width: width,
      height: height
    )
  }

  /// The box of a cell: each edge's distance is the mean of its distribution, in strides.
  private static func decoded(
    _ channels: [Float],
    _ cell: Int,
    _ cells: Int,
    _ width: Int,
    _ stride: Double
  ) -> Box {
    func distance(_ edge: Int) -> Double {
      var greatest = -Float.infinity
      for bin in 0..<bins { greatest = max(greatest, channels[(edge * bins + bin) * cells + cell]) }
      var (sum, mean) = (Float(0), Float(0))
      for bin in 0..<bins {
        let weight = expf(channels[(edge * bins + bin) * cells + cell] - greatest)
        sum += weight
        mean += weight * Float(bin)
      }
      return Double(mean / sum)
    }
    let x = Double(cell % width) + 0.5
    let y = Double(cell / width) + 0.5
    return Box(
      left: (x - distance(0)) * stride,
      top: (y - distance(1)) * stride,
      right: (x + distance(2)) * stride,
      bottom: (y + distance(3)) * stride
    )
  }

  private func coefficients(_ source: Int) -> [Float] {
    switch candidates {
    case .table(let values, let columns):
      let at = source * columns + 4 + classCount
      return Array(values[at..<at + YOLOv8Head.prototypes])
    case .maps(let maps, let coefficients):
      let (map, cell) = (source >> 32, source & 0xFFFF_FFFF)
      let cells = maps[map].width * maps[map].height
      return (0..<YOLOv8Head.prototypes).map { coefficients[map][$0 * cells + cell] }
    }
  }

  /// The object's pixels: the prototypes are mixed, the mix is resized to the picture (bilinear), and
  /// what is above zero within the box belongs to the object.
  private func mask(
    _ coefficients: [Float],
    _ prototypes: Prototypes,
    _ box: Box,
    _ framing: Framing
  ) -> Mask {
    let cells = prototypes.width * prototypes.height
    var mix = [Float](repeating: 0, count: cells)
    for (channel, coefficient) in coefficients.enumerated() {
      let base = channel * cells
      for cell in 0..<cells { mix[cell] += coefficient * prototypes.values[base + cell] }
    }
    let scaleX = Double(prototypes.width) / Double(framing.input.width)
    let scaleY = Double(prototypes.height) / Double(framing.input.height)
    let left = Int(box.x.rounded(.up)), right = Int(box.right.rounded(.up))
    let top = Int(box.y.rounded(.up)), bottom = Int(box.bottom.rounded(.up))
    let columns = (0..<framing.picture.width).map { x -> (low: Int, high: Int, part: Float) in
      let place = framing.inputPoint(x: Double(x) + 0.5, y: 0).x * scaleX - 0.5
      return step(place, prototypes.width)
    }
    let rows = (0..<framing.picture.height).map { y -> (low: Int, high: Int, part: Float) in
      let place = framing.inputPoint(x: 0, y: Double(y) + 0.5).y * scaleY - 0.5
      return step(place, prototypes.height)
    }
    return Mask(width: framing.picture.width, height: framing.picture.height) { x, y in
      guard x >= left, x < right, y >= top, y < bottom else { return false }
      let (column, row) = (columns[x], rows[y])
      let (a, b) = (row.low * prototypes.width, row.high * prototypes.width)
      let upper = mix[a + column.low] + (mix[a + column.high] - mix[a + column.low]) * column.part
      let lower = mix[b + column.low] + (mix[b + column.high] - mix[b + column.low]) * column.part
      return upper + (lower - upper) * row.part > 0
    }
  }
}

/// The neighbors of a place between pixels, and how far it lies from the first.
func step(_ place: Double, _ count: Int) -> (low: Int, high: Int, part: Float) {
  let kept = min(max(place, 0), Double(count - 1))
  let low = Int(kept)
  return (low, min(low + 1, count - 1), Float(kept - Double(low)))
}

func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
