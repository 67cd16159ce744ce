import AssayBase
import AssayCatalog
import AssayData
import AssayFormat
import AssayGraph
import AssayQuantize
import AssayRuntime
import AssayTensor

/// Options that several commands share, word for word.
enum Shared {
  static let representative = Option(
    "--representative",
    short: "-r",
    .value("PATH"),
    "calibration data: a folder of images, an .npy or .npz, or a text file with one path a line"
  )
  static let preprocess = Option(
    "--preprocess",
    short: "-p",
    .value("SPEC"),
    "how images become inputs: mobilenet, torch, caffe, or scale=1/255,mean=…,std=…,resize=WxH"
  )
  static let runtime = Option(
    "--runtime",
    .value("NAME"),
    "litert, onnxruntime, openvino, reference or null"
  )
  static let provider = Option(
    "--provider",
    .choice(Provider.allCases.map(\.rawValue)),
    "the hardware path (default: cpu)"
  )
  static let threads = Option("--threads", short: "-t", .value("N"), "threads of the runtime")
  static let shape = Option(
    "--shape",
    .repeated("[NAME=]1xHxWxC"),
    "the extents of an input that the file leaves open"
  )
  static let signature = Option(
    "--signature",
    .value("NAME"),
    "the signature to take, where a model has several"
  )
  static let inputNodes = Option(
    "--input-nodes",
    .value("A,B"),
    "the nodes to take as inputs, where the file does not say"
  )
  static let outputNodes = Option(
    "--output-nodes",
    .value("A,B"),
    "the nodes to take as outputs, where the file does not say"
  )
  static let value = Option(
    "--value",
    .repeated("NAME=FILE"),
    "the value of an input (.npy, .pb) that the network is specialized on, such as a shape"
  )
  /// How a model is read.
  static let importing = [shape, value, signature, inputNodes, outputNodes]
  static let preset = Option(
    "--preset",
    .choice(["quick", "standard", "strict"]),
    "how thoroughly to measure (default: standard)"
  )
  static let preflight = Option(
    "--preflight",
    .choice(["strict", "tag"]),
    "stop at a bad state of the machine, or note it (default: strict for --preset strict, else tag)"
  )
  static let store = Option(
    "--store",
    .value("URL"),
    "sqlite:PATH (default: store.sqlite in $ASSAY_HOME)"
  )
  static let limit = Option(
    "--limit",
    .value("N"),
    "take a seeded sample of N calibration items (default: all)"
  )

  /// Import options from `importing`.
  static func importOptions(_ arguments: Arguments) throws -> ImportOptions {
    func names(_ option: String) -> [String] {
      (arguments.value(option) ?? "").split(separator: ",").map { String($0) }
    }
    var options = ImportOptions(
      signature: arguments.value("--signature"),
      inputs: names("--input-nodes"),
      outputs: names("--output-nodes")
    )
    for text in arguments.all("--shape") {
      let parts = text.split(separator: "=", maxSplits: 1)
      let dims = parts.last.map { $0.split(separator: "x").map { Int($0) ?? 0 } } ?? []
      guard !dims.isEmpty, dims.allSatisfy({ $0 > 0 }) else {
        throw Diagnostic(
          "CLI007",
          "--shape is NAME=1xHxWxC, or 1xHxWxC for a model with one input, not '\(text)'"
        )
      }
      options.shapes[parts.count == 2 ? String(parts[0]) : ""] = Shape(dims)
    }
    for text in arguments.all("--value") {
      let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
      guard parts.count == 2, let tensor = try readArrays(parts[1]).values.first else {
        throw Diagnostic("CLI007", "--value is NAME=FILE, not '\(text)'")
      }
      options.values[parts[0]] = tensor
    }
    return options
  }

  /// Imports the model and reports what was noticed.
  static func model(
    _ path: String,
    _ arguments: Arguments,
    _ console: Console
  ) throws
    -> ImportedModel
  {
    let model = try importModel(path: path, options: importOptions(arguments))
    for finding in model.diagnostics { console.report(finding) }
    return model
  }

  /// The file name without folders and extension.
  static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map { String($0) } ?? path
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}
