#include "CEdgeTPU.h"

#include <stdlib.h>
#include <string.h>

/// The stand-in; LiteRT sees the first member.
typedef struct {
  TflDelegate outer;
  TflDelegate *inner;
  void (*release)(TflDelegate *);
  int taken;
} Lent;

/// The interpreter as the inner delegate sees it; it sees the first member.
typedef struct {
  TflContext context;
  TflContext *original;
  Lent *lent;
} Seen;

// The structure of registrations goes by value and grew with the years: 64 bytes at first, 88 today. Where
// calls hand large structures over in memory (x86-64) or by their address (AArch64), what is common to all
// versions is read at the same place whatever the caller's version is, so that one function serves all.
static TflStatus replace(TflContext *context, TflOldRegistration given, const TflIntArray *nodes, TflDelegate *inner) {
  (void)inner;
  Seen *seen = (Seen *)context;
  TflRegistration whole;
  memset(&whole, 0, sizeof whole);
  whole.common = given;
  TflContext *original = seen->original;
  TflStatus status =
      original->ReplaceNodeSubsetsWithDelegateKernels(original, whole, nodes, &seen->lent->outer);
  if (status == 0 && nodes != NULL) seen->lent->taken += nodes->size;
  // Tensors may have moved.
  seen->context.tensors = original->tensors;
  seen->context.tensors_size = original->tensors_size;
  return status;
}

static TflStatus prepare(TflContext *context, TflDelegate *outer) {
  Lent *lent = (Lent *)outer;
  Seen seen;
  seen.context = *context;
  seen.original = context;
  seen.lent = lent;
  TflStatus (*function)(TflContext *, TflOldRegistration, const TflIntArray *, TflDelegate *) = replace;
  memcpy(&seen.context.ReplaceNodeSubsetsWithDelegateKernels, &function, sizeof function);
  return lent->inner->Prepare(&seen.context, lent->inner);
}

TflDelegate *edgetpu_lend(TflDelegate *inner, void (*release)(TflDelegate *)) {
  Lent *lent = calloc(1, sizeof *lent);
  if (lent == NULL) return NULL;
  lent->inner = inner;
  lent->release = release;
  // Buffer handles stay with the inner delegate, which would not know the stand-in; libedgetpu has none.
  lent->outer.data = lent;
  lent->outer.Prepare = prepare;
  lent->outer.flags = inner->flags;
  return &lent->outer;
}

const char *edgetpu_accelerator_name(void) { return "Edge TPU"; }

int edgetpu_taken(const TflDelegate *outer) { return ((const Lent *)outer)->taken; }

void edgetpu_return(void *outer) {
  Lent *lent = outer;
  if (lent->release != NULL) lent->release(lent->inner);
  free(lent);
}
