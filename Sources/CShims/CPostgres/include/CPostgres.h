// The part of libpq's interface that is in use, declared by us and resolved at run time.
#pragma once
#include <stdint.h>

typedef struct CPGConnection CPGConnection;
typedef struct CPGResult CPGResult;

enum { CPG_CONNECTION_OK = 0 };
enum { CPG_EMPTY_QUERY = 0, CPG_COMMAND_OK = 1, CPG_TUPLES_OK = 2 };
/// The field of a failure that holds the SQLSTATE.
enum { CPG_SQLSTATE = 'C' };

#define CPG_FUNCTIONS(X) \
  X(CPGConnection *, PQconnectdb, (const char *conninfo)) \
  X(int32_t, PQstatus, (const CPGConnection *connection)) \
  X(const char *, PQerrorMessage, (const CPGConnection *connection)) \
  X(void, PQfinish, (CPGConnection *connection)) \
  X(int32_t, PQserverVersion, (const CPGConnection *connection)) \
  X(int32_t, PQsetClientEncoding, (CPGConnection *connection, const char *encoding)) \
  X(void *, PQsetNoticeProcessor, \
    (CPGConnection *connection, void (*processor)(void *, const char *), void *argument)) \
  X(CPGResult *, PQexecParams, \
    (CPGConnection *connection, const char *command, int32_t count, const uint32_t *types, \
     const char *const *values, const int32_t *lengths, const int32_t *formats, \
     int32_t result_format)) \
  X(int32_t, PQresultStatus, (const CPGResult *result)) \
  X(const char *, PQresultErrorMessage, (const CPGResult *result)) \
  X(const char *, PQresultErrorField, (const CPGResult *result, int32_t field)) \
  X(int32_t, PQntuples, (const CPGResult *result)) \
  X(int32_t, PQnfields, (const CPGResult *result)) \
  X(uint32_t, PQftype, (const CPGResult *result, int32_t column)) \
  X(int32_t, PQgetisnull, (const CPGResult *result, int32_t row, int32_t column)) \
  X(const char *, PQgetvalue, (const CPGResult *result, int32_t row, int32_t column)) \
  X(int32_t, PQgetlength, (const CPGResult *result, int32_t row, int32_t column)) \
  X(void, PQclear, (CPGResult *result)) \
  X(int32_t, PQlibVersion, (void))

#define CPG_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  CPG_FUNCTIONS(CPG_FIELD)
} CPGTable;

#define CPG_NAME(result, name, arguments) #name "\0"
static inline const char *cpg_names(void) { return CPG_FUNCTIONS(CPG_NAME); }

/// Takes a server's notices, which would go to standard error.
static inline void cpg_ignore_notice(void *argument, const char *message) {
  (void)argument;
  (void)message;
}
