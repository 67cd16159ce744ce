import AssayAccuracy
import AssayBase
import AssayData

extension Reading {
  /// What was seen, for scripts.
  public func json(names: [String]) -> JSON {
    func name(_ category: Int) -> String {
      names.indices.contains(category) ? names[category] : "\(category)"
    }
    switch self {
    case .objects(let objects):
      return .array(
        objects.map { object in
          var entry = JSON.object([
            "class": JSON(object.category), "name": .string(name(object.category)),
            "score": JSON(object.score),
            "box": [
              JSON(object.box.x), JSON(object.box.y), JSON(object.box.width),
              JSON(object.box.height),
            ],
          ])
          if let mask = object.mask {
            entry["mask"] = .object([
              "size": [JSON(mask.height), JSON(mask.width)], "counts": .string(mask.text),
            ])
          }
          return entry
        }
      )
    case .regions(let width, let height, _):
      return .object([
        "width": JSON(width), "height": JSON(height),
        "classes": .array(
          regionShares.map { share in
            .object([
              "class": JSON(share.category), "name": .string(name(share.category)),
              "part": JSON(share.part),
            ])
          }
        ),
      ])
    case .points(let points):
      return .array(
        points.enumerated().map { index, point in
          .object([
            "name": .string(
              MoveNetHead.names.indices.contains(index) ? MoveNetHead.names[index] : "\(index)"
            ),
            "x": JSON(point.x), "y": JSON(point.y), "score": JSON(point.score),
          ])
        }
      )
    case .classes(let scores):
      return .array(
        topIndices(scores, count: 5).map {
          .object([
            "class": JSON($0), "name": .string(name($0)), "score": JSON(Double(scores[$0])),
          ])
        }
      )
    }
  }

  /// The classes of a segmented picture with their parts of it, largest first.
  var regionShares: [(category: Int, part: Double)] {
    guard case .regions(_, _, let classes) = self, !classes.isEmpty else { return [] }
    var counts = [Int](repeating: 0, count: 256)
    for category in classes { counts[Int(category)] += 1 }
    return counts.enumerated().filter { $0.element > 0 }
      .map { ($0.offset, Double($0.element) / Double(classes.count)) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
  }

  /// What was seen, in lines for a terminal.
  public func lines(names: [String]) -> [String] {
    func name(_ category: Int) -> String {
      names.indices.contains(category) ? names[category] : "class \(category)"
    }
    switch self {
    case .objects(let objects):
      return objects.isEmpty
        ? ["nothing found"]
        : objects.map { object in
          let box = object.box
          let place = [box.x, box.y, box.width, box.height].map { Words.fixed($0, 0) }
          return "\(name(object.category))  \(Words.fixed(object.score, 3))  at \(place[0]), "
            + "\(place[1]), \(place[2]) x \(place[3])"
            + (object.mask.map { ", \($0.area) pixels" } ?? "")
        }
    case .regions:
      return regionShares.map { "\(name($0.category))  \(Words.percent($0.part))" }
    case .points(let points):
      return points.enumerated().map { index, point in
        let name = MoveNetHead.names.indices.contains(index) ? MoveNetHead.names[index] : "\(index)"
        return "\(name)  \(Words.fixed(point.score, 3))  at \(Words.fixed(point.x, 0)), "
          + Words.fixed(point.y, 0)
      }
    case .classes(let scores):
      return topIndices(scores, count: 5).map {
        "\(name($0))  \(Words.fixed(Double(scores[$0]), 4))"
      }
    }
  }
}
