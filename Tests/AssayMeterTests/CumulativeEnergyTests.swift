import AssayMeter
import Testing

@Suite struct CumulativeEnergyTests {
  private func trace(
    _ quantity: MeterChannel.Quantity,
    _ rows: [(Int64, Double)],
    isIntegrating: Bool = false
  ) -> PowerTrace {
    var accuracy = MeterAccuracy(gain: nil, source: "test")
    accuracy.isIntegrating = isIntegrating
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "test", name: "test"),
      channels: [MeterChannel("main", quantity, .supply, accuracy: accuracy)],
      clock: .host,
      period: 1_000_000_000
    )
    for (time, value) in rows { trace.append(time, [value]) }
    return trace
  }

  @Test func powerIsIntegratedByTrapezoids() throws {
    // 2 W rising to 4 W in a second, then falling to 0.
    let rows: [(Int64, Double)] = [(0, 2), (1_000_000_000, 4), (2_000_000_000, 0)]
    let energy = try #require(CumulativeEnergy(trace(.power, rows), channel: 0))
    #expect(energy.joules(0...2e9) == 5)
    // Within an interval power is linear: 2 W to 3 W over half a second.
    #expect(abs(energy.joules(0...5e8) - 1.25) < 1e-12)
    #expect(abs(energy.watts(1e9...15e8) - 3) < 1e-12)
    #expect(energy.joules(at: -5) == 0 && energy.joules(at: 9e9) == 5)
  }

  @Test func aMeanCountsForTheTimeBeforeIt() throws {
    let rows: [(Int64, Double)] = [(0, 9), (1_000_000_000, 4), (3_000_000_000, 1)]
    let energy = try #require(
      CumulativeEnergy(trace(.power, rows, isIntegrating: true), channel: 0)
    )
    #expect(energy.joules(0...3e9) == 6)
    #expect(energy.joules(at: 5e8) == 2)
  }

  @Test func aCounterIsLinearBetweenReadings() throws {
    let rows: [(Int64, Double)] = [(0, 100), (1_000_000_000, 103), (2_000_000_000, 110)]
    let energy = try #require(CumulativeEnergy(trace(.energy, rows), channel: 0))
    #expect(energy.joules(5e8...15e8) == 5)
    #expect(energy.count(in: 0...2e9) == 2)
  }

  @Test func missingReadingsAreBridgedAndCounted() throws {
    let rows: [(Int64, Double)] = [(0, 2), (1_000_000_000, .nan), (2_000_000_000, 2)]
    let energy = try #require(CumulativeEnergy(trace(.power, rows), channel: 0))
    #expect(energy.joules(0...2e9) == 4)
    #expect(energy.missingCount == 1)
    #expect(CumulativeEnergy(trace(.power, [(0, 1)]), channel: 0) == nil)
    #expect(CumulativeEnergy(trace(.voltage, rows), channel: 0) == nil)
  }

  @Test func rowsAreFoundByTime() {
    let trace = trace(.power, (0..<100).map { ($0 * 10, 1) })
    #expect(trace.rows(in: 95...205) == 10..<21)
    #expect(trace.rows(in: -5...(-1)).isEmpty)
    #expect(trace.slice(10..<21).times.first == 100)
  }
}
