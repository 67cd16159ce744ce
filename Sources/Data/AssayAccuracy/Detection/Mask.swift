/// The pixels of an object, as lengths of runs: column by column from the left, each from the top,
/// beginning with those outside (COCO's form).
public struct Mask: Sendable, Equatable {
  /// Pixels in a row of the picture.
  public let width: Int
  /// Rows of the picture.
  public let height: Int
  /// The lengths of the runs: outside, inside, outside, …; they add up to the picture's pixels.
  public let runs: [UInt32]

  /// Makes a mask of runs.
  ///
  /// - Precondition: the runs add up to `width * height`.
  public init(width: Int, height: Int, runs: [UInt32]) {
    self.width = width
    self.height = height
    self.runs = runs
    precondition(runs.reduce(0) { $0 + Int($1) } == width * height, "the runs do not fill the mask")
  }

  /// The mask of which `isInside` tells each pixel.
  public init(width: Int, height: Int, isInside: (_ x: Int, _ y: Int) -> Bool) {
    var runs: [UInt32] = []
    var current = false
    var length: UInt32 = 0
    for x in 0..<width {
      for y in 0..<height {
        let value = isInside(x, y)
        if value != current {
          runs.append(length)
          length = 0
          current = value
        }
        length += 1
      }
    }
    runs.append(length)
    self.width = width
    self.height = height
    self.runs = runs
  }

  /// The mask of a box whose edges are rounded as COCO's rasterization of polygons does.
  public init(_ box: Box, width: Int, height: Int) {
    self = Mask(
      polygon: [
        box.x, box.y, box.x, box.bottom, box.right, box.bottom, box.right, box.y,
      ],
      width: width,
      height: height
    )
  }

  /// How many pixels are inside.
  public var area: Int {
    var sum = 0
    for index in stride(from: 1, to: runs.count, by: 2) { sum += Int(runs[index]) }
    return sum
  }

  /// The smallest box around the pixels; empty at the corner when there are none.
  public var boundingBox: Box {
    var (left, right, top, bottom) = (width, -1, height, -1)
    var position = 0
    for (index, run) in runs.enumerated() {
      let end = position + Int(run)
      if index % 2 == 1, run > 0 {
        left = min(left, position / height)
        right = max(right, (end - 1) / height)
        if position / height == (end - 1) / height {
          top = min(top, position % height)
          bottom = max(bottom, (end - 1) % height)
        } else {
          // The run goes on at the top of the next column.
          (top, bottom) = (0, height - 1)
        }
      }
      position = end
    }
    guard right >= 0 else { return Box(x: 0, y: 0, width: 0, height: 0) }
    return Box(
      x: Double(left),
      y: Double(top),
      width: Double(right - left + 1),
      height: Double(bottom - top + 1)
    )
  }

  /// How many pixels two masks share; 0 for masks of different extents.
  public func intersection(_ other: Mask) -> Int {
    guard width == other.width, height == other.height else { return 0 }
    var shared = 0
    var (i, j) = (0, 0)
    var left = (a: Int(runs.first ?? 0), b: Int(other.runs.first ?? 0))
    while i < runs.count, j < other.runs.count {
      let step = min(left.a, left.b)
      if i & 1 == 1, j & 1 == 1 { shared += step }
      left.a -= step
      left.b -= step
      if left.a == 0 {
        i += 1
        if i < runs.count { left.a = Int(runs[i]) }
      }
      if left.b == 0 {
        j += 1
        if j < other.runs.count { left.b = Int(other.runs[j]) }
      }
    }
    return shared
  }

  /// Intersection over union, 0...1; over this mask's own area for a crowd.
  public func overlap(truth: Mask, isCrowd: Bool = false) -> Double {
    let shared = intersection(truth)
    guard shared > 0 else { return 0 }
    return Double(shared) / Double(isCrowd ? area : area + truth.area - shared)
  }

  /// The pixels that are in any of the masks; `nil` when there are none or their extents differ.
  public static func union(_ masks: [Mask]) -> Mask? {
    guard let first = masks.first,
      masks.allSatisfy({ $0.width == first.width && $0.height == first.height })
    else { return nil }
    return masks.dropFirst().reduce(first) { $0.joined($1) }
  }

  private func joined(_ other: Mask) -> Mask {
    var result: [UInt32] = []
    var current = false
    var length = 0
    var (i, j) = (0, 0)
    var left = (a: Int(runs.first ?? 0), b: Int(other.runs.first ?? 0))
    while i < runs.count, j < other.runs.count {
      let step = min(left.a, left.b)
      let value = i & 1 == 1 || j & 1 == 1
      if value != current, step > 0 {
        result.append(UInt32(length))
        length = 0
        current = value
      }
      length += step
      left.a -= step
      left.b -= step
      if left.a == 0 {
        i += 1
        if i < runs.count { left.a = Int(runs[i]) }
      }
      if left.b == 0 {
        j += 1
        if j < other.runs.count { left.b = Int(other.runs[j]) }
      }
    }
    result.append(UInt32(length))
    return Mask(width: width, height: height, runs: result)
  }

  /// Which pixels are inside, row by row.
  public var bits: [Bool] {
    var result = [Bool](repeating: false, count: width * height)
    var position = 0
    for (index, run) in runs.enumerated() {
      if index % 2 == 1 {
        for place in position..<position + Int(run) {
          result[place % height * width + place / height] = true
        }
      }
      position += Int(run)
    }
    return result
  }
}
