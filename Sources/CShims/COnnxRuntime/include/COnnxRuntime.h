// The part of ONNX Runtime's C interface that Assay calls. The interface is one append-only table of
// functions: a function's slot never changes, so the table is laid out here by slots, those not
// called left as gaps. Slots were checked against libonnxruntime.so 1.31.1.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct OrtStatus_ *OrtStatusRef;  // null is success
typedef struct OrtEnv_ *OrtEnvRef;
typedef struct OrtSession_ *OrtSessionRef;
typedef struct OrtOptions_ *OrtOptionsRef;
typedef struct OrtRunOptions_ *OrtRunOptionsRef;
typedef struct OrtValue_ *OrtValueRef;
typedef struct OrtMemory_ *OrtMemoryRef;
typedef struct OrtAllocator_ *OrtAllocatorRef;
typedef struct OrtType_ *OrtTypeRef;
typedef struct OrtTensorType_ *OrtTensorTypeRef;
typedef struct OrtBinding_ *OrtBindingRef;
typedef struct OrtDevice_ *OrtDeviceRef;
typedef struct OrtPairs_ *OrtPairsRef;

enum { OrtAPIVersion = 23 };
enum { OrtLogFatal = 4, OrtOptimizeAll = 99, OrtSequential = 0 };
enum { OrtDeviceAllocator = 0, OrtDefaultMemory = 0 };

typedef struct {
  void *gap0[1];
  int32_t (*GetErrorCode)(OrtStatusRef s);
  const char *(*GetErrorMessage)(OrtStatusRef s);
  OrtStatusRef (*CreateEnv)(int32_t level, const char *id, OrtEnvRef *out);
  void *gap4[3];
  OrtStatusRef (*CreateSession)(
    OrtEnvRef e, const char *path, OrtOptionsRef o, OrtSessionRef *out);
  void *gap8[2];
  OrtStatusRef (*CreateSessionOptions)(OrtOptionsRef *o);
  void *gap11[2];
  OrtStatusRef (*SetSessionExecutionMode)(OrtOptionsRef o, int32_t mode);
  OrtStatusRef (*EnableProfiling)(OrtOptionsRef o, const char *prefix);
  void *gap15[7];
  OrtStatusRef (*SetSessionLogSeverityLevel)(OrtOptionsRef o, int level);
  OrtStatusRef (*SetSessionGraphOptimizationLevel)(OrtOptionsRef o, int32_t level);
  OrtStatusRef (*SetIntraOpNumThreads)(OrtOptionsRef o, int n);
  OrtStatusRef (*SetInterOpNumThreads)(OrtOptionsRef o, int n);
  void *gap26[4];
  OrtStatusRef (*SessionGetInputCount)(OrtSessionRef s, size_t *n);
  OrtStatusRef (*SessionGetOutputCount)(OrtSessionRef s, size_t *n);
  void *gap32[1];
  OrtStatusRef (*SessionGetInputTypeInfo)(OrtSessionRef s, size_t i, OrtTypeRef *t);
  OrtStatusRef (*SessionGetOutputTypeInfo)(OrtSessionRef s, size_t i, OrtTypeRef *t);
  void *gap35[1];
  OrtStatusRef (*SessionGetInputName)(OrtSessionRef s, size_t i, OrtAllocatorRef a, char **name);
  OrtStatusRef (*SessionGetOutputName)(OrtSessionRef s, size_t i, OrtAllocatorRef a, char **name);
  void *gap38[11];
  OrtStatusRef (*CreateTensorWithDataAsOrtValue)(
    OrtMemoryRef m, void *p, size_t bytes, const int64_t *dims, size_t rank, int32_t type, OrtValueRef *out);
  void *gap50[1];
  OrtStatusRef (*GetTensorMutableData)(OrtValueRef v, void **p);
  void *gap52[3];
  OrtStatusRef (*CastTypeInfoToTensorInfo)(OrtTypeRef t, OrtTensorTypeRef *out);
  void *gap56[4];
  OrtStatusRef (*GetTensorElementType)(OrtTensorTypeRef t, int32_t *out);
  OrtStatusRef (*GetDimensionsCount)(OrtTensorTypeRef t, size_t *n);
  OrtStatusRef (*GetDimensions)(OrtTensorTypeRef t, int64_t *dims, size_t n);
  OrtStatusRef (*GetSymbolicDimensions)(OrtTensorTypeRef t, const char **names, size_t n);
  void *gap64[1];
  OrtStatusRef (*GetTensorTypeAndShape)(OrtValueRef v, OrtTensorTypeRef *out);
  void *gap66[3];
  OrtStatusRef (*CreateCpuMemoryInfo)(int32_t allocator, int32_t memory, OrtMemoryRef *out);
  void *gap70[6];
  OrtStatusRef (*AllocatorFree)(OrtAllocatorRef a, void *p);
  void *gap77[1];
  OrtStatusRef (*GetAllocatorWithDefaultOptions)(OrtAllocatorRef *a);
  void *gap79[14];
  void (*ReleaseStatus)(OrtStatusRef s);
  void *gap94[1];
  void (*ReleaseSession)(OrtSessionRef s);
  void (*ReleaseValue)(OrtValueRef v);
  void *gap97[1];
  void (*ReleaseTypeInfo)(OrtTypeRef t);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeRef t);
  void (*ReleaseSessionOptions)(OrtOptionsRef o);
  void *gap101[9];
  OrtStatusRef (*SessionEndProfiling)(OrtSessionRef s, OrtAllocatorRef a, char **path);
  void *gap111[14];
  OrtStatusRef (*GetAvailableProviders)(char ***out, int *n);
  OrtStatusRef (*ReleaseAvailableProviders)(char **p, int n);
  void *gap127[3];
  OrtStatusRef (*AddSessionConfigEntry)(OrtOptionsRef o, const char *key, const char *value);
  OrtStatusRef (*CreateAllocator)(OrtSessionRef s, OrtMemoryRef m, OrtAllocatorRef *out);
  void (*ReleaseAllocator)(OrtAllocatorRef a);
  OrtStatusRef (*RunWithBinding)(OrtSessionRef s, OrtRunOptionsRef o, OrtBindingRef b);
  OrtStatusRef (*CreateIoBinding)(OrtSessionRef s, OrtBindingRef *b);
  void (*ReleaseIoBinding)(OrtBindingRef b);
  OrtStatusRef (*BindInput)(OrtBindingRef b, const char *name, OrtValueRef v);
  OrtStatusRef (*BindOutput)(OrtBindingRef b, const char *name, OrtValueRef v);
  OrtStatusRef (*BindOutputToDevice)(OrtBindingRef b, const char *name, OrtMemoryRef m);
  void *gap139[1];
  OrtStatusRef (*GetBoundOutputValues)(
    OrtBindingRef b, OrtAllocatorRef a, OrtValueRef **out, size_t *n);
  void *gap141[75];
  OrtStatusRef (*SessionOptionsAppendExecutionProvider)(
    OrtOptionsRef o, const char *name, const char *const *keys, const char *const *values, size_t n);
  void *gap217[81];
  void (*GetKeyValuePairs)(
    OrtPairsRef p, const char *const **keys, const char *const **values, size_t *n);
  void *gap299[1];
  void (*ReleaseKeyValuePairs)(OrtPairsRef p);
  void *gap301[2];
  OrtStatusRef (*GetEpDevices)(OrtEnvRef e, const OrtDeviceRef **out, size_t *n);
  OrtStatusRef (*SessionOptionsAppendExecutionProvider_V2)(
    OrtOptionsRef o, OrtEnvRef e, const OrtDeviceRef *d, size_t nd, const char *const *keys, const char *const *values, size_t n);
  void *gap305[7];
  const char *(*EpDevice_EpName)(OrtDeviceRef d);
  void *gap313[5];
  OrtStatusRef (*GetTensorSizeInBytes)(OrtValueRef v, size_t *n);
  OrtStatusRef (*AllocatorGetStats)(OrtAllocatorRef a, OrtPairsRef *out);
} OrtFunctions;

typedef struct {
  const OrtFunctions *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtBase;

/// What the library exports as `OrtGetApiBase`.
typedef const OrtBase *(*OrtGetBase)(void);

#define ORT_SLOT(name, slot) \
  _Static_assert(offsetof(OrtFunctions, name) == (slot) * sizeof(void *), "slot of " #name)
ORT_SLOT(GetErrorCode, 1);
ORT_SLOT(CreateSessionOptions, 10);
ORT_SLOT(SetSessionGraphOptimizationLevel, 23);
ORT_SLOT(SessionGetOutputCount, 31);
ORT_SLOT(SessionGetOutputName, 37);
ORT_SLOT(GetTensorElementType, 60);
ORT_SLOT(GetTensorTypeAndShape, 65);
ORT_SLOT(ReleaseStatus, 93);
ORT_SLOT(ReleaseTensorTypeAndShapeInfo, 99);
ORT_SLOT(ReleaseAvailableProviders, 126);
ORT_SLOT(ReleaseIoBinding, 135);
ORT_SLOT(GetBoundOutputValues, 140);
ORT_SLOT(EpDevice_EpName, 312);
ORT_SLOT(CreateAllocator, 131);
ORT_SLOT(GetKeyValuePairs, 298);
ORT_SLOT(ReleaseKeyValuePairs, 300);
ORT_SLOT(GetEpDevices, 303);
ORT_SLOT(GetTensorSizeInBytes, 318);
ORT_SLOT(AllocatorGetStats, 319);
