import AssayBase

/// What a trained detector knows beside its network: how series are standardized and what errors are
/// like, from the series that it was trained on.
public struct DetectorState: Sendable, Equatable {
  /// The names of the channels.
  public var channels: [String]
  /// How series are standardized.
  public var standardization: Standardization
  /// How errors become a score.
  public var scoring: Scoring
  /// What windows of errors are like.
  public var errors: ErrorStatistics
  /// The network's file, relative to the folder of this one.
  public var model: String
  /// The greatest score of the training series outside of its labelled anomalies, where it has labels;
  /// else the score that 99 % of it do not exceed.
  public var threshold: Double?

  /// Makes a state.
  public init(
    channels: [String],
    standardization: Standardization,
    scoring: Scoring,
    errors: ErrorStatistics,
    model: String,
    threshold: Double?
  ) {
    self.channels = channels
    self.standardization = standardization
    self.scoring = scoring
    self.errors = errors
    self.model = model
    self.threshold = threshold
  }

  /// The file's name in the folder of a trained detector.
  public static let fileName = "detector.json"

  /// The state as JSON.
  public var json: JSON {
    func numbers(_ values: some Sequence<Double>) -> JSON { .array(values.map { JSON($0) }) }
    let dimension = errors.dimension
    return .object([
      "schema": "assay.detector/1", "model": .string(model),
      "channels": .array(channels.map { .string($0) }),
      "mean": numbers(standardization.mean), "deviation": numbers(standardization.deviation),
      "window": JSON(scoring.window), "average": JSON(scoring.average),
      "threshold": threshold.map { JSON($0) } ?? .null,
      "errorMean": numbers(errors.mean),
      "errorCovariance": .array(
        (0..<dimension).map { row in
          numbers(errors.covariance[row * dimension..<(row + 1) * dimension])
        }
      ),
    ])
  }

  /// Reads what `json` gives.
  ///
  /// - Throws: `Diagnostic` DTC032 for what is missing or does not fit together.
  public init(json: JSON) throws {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "DTC032",
        "this is no detector: \(what)",
        remedy: "assay train tcn-autoencoder writes one"
      )
    }
    guard json["schema"]?.string == "assay.detector/1" else {
      throw fault("its schema is not assay.detector/1")
    }
    func numbers(_ json: JSON?, _ count: Int, _ name: String) throws -> [Double] {
      let values = (json?.array ?? []).compactMap(\.double)
      guard values.count == count, values.allSatisfy(\.isFinite) else {
        throw fault("'\(name)' is not \(count) finite numbers")
      }
      return values
    }
    guard let names = json["channels"]?.array?.compactMap(\.string), !names.isEmpty,
      let window = json["window"]?.int, (1...4096).contains(window),
      let average = json["average"]?.int, (1...1_000_000).contains(average),
      let model = json["model"]?.string, names.count * window <= 1 << 14
    else { throw fault("'channels', 'window', 'average' or 'model' is missing") }
    channels = names
    let dimension = names.count * window
    standardization = Standardization(
      mean: try numbers(json["mean"], names.count, "mean"),
      deviation: try numbers(json["deviation"], names.count, "deviation")
    )
    scoring = Scoring()
    scoring.window = window
    scoring.average = average
    let rows = json["errorCovariance"]?.array ?? []
    guard rows.count == dimension else { throw fault("'errorCovariance' has \(rows.count) rows") }
    errors = ErrorStatistics(
      window: window,
      channelCount: names.count,
      mean: try numbers(json["errorMean"], dimension, "errorMean"),
      covariance: try rows.flatMap { try numbers($0, dimension, "errorCovariance") }
    )
    self.model = model
    threshold = json["threshold"]?.double
  }

  /// Reads a file.
  ///
  /// - Throws: `Diagnostic` DTC032, JSN001, FIL00x, located in it.
  public init(path: String) throws {
    let bytes = try MappedFile(path: path).view
    self = try locating(path) {
      try DetectorState(json: try JSON(parsing: bytes.array))
    }
  }
}
