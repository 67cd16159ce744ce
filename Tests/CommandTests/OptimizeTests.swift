import AssayBase
import AssayHost
import AssayTestSupport
import Testing

/// `assay optimize` on the digits, in a folder of its own.
private func optimize(_ words: [String], in folder: String) throws -> CommandRun {
  try assay(
    ["optimize", "\(digits)/model.h5", "--preprocess", "scale=1/255"] + words,
    in: folder
  )
}

private let trained = [
  "--data", "\(digits)/training.npz", "--test", "\(digits)/images/labels.csv", "--epochs", "8",
  "--json", "-",
]

struct OptimizeTests {
  @Test(
    "a fine-tuned variant of the digits loses at most a point of accuracy",
    arguments: ["prune50", "cluster8", "qat", "prune50_channels"]
  )
  func accuracy(recipe: String) throws {
    try withFolder { folder in
      let made = try optimize(["--recipe", recipe, "-o", "out.tflite"] + trained, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let result = try made.json()
      let variant = try #require(result["variants"]?.array?.first)
      let (before, after) = (
        try #require(result["original"]?["score"]?["accuracy"]?.double),
        try #require(variant["score"]?["accuracy"]?.double)
      )
      #expect(before - after <= 0.0101, "\(before) to \(after)")
      #expect(variant["steps"]?.int == 200)
      let (deflated, original) = (
        variant["deflatedBytes"]?.int ?? .max, result["original"]?["deflatedBytes"]?.int ?? 0
      )
      #expect(deflated * 10 < original * 7)
      let layers = try #require(variant["layers"]?.array)
      switch recipe {
      case "prune50":
        #expect(layers.allSatisfy { ($0["zeros"]?.int ?? 0) * 2 == $0["weights"]?.int })
      case "cluster8": #expect(layers.allSatisfy { ($0["values"]?.int ?? 99) <= 8 })
      case "prune50_channels":
        let macs = variant["macs"]?.int ?? .max
        #expect(macs * 2 < result["original"]?["macs"]?.int ?? 0)
      default: #expect((variant["bytes"]?.int ?? .max) < 25_000)
      }
      // Nothing but the file is left, and it is a plain network.
      #expect(try Host.list(folder).filter { !$0.hasPrefix(".std") } == ["out.tflite"])
      let seen = try assay("inspect", "out.tflite", "--json", "-", in: folder)
      #expect(seen.status == 0 && !seen.output.contains("FakeQuantize"), "\(seen.errors)")
    }
  }

  @Test("several recipes become several files of a folder, in one table")
  func several() throws {
    try withFolder { folder in
      let made = try optimize(
        ["--recipe", "prune50_2x4", "--recipe", "cluster16+dynamic_int8", "-o", "out/"],
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.errors.contains("CMP010"), "nothing was trained")
      #expect(
        try Host.list(folder + "/out").sorted() == [
          "model-cluster16+dynamic_int8.tflite", "model-prune50_2x4.tflite",
        ]
      )
      #expect(made.output.hasPrefix("out/model-prune50_2x4.tflite: "), "\(made.output)")
      #expect(made.output.contains("\noriginal "), "\(made.output)")
    }
  }

  @Test(
    "what cannot be done is explained",
    arguments: [
      ([], "CLI005"), (["--recipe", "float16", "-o", "x.tflite"], "CMP003"),
      (["--recipe", "prune500", "-o", "x.tflite"], "QNT001"),
      (["--recipe", "qat", "-o", "x.tflite"], "CMP006"),
      (["--recipe", "prune50", "--epochs", "1", "-o", "x.tflite"], "CLI008"),
      (["--recipe", "prune50"], "CLI005"), (["--recipe", "prune50", "-o", "x.txt"], "CAT003"),
      (["--recipe", "prune50", "--begin", "soon", "-o", "x.tflite"], "CLI006"),
      (["--recipe", "prune50", "--only", "none*", "-o", "x.tflite"], "CMP002"),
      (
        [
          "--recipe", "prune50", "-o", "x.tflite", "--epochs", "1", "--data",
          digits + "/representative",
        ], "CMP007"
      ),
    ]
  )
  func faults(words: [String], code: String) throws {
    try withFolder { folder in
      let made = try optimize(words, in: folder)
      #expect(made.status != 0 && made.errors.contains(code), "\(made.errors)")
      #expect(try Host.list(folder).allSatisfy { $0.hasPrefix(".std") })
    }
  }

  @Test("convert names the command for steps that train")
  func convert() throws {
    try withFolder { folder in
      let made = try assay(
        "convert",
        "\(digits)/model.h5",
        "--recipe",
        "prune50+qat",
        "-o",
        "x.tflite",
        in: folder
      )
      #expect(made.status != 0 && made.errors.contains("assay optimize"), "\(made.errors)")
    }
  }
}
