// The part of LiteRT's C interface that Assay calls, as a table of functions that is filled when the
// library is loaded. Layouts and values were checked against libLiteRt.so 2.3.0.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CEdgeTPU.h"

typedef struct LrtEnvironment_ *LrtEnvironment;
typedef struct LrtModel_ *LrtModel;
typedef struct LrtSubgraph_ *LrtSubgraph;
typedef struct LrtSignature_ *LrtSignature;
typedef struct LrtOp_ *LrtOp;
typedef struct LrtTensor_ *LrtTensor;
typedef struct LrtOptions_ *LrtOptions;
typedef struct LrtOpaqueOptions_ *LrtOpaqueOptions;
typedef struct LrtCompiled_ *LrtCompiled;
typedef struct LrtBuffer_ *LrtBuffer;
typedef struct LrtRequirements_ *LrtRequirements;
typedef struct LrtProfiler_ *LrtProfiler;
typedef struct LrtAccelerator_ *LrtAccelerator;
typedef struct LrtDelegateWrapper_ *LrtDelegateWrapper;
typedef int32_t LrtStatus;

enum { LrtHardwareCPU = 1, LrtHardwareGPU = 2, LrtHardwareNPU = 4 };
enum { LrtLockRead = 0, LrtLockWrite = 1 };
enum { LrtOptionRuntimeFolder = 22, LrtOptionAccelerators = 24, LrtOptionLogSeverity = 25 };
enum { LrtAnyInt = 2, LrtAnyString = 8 };
enum { LrtCustomOperator = 32 };
enum { LrtEventOperator = 2, LrtEventDelegateOperator = 8 };
enum { LrtQuantizationPerTensor = 1, LrtQuantizationPerChannel = 2 };

/// A tagged value, 16 bytes.
typedef struct {
  int32_t type;
  union {
    bool boolean;
    int64_t integer;
    double real;
    const char *string;
    const void *pointer;
  } value;
} LrtAny;

typedef struct {
  int32_t tag;
  LrtAny value;
} LrtEnvironmentOption;

/// Extents of a tensor; the first word holds the rank in its low 7 bits.
typedef struct {
  uint32_t rank_and_flags;
  int32_t dims[8];
  uint32_t strides[8];
} LrtLayout;

typedef struct {
  int32_t element;
  LrtLayout layout;
} LrtTensorType;

typedef struct {
  float scale;
  int64_t zero_point;
} LrtPerTensor;

typedef struct {
  int32_t axis;
  uint64_t count;
  float *scales;
  int64_t *zero_points;
} LrtPerChannel;

typedef struct {
  const char *tag;
  int32_t type;
  uint64_t start_us, elapsed_us;
  size_t memory_before[3], memory_after[3];
  uint64_t node, subgraph;
  int32_t source;
} LrtEvent;

#define LRT_FUNCTIONS(X) \
  X(LrtStatus, LiteRtCreateEnvironment, (int n, const LrtEnvironmentOption *o, LrtEnvironment *e)) \
  X(void, LiteRtDestroyEnvironment, (LrtEnvironment e)) \
  X(LrtStatus, LiteRtGetNumAccelerators, (LrtEnvironment e, size_t *n)) \
  X(LrtStatus, LiteRtGetAccelerator, (LrtEnvironment e, size_t i, LrtAccelerator *a)) \
  X(LrtStatus, LiteRtGetAcceleratorName, (LrtAccelerator a, const char **name)) \
  X(LrtStatus, LiteRtGetAcceleratorHardwareSupport, (LrtAccelerator a, int32_t *set)) \
  X(LrtStatus, LiteRtCreateModelFromFile, (LrtEnvironment e, const char *path, LrtModel *m)) \
  X(LrtStatus, LiteRtCreateModelFromBuffer, (LrtEnvironment e, const void *p, size_t n, LrtModel *m)) \
  X(void, LiteRtDestroyModel, (LrtModel m)) \
  X(LrtStatus, LiteRtGetNumModelSignatures, (LrtModel m, size_t *n)) \
  X(LrtStatus, LiteRtGetModelSignature, (LrtModel m, size_t i, LrtSignature *s)) \
  X(LrtStatus, LiteRtGetNumSignatureInputs, (LrtSignature s, size_t *n)) \
  X(LrtStatus, LiteRtGetNumSignatureOutputs, (LrtSignature s, size_t *n)) \
  X(LrtStatus, LiteRtGetSignatureInputName, (LrtSignature s, size_t i, const char **n)) \
  X(LrtStatus, LiteRtGetSignatureOutputName, (LrtSignature s, size_t i, const char **n)) \
  X(LrtStatus, LiteRtGetSignatureInputTensorByIndex, (LrtSignature s, size_t i, LrtTensor *t)) \
  X(LrtStatus, LiteRtGetSignatureOutputTensorByIndex, (LrtSignature s, size_t i, LrtTensor *t)) \
  X(LrtStatus, LiteRtGetTensorTypeId, (LrtTensor t, int32_t *id)) \
  X(LrtStatus, LiteRtGetRankedTensorType, (LrtTensor t, LrtTensorType *type)) \
  X(LrtStatus, LiteRtGetQuantizationTypeId, (LrtTensor t, int32_t *id)) \
  X(LrtStatus, LiteRtGetPerTensorQuantization, (LrtTensor t, LrtPerTensor *q)) \
  X(LrtStatus, LiteRtGetPerChannelQuantization, (LrtTensor t, LrtPerChannel *q)) \
  X(LrtStatus, LiteRtGetNumModelSubgraphs, (LrtModel m, size_t *n)) \
  X(LrtStatus, LiteRtGetModelSubgraph, (LrtModel m, size_t i, LrtSubgraph *s)) \
  X(LrtStatus, LiteRtGetNumSubgraphOps, (LrtSubgraph s, size_t *n)) \
  X(LrtStatus, LiteRtGetSubgraphOp, (LrtSubgraph s, size_t i, LrtOp *op)) \
  X(LrtStatus, LiteRtGetOpCode, (LrtOp op, int32_t *code)) \
  X(LrtStatus, LiteRtGetCustomCode, (LrtOp op, const char **name)) \
  X(LrtStatus, LiteRtCreateOptions, (LrtOptions *o)) \
  X(void, LiteRtDestroyOptions, (LrtOptions o)) \
  X(LrtStatus, LiteRtSetOptionsHardwareAccelerators, (LrtOptions o, int32_t set)) \
  X(LrtStatus, LiteRtCreateOpaqueOptions, (const char *id, void *p, void (*del)(void *), LrtOpaqueOptions *o)) \
  X(LrtStatus, LiteRtAddOpaqueOptions, (LrtOptions o, LrtOpaqueOptions q)) \
  X(LrtStatus, LiteRtCreateCompiledModel, (LrtEnvironment e, LrtModel m, LrtOptions o, LrtCompiled *c)) \
  X(void, LiteRtDestroyCompiledModel, (LrtCompiled c)) \
  X(LrtStatus, LiteRtGetCompiledModelInputBufferRequirements, (LrtCompiled c, size_t s, size_t i, LrtRequirements *r)) \
  X(LrtStatus, LiteRtGetCompiledModelOutputBufferRequirements, (LrtCompiled c, size_t s, size_t i, LrtRequirements *r)) \
  X(LrtStatus, LiteRtGetCompiledModelInputTensorLayout, (LrtCompiled c, size_t s, size_t i, LrtLayout *l)) \
  X(LrtStatus, LiteRtGetCompiledModelOutputTensorLayouts, (LrtCompiled c, size_t s, size_t n, LrtLayout *l, bool update)) \
  X(LrtStatus, LiteRtCompiledModelResizeInputTensor, (LrtCompiled c, size_t s, size_t i, const int *dims, size_t n)) \
  X(LrtStatus, LiteRtCompiledModelIsFullyAccelerated, (LrtCompiled c, bool *b)) \
  X(LrtStatus, LiteRtCompiledModelIsNonCpuFullyAccelerated, (LrtCompiled c, bool *b)) \
  X(LrtStatus, LiteRtCompiledModelGetErrorMessages, (LrtCompiled c, char **text)) \
  X(LrtStatus, LiteRtCompiledModelClearErrors, (LrtCompiled c)) \
  X(LrtStatus, LiteRtCreateManagedTensorBufferFromRequirements, (LrtEnvironment e, const LrtTensorType *t, LrtRequirements r, LrtBuffer *b)) \
  X(void, LiteRtDestroyTensorBuffer, (LrtBuffer b)) \
  X(LrtStatus, LiteRtGetTensorBufferPackedSize, (LrtBuffer b, size_t *n)) \
  X(LrtStatus, LiteRtLockTensorBuffer, (LrtBuffer b, void **p, int32_t mode)) \
  X(LrtStatus, LiteRtUnlockTensorBuffer, (LrtBuffer b)) \
  X(LrtStatus, LiteRtRunCompiledModel, (LrtCompiled c, size_t s, size_t ni, LrtBuffer *in, size_t no, LrtBuffer *out)) \
  X(LrtStatus, LiteRtCompiledModelGetProfiler, (LrtCompiled c, LrtProfiler *p)) \
  X(LrtStatus, LiteRtStartProfiler, (LrtProfiler p)) \
  X(LrtStatus, LiteRtStopProfiler, (LrtProfiler p)) \
  X(LrtStatus, LiteRtResetProfiler, (LrtProfiler p)) \
  X(LrtStatus, LiteRtGetNumProfilerEvents, (LrtProfiler p, int *n)) \
  X(LrtStatus, LiteRtGetProfilerEvents, (LrtProfiler p, int n, LrtEvent *e))

#define LRT_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  LRT_FUNCTIONS(LRT_FIELD)
} LrtFunctions;
#undef LRT_FIELD

/// The functions' names in the order of the table, each ended by NUL, an empty one at the end.
#define LRT_NAME(result, name, arguments) #name "\0"
static inline const char *lrt_function_names(void) { return LRT_FUNCTIONS(LRT_NAME); }
#undef LRT_NAME

typedef struct {
  int major, minor, patch;
} LrtVersion;

/// Functions by which an accelerator is added; a table of its own, since only the Edge TPU needs it.
#define LRT_ACCELERATOR_FUNCTIONS(X) \
  X(LrtStatus, LiteRtCreateAccelerator, (LrtAccelerator *a)) \
  X(LrtStatus, LiteRtDestroyAccelerator, (LrtAccelerator a)) \
  X(LrtStatus, LiteRtSetAcceleratorGetName, (LrtAccelerator a, LrtStatus (*f)(LrtAccelerator, const char **))) \
  X(LrtStatus, LiteRtSetAcceleratorGetVersion, (LrtAccelerator a, LrtStatus (*f)(LrtAccelerator, LrtVersion *))) \
  X(LrtStatus, LiteRtSetAcceleratorGetHardwareSupport, (LrtAccelerator a, LrtStatus (*f)(LrtAccelerator, int32_t *))) \
  X(LrtStatus, LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation, (LrtAccelerator a, LrtStatus (*f)(LrtAccelerator, bool *))) \
  X(LrtStatus, LiteRtSetDelegateFunction, (LrtAccelerator a, LrtStatus (*f)(void *, LrtEnvironment, LrtAccelerator, LrtOptions, LrtDelegateWrapper *))) \
  X(LrtStatus, LiteRtRegisterAccelerator, (LrtEnvironment e, LrtAccelerator a, void *data, void (*release)(void *))) \
  X(LrtStatus, LiteRtWrapDelegate, (void *delegate, void (*deleter)(void *), LrtDelegateWrapper *w))

#define LRT_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  LRT_ACCELERATOR_FUNCTIONS(LRT_FIELD)
} LrtAcceleratorFunctions;
#undef LRT_FIELD
#define LRT_NAME(result, name, arguments) #name "\0"
static inline const char *lrt_accelerator_function_names(void) {
  return LRT_ACCELERATOR_FUNCTIONS(LRT_NAME);
}
#undef LRT_NAME

/// Releases what `strdup` made; the deleter of option payloads.
void lrt_free(void *pointer);

_Static_assert(sizeof(LrtAny) == 16, "layout");
_Static_assert(sizeof(LrtEnvironmentOption) == 24, "layout");
_Static_assert(sizeof(LrtLayout) == 68, "layout");
_Static_assert(sizeof(LrtTensorType) == 72, "layout");
_Static_assert(sizeof(LrtPerTensor) == 16, "layout");
_Static_assert(sizeof(LrtPerChannel) == 32, "layout");
_Static_assert(sizeof(LrtEvent) == 104, "layout");
