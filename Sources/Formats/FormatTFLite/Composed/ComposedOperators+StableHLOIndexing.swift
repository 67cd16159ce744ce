import AssayBase
import AssayGraph
import AssayTensor

/// StableHLO's general gathers, scatters and sorts, in the forms that have a plain counterpart.
extension ComposedOperators {
  static let stableIndexing: [BuiltinOperator: Reader] = [
    "STABLEHLO_GATHER": { try stableGather($0, &$1) },
    "STABLEHLO_SCATTER": { try stableScatter($0, &$1) },
    "STABLEHLO_SORT": { try stableSort($0, &$1) },
  ]

  /// Coordinates with their numbers along the last axis, clamped so that a block of `sizes` fits.
  private static func coordinates(
    _ input: ValueID,
    vectorAxis: Int,
    limits: [Int],
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID? {
    let type = importer.type(input)
    var indices = input
    if vectorAxis == type.shape.rank {
      indices = try importer.intermediate(
        Reshape(type.shape.dims + [1]),
        [indices],
        op,
        like: type
      )
    } else if vectorAxis != type.shape.rank - 1 {
      return nil
    }
    guard importer.type(indices).shape[-1] == limits.count, limits.allSatisfy({ $0 >= 0 }) else {
      return nil
    }
    if let known = importer.constant(indices)?.integers(),
      known.enumerated().allSatisfy({ (0...limits[$0 % limits.count]).contains($1) })
    {
      return indices
    }
    let dtype = type.dtype
    guard let low = Tensor([Int32(0)], []).converted(to: dtype),
      let high = Tensor(limits.map { Int32(clamping: $0) }, [limits.count]).converted(to: dtype)
    else { return nil }
    let least = importer.addConstant("least", low)
    let most = importer.addConstant("most", high)
    let raised = try importer.intermediate(Binary(.maximum), [indices, least], op)
    return try importer.intermediate(Binary(.minimum), [raised, most], op)
  }

  /// Whole slices at coordinates of the first axes: GatherND.
  private static func stableGather(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let options = op.secondOptions
    let (x, indices) = (try importer.input(0, of: op), try importer.input(1, of: op))
    let shape = importer.type(x).shape
    let mapped = try options.longs(2)
    let sizes = try options.longs(4)
    let count = mapped.count
    let output = try importer.declaredType(0, of: op).shape
    let offsets = try options.longs(0)
    guard mapped == Array(0..<count), try options.longs(1) == mapped, count > 0,
      count <= shape.rank, sizes == [Int](repeating: 1, count: count) + shape.dims[count...],
      offsets == Array((output.rank - offsets.count)..<output.rank),
      let places = try coordinates(
        indices,
        vectorAxis: try options.long(3),
        limits: (0..<count).map { shape.dims[$0] - 1 },
        op,
        &importer
      )
    else {
      return try importer.addOpaque(op, because: "it gathers blocks along any axes")
    }
    try importer.add(GatherND(), [x, places], op)
  }

  /// Whole slices updated at coordinates of the first axes: ScatterND.
  private static func stableScatter(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let options = op.secondOptions
    let inputs = try importer.inputs(op)
    guard inputs.count == 3 else { throw Diagnostic("TFL012", "it takes three inputs") }
    let shape = importer.type(inputs[0]).shape
    let mapped = try options.longs(3)
    let updates = importer.type(inputs[2]).shape
    let windows = try options.longs(1)
    let body = try options.int(6)
    let reduction: ScatterReduction? =
      switch function(body, importer) {
      case "STABLEHLO_ADD", "ADD": .add
      case "STABLEHLO_MULTIPLY", "MUL": .multiply
      case "STABLEHLO_MAXIMUM", "MAXIMUM": .maximum
      case "STABLEHLO_MINIMUM", "MINIMUM": .minimum
      default: replaces(body, importer) ? .replace : nil
      }
    guard let reduction, mapped == Array(0..<mapped.count), try options.longs(2) == mapped,
      !mapped.isEmpty, mapped.count <= shape.rank,
      windows == Array((updates.rank - windows.count)..<updates.rank),
      windows.count == shape.rank - mapped.count,
      let places = try coordinates(
        inputs[1],
        vectorAxis: try options.long(4),
        limits: mapped.map { shape.dims[$0] - 1 },
        op,
        &importer
      )
    else {
      return try importer.addOpaque(op, because: "it updates blocks along any axes")
    }
    try importer.add(ScatterND(reduction), [inputs[0], places, inputs[2]], op)
  }

  /// Whether a subgraph of two numbers gives the second.
  private static func replaces(_ index: Int, _ importer: TFLiteImporter) -> Bool {
    guard importer.model.subgraphs.indices.contains(index) else { return false }
    let subgraph = importer.model.subgraphs[index]
    return subgraph.operators.isEmpty && subgraph.inputs.count == 2
      && subgraph.outputs == [subgraph.inputs[1]]
  }

  /// Numbers in rising or falling order: all of them, the best first.
  private static func stableSort(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let options = op.secondOptions
    let body = try options.int(2)
    guard op.record.inputs.count == 1, op.record.outputs.count == 1,
      importer.model.subgraphs.indices.contains(body),
      let order = order(importer.model.subgraphs[body], importer)
    else { return try importer.addOpaque(op, because: "its order is not that of numbers") }
    let x = try importer.input(0, of: op)
    let axis = try options.long(0)
    let top = TopK(importer.type(x).shape[axis], axis: axis, takesLargest: order, dtype: .int32)
    try importer.add(top, [x], op, outputs: [op.record.outputs[0], -1])
  }

  /// Whether a comparison of two numbers puts the greater one first; `nil` for anything else.
  private static func order(_ subgraph: SubgraphRecord, _ importer: TFLiteImporter) -> Bool? {
    guard subgraph.operators.count == 1, let compare = subgraph.operators.first,
      compare.inputs == subgraph.inputs, compare.outputs == subgraph.outputs,
      importer.model.codes.indices.contains(compare.code)
    else { return nil }
    switch importer.model.codes[compare.code].builtin {
    case "GREATER", "GREATER_EQUAL": return true
    case "LESS", "LESS_EQUAL": return false
    case "STABLEHLO_COMPARE":
      let direction = try? ImportedOptions(table: compare.secondOptions).int(0)
      return direction == 2 || direction == 3
        ? true : direction == 4 || direction == 5 ? false : nil
    default: return nil
    }
  }
}
