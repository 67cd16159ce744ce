/// Several indices and their weights, to be taken as one.
struct Compound {
  private var values: [Double]
  private var weights: [Double]

  /// - Parameter isDescending: the order in which a median goes through the values.
  init(_ values: [Double], _ weights: [Double], isDescending: Bool) {
    let sum = weights.reduce(0, +)
    // Of equal values the later one comes first when the order is turned.
    var order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    if isDescending { order.reverse() }
    self.values = order.map { values[$0] }
    self.weights = order.map { sum > 0 ? weights[$0] / sum : 0 }
  }

  /// The compound; 0 of nothing.
  func value(_ mode: RatingMethod.Mode) -> Double {
    guard let least = values.min(), let most = values.max() else { return 0 }
    return switch mode {
    case .mean: zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
    case .median: publishedMedian(values, weights)
    case .best: most
    case .worst: least
    }
  }
}
