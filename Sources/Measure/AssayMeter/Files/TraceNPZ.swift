import AssayBase
import AssayCodec
import AssayTensor

/// Traces as NPZ, for NumPy: `time_s`, then an array for each channel, named like the columns of CSV.
public enum TraceNPZ {
  /// The archive's parts.
  ///
  /// - Throws: what writing throws.
  public static func write(_ trace: PowerTrace) throws -> [ByteView] {
    let origin = trace.times.first ?? 0
    let seconds = trace.times.map { Double($0 - origin) / 1e9 }
    var arrays: [(name: String, tensor: Tensor)] = [
      ("time_s", Tensor(seconds, [seconds.count], dtype: .float64)),
      ("time_ns", Tensor(trace.times, [trace.count], dtype: .int64)),
    ]
    for (channel, values) in zip(trace.channels, trace.values) {
      arrays.append(
        (
          "\(channel.name)_\(channel.quantity.unit)",
          Tensor(values, [values.count], dtype: .float64)
        )
      )
    }
    if trace.markers.count == trace.count, trace.count > 0 {
      arrays.append(("marker", Tensor(trace.markers, [trace.count], dtype: .uint8)))
    }
    return try NPZ.write(arrays)
  }
}
