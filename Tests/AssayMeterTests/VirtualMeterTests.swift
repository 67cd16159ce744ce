import AssayMeter
import AssayRecord
import Testing

@Suite struct VirtualMeterTests {
  /// The measure of the whole chain: true energies lie within what is stated, and clocks are joined to
  /// a reading.
  @Test(arguments: VirtualTrial.Kind.allCases)
  func energyIsWithinItsStatedUncertainty(_ kind: VirtualTrial.Kind) throws {
    let outcomes = try (0..<100).map { try VirtualTrial.run(kind, seed: UInt64($0)) }
    #expect(outcomes.count(where: \.totalIsWithin) >= 95)
    #expect(outcomes.count(where: \.netIsWithin) >= 95)
    #expect(outcomes.allSatisfy { $0.skewError <= 1 })
    let spans = outcomes.compactMap { outcome -> Double? in
      guard let total = outcome.energy.primary?.total.value, let u = total.uncertainty else {
        return nil
      }
      return u / total.value
    }
    // An uncertainty that says nothing would hold everything.
    #expect(spans.count == 100 && spans.allSatisfy { $0 > 0.001 && $0 < 0.08 })
    print(
      kind,
      outcomes.count(where: \.totalIsWithin),
      outcomes.count(where: \.netIsWithin),
      outcomes.map(\.skewError).max() ?? 0,
      spans.max() ?? 0,
      spans.min() ?? 0
    )
  }
}
