import AssayBase
import AssayHost
import AssayTestSupport
import Testing

/// The way from nothing to a detector: generate, train, detect, convert, follow.
@Suite(.serialized)
struct AnomalyTests {
  /// A series of 4000 samples with two anomalies.
  private func generate(_ folder: String, seed: Int = 1) throws {
    let made = try assay(
      ["data", "mackey-glass", "--seed", "\(seed)", "--length", "4000", "--anomalies", "2"]
        + ["--min-distance", "800", "--base-length", "6000", "-o", "series.csv"],
      in: folder
    )
    #expect(made.status == 0, "\(made.errors)")
  }

  /// A detector that was hardly trained.
  private func train(_ folder: String, _ more: [String] = []) throws -> CommandRun {
    try assay(
      ["train", "tcn-autoencoder", "-s", "series.csv", "-o", "detector", "--steps", "3"]
        + ["--window", "210", "--length", "210", "--filters", "4", "--kernel", "3", "-q"] + more,
      in: folder
    )
  }

  @Test("generate, train, detect with both statistics, draw, and follow")
  func wholeWay() throws {
    try withFolder { folder in
      try generate(folder)
      let trained = try train(folder)
      #expect(trained.status == 0, "\(trained.errors)")
      let files = try Host.list(folder + "/detector")
      for name in ["", "_float16", "_dynamic_int8", "_static_int8"] {
        #expect(files.contains("model\(name).tflite") && files.contains("model\(name).onnx"))
      }
      #expect(files.contains("detector.json") && files.contains("windows.npy"))
      #expect(!files.contains("training.checkpoint"))

      let usual = try assay("detect", "detector", "-s", "series.csv", "--json", "-", in: folder)
      #expect(usual.status == 0, "\(usual.errors)")
      let found = try usual.json()
      #expect(found["events"]?.int == 2 && found["falsePositives"]?.int == 0)
      #expect(found["detected"]?.int != nil && found["threshold"]?.double != nil)
      #expect(found["scores"]?.array?.count == 4000 - 127 && found["firstSample"]?.int == 127)

      let stored = try assay(
        ["detect", "detector", "-s", "series.csv", "--statistics", "stored", "--json", "-"]
          + ["--threshold", "quantile:0.9", "-o", "page.html"],
        in: folder
      )
      let scores = (try stored.json()["scores"]?.array ?? []).compactMap(\.double)
      let page = try MappedFile(path: folder + "/page.html").view.utf8 ?? ""
      #expect(page.contains("Close up") && !page.contains("http://"))
      for name in ["plot.svg", "plot.png"] {
        let drawn = try assay("detect", "detector", "-s", "series.csv", "-o", name, in: folder)
        #expect(drawn.status == 0 && Host.exists(folder + "/" + name), "\(drawn.errors)")
      }

      // The same samples as they come, from a file that nobody adds to.
      let followed = try assay(
        ["detect", "detector", "-s", "series.csv", "--follow", "--idle", "0", "--json", "-"],
        in: folder
      )
      #expect(followed.status == 0, "\(followed.errors)")
      #expect(followed.errors.contains("samples after its own sample"))
      let lines = followed.output.split(separator: "\n")
      #expect(lines.count == scores.count)
      for (index, line) in lines.enumerated() where index % 97 == 0 || index > lines.count - 60 {
        let json = try JSON(parsing: String(line))
        #expect(json["sample"]?.int == index + 127)
        #expect(abs((json["score"]?.double ?? 0) - scores[index]) < 1e-5)
      }
    }
  }

  @Test("the seed decides, for any number of threads, and another one changes the network")
  func deterministic() throws {
    try withFolder { folder in
      try generate(folder)
      func model(_ more: [String]) throws -> ByteView {
        let run = try train(folder, more)
        #expect(run.status == 0, "\(run.errors)")
        return try MappedFile(path: folder + "/detector/model_static_int8.tflite").view
      }
      let first = try model(["--seed", "5", "-t", "1"]).array
      #expect(try model(["--seed", "5", "-t", "2"]).array == first)
      #expect(try model(["--seed", "6"]).array != first)
    }
  }

  @Test("bad series and options end with a code, and leave nothing behind")
  func faults() throws {
    try withFolder { folder in
      func file(_ text: String) throws { try AtomicFile.write(text, to: folder + "/series.csv") }
      func code(_ run: CommandRun) -> String {
        String(run.errors.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" })
      }
      let samples = (0..<3000).map { "\(Double($0 * 7919 % 1000) / 1000)" }
      try file((["value"] + samples).joined(separator: "\n"))
      #expect(code(try train(folder, ["--window", "5000"])) == "DTC004")
      #expect(code(try train(folder, ["--gaps", "none"])) == "CLI004")
      #expect(code(try train(folder, ["--rate", "-1"])) == "CLI006")
      #expect(code(try train(folder, ["--epochs", "3"])) == "CLI009")
      try file("value\n" + String(repeating: "3\n", count: 3000))
      #expect(code(try train(folder)) == "DTC003")
      try file("value\n1\nnan\n2\n")
      #expect(code(try train(folder)) == "DTC002")
      try file("a;b\n1;2\n3;4\n")
      #expect(code(try train(folder, ["--delimiter", ","])) == "DTC006")
      #expect(!Host.exists(folder + "/detector/model.tflite"))
      let model = "\(digits)/model.h5"
      try file((["value"] + samples).joined(separator: "\n"))
      #expect(code(try assay("detect", model, "-s", "series.csv", in: folder)) == "DTC030")
      #expect(code(try assay("detect", model, in: folder)) == "CLI005")
      #expect(
        code(try assay("detect", model, "-s", "series.csv", "--follow", in: folder)) == "DTC032"
      )
      #expect(
        code(try assay("data", "mackey-glass", "--length", "10", "-o", "x.csv", in: folder))
          == "DTC012"
      )
      #expect(code(try assay("data", "mackey-glass", in: folder)) == "CLI005")
      #expect(!Host.exists(folder + "/x.csv"))
    }
  }
}
