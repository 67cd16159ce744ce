import AssayBase
import AssayCodec
import AssayData
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayModels
import AssayRewrite
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

@testable import AssayDetect

/// A small autoencoder with the structure of the published one.
func smallAutoencoder(length: Int = 60, channels: Int = 1) throws -> Graph {
  var model = TCNAutoencoder()
  (model.channels, model.dilations, model.filters, model.kernel) = (channels, [1, 3], 5, 4)
  (model.bottleneck, model.latentRate) = (3, 6)
  return try canonicalized(try model.network(length: length, seed: 3).graph)
}

struct TemporalNetworkTests {
  @Test("receptive field and period of the published network")
  func published() throws {
    let network = try TemporalNetwork(
      canonicalized(try TCNAutoencoder().network(length: 1050).graph)
    )
    #expect(network.length == 1050 && network.channelCount == 1 && network.period == 42)
    // Both stacks look 588 samples back and 590 ahead, and pooling 41 either way.
    #expect(network.lookback == 2 * 588 + 41 && network.lookahead == 2 * 590 + 41)
    #expect(network.outputLength(100_000) == 99_960)
  }

  @Test("an output depends on no sample outside of its receptive field, and on its ends")
  func dependence() throws {
    let network = try TemporalNetwork(smallAutoencoder())
    let reconstruct = PiecewiseReconstruction(network)
    var rng = SeededRNG(seed: 8)
    let series = (0..<240).map { _ in rng.normal() }
    let plain = try reconstruct([series])[0]
    var reaches = (back: 0, ahead: 0)
    for changed in 100..<112 {
      var other = series
      other[changed] += 1
      let result = try reconstruct([other])[0]
      let differing = plain.indices.filter { plain[$0] != result[$0] }
      reaches.ahead = max(reaches.ahead, changed - (differing.first ?? changed))
      reaches.back = max(reaches.back, (differing.last ?? changed) - changed)
    }
    #expect(reaches.back <= network.lookback && reaches.back > network.lookback - 12)
    #expect(reaches.ahead <= network.lookahead && reaches.ahead > network.lookahead - 12)
  }

  @Test("another length computes what a network of that length computes", arguments: [1, 2])
  func lengths(channels: Int) throws {
    let short = try TemporalNetwork(smallAutoencoder(channels: channels))
    let long = try TemporalNetwork(smallAutoencoder(length: 126, channels: channels))
    var rng = SeededRNG(seed: 2)
    let series = (0..<channels).map { _ in (0..<126).map { _ in rng.normal() } }
    #expect(try short.graph(length: 126).validate() == [])
    #expect(try PiecewiseReconstruction(short)(series) == PiecewiseReconstruction(long)(series))
    #expect(throws: Diagnostic.self) { try short.graph(length: 5) }
  }

  @Test("networks that tell times apart are refused")
  func refusals() throws {
    func code(_ body: (inout Graph, ValueID) throws -> [ValueID]) throws -> String? {
      var graph = Graph(name: "x")
      let input = graph.addInput("x", TensorType(.float32, [1, 8, 1]))
      graph.outputs = try body(&graph, input)
      do {
        _ = try TemporalNetwork(graph)
        return nil
      } catch { return (error as? Diagnostic)?.code }
    }
    let dense = try code { graph, input in
      let flat = try graph.addNode("flat", Reshape([1, 8]), [input])
      let weights = graph.addConstant("w", Tensor([Float](repeating: 1, count: 64), [8, 8]))
      let made = try graph.addNode("dense", FullyConnected(), [flat[0], weights])
      return try graph.addNode("back", Reshape([1, 8, 1]), made.map { $0 })
    }
    #expect(dense == "DTC030")
    let positions = try code { graph, input in
      let bias = graph.addConstant("b", Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], [8, 1]))
      return try graph.addNode("add", Binary(.add), [input, bias])
    }
    #expect(positions == "DTC030")
    #expect(try code { graph, input in try graph.addNode("r", Unary(.relu), [input]) } == nil)
    #expect(
      try code { graph, input in try graph.addNode("s", Reverse(axes: [1]), [input]) } == "DTC030"
    )
  }
}

struct StreamingTests {
  private func state(_ network: TemporalNetwork, _ series: TimeSeries) throws -> DetectorState {
    let standardization = Standardization(of: series)
    let input = standardization.applied(to: series)
    let output = try PiecewiseReconstruction(network)(input)
    var scoring = Scoring()
    (scoring.window, scoring.average) = (16, 7)
    let errors = zip(input, output).map { Scoring.errors($0, reconstruction: $1) }
    return DetectorState(
      channels: series.channels,
      standardization: standardization,
      scoring: scoring,
      errors: ErrorStatistics(errors: errors, window: 16),
      model: "model.tflite",
      threshold: 3
    )
  }

  private func series(_ count: Int, channels: Int) -> TimeSeries {
    var rng = SeededRNG(seed: UInt64(count))
    return TimeSeries(
      channels: (0..<channels).map { "c\($0)" },
      values: (0..<channels).map { _ in
        var last = 0.0
        return (0..<count).map { _ in
          last = 0.9 * last + Double(rng.normal())
          return last + 5
        }
      }
    )
  }

  @Test(
    "chunks at any boundaries give the scores of the whole series, in time",
    arguments: [(700, 1), (701, 2), (17, 1), (40, 1)]
  )
  func chunks(count: Int, channels: Int) throws {
    let network = try TemporalNetwork(smallAutoencoder(channels: channels))
    let state = try state(network, series(900, channels: channels))
    let series = series(count, channels: channels)
    let input = state.standardization.applied(to: series)
    let output = try PiecewiseReconstruction(network)(input)
    let expected = state.scoring.scores(
      zip(input, output).map { Scoring.errors($0, reconstruction: $1) },
      Mahalanobis(state.errors)
    )
    forAll(count: 6) { rng in
      let detector = try StreamingDetector(network, state)
      var scores: [StreamingDetector.Score] = []
      var given = 0
      while given < count {
        let end = min(count, given + rng.pick([1, 1, 2, 7, 42, rng.int(1...300)]))
        let new = try detector.append(series.values.map { Array($0[given..<end]) })
        given = end
        scores += new
        // Every score that is due is there: `latency` samples after its own.
        let due = given - detector.latency - state.scoring.firstSample
        try #require(scores.count >= due, "\(scores.count) scores of \(due) that are due")
      }
      scores += try detector.finish()
      try #require(scores.count == expected.count)
      for (index, score) in scores.enumerated() {
        try #require(score.sample == index + 15)
        try #require(abs(score.score - expected[index]) < 1e-5, "\(index)")
      }
    }
  }

  @Test("a sample that is no number is refused with its place")
  func faults() throws {
    let network = try TemporalNetwork(smallAutoencoder())
    let state = try state(network, series(900, channels: 1))
    let detector = try StreamingDetector(network, state)
    _ = try detector.append([[1, 2, 3]])
    #expect(throws: Diagnostic.self) { try detector.append([[1, .nan]]) }
    var other = state
    other.channels.append("x")
    #expect(throws: Diagnostic.self) { try StreamingDetector(network, other) }
  }

  @Test("a state reads back as it was written, and a broken one is refused")
  func file() throws {
    let network = try TemporalNetwork(smallAutoencoder())
    let state = try state(network, series(300, channels: 1))
    #expect(try DetectorState(json: JSON(parsing: state.json.text())) == state)
    for key in ["schema", "mean", "errorMean", "errorCovariance", "window", "channels"] {
      var broken = state.json
      broken[key] = nil
      #expect(throws: Diagnostic.self) { try DetectorState(json: broken) }
    }
  }
}

/// The published weights on the published series.
@Suite(.enabled(if: TestData.shared != nil, "the shared data are not here"))
struct PublishedWeightsTests {
  @Test("errors, scores and peaks are those of the published weights", arguments: [2, 4])
  func golden(id: Int) throws {
    func shared(_ path: String) throws -> String { try #require(TestData.sharedFile(path)) }
    let series = try TimeSeries.read(try shared("mgab/mgab_series_\(id).csv"))
    let bytes = try MappedFile(path: try shared("models/tcn_autoencoder/tcnae40_flex_float.tflite"))
    let report = try TFLiteFormat().importGraph(
      bytes.view,
      options: ImportOptions(openShape: [1, series.count, 1])
    )
    let network = try TemporalNetwork(canonicalized(report.graph))
    #expect(network.period == 42 && network.lookahead == 1221)
    #expect(network.graph.nodes.count < 60, "\(network.graph.nodes.count) operators")
    let input = Standardization(of: series).applied(to: series)
    let output = try PiecewiseReconstruction(network, threads: 2)(input)
    let errors = Scoring.errors(input[0], reconstruction: output[0])
    let json = try JSON(parsing: MappedFile(path: shared("mgab/golden_tcnae_mgab.json")).view.array)
    let golden = try #require(json["series"]?["\(id)"])
    let logCosh = Scoring.meanLogCosh(errors[..<network.outputLength(series.count)])
    #expect(abs(logCosh - (golden["recon_logcosh_first_99960"]?.double ?? 0)) < 1e-6)
    let scoring = Scoring()
    let statistics = ErrorStatistics(errors: [errors], window: scoring.window)
    let scores = scoring.scores([errors], Mahalanobis(statistics), threads: 2)
    #expect(scores.count == 99_873)
    for (place, value) in golden["score_at"]?.pairs ?? [] {
      #expect(abs(scores[try #require(Int(place))] - (value.double ?? 0)) < 1e-3)
    }
    let labels = ScoreLabels(
      isAnomaly: try #require(series.isAnomaly),
      isIgnored: series.isIgnored,
      firstSample: scoring.firstSample
    )
    let sorted = scores.indices.filter { labels.isNormal($0) }.map { scores[$0] }.sorted()
    #expect(abs(sorted[sorted.count / 2] - (golden["median_score"]?.double ?? 0)) < 1e-3)
    let detection = try Detection(scores, .zeroFalsePositives, labels: labels, scoring: scoring)
    #expect(abs(detection.threshold - (golden["threshold_zero_fp"]?.double ?? 0)) < 1e-3)
    let events = try #require(detection.events)
    #expect(events.count(where: \.isDetected) == golden["detected_of_10"]?.int)
    let peaks = (golden["peak_per_anomaly"]?.array ?? []).compactMap(\.double)
    #expect(peaks.count == events.count)
    for (event, peak) in zip(events, peaks) { #expect(abs(event.peak - peak) < 1e-2) }
  }
}
