import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor

extension TemporalNetwork {
  /// A series as the network's input: samples by channels.
  ///
  /// - Parameter series: the samples of each channel, equally many.
  public func input(_ series: [[Float]]) -> Tensor {
    let count = series.first?.count ?? 0
    var dims = graph[graph.inputs[0]].type.shape.dims
    dims[dims.indices.first { dims[$0] == length && $0 > 0 } ?? 1] = count
    return Tensor(interleaved(series), Shape(dims))
  }

  /// The channels of an output.
  public func channels(_ output: Tensor) -> [[Float]] {
    deinterleaved(output.floats(), channelCount)
  }
}

/// Samples by channels, from channels.
func interleaved(_ channels: [[Float]]) -> [Float] {
  if channels.count == 1 { return channels[0] }
  return (0..<(channels.first?.count ?? 0)).flatMap { index in channels.map { $0[index] } }
}

/// Channels, from samples by channels.
func deinterleaved(_ values: [Float], _ count: Int) -> [[Float]] {
  if count == 1 { return [values] }
  return (0..<count).map { channel in
    stride(from: channel, to: values.count, by: count).map { values[$0] }
  }
}

/// Runs a network on parts of a series so that each output is what it would be on the whole series.
///
/// A part is read together with as much before and after it as the outputs depend on. Only where the
/// series begins and ends does the network see its own padding, as it would there.
public final class PiecewiseReconstruction {
  /// The network.
  public let network: TemporalNetwork
  private let threads: Int
  private var evaluators: [Int: Evaluator] = [:]

  /// Prepares a network.
  public init(_ network: TemporalNetwork, threads: Int = 1) {
    self.network = network
    self.threads = threads
  }

  /// The reconstruction of a whole input.
  ///
  /// - Parameter series: the standardized samples of each channel.
  /// - Throws: `Diagnostic` DTC031 for one that is too short; what `Evaluator` throws.
  public func callAsFunction(_ series: [[Float]]) throws -> [[Float]] {
    let count = series.first?.count ?? 0
    let evaluator = try evaluator(count)
    let name = evaluator.graph[evaluator.graph.inputs[0]].name
    let outputs = try evaluator.run([name: network.input(series)])
    return network.channels(outputs[0].tensor)
  }

  private func evaluator(_ length: Int) throws -> Evaluator {
    if let known = evaluators[length] { return known }
    // Each holds its values for its length; a stream needs two or three lengths again and again.
    if evaluators.count >= 4 { evaluators.removeAll() }
    let made = try Evaluator(try network.graph(length: length), threads: threads)
    evaluators[length] = made
    return made
  }
}
