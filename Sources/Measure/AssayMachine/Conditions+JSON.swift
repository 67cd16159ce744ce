import AssayBase

extension Conditions {
  /// The state as records keep it; what is not known is left out and named under `unknown`.
  public var json: JSON {
    var object = JSON.object([
      "at": .integer(moment), "allowed": .string(ProcessorList.text(allowed)),
      "online": .string(ProcessorList.text(online)),
    ])
    if !isolated.isEmpty { object["isolated"] = .string(ProcessorList.text(isolated)) }
    object["cores"] = JSON(coreCount)
    object["governor"] = shared { $0.governor.map { .string($0) } }
    object["frequencyKHz"] = shared { $0.frequency.map { JSON($0) } }
    object["minimumKHz"] = shared { $0.minimumFrequency.map { JSON($0) } }
    object["maximumKHz"] = shared { $0.maximumFrequency.map { JSON($0) } }
    object["capacity"] = shared { $0.capacity.map { JSON($0) } }
    object["boost"] = boost.map { .bool($0) }
    object["multithreading"] = isMultithreaded.map { .bool($0) }
    object["load"] = load.map { JSON($0) }
    object["othersBusy"] = othersBusy.map { JSON($0) }
    object["stealNs"] = time.map { .integer(Int64(clamping: $0.steal)) }
    object["stealShare"] = stealShare.map { JSON($0) }
    object["groupProcessors"] = group.processors.map { JSON($0) }
    object["groupMemoryBytes"] = group.memoryLimit.map { JSON($0) }
    object["groupThrottledNs"] = group.throttledNanoseconds.map { JSON($0) }
    if !thermal.zones.isEmpty {
      object["temperatures"] = .array(
        thermal.zones.map {
          .object(["name": .string($0.name), "celsius": JSON(Double($0.temperature) / 1000)])
        }
      )
    }
    if !thermal.cooling.isEmpty {
      object["cooling"] = .array(thermal.cooling.map { .string($0) })
    }
    object["throttleCount"] = throttleCount.map { JSON($0) }
    object["raspberryThrottled"] = thermal.raspberryFlags.map { JSON($0) }
    object["mains"] = supply.isOnMains.map { .bool($0) }
    object["batteryPercent"] = supply.batteryPercent.map { JSON($0) }
    object["discharging"] = supply.isDischarging.map { .bool($0) }
    object["virtual"] = isVirtual.map { .bool($0) }
    object["hypervisor"] = hypervisor.map { .string($0) }
    object["clockSource"] = clockSource.map { .string($0) }
    object["freeDiskBytes"] = freeDiskBytes.map { JSON($0) }
    object["availableMemoryBytes"] = availableMemory.map { JSON($0) }
    object["swapUsedBytes"] = swapUsed.map { JSON($0) }
    object["swappedIn"] = swappedIn.map { JSON($0) }
    object["swappedOut"] = swappedOut.map { JSON($0) }
    object["majorFaults"] = majorFaults.map { JSON($0) }
    object["unknown"] = .array(unknown.map { .string($0) })
    return object
  }

  /// One value where all processors agree, else `{value: processors}`.
  private func shared(_ value: (ProcessorState) -> JSON?) -> JSON? {
    var groups: [(value: JSON, numbers: [Int])] = []
    for processor in processors {
      guard let value = value(processor) else { continue }
      if let index = groups.firstIndex(where: { $0.value == value }) {
        groups[index].numbers.append(processor.number)
      } else {
        groups.append((value, [processor.number]))
      }
    }
    if groups.count <= 1 { return groups.first?.value }
    var object = JSON.emptyObject
    for group in groups {
      object[ProcessorList.text(group.numbers)] = group.value
    }
    return object
  }
}
