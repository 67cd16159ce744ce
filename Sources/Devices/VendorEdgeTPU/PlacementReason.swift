import AssayBase

/// Why an operator does not run on the Edge TPU, and what to do about it.
public struct PlacementReason: Sendable, Equatable {
  /// What a rule rests on.
  public enum Basis: String, Sendable {
    /// The compiler's own words for this very file.
    case compiler
    /// The maker's published table of operators.
    case documented
    /// Files that the compiler made, beside those that they were made of.
    case observed
    /// What users of the compiler reported.
    case reported
    /// A guess where nothing is written.
    case assumed
  }

  /// A stable code, `TPU1…`.
  public var code: String
  /// The status that the compiler writes into its table for it.
  public var status: String
  /// What stands in the way, for this operator.
  public var summary: String
  /// What to change in the model.
  public var mend: String
  /// What the rule rests on.
  public var basis: Basis

  /// Makes a reason.
  public init(
    _ code: String,
    status: String,
    _ summary: String,
    mend: String,
    basis: Basis = .documented
  ) {
    self.code = code
    self.status = status
    self.summary = summary
    self.mend = mend
    self.basis = basis
  }

  /// The reason as JSON.
  public var json: JSON {
    .object([
      "code": .string(code), "status": .string(status), "summary": .string(summary),
      "mend": .string(mend), "basis": .string(basis.rawValue),
    ])
  }
}

/// The words that the compiler has for the fate of an operator.
public enum CompilerStatus {
  /// It runs on the chip.
  public static let mapped = "Mapped to Edge TPU"
  static let secondSubgraph = "More than one subgraph is not supported"
  static let unspecified =
    "Operation is otherwise supported, but not mapped due to some unspecified limitation"
  static let dataType = "Operation is working on an unsupported data type"
  static let version = "Operation version not supported"
  static let operation = "Operation not supported"
  static let rank = "Tensor has unsupported rank (up to 3 innermost dimensions mapped)"
  static let notConstant = "Filter, bias, or other param is not constant at compile-time"

  /// What to do about a status that the compiler gave; a status that is not known gets the general
  /// advice.
  public static func reason(for status: String) -> PlacementReason {
    let found = table.first { $0.status.caseInsensitiveCompare(status) }
    guard var reason = found else {
      return PlacementReason(
        "TPU100",
        status: status,
        "the compiler's reason is not one that is known here",
        mend: "compare the operator with the prediction of assay edgetpu for the same file",
        basis: .compiler
      )
    }
    reason.status = status
    reason.basis = .compiler
    return reason
  }

  private static let table: [PlacementReason] = [
    PlacementReason(
      "TPU101",
      status: operation,
      "the Edge TPU has no such operator",
      mend: "use another operator in its place, or move it behind the last operator that is mapped"
    ),
    PlacementReason(
      "TPU102",
      status: version,
      "the file uses a newer meaning of the operator than the compiler knows",
      mend: "write the file anew with assay convert, which takes the oldest version that will do"
    ),
    PlacementReason(
      "TPU103",
      status: dataType,
      "its tensors are not 8-bit integers with scales",
      mend: "quantize the whole network: assay convert --recipe static_int8_uint8io"
    ),
    PlacementReason(
      "TPU104",
      status: rank,
      "a tensor has more than three axes with an extent above 1",
      mend: "use batch 1, and reshape so that axes in front of the last three are 1"
    ),
    PlacementReason(
      "TPU105",
      status: notConstant,
      "a weight, a bias or a shape is computed while the network runs",
      mend: "freeze the network with fixed shapes: assay convert --shape INPUT=1xHxWxC"
    ),
    PlacementReason(
      "TPU106",
      status: secondSubgraph,
      "an operator before it stays on the processor, and only one part is mapped",
      mend: "mend the first operator that is not mapped, or compile with --all-subgraphs"
    ),
    PlacementReason(
      "TPU107",
      status: unspecified,
      "the compiler does not say why",
      mend: "look at its neighbours and its size: very large tensors are left to the processor"
    ),
  ]
}

extension String {
  /// Whether two texts are the same but for the case of ASCII letters.
  func caseInsensitiveCompare(_ other: String) -> Bool {
    utf8.count == other.utf8.count
      && zip(utf8, other.utf8).allSatisfy { a, b in a == b || a ^ b == 0x20 && a | 0x20 >= 0x61 }
  }
}
