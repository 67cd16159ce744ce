import AssayBase
import AssayTensor
import FormatTFLite

/// What the Edge TPU's compiler would most likely do with a file: a prediction, not its answer.
///
/// The compiler is closed and may not be here; this asks the maker's published table of operators, and
/// cuts the network as TensorFlow Lite does. Where files that the compiler made can be compared, it
/// agrees with them operator by operator.
public struct EdgeTPUPrediction: Sendable {
  /// The fate of one operator.
  public struct Fate: Sendable, Equatable {
    /// Its place in the file.
    public var index: Int
    /// The schema's name, or that of a custom operator.
    public var kind: String
    /// The name of what it makes.
    public var output: String
    /// Why it stays on the processor; `nil` when it is mapped.
    public var reason: PlacementReason?
    /// Bytes of its parameters on the chip; 0 where it is not mapped.
    public var parameterBytes: Int
  }

  /// The runtime version that is compiled for.
  public var runtime: Int
  /// Whether every part is compiled, not only the first.
  public var compilesAllParts: Bool
  /// Every operator, in the file's order.
  public var fates: [Fate]
  /// Parts that are mapped.
  public var partCount: Int
  /// Why the compiler refuses the whole file; `nil` when it does not.
  public var refusal: PlacementReason?
  /// Remarks on the whole.
  public var notes: [Diagnostic]

  /// Operators that run on the chip.
  public var mappedCount: Int { fates.count { $0.reason == nil } }

  /// Bytes of all parameters on the chip.
  public var parameterBytes: Int { fates.reduce(0) { $0 + $1.parameterBytes } }

  /// Memory of the chip for instructions, activations and parameters together, bytes.
  public static let chipBytes = 8 << 20

  /// Predicts for a file.
  ///
  /// - Parameters:
  ///   - bytes: a .tflite file that was not compiled.
  ///   - runtime: the runtime version that is compiled for (`edgetpu_compiler -m`), 10 to 14.
  ///   - compilesAllParts: whether every part is compiled (`edgetpu_compiler -a`).
  /// - Throws: `Diagnostic` TPU001 for a file that was compiled already, FLB… or TFL… for a damaged one.
  public init(_ bytes: ByteView, runtime: Int = 14, compilesAllParts: Bool = false) throws {
    try self.init(
      TFLiteListing(reading: bytes),
      runtime: runtime,
      compilesAllParts: compilesAllParts
    )
  }

  /// Predicts for a listed file.
  public init(
    _ listing: TFLiteListing,
    runtime: Int = 14,
    compilesAllParts: Bool = false
  ) throws {
    guard !listing.nodes.contains(where: { $0.custom == EdgeTPUPackage.customName }) else {
      throw Diagnostic(
        "TPU001",
        "the file is compiled for the Edge TPU already",
        remedy: "predict for the file that it was compiled from; assay inspect describes this one"
      )
    }
    self.runtime = runtime
    self.compilesAllParts = compilesAllParts
    let checks = listing.nodes.map { OperatorCheck(listing: listing, node: $0, runtime: runtime) }
    var reasons = checks.map(\.obstacle)
    let partition = Partition(listing, reasons.map { $0 == nil })
    let taken = partition.parts.filter(\.isTaken)
    partCount = compilesAllParts ? taken.count : min(taken.count, 1)
    refusal = Self.refusal(listing, checks, reasons)
    if refusal != nil { partCount = 0 }
    if !compilesAllParts {
      let blocker = Self.firstObstacle(reasons, behind: taken.first?.nodes.first ?? 0)
      for part in taken.dropFirst() {
        for place in part.nodes { reasons[place] = Self.second(blocker, listing) }
      }
    }
    let estimate = ParameterEstimate(listing)
    let refused = refusal
    fates = zip(listing.nodes, reasons).map { node, reason in
      let why = reason ?? refused
      return Fate(
        index: node.index,
        kind: node.custom ?? node.kind,
        output: node.outputs.first.flatMap { $0 >= 0 ? listing.tensors[$0].name : nil } ?? "",
        reason: why,
        parameterBytes: why == nil ? estimate.bytes(node) : 0
      )
    }
    notes = []
    notes = remarks(listing, taken)
  }

  /// The first operator that stops the first part.
  private static func firstObstacle(_ reasons: [PlacementReason?], behind place: Int) -> Int? {
    reasons.indices.first { $0 > place && reasons[$0] != nil }
  }

  private static func second(_ blocker: Int?, _ listing: TFLiteListing) -> PlacementReason {
    let first = blocker.map { " (first: operator \($0), \(listing.nodes[$0].kind))" } ?? ""
    return PlacementReason(
      "TPU106",
      status: CompilerStatus.secondSubgraph,
      "operators before it stay on the processor\(first), and only one part is mapped",
      mend: "mend what stands before it, or compile with --all-subgraphs"
    )
  }

  /// What makes the compiler refuse a file as a whole.
  private static func refusal(
    _ listing: TFLiteListing,
    _ checks: [OperatorCheck],
    _ reasons: [PlacementReason?]
  ) -> PlacementReason? {
    if let reason = checks.lazy.compactMap({ $0.refusal }).first { return reason }
    let open = listing.tensors.first { $0.shape.contains { $0 < 0 } && $0.constant == nil }
    if let open {
      return PlacementReason(
        "TPU109",
        status: CompilerStatus.unspecified,
        "the size of '\(open.name)' is open until the network runs",
        mend: "fix the inputs' shapes: assay convert --shape INPUT=1xHxWxC"
      )
    }
    guard reasons.contains(nil) else {
      let isFloat = !listing.tensors.contains { $0.type == .int8 || $0.type == .uint8 }
      guard isFloat else { return nil }
      return PlacementReason(
        "TPU111",
        status: CompilerStatus.dataType,
        "the model is not quantized",
        mend: "quantize the whole network: assay convert --recipe static_int8_uint8io"
      )
    }
    return nil
  }

  private func remarks(_ listing: TFLiteListing, _ taken: [Partition.Part]) -> [Diagnostic] {
    var notes: [Diagnostic] = []
    if parameterBytes > Self.chipBytes {
      notes.append(
        Diagnostic(
          "TPU120",
          "parameters do not fit the chip's memory: at least "
            + "\(Words.bytes(parameterBytes - Self.chipBytes)) of \(Words.bytes(parameterBytes)) are sent "
            + "at each run",
          remedy: "a smaller variant, or several chips: edgetpu_compiler -n",
          severity: .warning
        )
      )
    }
    let largest = fates.filter { $0.reason == nil }.flatMap { fate in
      listing.nodes[fate.index].outputs.filter { $0 >= 0 }.map { listing.tensors[$0] }
    }.map { tensor in
      (tensor.name, tensor.shape.reduce(1) { $0.multipliedReportingOverflow(by: max($1, 1)).0 })
    }.max { $0.1 < $1.1 }
    if let largest, largest.1 > Self.chipBytes {
      notes.append(
        Diagnostic(
          "TPU121",
          "'\(largest.0)' alone takes \(Words.bytes(largest.1)), more than the chip's memory: the "
            + "compiler may fail for large activations",
          remedy: "a smaller input; or let it search for a part that compiles: --search",
          severity: .warning
        )
      )
    }
    if let open = listing.inputs.first(where: { $0 >= 0 && listing.tensors[$0].isOpen }) {
      let tensor = listing.tensors[open]
      notes.append(
        Diagnostic(
          "TPU123",
          "the file leaves the size of '\(tensor.name)' open: the compiler takes the noted "
            + OperatorCheck.text(tensor.shape),
          remedy: "fix it where that is not what you want: assay convert --shape",
          severity: .note
        )
      )
    }
    let rest = taken.dropFirst().reduce(0) { $0 + $1.nodes.count }
    if !compilesAllParts, rest > 0, let first = taken.first, rest > first.nodes.count {
      notes.append(
        Diagnostic(
          "TPU122",
          "the part that is mapped has \(first.nodes.count) operators, the parts behind it \(rest)",
          remedy: "mend the first operator that is not mapped, or compile with --all-subgraphs",
          severity: .warning
        )
      )
    }
    return notes
  }
}
