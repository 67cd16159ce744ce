import AssayGraph
import AssayTensor

extension Zoo {
  /// Jocher et al., 2023, with the names of Ultralytics's weights.
  ///
  /// Boxes and class scores come in one table, for instances with mask coefficients in it and
  /// prototypes beside it.
  static let yoloV8 = scales.flatMap { scale in
    [
      yoloV8("yolov8\(scale.letter)", scale, task: .detection),
      yoloV8("yolov8\(scale.letter)-seg", scale, task: .instanceSegmentation),
    ]
  }

  private static let scales = [
    YOLOScale(letter: "n", depth: 1.0 / 3, width: 0.25, most: 1024),
    YOLOScale(letter: "s", depth: 1.0 / 3, width: 0.5, most: 1024),
    YOLOScale(letter: "m", depth: 2.0 / 3, width: 0.75, most: 768),
    YOLOScale(letter: "l", depth: 1, width: 1, most: 512),
    YOLOScale(letter: "x", depth: 1, width: 1.25, most: 512),
  ]

  private static func yoloV8(_ name: String, _ scale: YOLOScale, task: ZooTask) -> ZooEntry {
    ZooEntry(
      name,
      family: "YOLOv8",
      task: task,
      source: "Ultralytics",
      input: .square(640, .unit),
      classes: 80,
      hasTop: false
    ) { network, settings in
      let maps = network.input("images", [settings.size.height, settings.size.width, 3])
        .yoloFeatures(scale)
      let masks = task == .instanceSegmentation ? 32 : 0
      let table = Signal.yoloTable(maps, classes: settings.classes, masks: masks)
      network.output(table, name: "output0")
      if masks > 0 {
        network.output(maps[0].yoloPrototypes(scale.filters(256), masks), name: "output1")
      }
    }
  }
}

/// How one of the sizes of YOLOv8 differs from the largest.
private struct YOLOScale: Sendable {
  var letter: String
  var depth: Double
  var width: Double
  /// The most channels before the width is applied.
  var most: Int

  func filters(_ count: Int) -> Int {
    Int((Double(min(count, most)) * width / 8).rounded(.up)) * 8
  }

  func repeats(_ count: Int) -> Int {
    max(Int((Double(count) * depth).rounded(.toNearestOrEven)), 1)
  }
}

extension Signal {
  /// A convolution without bias, its normalization and a SiLU.
  fileprivate func yoloConv(
    _ filters: Int,
    _ kernel: Int,
    strides: Int = 1,
    _ name: String
  ) -> Signal {
    let reach = kernel / 2
    return conv(
      filters,
      kernel,
      strides: strides,
      padding: strides == 1
        ? .same : .explicit(top: reach, bottom: reach, left: reach, right: reach),
      usesBias: false,
      name: "\(name).conv"
    ).batchNorm(momentum: 0.97, name: "\(name).bn").activation(.silu, name: "\(name).act")
  }

  /// Bottlenecks one after the other; what each of them makes is put side by side.
  fileprivate func yoloStage(_ filters: Int, _ count: Int, adds: Bool, _ name: String) -> Signal {
    let half = filters / 2
    var parts = yoloConv(2 * half, 1, "\(name).cv1").split([half, half])
    for index in 0..<count {
      let x = parts[parts.count - 1]
      let long = x.yoloConv(half, 3, "\(name).m.\(index).cv1")
        .yoloConv(half, 3, "\(name).m.\(index).cv2")
      parts.append(adds ? x + long : long)
    }
    return parts[0].concatenated(with: Array(parts.dropFirst())).yoloConv(filters, 1, "\(name).cv2")
  }

  /// The mean of three growing neighborhoods' greatest beside the picture itself.
  fileprivate func yoloPooled(_ filters: Int, _ name: String) -> Signal {
    let x = yoloConv(channels / 2, 1, "\(name).cv1")
    func pool(_ x: Signal) -> Signal { x.maxPool(5, strides: 1, padding: .same) }
    let (a, b) = (pool(x), pool(pool(x)))
    return x.concatenated(with: a, b, pool(b)).yoloConv(filters, 1, "\(name).cv2")
  }

  /// The maps of strides 8, 16 and 32.
  fileprivate func yoloFeatures(_ scale: YOLOScale) -> [Signal] {
    func name(_ index: Int) -> String { "model.\(index)" }
    func stage(
      _ x: Signal,
      _ filters: Int,
      _ count: Int,
      _ index: Int,
      adds: Bool = false
    ) -> Signal {
      x.yoloStage(scale.filters(filters), scale.repeats(count), adds: adds, name(index))
    }
    func down(_ x: Signal, _ filters: Int, _ index: Int) -> Signal {
      x.yoloConv(scale.filters(filters), 3, strides: 2, name(index))
    }
    func up(_ x: Signal) -> Signal { x.upsample(Size2D(2, 2)) }
    let x2 = stage(down(down(self, 64, 0), 128, 1), 128, 3, 2, adds: true)
    let x4 = stage(down(x2, 256, 3), 256, 6, 4, adds: true)
    let x6 = stage(down(x4, 512, 5), 512, 6, 6, adds: true)
    let x9 = stage(down(x6, 1024, 7), 1024, 3, 8, adds: true)
      .yoloPooled(scale.filters(1024), name(9))
    let x12 = stage(up(x9).concatenated(with: x6), 512, 3, 12)
    let x15 = stage(up(x12).concatenated(with: x4), 256, 3, 15)
    let x18 = stage(down(x15, 256, 16).concatenated(with: x12), 512, 3, 18)
    let x21 = stage(down(x18, 512, 19).concatenated(with: x9), 1024, 3, 21)
    return [x15, x18, x21]
  }

  /// For each cell of three maps the middle and the extents of a box in pixels, the classes' scores
  /// and, where wanted, the coefficients of its mask: `[1, 4 + classes + masks, cells]`.
  fileprivate static func yoloTable(_ maps: [Signal], classes: Int, masks: Int) -> Signal {
    let bins = 16
    let first = maps[0].channels
    func head(_ map: Signal, _ width: Int, _ count: Int, _ name: String) -> Signal {
      let x = map.yoloConv(width, 3, "\(name).0").yoloConv(width, 3, "\(name).1")
        .conv(count, 1, name: "\(name).2")
      return x.reshape([x.shape[1] * x.shape[2], count])
    }
    func all(_ width: Int, _ count: Int, _ part: String) -> Signal {
      let rows = maps.enumerated().map { head($1, width, count, "model.22.\(part).\($0)") }
      return rows[0].concatenated(with: Array(rows.dropFirst()), axis: 1)
    }
    let edges = all(max(bins, first / 4, 4 * bins), 4 * bins, "cv2")
    let scores = all(max(first, min(classes, 100)), classes, "cv3").activation(.sigmoid)
    var parts = [edges.yoloBoxes(maps, bins), scores]
    if masks > 0 { parts.append(all(max(first / 4, masks), masks, "cv4")) }
    return parts[0].concatenated(with: Array(parts.dropFirst()), axis: 2)
      .transpose([2, 1], name: "output0")
  }

  /// Boxes from the distributions of their edges' distances to the cell's middle.
  fileprivate func yoloBoxes(_ maps: [Signal], _ bins: Int) -> Signal {
    let cells = shape[1]
    let distances = reshape([cells, 4, bins]).activation(.softmax)
      .bins(bins, name: "model.22.dfl.conv").reshape([cells, 4])
    var anchors: [Float] = []
    var strides: [Float] = []
    for (index, map) in maps.enumerated() {
      for row in 0..<max(map.shape[1], 0) {
        for column in 0..<max(map.shape[2], 0) {
          anchors += [Float(column) + 0.5, Float(row) + 0.5]
          strides.append(Float(8 << index))
        }
      }
    }
    let sides = distances.split([2, 2])
    return sides[0].boxes(to: sides[1], anchors, strides, name: "model.22.boxes")
  }

  /// The mean of a distribution over whole numbers; frameworks count the numbers as weights.
  fileprivate func bins(_ count: Int, name: String) -> Signal {
    network.layer("Conv2D", name: name, on: self) { layer in
      layer.countUnused(count)
      let numbers = layer.fixed("bins", (0..<count).map { Float($0) }, [1, count])
      return try layer.node(FullyConnected(), [id, numbers])
    }
  }

  /// Middles and extents of boxes whose left and upper edges lie before anchors, the others behind.
  fileprivate func boxes(
    to behind: Signal,
    _ anchors: [Float],
    _ strides: [Float],
    name: String
  ) -> Signal {
    network.layer("Boxes", name: name, on: self) { layer in
      let middle = layer.fixed("anchors", anchors, [1, strides.count, 2])
      let pixels = layer.fixed("strides", strides, [1, strides.count, 1])
      let half = layer.fixed("half", [0.5], [])
      func node(_ kind: Binary.Kind, _ a: ValueID, _ b: ValueID, _ part: String?) throws -> ValueID
      {
        try layer.node(Binary(kind), [a, b], part: part)
      }
      let low = try node(.subtract, middle, id, "low")
      let high = try node(.add, middle, behind.id, "high")
      let sum = try node(.add, low, high, "sum")
      let center = try node(.multiply, sum, half, "center")
      let extent = try node(.subtract, high, low, "extent")
      let box = try layer.node(Concat(axis: 2), [center, extent], part: "box")
      return try node(.multiply, box, pixels, nil)
    }
  }

  /// The prototypes that masks are mixed of: `[1, masks, height, width]`, as the framework lays them.
  fileprivate func yoloPrototypes(_ filters: Int, _ masks: Int) -> Signal {
    let name = "model.22.proto"
    return yoloConv(filters, 3, "\(name).cv1")
      .transposeConv(filters, 2, strides: 2, padding: .valid, name: "\(name).upsample")
      .yoloConv(filters, 3, "\(name).cv2").yoloConv(masks, 1, "\(name).cv3")
      .transpose([3, 1, 2], name: "output1")
  }
}
