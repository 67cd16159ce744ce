import AssayBase
import AssayCodec
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

struct VerifyTests {
  /// Copies the example with the bytes of one weight changed, as .tflite.
  private func damaged(in folder: String) throws {
    let made = try assay("convert", "\(digits)/model.h5", "-o", "good.tflite", in: folder)
    #expect(made.status == 0, "\(made.errors)")
    var bytes = try MappedFile(path: folder + "/good.tflite").view.array
    // The middle of the file is weights: their signs are turned.
    let third = bytes.count / 3 / 4 * 4
    for offset in stride(from: third, to: 2 * third, by: 4) { bytes[offset + 3] ^= 0x80 }
    try AtomicFile.write([ByteView(bytes)], to: folder + "/bad.tflite")
  }

  @Test("a damaged file is not equal, the operator is named and written with its inputs")
  func bisection() throws {
    try withFolder { folder in
      try damaged(in: folder)
      let run = try assay(
        "verify",
        "\(digits)/model.h5",
        "bad.tflite",
        "--bisect",
        "bug",
        "--html",
        "page.html",
        "--json",
        "out.json",
        in: folder
      )
      #expect(run.status == 1, "\(run.errors)")
      #expect(run.output.hasPrefix("NOT equal"))
      let json = try JSON(parsing: MappedFile(path: folder + "/out.json").view.utf8 ?? "")
      #expect(json["schema"] == "assay.certificate/1")
      #expect(json["firstDivergence"]?["alone"]?["within"] == false)
      let page = try MappedFile(path: folder + "/page.html").view.utf8 ?? ""
      #expect(page.contains("Not equal: first at"))
      for name in ["operator.tflite", "original.tflite", "certificate.json", "README.txt"] {
        #expect(Host.kind(of: folder + "/bug/" + name) == .file, "\(name)")
      }
      let expected = try NPZ.read(MappedFile(path: folder + "/bug/expected.npz").view)
      let found = try NPZ.read(MappedFile(path: folder + "/bug/found.npz").view)
      #expect(expected.count == 1 && found.count == 1)
      #expect(expected[0].tensor.shape == found[0].tensor.shape)
      // What the folder says to run shows the fault again, and the original does not.
      let again = try assay(
        "verify",
        "bug/operator.tflite",
        "bug/expected.npz",
        "--input",
        "bug/inputs.npz",
        in: folder
      )
      #expect(again.status == 1, "\(again.errors)")
      let sound = try assay(
        "verify",
        "bug/operator.tflite",
        "bug/found.npz",
        "--input",
        "bug/inputs.npz",
        in: folder
      )
      #expect(sound.status == 0, "\(sound.output)\(sound.errors)")
    }
  }

  @Test("conversion says that the file was compared, and keeps the certificate if asked")
  func conversion() throws {
    try withFolder { folder in
      let quick = try assay("convert", "\(digits)/model.h5", "-o", "a.tflite", in: folder)
      #expect(quick.output.contains("equal within"), "\(quick.output)\(quick.errors)")
      let none = try assay(
        "convert",
        "\(digits)/model.h5",
        "-o",
        "a.tflite",
        "--no-verify",
        "--json",
        "-",
        in: folder
      )
      #expect(try none.json()["certificate"]?.isNull == true)
      let full = try assay(
        "convert",
        "\(digits)/model.h5",
        "-o",
        "a.onnx",
        "--certificate",
        "c.json",
        in: folder
      )
      #expect(full.status == 0, "\(full.errors)")
      let json = try JSON(parsing: MappedFile(path: folder + "/c.json").view.utf8 ?? "")
      #expect(json["equal"] == true)
      #expect(json["trials"]?.array?.count == 4)
      #expect((json["coverage"]?["compared"]?.int ?? 0) >= 5)
    }
  }

  @Test("what is missing or makes no sense is a diagnostic")
  func refusals() throws {
    try withFolder { folder in
      let alone = try assay("verify", "\(digits)/model.h5", in: folder)
      #expect(alone.status == 2)
      #expect(alone.errors.contains("VARIANT is missing"))
      let missing = try assay("verify", "\(digits)/model.h5", "none.tflite", in: folder)
      #expect(missing.status != 0)
      #expect(missing.errors.contains("none.tflite"))
      let outputs = try assay("verify", "\(digits)/model.h5", "none.npz", in: folder)
      #expect(outputs.status == 2)
      #expect(outputs.errors.contains("--input"))
      try AtomicFile.write("no model", to: folder + "/bad.tflite")
      let broken = try assay("verify", "\(digits)/model.h5", "bad.tflite", in: folder)
      #expect(broken.status == 1)
      let other = Tensor([1.0 as Float], [1])
      try AtomicFile.write(try NPZ.write([("other", other)]), to: folder + "/in.npz")
      let input = try assay(
        "verify",
        "\(digits)/model.h5",
        "\(digits)/model.keras",
        "--input",
        "in.npz",
        in: folder
      )
      #expect(input.status == 1)
      #expect(input.errors.contains("EVL00"))
    }
  }
}

struct DiffTests {
  @Test("the two files of one network do not differ; a quantized one does")
  func answers() throws {
    try withFolder { folder in
      let same = try assay("diff", "\(digits)/model.h5", "\(digits)/model.keras", in: folder)
      #expect(same.status == 0, "\(same.output)\(same.errors)")
      #expect(same.output.hasPrefix("no difference"))
      let made = try assay(
        "convert",
        "\(digits)/model.h5",
        "-o",
        "half.tflite",
        "--recipe",
        "float16",
        in: folder
      )
      #expect(made.status == 0)
      let differs = try assay(
        "diff",
        "\(digits)/model.h5",
        "half.tflite",
        "--canonical",
        "--json",
        "-",
        in: folder
      )
      #expect(differs.status == 1, "\(differs.errors)")
      let json = try differs.json()
      #expect(json["schema"] == "assay.diff/1")
      #expect((json["weights"]?.array?.count ?? 0) > 0)
      let missing = try assay("diff", "\(digits)/model.h5", "none.h5", in: folder)
      #expect(missing.status != 0 && missing.errors.contains("none.h5"))
      #expect(try assay("diff", "\(digits)/model.h5", in: folder).status == 2)
    }
  }
}

struct InspectPageTests {
  @Test("the graph is written as a page with errors of a certificate")
  func page() throws {
    try withFolder { folder in
      let made = try assay(
        "convert",
        "\(digits)/model.h5",
        "-o",
        "a.tflite",
        "--certificate",
        "c.json",
        in: folder
      )
      #expect(made.status == 0, "\(made.errors)")
      let run = try assay(
        "inspect",
        "a.tflite",
        "--html",
        "a.html",
        "--certificate",
        "c.json",
        in: folder,
        home: folder
      )
      #expect(run.status == 0, "\(run.errors)")
      let page = try MappedFile(path: folder + "/a.html").view.utf8 ?? ""
      #expect(page.contains("<option value=\"e\">"))
      #expect(page.contains("Conv2D"))
      let wrong = try assay(
        "inspect",
        "a.tflite",
        "--html",
        "b.html",
        "--certificate",
        "a.html",
        in: folder,
        home: folder
      )
      #expect(wrong.status != 0)
      #expect(Host.kind(of: folder + "/b.html") == nil)
    }
  }
}
