import AssayBase
import AssayCodec
import AssayHost
import AssayTestSupport
import Testing

struct ZooCommandTests {
  @Test("the list is filtered, counts come first")
  func list() throws {
    try withFolder { folder in
      let made = try assay("zoo", "list", "yolo", "--task", "detection", in: folder)
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.output.hasPrefix("5 networks of 1 families\n"))
      let json = try assay("zoo", "list", "--family", "vgg", "--json", "-", in: folder).json()
      #expect(json["networks"]?.array?.compactMap { $0["name"]?.string } == ["VGG16", "VGG19"])
      #expect(json["networks"]?.array?.first?["parameters"] == 138_357_544)
      let none = try assay("zoo", "list", "yolov9", in: folder)
      #expect(none.status == 2 || none.status == 1)
      #expect(none.errors.contains("ZOO003"))
    }
  }

  @Test("a network is built, runs, and is taken by its name in a model's place")
  func build() throws {
    try withFolder { folder in
      let home = folder + "/home"
      let words = ["zoo", "build", "resnet8-cifar10", "-o", "net.tflite", "--json", "-"]
      let made = try assay(words, in: folder, home: home)
      #expect(made.status == 0, "\(made.errors)")
      #expect(try made.json()["parameters"] == 78_666)
      let again = try assay("zoo", "build", "resnet8_cifar10", "-o", "b.tflite", in: folder)
      #expect(again.status == 0)
      let files = try ["net.tflite", "b.tflite"].map {
        try MappedFile(path: folder + "/" + $0).view
      }
      #expect(files[0].hasSameBytes(as: files[1]))
      let inspected = try assay(
        "inspect",
        "zoo:resnet8_cifar10",
        "--json",
        "-",
        in: folder,
        home: home
      )
      #expect(inspected.status == 0, "\(inspected.errors)")
      #expect(try inspected.json()["macs"]?.int == 12_501_632)
      #expect(Host.exists(home + "/cache/zoo"))
      let verified = try assay(
        "verify",
        "zoo:resnet8_cifar10.onnx",
        "net.tflite",
        in: folder,
        home: home
      )
      #expect(verified.status == 0, "\(verified.errors)")
    }
  }

  @Test("a network's name stands for a model in options, plans and the project file, too")
  func everywhere() throws {
    try withFolder { folder in
      let home = folder + "/home"
      let plan = """
        models: [zoo:kws_dscnn, {path: "zoo:MobileNet_0.25.onnx", name: slim}, zoo:MobileNet_0.25]
        recipes: [float32]
        runtimes: reference
        preset: quick
        """
      try AtomicFile.write(plan, to: folder + "/plan.yaml")
      let dry = try assay(
        ["sweep", "plan.yaml", "--dry-run", "--store", "s.sqlite", "--json", "-"],
        in: folder,
        home: home
      )
      #expect(dry.status == 0, "\(dry.errors)")
      for name in ["kws_dscnn", "slim", "MobileNet_0.25"] {
        #expect(dry.output.contains("\"\(name)\""), "\(dry.output)")
      }
      let labels = "\(digits)/images/labels.csv"
      let words = ["data", "prepare", "imagenet", "\(digits)/images", "--labels", labels]
      let made = try assay(
        words + ["--limit", "20", "--for", "zoo:resnet8_cifar10", "-o", "set"],
        in: folder,
        home: home
      )
      #expect(made.status == 0 && made.output.contains("20 pictures prepared"), "\(made.errors)")
      let judged = try assay(
        [
          "evaluate", "zoo:resnet8_cifar10.onnx", "--against", "zoo:resnet8_cifar10", "--data",
          "set",
          "--runtime", "reference", "--store", "s.sqlite", "--json", "-",
        ],
        in: folder,
        home: home
      )
      let row = try judged.json()["results"]?.array?.first
      #expect(row?["against"]?["agreement"]?.double == 1, "\(judged.output) \(judged.errors)")
      let none = try assay(words + ["--for", "zoo:x", "-o", "set"], in: folder, home: home)
      #expect(none.errors.contains("ZOO001"), "\(none.errors)")
      try AtomicFile.write("model: zoo:VGG61\n", to: folder + "/assay.yaml")
      let tried = try assay("try", "-o", "out", in: folder, home: home)
      #expect(tried.errors.contains("ZOO001"), "\(tried.errors)")
    }
  }

  @Test("what a network saw is drawn as pixels and as lines")
  func drawn() throws {
    try withFolder { folder in
      let words = [
        "run", "zoo:resnet8_cifar10", "--image", "\(digits)/images/000.png", "--runtime",
      ]
      for (name, start) in [("seen.png", "\u{89}PNG"), ("seen.svg", "<svg")] {
        let run = try assay(
          words + ["reference", "--draw", name],
          in: folder,
          home: folder + "/home"
        )
        #expect(run.status == 0, "\(run.errors)")
        let bytes = try MappedFile(path: folder + "/" + name).view
        #expect(bytes.starts(with: start.unicodeScalars.map { UInt8($0.value) }))
      }
      let svg = try MappedFile(path: folder + "/seen.svg").view.utf8
      #expect(svg?.contains("href=\"data:image/png;base64,iVBORw0KGgo") == true)
      let other = try assay(words + ["reference", "--draw", "seen.gif"], in: folder)
      #expect(other.status == 2 && other.errors.contains("CLI007"), "\(other.errors)")
    }
  }

  @Test("a run over a family is taken up where it stopped")
  func all() throws {
    try withFolder { folder in
      let words = ["zoo", "build", "--all", "--source", "mlperf", "-o", "zoo", "--format", "onnx"]
      let first = try assay(words, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("4 networks written"))
      try Host.remove(folder + "/zoo/kws_dscnn.onnx")
      let second = try assay(words, in: folder)
      #expect(second.output.contains("1 networks written"), "\(second.output)")
      #expect(second.output.contains("3 were there"))
    }
  }

  @Test("what a network has not is refused with what it has")
  func faults() throws {
    try withFolder { folder in
      let cases: [([String], String)] = [
        (["zoo", "show", "ResNet51"], "did you mean 'ResNet50'?"),
        (["zoo", "build", "VGG16", "--alpha", "0.5", "-o", "x.tflite"], "no width multiplier"),
        (["zoo", "build", "VGG16"], "--output is missing"),
        (["zoo", "build", "VGG16", "-o", "x.doc"], "CAT003"),
        (["zoo", "build", "VGG16", "--size", "big", "-o", "x.tflite"], "--size is a number"),
        (["zoo", "build", "--all", "VGG16", "-o", "x"], "exclude one another"),
        (["zoo", "show", "VGG16", "--yaml"], "not described by a text"),
        (["inspect", "zoo:VGG61"], "ZOO001"),
      ]
      for (words, part) in cases {
        let run = try assay(words, in: folder)
        #expect(run.status != 0 && run.errors.contains(part), "\(words): \(run.errors)")
      }
      #expect(!Host.exists(folder + "/x.tflite"))
    }
  }

  @Test("a described network goes out as text and comes back as a file")
  func described() throws {
    guard YAML.probe().isAvailable else { return }
    try withFolder { folder in
      let shown = try assay("zoo", "show", "random_alexnet", "--seed", "4", "--yaml", in: folder)
      #expect(shown.status == 0, "\(shown.errors)")
      let small = """
        name: small
        input: [32, 32, 3]
        classes: 4
        layers:
          - conv: 8
            strides: 2
          - repeat: 2
            layers:
              - fire: 4
          - pool: 4
          - dense: 16

        """
      try AtomicFile.write(small, to: folder + "/small.yaml")
      let made = try assay("zoo", "build", "small.yaml", "-o", "small.tflite", in: folder)
      #expect(made.status == 0, "\(made.errors)")
      #expect(Host.exists(folder + "/small.tflite"))
      try AtomicFile.write("layers: 3\n", to: folder + "/bad.yaml")
      let bad = try assay("zoo", "show", "bad.yaml", in: folder)
      #expect(bad.status == 1 && bad.errors.contains("ZOO010"), "\(bad.errors)")
    }
  }
}
