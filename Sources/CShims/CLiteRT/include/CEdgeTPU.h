// What libedgetpu and TensorFlow Lite's delegates look like in memory, as far as Assay touches it, and
// the stand-in that lends such a delegate to LiteRT.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t TflStatus;
typedef struct {
  int size;
  int data[];
} TflIntArray;
typedef struct TflContext TflContext;
typedef struct TflDelegate TflDelegate;
typedef struct TflNode TflNode;

/// What a delegate puts in the place of operators: the fields that every version has. Later versions
/// append some; the structure goes by value.
typedef struct {
  void *(*init)(TflContext *, const char *, size_t);
  void (*free)(TflContext *, void *);
  TflStatus (*prepare)(TflContext *, TflNode *);
  TflStatus (*invoke)(TflContext *, TflNode *);
  const char *(*profiling_string)(const TflContext *, const TflNode *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
} TflOldRegistration;

/// The same as LiteRT 2 has it.
typedef struct {
  TflOldRegistration common;
  void *registration_external;
  void *async_kernel;
  uint64_t inplace_operator;
} TflRegistration;

/// The beginning of the interpreter's interface: the same in every version since 2.1.
struct TflContext {
  size_t tensors_size;
  TflStatus (*GetExecutionPlan)(TflContext *, TflIntArray **);
  void *tensors;
  void *impl;
  void *ResizeTensor;
  void (*ReportError)(TflContext *, const char *, ...);
  void *AddTensors;
  void *GetNodeAndRegistration;
  TflStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TflContext *, TflRegistration, const TflIntArray *, TflDelegate *);
  int recommended_num_threads;
  void *GetExternalContext;
  void *SetExternalContext;
  bool allow_fp32_relax_to_fp16;
  void *profiler;
  // Functions that later versions appended; they are handed through unseen.
  void *rest[11];
};

/// A delegate as LiteRT 2 has it; older ones lack the last field.
struct TflDelegate {
  void *data;
  TflStatus (*Prepare)(TflContext *, TflDelegate *);
  void *CopyFromBufferHandle;
  void *CopyToBufferHandle;
  void *FreeBufferHandle;
  int64_t flags;
  void *opaque_delegate_builder;
};

typedef struct {
  int32_t type;
  const char *path;
} EdgeTPUDevice;
typedef struct {
  const char *name, *value;
} EdgeTPUOption;
enum { EdgeTPUOverPCI = 0, EdgeTPUOverUSB = 1 };

#define EDGETPU_FUNCTIONS(X) \
  X(EdgeTPUDevice *, edgetpu_list_devices, (size_t *count)) \
  X(void, edgetpu_free_devices, (EdgeTPUDevice *devices)) \
  X(TflDelegate *, edgetpu_create_delegate, (int32_t type, const char *path, const EdgeTPUOption *options, size_t count)) \
  X(void, edgetpu_free_delegate, (TflDelegate *delegate)) \
  X(void, edgetpu_verbosity, (int level)) \
  X(const char *, edgetpu_version, (void))

#define EDGETPU_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  EDGETPU_FUNCTIONS(EDGETPU_FIELD)
} EdgeTPUFunctions;
#undef EDGETPU_FIELD
#define EDGETPU_NAME(result, name, arguments) #name "\0"
static inline const char *edgetpu_function_names(void) { return EDGETPU_FUNCTIONS(EDGETPU_NAME); }
#undef EDGETPU_NAME

/// A delegate in LiteRT's form that stands in for an inner one of any age.
///
/// \param inner the library's delegate.
/// \param release called with `inner` when the stand-in goes.
/// \return NULL when there is no memory.
TflDelegate *edgetpu_lend(TflDelegate *inner, void (*release)(TflDelegate *));

/// LiteRT's name for the accelerator.
const char *edgetpu_accelerator_name(void);

/// How many operators the inner delegate took so far.
int edgetpu_taken(const TflDelegate *outer);

/// Ends a stand-in and its inner delegate.
void edgetpu_return(void *outer);

_Static_assert(sizeof(TflOldRegistration) == 64, "layout");
_Static_assert(sizeof(TflRegistration) == 88, "layout");
_Static_assert(sizeof(TflDelegate) == 56, "layout");
_Static_assert(offsetof(TflContext, ReplaceNodeSubsetsWithDelegateKernels) == 64, "layout");
