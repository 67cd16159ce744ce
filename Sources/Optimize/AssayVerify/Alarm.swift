import AssayBase
import AssayTensor

/// What looks wrong with a variant's output by itself, whatever the error says.
public enum Alarm: Sendable, Equatable {
  /// Every element is this value, while the original's differ.
  case constant(Float)
  /// This part of the elements lies at an end of the integer range, more than a step away from the
  /// original: the scale is too small.
  case saturated(Double)
  /// So many elements are NaN or infinite where the original's are not.
  case notFinite(Int)

  /// Whether the output is useless.
  public var isFatal: Bool {
    switch self {
    case .constant, .notFinite: true
    case .saturated: false
    }
  }

  /// The alarm in words.
  public var text: String {
    switch self {
    case .constant(let value): "every element is \(value)"
    case .saturated(let part): "\(Words.fixed(part * 100, 1)) % of the elements are clipped"
    case .notFinite(let count): "\(count) elements are NaN or infinite"
    }
  }

  /// A stable name.
  public var name: String {
    switch self {
    case .constant: "constant"
    case .saturated: "saturated"
    case .notFinite: "notFinite"
    }
  }
}

/// Gathers what alarms follow from.
struct Watch {
  private var first: Float?
  private var isConstant = true
  private var firstOfReference: Float?
  private var isReferenceConstant = true
  private var clipped = 0
  private var notFinite = 0
  private var count = 0

  /// Looks for values that are no numbers only.
  mutating func lookForNaN(reference: [Float], other: [Float]) {
    for (a, b) in zip(reference, other) where a.isFinite && !b.isFinite { notFinite += 1 }
  }

  mutating func look(reference: [Float], other: [Float], _ tensor: Tensor) {
    if first == nil { first = other.first }
    if firstOfReference == nil { firstOfReference = reference.first }
    isConstant = isConstant && other.allSatisfy { $0 == first }
    isReferenceConstant = isReferenceConstant && reference.allSatisfy { $0 == firstOfReference }
    count += other.count
    lookForNaN(reference: reference, other: other)
    guard let quantization = tensor.quantization, !quantization.isPerChannel,
      let range = tensor.dtype.integerRange
    else { return }
    let low = quantization.dequantize(range.lowerBound)
    let high = quantization.dequantize(range.upperBound)
    for (a, b) in zip(reference, other) where b <= low || b >= high {
      if abs(a - b) > quantization.scale { clipped += 1 }
    }
  }

  var alarms: [Alarm] {
    var alarms: [Alarm] = []
    if notFinite > 0 { alarms.append(.notFinite(notFinite)) }
    if isConstant, !isReferenceConstant, count > 1, let first, first.isFinite {
      alarms.append(.constant(first))
    }
    // Ends of the calibrated range are clipped on purpose; one in a hundred is too many.
    if clipped * 100 > count { alarms.append(.saturated(Double(clipped) / Double(count))) }
    return alarms
  }
}
