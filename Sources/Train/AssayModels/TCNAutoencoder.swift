import AssayBase
import AssayGraph
import AssayTensor

/// A temporal-convolution autoencoder for series (TCN-AE; Thill, Konen, Wang and Bäck, 2021).
///
/// An encoder of dilated convolutions, whose receptive field grows with powers of two, is narrowed to a
/// few channels and pooled along time; repeating each pooled element and a second stack of dilated
/// convolutions bring the series back. What such a code of a series cannot hold is anomalous.
///
/// The network is written for devices: one row of pixels, dilation as an attribute of the convolutions,
/// up-sampling as a resize to nearest neighbours. It has no operator beyond convolution, addition,
/// average, resize and reshape.
public struct TCNAutoencoder: Sendable, Equatable {
  /// Channels of the series.
  public var channels = 1
  /// The dilations of a stack, one residual block each.
  public var dilations = [1, 2, 4, 8, 16]
  /// Channels of the dilated convolutions.
  public var filters = 20
  /// Taps of the dilated convolutions.
  public var kernel = 20
  /// How often the stack of dilations is repeated.
  public var stacks = 1
  /// The part of whole channels that training drops behind each dilated convolution.
  public var dropout: Float = 0
  /// Channels of the code.
  public var bottleneck = 8
  /// Samples that one element of the code stands for.
  public var latentRate = 42
  /// What the code keeps of those samples.
  public var pooling = Pool2D.Kind.average
  /// Whether no output of the dilated convolutions sees later inputs.
  public var isCausal = false

  /// The published network.
  public init() {}

  /// Throws hyper-parameters that make no network.
  ///
  /// - Throws: `Diagnostic` MDL010.
  public func check() throws {
    func demand(_ holds: Bool, _ summary: String) throws {
      guard holds else { throw Diagnostic("MDL010", summary) }
    }
    try demand((1...1024).contains(channels), "a series has 1 to 1024 channels")
    try demand(
      !dilations.isEmpty && dilations.count <= 16 && dilations.allSatisfy((1...4096).contains),
      "there are 1 to 16 dilations, each from 1 to 4096"
    )
    try demand((1...1024).contains(filters), "there are 1 to 1024 filters")
    try demand((1...256).contains(kernel), "a kernel has 1 to 256 taps")
    try demand((1...16).contains(stacks), "there are 1 to 16 stacks")
    try demand(dropout >= 0 && dropout < 1, "the dropout is at least 0 and below 1")
    try demand((1...1024).contains(bottleneck), "the code has 1 to 1024 channels")
    try demand((1...4096).contains(latentRate), "the latent rate is from 1 to 4096")
  }

  /// The network for series of `length` samples, which is rounded down to whole elements of the code.
  ///
  /// - Parameters:
  ///   - length: samples.
  ///   - seed: of the first weights (Glorot and Bengio's normal ones).
  /// - Throws: `Diagnostic` MDL010 for hyper-parameters that make no network, MDL011 for a length below
  ///   one element of the code.
  public func network(length: Int, seed: UInt64 = 0) throws -> Network {
    try check()
    let length = length / latentRate * latentRate
    guard length > 0 else {
      throw Diagnostic(
        "MDL011",
        "the length is below \(latentRate), the samples of one element of the code",
        remedy: "take a length that is a multiple of \(latentRate)"
      )
    }
    return try Network.build("tcn-autoencoder", seed: seed) { define($0, length: length) }
  }

  /// Adds the layers for series of `length` samples, whole elements of the code.
  func define(_ network: NetworkBuilder, length: Int) {
    let series = network.input("series", [length, channels])
    let code = series.reshape([1, length, channels], name: "row")
      .block("encoder", stack)
      .conv(bottleneck, Size2D(1, 1), initializer: .glorotNormal, name: "bottleneck")
      .pool1D(pooling, latentRate, name: "pool")
    let result = code.upsample(Size2D(1, latentRate), name: "upsample")
      .block("decoder", stack)
      .conv(channels, Size2D(1, 1), initializer: .glorotUniform, name: "dense")
      .reshape([length, channels], name: "reconstruction")
    network.output(result)
  }

  /// The residual blocks; what leaves is the sum of all blocks before their residuals.
  private func stack(_ input: Signal) -> Signal {
    var signal = input
    var sum: Signal?
    let all = (0..<stacks).flatMap { stack in dilations.map { (stack, $0) } }
    for (index, (stack, dilation)) in all.enumerated() {
      let name = stacks > 1 ? "stack\(stack + 1)/dilation\(dilation)" : "dilation\(dilation)"
      let isLast = index == all.count - 1
      signal.network.block(name) {
        let long = dilated(dilated(signal, dilation, "conv1"), dilation, "conv2")
        sum = sum.map { $0 + long } ?? long
        // Nobody reads what leaves the last block.
        if isLast { return }
        let short =
          signal.channels == filters
          ? signal
          : signal.conv(filters, Size2D(1, 1), initializer: .glorotNormal, name: "match")
        signal = (long + short).activation(.relu, name: "relu")
      }
    }
    return sum ?? signal
  }

  private func dilated(_ signal: Signal, _ dilation: Int, _ name: String) -> Signal {
    let reach = (kernel - 1) * dilation
    let result = signal.conv(
      filters,
      Size2D(1, kernel),
      // A row has no height to be dilated along; devices ask for the same dilation on both axes.
      dilations: Size2D(dilation, dilation),
      padding: isCausal ? .explicit(top: 0, bottom: 0, left: reach, right: 0) : .same,
      initializer: .glorotNormal,
      activation: .relu,
      name: name
    )
    return dropout > 0 ? result.dropout(dropout) : result
  }
}
