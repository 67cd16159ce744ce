/// Every ONNX operator that can be read: one row for each file of `Ops`.
let onnxReaders: [String: ONNXReader] = [
  convolutionReaders, transposeConvolutionReaders, poolReaders, denseReaders, matMulReaders,
  unaryReaders, binaryReaders, batchNormReaders, concatReaders, reshapeReaders, transposeReaders,
  padReaders, reduceReaders, sliceReaders, gatherReaders, softmaxReaders, resizeReaders,
  quantizationReaders, constantReaders, controlReaders, argReduceReaders, topKReaders,
  gatherNDReaders, scatterReaders, cumulativeSumReaders, oneHotReaders, tileReaders,
  depthToSpaceReaders, reverseReaders, localResponseNormReaders, bandPartReaders,
  gridSampleReaders, roiAlignReaders, composedElementwiseReaders, normalizationReaders,
  attentionReaders, gatheredPoolReaders, quantizedOperatorReaders, einsumReaders,
  deformConvReaders, selectionReaders, signalReaders, lossReaders, shapeReaders, recurrentReaders,
].reduce(into: [:]) { table, rows in table.merge(rows) { first, _ in first } }
