import AssayGraph

extension Graph {
  func withFusedQuantization() -> Graph? { nil }
}
