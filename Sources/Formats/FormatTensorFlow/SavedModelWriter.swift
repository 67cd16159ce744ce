import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTensorFlow

/// Writes a Graph as a SavedModel: one graph with a signature, its weights as variables with the nodes that
/// save and restore them, and a checkpoint that holds their values.
///
/// The form is that of TensorFlow 1, which is a graph and not a program: every version of TensorFlow loads
/// it, with `tf.saved_model.load` its signature is a function and its variables are found by name.
enum SavedModelWriter {
  static func files(_ graph: Graph, _ options: ExportOptions) throws -> [ExportedModel.File] {
    let exporter = try TensorFlowExporter(
      graph,
      keepsVariables: true,
      inputPrefix: "serving_default_"
    )
    var meta = TFMetaGraph()
    meta.tags = ["serve"]
    meta.version = Self.version
    meta.graph.producer = Self.producer
    meta.graph.nodes = exporter.nodes
    let variables = exporter.variables
    if !variables.isEmpty {
      meta.graph.nodes += initializers(variables) + saver(variables)
      meta.saver = TFSaver(
        filename: "save/Const:0",
        save: "save/control_dependency:0",
        restore: "save/restore_all"
      )
      let definitions = variables.map(definition)
      meta.collections = ["variables": definitions, "trainable_variables": definitions]
    }
    func ports(
      _ list: [(name: String, reference: String, type: TensorType)]
    ) -> [String: TFTensorInfo] {
      var result: [String: TFTensorInfo] = [:]
      for (name, reference, type) in list {
        result[name] = TFTensorInfo(
          name: reference.contains(":") ? reference : "\(reference):0",
          dtype: TFDataType(type.dtype),
          shape: TFShape(type.shape.dims.map(Int64.init))
        )
      }
      return result
    }
    meta.signatures["serving_default"] = TFSignature(
      inputs: ports(exporter.inputs),
      outputs: ports(exporter.outputs),
      method: "tensorflow/serving/predict"
    )
    let model = TFSavedModel(meta).encoded()
    let size = model.reduce(0) { $0 + $1.count }
    guard size < 1 << 31 else {
      throw Diagnostic("TFG110", "the graph takes \(size) bytes, a SavedModel holds at most 2 GB")
    }
    var files = [ExportedModel.File("saved_model.pb", model)]
    if !variables.isEmpty {
      let (index, data) = TensorBundle.write(variables.map { ($0.name, $0.value) })
      files.append(ExportedModel.File("variables/variables.index", index))
      files.append(ExportedModel.File("variables/variables.data-00000-of-00001", data))
    }
    return files
  }

  /// A frozen graph, its weights as constants.
  static func frozen(_ graph: Graph) throws -> [ByteView] {
    var file = TFGraph()
    file.nodes = try TensorFlowExporter(graph, keepsVariables: false).nodes
    file.producer = Self.producer
    let parts = file.encoded().finish()
    let size = parts.reduce(0) { $0 + $1.count }
    guard size < 1 << 31 else {
      throw Diagnostic(
        "TFG110",
        "the graph takes \(size) bytes, a file of it holds at most 2 GB",
        remedy: "write a SavedModel folder, whose weights lie beside the graph"
      )
    }
    return parts
  }

  /// The version of TensorFlow whose operators are written, and of its graphs.
  private static let version = "2.4.0"
  private static let producer: Int64 = 561

  private static func type(_ variable: TensorFlowExporter.Variable) -> TFDataType {
    TFDataType(variable.value.dtype)
  }

  /// What gives each variable a first value: zeros, which the checkpoint replaces.
  private static func initializers(_ variables: [TensorFlowExporter.Variable]) -> [TFNode] {
    variables.flatMap { variable -> [TFNode] in
      let dtype = TFAttribute.type(type(variable))
      let shape = variable.value.shape
      let dims = Tensor(shape.dims.map { Int32(clamping: $0) }, [shape.rank])
      let zero = Tensor([Float(0)], []).converted(to: variable.value.dtype)
      return [
        TFNode(
          "\(variable.name)/initial/shape",
          "Const",
          [],
          ["dtype": .type(.int32), "value": .tensor(TFTensor(dims))]
        ),
        TFNode(
          "\(variable.name)/initial/zero",
          "Const",
          [],
          ["dtype": dtype, "value": .tensor(zero.map { TFTensor($0) } ?? TFTensor())]
        ),
        TFNode(
          "\(variable.name)/initial",
          "Fill",
          ["\(variable.name)/initial/shape", "\(variable.name)/initial/zero"],
          ["T": dtype, "index_type": .type(.int32)]
        ),
        TFNode(
          "\(variable.name)/Assign",
          "AssignVariableOp",
          [variable.name, "\(variable.name)/initial"],
          ["dtype": dtype]
        ),
      ]
    }
  }

  /// The nodes that save and restore the variables, as TensorFlow's Saver makes them.
  private static func saver(_ variables: [TensorFlowExporter.Variable]) -> [TFNode] {
    func texts(_ name: String, _ values: [String], isScalar: Bool = false) -> TFNode {
      var tensor = TFTensor()
      tensor.dtype = .string
      tensor.shape = TFShape(isScalar ? [] : [Int64(values.count)])
      tensor.strings = values.map { ByteView(Array($0.utf8)) }
      return TFNode(name, "Const", [], ["dtype": .type(.string), "value": .tensor(tensor)])
    }
    let types = TFAttribute.types(variables.map(type))
    let names = variables.map(\.name)
    let whole = names.map { _ in "" }
    var nodes = [
      texts("save/filename/input", ["model"], isScalar: true),
      TFNode(
        "save/filename",
        "PlaceholderWithDefault",
        ["save/filename/input"],
        ["dtype": .type(.string), "shape": .shape(TFShape([]))]
      ),
      TFNode(
        "save/Const",
        "PlaceholderWithDefault",
        ["save/filename"],
        ["dtype": .type(.string), "shape": .shape(TFShape([]))]
      ),
      texts("save/SaveV2/tensor_names", names),
      texts("save/SaveV2/shape_and_slices", whole),
      TFNode(
        "save/SaveV2",
        "SaveV2",
        ["save/Const", "save/SaveV2/tensor_names", "save/SaveV2/shape_and_slices"]
          + names.map { "\($0)/Read/ReadVariableOp" },
        ["dtypes": types]
      ),
      TFNode(
        "save/control_dependency",
        "Identity",
        ["save/Const", "^save/SaveV2"],
        ["T": .type(.string)]
      ),
      texts("save/RestoreV2/tensor_names", names),
      texts("save/RestoreV2/shape_and_slices", whole),
      TFNode(
        "save/RestoreV2",
        "RestoreV2",
        ["save/Const", "save/RestoreV2/tensor_names", "save/RestoreV2/shape_and_slices"],
        ["dtypes": types]
      ),
    ]
    for (index, variable) in variables.enumerated() {
      nodes.append(
        TFNode(
          "save/Assign_\(index)",
          "AssignVariableOp",
          [variable.name, index == 0 ? "save/RestoreV2" : "save/RestoreV2:\(index)"],
          ["dtype": .type(type(variable))]
        )
      )
    }
    nodes.append(
      TFNode("save/restore_all", "NoOp", variables.indices.map { "^save/Assign_\($0)" })
    )
    return nodes
  }

  /// The entry of a collection of variables (`VariableDef`).
  private static func definition(_ variable: TensorFlowExporter.Variable) -> ByteView {
    var writer = ProtobufWriter()
    writer.string(1, "\(variable.name):0")
    writer.string(2, "\(variable.name)/Assign")
    writer.string(3, "\(variable.name)/Read/ReadVariableOp:0")
    writer.integer(5, 1)
    writer.string(6, "\(variable.name)/initial:0")
    writer.integer(7, 1)
    return ByteView(writer.finish().flatMap(\.array))
  }
}
