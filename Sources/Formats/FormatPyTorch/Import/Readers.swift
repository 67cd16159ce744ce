/// Every ATen operator that can be read: one row for each file of `Ops`.
let atenReaders: [String: ATenReader] = [
  convolutionReaders, poolReaders, unaryReaders, binaryReaders, normalizationReaders, denseReaders,
  reshapeReaders, sliceReaders, gatherReaders, reduceReaders, constantReaders, resizeReaders,
  recurrentReaders, volumeReaders,
].reduce(into: [:]) { table, rows in table.merge(rows) { first, _ in first } }
