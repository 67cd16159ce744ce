import AssayAccuracy

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The outputs of SSD: boxes, classes, scores and their count as TFLite's detection operator chooses
/// them, or offsets to anchors with class scores, of which class 0 is the background.
struct SSDHead {
  private enum Form {
    /// Top, left, bottom and right of each box in parts of the input, its class and its score.
    case chosen(boxes: [Float], classes: [Float], scores: [Float], count: Int)
    case anchored(offsets: [Float], scores: [Float], columns: Int, anchors: [Box])
  }
  private let form: Form

  init?(_ outputs: [Output]) {
    if outputs.count == 4,
      let boxes = outputs.first(where: { $0.extents.count == 2 && $0.extents[1] == 4 }),
      case let lists = outputs.filter({ $0.extents == [boxes.extents[0]] }), lists.count == 2,
      let count = outputs.first(where: { $0.values.count == 1 && $0.name != boxes.name })
    {
      // Scores are at most 1 and never rise; classes are whole numbers. The operator has the classes
      // first, which holds where both look alike.
      let isSwapped =
        lists[1].values.allSatisfy({ $0 == $0.rounded() })
        && !lists[0].values.allSatisfy({ $0 == $0.rounded() })
      let (classes, scores) = isSwapped ? (lists[1], lists[0]) : (lists[0], lists[1])
      form = .chosen(
        boxes: boxes.values,
        classes: classes.values,
        scores: scores.values,
        count: min(max(Int(count.values[0].isFinite ? count.values[0] : 0), 0), boxes.extents[0])
      )
      return
    }
    guard outputs.count == 2,
      let offsets = outputs.first(where: {
        ($0.extents.count == 2 && $0.extents[1] == 4)
          || ($0.extents.count == 3 && $0.extents[1] == 1 && $0.extents[2] == 4)
      }),
      let scores = outputs.first(where: {
        $0.extents.count == 2 && $0.extents[0] == offsets.extents[0] && $0.extents[1] > 1
          && $0.name != offsets.name
      }),
      let anchors = SSDHead.anchors(count: offsets.extents[0])
    else { return nil }
    form = .anchored(
      offsets: offsets.values,
      scores: scores.values,
      columns: scores.extents[1],
      anchors: anchors
    )
  }

  /// What is found, in the picture's pixels.
  func objects(framing: Framing, suppression: Suppression) -> [FoundObject] {
    let (width, height) = (Double(framing.input.width), Double(framing.input.height))
    func edges(_ top: Double, _ left: Double, _ bottom: Double, _ right: Double) -> Box {
      Box(left: left * width, top: top * height, right: right * width, bottom: bottom * height)
    }
    switch form {
    case .chosen(let boxes, let classes, let scores, let count):
      return (0..<count).compactMap { index in
        let at = index * 4
        let box = edges(
          Double(boxes[at]),
          Double(boxes[at + 1]),
          Double(boxes[at + 2]),
          Double(boxes[at + 3])
        )
        guard Double(scores[index]) > suppression.score, box.isFinite, classes[index] >= 0,
          classes[index] < 1e6
        else { return nil }
        return FoundObject(
          category: Int(classes[index]),
          score: Double(scores[index]),
          box: framing.box(box)
        )
      }
    case .anchored(let offsets, let scores, let columns, let anchors):
      // Scores above 1 or below 0 are logits.
      let isLogit = scores.contains { $0 < 0 || $0 > 1 }
      var boxes: [Box] = []
      var kept: (scores: [Float], categories: [Int]) = ([], [])
      for index in anchors.indices {
        let box = SSDHead.decoded(offsets, index * 4, anchors[index])
        guard box.isFinite else { continue }
        for category in 1..<columns {
          let raw = scores[index * columns + category]
          let score = isLogit ? sigmoid(raw) : raw
          guard Double(score) > suppression.score else { continue }
          boxes.append(edges(box.y, box.x, box.bottom, box.right))
          kept.scores.append(score)
          kept.categories.append(category - 1)
        }
      }
      return suppression.kept(boxes: boxes, scores: kept.scores, categories: kept.categories)
        .map { index in
          FoundObject(
            category: kept.categories[index],
            score: Double(kept.scores[index]),
            box: framing.box(boxes[index])
          )
        }
    }
  }

  /// A box of its offsets (y, x, height, width) to an anchor, with the scales 10, 10, 5 and 5.
  private static func decoded(_ values: [Float], _ at: Int, _ anchor: Box) -> Box {
    let y = Double(values[at]) / 10 * anchor.height + anchor.y + anchor.height / 2
    let x = Double(values[at + 1]) / 10 * anchor.width + anchor.x + anchor.width / 2
    let height = exp(Double(values[at + 2]) / 5) * anchor.height
    let width = exp(Double(values[at + 3]) / 5) * anchor.width
    return Box(x: x - width / 2, y: y - height / 2, width: width, height: height)
  }

  /// The anchors of SSD on MobileNet, in parts of the input: six maps, of which the first has three
  /// anchors a cell and the others six; `nil` for another number of anchors.
  ///
  /// Liu et al., 2015 (https://arxiv.org/abs/1512.02325), with scales from 0.2 to 0.95.
  static func anchors(count: Int) -> [Box]? {
    let side = [(1917, 19), (2034, 20)].first { $0.0 == count }?.1
    guard let side else { return nil }
    var sides = [side]
    while sides.count < 6 { sides.append((sides[sides.count - 1] + 1) / 2) }
    let scales = (0..<6).map { 0.2 + 0.75 * Double($0) / 5 } + [1]
    var result: [Box] = []
    for (map, side) in sides.enumerated() {
      let shapes: [(scale: Double, ratio: Double)] =
        map == 0
        ? [(0.1, 1), (scales[0], 2), (scales[0], 0.5)]
        : [1, 2, 0.5, 3, 1.0 / 3].map { (scales[map], $0) } + [
          ((scales[map] * scales[map + 1]).squareRoot(), 1)
        ]
      for row in 0..<side {
        for column in 0..<side {
          for shape in shapes {
            let (height, width) = (
              shape.scale / shape.ratio.squareRoot(), shape.scale * shape.ratio.squareRoot()
            )
            let x = (Double(column) + 0.5) / Double(side)
            let y = (Double(row) + 0.5) / Double(side)
            result.append(Box(x: x - width / 2, y: y - height / 2, width: width, height: height))
          }
        }
      }
    }
    return result.count == count ? result : nil
  }
}
