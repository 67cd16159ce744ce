// The part of libyaml 0.2's event interface that is in use, declared by us and resolved at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  CYAML_NONE, CYAML_STREAM_START, CYAML_STREAM_END, CYAML_DOCUMENT_START, CYAML_DOCUMENT_END,
  CYAML_ALIAS, CYAML_SCALAR, CYAML_SEQUENCE_START, CYAML_SEQUENCE_END, CYAML_MAPPING_START,
  CYAML_MAPPING_END
};

/// Memory for a parser; the library's own is 480 bytes on 64-bit systems.
typedef struct {
  int32_t error;
  const char *problem;
  uint64_t rest[126];
} CYAMLParser;

typedef struct {
  size_t index, line, column;
} CYAMLMark;

/// An event; the fields of a scalar, which aliases share as far as they go.
typedef struct {
  int32_t type;
  const char *anchor;
  const char *tag;
  const uint8_t *value;
  size_t length;
  int32_t plain, quoted;
  int32_t style;
  CYAMLMark start, end;
} CYAMLEvent;

_Static_assert(sizeof(CYAMLEvent) == 104, "libyaml's yaml_event_t");
_Static_assert(offsetof(CYAMLEvent, start) == 56, "libyaml's yaml_event_t.start_mark");

#define CYAML_FUNCTIONS(X) \
  X(int32_t, yaml_parser_initialize, (CYAMLParser * parser)) \
  X(void, yaml_parser_delete, (CYAMLParser * parser)) \
  X(void, yaml_parser_set_input_string, (CYAMLParser * parser, const uint8_t *text, size_t size)) \
  X(int32_t, yaml_parser_parse, (CYAMLParser * parser, CYAMLEvent *event)) \
  X(void, yaml_event_delete, (CYAMLEvent * event))

#define CYAML_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  CYAML_FUNCTIONS(CYAML_FIELD)
} CYAMLTable;

#define CYAML_NAME(result, name, arguments) #name "\0"
static inline const char *cyaml_names(void) { return CYAML_FUNCTIONS(CYAML_NAME); }
