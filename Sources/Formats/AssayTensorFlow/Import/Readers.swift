/// Every TensorFlow operator that can be read: one row for each file of `Ops`.
let tensorFlowReaders: [String: TFReader] = [
  convolutionReaders, depthwiseReaders, transposeConvolutionReaders, poolReaders,
  batchNormReaders, matMulReaders, unaryReaders, binaryReaders, softmaxReaders, reduceReaders,
  reshapeReaders, transposeReaders, concatReaders, sliceReaders, gatherReaders, padReaders,
  resizeReaders, quantizationReaders, constantReaders, variableReaders, controlReaders,
  tensorListReaders, argReduceReaders, topKReaders, oneHotReaders, tileReaders, reverseReaders,
  cumulativeSumReaders, gatherNDReaders, scatterReaders, depthToSpaceReaders,
  localResponseNormReaders, bandPartReaders, nonMaxSuppressionReaders, volumeReaders,
  spaceToBatchReaders,
].reduce(into: [:]) { table, rows in table.merge(rows) { first, _ in first } }
