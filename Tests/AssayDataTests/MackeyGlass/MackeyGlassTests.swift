import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct LegacyRandomTests {
  /// NumPy 2: RandomState(5489).randint(0, 2**32, 5, dtype=uint32) is the generator's own sequence
  /// (the first outputs that Matsumoto and Nishimura publish for init_genrand(5489)).
  @Test("the generator is MT19937")
  func words() {
    var random = LegacyRandom(seed: 5489)
    #expect((0..<3).map { _ in random.next() } == [3_499_211_612, 581_869_302, 3_890_346_734])
  }

  @Test("the 10,000th number is the one that the C++ standard demands")
  func tenThousandth() {
    var random = LegacyRandom(seed: 5489)
    for _ in 0..<9999 { _ = random.next() }
    #expect(random.next() == 4_123_659_995)
  }

  @Test("normal numbers have mean 0 and deviation 1")
  func normal() {
    var random = LegacyRandom(seed: 3)
    let values = (0..<20_000).map { _ in random.normal() }
    let mean = values.reduce(0, +) / 20_000
    let square = values.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.02 && abs(square - 1) < 0.03)
  }
}

struct MackeyGlassTests {
  @Test("before the first delay is over the solution is known in closed form")
  func analytic() throws {
    let samples = try MackeyGlass().samples(19)
    // x' = c - 0.1 x with c = 0.25 * 0.9 / (1 + 0.9^10).
    let level = 0.25 * 0.9 / (1 + pow(0.9, 10)) / 0.1
    for (time, value) in samples.enumerated() {
      let expected = level + (0.9 - level) * exp(-0.1 * Double(time))
      #expect(abs(value - expected) < 1e-13, "at \(time)")
    }
    #expect(abs(samples[1] - 0.97311339) < 1e-8 && abs(samples[2] - 1.03926913) < 1e-8)
  }

  @Test("a delay later it is what a plain integration with tiny steps gives")
  func secondDelay() throws {
    // Runge and Kutta's fourth-order method on the closed form of the first delay.
    let level = 0.25 * 0.9 / (1 + pow(0.9, 10)) / 0.1
    func past(_ time: Double) -> Double { level + (0.9 - level) * exp(-0.1 * time) }
    func slope(_ time: Double, _ x: Double) -> Double {
      let y = past(time - 18)
      return 0.25 * y / (1 + pow(y, 10)) - 0.1 * x
    }
    var x = past(18)
    let step = 1.0 / 64
    for index in 0..<18 * 64 {
      let time = 18 + Double(index) * step
      let k1 = slope(time, x)
      let k2 = slope(time + step / 2, x + step / 2 * k1)
      let k3 = slope(time + step / 2, x + step / 2 * k2)
      let k4 = slope(time + step, x + step * k3)
      x += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    }
    let samples = try MackeyGlass().samples(37)
    #expect(abs(samples[36] - x) < 1e-10)
  }

  @Test("tighter tolerances and other blocks give the same solution while chaos has not grown")
  func converged() throws {
    let usual = try MackeyGlass().samples(600)
    let tight = try MackeyGlass().samples(600, tolerance: 1e-14)
    // The same equation in halved time: the delay and all rates follow.
    var scaled = MackeyGlass()
    (scaled.tau, scaled.beta, scaled.gamma, scaled.step) = (
      9.3, 0.25 * 18 / 9.3, 1.8 / 9.3, 9.3 / 18
    )
    let other = try scaled.samples(600)
    for index in usual.indices {
      #expect(abs(usual[index] - tight[index]) < 1e-8)
      #expect(abs(usual[index] - other[index]) < 1e-6)
    }
  }

  @Test("statistics are those of the published series")
  func statistics() throws {
    let samples = try MackeyGlass().samples(20_000).dropFirst(1000)
    let mean = samples.reduce(0, +) / Double(samples.count)
    let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(samples.count)
    #expect(abs(mean - 0.9608) < 0.01)
    #expect(abs(variance.squareRoot() - 0.3193) < 0.01)
    #expect(samples.allSatisfy { $0 > 0.2 && $0 < 1.7 })
  }

  @Test("neighbouring solutions part at a rate above 0, and none do without the feedback")
  func lyapunov() throws {
    let chaotic = try MackeyGlass().lyapunovExponent(steps: 8000)
    #expect(chaotic.mean > 3 * chaotic.standardError && chaotic.mean < 0.03, "\(chaotic)")
    var calm = MackeyGlass()
    calm.beta = 0.05
    #expect(try calm.lyapunovExponent(steps: 3000).mean < -0.01)
  }

  @Test("what cannot be integrated is refused")
  func refusals() {
    func code(_ change: (inout MackeyGlass) -> Void) -> String? {
      var equation = MackeyGlass()
      change(&equation)
      do {
        _ = try equation.samples(4000)
        return nil
      } catch { return (error as? Diagnostic)?.code }
    }
    #expect(code { $0.tau = 0 } == "DTC010")
    #expect(code { $0.tau = .nan } == "DTC010")
    #expect(code { $0.history = -1 } == "DTC010")
    #expect(code { $0.step = 0 } == "DTC010")
    #expect(code { ($0.exponent, $0.gamma, $0.beta) = (0.01, 0, 50) } == "DTC011")
    #expect(code { _ in } == nil)
  }
}

struct AnomalyBenchmarkTests {
  /// A smooth base that needs no data.
  private func base(_ count: Int = 9000) -> [Double] {
    (0..<count).map { index -> Double in
      let time = Double(index)
      return 1 + 0.4 * sin(time / 7) + 0.2 * sin(time / 17.3)
    }
  }

  private var small: AnomalyBenchmark {
    var benchmark = AnomalyBenchmark()
    (benchmark.length, benchmark.anomalyCount, benchmark.leastDistance) = (6000, 3, 600)
    return benchmark
  }

  @Test("a series has its cuts, labels and noise, and the seed decides")
  func series() throws {
    let made = try small.series(base: base(), seed: 4)
    #expect(made.values.count == 6000 && made.cuts.count == 3)
    #expect(made.isAnomaly.count(where: { $0 }) == 3 * 401)
    #expect(made.isIgnored.count(where: { $0 }) == 257)
    var last = 0
    for cut in made.cuts {
      #expect((101...299).contains(cut.removedCount) && cut.index > last)
      #expect(made.isAnomaly[cut.index - 200] && made.isAnomaly[cut.index + 200])
      last = cut.index
    }
    let again = try small.series(base: base(), seed: 4)
    #expect(again.values == made.values)
    #expect(try small.series(base: base(), seed: 5).cuts != made.cuts)
  }

  @Test("without noise the series is the base with its stretches taken out", arguments: [0, 3])
  func cuts(derivatives: Int) throws {
    var benchmark = small
    (benchmark.noise, benchmark.derivativeCount) = (.none, derivatives)
    let made = try benchmark.series(base: base(), seed: 1)
    var expected = base()
    for cut in made.cuts {
      expected.removeSubrange(cut.index..<cut.index + cut.removedCount)
    }
    #expect(made.values == Array(expected.prefix(6000)))
  }

  @Test("noise is of the kind that was asked for", arguments: AnomalyBenchmark.Noise.allCases)
  func noise(kind: AnomalyBenchmark.Noise) throws {
    var (noisy, clean) = (small, small)
    noisy.noise = kind
    clean.noise = .none
    let values = try noisy.series(base: base(), seed: 2).values
    let plain = try clean.series(base: base(), seed: 2).values
    let differences = zip(values, plain).map { $0 - $1 }
    let greatest = differences.map { abs($0) }.max() ?? 0
    switch kind {
    case .none: #expect(greatest == 0)
    case .uniform: #expect(greatest <= 0.01 && greatest > 0.0099)
    case .normal: #expect(greatest > 0.025 && greatest < 0.06)
    case .walk:
      let steps = zip(differences.dropFirst(), differences).map { abs($0 - $1) }
      #expect((steps.max() ?? 1) <= 0.001 + 1e-12 && greatest > 0.001)
    }
  }

  @Test("settings that make no series are refused")
  func refusals() {
    func code(_ change: (inout AnomalyBenchmark) -> Void, base count: Int = 9000) -> String? {
      var benchmark = small
      change(&benchmark)
      do {
        _ = try benchmark.series(base: base(count), seed: 1)
        return nil
      } catch { return (error as? Diagnostic)?.code }
    }
    #expect(code { $0.length = 2399 } == "DTC012")
    #expect(code { $0.noiseParameters = (1, -1) } == "DTC012")
    #expect(code { $0.searchLength = 0 } == "DTC012")
    #expect(code({ _ in }, base: 6899) == "DTC014")
    #expect(code({ _ in }, base: 6900) == nil)
    #expect(code { $0.anomalyCount = 0 } == nil)
  }

  @Test("a series reads back as it was written")
  func file() throws {
    let made = try small.series(base: base(), seed: 9)
    let read = try TimeSeries.read(ByteView(made.csv))
    #expect(read.values == [made.values] && read.channels == ["value"])
    #expect(read.isAnomaly == made.isAnomaly && read.isIgnored == made.isIgnored)
  }

  @Test("positions and cuts are those that NumPy's generator and the published method give")
  func golden() throws {
    let text = try MappedFile(path: TestData.fixture("series/mgab.json")).view
    let golden = try JSON(parsing: text.array)
    for entry in golden["cases"]?.array ?? [] {
      let seed = UInt32(entry["seed"]?.int ?? -1)
      let made = try small.series(base: base(), seed: seed)
      #expect(made.cuts.map(\.index) == entry["cuts"]?.ints)
      #expect(made.cuts.map(\.removedCount) == entry["removed"]?.ints)
      for (index, value) in zip(entry["at"]?.ints ?? [], entry["values"]?.array ?? []) {
        #expect(abs(made.values[index] - (value.double ?? 0)) < 1e-12)
      }
    }
  }

  @Test(
    "the published series 2 and 4 come from their chunks and seeds",
    .enabled(if: TestData.shared != nil, "the shared data are not here"),
    arguments: [(1, 2), (3, 4)]
  )
  func published(chunk: Int, series: Int) throws {
    let path = try #require(TestData.sharedFile("mgab/mackey_glass_chunk\(chunk).npy"))
    let base = try TimeSeries.read(path)
    let made = try AnomalyBenchmark().series(base: base.values[0], seed: UInt32(chunk))
    let expected = try TimeSeries.read(
      try #require(TestData.sharedFile("mgab/mgab_series_\(series).csv"))
    )
    let differences = zip(made.values, expected.values[0]).map { abs($0 - $1) }
    #expect((differences.max() ?? 1) < 1e-9)
    #expect(made.isAnomaly == expected.isAnomaly && made.isIgnored == expected.isIgnored)
    let cuts = [
      2: [33108, 40166, 45076, 54893, 59647, 62562, 72523, 79703, 85649, 87931],
      4: [41310, 46088, 51165, 53897, 62274, 65284, 74373, 78085, 83386, 87020],
    ]
    #expect(made.cuts.map(\.index) == cuts[series])
  }
}
