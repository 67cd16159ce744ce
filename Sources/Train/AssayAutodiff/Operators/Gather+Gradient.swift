import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Gather: DifferentiableOperator {
  /// A constant that is gathered from is a table of embeddings.
  var parameterInputs: [Int: Parameter.Role] { [0: .weight] }
  func flows(to input: Int) -> Bool { input == 0 }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let rows = AxisRows(shape.dims, axis: shape.normalized(axis: axis) ?? 0)
    let (table, indices, y) = (try site.input(0), try site.input(1), site.output)
    let (dy, dx) = (site.outputGradient, site.gradient(of: 0))
    let (extent, inner) = (rows.extent, rows.inner)
    // A negative index counts from the end.
    func place(_ index: Float) throws -> Int {
      guard let whole = Int(exactly: index), (-extent..<extent).contains(whole) else {
        throw Diagnostic("TRN006", "index \(index) is not below \(extent)")
      }
      return whole < 0 ? whole + extent : whole
    }
    return GradientStep {
      for row in 0..<rows.outer {
        for index in 0..<indices.count {
          let from = (row * extent + (try place(indices[index]))) * inner
          y.part((row * indices.count + index) * inner, inner).copy(table.part(from, inner))
        }
      }
    } backward: {
      guard let dx else { return }
      dx.fill(0)
      for row in 0..<rows.outer {
        for index in 0..<indices.count {
          let to = (row * extent + (try place(indices[index]))) * inner
          let from = (row * indices.count + index) * inner
          for c in 0..<inner { dx[to + c] += dy[from + c] }
        }
      }
    }
  }
}
