import AssayBase
import AssayTensor
import FormatTFLite

/// A prediction beside what the compiler made of the same file.
///
/// A compiled file keeps the operators that stay on the processor, in their order; those that are gone
/// were mapped.
public struct TwinComparison: Sendable {
  /// Operators whose fate was predicted as another one, in words.
  public var disagreements: [String]
  /// Parameters as the prediction has them, bytes.
  public var predictedBytes: Int
  /// Parameters in the compiled file, cached and streamed, bytes.
  public var compiledBytes: Int

  /// By what part of the compiled figure the prediction is off; `nil` when there are no parameters.
  public var deviation: Double? {
    compiledBytes > 0
      ? Double(predictedBytes - compiledBytes) / Double(compiledBytes)
      : predictedBytes == 0 ? 0 : nil
  }

  /// Compares.
  ///
  /// - Parameters:
  ///   - prediction: for the original file.
  ///   - original: the file that was compiled.
  ///   - twin: what the compiler made of it.
  /// - Throws: `Diagnostic` TPU002 when the twin is not compiled, TPU009 when it is of another network, FLB… or TFL… when a file is damaged.
  public init(
    _ prediction: EdgeTPUPrediction,
    original: TFLiteListing,
    twin bytes: ByteView
  ) throws {
    let twin = try TFLiteListing(reading: bytes)
    let packages = try EdgeTPUPackage.all(inFile: bytes)
    guard !packages.isEmpty else {
      throw Diagnostic(
        "TPU002",
        "the file holds nothing for an Edge TPU",
        remedy: "give the file that edgetpu_compiler wrote"
      )
    }
    let ends = { (listing: TFLiteListing) in
      [listing.inputs, listing.outputs].map { $0.map { listing.tensors[$0].shape } }
    }
    guard ends(original) == ends(twin) else {
      throw Diagnostic(
        "TPU009",
        "the compiled file takes or gives other arrays: it was made of another network",
        remedy: "give the file that edgetpu_compiler made of this one"
      )
    }
    predictedBytes = prediction.parameterBytes
    compiledBytes = packages.reduce(0) { $0 + $1.cachedBytes + $1.streamedBytes }
    disagreements = []
    var left = twin.nodes.filter { $0.custom != EdgeTPUPackage.customName }[...]
    for (node, fate) in zip(original.nodes, prediction.fates) {
      // What stayed stands next in the twin, with the same shapes.
      let stayed = left.first.map { Self.words($0, twin) == Self.words(node, original) } ?? false
      if fate.reason == nil {
        // Two equal operators in a row cannot be told apart; the one that stays is the later one.
        let others = original.nodes[(node.index + 1)...].lazy.filter {
          Self.words($0, original) == Self.words(node, original)
        }
        guard stayed, others.isEmpty else { continue }
        disagreements.append("operator \(node.index) \(fate.kind): predicted mapped, it stayed")
        left = left.dropFirst()
      } else if stayed {
        left = left.dropFirst()
      } else {
        disagreements.append(
          "operator \(node.index) \(fate.kind): predicted to stay, it was mapped"
        )
      }
    }
    for node in left {
      disagreements.append("\(node.kind) in the compiled file was predicted as mapped")
    }
  }

  /// Kind, types and shapes of an operator: all that both files have.
  private static func words(_ node: TFLiteListing.Node, _ listing: TFLiteListing) -> String {
    func list(_ places: [Int]) -> String {
      places.filter { $0 >= 0 }.map { place in
        let tensor = listing.tensors[place]
        return (tensor.type.map { $0.rawValue } ?? "?") + OperatorCheck.text(tensor.shape)
      }.joined(separator: " ")
    }
    return "\(node.custom ?? node.kind) \(list(node.inputs)) -> \(list(node.outputs))"
  }
}
