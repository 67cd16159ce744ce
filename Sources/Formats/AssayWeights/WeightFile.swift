import AssayBase
import AssayCodec
import AssayFormat
import AssayHost
import AssayTensor
import FormatKeras
import FormatPyTorch
import FormatTensorFlow

/// Named tensors of a published file of weights, whatever framework wrote it.
///
/// Only names and places are read at first; the elements of a tensor are read when it is asked for, where
/// they lie in the mapped file if they can.
public struct WeightFile: Sendable {
  /// How a framework lays the axes of a weight out, and what it calls the parts of a layer.
  public enum Convention: String, Sendable {
    /// Filters as `[H, W, in, out]`, dense kernels as `[in, out]`; `kernel`, `gamma`, `moving_mean`.
    case keras
    /// As Keras's, with TF-Slim's words too: `weights`, `biases`, `depthwise_weights`.
    case tensorFlow
    /// Filters as `[out, in, H, W]`, dense ones as `[out, in]`; `weight`, `running_mean`.
    case torch
  }

  /// A tensor of the file.
  public struct Entry: Sendable {
    /// Its name as the file has it.
    public var name: String
    /// The extents, where the file tells them without its elements.
    public var shape: Shape?
    let read: @Sendable () throws -> Tensor
  }

  /// A layer of a file that lists weights by layer and in order.
  struct Layer: Sendable {
    var name: String
    /// Whether the name is only the layer's class with a number.
    var isNumbered: Bool
    /// The entries of its weights.
    var entries: [Int]
  }

  /// What the file is, in words.
  public let format: String
  /// How its weights are laid out.
  public let convention: Convention
  /// The tensors, in the file's order.
  public let entries: [Entry]
  /// What the file says of itself: its licence, version, date and the like.
  public let facts: [(name: String, text: String)]
  /// The layers of a file of Keras's; empty for others.
  let layers: [Layer]

  /// What the file says its licence is.
  public var license: String? {
    facts.first { ["license", "licence"].contains($0.name.lowercased()) }?.text
  }

  /// Opens a file of weights.
  ///
  /// - Parameter path: an `.h5`, `.weights.h5` or `.keras` of Keras's, a `.safetensors`, a `.pt` or
  ///   `.pth` that `torch.save` wrote, or a checkpoint of TensorFlow's: its `.index`, its prefix, its one
  ///   file of the first format, or the folder that it lies in.
  /// - Throws: `Diagnostic` WGT001 for another file, FIL… when it cannot be opened, and those of the
  ///   formats: KER…, HDF…, WGT00x, PYT…, TFG….
  public init(path: String) throws {
    self = try locating(path) {
      if let prefix = try WeightFile.checkpointPrefix(path) {
        let companions = Companions(beside: prefix)
        return try WeightFile(
          checkpoint: openCheckpoint(Host.name(of: prefix), companions),
          "TensorFlow checkpoint"
        )
      }
      return try WeightFile(MappedFile(path: path).view)
    }
  }

  /// Reads a file of weights that is one file.
  ///
  /// - Throws: as `init(path:)`.
  public init(_ bytes: ByteView) throws {
    if HDF5File.sniff(bytes) {
      self = try WeightFile(keras: KerasWeightTable(bytes), "Keras HDF5 weights")
    } else if SafeTensors.sniff(bytes) {
      self = WeightFile(try SafeTensors(bytes))
    } else if ZipArchive.sniff(bytes) {
      if try ZipArchive(bytes).entry("model.weights.h5") != nil {
        self = try WeightFile(keras: KerasWeightTable(bytes), "Keras archive")
      } else {
        self = WeightFile(try TorchCheckpoint(bytes))
      }
    } else if let table = try? CheckpointV1([bytes]) {
      self = try WeightFile(checkpoint: table, "TensorFlow checkpoint of the first format")
    } else if Pickle.sniff(bytes) || WeightFile.isTar(bytes) {
      self = WeightFile(try TorchCheckpoint(bytes))
    } else {
      throw Diagnostic(
        "WGT001",
        "this is no file of weights that is known",
        remedy: "give .h5, .weights.h5, .keras, .safetensors, .pt, .pth or a TensorFlow checkpoint"
      )
    }
  }

  private static func isTar(_ bytes: ByteView) -> Bool {
    guard let magic = try? bytes.slice(257, 5) else { return false }
    return magic.starts(with: Array("ustar".utf8))
  }

  /// The prefix of a checkpoint that a path stands for; `nil` for a file that is itself the weights.
  private static func checkpointPrefix(_ path: String) throws -> String? {
    func withoutEnd(_ text: String, _ end: String) -> String? {
      text.hasSuffix(end) ? String(text.dropLast(end.count)) : nil
    }
    if Host.kind(of: path) == .folder {
      let names = try Host.list(path).sorted()
      let prefixes = names.compactMap { withoutEnd($0, ".index") }
      // TensorFlow notes the latest one of a training in a text file.
      if let text = Host.smallText(Host.join(path, "checkpoint")),
        let line = text.split(separator: "\n").first(where: {
          $0.hasPrefix("model_checkpoint_path:")
        }), let start = line.firstIndex(of: "\""), let end = line.lastIndex(of: "\""), start < end
      {
        let name = Host.name(of: String(line[line.index(after: start)..<end]))
        if prefixes.contains(name) { return Host.join(path, name) }
      }
      guard prefixes.count == 1 else {
        throw Diagnostic(
          "WGT001",
          prefixes.isEmpty
            ? "the folder holds no checkpoint" : "the folder holds \(prefixes.count) checkpoints",
          remedy: prefixes.isEmpty ? nil : "give one: \(prefixes.prefix(5).joined(separator: ", "))"
        )
      }
      return Host.join(path, prefixes[0])
    }
    if let prefix = withoutEnd(path, ".index") { return prefix }
    if let mark = Host.name(of: path).firstRange(of: ".data-") {
      return Host.join(Host.folder(of: path), String(Host.name(of: path)[..<mark.lowerBound]))
    }
    return Host.exists(path + ".index") && Host.kind(of: path) == nil ? path : nil
  }

  private init(keras table: KerasWeightTable, _ format: String) throws {
    var entries: [Entry] = []
    var layers: [Layer] = []
    for layer in table.layers {
      let start = entries.count
      for weight in layer.weights {
        let shape = try locating(weight.name) { try weight.shape() }
        entries.append(Entry(name: weight.name, shape: shape) { try weight.tensor() })
      }
      layers.append(
        Layer(
          name: layer.name,
          isNumbered: layer.isNumbered,
          entries: Array(start..<entries.count)
        )
      )
    }
    self.init(format: format, convention: .keras, entries: entries, facts: [], layers: layers)
  }

  private init(_ file: SafeTensors) {
    // Written by JAX or TensorFlow the axes are theirs; the format itself does not care.
    let writer = file.metadata.first { $0.name == "format" }?.text
    self.init(
      format: "safetensors",
      convention: ["tf", "flax", "np"].contains(writer ?? "pt") ? .tensorFlow : .torch,
      entries: file.entries.map { entry in
        Entry(name: entry.name, shape: entry.shape) { try file.tensor(entry) }
      },
      facts: file.metadata,
      layers: []
    )
  }

  private init(_ file: TorchCheckpoint) {
    var facts = file.facts
    if file.classes.contains(where: { $0.hasPrefix("ultralytics.") }),
      !facts.contains(where: { $0.name == "license" })
    {
      facts.append(("license", "AGPL-3.0 (Ultralytics's own terms for its networks)"))
    }
    self.init(
      format: file.classes.isEmpty ? "PyTorch state dictionary" : "PyTorch modules, read as data",
      convention: .torch,
      entries: file.entries.map { entry in
        Entry(name: entry.name, shape: entry.shape) { try file.tensor(entry) }
      },
      facts: facts,
      layers: []
    )
  }

  private init(checkpoint: any Checkpoint, _ format: String) throws {
    let names = try ObjectNames(checkpoint)
    self.init(
      format: format,
      convention: .tensorFlow,
      entries: checkpoint.names.compactMap { key in
        guard let name = names.name(of: key) else { return nil }
        return Entry(name: name, shape: nil) {
          guard let tensor = try checkpoint.tensor(key) else {
            throw Diagnostic("WGT005", "the checkpoint has no value '\(key)'")
          }
          return tensor
        }
      },
      facts: [],
      layers: []
    )
  }

  private init(
    format: String,
    convention: Convention,
    entries: [Entry],
    facts: [(name: String, text: String)],
    layers: [Layer]
  ) {
    self.format = format
    self.convention = convention
    self.entries = entries
    self.facts = facts
    self.layers = layers
  }
}
