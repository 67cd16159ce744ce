import AssayBase

extension Mask {
  /// The largest picture whose mask is read, so that a small hostile file cannot take all memory.
  static let pixelLimit = 1 << 28

  /// Reads COCO's compressed runs: numbers of five bits a character from '0' on, the sixth bit telling
  /// that more follow; from the fourth on, each is the difference to the one before the last.
  ///
  /// - Throws: `Diagnostic` ACC010.
  public init(text: String, width: Int, height: Int) throws {
    try self.init(checked: Mask.numbers(text), width: width, height: height)
  }

  /// A mask of runs that come from a file.
  ///
  /// - Throws: `Diagnostic` ACC010 when they do not fill the picture.
  public init(checked runs: [Int], width: Int, height: Int) throws {
    guard width > 0, height > 0, width <= Mask.pixelLimit, height <= Mask.pixelLimit,
      width.multipliedReportingOverflow(by: height).partialValue <= Mask.pixelLimit
    else { throw Mask.fault("its extents are \(width) x \(height)") }
    var sum = 0
    var checked: [UInt32] = []
    checked.reserveCapacity(runs.count)
    for run in runs {
      guard let length = UInt32(exactly: run), run <= Mask.pixelLimit else {
        throw Mask.fault("a run of \(run) pixels")
      }
      sum += run
      guard sum <= width * height else { throw Mask.fault("its runs are longer than the picture") }
      checked.append(length)
    }
    guard sum == width * height else {
      throw Mask.fault("its runs add up to \(sum) pixels, the picture has \(width * height)")
    }
    self.init(width: width, height: height, runs: checked)
  }

  private static func numbers(_ text: String) throws -> [Int] {
    var result: [Int] = []
    var value = 0
    var shift = 0
    for byte in text.utf8 {
      guard (48..<112).contains(byte), shift <= 30 else {
        throw fault("it is no compressed run-length mask")
      }
      let bits = Int(byte) - 48
      value |= (bits & 31) << shift
      shift += 5
      if bits & 32 == 0 {
        // The highest bit of the last character is the sign.
        if bits & 16 != 0 { value |= -1 << shift }
        if result.count > 2 { value += result[result.count - 2] }
        result.append(value)
        (value, shift) = (0, 0)
      }
    }
    guard shift == 0 else { throw fault("its runs end in the middle of a number") }
    return result
  }

  private static func fault(_ words: String) -> Diagnostic {
    Diagnostic("ACC010", "a mask is broken: \(words)")
  }

  /// The runs in COCO's compressed form.
  public var text: String {
    var bytes: [UInt8] = []
    for (index, run) in runs.enumerated() {
      var value = Int(run)
      if index > 2 { value -= Int(runs[index - 2]) }
      while true {
        let bits = value & 31
        value >>= 5
        // Done when what is left is the sign alone.
        let isDone = bits & 16 != 0 ? value == -1 : value == 0
        bytes.append(UInt8(48 + bits + (isDone ? 0 : 32)))
        if isDone { break }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
