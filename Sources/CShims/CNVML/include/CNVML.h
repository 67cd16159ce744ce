// The part of NVIDIA's management library (NVML 11 and later) that is in use, declared by us and
// resolved at run time.
#pragma once
#include <stdint.h>

typedef void *CNVMLDevice;

enum {
  CNVML_SUCCESS = 0,
  CNVML_NOT_SUPPORTED = 3,
  CNVML_NO_PERMISSION = 4,
  CNVML_DRIVER_NOT_LOADED = 9,
};

#define CNVML_FUNCTIONS(X) \
  X(int32_t, nvmlInit_v2, (void)) \
  X(int32_t, nvmlShutdown, (void)) \
  X(const char *, nvmlErrorString, (int32_t status)) \
  X(int32_t, nvmlSystemGetDriverVersion, (char *version, uint32_t size)) \
  X(int32_t, nvmlDeviceGetCount_v2, (uint32_t * count)) \
  X(int32_t, nvmlDeviceGetHandleByIndex_v2, (uint32_t index, CNVMLDevice *device)) \
  X(int32_t, nvmlDeviceGetName, (CNVMLDevice device, char *name, uint32_t size)) \
  X(int32_t, nvmlDeviceGetUUID, (CNVMLDevice device, char *uuid, uint32_t size)) \
  X(int32_t, nvmlDeviceGetPowerUsage, (CNVMLDevice device, uint32_t *milliwatts)) \
  X(int32_t, nvmlDeviceGetTotalEnergyConsumption, (CNVMLDevice device, uint64_t *millijoules))

#define CNVML_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  CNVML_FUNCTIONS(CNVML_FIELD)
} CNVMLTable;

#define CNVML_NAME(result, name, arguments) #name "\0"
static inline const char *cnvml_names(void) { return CNVML_FUNCTIONS(CNVML_NAME); }
