import AssayBase
import AssayHost
import AssayTestSupport
import Testing

/// Small synthetic pictures, and a training of a few steps on them.
private func scenes(in folder: String, images: Int = 64) throws {
  let made = try assay(
    "data",
    "fire-scenes",
    "-o",
    "scenes",
    "--images",
    "\(images)",
    "--size",
    "32",
    in: folder
  )
  #expect(made.status == 0, "\(made.errors)")
}

private let small = ["--size", "32", "--batch", "16", "--preset", "fast", "--no-latency"]

struct TrainCommandTests {
  @Test("synthetic pictures are two folders that say what they are")
  func pictures() throws {
    try withFolder { folder in
      try scenes(in: folder, images: 6)
      #expect(try Host.list(folder + "/scenes") == ["ABOUT.txt", "fire", "nonfire"])
      #expect(try Host.list(folder + "/scenes/fire").count == 3)
      let about = try MappedFile(path: folder + "/scenes/ABOUT.txt").view.utf8 ?? ""
      #expect(about.contains("ynthetic"))
      // The user's own files are not swept away.
      try AtomicFile.write("mine", to: folder + "/scenes/fire/photo.jpg")
      let again = try assay("data", "fire-scenes", "-o", "scenes", "--images", "6", in: folder)
      #expect(again.status != 0 && again.errors.contains("DAT046"), "\(again.errors)")
      let group = try assay("data", "--help", in: folder)
      #expect(group.status == 0 && group.output.contains("data fire-scenes"))
      let wrong = try assay("data", "fire-scene", in: folder)
      #expect(wrong.errors.contains("assay data fire-scenes"), "\(wrong.errors)")
    }
  }

  @Test(
    "one command goes from folders of pictures to a table of five variants, and goes on at once"
  )
  func fireDetection() throws {
    try withFolder { folder in
      try scenes(in: folder)
      let words =
        ["train", "fire-detection", "--data", "scenes", "-o", "out", "--epochs", "2"] + small
        + ["--tensorboard", "board", "--json", "-"]
      let made = try assay(words, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let json = try made.json()
      let variants = json["variants"]?.array ?? []
      #expect(
        variants.compactMap { $0["variant"]?.string } == [
          "float32", "dynamic_int8", "float16", "cluster8+dynamic_int8", "prune50+dynamic_int8",
        ]
      )
      #expect(variants.allSatisfy { $0["score"]?["count"]?.int == 16 })
      let sizes = variants.compactMap { $0["bytes"]?.int }
      #expect(sizes.count == 5 && sizes[1] < sizes[0] / 3 && sizes[2] < sizes[0] * 6 / 10)
      let deflated = variants.compactMap { $0["deflatedBytes"]?.int }
      #expect(deflated[3] < deflated[1] && deflated[4] < deflated[1])
      #expect(json["cautions"]?.array?.isEmpty == false)
      #expect(try Host.list(folder + "/out/models").count == 5)
      let page = try MappedFile(path: folder + "/out/report.html").view.utf8 ?? ""
      #expect(page.contains("<figcaption>loss") && page.contains("synthetic"))
      #expect(try Host.list(folder + "/board").contains("validation"))
      let labels = try MappedFile(path: folder + "/out/labels.txt").view.utf8
      #expect(labels == "fire\nnonfire\n")
      // Nothing is left to train; the result is the same.
      let again = try assay(words, in: folder)
      #expect(again.status == 0 && again.errors.contains("were done before"), "\(again.errors)")
      let before = variants.map { $0["score"] }
      #expect(try again.json()["variants"]?.array?.map { $0["score"] } == before)
      // A state of another run is not taken for this one's.
      let other = try assay(words + ["--learning-rate", "0.5"], in: folder)
      #expect(other.status != 0 && other.errors.contains("--restart"), "\(other.errors)")
    }
  }

  @Test("a run that was killed goes on to the weights of an unbroken one")
  func killed() throws {
    try withFolder { folder in
      try scenes(in: folder)
      let words =
        ["train", "fire-detection", "--data", "scenes", "--epochs", "40", "--augment", "standard"]
        + small + ["--variants", "float32"]
      let line = (words + ["-o", "broken"]).joined(separator: " ")
      let process = try ChildProcess(
        "/bin/sh",
        [
          "-c",
          "cd '\(folder)' && ('\(command)' \(line) >/dev/null 2>&1 & pid=$!; "
            + "while [ ! -e broken/state/training.state ] && kill -0 $pid; do sleep 0.02; done; "
            + "kill -9 $pid)",
        ]
      )
      _ = process.wait()
      let resumed = try assay(words + ["-o", "broken"], in: folder)
      #expect(resumed.status == 0 && resumed.errors.contains("going on after"), "\(resumed.errors)")
      let whole = try assay(words + ["-o", "whole"], in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      func model(_ name: String) throws -> String {
        sha256(try MappedFile(path: "\(folder)/\(name)/models/fire-detection-float32.tflite").view)
      }
      #expect(try model("broken") == model("whole"))
      let history = try JSON(
        parsing: MappedFile(path: folder + "/broken/history.json").view.utf8 ?? ""
      )
      #expect(history["epochs"]?.array?.compactMap { $0["epoch"]?.int } == Array(1...40))
    }
  }

  @Test("an imported classifier is trained on, and frozen layers stay as they are")
  func imported() throws {
    try withFolder { folder in
      let made = try assay(
        "train",
        "\(digits)/model.h5",
        "--data",
        "\(digits)/images/labels.csv",
        "-o",
        "out",
        "--epochs",
        "1",
        "--batch",
        "16",
        "--last",
        "1",
        "-p",
        "scale=1/255",
        "--recipes",
        "float32",
        "--no-latency",
        "--json",
        "-",
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      let accuracy = try made.json()["variants"]?.array?.first?["score"]?["accuracy"]?.double ?? 0
      #expect(accuracy > 0.8)
      #expect(made.errors.contains("1 of"), "\(made.errors)")
      let diff = try assay(
        "train",
        "\(digits)/model.h5",
        "--data",
        "\(digits)/images/labels.csv",
        "-o",
        "out2",
        "--freeze",
        "nothing*",
        in: folder
      )
      #expect(diff.status != 0 && diff.errors.contains("TRN044"), "\(diff.errors)")
    }
  }

  @Test("bad input is told by the name of the file, and nothing is left half made")
  func badInput() throws {
    try withFolder { folder in
      try scenes(in: folder, images: 12)
      func train(_ more: String...) throws -> CommandRun {
        try assay(
          ["train", "fire-detection", "--data", "scenes", "-o", "out", "--epochs", "1"] + small
            + ["--variants", "float32"] + more,
          in: folder
        )
      }
      try AtomicFile.write("no picture", to: folder + "/scenes/fire/fire_90000.png")
      let broken = try train()
      #expect(broken.status != 0 && broken.errors.contains("fire_90000.png"), "\(broken.errors)")
      let skipped = try train("--skip-broken")
      #expect(skipped.status == 0 && skipped.errors.contains("fire_90000.png"), "\(skipped.errors)")
      try Host.remove(folder + "/scenes/fire/fire_90000.png")
      try Host.makeFolders(folder + "/scenes/smoke")
      let empty = try train("--restart")
      #expect(empty.status != 0 && empty.errors.contains("'smoke'"), "\(empty.errors)")
      try Host.remove(folder + "/scenes/smoke")
      let wild = try train("--restart", "--learning-rate", "1000", "--epochs", "40")
      if wild.status != 0 { #expect(wild.errors.contains("TRN040"), "\(wild.errors)") }
      for (option, value) in [
        ("--augment", "flop"), ("--validation", "2"), ("--learning-rate", "x"), ("--size", "33"),
      ] {
        let bad = try train(option, value)
        #expect(bad.status != 0, "\(option) \(value)")
      }
      let none = try assay("train", "fire-detection", "-o", "out", in: folder)
      #expect(none.status == 2 && none.errors.contains("--data"), "\(none.errors)")
    }
  }
}
