import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayTensor
import AssayTestSupport
import FormatKeras
import Testing

/// What is refused, in which words; and that nothing crashes.
@Suite struct KerasRefusalTests {
  /// An archive whose model has these layers, in Keras 3's form, and no weights.
  static func archive(_ config: String) throws -> ByteView {
    var writer = ZipWriter()
    try writer.add("config.json", [ByteView(Array(config.utf8))])
    let weights = try MappedFile(path: TestData.fixture("codec/earliest.h5")).view
    try writer.add("model.weights.h5", [weights])
    return ByteView(writer.finish().flatMap(\.array))
  }

  static func sequential(_ layers: [String], shape: String = "[null, 8, 8, 4]") throws -> ByteView {
    let input = #"{"class_name": "InputLayer", "config": {"batch_shape": \#(shape), "name": "x"}}"#
    let all = ([input] + layers).joined(separator: ",")
    return try archive(
      #"{"class_name": "Sequential", "config": {"name": "m", "layers": [\#(all)]}}"#
    )
  }

  static func layer(_ className: String, _ name: String, _ config: String = "") -> String {
    let rest = config.isEmpty ? "" : ", " + config
    return #"{"module": "keras.layers", "class_name": "\#(className)", "#
      + #""config": {"name": "\#(name)"\#(rest)}}"#
  }

  static func findings(_ bytes: ByteView) -> [Diagnostic] {
    do {
      _ = try KerasFormat().importGraph(bytes, options: ImportOptions())
      return []
    } catch let fault as Diagnostic {
      return [fault]
    } catch let several as Diagnostics {
      return several.all
    } catch {
      Issue.record("\(error)")
      return []
    }
  }

  @Test func namesEveryLayerThatItDoesNotKnowAtOnce() throws {
    let found = Self.findings(
      try Self.sequential([
        Self.layer("Lambda", "code"), Self.layer("ReLU", "fine"),
        Self.layer("ConvLSTM2D", "memory"),
        Self.layer("RNN", "own", ##""cell": {"class_name": "MyCell", "config": {}}"##),
        Self.layer("Activation", "bent", #""activation": "sigmoit""#),
        Self.layer("UpSampling2D", "up", #""interpolation": "lanczos5""#),
      ])
    )
    #expect(found.map(\.code) == ["KER006", "KER006", "KER007", "KER007", "KER007"])
    #expect(
      found.map { $0.location.first ?? "" } == [
        "layer 'code' (Lambda)", "layer 'memory' (ConvLSTM2D)", "layer 'own' (RNN)",
        "layer 'bent' (Activation)", "layer 'up' (UpSampling2D)",
      ]
    )
    #expect(found.allSatisfy { $0.code != "KER007" || $0.location.count == 2 })
    #expect(found[3].remedy == "did you mean 'sigmoid'?")
  }

  @Test func notesAnotherPrecisionAndRefusesQuantizedLayers() throws {
    func policy(_ name: String) -> String {
      #""dtype": {"class_name": "DTypePolicy", "config": {"name": "\#(name)"}}"#
    }
    let mixed = try Self.sequential([
      Self.layer("ReLU", "a", policy("mixed_float16")),
      Self.layer("ReLU", "b", #""dtype": "float16""#),
    ])
    let report = try KerasFormat().importGraph(mixed, options: ImportOptions())
    #expect(report.diagnostics.map(\.code) == ["KER010"])
    #expect(report.diagnostics.first?.severity == .note)
    let quantized = try Self.sequential([Self.layer("ReLU", "a", policy("int8_from_float32"))])
    #expect(Self.findings(quantized).map(\.code) == ["KER007"])
  }

  @Test func takesOwnActivationsByTheirNames() throws {
    let known = try Self.sequential([
      Self.layer("Custom>HardSwish", "a", #""dtype": "float32""#),
      Self.layer("Activation", "b", #""dtype": "float32", "activation": "my.package>relu6""#),
      Self.layer(
        "Activation",
        "c",
        #""dtype": "float32", "activation": {"class_name": "Mish", "config": {}}"#
      ),
    ])
    let report = try KerasFormat().importGraph(known, options: ImportOptions())
    #expect(report.graph.nodes.prefix(2).map(\.op.name) == ["HardSwish", "ReLU6"])
    #expect(report.diagnostics.map(\.code) == ["KER012"])
    let other = try Self.sequential([Self.layer("Custom>Square", "a", #""dtype": "float32""#)])
    #expect(Self.findings(other).map(\.code) == ["KER006"])
  }

  @Test func namesTheWeightsThatAreMissing() throws {
    let found = Self.findings(
      try Self.sequential([
        Self.layer("DepthwiseConv2D", "conv", #""kernel_size": [3, 3], "dtype": "float32""#)
      ])
    )
    #expect(found.map(\.code) == ["KER004"], "\(found)")
    #expect(found.first?.location.first == "layer 'conv' (DepthwiseConv2D)")
  }

  @Test func saysThatAFileHoldsWeightsOnly() throws {
    // The first holds groups as Keras 3's weights do, the second is the index of several files.
    let bytes = try MappedFile(path: TestData.fixture("codec/earliest.h5")).view
    let index = ByteView(Array(#"{"metadata": {"total_size": 1000}, "weight_map": {}}"#.utf8))
    for file in [bytes, index] {
      #expect(KerasFormat().sniff(file))
      let found = Self.findings(file)
      #expect(found.map(\.code) == ["KER001"])
      #expect(found.first?.summary.contains("file of weights") == true)
      #expect(found.first?.remedy?.contains("model.load_weights") == true)
    }
  }

  @Test func asksForOpenExtents() throws {
    let bytes = try Self.sequential([Self.layer("ReLU", "r")], shape: "[null, null, 8, 4]")
    #expect(Self.findings(bytes).map(\.code) == ["KER009"])
    let options = ImportOptions(batch: 2, shapes: ["x": [3, 6, 9, 9]])
    let graph = try KerasFormat().importGraph(bytes, options: options).graph
    #expect(graph[graph.inputs[0]].type.shape == [3, 6, 8, 4])
  }

  @Test(arguments: [
    // A layer that waits for itself.
    (
      #"{"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "ReLU", "#
        + #""name": "r", "config": {"name": "r", "dtype": "float32"}, "inbound_nodes": [[["r", 0, 0, {}]]]}], "#
        + #""input_layers": [], "output_layers": [["r", 0, 0]]}}"#, "KER003"
    ),
    // Two layers of one name.
    (
      #"{"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "InputLayer","#
        + #""config": {"batch_shape": [null, 4], "name": "x"}}, {"class_name": "ReLU", "config": "#
        + #"{"name": "x"}}]}}"#, "KER003"
    ),
    // No layers at all.
    (#"{"class_name": "Sequential", "config": {"name": "m", "layers": []}}"#, "KER003"),
    // A class of the user's.
    (#"{"class_name": "MyModel", "config": {"name": "m"}}"#, "KER002"),
    // Numbers that no computer holds.
    (
      #"{"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "InputLayer","#
        + #""config": {"batch_shape": [9223372036854775807, 9223372036854775807], "name": "x"}}]}}"#,
      "KER003"
    ),
    (
      #"{"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "InputLayer","#
        + #""config": {"batch_shape": [1, 4, 4, 1], "name": "x"}}, {"class_name": "ZeroPadding2D", "#
        + #""config": {"name": "p", "dtype": "float32", "padding": [9223372036854775807, 1]}}]}}"#,
      "KER003"
    ),
    (#"[]"#, "KER002"),
    (#"{"class_name": "Sequential""#, "JSN001"),
  ])
  func refuses(config: String, code: String) throws {
    #expect(Self.findings(try Self.archive(config)).map(\.code) == [code])
  }

  @Test func refusesModelsThatGrowWithoutEnd() throws {
    // Each layer joins its input with itself: 2^60 elements in the end.
    var layers = [
      #"{"class_name": "InputLayer", "name": "l0", "#
        + #""config": {"batch_shape": [1, 4], "name": "l0"}, "inbound_nodes": []}"#
    ]
    for index in 1...60 {
      let input = #"["l\#(index - 1)", 0, 0, {}]"#
      layers.append(
        #"{"class_name": "Concatenate", "name": "l\#(index)", "config": {"name": "l\#(index)", "#
          + #""axis": -1}, "inbound_nodes": [[\#(input), \#(input)]]}"#
      )
    }
    let config =
      #"{"class_name": "Functional", "config": {"name": "m", "layers": [\#(layers.joined(separator: ","))], "#
      + #""input_layers": [["l0", 0, 0]], "output_layers": [["l60", 0, 0]]}}"#
    #expect(Self.findings(try Self.archive(config)).map(\.code) == ["KER008"])
  }

  /// Whatever is done to a model, importing it ends with a graph or a diagnostic.
  @Test(arguments: ["nested.k2.h5", "nested.h5", "nested.keras"])
  func survivesDamage(file: String) throws {
    let archive = try ZipArchive(MappedFile(path: TestData.fixture("keras/nested.zip")).view)
    let original = try archive.read(#require(archive.entry(file))).array
    for count in 0..<original.count where count % 499 == 0 {
      #expect(!Self.findings(ByteView(original[..<count])).isEmpty)
    }
    var random = SeededRNG(seed: 7)
    let places = original.indices.filter { original[$0] != 0 }
    for _ in 0..<300 {
      var bytes = original
      for _ in 0...random.next() % 3 {
        let index = places[Int(random.next() % UInt64(places.count))]
        bytes[index] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = Self.findings(ByteView(bytes))
    }
  }

  @Test func knowsItsFiles() throws {
    let format = KerasFormat()
    let archive = try ZipArchive(MappedFile(path: TestData.fixture("keras/shared.zip")).view)
    for entry in archive.entries where !entry.name.hasSuffix(".npz") {
      #expect(format.sniff(try archive.read(entry).slice(0, 64)), "\(entry.name)")
    }
    let other = try MappedFile(path: TestData.fixture("codec/arrays.npz")).view
    #expect(!format.sniff(try other.slice(0, 64)))
    #expect(!format.sniff(ByteView([0x50, 0x4B, 3, 4])))
  }
}

/// Models that Keras saved as a folder.
@Suite struct KerasFolderTests {
  @Test func readsTheConfigurationBesideTheWeights() throws {
    let archive = try ZipArchive(MappedFile(path: TestData.fixture("keras/dots.zip")).view)
    let model = try ZipArchive(archive.read(#require(archive.entry("dots.keras"))))
    let folder = try Host.makeTemporaryFolder("keras")
    defer { try? Host.remove(folder) }
    for name in ["config.json", "metadata.json", "model.weights.h5"] {
      let bytes = try model.read(#require(model.entry(name)))
      try AtomicFile.write([bytes], to: folder + "/" + name)
    }
    let path = folder + "/model.weights.h5"
    let report = try KerasFormat().importGraph(
      MappedFile(path: path).view,
      options: ImportOptions(path: path)
    )
    #expect(report.graph.outputs.count == 4)
    #expect(report.graph.validate().isEmpty)
  }
}
