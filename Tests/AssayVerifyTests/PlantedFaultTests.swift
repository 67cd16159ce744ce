import AssayBase
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayQuantize
import AssayRewrite
import AssayTensor
import AssayTestSupport
import AssayVerify
import FormatKeras
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Seeded mistakes in variants of real networks, and whether the certificate names the operator.
///
/// 60 faults in a debug build, 500 in a release one; `ASSAY_FAULTS` sets another number.
@Suite struct PlantedFaultTests {
  private static var count: Int {
    if let text = unsafe getenv("ASSAY_FAULTS").map({ unsafe String(cString: $0) }),
      let number = Int(text)
    {
      return number
    }
    #if DEBUG
    return 60
    #else
    return 500
    #endif
  }

  @Test func faultsAreFoundAtTheirOperator() throws {
    let subjects = try Subject.all()
    var tally = Tally()
    for number in 0..<Self.count {
      var rng = SeededRNG(seed: UInt64(number) &+ 1)
      let subject = subjects[number % subjects.count]
      guard let planted = PlantedFault.plant(in: subject.variant, &rng) else { continue }
      try tally.judge(planted.graph, planted.fault, subject, number)
      if unsafe getenv("DEBUGFAULT").map({ unsafe String(cString: $0) }) == "\(number)" {
        let c = try subject.certificate(of: planted.graph); print(c.text);
        for o in c.operators {
          print(o.text, o.local?.nodes ?? [], o.isSuspect, o.evidence, o.local?.tolerance as Any)
        }; print(subject.original.dump()); print(planted.graph.dump())
      }
    }
    print(tally.text)
    // At least 99 in 100 of the faults that change anything.
    #expect(tally.found * 100 >= (tally.planted - tally.equivalent.count) * 99, "\(tally.text)")
    #expect(tally.planted * 10 >= Self.count * 9)
  }

  @Test func soundVariantsHaveNoSuspects() throws {
    for subject in try Subject.all() {
      let certificate = try subject.certificate(of: subject.variant)
      #expect(certificate.equal, "\(subject.name): \(certificate.text)")
      let words = certificate.suspects.map(\.text).joined(separator: "\n")
      #expect(certificate.suspects.isEmpty, "\(subject.name): \(words)")
      #expect(
        certificate.coverage.alone * 10 >= certificate.coverage.operators * 9,
        "\(subject.name)"
      )
    }
  }
}

/// A network, a variant of it, and inputs.
private struct Subject {
  var name: String
  var original: Graph
  var variant: Graph
  var probes: [Probe]

  /// Real networks in several recipes; those of the shared data where these are there.
  static func all() throws -> [Subject] {
    var paths = [TestData.package + "/Examples/digits/model.keras"]
    for name in ["resnet8_cifar10.h5", "ad01.h5", "vww_96.h5"] {
      if let path = TestData.sharedFile("models/mlperf_tiny/" + name) { paths.append(path) }
    }
    var subjects: [Subject] = []
    for path in paths {
      let original = try KerasFormat().importGraph(
        MappedFile(path: path).view,
        options: ImportOptions(path: path)
      ).graph
      subjects += try variants(of: original, name: path.split(separator: "/").suffix(1).joined())
    }
    for seed in 1...6 as ClosedRange<UInt64> {
      var rng = SeededRNG(seed: seed)
      let graph = try RandomGraph.make(&rng, length: 10)
      let variant = try canonicalized(graph)
      subjects.append(
        Subject(
          name: "random \(seed)",
          original: graph,
          variant: variant,
          probes: probes(graph)
        )
      )
    }
    return subjects
  }

  private static func probes(_ graph: Graph) -> [Probe] {
    [Probe.seeded(graph, seed: 7)] + Probe.adversarial(graph, seed: 7)
  }

  private static func variants(of original: Graph, name: String) throws -> [Subject] {
    let canonical = try canonicalized(original)
    let calibrator = try Calibrator(canonical)
    for seed in 7..<11 as Range<UInt64> {
      try calibrator.observe(Probe.seeded(canonical, seed: seed).arrays)
    }
    return try [Recipe.float32, .staticInt8, .float16, .dynamicInt8].map { recipe in
      let variant = try Quantizer().apply(
        recipe,
        to: canonical,
        calibration: calibrator.calibration
      )
      return Subject(
        name: "\(name) \(recipe.name)",
        original: original,
        variant: variant.graph,
        probes: probes(original)
      )
    }
  }

  func certificate(of variant: Graph) throws -> Certificate {
    try Certificate.compare(original: original, variant: variant, probes: probes)
  }
}

/// What became of the faults.
private struct Tally {
  var planted = 0
  var found = 0
  var equivalent: [String] = []
  var missed: [String] = []

  mutating func judge(
    _ graph: Graph,
    _ fault: PlantedFault,
    _ subject: Subject,
    _ number: Int
  ) throws {
    planted += 1
    let certificate = try subject.certificate(of: graph)
    let place =
      certificate.firstDivergence ?? certificate.suspects.first ?? certificate.cutters.first
    if place?.node == fault.node {
      found += 1
    } else if place == nil, try Self.isEquivalent(graph, fault, subject) {
      equivalent.append("\(number) \(subject.name): \(fault)")
    } else {
      let named = place.map { "named \($0.text)" } ?? "named nothing"
      missed.append("\(number) \(subject.name): \(fault); \(named)")
    }
  }

  /// Whether the faulty operator, or at least the whole network, makes the same bits as the sound one:
  /// on all that the certificate looked at, and on eight seeded inputs more.
  private static func isEquivalent(
    _ graph: Graph,
    _ fault: PlantedFault,
    _ subject: Subject
  ) throws -> Bool {
    let more = (100..<108 as Range<UInt64>).map { Probe.seeded(subject.original, seed: $0) }
    var isOperatorSame = true
    var areOutputsSame = true
    for probe in subject.probes + more {
      let sound = try results(of: subject.variant, probe, fault)
      let faulty = try results(of: graph, probe, fault)
      isOperatorSame = isOperatorSame && sound.operator == faulty.operator
      areOutputsSame = areOutputsSame && sound.outputs == faulty.outputs
    }
    return isOperatorSame || areOutputsSame
  }

  private static func results(
    of graph: Graph,
    _ probe: Probe,
    _ fault: PlantedFault
  ) throws -> (operator: [[Float]], outputs: [[Float]]) {
    var values: [[Float]] = []
    let outputs = try Evaluator(graph).run(renamed(probe.arrays, graph)) { id, tensor in
      if isResult(id, of: fault, graph) { values.append(tensor.floats()) }
    }
    return (values, outputs.map { $0.tensor.floats() })
  }

  private static func isResult(_ id: ValueID, of fault: PlantedFault, _ graph: Graph) -> Bool {
    graph.nodes.contains { $0.name == fault.node && $0.outputs.contains(id) }
  }

  private static func renamed(_ arrays: [String: Tensor], _ graph: Graph) -> [String: Tensor] {
    graph.inputs.count == 1 && arrays.count == 1
      ? [graph[graph.inputs[0]].name: arrays.first?.value].compactMapValues { $0 } : arrays
  }

  var text: String {
    let changing = planted - equivalent.count
    let rate = changing > 0 ? Double(found) / Double(changing) : 0
    return "planted faults: \(found) of \(changing) found at their operator "
      + "(\(Words.percent(rate))), \(equivalent.count) shown to change nothing\n"
      + missed.map { "  missed \($0)\n" }.joined()
      + equivalent.map { "  equivalent \($0)\n" }.joined()
  }
}
