import AssayBase

/// TensorFlow's record files: each record has its length and itself protected by a masked CRC-32C.
public enum TFRecord {
  /// One record as it stands in a file.
  public static func record(_ content: [UInt8]) -> [UInt8] {
    let length = little(UInt64(content.count))
    return length + little(checksum(length)) + content + little(checksum(content))
  }

  /// The records of a file.
  ///
  /// - Throws: `Diagnostic` TFR001 for a record that is cut off or whose checksum does not fit.
  public static func records(_ bytes: ByteView) throws -> [ByteView] {
    var result: [ByteView] = []
    var offset = 0
    func fault(_ words: String) -> Diagnostic {
      Diagnostic("TFR001", "record \(result.count) \(words)", at: ["byte \(offset)"])
    }
    while offset < bytes.count {
      guard let head = try? bytes.slice(offset, 12) else { throw fault("is cut off") }
      let length = UInt64(littleEndian: try head.load(at: 0))
      guard UInt32(littleEndian: try head.load(at: 8)) == checksum(try head.slice(0, 8).array)
      else { throw fault("has a broken length") }
      guard let size = Int(exactly: length), let content = try? bytes.slice(offset + 12, size),
        let tail = try? bytes.dropFirst(offset + 12).dropFirst(size).slice(0, 4)
      else { throw fault("is cut off") }
      guard UInt32(littleEndian: try tail.load(at: 0)) == checksum(content.array) else {
        throw fault("is broken")
      }
      result.append(content)
      offset += size + 16
    }
    return result
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    CRC32C.masked(CRC32C.checksum(ByteView(bytes)))
  }

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    stride(from: 0, to: T.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> T($0)) }
  }
}

/// The records that TensorBoard reads (TensorFlow's `Event` messages).
public enum TensorBoardEvent {
  /// The first record of every file.
  ///
  /// - Parameter time: seconds since 1970.
  public static func version(time: Double) -> [UInt8] {
    var event = ProtobufWriter()
    event.double(1, time)
    event.string(3, "brain.Event:2")
    return TFRecord.record(event.finish().flatMap(\.array))
  }

  /// Numbers at a step of training, by their tags.
  ///
  /// - Parameter time: seconds since 1970.
  public static func scalars(
    _ values: [(tag: String, value: Double)],
    step: Int,
    time: Double
  ) -> [UInt8] {
    var event = ProtobufWriter()
    event.double(1, time)
    event.integer(2, Int64(step))
    event.message(5) { summary in
      for (tag, value) in values {
        summary.message(1) {
          $0.string(1, tag)
          $0.float(2, Float(value))
        }
      }
    }
    return TFRecord.record(event.finish().flatMap(\.array))
  }
}
