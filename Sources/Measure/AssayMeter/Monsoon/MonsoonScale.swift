/// Turns a Monsoon's raw numbers into amperes and volts, with the calibrations that it sends along.
struct MonsoonScale: Sendable, Equatable {
  /// The device's generation.
  enum Model: Int, Sendable {
    case lvpm = 1
    case hvpm = 2
  }

  var model: Model
  /// Milliamperes (coarse) and microamperes (fine) from zero to reference.
  var coarseScale: Double
  var fineScale: Double
  /// What is added to the measured zeros.
  var coarseOffset: Double
  var fineOffset: Double

  /// An HVPM's scale from what it has stored.
  init(hvpm coarse: UInt32, _ fine: UInt32, coarseOffset: Int16, fineOffset: Int16) {
    model = .hvpm
    coarseScale = Double(coarse)
    fineScale = Double(fine)
    self.coarseOffset = Double(coarseOffset)
    self.fineOffset = Double(fineOffset)
  }

  /// An LVPM's scale: that of its shunt of 50 milliohms, corrected by what it has stored.
  init(lvpm coarseOffset: Int8, _ fineOffset: Int8) {
    model = .lvpm
    coarseScale = 3103.4 * 0.05 / (0.05 + 0.0001 * Double(coarseOffset))
    fineScale = 35946.0 * 0.05 / (0.05 + 0.0001 * Double(fineOffset))
    self.coarseOffset = 0
    self.fineOffset = 0
  }

  /// The greatest raw number up to which the fine range holds.
  private var fineLimit: Int { model == .hvpm ? 64000 : 30000 }
  /// Volts of a step of the voltage's converter.
  private var voltsPerStep: Double { 62.5e-6 * (model == .hvpm ? 4 : 2) }

  /// The mean of the last calibrations of one kind.
  private struct Level: Sendable, Equatable {
    var values: [Double] = []
    mutating func add(_ value: UInt16) {
      values.append(Double(value))
      if values.count > 5 { values.removeFirst() }
    }
    /// `nil` until there are five.
    var mean: Double? { values.count == 5 ? values.reduce(0, +) / 5 : nil }
  }

  private var zeroCoarse = Level()
  private var zeroFine = Level()
  private var referenceCoarse = Level()
  private var referenceFine = Level()

  /// Whether enough calibrations have come.
  var isCalibrated: Bool { zeroCoarse.mean != nil && referenceCoarse.mean != nil }

  /// Takes in an observation; a sample becomes amperes and volts once the calibrations are there.
  mutating func advance(
    _ observation: MonsoonPacket.Observation
  ) -> (amperes: Double, volts: Double)? {
    switch observation.kind {
    case .zero:
      zeroCoarse.add(observation.mainCoarse)
      zeroFine.add(observation.mainFine)
      return nil
    case .reference:
      referenceCoarse.add(observation.mainCoarse)
      referenceFine.add(observation.mainFine)
      return nil
    case .invalid: return nil
    case .sample: break
    }
    guard let zc = zeroCoarse.mean, let zf = zeroFine.mean, let rc = referenceCoarse.mean,
      let rf = referenceFine.mean
    else { return nil }
    let volts = Double(observation.mainVoltage) * voltsPerStep
    func scaled(_ raw: UInt16, _ zero: Double, _ reference: Double, _ scale: Double) -> Double {
      reference == zero ? 0 : (Double(raw) - zero) * scale / (reference - zero)
    }
    let isFine = Int(observation.mainFine) < fineLimit
    let amperes =
      isFine
      ? scaled(observation.mainFine, zf + fineOffset, rf, fineScale) / 1e6
      : scaled(observation.mainCoarse, zc + coarseOffset, rc, coarseScale) / 1e3
    return (amperes, volts)
  }
}
