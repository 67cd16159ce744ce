// The part of OpenVINO's C interface that Assay calls, as a table of functions that is filled when
// the library is loaded. Layouts and values were checked against libopenvino_c.so 2026.4.1.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t OvStatus;  // 0 is success, errors are negative
typedef struct OvCore_ *OvCore;
typedef struct OvModel_ *OvModel;
typedef struct OvCompiled_ *OvCompiled;
typedef struct OvRequest_ *OvRequest;
typedef struct OvTensor_ *OvTensor;
typedef struct OvPort_ *OvPort;

typedef struct {
  const char *build, *description;
} OvVersion;

typedef struct {
  char **names;
  size_t count;
} OvDevices;

typedef struct {
  int64_t rank;
  int64_t *dims;
} OvShape;

typedef struct {
  int64_t least, greatest;
} OvDimension;

typedef struct {
  OvDimension rank;
  OvDimension *dims;
} OvPartialShape;

/// A property; every value that Assay sets is text.
typedef struct {
  const char *key;
  const void *value;
} OvProperty;

/// The time of one node; status 0 not run, 1 optimized out, 2 executed.
typedef struct {
  int32_t status;
  int64_t real_us, cpu_us;
  const char *node, *kernel, *kind;
} OvTime;

typedef struct {
  OvTime *items;
  size_t count;
} OvTimes;

#define OV_FUNCTIONS(X) \
  X(OvStatus, ov_get_openvino_version, (OvVersion *v)) \
  X(void, ov_version_free, (OvVersion *v)) \
  X(const char *, ov_get_error_info, (OvStatus s)) \
  X(const char *, ov_get_last_err_msg, (void)) \
  X(void, ov_free, (const char *p)) \
  X(OvStatus, ov_core_create, (OvCore *c)) \
  X(OvStatus, ov_core_get_available_devices, (OvCore c, OvDevices *d)) \
  X(void, ov_available_devices_free, (OvDevices *d)) \
  X(OvStatus, ov_core_read_model, (OvCore c, const char *path, const char *weights, OvModel *m)) \
  X(void, ov_model_free, (OvModel m)) \
  X(bool, ov_model_is_dynamic, (OvModel m)) \
  X(OvStatus, ov_model_inputs_size, (OvModel m, size_t *n)) \
  X(OvStatus, ov_model_outputs_size, (OvModel m, size_t *n)) \
  X(OvStatus, ov_model_const_input_by_index, (OvModel m, size_t i, OvPort *p)) \
  X(OvStatus, ov_model_const_output_by_index, (OvModel m, size_t i, OvPort *p)) \
  X(OvStatus, ov_model_reshape_by_port_indexes, (OvModel m, const size_t *i, const OvPartialShape *s, size_t n)) \
  X(OvStatus, ov_core_compile_model_props, (OvCore c, OvModel m, const char *device, size_t n, const OvProperty *p, OvCompiled *out)) \
  X(OvStatus, ov_compiled_model_get_property, (OvCompiled c, const char *key, char **value)) \
  X(void, ov_compiled_model_free, (OvCompiled c)) \
  X(OvStatus, ov_port_get_any_name, (OvPort p, char **name)) \
  X(OvStatus, ov_port_get_element_type, (OvPort p, uint32_t *type)) \
  X(OvStatus, ov_port_get_partial_shape, (OvPort p, OvPartialShape *s)) \
  X(void, ov_output_const_port_free, (OvPort p)) \
  X(void, ov_partial_shape_free, (OvPartialShape *s)) \
  X(OvStatus, ov_compiled_model_create_infer_request, (OvCompiled c, OvRequest *r)) \
  X(void, ov_infer_request_free, (OvRequest r)) \
  X(OvStatus, ov_infer_request_get_input_tensor_by_index, (OvRequest r, size_t i, OvTensor *t)) \
  X(OvStatus, ov_infer_request_get_output_tensor_by_index, (OvRequest r, size_t i, OvTensor *t)) \
  X(OvStatus, ov_infer_request_infer, (OvRequest r)) \
  X(OvStatus, ov_infer_request_get_profiling_info, (OvRequest r, OvTimes *t)) \
  X(void, ov_profiling_info_list_free, (OvTimes *t)) \
  X(OvStatus, ov_tensor_get_shape, (OvTensor t, OvShape *s)) \
  X(OvStatus, ov_shape_free, (OvShape *s)) \
  X(OvStatus, ov_tensor_get_byte_size, (OvTensor t, size_t *n)) \
  X(OvStatus, ov_tensor_data, (OvTensor t, void **p)) \
  X(void, ov_tensor_free, (OvTensor t))

#define OV_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  OV_FUNCTIONS(OV_FIELD)
} OvFunctions;
#undef OV_FIELD

/// The functions' names in the order of the table, each ended by NUL, an empty one at the end.
#define OV_NAME(result, name, arguments) #name "\0"
static inline const char *ov_function_names(void) { return OV_FUNCTIONS(OV_NAME); }
#undef OV_NAME

_Static_assert(sizeof(OvPartialShape) == 24, "layout");
_Static_assert(sizeof(OvTime) == 48, "layout");
