import AssayBase
import AssayReport

extension NetworkDrawing {
  /// The operators that a profile (`add(_:)`) put a time on, with what they multiply and move.
  ///
  /// Bytes are those of the network's own values and constants, each read and each written once: a
  /// runtime that fuses operators or packs constants moves fewer or more.
  public var points: [RooflineDrawing.Point] {
    boxes.compactMap { box in
      guard box.kind != .input, box.kind != .output, let time = box.nanoseconds else { return nil }
      let type = box.outputs.first?.type ?? ""
      return RooflineDrawing.Point(
        name: box.name,
        kind: box.title,
        nanoseconds: time,
        macs: box.macs,
        bytes: box.constantBytes + box.activationBytes,
        isInteger: type.hasPrefix("int8") || type.hasPrefix("uint8"),
        placement: box.placement ?? ""
      )
    }
  }
}
