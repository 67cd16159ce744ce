import AssayBase
import AssayHost
import AssayRecord
import Synchronization
import Testing

@testable import AssayMeter

@Suite struct EnergyAccountTests {
  private static let second: Int64 = 1_000_000_000

  /// Readings of `watts` at each moment, `rate` a second.
  private func trace(
    seconds: Double,
    rate: Double = 100,
    accuracy: MeterAccuracy = MeterAccuracy(gain: 0.01, isIntegrating: true, source: "test"),
    clock: PowerTrace.Clock = .host,
    _ watts: (Double) -> Double
  ) -> PowerTrace {
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "test", name: "test"),
      channels: [MeterChannel("main", .power, .board, isPrimary: true, accuracy: accuracy)],
      clock: clock,
      period: UInt64(1e9 / rate)
    )
    for row in 0..<Int(seconds * rate) {
      let time = Double(row) / rate
      trace.append(Int64(time * 1e9), [watts(time)])
    }
    return trace
  }

  private func account(
    _ trace: PowerTrace,
    windows: [ClosedRange<Double>] = [2...3, 4...5],
    idle: [ClosedRange<Double>] = [0...2, 6...8]
  ) -> EnergyAccount {
    func nanoseconds(_ range: ClosedRange<Double>) -> ClosedRange<Int64> {
      Int64(range.lowerBound * 1e9)...Int64(range.upperBound * 1e9)
    }
    return EnergyAccount(
      trace: trace,
      windows: windows.map(nanoseconds),
      idle: idle.map(nanoseconds),
      inferenceCount: 50
    )
  }

  private func busy(_ time: Double) -> Bool { (2..<3).contains(time) || (4..<5).contains(time) }

  @Test func totalAndNetAreBothGiven() throws {
    let (energy, findings) = account(trace(seconds: 8) { busy($0) ? 6 : 2 }).energy()
    let domain = try #require(energy.primary)
    let total = try #require(domain.total.value)
    let net = try #require(domain.net.value)
    #expect(abs(total.value - 12) < 1e-9 && abs(net.value - 8) < 1e-9)
    #expect(abs((domain.idlePower.value?.value ?? 0) - 2) < 1e-9)
    #expect(energy.provenance == .measured && energy.seconds == 2 && energy.windowCount == 2)
    #expect(abs((energy.perInference.value?.value ?? 0) - 0.24) < 1e-9)
    // 1 % rectangular is 1 %/√3, and twice that is stated.
    let gain = try #require(domain.budget.first { $0.name == "gain" })
    #expect(abs(gain.total - 0.01 / 3.0.squareRoot() * 12) < 1e-9)
    #expect(abs(gain.net - 0.01 / 3.0.squareRoot() * 8) < 1e-9)
    // All lines together, in squares: beside the gain only what no reading covers at four ends.
    let squares = domain.budget.reduce(0) { $0 + $1.total * $1.total }
    #expect(abs((total.uncertainty ?? 0) - 2 * squares.squareRoot()) < 1e-3, "\(domain.budget)")
    #expect(Set(domain.budget.filter { $0.total > 1e-9 }.map(\.name)) == ["gain", "sampling"])
    #expect(findings.isEmpty)
  }

  @Test func anOffsetGoesWithTheIdlePower() throws {
    let accuracy = MeterAccuracy(
      gain: 0,
      offsetWatts: 0.3,
      isIntegrating: true,
      source: "test"
    )
    let domain = try #require(
      account(trace(seconds: 8, accuracy: accuracy) { busy($0) ? 6 : 2 }).energy().energy.primary
    )
    let offset = try #require(domain.budget.first { $0.name == "offset" })
    #expect(offset.net == 0 && abs(offset.total - 0.3 / 3.0.squareRoot() * 2) < 1e-9)
    // What is left above idle is what no reading covers at the ends of windows.
    #expect((domain.net.value?.uncertainty ?? 1) < (domain.total.value?.uncertainty ?? 0) / 5)
  }

  @Test func anIdlePowerThatMovedIsInTheBudget() throws {
    let domain = try #require(
      account(trace(seconds: 8) { busy($0) ? 6 : $0 < 3 ? 2 : 2.4 }).energy().energy.primary
    )
    // Between 2 and 2.4 W for two seconds: rectangular.
    let baseline = try #require(domain.budget.first { $0.name == "baseline" })
    #expect(abs(baseline.net - 0.2 / 3.0.squareRoot() * 2) < 1e-6 && baseline.total == 0)
  }

  @Test func tooFewReadingsAreRefusedWithWhatIsNeeded() throws {
    let slow = trace(seconds: 80, rate: 1.6667) { $0 > 30 && $0 < 32 ? 6 : 2 }
    let (energy, findings) = account(slow, windows: [30...32], idle: [0...28]).energy()
    #expect(energy.perInference.missingReason == "this meter needs 12.0 s, not 2.00 s")
    #expect(findings.map(\.code) == ["MTR051"] && findings[0].severity == .warning)
    var late = MeterAccuracy(gain: 0.01, isIntegrating: true, source: "test")
    late.latencyNanoseconds = 1_000_000_000
    let lagging = account(trace(seconds: 8, accuracy: late) { busy($0) ? 6 : 2 }).energy()
    #expect(lagging.energy.perInference.missingReason?.hasPrefix("this meter needs 20.0 s") == true)
  }

  @Test func aTraceThatDoesNotCoverOrHasHolesIsRefused() throws {
    let short = trace(seconds: 4.5) { busy($0) ? 6 : 2 }
    #expect(account(short).energy().findings.map(\.code) == ["MTR052"])
    var holes = trace(seconds: 8) { busy($0) ? 6 : 2 }
    holes = holes.slice(0..<450)
    let after = trace(seconds: 8) { busy($0) ? 6 : 2 }
    for row in 480..<800 { holes.append(after.times[row], [after.values[0][row]]) }
    #expect(account(holes).energy().findings.map(\.code) == ["MTR053"])
    let foreign = trace(seconds: 8, clock: .own) { busy($0) ? 6 : 2 }
    #expect(account(foreign).energy().findings.map(\.code) == ["MTR056"])
  }

  @Test func aConstantIsNoMeasurement() throws {
    let (energy, findings) = account(trace(seconds: 8) { _ in 43.888 }).energy()
    #expect(energy.provenance == .constant)
    #expect(findings.map(\.code).contains("MTR050"))
    #expect(
      energyText(try #require(energy.perInference.value), energy.provenance) == "1.76 J const."
    )
  }

  @Test func whatIsNotAboveIdleIsSaid() throws {
    var random = SeededRNG(seed: 3)
    let noise = trace(seconds: 8) { _ in 2 + Double(random.normal()) * 0.1 }
    #expect(account(noise).energy().findings.map(\.code) == ["MTR054"])
  }

  @Test func withoutIdleTimeOnlyTheTotalIsKnown() throws {
    let energy = account(trace(seconds: 8) { busy($0) ? 6 : 2 }, idle: []).energy().energy
    #expect(energy.primary?.total.value != nil)
    #expect(energy.netPerInference.missingReason == "no idle stretch lies beside the windows")
  }

  @Test func anEstimateIsNeverAMeasurement() throws {
    let energy = estimatedEnergy(
      watts: 6,
      windows: [0...Self.second, 2 * Self.second...3 * Self.second],
      inferenceCount: 100
    )
    #expect(energy.provenance == .estimated && energy.primary?.total.value?.value == 12)
    #expect(energy.primary?.total.value?.uncertainty == nil && energy.netPerInference.value == nil)
    #expect(energyText(try #require(energy.perInference.value), .estimated) == "≈120 mJ est.")
    var virtual = trace(seconds: 8) { busy($0) ? 6 : 2 }
    virtual.identity.isEstimate = true
    #expect(account(virtual).energy().energy.provenance == .estimated)
  }

  @Test func anUnknownAccuracyIsSaid() {
    let unknown = MeterAccuracy(gain: nil, isIntegrating: true, source: "nothing")
    let result = account(trace(seconds: 8, accuracy: unknown) { busy($0) ? 6 : 2 }).energy()
    #expect(result.findings.map(\.code) == ["MTR055"])
  }

  @Test func studentsFactorGrowsWhereLittleIsKnown() {
    #expect(Coverage.factor([(1, .infinity)]) == 2)
    let few = Coverage.factor([(1, 4), (0.1, .infinity)])
    #expect(few > 2.7 && few < 2.8)
    #expect(Coverage.factor([(0.01, 2), (1, .infinity)]) == 2)
  }
}

@Suite struct MarkerTests {
  @Test(arguments: 4...9)
  func aMarkersAutocorrelationHasOnePeak(_ order: Int) {
    for isReversed in [false, true] {
      let marker = CodedMarker(order: order, chip: 1, isReversed: isReversed)
      let signs = marker.chips.map { $0 ? 1 : -1 }
      #expect(signs.count == 1 << order - 1 || signs.count == (1 << order) - 1)
      for shift in 1..<signs.count {
        let sum = signs.indices.reduce(0) {
          $0 + signs[$1] * signs[($1 + shift) % signs.count]
        }
        #expect(sum == -1)
      }
      let busy = marker.busy.reduce(0) { $0 + Int($1.count) }
      #expect(busy == (signs.count + 1) / 2)
    }
  }

  @Test func aTraceWithoutTheMarkerIsNotJoined() throws {
    var random = SeededRNG(seed: 9)
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "test", name: "test"),
      channels: [
        MeterChannel("main", .power, .board, accuracy: MeterAccuracy(gain: nil, source: ""))
      ],
      clock: .own,
      period: 10_000_000
    )
    for row in 0..<3000 { trace.append(Int64(row) * 10_000_000, [2 + Double(random.normal())]) }
    let energy = try #require(CumulativeEnergy(trace, channel: 0))
    let marker = CodedMarker(chip: 60_000_000)
    let begin: Int64 = 10_000_000_000
    let played = PlayedMarker(
      begin: begin,
      end: begin + Int64(marker.duration),
      busy: marker.busy.map { begin + Int64($0.lowerBound)..<begin + Int64($0.upperBound) }
    )
    #expect { try MarkerSearch(energy).find(played, lags: -1e19...1e19) } throws: {
      ($0 as? Diagnostic)?.code == "MTR040"
    }
    // A quicker marker than the meter can follow.
    let quick = CodedMarker(chip: 10_000_000)
    let flash = PlayedMarker(
      begin: begin,
      end: begin + Int64(quick.duration),
      busy: quick.busy.map { begin + Int64($0.lowerBound)..<begin + Int64($0.upperBound) }
    )
    #expect { try MarkerSearch(energy).find(flash, lags: -1e9...1e9) } throws: {
      ($0 as? Diagnostic)?.code == "MTR041"
    }
  }

  @Test func aMarkerIsPlayedAsItIsWritten() throws {
    let marker = CodedMarker(order: 4, chip: 2_000_000)
    let start = Host.monotonicNanoseconds()
    let before = Host.ownBusyNanoseconds()
    let played = try MarkerPlayer.play(marker, threads: 1)
    let spent = Host.ownBusyNanoseconds() - before
    #expect(played.begin >= Int64(start) && played.busy.count == marker.busy.count)
    for (really, asked) in zip(played.busy, marker.busy) {
      #expect(really.lowerBound >= played.begin + Int64(asked.lowerBound))
    }
    #expect(spent > 1_000_000)
    #expect(played.end - played.begin >= Int64(marker.duration))
  }

  @Test func twoMarkersTellOffsetAndDrift() {
    func found(_ host: Double, _ meter: Double) -> FoundMarker {
      FoundMarker(
        meterTime: meter,
        hostTime: host,
        uncertainty: 1000,
        explained: 1,
        stepWatts: 4
      )
    }
    // The meter is 5 s late and 50 ppm slow.
    let map = ClockMap.markers([
      found(100e9, 100e9 * (1 - 50e-6) - 5e9), found(700e9, 700e9 * (1 - 50e-6) - 5e9),
    ])
    for host in [100e9, 400e9, 700e9] {
      #expect(abs(map.meter(host) - (host * (1 - 50e-6) - 5e9)) < 20)
      #expect(abs(map.host(map.meter(host)) - host) < 1)
    }
    #expect(abs(map.drift - 50e-6) < 1e-8 && map.uncertainty(at: map.reference) < 1000)
    let one = ClockMap.markers([found(100e9, 95e9)])
    #expect(one.drift == 0 && one.uncertainty(at: 95e9 + 10e9) > 500_000)
  }
}

@Suite struct MeterSamplerTests {
  /// A meter that gives a number each millisecond, and may fail.
  private struct Ticker: PowerMeter {
    let id = "ticker"
    let summary = "for tests"
    var failsAfter = Int.max
    func probe() -> Availability { .available(version: "1") }
    func open(_ options: MeterOptions) throws -> any MeterReader { Reader(failsAfter) }

    final class Reader: MeterReader {
      let identity = MeterIdentity(driver: "ticker", name: "ticker")
      let channels = [
        MeterChannel("main", .power, .board, accuracy: MeterAccuracy(gain: 0, source: ""))
      ]
      let period: UInt64 = 1_000_000
      let isPolled = true
      private var left: Int
      init(_ count: Int) { left = count }

      func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
        guard left > 0 else { throw Diagnostic("MTR010", "it broke") }
        left -= 1
        trace.append(Int64(Host.monotonicNanoseconds()), [1])
      }
    }
  }

  @Test func aMeterIsReadUntilItIsStopped() throws {
    let sampler = try MeterSampler(Ticker())
    while sampler.count < 5 { Host.sleep(nanoseconds: 1_000_000) }
    #expect(sampler.latest?.row == [1])
    let trace = try sampler.stop()
    #expect(trace.count >= 5 && trace.period == 1_000_000)
    #expect(zip(trace.times, trace.times.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func aMeterThatFailsIsAFaultOrANote() throws {
    let broken = try MeterSampler(Ticker(failsAfter: 0))
    while broken.fault == nil { Host.sleep(nanoseconds: 1_000_000) }
    #expect { try broken.stop() } throws: { ($0 as? Diagnostic)?.summary == "it broke" }
    let later = try MeterSampler(Ticker(failsAfter: 3))
    while later.fault == nil { Host.sleep(nanoseconds: 1_000_000) }
    let trace = try later.stop()
    #expect(trace.count == 3 && trace.notes.map(\.code) == ["MTR010"])
  }
}
