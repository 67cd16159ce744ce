import AssayBase
import AssayRecord

@testable import AssayReport

/// A comparison as one might come out, of samples made by a seeded generator.
enum FakeComparison {
  /// Median in ns, file in bytes, accuracy, agreement and SNR of each variant on each runtime.
  private static let figures: [(String, Int, Double, Double, Double, [String: Double])] = [
    (
      "float32", 74_312, 0.985, 1, 138.2,
      ["litert": 61_000, "onnxruntime": 52_000, "openvino": 71_000]
    ),
    (
      "float16", 39_840, 0.985, 1, 71.4,
      ["litert": 61_400, "onnxruntime": 74_000, "openvino": 70_000]
    ),
    (
      "dynamic_int8", 25_904, 0.985, 0.995, 38.9,
      ["litert": 48_000, "onnxruntime": 96_000, "openvino": 83_000]
    ),
    (
      "static_int8", 24_560, 0.98, 0.99, 30.1,
      ["litert": 19_400, "onnxruntime": 41_000, "openvino": 46_000]
    ),
    (
      "static_int8_floatio", 25_120, 0.98, 0.99, 30.2,
      ["litert": 20_100, "onnxruntime": 42_500, "openvino": 47_000]
    ),
  ]

  static func record(
    _ index: Int,
    variant: String,
    runtime: String,
    threads: Int,
    bytes: Int,
    median: Double,
    count: Int = 1200
  ) -> Record {
    var rng = SeededRNG(seed: UInt64(index + 1))
    var record = Record(
      id: "FAKE-\(index)",
      session: "FAKE",
      finishedAt: 1_795_213_157_213_288_000,
      model: .init(
        path: "assay-out/digits.\(variant).\(runtime == "litert" ? "tflite" : "onnx")",
        sha256: String(repeating: "\(index % 10)a", count: 32),
        byteCount: bytes,
        deflatedByteCount: .value(bytes * 8 / 10)
      ),
      artefact: runtime == "litert" ? "tflite" : "onnx",
      variant: variant,
      runtime: runtime,
      version: ["litert": "2.3.0", "onnxruntime": "1.31.1"][runtime] ?? "2026.4.1",
      provider: "cpu",
      device: "local",
      threads: threads
    )
    // A body, a second mode as frequency steps give it, and a tail.
    record.samples = (0..<count).map { sample in
      var value = median * (1 + 0.01 * Double(rng.normal()))
      if rng.uniform() < 0.12 { value *= 1.08 }
      if rng.uniform() < 0.015 { value *= 1.4 + 2 * Double(rng.uniform()) }
      return Int64(value * (1 + 0.0004 * Double(sample / (count / 5))))
    }
    record.rounds = [Int](repeating: count / 5, count: 5)
    record.warmup = [Int64(median * 3), Int64(median * 1.2), Int64(median)]
    record.initialization = .init(
      read: .value(81_000 + Int64(bytes)),
      compile: .value(Int64(median * 24)),
      first: .value(Int64(median * 3.1))
    )
    record.peakMemoryBytes = .value(3_100_000 + bytes * (runtime == "openvino" ? 300 : 40))
    record.placement = .object([
      "provider": runtime == "litert" ? "XNNPACK" : "CPUExecutionProvider", "placed": 9, "total": 9,
    ])
    record.operators = [
      operation("CONV_2D", "conv2d/Relu", median * 0.42),
      operation("DEPTHWISE_CONV_2D", "depthwise/Relu", median * 0.2),
      operation("CONV_2D", "pointwise/Relu", median * 0.19),
      operation("FULLY_CONNECTED", "dense", median * 0.08),
      operation("MAX_POOL_2D", "pool", median * 0.05),
      operation("SOFTMAX", "softmax", median * 0.02),
    ]
    record.environment = .object([
      "processor": "Example CPU @ 2.10GHz", "processorCount": 8, "system": "Debian GNU/Linux 12",
      "kernel": "6.1.0", "architecture": "x86_64", "clock": "CLOCK_MONOTONIC_RAW",
      "preset": "standard", "seed": 1, "loadBefore": 0.31, "nullSessionNs": 27,
    ])
    record.command = ["assay", "try", "model.h5", "--labels", "images/labels.csv"]
    record.verdict = .valid
    return record
  }

  private static func operation(_ kind: String, _ node: String, _ ns: Double) -> JSON {
    .object(["kind": .string(kind), "node": .string(node), "ns": .number(ns)])
  }

  static func report() -> ComparisonReport {
    var records: [Record] = []
    for (variant, bytes, accuracy, agreement, snr, medians) in figures {
      for runtime in ["litert", "onnxruntime", "openvino"] {
        for threads in [1, 4] {
          let median = (medians[runtime] ?? 1) * (threads == 4 ? 1.18 : 1)
          let size = runtime == "litert" ? bytes : bytes + 1900
          var record = record(
            records.count,
            variant: variant,
            runtime: runtime,
            threads: threads,
            bytes: size,
            median: median
          )
          record.accuracy = .value(accuracy)
          record.accuracyCount = 200
          record.agreement = .value(agreement)
          record.snrDb = .value(runtime == "openvino" ? snr - 0.7 : snr)
          records.append(record)
        }
      }
    }
    // One that crashed and one whose samples are too noisy.
    var crashed = records[17]
    crashed.samples = []
    crashed.rounds = []
    crashed.peakMemoryBytes = .missing(reason: "the worker ended before it was read")
    crashed.verdict = .invalid
    crashed.reasons = [
      Diagnostic("BEN110", "the worker was ended by SIGSEGV while it compiled", remedy: "report it")
    ]
    records[17] = crashed
    records[29].verdict = .invalid
    records[29].reasons = [
      Diagnostic("BEN108", "the median is known only to within 31 %", remedy: "quiet the machine")
    ]
    var original = ComparisonReport.Original(
      path: "Examples/digits/model.h5",
      sha256: String(repeating: "5c", count: 32),
      byteCount: 112_344
    )
    original.producer = "Keras 3.15.0"
    original.parameterCount = 17_706
    original.macCount = 412_160
    original.accuracy = Proportion(197, of: 200)
    var report = ComparisonReport(original: original, records: records)
    report.variants = figures.map {
      .init(
        name: $0.0,
        operatorCount: $0.0 == "static_int8_floatio" ? 11 : 9,
        certificate: "equal within its tolerance: \(Words.fixed($0.4, 1)) dB"
      )
    }
    report.data = "200 labelled images of images/labels.csv"
    report.calibration = "100 images of representative/"
    report.preprocessing =
      "color=auto,crop=none,resize=fit,filter=bilinear,scale=1/255,mean=0,std=1,layout=auto,orient=exif"
    report.version = "0.1.0"
    report.store = "sqlite:/home/someone/.local/share/assay/store.sqlite"
    return report
  }
}
