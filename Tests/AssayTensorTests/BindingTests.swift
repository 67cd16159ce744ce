import AssayBase
import AssayTensor
import Testing

@Suite struct BindingTests {
  let image = TensorType(.float32, [1, 2])
  let bytes = TensorType(.int8, [2], quantization: Quantization(scale: 0.5, zeroPoint: -1))

  private func codes(
    _ given: [String: Tensor],
    _ inputs: [(name: String, type: TensorType)]
  ) -> [String] {
    do {
      _ = try bind(given, to: inputs)
      return []
    } catch let fault as Diagnostic {
      return [fault.code]
    } catch let faults as Diagnostics {
      return faults.all.map(\.code)
    } catch {
      return ["\(error)"]
    }
  }

  @Test func inputsComeInTheModelsOrder() throws {
    let given = ["b": Tensor([3.0, 4], [1, 2]), "a": Tensor([1.0, 2], [1, 2])]
    let bound = try bind(given, to: [("a", image), ("b", image)])
    #expect(bound.map { $0.floats() } == [[1, 2], [3, 4]])
  }

  @Test func aLoneArrayNeedsNoName() throws {
    #expect(codes(["whatever": Tensor([1.0, 2], [1, 2])], [("a", image)]).isEmpty)
  }

  @Test func floatsAreQuantizedForAnIntegerInput() throws {
    let bound = try bind(["a": Tensor([1.0, -100], [2])], to: [("a", bytes)])
    #expect(bound[0].elements(as: Int8.self) == [1, -128])
    #expect(bound[0].quantization == bytes.quantization)
  }

  @Test func doublesAreNarrowed() throws {
    let bound = try bind(["a": Tensor([1.5, 2], [1, 2], dtype: .float64)], to: [("a", image)])
    #expect(bound[0].dtype == .float32)
  }

  @Test func anOpenExtentTakesAny() throws {
    let open = TensorType(.float32, [-1, 2])
    #expect(codes(["a": Tensor([1.0, 2, 3, 4], [2, 2])], [("a", open)]).isEmpty)
  }

  @Test func everyFaultIsNamed() {
    let wrongShape = Tensor([1.0, 2, 3], [1, 3])
    let wrongType = Tensor([1, 2] as [Int32], [1, 2])
    let given = ["b": wrongShape, "c": wrongType, "z": wrongType]
    let faults = codes(given, [("a", image), ("b", image), ("c", image)])
    #expect(faults == ["EVL002", "EVL001", "EVL003", "EVL004"])
  }
}
