import AssayBase
import AssayCodec
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

struct ConvertTests {
  @Test("both of Keras's formats convert to both targets and verify as equal")
  func float32() throws {
    try withFolder { folder in
      for source in ["model.h5", "model.keras"] {
        for target in ["out.tflite", "out.onnx"] {
          let made = try assay("convert", "\(digits)/\(source)", "-o", target, in: folder)
          #expect(made.status == 0, "\(made.errors)")
          let verified = try assay(
            "verify",
            "\(digits)/\(source)",
            target,
            "--json",
            "-",
            in: folder
          )
          #expect(verified.status == 0, "\(verified.errors)")
          #expect(try verified.json()["equal"] == true)
        }
      }
    }
  }

  @Test("a folder that is no model is refused, and left as it is")
  func folders() throws {
    try withFolder { folder in
      try Host.makeFolders(folder + "/work")
      try AtomicFile.write("mine", to: folder + "/work/notes.txt")
      let read = try assay("convert", "work", "-o", "out.tflite", in: folder)
      #expect(read.status != 0 && read.errors.contains("CAT005"), "\(read.errors)")
      let written = try assay("convert", "\(digits)/model.h5", "-o", "work/", in: folder)
      #expect(written.status != 0 && written.errors.contains("CAT"), "\(written.errors)")
      #expect(try Host.list(folder + "/work") == ["notes.txt"])
    }
  }

  @Test(
    "every recipe converts and keeps its signal",
    arguments: [
      ("float16", 50.0), ("dynamic_int8", 30), ("static_int8", 25), ("static_int8_floatio", 25),
      ("static_int8_uint8io", 25),
    ]
  )
  func recipes(recipe: String, decibels: Double) throws {
    try withFolder { folder in
      for target in ["out.tflite", "out.onnx"] {
        let made = try assay(
          "convert",
          "\(digits)/model.h5",
          "-o",
          target,
          "--recipe",
          recipe,
          "-r",
          "\(digits)/representative",
          "-p",
          "scale=1/255",
          "--json",
          "-",
          in: folder
        )
        #expect(made.status == 0, "\(made.errors)")
        #expect(try made.json()["recipe"]?.string == recipe)
        // How a quantized ONNX file reads back is FormatONNX's to test.
        guard target.hasSuffix("tflite") else { continue }
        let verified = try assay("verify", "\(digits)/model.h5", target, "--json", "-", in: folder)
        let snr = try verified.json()["outputs"]?.array?.first?["snrDb"]?.double ?? 0
        #expect(snr > decibels, "\(target): \(snr) dB")
      }
    }
  }

  @Test("what cannot be done is told by code, and no file is left")
  func refusals() throws {
    try withFolder { folder in
      try AtomicFile.write("this is no model", to: folder + "/junk.h5")
      let whole = try MappedFile(path: digits + "/model.h5").view
      try AtomicFile.write([try whole.slice(0, 5000)], to: folder + "/cut.h5")
      let cases: [(arguments: [String], code: String?, status: Int32)] = [
        (["\(digits)/model.h5", "-o", "out.xyz"], "CAT003", 1),
        (["absent.h5", "-o", "out.tflite"], "FIL001", 1),
        (["junk.h5", "-o", "out.tflite"], nil, 1),
        (["cut.h5", "-o", "out.tflite"], nil, 1),
        (["\(digits)/model.h5", "-o", "no/such/folder/out.tflite"], "FIL003", 1),
        (["\(digits)/model.h5", "-o", "out.tflite", "--recipe", "static_int"], "QNT", 1),
        (["\(digits)/model.h5", "-o", "out.tflite", "--recipe", "static_int8"], "CLI008", 2),
        (["\(digits)/model.h5"], "CLI005", 2),
      ]
      for item in cases {
        let run = try convert(item.arguments, folder)
        #expect(run.status == item.status, "\(item.arguments): \(run.errors)")
        #expect(run.errors.contains("error[\(item.code ?? "")"), "\(item.arguments): \(run.errors)")
        #expect(!Host.exists(folder + "/out.tflite"))
      }
    }
  }

  private func convert(_ arguments: [String], _ folder: String) throws -> CommandRun {
    switch arguments.count {
    case 1: try assay("convert", arguments[0], in: folder)
    case 3: try assay("convert", arguments[0], arguments[1], arguments[2], in: folder)
    default:
      try assay(
        "convert",
        arguments[0],
        arguments[1],
        arguments[2],
        arguments[3],
        arguments[4],
        in: folder
      )
    }
  }
}

struct RunTests {
  @Test("arrays go in and come out under the model's names, on the reference")
  func arrays() throws {
    try withFolder { folder in
      let image = Tensor((0..<256).map { Float($0 % 7) / 7 }, [1, 16, 16, 1])
      try AtomicFile.write(try NPZ.write([("image", image)]), to: folder + "/in.npz")
      try AtomicFile.write(try NPY.write(image), to: folder + "/in.npy")
      for input in ["in.npz", "in.npy"] {
        let run = try assay(
          "run",
          "\(digits)/model.h5",
          "--runtime",
          "reference",
          "--input",
          input,
          "-o",
          "out.npz",
          in: folder
        )
        #expect(run.status == 0, "\(run.errors)")
        let outputs = try NPZ.read(try MappedFile(path: folder + "/out.npz").view)
        #expect(outputs.map(\.name) == ["digit"])
        #expect(abs(outputs[0].tensor.floats().reduce(0, +) - 1) < 1e-5)
      }
    }
  }

  @Test("a wrong shape, a wrong name and a missing file are diagnostics")
  func refusals() throws {
    try withFolder { folder in
      let wrong = Tensor([Float](repeating: 0, count: 4), [1, 4])
      try AtomicFile.write(try NPZ.write([("image", wrong)]), to: folder + "/shape.npz")
      let run = try assay(
        "run",
        "\(digits)/model.h5",
        "--runtime",
        "reference",
        "-i",
        "shape.npz",
        in: folder
      )
      #expect(run.status == 1)
      #expect(run.errors.contains("EVL003"))
      let missing = try assay(
        "run",
        "\(digits)/model.h5",
        "--runtime",
        "reference",
        in: folder
      )
      #expect(missing.status == 2)
      let runtime = try assay("run", "\(digits)/model.h5", "--runtime", "litrt", in: folder)
      #expect(runtime.errors.contains("did you mean litert?"))
    }
  }

  @Test("a picture is told by its digit")
  func classify() throws {
    try withFolder { folder in
      let run = try assay(
        "classify",
        "\(digits)/model.h5",
        "--runtime",
        "reference",
        "--images",
        "\(digits)/images",
        "-p",
        "scale=1/255",
        "--repeat",
        "1",
        "--json",
        "-",
        in: folder
      )
      #expect(run.status == 0, "\(run.errors)")
      let images = try run.json()["images"]?.array ?? []
      #expect(images.count == 200)
      #expect(images.allSatisfy { ($0["score"]?.double ?? 0) > 0 && ($0["ns"]?.int ?? 0) > 0 })
    }
  }

  @Test("names of more or fewer classes than the network tells are noticed")
  func otherNames() throws {
    try withFolder { folder in
      let picture = "\(digits)/images/000.png"
      for words in [["classify", "--images"], ["run", "--image"]] {
        func errors(_ names: String) throws -> String {
          let run = try assay(
            [
              words[0], "\(digits)/model.h5", words[1], picture, "--runtime", "reference",
              "-p", "scale=1/255", "--label-names", names,
            ],
            in: folder,
            home: folder + "/home"
          )
          #expect(run.status == 0, "\(run.errors)")
          return run.errors
        }
        #expect(try errors("voc").contains("warning[DAT032]"))
        let ten = (0..<10).map { "\($0)\n" }.joined()
        try AtomicFile.write(ten, to: folder + "/ten.txt")
        #expect(try !errors("ten.txt").contains("DAT032"))
      }
    }
  }
}

struct QuantizeCommandTests {
  private let data = ["-r", "\(digits)/representative", "-p", "scale=1/255"]

  @Test("recipes are listed, shown, and read back from a file")
  func recipes() throws {
    try withFolder { folder in
      let list = try assay("recipe", "list", in: folder)
      #expect(list.status == 0 && list.output.contains("weight_int4_b32"))
      #expect(
        try assay("recipe", "list", "--json", "-", in: folder).json()["recipes"]?.array != nil
      )
      let shown = try assay("recipe", "show", "mse+int16x8_floatio", "--json", "r.json", in: folder)
      #expect(shown.status == 0 && shown.output.contains("\"int16x8\""))
      let again = try assay("recipe", "show", "r.json", "--json", "-", in: folder)
      #expect(try again.json()["name"]?.string == "mse+int16x8_floatio")
      for (words, code) in [
        (["show"], "CLI005"), (["paint"], "CLI004"), (["list", "x"], "CLI005"),
        (["show", "statc_int8"], "QNT001"), (["show", "absent.json"], "FIL001"),
      ] {
        let run = try assay(["recipe"] + words, in: folder)
        #expect(run.status != 0 && run.errors.contains("error[\(code)"), "\(words): \(run.errors)")
      }
      try AtomicFile.write("{\"scheme\": \"static_int8\", \"skip\": []}", to: folder + "/bad.json")
      try AtomicFile.write("{\"scheme\": ", to: folder + "/cut.json")
      for file in ["bad.json", "cut.json"] {
        let run = try assay(["recipe", "show", file], in: folder)
        #expect(run.status == 1 && run.errors.contains(file), "\(run.errors)")
      }
    }
  }

  @Test("what is skipped stays in floats, and a target of integers refuses that by name")
  func overrides() throws {
    try withFolder { folder in
      let convert = [
        "convert", "\(digits)/model.h5", "-o", "out.tflite", "--recipe", "static_int8",
      ]
      let kept = try assay(
        convert + data + ["--skip", "conv*", "--keep-float", "Softmax", "--json", "-"],
        in: folder
      )
      #expect(kept.status == 0, "\(kept.errors)")
      let seen = try assay("inspect", "out.tflite", "--json", "-", in: folder)
      #expect(seen.status == 0, "\(seen.errors)")
      let whole = try assay(convert + data + ["--json", "-"], in: folder)
      let more = try kept.json()["operators"]?.int ?? 0
      #expect(more > (try whole.json()["operators"]?.int ?? 0))
      let refused = try assay(
        convert + data + ["--keep-float", "softmax", "--fallback", "refuse"],
        in: folder
      )
      #expect(refused.status == 1 && refused.errors.contains("error[QNT021"), "\(refused.errors)")
      let unused = try assay(convert + data + ["--skip", "no_such*"], in: folder)
      #expect(unused.status == 0 && unused.errors.contains("warning[QNT016"), "\(unused.errors)")
    }
  }

  @Test("an option of another format is refused, not passed over")
  func optionsOfOthers() throws {
    try withFolder { folder in
      for (output, words) in [
        ("out.tflite", ["--opset", "17"]), ("out.onnx", ["--ir-version", "10"]),
        ("out.onnx", ["--allow-custom"]),
      ] {
        let run = try assay(["convert", "\(digits)/model.h5", "-o", output] + words, in: folder)
        #expect(run.status == 2 && run.errors.contains("error[CLI006"), "\(run.errors)")
        #expect(run.errors.contains(words[0]))
      }
      // What is quantized and stays so is not called float32.
      let integers = [
        "convert", "\(digits)/model.h5", "-o", "small.tflite", "--recipe", "static_int8",
      ]
      #expect(try assay(integers + data, in: folder).status == 0)
      let again = try assay(["convert", "small.tflite", "-o", "small.onnx"], in: folder)
      #expect(again.status == 0)
      #expect(again.output.hasPrefix("small.onnx: quantized as it was, "), "\(again.output)")
    }
  }

  @Test("the mixed choice says what it tried and holds its bound")
  func mixed() throws {
    try withFolder { folder in
      let convert = [
        "convert", "\(digits)/model.h5", "-o", "out.tflite", "--recipe", "static_int8",
      ]
      let run = try assay(convert + data + ["--max-drop", "0.0002%", "--json", "-"], in: folder)
      // Held or refused with the reason, never a silent miss.
      if run.status == 0 {
        #expect(try run.json()["mixed"]?["drop"]?.double ?? 1 <= 2e-6)
      } else {
        #expect(run.errors.contains("QNT031"), "\(run.errors)")
      }
      let loose = try assay(convert + data + ["--max-drop", "50%", "--json", "-"], in: folder)
      #expect(loose.status == 0, "\(loose.errors)")
      #expect(try loose.json()["mixed"]?["kept"]?.array?.isEmpty == true)
      #expect(try loose.json()["mixed"]?["criterion"]?.string == "agreement")
      let labelled = try assay(
        convert + data
          + ["--max-drop", "5%", "-l", "\(digits)/images/labels.csv", "--json", "-"],
        in: folder
      )
      #expect(labelled.status == 0, "\(labelled.errors)")
      #expect(try labelled.json()["mixed"]?["criterion"]?.string == "accuracy")
      for (words, code) in [
        (["--max-drop", "much"], "CLI006"),
        (["--max-drop", "1%", "--recipe", "float32"], "CLI006"),
        (["--calibration", "best"], "CLI004"), (["--fallback", "never"], "CLI004"),
        (["--max-drop", "1%", "--recipe", "dynamic_int8"], nil),
      ] as [([String], String?)] {
        let run = try assay(convert + data + words, in: folder)
        if let code {
          #expect(
            run.status == 2 && run.errors.contains("error[\(code)"),
            "\(words): \(run.errors)"
          )
        } else {
          #expect(run.status == 0, "\(words): \(run.errors)")
        }
      }
    }
  }

  @Test("weights of four bits in blocks are written, and read back as the same numbers")
  func blocks() throws {
    try withFolder { folder in
      let convert = ["convert", "\(digits)/model.h5", "--recipe", "weight_int4_b32", "-o"]
      let made = try assay(convert + ["out.tflite"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      // ONNX has them since operator set 21.
      let other = try assay(convert + ["out.onnx"], in: folder)
      #expect(other.status == 0, "\(other.errors)")
      let older = try assay(convert + ["old.onnx", "--opset", "20"], in: folder)
      #expect(older.status == 1 && older.errors.contains("error[ONX104"), "\(older.errors)")
      let verified = try assay(
        "verify",
        "\(digits)/model.h5",
        "out.tflite",
        "--json",
        "-",
        in: folder
      )
      let snr = try verified.json()["outputs"]?.array?.first?["snrDb"]?.double ?? 0
      #expect(snr > 12, "\(snr) dB: \(verified.errors)")
      // Blocks of 16 have no kernel in LiteRT.
      let refused = try assay(
        ["convert", "\(digits)/model.h5", "-o", "no.tflite", "--recipe", "weight_int4_b16"],
        in: folder
      )
      #expect(refused.status == 1 && refused.errors.contains("error[TFL111"), "\(refused.errors)")
    }
  }

  @Test("sensitivity lists every operator, the most harmful first")
  func sensitivity() throws {
    try withFolder { folder in
      let run = try assay(
        ["sensitivity", "\(digits)/model.h5", "--json", "s.json", "--top", "3"] + data,
        in: folder
      )
      #expect(run.status == 0 && run.output.contains("less harmful"), "\(run.errors)")
      let json = try JSON(parsing: MappedFile(path: folder + "/s.json").view.utf8 ?? "")
      let noise = json["operators"]?.array?.compactMap { $0["noise"]?.double } ?? []
      #expect(noise.count > 4 && noise == noise.sorted(by: >))
      let missing = try assay(["sensitivity", "\(digits)/model.h5"], in: folder)
      #expect(missing.status == 2 && missing.errors.contains("CLI008"))
    }
  }
}
