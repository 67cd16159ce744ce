import AssayBase
import AssayHost
import AssayTestSupport
import Testing

struct EvaluateTests {
  private func evaluate(_ words: [String], in folder: String) throws -> CommandRun {
    let fixed = [
      "evaluate", "\(digits)/model.h5", "--data", "set", "--preprocess", "scale=1/255",
      "--runtime", "reference", "--store", "store.sqlite", "--json", "-",
    ]
    return try assay(fixed + words, in: folder, home: folder + "/home")
  }

  @Test("a set is prepared, evaluated in shares, and told from what is kept")
  func shares() throws {
    try withFolder { folder in
      let labels = "\(digits)/images/labels.csv"
      let prepare = [
        "data", "prepare", "imagenet", "\(digits)/images", "--labels", labels, "--limit", "60",
        "--for", "\(digits)/model.h5", "-o", "set", "--json", "-",
      ]
      let made = try assay(prepare, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      #expect(try made.json()["items"] == 60)
      // Nothing is prepared twice.
      let again = try assay(prepare, in: folder)
      #expect(try again.json()["sha256"] == made.json()["sha256"])

      let whole = try evaluate(
        ["--against", "\(digits)/model.keras", "--workers", "2"],
        in: folder
      )
      #expect(whole.status == 0, "\(whole.errors)")
      let result = try #require(try whole.json()["results"]?.array?.first)
      #expect(result["items"] == 60 && result["verdict"] == "VALID")
      #expect(try #require(result["top1"]?["value"]?.double) > 0.9)
      #expect(result["against"]?["probability"]?.double == 1)
      #expect(result["against"]?["agreement"]?.double == 1)
      let ends = (result["top1"]?["interval"]?.array ?? []).compactMap { $0.double }
      #expect(ends.count == 2 && ends[0] < 0.98 && ends[1] > ends[0])
      // Each share was answered once, whoever took it.
      let list = try assay("store", "list", "--store", "store.sqlite", "--json", "-", in: folder)
      let sweeps = try #require(try list.json()["sweeps"]?.array)
      #expect(sweeps.count == 2 && sweeps.allSatisfy { $0["trials"] == 8 && $0["finished"] == 8 })
      let id = try #require(sweeps[1]["id"]?.string)
      let ledger = try assay(
        "store",
        "show",
        id,
        "--store",
        "store.sqlite",
        "--json",
        "-",
        in: folder
      )
      let answered = (try ledger.json()["events"]?.array ?? []).filter { $0["kind"] == "answered" }
      #expect(answered.count == 8)
      // What is kept needs no run.
      let kept = try evaluate([], in: folder)
      #expect(try kept.json()["results"]?.array?.first?["itemsPerSecond"] == nil)

      let gate = try evaluate(["--min-accuracy", "99.99%"], in: folder)
      let perfect = try gate.json()["results"]?.array?.first?["top1"]?["value"]?.double == 1
      #expect(gate.status == (perfect ? 0 : 1))

      let shifted = try evaluate(["--label-offset", "1"], in: folder)
      #expect(shifted.errors.contains("EVA010"), "\(shifted.errors)")
    }
  }

  @Test("a picture that has changed since the set was prepared ends an evaluation, with what to do")
  func changed() throws {
    try withFolder { folder in
      let lines = try #require(MappedFile(path: "\(digits)/images/labels.csv").view.utf8)
        .split(separator: "\n").prefix(7)
      try Host.makeFolders(folder + "/images")
      try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: folder + "/images/labels.csv")
      let names = lines.dropFirst().map { String($0.prefix { $0 != "," }) }
      func bring(_ name: String, as other: String) throws {
        try AtomicFile.write(
          [try MappedFile(path: "\(digits)/images/\(name)").view],
          to: "\(folder)/images/\(other)"
        )
      }
      for name in names { try bring(name, as: name) }
      let made = try assay(
        ["data", "prepare", "imagenet", "images", "--labels", "images/labels.csv", "-o", "set"],
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      #expect(try evaluate([], in: folder).status == 0)
      try Host.remove(folder + "/store.sqlite")
      try bring(names[0], as: names[3])
      let run = try evaluate([], in: folder)
      #expect(run.status == 1, "\(run.output)")
      for word in ["DST013", names[3], "assay data prepare"] {
        #expect(run.errors.contains(word), "\(run.errors)")
      }
      try bring(names[3], as: names[3])
      #expect(try evaluate([], in: folder).status == 0)
    }
  }

  @Test("a results file is scored as pycocotools does")
  func results() throws {
    try withFolder { folder in
      let golden = try JSON(
        parsing: MappedFile(path: TestData.fixture("accuracy/detection.json")).view.array
      )
      try AtomicFile.write(try #require(golden["truth"]).text(), to: folder + "/truth.json")
      try AtomicFile.write(try #require(golden["segments"]).text(), to: folder + "/found.json")
      let scored = try assay(
        "evaluate",
        "--results",
        "found.json",
        "--data",
        "truth.json",
        "--json",
        "-",
        in: folder
      )
      #expect(scored.status == 0, "\(scored.errors)")
      let expected = try #require(golden["segm"]?.array?.map { $0.double ?? 0 })
      let mask = try #require(try scored.json()["mask"])
      #expect(abs((mask["mAP50_95"]?["value"]?.double ?? -1) - expected[0]) < 1e-9)
      #expect(abs((mask["mAP50"]?["value"]?.double ?? -1) - expected[1]) < 1e-9)
      #expect(mask["mAP50"]?["interval"]?.array?.count == 2)
    }
  }

  @Test("broken pictures stop a preparation, and nothing half made is taken for a set")
  func broken() throws {
    try withFolder { folder in
      try Host.makeFolders(folder + "/pictures/a")
      try AtomicFile.write("P2 2 2 255 1 2 3 4\n", to: folder + "/pictures/a/good.pgm")
      try AtomicFile.write("P2 2 2 255 1 2\n", to: folder + "/pictures/a/bad.pgm")
      let made = try assay("data", "prepare", "folder", "pictures", "-o", "set", in: folder)
      #expect(made.status == 1 && made.errors.contains("DST009"), "\(made.errors)")
      let used = try assay(
        "evaluate",
        "\(digits)/model.h5",
        "--data",
        "set",
        in: folder,
        home: folder + "/home"
      )
      #expect(used.status == 1 && used.errors.contains("not finished"), "\(used.errors)")
      let skipped = try assay(
        "data",
        "prepare",
        "folder",
        "pictures",
        "-o",
        "set",
        "--skip-broken",
        in: folder
      )
      #expect(skipped.status == 0 && skipped.output.contains("1 broken"), "\(skipped.errors)")
    }
  }

  @Test("a full disk is said, nothing is taken for a set, and the same command goes on")
  func fullDisk() throws {
    try withFolder { folder in
      // A disk of 48 kB: one in memory, for this process alone.
      let script = """
        mkdir small && mount -t tmpfs -o size=48k none small || exit 77
        prepare() {
          "\(command)" data prepare imagenet "\(digits)/images" \
            --labels "\(digits)/images/labels.csv" \
            --for "\(digits)/model.h5" -o small/set --threads 1
        }
        prepare >first 2>&1
        echo "first $?"
        test -e small/set/set.json && echo "a set"
        mount -o remount,size=16m none small
        prepare >second 2>&1
        echo "second $?"
        test -e small/set/set.json && echo "whole"
        """
      let pipe = try Pipe()
      let process = try ChildProcess(
        "/usr/bin/env",
        ["-C", folder, "unshare", "-rm", "/bin/sh", "-c", script],
        descriptors: [1: pipe.writeEnd]
      )
      pipe.closeWrite()
      let channel = LineChannel(input: pipe.readEnd, output: -1)
      var lines: [String] = []
      while case .line(let line) = channel.read() { lines.append(line) }
      let end = process.wait()
      guard end == .exited(0) else {
        print("skipping the test of a full disk: this system mounts no small one (\(end.text))")
        return
      }
      let words = Host.smallText(folder + "/first") ?? ""
      #expect(
        lines == ["first 1", "second 0", "whole"] || lines == ["first 3", "second 0", "whole"]
      )
      #expect(words.contains("No space left"), "\(words)")
    }
  }
}
