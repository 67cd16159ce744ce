/// The geometry of a window operator over NHWC images: what its kernel needs beside pointers.
public struct Window: Sendable, Hashable {
  /// Images at once.
  public var batch: Int
  /// Extents of the input.
  public var inputHeight: Int, inputWidth: Int, inputChannels: Int
  /// Extents of the output.
  public var outputHeight: Int, outputWidth: Int, outputChannels: Int
  /// The window.
  public var height: Int, width: Int
  /// Steps of the window.
  public var strideHeight: Int, strideWidth: Int
  /// Distance of the window's taps.
  public var dilationHeight: Int, dilationWidth: Int
  /// Padding before the first row and column.
  public var padTop: Int, padLeft: Int
  /// Groups of channels that do not mix.
  public var groups: Int
  /// The bounds of the result.
  public var low: Float, high: Float

  /// Makes a geometry.
  public init(
    batch: Int,
    input: (height: Int, width: Int, channels: Int),
    output: (height: Int, width: Int, channels: Int),
    window: (height: Int, width: Int) = (1, 1),
    strides: (height: Int, width: Int) = (1, 1),
    dilations: (height: Int, width: Int) = (1, 1),
    padTop: Int = 0,
    padLeft: Int = 0,
    groups: Int = 1,
    bounds: (low: Float, high: Float) = (-.infinity, .infinity)
  ) {
    self.batch = batch
    (inputHeight, inputWidth, inputChannels) = input
    (outputHeight, outputWidth, outputChannels) = output
    (height, width) = window
    (strideHeight, strideWidth) = strides
    (dilationHeight, dilationWidth) = dilations
    self.padTop = padTop
    self.padLeft = padLeft
    self.groups = groups
    (low, high) = bounds
  }

  /// The geometry of a dense layer: `rows` vectors of `inputs` elements to `outputs`.
  public static func dense(
    rows: Int,
    inputs: Int,
    outputs: Int,
    bounds: (low: Float, high: Float)
  ) -> Window {
    Window(
      batch: 1,
      input: (1, rows, inputs),
      output: (1, rows, outputs),
      bounds: bounds
    )
  }

  /// The weights that one output channel has.
  public var depth: Int { height * width * (inputChannels / groups) }
}
