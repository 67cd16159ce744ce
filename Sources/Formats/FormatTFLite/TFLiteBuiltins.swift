/// Every operator of the schema and whether it is read: what docs/operators.md shows and what the
/// importer works by.
public enum TFLiteBuiltins {
  /// An operator of the schema.
  public struct Row: Sendable {
    /// The schema's name.
    public var name: String
    /// Why it is not read; `nil` for one that is.
    public var refusal: String?
    /// What has to hold for it to be read.
    public var condition: String?
  }

  /// The rows, in the order of the schema's numbers.
  public static let rows: [Row] = BuiltinOperator.all.map { builtin in
    let isRead =
      TFLiteOperators.readers[builtin] != nil || ComposedOperators.readers[builtin] != nil
      || builtin == "CUSTOM"
    return Row(
      name: builtin.name,
      refusal: isRead ? nil : refusals[builtin] ?? "it is not known",
      condition: isRead ? conditions[builtin] : nil
    )
  }

  private static let noKernel = "no runtime has a kernel for it"
  private static let random = "its result is random"
  private static let table = "it looks up a table that is filled when the model is loaded"
  private static let text = "it works on text"

  /// Why an operator is kept for description only.
  static let refusals: [BuiltinOperator: String] = [
    "HASHTABLE_LOOKUP": table,
    "LSH_PROJECTION": "it hashes the bits of its input",
    "CONCAT_EMBEDDINGS": noKernel,
    "SKIP_GRAM": text,
    "CALL": noKernel,
    "DELEGATE": "a delegate puts it there while a model is prepared",
    "EMBEDDING_LOOKUP_SPARSE": "the length of its rows depends on the data",
    "PLACEHOLDER_FOR_GREATER_OP_CODES": "it is no operator",
    "HASHTABLE": table, "HASHTABLE_FIND": table, "HASHTABLE_IMPORT": table,
    "HASHTABLE_SIZE": table,
    "RANDOM_STANDARD_NORMAL": random, "RANDOM_UNIFORM": random, "MULTINOMIAL": random,
    "STABLEHLO_RNG_BIT_GENERATOR": random,
    "BITCAST": "it reads the bits of one type as another",
    "STABLEHLO_CUSTOM_CALL": "what it calls is not in the file",
    "REDUCE_WINDOW": "it was withdrawn from the schema",
  ]

  /// What has to hold for an operator to be read, where it is not always.
  private static let conditions: [BuiltinOperator: String] = [
    "CUSTOM": "Flex operators are read as the TensorFlow operator that they are",
    "IF": "condition known at import", "STABLEHLO_CASE": "condition known at import",
    "WHILE": "turns known at import", "STABLEHLO_WHILE": "turns known at import",
    "CALL_ONCE": "sets variables to constants", "ASSIGN_VARIABLE": "within CALL_ONCE",
    "READ_VARIABLE": "set within CALL_ONCE", "WHERE": "constant input", "UNIQUE": "constant input",
    "RANGE": "constant bounds", "DYNAMIC_UPDATE_SLICE": "known place",
    "STABLEHLO_DYNAMIC_SLICE": "known place", "STABLEHLO_DYNAMIC_UPDATE_SLICE": "known place",
    "STABLEHLO_COMPOSITE": "its subgraph is in the file",
    "STABLEHLO_CONVOLUTION": "images", "STABLEHLO_REDUCE": "sum, product, max or min",
    "STABLEHLO_REDUCE_WINDOW": "max or sum of images", "SVDF": "floats; state of zeros",
    "STABLEHLO_GATHER": "slices of the first axes",
    "STABLEHLO_SCATTER": "slices of the first axes", "STABLEHLO_SORT": "one list of numbers",
    "RFFT2D": "lengths up to 512 x 4096",
  ]
}
