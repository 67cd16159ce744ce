import AssayBase
import AssayGraph
import AssayTensor

let depthwiseReaders: [String: TFReader] = [
  "DepthwiseConv2dNative": readDepthwise
]

/// DepthwiseConv2dNative: the filter is `[KH, KW, C, M]`.
private func readDepthwise(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let image = try into.image(call, 0)
  let filter = try into.filter(call, 1)
  let dims = into.graph[filter].type.shape.dims
  let shape = [1, dims[0], dims[1], dims[2] &* dims[3]]
  let turned = try into.reshaped(call, filter, to: shape, as: "filter")
  let window = try TFWindow(call, image: into.graph[image].type.shape)
  let op = DepthwiseConv2D(
    strides: window.strides,
    dilations: window.dilations,
    padding: window.padding
  )
  return [try into.emitImage(call, op, [image, turned])]
}
