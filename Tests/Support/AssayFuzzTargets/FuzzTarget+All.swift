import AssayAccuracy
import AssayBase
import AssayCodec
import AssayData
import AssayDetect
import AssayExplore
import AssayFetch
import AssayFormat
import AssayGraph
import AssayJobs
import AssayMeter
import AssayQuantize
import AssayRate
import AssayRecord
import AssayStore
import AssayTensor
import AssayTrain
import AssayWeights
import FormatKeras
import FormatONNX
import FormatOpenVINO
import FormatPyTorch
import FormatTFLite
import FormatTensorFlow
import VendorEdgeTPU

extension FuzzTarget {
  /// Every target, lowest layer first.
  public static let all: [FuzzTarget] = [
    FuzzTarget(name: "json") { bytes in
      let text = try JSON(parsing: bytes).text()
      guard let again = try? JSON(parsing: Array(text.utf8)).text(), again == text else {
        throw Finding("what was written reads back as something else: \(text)")
      }
    },
    FuzzTarget(name: "yaml") { bytes in
      _ = try YAML.read(String(decoding: bytes, as: UTF8.self))
    },
    FuzzTarget(name: "zip") { bytes in
      let archive = try ZipArchive(ByteView(bytes), limit: memory)
      for entry in archive.entries { _ = try archive.read(entry) }
    },
    FuzzTarget(name: "npy") { bytes in
      let tensor = try NPY.read(ByteView(bytes))
      let written = try NPY.write(tensor).flatMap(\.array)
      guard let again = try? NPY.read(ByteView(written)), again.type == tensor.type else {
        throw Finding("an array of \(tensor.type) does not survive writing")
      }
    },
    FuzzTarget(name: "hdf5") { bytes in
      var left = 10_000
      try visit(try HDF5File(ByteView(bytes), limit: memory).root(), left: &left, depth: 0)
    },
    FuzzTarget(name: "tfrecord") { bytes in
      let records = try TFRecord.records(ByteView(bytes))
      guard records.flatMap({ TFRecord.record($0.array) }) == bytes else {
        throw Finding("\(records.count) records are not written as they were read")
      }
    },
    FuzzTarget(name: "npz") { bytes in
      _ = try NPZ.read(ByteView(bytes))
    },
    FuzzTarget(name: "image") { bytes in
      let image = try Image.decode(ByteView(bytes), name: "input")
      guard image.pixels.count == image.width * image.height * image.channels else {
        throw Finding("\(image.width) x \(image.height) with \(image.pixels.count) bytes")
      }
    },
    FuzzTarget(name: "preprocessing") { bytes in
      let value = try Preprocessing.parse(String(decoding: bytes, as: UTF8.self))
      guard try Preprocessing.parse(value.text) == value else {
        throw Finding("\(value.text) does not read back")
      }
    },
    FuzzTarget(name: "series") { bytes in
      var lines = SeriesLines(channels: ["value"])
      do {
        var count = 0
        for start in stride(from: 0, to: bytes.count, by: 7) {
          count += try lines.append(Array(bytes[start..<min(start + 7, bytes.count)]))[0].count
        }
        count += try lines.finish()[0].count
        guard count == lines.sampleCount else { throw Finding("\(count) samples were given out") }
      } catch is Diagnostic {}
      var options = SeriesOptions()
      options.gaps = .interpolate
      let series = try TimeSeries.read(ByteView(bytes), options)
      guard series.values.allSatisfy({ $0.count == series.count && $0.allSatisfy(\.isFinite) })
      else { throw Finding("a series of \(series.count) samples has gaps or uneven channels") }
    },
    FuzzTarget(name: "power-trace") { bytes in
      let trace = try TraceFile.read(ByteView(bytes), name: "input", volts: 3.7)
      guard trace.values.allSatisfy({ $0.count == trace.count }),
        zip(trace.times, trace.times.dropFirst()).allSatisfy({ $0 <= $1 })
      else { throw Finding("a trace of \(trace.count) rows is uneven or goes back in time") }
      let again = try TraceCSV.read(TraceCSV.write(trace), name: "again")
      guard again.count == trace.count else {
        throw Finding("\(trace.count) rows were written, \(again.count) read")
      }
      _ = TraceSummary(trace).json
    },
    FuzzTarget(name: "power-lines") { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      let parser = LineParser()
      for line in text.split(whereSeparator: \.isNewline) {
        guard
          parser.figures(String(line)).allSatisfy({ $0.value.isFinite || $0.quantity == .power })
        else { throw Finding("a line gives a figure that is no number") }
      }
      _ = try? MeterSpec.list(text)
      _ = try? TriggerLevel(parsing: text)
      _ = try PMICReading(text)
    },
    FuzzTarget(name: "power-packets") { bytes in
      let monitor = RecordedMonitor(bytes)
      let reader = try MonsoonMeter(transport: { monitor }).open(MeterOptions())
      var trace = PowerTrace(
        identity: reader.identity,
        channels: reader.channels,
        clock: reader.clock,
        period: reader.period
      )
      while !monitor.isEmpty { try reader.read(into: &trace, until: 0) }
      reader.finish(&trace)
      guard trace.values.allSatisfy({ $0.count == trace.count }) else {
        throw Finding("a trace of \(trace.count) rows is uneven")
      }
    },
    FuzzTarget(name: "detector") { bytes in
      let state = try DetectorState(json: try JSON(parsing: bytes))
      guard try DetectorState(json: state.json) == state else {
        throw Finding("a detector does not survive writing")
      }
    },
    FuzzTarget(name: "recipe") { bytes in
      let recipe = try Recipe(json: try JSON(parsing: bytes))
      guard try Recipe(json: recipe.json) == recipe else {
        throw Finding("recipe \(recipe.name) does not survive writing")
      }
      for (node, op) in [("conv", "Conv2D"), ("", "")] { _ = recipe.scheme(ofNode: node, op: op) }
    },
    FuzzTarget(name: "recipe-name") { bytes in
      let recipe = try Recipe.parse(String(decoding: bytes, as: UTF8.self))
      guard try Recipe.parse(recipe.name) == recipe else {
        throw Finding("\(recipe.name) does not read back")
      }
    },
    FuzzTarget(name: "coco") { bytes in
      let truth = try COCOTruth(json: JSON(parsing: bytes))
      for picture in truth.pictures {
        for mask in picture.objects.compactMap(\.mask) {
          guard try Mask(text: mask.text, width: mask.width, height: mask.height) == mask else {
            throw Finding("a mask does not survive writing")
          }
        }
      }
    },
    FuzzTarget(name: "coco-mask") { bytes in
      guard bytes.count > 2 else { throw Diagnostic("ACC010", "too short") }
      let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
      let mask = try Mask(text: text, width: Int(bytes[0]), height: Int(bytes[1]))
      guard try Mask(text: mask.text, width: mask.width, height: mask.height) == mask,
        mask.bits.count(where: \.self) == mask.area, mask.intersection(mask) == mask.area
      else { throw Finding("a mask of \(mask.runs) does not survive writing") }
    },
    FuzzTarget(name: "voc") { bytes in _ = try VOCAnnotation(ByteView(bytes)) },
    FuzzTarget(name: "scale") { bytes in
      let scale = try Scale(json: try JSON(parsing: bytes))
      guard try Scale(json: scale.json) == scale else {
        throw Finding("the scale \(scale.name) does not survive writing")
      }
      for values in [["latency": 0.002, "accuracy": 0.7], ["size": 0, "energy": .infinity], [:]] {
        let subject = Subject(id: "1", model: "m", values: values.mapValues { Measured($0) })
        _ = scale.rate(subject)
      }
    },
    FuzzTarget(name: "explorer-settings") { bytes in
      let settings = try ExplorerSettings(json: try JSON(parsing: bytes))
      guard try ExplorerSettings(json: settings.json) == settings else {
        throw Finding("settings do not survive writing")
      }
      _ = try Explorer.view(of: exploredTable, query: [], settings: settings)
    },
    FuzzTarget(name: "view-query") { bytes in
      let pairs = String(decoding: bytes, as: UTF8.self).split(separator: "&").map { part in
        let sides = part.split(separator: "=", maxSplits: 1).map { String($0) }
        return (name: sides.first ?? "", value: sides.count > 1 ? sides[1] : "")
      }
      let view = try Explorer.view(of: exploredTable, query: pairs)
      guard view["shown"]?.int ?? -1 >= view["chosen"]?.int ?? 0 else {
        throw Finding("more rows are chosen than shown")
      }
    },
    FuzzTarget(name: "sweep-plan") { bytes in
      let words = SweepVocabulary(
        runtimes: ["litert", "onnxruntime"],
        providers: ["cpu", "gpu"],
        presets: ["quick", "standard"],
        formats: ["tflite", "onnx"],
        dataOptions: ["representative"]
      )
      let plan = try SweepPlan(text: String(decoding: bytes, as: UTF8.self), words)
      guard !plan.cells.isEmpty, plan.limits.seconds * 1e9 < 1e18 else {
        throw Finding("a plan of \(plan.cells.count) combinations was taken")
      }
    },
    FuzzTarget(name: "record-import") { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      let format = bytes.first == UInt8(ascii: "{") ? "jsonl" : "csv"
      let records = try RecordImport.records(text, format: format) { try CSV.records(of: $0) }
      var redactor = Redactor()
      let table = RecordTable(hasWholeRecord: true)
      for record in records {
        _ = try redactor.redacted(record)
        let line = table.header + table.line(record)
        let again = try RecordImport.records(line, format: "csv") { try CSV.records(of: $0) }
        guard again.map({ $0.json.text() }) == [record.json.text()] else {
          throw Finding("record \(record.id) does not survive a table")
        }
      }
    },
    FuzzTarget(name: "foreign-results") { bytes in try importEverywhere(bytes) },
    FuzzTarget(name: "phone-tools") { bytes in try readAsPhoneTools(bytes) },
    FuzzTarget(name: "protobuf") { bytes in
      try visit(ProtobufReader(ByteView(bytes), maximumDepth: 8))
    },
    FuzzTarget(name: "flexbuffer") { bytes in
      var left = 10_000
      try visitFlex(FlexBuffer(ByteView(bytes)), left: &left, depth: 0)
    },
    FuzzTarget(name: "keras") { bytes in try cycle(bytes, KerasFormat()) },
    FuzzTarget(name: "keras-config") { bytes in
      var writer = ZipWriter()
      try writer.add("config.json", [ByteView(bytes)])
      try writer.add("model.weights.h5", [emptyHDF5])
      try importKeras(ByteView(writer.finish().flatMap(\.array)))
    },
    FuzzTarget(name: "flatbuffer") { bytes in
      var left = 10_000
      try visit(try FlatBufferReader(ByteView(bytes)).root(), left: &left, depth: 0)
    },
    FuzzTarget(name: "tflite") { bytes in try cycle(bytes, TFLiteFormat()) },
    FuzzTarget(name: "edgetpu-package") { bytes in
      let package = try EdgeTPUPackage(package: ByteView(bytes))
      guard package.instructionBytes >= 0, package.cachedBytes <= bytes.count * 64 else {
        throw Finding("\(package.cachedBytes) bytes of parameters in \(bytes.count)")
      }
    },
    FuzzTarget(name: "edgetpu-prediction") { bytes in
      let listing = try TFLiteListing(reading: ByteView(bytes))
      let prediction = try EdgeTPUPrediction(listing)
      guard prediction.fates.count == listing.nodes.count, prediction.parameterBytes >= 0 else {
        throw Finding("\(prediction.fates.count) fates of \(listing.nodes.count) operators")
      }
    },
    FuzzTarget(name: "edgetpu-log") { bytes in
      let report = try CompilerReport(String(decoding: bytes, as: UTF8.self))
      guard (try? JSON(parsing: report.json.text())) != nil else {
        throw Finding("the report cannot be written")
      }
    },
    FuzzTarget(name: "snappy") { bytes in
      _ = try Snappy.decompress(ByteView(bytes), limit: memory)
    },
    FuzzTarget(name: "leveldb-table") { bytes in
      _ = try LevelDBTable(ByteView(bytes), limit: memory, verifiesChecksums: false)
    },
    FuzzTarget(name: "tensor-bundle") { bytes in
      let elements = ByteView([UInt8](repeating: 0, count: 1 << 12))
      let bundle = try TensorBundle(index: ByteView(bytes), verifiesChecksums: false) { _, _ in
        elements
      }
      for name in bundle.names.prefix(100) {
        _ = try? bundle.tensor(name)
        _ = try? bundle.text(name)
      }
    },
    FuzzTarget(name: "checkpoint-v1") { bytes in
      let checkpoint = try CheckpointV1([ByteView(bytes)], verifiesChecksums: false)
      for name in checkpoint.names.prefix(100) { _ = try? checkpoint.tensor(name) }
    },
    FuzzTarget(name: "training-checkpoint") { bytes in
      // The digest is made to fit, so that what it guards is reached.
      let whole = bytes + Array(sha256(ByteView(bytes)).utf8)
      let checkpoint = try Checkpoint(ByteView(whole), name: "input")
      for array in checkpoint.arrays.prefix(100) { _ = checkpoint[array.name] }
    },
    FuzzTarget(name: "tensorflow") { bytes in try cycle(bytes, TensorFlowFormat()) },
    FuzzTarget(name: "onnx") { bytes in try cycle(bytes, ONNXFormat()) },
    FuzzTarget(name: "xml") { bytes in
      _ = try XMLReader.root(ByteView(bytes), maximumElements: 100_000)
    },
    FuzzTarget(name: "openvino") { bytes in
      let weights = ByteView([UInt8](repeating: 1, count: 1 << 12))
      let graph = try OpenVINOFormat().importGraph(
        ByteView(bytes),
        weights: weights,
        options: ImportOptions()
      ).graph
      let faults = graph.validate()
      guard faults.isEmpty else { throw Finding("the graph is not whole: \(faults)") }
      _ = try? OpenVINOFormat().exportModel(graph, options: ExportOptions())
    },
    FuzzTarget(name: "pickle") { bytes in _ = try Pickle(ByteView(bytes)) },
    FuzzTarget(name: "torch-checkpoint") { bytes in
      let checkpoint = try TorchCheckpoint(ByteView(bytes))
      for entry in checkpoint.entries.prefix(100) { _ = try? checkpoint.tensor(entry) }
    },
    FuzzTarget(name: "torch-modules") { bytes in
      // The pickle alone, so that the archive's checksums guard nothing of it.
      var writer = ZipWriter()
      try writer.add("m/data.pkl", [ByteView(bytes)])
      try writer.add("m/data/0", [ByteView([UInt8](repeating: 1, count: 256))])
      let checkpoint = try TorchCheckpoint(ByteView(writer.finish().flatMap(\.array)))
      for entry in checkpoint.entries.prefix(100) { _ = try? checkpoint.tensor(entry) }
    },
    FuzzTarget(name: "safetensors") { bytes in
      let file = try SafeTensors(ByteView(bytes))
      let sizes = try file.entries.map { entry in
        entry.dtype == nil ? 0 : try file.tensor(entry).byteCount
      }
      guard sizes.reduce(0, +) <= bytes.count else {
        throw Finding("\(sizes) bytes of tensors in a file of \(bytes.count)")
      }
    },
    FuzzTarget(name: "keras-weights") { bytes in
      let table = try KerasWeightTable(ByteView(bytes))
      for weight in table.layers.flatMap(\.weights).prefix(100) { _ = try? weight.tensor() }
    },
    FuzzTarget(name: "download-table") { bytes in
      let table = try DownloadTable(json: JSON(parsing: bytes))
      guard try DownloadTable(json: table.json) == table else {
        throw Finding("a table of \(table.entries.count) entries does not survive writing")
      }
    },
    FuzzTarget(name: "pt2") { bytes in try importPT2(ByteView(bytes)) },
    FuzzTarget(name: "pt2-program") { bytes in
      var writer = ZipWriter()
      try writer.add("m/models/model.json", [ByteView(bytes)])
      try importPT2(ByteView(writer.finish().flatMap(\.array)))
    },
  ]

  /// Imports a network, and where it can be written, reads back what was written.
  private static func cycle(_ bytes: [UInt8], _ format: some ModelFormat) throws {
    let graph = try format.importGraph(ByteView(bytes), options: ImportOptions()).graph
    _ = graph.dump()
    guard let parts = try? format.exportGraph(graph, options: ExportOptions()) else { return }
    do {
      _ = try format.importGraph(ByteView(parts.flatMap { $0.array }), options: ImportOptions())
    } catch {
      throw Finding("what was written is refused: \(error)")
    }
  }

  private static func importKeras(_ bytes: ByteView) throws {
    let graph = try KerasFormat().importGraph(bytes, options: ImportOptions()).graph
    let faults = graph.validate()
    guard faults.isEmpty else { throw Finding("the graph is not whole: \(faults)") }
  }

  private static func importPT2(_ bytes: ByteView) throws {
    let graph = try PyTorchFormat().importGraph(bytes, options: ImportOptions()).graph
    let faults = graph.validate()
    guard faults.isEmpty else { throw Finding("the graph is not whole: \(faults)") }
  }

  /// A file whose root group has no members: superblock 2, then an object header without messages.
  private static let emptyHDF5 = {
    func address(_ value: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    let superblock: [UInt8] =
      [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 2, 8, 8, 0]
      + address(0) + address(.max) + address(59) + address(48) + [0, 0, 0, 0]
    return ByteView(superblock + Array("OHDR".utf8) + [2, 0, 0] + [0, 0, 0, 0])
  }()

  /// Reads every field of a message, and of what may be messages inside it.
  private static func visit(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      _ = try? field.string()
      var integers: [Int64] = []
      try? field.append(to: &integers)
      var floats: [Float] = []
      try? field.append(to: &floats)
      if let inner = try? reader.message(field) { try? visit(inner) }
    }
  }

  /// Reads everything below an object, as an importer might, within a budget of objects.
  private static func visit(_ object: HDF5Object, left: inout Int, depth: Int) throws {
    left -= 1
    guard left > 0, depth < 32 else { return }
    for name in (try? object.attributeNames()) ?? [] { _ = try? object.attribute(name) }
    if object.isDataset { _ = try? object.tensor() }
    for name in object.memberNames {
      if let member = try? object.member(name) { try visit(member, left: &left, depth: depth + 1) }
    }
  }

  /// Takes a table's fields for everything that they can be.
  private static func visit(_ table: FlatTable, left: inout Int, depth: Int) throws {
    left -= 1
    guard left > 0, depth < 8 else { return }
    for field in 0..<10 {
      _ = try? table.scalar(field, default: UInt64(0))
      _ = try? table.string(field)
      _ = try? table.vector(field, of: Int64.self)
      _ = try? table.bytes(field)
      _ = try? table.strings(field)
      for child in (try? table.tables(field)) ?? [] {
        try visit(child, left: &left, depth: depth + 1)
      }
      if let child = try? table.table(field) { try visit(child, left: &left, depth: depth + 1) }
    }
  }

  /// What a target may unpack from the small inputs of a fuzzer.
  private static let memory = 64 << 20
}

/// Reads every value of a FlexBuffer, as far as the budget goes.
private func visitFlex(_ value: FlexBuffer, left: inout Int, depth: Int) throws {
  guard left > 0, depth < 16 else { return }
  left -= 1
  _ = try value.integer
  _ = try value.real
  _ = try value.data
  _ = try value.text
  _ = try value.entries
  for element in try value.elements?.prefix(64) ?? [] {
    try visitFlex(element, left: &left, depth: depth + 1)
  }
}

/// A small table that settings and questions are put to.
private let exploredTable = ExplorerTable(
  MeasurementTable(
    properties: [
      PropertyMeta("energy", unit: "joules", group: "Resources", weight: 0.5, isMaximized: false),
      PropertyMeta("top1", unit: "fraction", group: "Quality", weight: 0.5, isMaximized: true),
    ],
    rows: [
      ("small", "board", 1, 0.6), ("middle", "board", 2, 0.7), ("large", "board", 8, 0.8),
      ("small", "desktop", 3, 0.6), ("middle", "desktop", 5, 0.71), ("odd", "desktop", 9, nil),
    ].map { (row: (String, String, Double?, Double?)) in
      .init(model: row.0, environment: row.1, task: "t", dataset: "d", values: [row.2, row.3])
    }
  )
)
