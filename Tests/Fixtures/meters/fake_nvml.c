// A stand-in for NVIDIA's management library: two cards whose figures follow a script in the
// environment: FAKE_NVML = "cards,counter(0/1),init status".
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cards = 1, counter = 1, status = 0;
static unsigned long long energy = 1000000;

int nvmlInit_v2(void) {
  const char *script = getenv("FAKE_NVML");
  if (script) sscanf(script, "%d,%d,%d", &cards, &counter, &status);
  return status;
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) {
  return code == 9 ? "Driver Not Loaded" : code == 3 ? "Not Supported" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char *version, unsigned size) {
  snprintf(version, size, "550.54");
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned *count) {
  *count = cards;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  if ((int)index >= cards) return 2;
  *device = (void *)(uintptr_t)(index + 1);
  return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned size) {
  snprintf(name, size, "Fake GPU %d", (int)(uintptr_t)device);
  return 0;
}
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned size) {
  snprintf(uuid, size, "GPU-%04d", (int)(uintptr_t)device);
  return 0;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
  *milliwatts = 50000 * (unsigned)(uintptr_t)device;
  return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  (void)device;
  if (!counter) return 3;
  energy += 500;
  *millijoules = energy;
  return 0;
}
