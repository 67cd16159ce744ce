// A stand-in for libedgetpu that implements the same two interfaces: its own C functions, and a delegate of
// TensorFlow Lite. With -DOLD it has the layouts of the first years (libedgetpu 16 of 2021): a delegate
// without its last field, a registration of 64 bytes. Outputs are filled with a pattern.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int size;
  int data[];
} IntArray;
typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct {
  int32_t type;
  void *data;
  IntArray *dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int32_t allocation_type;
  size_t bytes;
  // More follows; tensors lie side by side, so that the size matters.
  char rest[112 - 48];
} Tensor;
typedef struct {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
  const void *custom_data;
  int custom_size;
} Node;
typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int32_t (*prepare)(Context *, Node *);
  int32_t (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
#ifndef OLD
  void *external, *async_kernel;
  uint64_t inplace;
#endif
} Registration;
typedef struct {
  Delegate *delegate;
  IntArray *nodes, *inputs, *outputs;
} Params;
struct Context {
  size_t tensors_size;
  int32_t (*GetExecutionPlan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  void *resize, *report, *add;
  int32_t (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  int32_t (*Replace)(Context *, Registration, const IntArray *, Delegate *);
  int threads;
  void *(*GetExternalContext)(Context *, int);
  void (*SetExternalContext)(Context *, int, void *);
};
struct Delegate {
  void *data;
  int32_t (*Prepare)(Context *, Delegate *);
  void *from, *to, *release;
  int64_t flags;
#ifndef OLD
  void *builder;
#endif
};

_Static_assert(sizeof(Tensor) == 112, "layout");
#ifdef OLD
_Static_assert(sizeof(Registration) == 64 && sizeof(Delegate) == 48, "layout");
#else
_Static_assert(sizeof(Registration) == 88 && sizeof(Delegate) == 56, "layout");
#endif

typedef struct {
  Delegate delegate;
  // What a C++ class keeps behind the fields that it inherits.
  uint64_t own[4];
} Whole;

static int live, kernels, runs;
static char performance[16];

int mock_live(void) { return live; }
int mock_kernels(void) { return kernels; }
int mock_runs(void) { return runs; }
const char *mock_performance(void) { return performance; }

static void *kernel_init(Context *context, const char *bytes, size_t count) {
  const Params *params = (const Params *)bytes;
  Node *node = NULL;
  Registration *registration = NULL;
  (void)count;
  if (context->GetNodeAndRegistration(context, params->nodes->data[0], &node, &registration)) return NULL;
  kernels++;
  // The executable is the operator's own data.
  int *size = malloc(sizeof *size);
  *size = node->custom_size;
  return size;
}

static void kernel_free(Context *context, void *data) {
  (void)context;
  kernels--;
  free(data);
}

static int32_t kernel_prepare(Context *context, Node *node) {
  (void)context;
  return node->user_data == NULL;
}

static int32_t kernel_invoke(Context *context, Node *node) {
  runs++;
  for (int place = 0; place < node->outputs->size; place++) {
    Tensor *tensor = &context->tensors[node->outputs->data[place]];
    for (size_t index = 0; index < tensor->bytes; index++) {
      ((uint8_t *)tensor->data)[index] = (uint8_t)(index % 100);
    }
  }
  return 0;
}

static int32_t prepare(Context *context, Delegate *delegate) {
  enum { EdgeTPUContext = 4 };
  context->SetExternalContext(context, EdgeTPUContext, delegate->data);
  IntArray *plan = NULL;
  if (context->GetExecutionPlan(context, &plan)) return 1;
  int found[64], count = 0;
  for (int place = 0; place < plan->size && count < 64; place++) {
    Node *node = NULL;
    Registration *registration = NULL;
    if (context->GetNodeAndRegistration(context, plan->data[place], &node, &registration)) return 1;
    if (registration->custom_name && strcmp(registration->custom_name, "edgetpu-custom-op") == 0) {
      found[count++] = plan->data[place];
    }
  }
  Registration registration;
  memset(&registration, 0, sizeof registration);
  registration.init = kernel_init;
  registration.free = kernel_free;
  registration.prepare = kernel_prepare;
  registration.invoke = kernel_invoke;
  registration.custom_name = "EdgeTpuDelegateForCustomOp";
  registration.version = 1;
  for (int index = 0; index < count; index++) {
    IntArray *one = malloc(sizeof *one + sizeof(int));
    one->size = 1;
    one->data[0] = found[index];
    int32_t status = context->Replace(context, registration, one, delegate);
    free(one);
    if (status) return status;
  }
  return 0;
}

typedef struct {
  int32_t type;
  const char *path;
} Device;
typedef struct {
  const char *name, *value;
} Option;

Device *edgetpu_list_devices(size_t *count) {
#ifdef NONE
  *count = 0;
  return NULL;
#else
  Device *devices = calloc(2, sizeof *devices);
  devices[0].type = 1;
  devices[0].path = "/sys/bus/usb/devices/2-1";
  devices[1].type = 0;
  devices[1].path = "/dev/apex_0";
  *count = 2;
  return devices;
#endif
}

void edgetpu_free_devices(Device *devices) { free(devices); }

Delegate *edgetpu_create_delegate(int32_t type, const char *path, const Option *options, size_t count) {
  (void)path;
  // PCIe devices of this stand-in are always busy.
  if (type == 0) return NULL;
  performance[0] = 0;
  for (size_t index = 0; index < count; index++) {
    if (strcmp(options[index].name, "Performance") == 0) {
      strncpy(performance, options[index].value, sizeof performance - 1);
    }
  }
  Whole *whole = malloc(sizeof *whole);
  memset(whole, 0xA5, sizeof *whole);
  memset(&whole->delegate, 0, sizeof whole->delegate);
  whole->delegate.data = whole;
  whole->delegate.Prepare = prepare;
  whole->delegate.flags = 1;
  live++;
  return &whole->delegate;
}

void edgetpu_free_delegate(Delegate *delegate) {
  live--;
  free(delegate);
}

void edgetpu_verbosity(int level) { (void)level; }

const char *edgetpu_version(void) {
#ifdef OLD
  return "BuildLabel(mock old), RuntimeVersion(13)";
#else
  return "BuildLabel(mock), RuntimeVersion(14)";
#endif
}
