import AssayBase
import AssayTensor
import FormatTFLite

/// Whether one operator of a file could run on the Edge TPU by itself.
struct OperatorCheck {
  let listing: TFLiteListing
  let node: TFLiteListing.Node
  let runtime: Int

  private var roles: [EdgeTPUOperator.Role] { EdgeTPUOperator.roles(node.kind) }

  /// The inputs that are there, with their roles.
  private var inputs: [(role: EdgeTPUOperator.Role, tensor: TFLiteListing.Tensor)] {
    node.inputs.enumerated().compactMap { place, index in
      guard index >= 0, let role = roles.indices.contains(place) ? roles[place] : roles.last
      else { return nil }
      return (role, listing.tensors[index])
    }
  }

  private var outputs: [TFLiteListing.Tensor] {
    node.outputs.filter { $0 >= 0 }.map { listing.tensors[$0] }
  }

  private var data: [TFLiteListing.Tensor] { inputs.filter { $0.role == .data }.map(\.tensor) }

  private func integers(_ place: Int) -> [Int]? {
    guard node.inputs.indices.contains(place), node.inputs[place] >= 0 else { return nil }
    return listing.tensors[node.inputs[place]].integers
  }

  /// The first thing that stands in the way; `nil` when there is none.
  ///
  /// The order is that of the compiler's statuses: what is not supported at all comes first.
  var obstacle: PlacementReason? {
    guard let row = EdgeTPUOperator.row(node.kind, runtime: runtime) else { return unsupported }
    if let newest = EdgeTPUOperator.newestVersions[node.kind], node.version > newest {
      return tooNew(newest)
    }
    if let reason = wrongType ?? notConstant ?? open ?? wrongRank { return reason }
    for limit in row.limits { if let reason = obstacle(limit) { return reason } }
    return nil
  }

  /// The refusal of the whole file for this operator's version; `nil` when it is parsed.
  var refusal: PlacementReason? {
    guard let newest = EdgeTPUOperator.newestVersions[node.kind], node.version > newest else {
      return nil
    }
    return tooNew(newest)
  }

  private func tooNew(_ newest: Int) -> PlacementReason {
    PlacementReason(
      "TPU102",
      status: CompilerStatus.version,
      "version \(node.version) of \(node.kind) is newer than \(newest), the newest that compiler 16 "
        + "parses; it refuses the whole file",
      mend: node.kind == "FULLY_CONNECTED"
        ? "quantize weights of fully connected layers per tensor (assay convert does), or convert with "
          + "an older TensorFlow"
        : "write the file anew with assay convert, which takes the oldest version that will do",
      basis: .reported
    )
  }

  private var unsupported: PlacementReason {
    if let first = EdgeTPUOperator.firstRuntime(of: node.kind) {
      return PlacementReason(
        "TPU108",
        status: CompilerStatus.operation,
        "\(node.kind) needs runtime version \(first), \(runtime) is asked for",
        mend: "compile for runtime version \(first) or later"
      )
    }
    return PlacementReason(
      "TPU101",
      status: CompilerStatus.operation,
      "the Edge TPU has no \(node.custom ?? node.kind)",
      mend: Self.substitutes[node.kind]
        ?? "use another operator in its place, or move it behind the last operator that is mapped"
    )
  }

  /// What can take the place of operators that are not supported.
  private static let substitutes: [String: String] = [
    "ARG_MAX": "leave it to the processor at the end of the network, or give the scores out",
    "BATCH_MATMUL": "where one factor is constant, use a fully connected layer",
    "CAST": "feed the network 8-bit integers directly, without a change of type in front",
    "CUSTOM": "leave custom operators, such as the suppression of boxes, at the network's end",
    "DEQUANTIZE": "give 8-bit outputs: assay convert --recipe static_int8 (without _floatio)",
    "DIV": "multiply by the reciprocal, where the divisor is constant",
    "ELU": "train with RELU or RELU6",
    "GATHER": "take slices with fixed places (STRIDED_SLICE or SPLIT)",
    "GELU": "train with RELU or RELU6",
    "HARD_SWISH": "train with RELU6 in its place, as the maker's own networks do",
    "LEAKY_RELU": "use RELU, or PRELU with one slope for each channel",
    "MIRROR_PAD": "pad with zeros",
    "SPACE_TO_BATCH_ND": "export dilated convolutions with their dilation kept: assay convert",
    "BATCH_TO_SPACE_ND": "export dilated convolutions with their dilation kept: assay convert",
    "SHAPE": "fix the shapes of the inputs, so that it is computed beforehand",
    "TILE": "use RESIZE_NEAREST_NEIGHBOR for repetition along rows and columns",
    "WHILE": "unroll the loop: convert with a fixed number of steps",
  ]

  private var wrongType: PlacementReason? {
    func isFit(_ tensor: TFLiteListing.Tensor) -> Bool {
      (tensor.type == .int8 || tensor.type == .uint8) && tensor.scaleCount > 0
    }
    let weights = inputs.filter { $0.role == .weight }.map(\.tensor)
    guard let odd = (data + weights + outputs).first(where: { !isFit($0) }) else { return nil }
    let type = odd.type.map { $0.rawValue } ?? "another type"
    let isWithoutScale = odd.type == .int8 || odd.type == .uint8
    return PlacementReason(
      "TPU103",
      status: CompilerStatus.dataType,
      isWithoutScale
        ? "'\(odd.name)' is \(type) without a scale" : "'\(odd.name)' is \(type)",
      mend: node.kind == "QUANTIZE"
        ? "feed 8-bit integers: assay convert --recipe static_int8_uint8io"
        : "quantize the whole network: assay convert --recipe static_int8_uint8io"
    )
  }

  private var notConstant: PlacementReason? {
    for (role, tensor) in inputs where role != .data && tensor.constant == nil {
      // A state that a layer keeps, or an input that is left out, is no parameter.
      if tensor.isVariable || node.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM" { continue }
      let what =
        switch role {
        case .weight: "weights"
        case .bias: "the bias"
        default: "a shape or an axis"
        }
      return PlacementReason(
        "TPU105",
        status: CompilerStatus.notConstant,
        "\(what) ('\(tensor.name)') is computed while the network runs",
        mend: "freeze the network with fixed shapes: assay convert --shape INPUT=1xHxWxC"
      )
    }
    return nil
  }

  private var open: PlacementReason? {
    guard let tensor = (data + outputs).first(where: { $0.shape.contains { $0 <= 0 } }) else {
      return nil
    }
    return PlacementReason(
      "TPU109",
      status: CompilerStatus.unspecified,
      "the size of '\(tensor.name)' is open until the network runs; the compiler refuses such files",
      mend: "fix the inputs' shapes: assay convert --shape INPUT=1xHxWxC"
    )
  }

  private var wrongRank: PlacementReason? {
    let all = data + outputs
    guard let tensor = all.first(where: { $0.outerExtents.contains { $0 != 1 } }) else {
      return nil
    }
    return PlacementReason(
      "TPU104",
      status: CompilerStatus.rank,
      "'\(tensor.name)' has the extents \(Self.text(tensor.shape)): only the last three may exceed 1",
      mend: "use batch 1, and reshape so that axes in front of the last three are 1"
    )
  }

  static func text(_ shape: [Int]) -> String { shape.map { "\($0)" }.joined(separator: "x") }
}

// MARK: Limits of single operators

extension OperatorCheck {
  private func limited(
    _ summary: String,
    mend: String,
    basis: PlacementReason.Basis = .documented
  ) -> PlacementReason {
    PlacementReason(
      "TPU110",
      status: CompilerStatus.unspecified,
      summary,
      mend: mend,
      basis: basis
    )
  }

  private func obstacle(_ limit: EdgeTPUOperator.Limit) -> PlacementReason? {
    switch limit {
    case .noFusedActivation:
      guard setting("fused_activation_function") != 0 else { return nil }
      return limited(
        "an activation is fused into \(node.kind)",
        mend: "put the activation into the convolution before it"
      )
    case .constantOnlyAsZeroPad: return constantInConcatenation
    case .equalDilation: return unequalDilation
    case .noDilation:
      guard setting("dilation_h_factor", 1) != 1 || setting("dilation_w_factor", 1) != 1 else {
        return nil
      }
      return limited("its kernel is dilated", mend: "compile for runtime version 13 or later")
    case .plainWeights:
      guard setting("weights_format") != 0 else { return nil }
      return limited(
        "its weights are shuffled",
        mend: "write the file anew with assay convert"
      )
    case .vectorOutput: return vectorOutput
    case .vectorInput(let most): return vectorInput(most)
    case .notAlongBatch, .alongRowsAndColumnsOnly, .channelsMultiple: return axes(limit)
    case .slopePerChannel: return slope
    case .onlyLeadingOnes: return squeeze
    case .wholeFactor: return resize
    case .unitSteps:
      guard let steps = integers(3), steps.contains(where: { $0 != 1 }) else { return nil }
      return limited(
        "it takes every n-th element (steps \(Self.text(steps)))",
        mend: "let the convolution before it have a stride"
      )
    case .plainMasks:
      guard setting("ellipsis_mask") != 0 || setting("new_axis_mask") != 0 else { return nil }
      return limited(
        "it adds axes or leaves some to the shape",
        mend: "slice with all axes given, and RESHAPE afterwards"
      )
    }
  }

  private func setting(_ name: String, _ standard: Int = 0) -> Int {
    node.settings[name] ?? standard
  }

  private var unequalDilation: PlacementReason? {
    let (rows, columns) = (setting("dilation_h_factor", 1), setting("dilation_w_factor", 1))
    guard rows != columns else { return nil }
    let kernel = inputs.first { $0.role == .weight }?.tensor.shape ?? []
    let isLine = kernel.count == 4 && (kernel[1] == 1 || kernel[2] == 1)
    return limited(
      "its dilation differs between rows and columns (\(rows) and \(columns))",
      mend: isLine
        ? "write the greater dilation for both directions: along one row of a kernel it changes nothing"
        : "use the same dilation in both directions"
    )
  }

  private var constantInConcatenation: PlacementReason? {
    let constants = data.filter { $0.constant != nil }
    guard let first = constants.first else { return nil }
    if data.count == 2, first.isZero { return nil }
    return limited(
      "a constant is joined to it that is no padding with zeros",
      mend: "join two inputs, the constant one of which is zero, or use PAD"
    )
  }

  private var vectorOutput: PlacementReason? {
    guard let output = outputs.first, output.shape.dropLast().contains(where: { $0 != 1 }) else {
      return nil
    }
    return limited(
      "its output has the extents \(Self.text(output.shape)), not those of a vector",
      mend: "use a 1x1 convolution in its place"
    )
  }

  private func vectorInput(_ most: Int) -> PlacementReason? {
    guard let input = data.first else { return nil }
    let count = input.shape.last ?? 0
    guard input.shape.dropLast().contains(where: { $0 != 1 }) || count > most else { return nil }
    return limited(
      count > most
        ? "it has \(count) elements, at most \(most) are supported"
        : "its input has the extents \(Self.text(input.shape)), not those of a vector",
      mend:
        "leave it to the processor at the network's end, or out: the order of scores is the same"
    )
  }

  /// The axes that an operator works along, counted from the front of its first data input.
  private var workedAxes: [Int]? {
    let rank = data.first?.shape.count ?? 0
    func positive(_ axes: [Int]) -> [Int] { axes.map { $0 < 0 ? $0 + rank : $0 } }
    switch node.kind {
    case "MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN": return integers(1).map(positive)
    case "SPLIT": return integers(0).map(positive)
    case "PACK":
      let axis = setting("axis")
      return [axis < 0 ? axis + rank + 1 : axis]
    case "PAD":
      guard let amounts = integers(1), amounts.count == 2 * rank else { return nil }
      return (0..<rank).filter { amounts[2 * $0] != 0 || amounts[2 * $0 + 1] != 0 }
    default: return nil
    }
  }

  private func axes(_ limit: EdgeTPUOperator.Limit) -> PlacementReason? {
    guard let axes = workedAxes, let shape = data.first?.shape else { return nil }
    switch limit {
    case .notAlongBatch:
      // Of three axes the first may be rows.
      guard axes.contains(0), shape.count > 3 || shape.count > 1 && shape[0] == 1 else {
        return nil
      }
      return limited(
        "\(node.kind) works along the batch",
        mend: "use batch 1 and work along the other axes"
      )
    case .alongRowsAndColumnsOnly:
      guard axes.contains(where: { $0 != shape.count - 3 && $0 != shape.count - 2 }) else {
        return nil
      }
      return limited(
        "\(node.kind) works along more than rows and columns",
        mend: "compile for runtime version 13 or later"
      )
    case .channelsMultiple(let factor):
      guard let channels = shape.last, axes.contains(shape.count - 1), channels % factor != 0
      else { return nil }
      return limited(
        "it works along \(channels) channels, which are no multiple of \(factor)",
        mend: "give the layer before it a multiple of \(factor) channels"
      )
    default: return nil
    }
  }

  private var slope: PlacementReason? {
    guard let alpha = inputs.first(where: { $0.role == .weight })?.tensor,
      alpha.shape.dropLast().contains(where: { $0 != 1 })
    else { return nil }
    return limited(
      "its slopes have the extents \(Self.text(alpha.shape))",
      mend: "share slopes along rows and columns (Keras: PReLU(shared_axes=[1, 2]))"
    )
  }

  private var squeeze: PlacementReason? {
    guard let from = data.first?.shape, let to = outputs.first?.shape else { return nil }
    guard from.drop(while: { $0 == 1 }) != to.drop(while: { $0 == 1 }) else { return nil }
    return limited(
      "it takes axes away that are not at the front",
      mend: "compile for runtime version 13 or later"
    )
  }

  private var resize: PlacementReason? {
    guard let from = data.first?.shape, let to = outputs.first?.shape, from.count == 4,
      to.count == 4
    else { return nil }
    let pairs = [(from[1], to[1]), (from[2], to[2])]
    let isWhole = pairs.allSatisfy { $0.0 == $0.1 || $0.0 > 1 && $0.1 % $0.0 == 0 }
    guard !isWhole else { return nil }
    return limited(
      "\(node.kind) from \(from[1])x\(from[2]) to \(to[1])x\(to[2]): the compiler leaves some sizes to "
        + "the processor, so as not to lose precision",
      mend: "upsample by a whole factor, such as 2, from more than one row and column",
      basis: .observed
    )
  }
}

extension TFLiteListing.Tensor {
  /// Whether a constant holds one value throughout: a padding's.
  var isZero: Bool {
    guard let constant, let first = try? constant.load(UInt8.self, at: 0) else { return false }
    return (0..<constant.count).allSatisfy { (try? constant.load(UInt8.self, at: $0)) == first }
  }
}
