import AssayBase
import AssayGraph
import AssayTensor

/// An importer of a format whose images are NCHW: the methods of its `TwinValues` are its own.
public protocol TwinImporter {
  /// The values of the file.
  var twins: TwinValues { get set }
}

extension TwinImporter {
  /// The network as far as it is made.
  public var graph: Graph {
    get { twins.graph }
    _modify { yield &twins.graph }
  }

  /// Values that a faulty node did not make; nodes that read them are to be passed over.
  public var missing: Set<String> {
    get { twins.missing }
    set { twins.missing = newValue }
  }

  /// Reads a part of the file; what is wrong with it is added to the findings, and its outputs are
  /// missing from then on, so that all findings of a file are met in one go.
  public mutating func collect(
    _ faults: inout [Diagnostic],
    _ place: String,
    _ outputs: [String],
    _ body: (inout Self) throws -> Void
  ) {
    do {
      try body(&self)
      return
    } catch let fault as Diagnostic {
      faults.append(fault.inside(place))
    } catch let several as Diagnostics {
      faults += several.all.map { $0.inside(place) }
    } catch {
      faults.append(twins.fault("020", "\(error)").inside(place))
    }
    missing.formUnion(outputs)
  }

  /// The value of the file in its own axes.
  public mutating func plain(_ name: String) throws -> ValueID { try twins.plain(name) }

  /// The value of the file with its channels last.
  public mutating func image(_ name: String) throws -> ValueID { try twins.image(name) }

  /// The image that a value stands as already, or `nil`.
  public func knownImage(_ name: String) -> ValueID? { twins.knownImage(name) }

  /// Whether the value stands as an image already.
  public func isImage(_ name: String) -> Bool { twins.isImage(name) }

  /// The values of the graph in which a value of the file stands.
  public func knownIDs(_ name: String) -> [ValueID] { twins.knownIDs(name) }

  /// The type of a value in the file's axes.
  public func type(_ name: String) throws -> TensorType { try twins.type(name) }

  /// The Constant that a value is, or `nil`.
  public func constant(_ name: String) -> Tensor? { twins.constant(name) }

  /// A name that the graph's values do not have yet; the file's own where that is possible.
  public mutating func valueName(_ name: String, _ form: String? = nil) -> String {
    twins.valueName(name, form)
  }

  /// Adds a Constant.
  public mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    twins.addConstant(name, tensor)
  }

  /// Adds a scalar.
  public mutating func addConstant(_ value: Float, _ dtype: DType = .float32) -> ValueID {
    twins.addConstant(value, dtype)
  }

  /// Adds a node under a name that no other node has.
  public mutating func addNode(
    _ name: String,
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ outputNames: [String]
  ) throws -> [ValueID] {
    try twins.addNode(name, op, inputs, outputNames)
  }

  /// Declares a value that the file does not have, for a call inside a call.
  public mutating func open(_ name: String) { twins.open(name) }

  /// Declares a value that the file does not have and that stands in the graph already.
  public mutating func bind(_ id: ValueID) -> String { twins.bind(id) }

  /// Tells what a value's integers stand for, and those that it was reshaped or turned from.
  public mutating func declare(_ quantization: Quantization, of id: ValueID) {
    twins.declare(quantization, of: id)
  }
}

extension Graph {
  /// The graph with the file's own names for rearranged values, where the file's value is not in the
  /// graph any more.
  ///
  /// - Parameter suffixes: what importers append to the names of values that they rearrange.
  public func withPlainNames(
    _ suffixes: [String] = ["/turned", "/nhwc", "/nchw", "/quantized", "/uint8"]
  ) -> Graph {
    var result = self
    var names = Set(values.map(\.name))
    for index in values.indices {
      let name = values[index].name
      for suffix in suffixes where name.hasSuffix(suffix) {
        let plain = String(name.dropLast(suffix.count))
        guard !plain.isEmpty, names.insert(plain).inserted else { continue }
        names.remove(name)
        result[ValueID(index)].name = plain
        if outputNames[ValueID(index)] == plain { result.outputNames[ValueID(index)] = nil }
      }
    }
    return result
  }

  /// The graph without nodes whose results nobody reads.
  public func withoutUnusedNodes() -> Graph {
    var wanted = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { wanted.contains($0) }) {
      kept.append(node)
      for case let input? in node.inputs { wanted.insert(input) }
    }
    var result = self
    result.nodes = kept.reversed()
    return result.compacted()
  }
}
