import AssayBase
import COnnxRuntime

extension OnnxSession {
  /// What the session's own arena holds: weights, and the values between operators.
  ///
  /// `arenaInUse` and `arenaPeak` are what the session asked for, `arenaAllocated` what the arena took
  /// from the system for it. Weights that a kernel packed for itself are not in the arena.
  func arenaMemory(_ session: OrtSessionRef?) -> [String: Int] {
    let f = unsafe library.functions
    var allocator: OrtAllocatorRef?
    var pairs: OrtPairsRef?
    func isDone(_ status: OrtStatusRef?) -> Bool {
      guard let status = unsafe status else { return true }
      unsafe f.pointee.ReleaseStatus(status)
      return false
    }
    guard unsafe isDone(f.pointee.CreateAllocator(session, library.memory, &allocator)) else {
      return [:]
    }
    defer { unsafe f.pointee.ReleaseAllocator(allocator) }
    guard unsafe isDone(f.pointee.AllocatorGetStats(allocator, &pairs)) else { return [:] }
    defer { unsafe f.pointee.ReleaseKeyValuePairs(pairs) }
    var keys: UnsafePointer<UnsafePointer<CChar>?>?
    var values: UnsafePointer<UnsafePointer<CChar>?>?
    var count = 0
    unsafe f.pointee.GetKeyValuePairs(pairs, &keys, &values, &count)
    guard let keys = unsafe keys, let values = unsafe values else { return [:] }
    let names = [
      "InUse": "arenaInUse", "MaxInUse": "arenaPeak", "TotalAllocated": "arenaAllocated",
    ]
    var memory: [String: Int] = [:]
    for index in 0..<count {
      guard let key = unsafe keys[index], let value = unsafe values[index],
        let name = unsafe names[String(cString: key)],
        let bytes = unsafe Int(String(cString: value)), bytes >= 0
      else { continue }
      memory[name] = bytes
    }
    return memory
  }
}
